//! A natural person behind a case: name, identity number, telephone, address.
//!
//! Only ever kept for the handling city (个人信息保护法 art. 5, 6, 28); peers see a masked name.

use super::invalid::Invalid;
use super::text::Line;
use crate::limits::{ADDRESS_BYTES_MAX, NAME_BYTES_MAX, REFERENCE_BYTES_MAX};

/// What is known of a natural person. Every field but the name may be missing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PersonRecord {
    /// Name.
    pub name: Line,
    /// Identity number.
    pub id_number: Option<Line>,
    /// Telephone.
    pub phone: Option<Line>,
    /// Address.
    pub address: Option<Line>,
}

impl std::fmt::Debug for PersonRecord {
    /// Says nothing: a person must not end up in a log by accident.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonRecord(..)")
    }
}

impl PersonRecord {
    /// Reads the four texts; empty means not given.
    ///
    /// # Errors
    /// [`Invalid`] naming the first wrong field.
    pub fn parse(name: &str, id_number: &str, phone: &str, address: &str) -> Result<Self, Invalid> {
        let optional = |text: &str, field: &str, bytes_max: usize| match text {
            "" => Ok(None),
            text => Line::parse(text, bytes_max).map(Some).map_err(|wrong| wrong.at(field)),
        };
        Ok(Self {
            name: Line::parse(name, NAME_BYTES_MAX).map_err(|wrong| wrong.at("name"))?,
            id_number: optional(id_number, "id_number", REFERENCE_BYTES_MAX)?,
            phone: optional(phone, "phone", REFERENCE_BYTES_MAX)?,
            address: optional(address, "address", ADDRESS_BYTES_MAX)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_a_name_and_is_never_printed() {
        let person = PersonRecord::parse("张三", "", "", "").unwrap();
        assert!(!format!("{person:?}").contains("张三"));
        assert!(PersonRecord::parse("", "", "", "").is_err());
    }
}
