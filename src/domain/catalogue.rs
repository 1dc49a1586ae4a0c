//! The catalogue (代码目录): which articles punish a violation, departments, divisions. It is data:
//! `data/catalogue.toml` is compiled in, and a node may be given another file.
//!
//! On 2026-08-15 生态环境法典 took the place of the media laws (its art. 1242). Which text applies
//! follows from the date of the act, unless a later one is lighter (从旧兼从轻, 行政处罚法
//! art. 37).
//!
//! In scope: what the file says, and looking it up. Out of scope: its shape and what may be wrong
//! with it ([`file`]), which texts are candidates ([`choose`]), what is refused ([`check`]). The
//! catalogue only offers articles; an officer chooses.
//!
//! Invariant: every violation has a line. (`every_violation_has_one_line`)

use std::sync::{Arc, OnceLock};

use super::date::Date;
use super::law::{Article, LegalBasis};
use super::quantity::Fen;
use super::referral::Campaign;
use super::text::Line;
use super::violation::Violation;

pub mod check;
pub mod choose;
pub mod file;
pub mod one_act;

#[cfg(test)]
mod tests;

pub use choose::{Act, Choice, Later, Verdict};
pub use file::CatalogueError;
pub use one_act::OneAct;

/// What comes with the program; sources and terms: `data/README.md`.
const SHIPPED: &str = include_str!("../../data/catalogue.toml");

/// Code of any campaign that has no line.
pub const OTHER_CAMPAIGN: &str = "OTHER";

/// A word in both languages with the code it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Upper-case letters, digits and underscores.
    pub code: String,
    /// Chinese.
    pub zh: Line,
    /// English.
    pub en: Line,
}

/// One text of a law: after an amendment it is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Law {
    /// Code and full name.
    pub name: Named,
    /// First day of the text that was read.
    pub from: Date,
    /// Its last day; `None` while it is in force.
    pub to: Option<Date>,
    /// Number of its last article, if known.
    pub last_article: Option<u16>,
    /// No article has a higher number: that of the last one, or a bound where it is not known.
    pub none_beyond: Option<u16>,
    /// The law had no other text before this one.
    pub first_text: bool,
    /// Somebody has read the text, not just remembered it.
    pub verified: bool,
}

/// A range of fines, in a case that the article tells apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FineRange {
    /// The least.
    pub least: Fen,
    /// The most.
    pub most: Fen,
    /// The case it is for; `None` where the article has only one range.
    pub case: Option<Named>,
}

/// What an article says of a fine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fine {
    /// Ranges of money, each case once.
    Ranges(Vec<FineRange>),
    /// A multiple or a share of something, in words: Chinese, English.
    Formula(Line, Line),
    /// No fine: it imposes something else.
    Absent,
    /// There is one, which the catalogue does not know.
    Unstated,
}

/// An article that punishes a violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Basis {
    /// The law.
    pub law: Arc<Law>,
    /// The article.
    pub article: Article,
    /// Item (项) in it, from 1; `None` where the whole article is meant.
    pub item: Option<u16>,
    /// First day of an act for which it is offered: that of the law's text, unless the file says
    /// otherwise.
    pub from: Date,
    /// Last day, likewise.
    pub to: Option<Date>,
    /// What it is about, where one violation has several kinds of acts: texts about different ones
    /// are not compared.
    pub about: Option<String>,
    /// The fine.
    pub fine: Fine,
    /// Somebody has read the article, not just remembered it.
    pub verified: bool,
    /// What else matters: Chinese, English.
    pub note: Option<(Line, Line)>,
}

impl Basis {
    /// As the ground of a case.
    #[must_use]
    pub fn as_legal_basis(&self) -> LegalBasis {
        LegalBasis {
            law: self.law.name.zh.clone(),
            article: self.article,
            item: self.item,
            effective_from: Some(self.law.from),
            effective_to: self.law.to,
        }
    }

    /// Offered for an act that ended on this day.
    #[must_use]
    pub fn is_offered_on(&self, day: Date) -> bool {
        self.from <= day && self.to.is_none_or(|to| day <= to)
    }
}

/// A province, city or county (GB/T 2260).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Division {
    /// Six digits.
    pub code: u32,
    /// Chinese name, with its kind: 莘县.
    pub zh: Line,
    /// English name.
    pub en: Line,
}

/// A campaign (专项行动) that cases are tagged with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CampaignLine {
    /// The number by which headers carry it; never used for another one.
    pub number: Campaign,
    /// Code and words.
    pub name: Named,
    /// Somebody has read the document that calls it, not just remembered it.
    pub verified: bool,
}

/// A catalogue that was read and checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    version: String,
    notice: (String, String),
    laws: Vec<Arc<Law>>,
    bases: Vec<(Violation, Vec<Basis>)>,
    one_act: Vec<OneAct>,
    departments: Vec<Named>,
    divisions: Vec<Division>,
    campaigns: Vec<CampaignLine>,
}

impl Catalogue {
    /// The one that comes with the program.
    #[must_use]
    pub fn shipped() -> Arc<Self> {
        static READ: OnceLock<Arc<Catalogue>> = OnceLock::new();
        // The file is compiled in, and a test reads it.
        let read = || Arc::new(Self::parse(SHIPPED).unwrap_or_default());
        Arc::clone(READ.get_or_init(read))
    }

    /// The version that its author gave it.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What its author wants to be known: Chinese, English.
    #[must_use]
    pub const fn notice(&self) -> &(String, String) {
        &self.notice
    }

    /// Laws, in the order of the file.
    #[must_use]
    pub fn laws(&self) -> &[Arc<Law>] {
        &self.laws
    }

    /// The articles that punish a violation, of all times, in the order of the file.
    #[must_use]
    pub fn bases(&self, violation: Violation) -> &[Basis] {
        let line = self.bases.iter().find(|(of, _)| *of == violation);
        line.map_or(&[], |(_, bases)| bases.as_slice())
    }

    /// Departments that take part in joint inspections.
    #[must_use]
    pub fn departments(&self) -> &[Named] {
        &self.departments
    }

    /// Campaigns of the file, in its order; any other one is not among them.
    #[must_use]
    pub fn campaigns(&self) -> &[CampaignLine] {
        &self.campaigns
    }

    /// Whether there is such a campaign; any other one always is.
    #[must_use]
    pub fn has_campaign(&self, campaign: Campaign) -> bool {
        campaign == Campaign::OTHER || self.campaigns.iter().any(|one| one.number == campaign)
    }

    /// Divisions whose names are known, in the order of the file.
    #[must_use]
    pub fn divisions(&self) -> &[Division] {
        &self.divisions
    }
}
