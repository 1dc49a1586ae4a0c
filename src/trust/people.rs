//! People: `people.toml`, read again while the node runs.
//!
//! In scope: certificates without a SPIFFE id that this city has enrolled, and identities it has
//! disabled. Out of scope: whether a certificate is genuine ([`crate::trust::tls`]), what a role
//! may do ([`crate::trust::roles`]).
//!
//! Invariants:
//! 1. A file that contradicts itself is refused whole. (`what_contradicts_itself_is_refused`)
//! 2. Whoever is disabled stays out, however the certificate names them.
//!    (`the_disabled_stay_out`)

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};

use super::spiffe::{Identity, Role, Subject, is_plain_id};
use crate::ids::Hash;

/// What stands above the rows of a file written here.
const HEADER: &str = "\
# 本市人员与系统名册 · people and systems of this city
# 由 liandong people 维护；节点运行中改动几秒内生效。
# Kept by `liandong people`; a running node reads it again within seconds.

";

/// Why a file is not a list of people; the list in force is as it was.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// Not TOML, or not of this shape.
    #[error("not understood: {0}")]
    Syntax(#[from] toml::de::Error),
    /// Could not be written as TOML.
    #[error("could not be written: {0}")]
    Render(#[from] toml::ser::Error),
    /// A row is wrong.
    #[error("{row}: {why}")]
    Row {
        /// Which row, for people.
        row: String,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// A certificate of another issuer that may call the api port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonRow {
    /// SHA-256 of the issuer's name as it stands in the certificate.
    pub issuer: String,
    /// The issuer's name, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub issuer_name: String,
    /// Serial number in hexadecimal.
    pub serial: String,
    /// Role.
    pub role: String,
    /// 执法证号, or the system's name.
    pub id: String,
    /// Name, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// An identity that may not call any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisabledRow {
    /// Its name within the city, such as `coordinator/37150099001` or `node/<uuid>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Or the serial number of its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
    /// Since when, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub since: String,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// The file's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeopleFile {
    /// Enrolled certificates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub person: Vec<PersonRow>,
    /// Disabled identities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disabled: Vec<DisabledRow>,
}

impl PeopleFile {
    /// Reads the file's text.
    ///
    /// # Errors
    /// [`PeopleError::Syntax`].
    pub fn parse(text: &str) -> Result<Self, PeopleError> {
        Ok(toml::from_str(text)?)
    }

    /// The file's text.
    ///
    /// # Errors
    /// [`PeopleError::Render`].
    pub fn render(&self) -> Result<String, PeopleError> {
        Ok(format!("{HEADER}{}", toml::to_string(self)?))
    }
}

/// A checked list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    enrolled: BTreeMap<(Hash, String), (Role, String)>,
    disabled_names: BTreeSet<String>,
    disabled_serials: BTreeSet<String>,
}

/// What a caller is to this city.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Somebody with a role.
    Is(Role, String),
    /// Known and not let in.
    Disabled,
    /// Not enrolled.
    Unknown,
}

/// A serial number in one form: lower case, no colons, no leading zeroes.
#[must_use]
pub fn plain_serial(serial: &str) -> String {
    let hex: String = serial.chars().filter(|c| *c != ':' && *c != ' ').collect();
    hex.to_ascii_lowercase().trim_start_matches('0').to_owned()
}

impl People {
    /// Reads and checks a file's text.
    ///
    /// # Errors
    /// [`PeopleError`].
    pub fn parse(text: &str) -> Result<Self, PeopleError> {
        Self::check(&PeopleFile::parse(text)?)
    }

    /// Checks rows.
    ///
    /// # Errors
    /// [`PeopleError::Row`] naming the first row that is wrong.
    pub fn check(file: &PeopleFile) -> Result<Self, PeopleError> {
        let mut people = Self::default();
        for row in &file.person {
            let wrong = |why| PeopleError::Row { row: format!("person {}", row.id), why };
            let issuer = Hash::parse(&row.issuer)
                .map_err(|_| wrong("issuer is no SHA-256 in lower-case hexadecimal"))?;
            let serial = check_serial(&row.serial).ok_or_else(|| wrong("serial is no number"))?;
            let role = Role::parse(&row.role).ok_or_else(|| wrong("role is not known"))?;
            if !is_plain_id(&row.id) {
                return Err(wrong("id is 1 to 64 letters, digits, dots, dashes, underscores"));
            }
            if people.enrolled.insert((issuer, serial), (role, row.id.clone())).is_some() {
                return Err(wrong("its certificate is enrolled twice"));
            }
        }
        for row in &file.disabled {
            let shown = row.identity.clone().or(row.serial.clone()).unwrap_or_default();
            let wrong = |why| PeopleError::Row { row: format!("disabled {shown}"), why };
            match (&row.identity, &row.serial) {
                (Some(name), None) if name.contains('/') => {
                    people.disabled_names.insert(name.clone());
                }
                (None, Some(serial)) => {
                    let serial = check_serial(serial).ok_or_else(|| wrong("no serial number"))?;
                    people.disabled_serials.insert(serial);
                }
                (Some(_), None) => return Err(wrong("identity is <role>/<id> or node/<uuid>")),
                (Some(_), Some(_)) | (None, None) => {
                    return Err(wrong("give either identity or serial"));
                }
            }
        }
        Ok(people)
    }

