//! Finding a party by words of its name or by its credit code.
//!
//! In scope: when a party fits what somebody typed. Out of scope: where parties are kept
//! ([`crate::node::search`]).
//!
//! Every word must stand somewhere in the name, in any order. Both sides are brought into one form
//! first: Unicode NFC, full-width letters, digits and brackets as narrow ones, Latin letters small,
//! space left out. `示例(聊城)` so finds 示例（聊城）纸业, whichever keyboard either was typed on. A
//! credit code fits as a whole or by its beginning. Only what all members may see is searched: of a
//! natural person the masked name.

use unicode_normalization::UnicodeNormalization;

use super::invalid::{Invalid, InvalidReason};
use super::party::Party;
use super::uscc::{Uscc, UsccStart};
use crate::limits::{NAME_BYTES_MAX, SEARCH_TERMS_MAX};

/// From a full-width form to its narrow one.
const NARROW: u32 = 0xfee0;

/// What of a party is searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyText {
    name: String,
    uscc: Option<Uscc>,
}

impl PartyText {
    /// Of a party.
    #[must_use]
    pub fn of(party: &Party) -> Self {
        match party {
            Party::LegalPerson { name, uscc } => {
                Self { name: folded(name.as_str()), uscc: Some(*uscc) }
            }
            Party::NaturalPerson { masked_name } => {
                Self { name: folded(masked_name.as_str()), uscc: None }
            }
        }
    }

    /// Its name in the one form in which names are compared.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its credit code.
    #[must_use]
    pub fn uscc(&self) -> Option<Uscc> {
        self.uscc
    }
}

/// What somebody looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartyQuery {
    terms: Vec<String>,
    uscc: Option<UsccStart>,
}

impl PartyQuery {
    /// Reads words of a name, apart by space, and a credit code or its beginning; `None` when both
    /// are empty.
    ///
    /// # Errors
    /// At `party_name`: `TEXT_EMPTY` when there is nothing but space, `TEXT_TOO_LONG`,
    /// `LIST_TOO_LONG` for too many words; at `uscc`: those of [`UsccStart::parse`].
    pub fn parse(name: &str, uscc: &str) -> Result<Option<Self>, Invalid> {
        let at = |wrong: Invalid| wrong.at("party_name");
        if name.len() > NAME_BYTES_MAX {
            return Err(at(Invalid::with_limit(InvalidReason::TextTooLong, NAME_BYTES_MAX)));
        }
        let terms: Vec<String> = name.split_whitespace().map(folded).collect();
        if terms.len() > SEARCH_TERMS_MAX {
            return Err(at(Invalid::with_limit(InvalidReason::ListTooLong, SEARCH_TERMS_MAX)));
        }
        if terms.is_empty() && !name.is_empty() {
            return Err(at(InvalidReason::TextEmpty.into()));
        }
        let uscc = match uscc {
            "" => None,
            code => Some(UsccStart::parse(code).map_err(|wrong| wrong.at("uscc"))?),
        };
        Ok((!terms.is_empty() || uscc.is_some()).then_some(Self { terms, uscc }))
    }

    /// Whether a party fits.
    #[must_use]
    pub fn takes(&self, party: &PartyText) -> bool {
        self.takes_text(&party.name, party.uscc)
    }

    /// The same of a party's name, in the form of [`PartyText::name`], and credit code.
    #[must_use]
    pub fn takes_text(&self, name: &str, uscc: Option<Uscc>) -> bool {
        let begins = |start: &UsccStart| uscc.is_some_and(|code| start.begins(&code));
        let code_fits = self.uscc.as_ref().is_none_or(begins);
        code_fits && self.terms.iter().all(|term| name.contains(term.as_str()))
    }

    /// The longest word, which stands in the fewest names; none where only a code is looked for.
    #[must_use]
    pub fn longest_word(&self) -> Option<&str> {
        self.terms.iter().max_by_key(|term| term.len()).map(String::as_str)
    }

    /// One word of a name is all that it asks.
    #[must_use]
    pub fn is_one_word(&self) -> bool {
        self.uscc.is_none() && self.terms.len() == 1
    }
}

/// The one form in which names are compared.
fn folded(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - NARROW).unwrap_or(c),
        other => other,
    };
    let plain = text.nfc().map(narrow).filter(|c| !c.is_whitespace());
    plain.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn firm(name: &str) -> PartyText {
        PartyText::of(&Party::parse_legal(name, "91371522YYYY90011A").unwrap())
    }

    fn finds(query: &str, name: &str) -> bool {
        PartyQuery::parse(query, "").unwrap().unwrap().takes(&firm(name))
    }

    #[test]
    fn names_are_found_however_they_were_typed() {
        assert!(finds("示例(聊城)", "莘县示例（聊城）纸业有限公司"));
        assert!(finds("纸业 莘县", "莘县示例（聊城）纸业有限公司"), "in any order");
        assert!(!finds("纸业 大名", "莘县示例（聊城）纸业有限公司"), "every word");
        assert!(finds("ａｂｃ１", "示例ABC 1号厂"));
        // U+F9B5 is another writing of 例 that NFC makes the same; é stands for e and an accent.
        assert!(finds("示\u{f9b5}", "示例纸业") && finds("示例", "示\u{f9b5}纸业"));
        assert!(finds("cafe\u{301}", "Caf\u{e9} 示例"));
        let masked = PartyText::of(&Party::parse_natural("张某某").unwrap());
        assert!(PartyQuery::parse("张某", "").unwrap().unwrap().takes(&masked));
        let code = PartyQuery::parse("", "91371522yyyy90011a").unwrap().unwrap();
        assert!(code.takes(&firm("示例")) && !code.takes(&masked));
        let start = PartyQuery::parse("示例", "91371522y").unwrap().unwrap();
        assert!(start.takes(&firm("示例")) && !start.takes(&firm("纸业")) && !start.takes(&masked));
        let other = PartyQuery::parse("", "91371523").unwrap().unwrap();
        assert!(!other.takes(&firm("示例")));
    }

    #[test]
    fn what_cannot_be_looked_for_is_refused() {
        let refused = |name: &str, uscc: &str| {
            let wrong = PartyQuery::parse(name, uscc).unwrap_err();
            (wrong.field.clone().unwrap(), wrong.reason())
        };
        assert_eq!(PartyQuery::parse("", ""), Ok(None));
        assert_eq!(refused(" \u{3000}", ""), ("party_name".to_owned(), "TEXT_EMPTY"));
        let many = "a ".repeat(SEARCH_TERMS_MAX + 1);
        assert_eq!(refused(&many, ""), ("party_name".to_owned(), "LIST_TOO_LONG"));
        let long = "a".repeat(NAME_BYTES_MAX + 1);
        assert_eq!(refused(&long, ""), ("party_name".to_owned(), "TEXT_TOO_LONG"));
        assert_eq!(refused("", "9137"), ("uscc".to_owned(), "USCC_START"));
    }

    proptest! {
        #[test]
        fn a_name_is_found_by_itself_and_by_any_piece(
            name in "[a-zA-Z甲乙（）ａ１ é]{1,20}",
            cut in 0..20usize,
        ) {
            prop_assume!(!name.trim().is_empty());
            let text = PartyText { name: folded(&name), uscc: None };
            prop_assert_eq!(folded(&text.name), text.name.clone());
            let piece: String = name.chars().skip(cut).collect();
            for query in [name, piece] {
                if let Some(query) = PartyQuery::parse(query.trim(), "").unwrap() {
                    prop_assert!(query.takes(&text));
                }
            }
        }
    }
}
