//! The catalogue's file: its shape, and what may be wrong with it.
//!
//! In scope: TOML to [`Catalogue`], with complaints that name the place. Out of scope: reading from
//! a disk.
//!
//! Invariant: nothing of a file with a fault is taken. (`a_wrong_file_is_refused_with_its_place`)

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;

use super::one_act::{self, RawPair};
use super::{
    Basis, CampaignLine, Catalogue, Division, Fine, FineRange, Law, Named, OTHER_CAMPAIGN,
};
use crate::domain::date::Date;
use crate::domain::invalid::Invalid;
use crate::domain::law::Article;
use crate::domain::quantity::Fen;
use crate::domain::referral::Campaign;
use crate::domain::text::Line;
use crate::domain::violation::Violation;
use crate::limits::{
    ADDRESS_BYTES_MAX, CATALOGUE_BASES_MAX, CATALOGUE_BYTES_MAX, CATALOGUE_CAMPAIGNS_MAX,
    CATALOGUE_DIVISIONS_MAX, CATALOGUE_FINES_MAX, CATALOGUE_LAWS_MAX, CATALOGUE_PAIRS_MAX,
    NAME_BYTES_MAX,
};

/// Longest code: fits a column.
const CODE_BYTES_MAX: usize = 40;

/// Why a catalogue was not taken. `at` is the place in the file, such as
/// `violation AIR_EXCEED, basis 2`.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// It is no TOML of this shape; says line and column.
    #[error("not a catalogue: {0}")]
    Shape(#[from] toml::de::Error),
    /// Larger than any catalogue needs to be.
    #[error("{got} bytes, at most {CATALOGUE_BYTES_MAX} are read")]
    TooLarge {
        /// Bytes.
        got: usize,
    },
    /// A list is too long.
    #[error("{at}: {got} of them, at most {limit} are taken")]
    TooMany {
        /// Where.
        at: String,
        /// How many.
        got: usize,
        /// The limit.
        limit: usize,
    },
    /// A value is wrong.
    #[error("{at}: {why}")]
    Value {
        /// Where, with the field.
        at: String,
        /// Why.
        why: Invalid,
    },
    /// A code has another shape.
    #[error("{at}: a code has 1 to {CODE_BYTES_MAX} upper-case letters, digits and underscores")]
    Code {
        /// Where.
        at: String,
    },
    /// A code stands twice.
    #[error("{at} stands twice")]
    Twice {
        /// What.
        at: String,
    },
    /// A basis names a law that the file does not list.
    #[error("{at}: no law {law:?} in this file")]
    NoLaw {
        /// Where.
        at: String,
        /// The code.
        law: String,
    },
    /// The article is beyond the last one of its law.
    #[error("{at}: the law ends with article {last}")]
    NoArticle {
        /// Where.
        at: String,
        /// Number of the last article.
        last: u16,
    },
    /// The number of a campaign is no byte, or that of any other campaign.
    #[error("{at}: {got} is no number of a campaign, which is 2 to 255")]
    Number {
        /// Where.
        at: String,
        /// The number.
        got: u32,
    },
    /// A range whose least is above its most, or a time that ends before it begins.
    #[error("{at}: the first is above the last")]
    Order {
        /// Where.
        at: String,
    },
    /// More than one of `fine`, `formula_zh` with `formula_en`, and `no_fine`, or half of a pair.
    #[error("{at}: {fields} do not go together, or one is missing")]
    Together {
        /// Where.
        at: String,
        /// The fields.
        fields: &'static str,
    },
    /// A code of the list of violations has no line.
    #[error("no [[violation]] for {0}")]
    Missing(Violation),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: String,
    notice_zh: String,
    notice_en: String,
    law: Vec<RawLaw>,
    violation: Vec<RawLine>,
    one_act: Vec<RawPair>,
    department: Vec<RawNamed>,
    division: Vec<RawDivision>,
    // Files of before have none.
    #[serde(default)]
    campaign: Vec<RawCampaign>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLaw {
    code: String,
    zh: String,
    en: String,
    from: String,
    to: Option<String>,
    articles: Option<u16>,
    articles_at_most: Option<u16>,
    #[serde(default)]
    first_text: bool,
    #[serde(default = "yes")]
    verified: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLine {
    code: String,
    basis: Vec<RawBasis>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawBasis {
    law: String,
    article: String,
    item: Option<u16>,
    from: Option<String>,
    to: Option<String>,
    about: Option<String>,
    fine: Option<Vec<RawRange>>,
    formula_zh: Option<String>,
    formula_en: Option<String>,
    #[serde(default)]
    no_fine: bool,
    #[serde(default = "yes")]
    verified: bool,
    note_zh: Option<String>,
    note_en: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRange {
    least: i64,
    most: i64,
    case: Option<String>,
    zh: Option<String>,
    en: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNamed {
    code: String,
    zh: String,
    en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDivision {
    code: u32,
    zh: String,
    en: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCampaign {
    number: u32,
    code: String,
    zh: String,
    en: String,
    #[serde(default = "yes")]
    verified: bool,
}

pub(super) const fn yes() -> bool {
    true
}

impl Catalogue {
    /// Reads a file.
    ///
    /// # Errors
    /// [`CatalogueError`] with the first fault; nothing is taken of such a file.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        if text.len() > CATALOGUE_BYTES_MAX {
            return Err(CatalogueError::TooLarge { got: text.len() });
        }
        // Some editors put a mark of three bytes before the text.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let file: File = toml::from_str(text)?;
        let lists = [
            ("law", file.law.len(), CATALOGUE_LAWS_MAX),
            ("department", file.department.len(), CATALOGUE_LAWS_MAX),
            ("division", file.division.len(), CATALOGUE_DIVISIONS_MAX),
            ("one_act", file.one_act.len(), CATALOGUE_PAIRS_MAX),
            ("campaign", file.campaign.len(), CATALOGUE_CAMPAIGNS_MAX),
        ];
        for (at, got, limit) in lists {
            few(at, got, limit)?;
        }
        let laws = file.law.into_iter().map(law).collect::<Result<Vec<_>, _>>()?;
        unique("law", laws.iter().map(|law| law.name.code.clone()))?;
        let lines = file.violation.into_iter().map(|raw| line(raw, &laws));
        let bases = lines.collect::<Result<Vec<_>, _>>()?;
        unique("violation", bases.iter().map(|(of, _)| of.code().to_owned()))?;
        let listed = |one: &&Violation| !bases.iter().any(|(of, _)| of == *one);
        if let Some(missing) = Violation::ALL.iter().find(listed) {
            return Err(CatalogueError::Missing(*missing));
        }
        let one_act = one_act::read(file.one_act, &laws)?;
        let departments = file.department.into_iter().map(|raw| named("department", raw));
        let departments = departments.collect::<Result<Vec<_>, _>>()?;
        unique("department", departments.iter().map(|one| one.code.clone()))?;
        let divisions = file.division.into_iter().map(division).collect::<Result<Vec<_>, _>>()?;
        unique("division", divisions.iter().map(|one| one.code.to_string()))?;
        let campaigns = file.campaign.into_iter().map(campaign).collect::<Result<Vec<_>, _>>()?;
        let codes = campaigns.iter().map(|one| one.name.code.clone());
        unique("campaign", codes.chain([OTHER_CAMPAIGN.to_owned()]))?;
        unique("campaign", campaigns.iter().map(|one| one.number.number().to_string()))?;
        let (zh, en) = pair("notice", (&file.notice_zh, &file.notice_en))?;
        Ok(Self {
            version: short("version", &file.version)?.to_string(),
            notice: (zh.to_string(), en.to_string()),
            laws,
            bases,
            one_act,
            departments,
            divisions,
            campaigns,
        })
    }
}

pub(super) fn few(at: &str, got: usize, limit: usize) -> Result<(), CatalogueError> {
    if got > limit {
        return Err(CatalogueError::TooMany { at: at.to_owned(), got, limit });
    }
    Ok(())
}

pub(super) fn unique(
    what: &str,
    codes: impl Iterator<Item = String>,
) -> Result<(), CatalogueError> {
    let mut seen = BTreeSet::new();
    for code in codes {
        let at = format!("{what} {code}");
        if !seen.insert(code) {
            return Err(CatalogueError::Twice { at });
        }
    }
    Ok(())
}

pub(super) fn wrong(at: &str, field: &str, why: Invalid) -> CatalogueError {
    CatalogueError::Value { at: format!("{at}.{field}"), why }
}

fn short(at: &str, text: &str) -> Result<Line, CatalogueError> {
    Line::parse(text, CODE_BYTES_MAX)
        .map_err(|why| CatalogueError::Value { at: at.to_owned(), why })
}

/// Words in both languages.
fn pair(at: &str, (zh, en): (&str, &str)) -> Result<(Line, Line), CatalogueError> {
    let read = |text, field: &str| {
        let why = |why| CatalogueError::Value { at: format!("{at}_{field}"), why };
        Line::parse(text, ADDRESS_BYTES_MAX).map_err(why)
    };
    Ok((read(zh, "zh")?, read(en, "en")?))
}

fn code(at: &str, text: &str) -> Result<String, CatalogueError> {
    let fits = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    if !text.is_empty() && text.len() <= CODE_BYTES_MAX && text.bytes().all(fits) {
        return Ok(text.to_owned());
    }
    Err(CatalogueError::Code { at: at.to_owned() })
}

fn named(what: &str, raw: RawNamed) -> Result<Named, CatalogueError> {
    let code = code(what, &raw.code)?;
    let at = format!("{what} {code}");
    let read =
        |text: &str, field| Line::parse(text, NAME_BYTES_MAX).map_err(|why| wrong(&at, field, why));
    Ok(Named { zh: read(&raw.zh, "zh")?, en: read(&raw.en, "en")?, code })
}

fn day(at: &str, field: &str, text: Option<&str>) -> Result<Option<Date>, CatalogueError> {
    text.map(Date::parse).transpose().map_err(|why| wrong(at, field, why))
}

fn law(raw: RawLaw) -> Result<Arc<Law>, CatalogueError> {
    let name = named("law", RawNamed { code: raw.code, zh: raw.zh, en: raw.en })?;
    let at = format!("law {}", name.code);
    let from = Date::parse(&raw.from).map_err(|why| wrong(&at, "from", why))?;
    let to = day(&at, "to", raw.to.as_deref())?;
    if to.is_some_and(|to| from > to) {
        return Err(CatalogueError::Order { at });
    }
    for (field, number) in [("articles", raw.articles), ("articles_at_most", raw.articles_at_most)]
    {
        if number == Some(0) {
            let why = crate::domain::InvalidReason::ArticleFormat.into();
            return Err(wrong(&at, field, why));
        }
    }
    let (last_article, first_text, verified) = (raw.articles, raw.first_text, raw.verified);
    let none_beyond = last_article.or(raw.articles_at_most);
    Ok(Arc::new(Law { name, from, to, last_article, none_beyond, first_text, verified }))
}

fn line(raw: RawLine, laws: &[Arc<Law>]) -> Result<(Violation, Vec<Basis>), CatalogueError> {
    let at = format!("violation {}", code("violation", &raw.code)?);
    let violation = Violation::parse(&raw.code).map_err(|why| wrong(&at, "code", why))?;
    few(&format!("{at}.basis"), raw.basis.len(), CATALOGUE_BASES_MAX)?;
    let bases = raw.basis.into_iter().enumerate();
    let bases = bases.map(|(nth, raw)| basis(&format!("{at}, basis {}", nth + 1), &raw, laws));
    Ok((violation, bases.collect::<Result<Vec<_>, _>>()?))
}

fn basis(at: &str, raw: &RawBasis, laws: &[Arc<Law>]) -> Result<Basis, CatalogueError> {
    let (law, article) = article(at, (&raw.law, &raw.article), laws)?;
    if raw.item == Some(0) {
        return Err(wrong(at, "item", crate::domain::InvalidReason::ArticleFormat.into()));
    }
    let from = day(at, "from", raw.from.as_deref())?.unwrap_or(law.from);
    let to = day(at, "to", raw.to.as_deref())?.or(law.to);
    if to.is_some_and(|to| from > to) {
        return Err(CatalogueError::Order { at: at.to_owned() });
    }
    let note = both(at, "note_zh and note_en", (&raw.note_zh, &raw.note_en))?;
    Ok(Basis {
        article,
        item: raw.item,
        from,
        to,
        about: raw.about.as_deref().map(|text| code(at, text)).transpose()?,
        fine: fine(at, raw)?,
        verified: raw.verified && law.verified,
        note,
        law,
    })
}

/// An article of a law that the file lists.
pub(super) fn article(
    at: &str,
    (law, article): (&str, &str),
    laws: &[Arc<Law>],
) -> Result<(Arc<Law>, Article), CatalogueError> {
    let found = laws.iter().find(|one| one.name.code == law).cloned();
    let no_law = || CatalogueError::NoLaw { at: at.to_owned(), law: law.to_owned() };
    let law = found.ok_or_else(no_law)?;
    let article = Article::parse(article).map_err(|why| wrong(at, "article", why))?;
    if let Some(last) = law.last_article.filter(|last| article.number() > *last) {
        return Err(CatalogueError::NoArticle { at: at.to_owned(), last });
    }
    Ok((law, article))
}

/// A text in both languages, or in neither.
pub(super) fn both(
    at: &str,
    fields: &'static str,
    (zh, en): (&Option<String>, &Option<String>),
) -> Result<Option<(Line, Line)>, CatalogueError> {
    match (zh, en) {
        (Some(zh), Some(en)) => pair(&format!("{at}: {fields}"), (zh, en)).map(Some),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => {
            Err(CatalogueError::Together { at: at.to_owned(), fields })
        }
    }
}

fn fine(at: &str, raw: &RawBasis) -> Result<Fine, CatalogueError> {
    let formula = both(at, "formula_zh and formula_en", (&raw.formula_zh, &raw.formula_en))?;
    match (&raw.fine, formula, raw.no_fine) {
        (None, None, false) => Ok(Fine::Unstated),
        (None, None, true) => Ok(Fine::Absent),
        (None, Some((zh, en)), false) => Ok(Fine::Formula(zh, en)),
        (Some(raw), None, false) => ranges(at, raw).map(Fine::Ranges),
        (Some(_), Some(_), _) | (None, Some(_), true) | (Some(_), None, true) => {
            let fields = "fine, formula_zh and no_fine";
            Err(CatalogueError::Together { at: at.to_owned(), fields })
        }
    }
}

fn ranges(at: &str, raw: &[RawRange]) -> Result<Vec<FineRange>, CatalogueError> {
    few(&format!("{at}.fine"), raw.len(), CATALOGUE_FINES_MAX)?;
    let read = |raw: &RawRange| {
        let fen = |yuan: i64| Fen::new(yuan.saturating_mul(100)).map_err(|w| wrong(at, "fine", w));
        let (least, most) = (fen(raw.least)?, fen(raw.most)?);
        if least > most {
            return Err(CatalogueError::Order { at: format!("{at}.fine") });
        }
        let case = match (&raw.case, &raw.zh, &raw.en) {
            (None, None, None) => None,
            (Some(code), Some(zh), Some(en)) => {
                let (code, zh, en) = (code.clone(), zh.clone(), en.clone());
                Some(named(&format!("{at}.fine"), RawNamed { code, zh, en })?)
            }
            (None | Some(_), None | Some(_), None | Some(_)) => {
                let (at, fields) = (format!("{at}.fine"), "case, zh and en");
                return Err(CatalogueError::Together { at, fields });
            }
        };
        Ok(FineRange { least, most, case })
    };
    let ranges = raw.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    if ranges.is_empty() || (ranges.len() > 1 && ranges.iter().any(|r| r.case.is_none())) {
        let (at, fields) = (at.to_owned(), "ranges of fine without a case");
        return Err(CatalogueError::Together { at, fields });
    }
    let cases = ranges.iter().filter_map(|range| range.case.as_ref());
    unique(&format!("{at}.fine"), cases.map(|case| case.code.clone()))?;
    Ok(ranges)
}

fn campaign(raw: RawCampaign) -> Result<CampaignLine, CatalogueError> {
    let name = named("campaign", RawNamed { code: raw.code, zh: raw.zh, en: raw.en })?;
    let number = Campaign::from_number(raw.number).filter(|one| *one != Campaign::OTHER);
    let at = format!("campaign {}", name.code);
    let number = number.ok_or(CatalogueError::Number { at, got: raw.number })?;
    Ok(CampaignLine { number, name, verified: raw.verified })
}

fn division(raw: RawDivision) -> Result<Division, CatalogueError> {
    let at = format!("division {}", raw.code);
    if !(110_000..=829_999).contains(&raw.code) {
        return Err(CatalogueError::Code { at });
    }
    let read =
        |text: &str, field| Line::parse(text, NAME_BYTES_MAX).map_err(|why| wrong(&at, field, why));
    Ok(Division { code: raw.code, zh: read(&raw.zh, "zh")?, en: read(&raw.en, "en")? })
}