    /// What a certificate of the own city is here.
    #[must_use]
    pub fn standing(&self, identity: &Identity) -> Standing {
        let is = match &identity.subject {
            Subject::Person(role, id) => Some((*role, id.clone())),
            Subject::Unnamed => {
                let key = (identity.issuer, plain_serial(&identity.serial));
                self.enrolled.get(&key).cloned()
            }
            Subject::Node(_) => None,
        };
        let named = is.as_ref().map(|(role, id)| format!("{}/{id}", role.name()));
        let name = named.unwrap_or_else(|| identity.name());
        if self.disabled_names.contains(&name)
            || self.disabled_serials.contains(&plain_serial(&identity.serial))
        {
            return Standing::Disabled;
        }
        is.map_or(Standing::Unknown, |(role, id)| Standing::Is(role, id))
    }
}

fn check_serial(serial: &str) -> Option<String> {
    let plain = plain_serial(serial);
    let number = !plain.is_empty() && plain.chars().all(|c| c.is_ascii_hexdigit());
    number.then_some(plain)
}

/// The list in force, shared by everything that lets people in.
#[derive(Clone, Debug, Default)]
pub struct PeopleBook(Arc<ArcSwap<People>>);

impl PeopleBook {
    /// Replaces the list.
    pub fn set(&self, people: People) {
        self.0.store(Arc::new(people));
    }

    /// What a certificate of the own city is here, now.
    #[must_use]
    pub fn standing(&self, identity: &Identity) -> Standing {
        self.0.load().standing(identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{CityCode, NodeId};

    fn identity(subject: Subject, serial: &str) -> Identity {
        Identity {
            city: CityCode::from_u32(371_500).unwrap(),
            subject,
            serial: serial.to_owned(),
            issuer: Hash::new([7; 32]),
            not_after_s: 0,
        }
    }

    fn person(serial: &str, role: &str, id: &str) -> PersonRow {
        PersonRow {
            issuer: Hash::new([7; 32]).to_string(),
            issuer_name: String::new(),
            serial: serial.to_owned(),
            role: role.to_owned(),
            id: id.to_owned(),
            name: "张三".to_owned(),
        }
    }

    fn disabled(identity: Option<&str>, serial: Option<&str>) -> DisabledRow {
        DisabledRow {
            identity: identity.map(str::to_owned),
            serial: serial.map(str::to_owned),
            since: String::new(),
            reason: String::new(),
        }
    }

    #[test]
    fn an_enrolled_certificate_is_somebody_however_its_serial_is_written() {
        let file = PeopleFile {
            person: vec![person("00:0A:1B", "coordinator", "37150011")],
            ..PeopleFile::default()
        };
        let text = file.render().unwrap();
        assert_eq!(PeopleFile::parse(&text).unwrap(), file);
        let people = People::parse(&text).unwrap();
        let want = Standing::Is(Role::Coordinator, "37150011".to_owned());
        assert_eq!(people.standing(&identity(Subject::Unnamed, "0a1b")), want);
        assert_eq!(people.standing(&identity(Subject::Unnamed, "0a1c")), Standing::Unknown);
        let mut other = identity(Subject::Unnamed, "0a1b");
        other.issuer = Hash::new([8; 32]);
        assert_eq!(people.standing(&other), Standing::Unknown, "a serial alone is nobody");
    }

    #[test]
    fn the_disabled_stay_out() {
        let node = NodeId::new([3; 16]);
        let file = PeopleFile {
            person: vec![person("0a1b", "coordinator", "37150011")],
            disabled: vec![
                disabled(Some("coordinator/37150011"), None),
                disabled(None, Some("FF")),
                disabled(Some(&format!("node/{node}")), None),
            ],
        };
        let people = People::check(&file).unwrap();
        let named = Subject::Person(Role::Coordinator, "37150011".to_owned());
        let other = Subject::Person(Role::Inspector, "37150011".to_owned());
        for out in [
            identity(Subject::Unnamed, "0a1b"),
            identity(named, "01"),
            identity(other.clone(), "00ff"),
            identity(Subject::Node(node), "02"),
        ] {
            assert_eq!(people.standing(&out), Standing::Disabled, "{out}");
        }
        assert!(matches!(people.standing(&identity(other, "03")), Standing::Is(..)));
        assert_eq!(people.standing(&identity(Subject::Node(node), "02")), Standing::Disabled);
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for bad in [
            vec![person("0a", "chief", "1")],
            vec![person("xy", "admin", "1")],
            vec![person("0a", "admin", "a b")],
            vec![person("0a", "admin", "1"), person("000A", "system", "2")],
        ] {
            let file = PeopleFile { person: bad.clone(), ..PeopleFile::default() };
            assert!(People::check(&file).is_err(), "{bad:?}");
        }
        for bad in [disabled(None, None), disabled(Some("zhang"), None), disabled(None, Some(""))] {
            let file = PeopleFile { disabled: vec![bad.clone()], ..PeopleFile::default() };
            assert!(People::check(&file).is_err(), "{bad:?}");
        }
        assert!(People::parse("[[person]]\nissuer = \"half a fi").is_err());
        assert!(People::parse("").is_ok());
    }
}
