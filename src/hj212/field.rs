//! Fields `name=value`, of which none can be a password.
//!
//! Invariant: no [`Field`] has a name with `PW` in it, in capitals or not, so that whatever is made
//! of fields cannot hold a password. (`a_password_is_no_field`)

use super::refused::{Refusal, Refused};

/// One field, printable ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    name: String,
    value: String,
}

impl Field {
    /// Reads `name=value`; `None` for a password (`PW`, and `NewPW` of commands).
    ///
    /// # Errors
    /// `FORM` for anything else than one name, one equals sign and a value without one.
    pub fn parse(text: &str) -> Result<Option<Self>, Refused> {
        let (name, value) = text.split_once('=').ok_or(Refusal::Form)?;
        let of_name = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let of_value = |b: u8| b.is_ascii_graphic() && !b";,=&".contains(&b) || b == b' ';
        if name.is_empty() || !name.bytes().all(of_name) {
            return Err(Refusal::Form.into());
        }
        // Whatever is in it.
        if name.to_ascii_uppercase().contains("PW") {
            return Ok(None);
        }
        if !value.bytes().all(of_value) {
            return Err(Refusal::Form.into());
        }
        Ok(Some(Self { name: name.to_owned(), value: value.to_owned() }))
    }

    /// Letters, digits, `-` and `_`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// May be empty.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// `name=value`.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}={}", self.name, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_no_field() {
        for password in ["PW=123456", "pw=1", "NewPW=x", "Pw=", "a-PW=9", "PW=a,b=&"] {
            assert_eq!(Field::parse(password), Ok(None), "{password}");
        }
        // Written in a way that is not a field at all, it is refused, and not quoted.
        for bad in [" PW=1", "PW", "PW:1", "X=PW=1", "ST=32&PW", "", "=1", "P W=1"] {
            assert_eq!(Field::parse(bad), Err(Refusal::Form.into()), "{bad}");
        }
        let field = Field::parse("w01018-Avg=83.2").unwrap().unwrap();
        assert_eq!((field.name(), field.value()), ("w01018-Avg", "83.2"));
    }
}
