//! Codes that may name one act under two rules, for finding records of one act (一事不二罚).
//!
//! 行政处罚法 art. 29 speaks of one act that breaks several rules. Which codes those are is a reading
//! of the laws, so it stands in the catalogue's file, with the articles it rests on, and not here.
//!
//! In scope: reading the table, looking a pair up. Out of scope: the rest of what makes two records
//! look like one act ([`crate::domain::same_act`]).
//!
//! Invariants:
//! 1. It does not matter which code comes first. (`codes_of_one_act_are_a_reviewed_list`)
//! 2. A pair has different codes and at least one article, and stands once.
//!    (`a_wrong_pair_is_refused_with_its_place`)

use std::sync::Arc;

use serde::Deserialize;

use super::file::{CatalogueError, article, both, few, unique, wrong, yes};
use super::{Catalogue, Law};
use crate::domain::law::Article;
use crate::domain::text::Line;
use crate::domain::violation::Violation;
use crate::limits::CATALOGUE_BASES_MAX;

/// Two codes that may name one act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneAct {
    /// The codes, which differ.
    pub codes: [Violation; 2],
    /// Articles it rests on, at least one.
    pub sources: Vec<(Arc<Law>, Article)>,
    /// Somebody has read in those articles that both name one act, not just concluded it.
    pub verified: bool,
    /// Why: Chinese, English.
    pub note: Option<(Line, Line)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPair {
    codes: [String; 2],
    source: Vec<RawSource>,
    #[serde(default = "yes")]
    verified: bool,
    note_zh: Option<String>,
    note_en: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSource {
    law: String,
    article: String,
}

impl Catalogue {
    /// Codes that may name one act, in the order of the file.
    #[must_use]
    pub fn one_act(&self) -> &[OneAct] {
        &self.one_act
    }

    /// Whether two codes may name the same act: equal ones do.
    #[must_use]
    pub fn may_be_one_act(&self, a: Violation, b: Violation) -> bool {
        a == b || self.one_act.iter().any(|pair| pair.codes == [a, b] || pair.codes == [b, a])
    }
}

pub(super) fn read(raw: Vec<RawPair>, laws: &[Arc<Law>]) -> Result<Vec<OneAct>, CatalogueError> {
    let pairs = raw.into_iter().enumerate();
    let pairs = pairs.map(|(nth, raw)| pair(&format!("one_act {}", nth + 1), &raw, laws));
    let pairs = pairs.collect::<Result<Vec<_>, _>>()?;
    let name = |pair: &OneAct| {
        let [a, b] = pair.codes;
        format!("{} {}", a.min(b), a.max(b))
    };
    unique("one_act", pairs.iter().map(name))?;
    Ok(pairs)
}

fn pair(at: &str, raw: &RawPair, laws: &[Arc<Law>]) -> Result<OneAct, CatalogueError> {
    let read = |code: &String| Violation::parse(code).map_err(|why| wrong(at, "codes", why));
    let [a, b] = &raw.codes;
    let codes = [read(a)?, read(b)?];
    if a == b {
        return Err(CatalogueError::Twice { at: format!("{at}: {a}") });
    }
    if raw.source.is_empty() {
        return Err(CatalogueError::Together { at: at.to_owned(), fields: "codes and source" });
    }
    few(&format!("{at}.source"), raw.source.len(), CATALOGUE_BASES_MAX)?;
    let source = |raw: &RawSource| article(at, (&raw.law, &raw.article), laws);
    Ok(OneAct {
        codes,
        sources: raw.source.iter().map(source).collect::<Result<Vec<_>, _>>()?,
        verified: raw.verified,
        note: both(at, "note_zh and note_en", (&raw.note_zh, &raw.note_en))?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::SHIPPED;
    use super::*;

    #[test]
    fn codes_of_one_act_are_a_reviewed_list() {
        let catalogue = Catalogue::parse(SHIPPED).unwrap();
        let mut pairs = 0;
        for a in Violation::ALL {
            for b in Violation::ALL {
                let one = catalogue.may_be_one_act(*a, *b);
                assert_eq!(one, catalogue.may_be_one_act(*b, *a));
                pairs += u32::from(a < b && one);
            }
        }
        assert_eq!((pairs, catalogue.one_act().len()), (8, 8), "a change of policy");
        let unread: Vec<_> =
            catalogue.one_act().iter().filter(|pair| !pair.verified).map(|p| p.codes).collect();
        let permit = Violation::PermitLimitExceed;
        assert_eq!(unread, [[Violation::AirExceed, permit], [Violation::WaterExceed, permit]]);
        assert!(!catalogue.may_be_one_act(Violation::NoPermit, permit));
        // Without a catalogue only equal codes are one act.
        let none = Catalogue::default();
        assert!(none.may_be_one_act(permit, permit));
        assert!(!none.may_be_one_act(Violation::AirExceed, permit));
    }

    #[test]
    fn a_wrong_pair_is_refused_with_its_place() {
        let pair = "codes = [\"AIR_EXCEED\", \"PERMIT_LIMIT_EXCEED\"]";
        let source = "{ law = \"AIR_LAW\", article = \"99\" }";
        let start = SHIPPED.find("source = [").unwrap();
        let sources = &SHIPPED[start..=start + SHIPPED[start..].find("\n]").unwrap() + 1];
        let rows = [
            (
                pair,
                "codes = [\"AIR_EXCEED\", \"AIR_EXCEED\"]",
                "one_act 1: AIR_EXCEED stands twice",
            ),
            (pair, "codes = [\"AIR_EXCEED\", \"AIR\"]", "one_act 1.codes"),
            (pair, "codes = [\"AIR_EXCEED\"]", "length 2"),
            (pair, "codes = [\"PERMIT_LIMIT_EXCEED\", \"WATER_EXCEED\"]", "stands twice"),
            (source, "{ law = \"AIR\", article = \"99\" }", "no law \"AIR\""),
            (source, "{ law = \"AIR_LAW\", article = \"130\" }", "ends with article 129"),
            (source, "{ law = \"AIR_LAW\" }", "missing field `article`"),
            (sources, "source = []", "one_act 1: codes and source"),
        ];
        for (from, to, want) in rows {
            assert!(SHIPPED.contains(from), "{from}");
            let text = SHIPPED.replacen(from, to, 1);
            let why = Catalogue::parse(&text).unwrap_err().to_string();
            assert!(why.contains(want), "{to}: {why}");
        }
        let start = SHIPPED.find("[[one_act]]").unwrap();
        let end = SHIPPED.find("[[department]]").unwrap();
        let text = format!("{}{}", &SHIPPED[..start], &SHIPPED[end..]);
        let why = Catalogue::parse(&text).unwrap_err().to_string();
        assert!(why.contains("missing field `one_act`"), "{why}");
        let text = format!("one_act = []\n{text}");
        assert_eq!(Catalogue::parse(&text).unwrap().one_act(), []);
    }
}
