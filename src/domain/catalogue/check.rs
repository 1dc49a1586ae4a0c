//! What is refused as a legal basis when somebody writes it.
//!
//! The rule: refusing a lawful basis is worse than taking an odd one. Refused is only
//! 1. an article beyond the last one of a law whose text the catalogue has, or beyond the bound it
//!    has where the last one is not known (`ARTICLE_UNKNOWN`), and
//! 2. a law that was repealed before the act began, when `law_choice` gives no reason
//!    (`LAW_REPEALED`).
//!
//! Everything else is possible: laws the catalogue does not have (local regulations, 地方性法规),
//! an article it does not list for the violation, an inserted article within the range, a basis
//! that says it is of another text (its days in force lie before or after the one that was read),
//! the Code for an act before it (从旧兼从轻), a repealed law for an act that began before the
//! repeal, and either for an act whose first day is not known.
//!
//! In scope: one basis against the catalogue. Out of scope: which bases are new; what is stored is
//! never judged again, so whoever writes asks only about those.

use super::{Catalogue, Law};
use crate::domain::date::Date;
use crate::domain::invalid::{Invalid, InvalidReason};
use crate::domain::law::LegalBasis;

/// What of a record bears on its legal bases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circumstances {
    /// First day of the act, if known.
    pub occurred_from: Option<Date>,
    /// Last day of the act, if it is over and known.
    pub occurred_to: Option<Date>,
    /// The record says why this text was chosen (`law_choice`).
    pub reasoned: bool,
}

impl Catalogue {
    /// Checks a basis that is to be written.
    ///
    /// # Errors
    /// `ARTICLE_UNKNOWN` at `article`, with the highest there can be as the limit, or
    /// `LAW_REPEALED` at `law`. Of a law with several texts, one that takes it is enough.
    pub fn check(&self, basis: &LegalBasis, of: Circumstances) -> Result<(), Invalid> {
        let mut wrong = None;
        for law in self.texts(basis.law.as_str()) {
            match against(basis, law, of) {
                Ok(()) => return Ok(()),
                Err(why) => wrong = Some(why),
            }
        }
        wrong.map_or(Ok(()), Err)
    }

    /// The texts of the law of this name: in full, in guillemets, or without 中华人民共和国 before
    /// it. A name that goes on, such as （2015年修订）, is another text.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &Law> {
        let wanted = bare(name);
        let of_name = move |law: &&Law| bare(law.name.zh.as_str()) == wanted;
        self.laws.iter().map(AsRef::as_ref).filter(of_name)
    }
}

fn bare(name: &str) -> String {
    let name = name.trim().trim_start_matches('《').trim_end_matches('》').trim();
    name.strip_prefix("中华人民共和国").unwrap_or(name).to_owned()
}

/// Against one text of the law.
fn against(basis: &LegalBasis, law: &Law, of: Circumstances) -> Result<(), Invalid> {
    if !is_of_this_text(basis, law, of) {
        return Ok(());
    }
    if let Some(last) = law.none_beyond.filter(|last| basis.article.number() > *last) {
        let wrong = Invalid::with_limit(InvalidReason::ArticleUnknown, last.into());
        return Err(wrong.at("article"));
    }
    let began_after = law.to.zip(of.occurred_from).is_some_and(|(to, from)| from > to);
    if began_after && !of.reasoned {
        return Err(Invalid::from(InvalidReason::LawRepealed).at("law"));
    }
    Ok(())
}

/// Whether the basis may be of the text that the catalogue has.
fn is_of_this_text(basis: &LegalBasis, law: &Law, of: Circumstances) -> bool {
    let later = basis.effective_from.is_some_and(|from| from > law.from);
    let before = |day: Option<Date>| day.is_some_and(|day| day < law.from);
    // An act that began before this text may be under an earlier one, whenever it ended.
    let began = before(of.occurred_from) || before(of.occurred_to);
    let earlier_act = began && basis.effective_from != Some(law.from);
    let says_so = before(basis.effective_from) || before(basis.effective_to);
    let has_earlier = !law.first_text && (says_so || earlier_act);
    let fits_end = law.to.is_none_or(|to| basis.effective_to.is_none_or(|until| until <= to));
    !later && !has_earlier && fits_end
}
