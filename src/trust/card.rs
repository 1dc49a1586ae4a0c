//! Cards: what one city may change alone. A numbered note signed by its city key.
//!
//! A card is enough to verify the city's TLS: it carries its CA certificates.

use std::collections::BTreeMap;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

use crate::ids::{CityCode, Hash, NodeId};
use crate::log::keys::{SigningKey, VerifyingKey};
use crate::log::manifest::city_key_name;
use crate::log::merkle::digest;
use crate::log::note::{Note, NoteAlg, NoteError, NoteKey, sign_line};
use crate::log::text::{FreeText, TextError, TextReader, TextWriter, parse_canonical};

/// First line of the text.
pub const FIRST_LINE: &str = "liandong/card/v1";
/// Nodes, addresses or CA certificates of one city: writer and stand-by, old and new.
const LIST_MAX: usize = 8;

/// Why a card is not one.
#[derive(Debug, thiserror::Error)]
pub enum CardError {
    /// The text is not in its one form.
    #[error("card is not readable")]
    Text(#[from] TextError),
    /// The note around it is not readable, or its signature is wrong.
    #[error("card is not a note signed by its city")]
    Note(#[from] NoteError),
    /// Its values cannot stand together.
    #[error("card contradicts itself: {0}")]
    Contradiction(&'static str),
}

/// What a city says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// The city.
    pub city: CityCode,
    /// From 1; the highest wins.
    pub number: u64,
    /// Its nodes.
    pub nodes: Vec<NodeId>,
    /// Addresses of its peer port, `host:port`, in the order in which they are tried.
    pub addresses: Vec<String>,
    /// DER of the CA certificates that may speak for it.
    pub cas: Vec<Vec<u8>>,
    /// Telephone of the officer on duty, and who answers it, as [`duty_line`] puts them together.
    pub duty_phone: Option<String>,
}

/// A number and who answers it, in the one line that a card has for both: `0635-12369（值班室）`. So
/// the form of cards stays as it is, and nodes that know of no contact show the line as a whole.
#[must_use]
pub fn duty_line(phone: &str, contact: &str) -> String {
    if contact.is_empty() { phone.to_owned() } else { format!("{phone}（{contact}）") }
}

/// The number of such a line and who answers it. What is not of this form is a number.
fn duty_parts(line: &str) -> (&str, &str) {
    let parts = line.strip_suffix('）').and_then(|rest| rest.split_once('（'));
    let is_one = |(phone, contact): &(&str, &str)| {
        !phone.is_empty() && !contact.is_empty() && !contact.contains(['（', '）'])
    };
    parts.filter(is_one).unwrap_or((line, ""))
}

impl Card {
    /// The telephone of the officer on duty, and who answers it; each empty when it is not given.
    #[must_use]
    pub fn duty(&self) -> (&str, &str) {
        self.duty_phone.as_deref().map(duty_parts).unwrap_or_default()
    }

    /// The canonical text.
    #[must_use]
    pub fn text(&self) -> String {
        let ca = |der: &Vec<u8>| format!("{} {}", digest(der), STANDARD.encode(der));
        TextWriter::new(FIRST_LINE)
            .line("city", self.city)
            .line("number", self.number)
            .list("node", &self.nodes)
            .list("address", &self.addresses)
            .list("ca", self.cas.iter().map(ca))
            .line("duty_phone", self.duty_phone.as_deref().unwrap_or("none"))
            .finish()
    }

    /// Reads the canonical text.
    ///
    /// # Errors
    /// [`CardError::Text`], [`CardError::Contradiction`].
    pub fn parse(text: &str) -> Result<Self, CardError> {
        let card = parse_canonical::<_, TextError>(text, FIRST_LINE, read, Self::text)?;
        card.check()?;
        Ok(card)
    }

    /// Checks that the values can stand together.
    fn check(&self) -> Result<(), CardError> {
        let no = |what| Err(CardError::Contradiction(what));
        if self.number == 0 {
            return no("numbers count from 1");
        }
        if repeats(&self.nodes) || repeats(&self.addresses) || repeats(&self.cas) {
            return no("a node, an address or a certificate stands there twice");
        }
        Ok(())
    }

    /// Signs with the city's key. What others would refuse is not signed.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn sign(&self, key: &SigningKey) -> Result<Bytes, CardError> {
        if Self::parse(&self.text())? != *self {
            return Err(CardError::Contradiction("its text does not say what it is"));
        }
        let line = sign_line(&city_key_name(self.city), key, &self.text())?;
        Ok(Note::new(self.text(), vec![line])?.render().into())
    }
}

fn repeats<T: Ord>(list: &[T]) -> bool {
    let mut sorted: Vec<&T> = list.iter().collect();
    sorted.sort_unstable();
    sorted.windows(2).any(|pair| pair.first() == pair.last())
}

/// `host:port`: a name or IP address of visible ASCII characters, IPv6 in brackets; a port from 1
/// without leading zeros.
fn read_address(text: &str) -> Result<String, TextError> {
    let bad = TextError::Value { key: "address" };
    let (host, port) = text.rsplit_once(':').ok_or(bad.clone())?;
    let visible = !host.is_empty() && host.bytes().all(|b| b.is_ascii_graphic());
    let bare = !host.contains(':') || (host.starts_with('[') && host.ends_with(']'));
    let number = port.parse::<u16>().ok().filter(|number| *number != 0);
    let canonical = number.is_some_and(|number| number.to_string() == port);
    let sized = text.len() <= FreeText::BYTES_MAX;
    if visible && bare && canonical && sized { Ok(text.to_owned()) } else { Err(bad) }
}

fn read(lines: &mut TextReader<'_>) -> Result<Card, TextError> {
    let ca = |text: &str| {
        let bad = || TextError::Value { key: "ca" };
        let (hash, der) = text.split_once(' ').ok_or_else(bad)?;
        let der = STANDARD.decode(der).map_err(|_| bad())?;
        let hash = Hash::parse(hash).map_err(|_| bad())?;
        if digest(&der) == hash { Ok(der) } else { Err(bad()) }
    };
    let node = |text: &str| NodeId::parse(text).map_err(|_| TextError::Value { key: "node" });
    Ok(Card {
        city: lines.parsed("city")?,
        number: lines.parsed("number")?,
        nodes: lines.list("node", LIST_MAX)?.into_iter().map(node).collect::<Result<_, _>>()?,
        addresses: lines
            .list("address", LIST_MAX)?
            .into_iter()
            .map(read_address)
            .collect::<Result<_, _>>()?,
        cas: lines.list("ca", LIST_MAX)?.into_iter().map(ca).collect::<Result<_, _>>()?,
        duty_phone: match lines.value("duty_phone")? {
            "none" => None,
            phone => Some(FreeText::from_str(phone)?.as_str().to_owned()),
        },
    })
}

/// A card whose signature was checked.
#[derive(Clone, Debug)]
pub struct SignedCard {
    card: Card,
    note: Bytes,
}

impl SignedCard {
    /// The city a note claims to be a card of, before its signature is checked.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn peek_city(note: &Bytes) -> Result<CityCode, CardError> {
        Ok(Self::peek(note)?.city)
    }

    /// What a note claims to be a card of, before its signature is checked.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn peek(note: &Bytes) -> Result<Card, CardError> {
        Card::parse(Note::parse(note)?.text())
    }

    /// Reads a note that must be a card signed by this key.
    ///
    /// # Errors
    /// [`CardError`].
    pub fn verify(bytes: &Bytes, key: &VerifyingKey) -> Result<Self, CardError> {
        Self::verify_any(bytes, &[*key])
    }

    /// Reads a note that must be a card signed by one of these keys, all of the same city.
    ///
    /// # Errors
    /// [`CardError`], also if another line of one of them does not hold.
    pub fn verify_any(bytes: &Bytes, keys: &[VerifyingKey]) -> Result<Self, CardError> {
        let note = Note::parse(bytes)?;
        let card = Card::parse(note.text())?;
        let name = city_key_name(card.city);
        let named = keys.iter().map(|key| NoteKey::new(&name, NoteAlg::Ed25519, *key));
        let keys = named.collect::<Result<Vec<NoteKey>, _>>()?;
        let verified = note.verify(&keys)?;
        let note = note.only(&verified);
        Ok(Self { card, note })
    }

    /// The card.
    #[must_use]
    pub const fn card(&self) -> &Card {
        &self.card
    }

    /// The note's bytes, with lines of the city's keys only.
    #[must_use]
    pub const fn note(&self) -> &Bytes {
        &self.note
    }
}

/// What became of a card that was offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It has the highest number and is in force.
    InForce,
    /// It was known.
    Known,
    /// A higher number is in force.
    Older,
    /// Another card has the same number: neither replaces the other, and people must look.
    Contradicts,
}

impl Outcome {
    /// Whether the book has changed.
    #[must_use]
    pub const fn is_news(self) -> bool {
        match self {
            Self::InForce => true,
            Self::Known | Self::Older | Self::Contradicts => false,
        }
    }
}

/// The card in force of each city.
#[derive(Clone, Debug, Default)]
pub struct CardBook(BTreeMap<CityCode, Card>);

impl CardBook {
    /// The card in force of a city.
    #[must_use]
    pub fn get(&self, city: CityCode) -> Option<&Card> {
        self.0.get(&city)
    }

    /// Offers a card whose signature was checked.
    pub fn offer(&mut self, card: Card) -> Outcome {
        match self.0.get(&card.city) {
            Some(known) if *known == card => Outcome::Known,
            Some(known) if known.number == card.number => Outcome::Contradicts,
            Some(known) if known.number > card.number => Outcome::Older,
            Some(_) | None => {
                self.0.insert(card.city, card);
                Outcome::InForce
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(number: u64) -> Card {
        Card {
            city: CityCode::from_u32(371_500).unwrap(),
            number,
            nodes: vec![NodeId::new([1; 16])],
            addresses: vec!["10.0.0.1:7443".to_owned()],
            cas: vec![b"der".to_vec()],
            duty_phone: None,
        }
    }

    #[test]
    fn a_card_reads_back_and_only_its_city_can_sign_it() {
        let key = SigningKey::from_seed(&[1; 32]).unwrap();
        let note = card(1).sign(&key).unwrap();
        let verified = SignedCard::verify(&note, &key.verifying_key()).unwrap();
        assert_eq!(verified.card(), &card(1));
        let other = SigningKey::from_seed(&[2; 32]).unwrap();
        assert!(SignedCard::verify(&note, &other.verifying_key()).is_err());
        let spoiled = String::from_utf8(note.to_vec()).unwrap().replace("7443", "7444");
        assert!(SignedCard::verify(&spoiled.into(), &key.verifying_key()).is_err());
    }

    #[test]
    fn a_card_has_one_form_and_repeats_nothing() {
        let key = SigningKey::from_seed(&[1; 32]).unwrap();
        for good in ["10.0.0.1:1", "node.liaocheng.gov.example:7443", "[fe80::1]:65535"] {
            let card = Card { addresses: vec![good.to_owned()], ..card(1) };
            assert_eq!(Card::parse(&card.text()).unwrap(), card, "{good}");
        }
        for bad in ["a:0", "a:07443", "a:+1", "a:65536", ":1", "a", "a b:1", "::1:7443", "聊:1"] {
            let card = Card { addresses: vec![bad.to_owned()], ..card(1) };
            assert!(card.sign(&key).is_err(), "{bad}");
        }
        let twice = vec![card(1).addresses[0].clone(); 2];
        for wrong in [
            card(0),
            Card { addresses: twice, ..card(1) },
            Card { nodes: vec![NodeId::new([1; 16]); 2], ..card(1) },
            Card { duty_phone: Some("none".to_owned()), ..card(1) },
            Card { duty_phone: Some("一\n二".to_owned()), ..card(1) },
        ] {
            assert!(wrong.sign(&key).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn who_answers_the_telephone_stands_behind_its_number() {
        let key = SigningKey::from_seed(&[1; 32]).unwrap();
        for (line, parts) in [
            ("0635-12369", ("0635-12369", "")),
            ("0635-12369（执法支队值班室）", ("0635-12369", "执法支队值班室")),
            ("（值班室）", ("（值班室）", "")),
            ("0635-1（）", ("0635-1（）", "")),
            ("0635-1（昼）0635-2（夜）", ("0635-1（昼）0635-2（夜）", "")),
        ] {
            let card = Card { duty_phone: Some(line.to_owned()), ..card(1) };
            card.sign(&key).unwrap();
            assert_eq!(card.duty(), parts, "{line}");
            assert_eq!(duty_line(parts.0, parts.1), line);
        }
        assert_eq!(card(1).duty(), ("", ""));
    }

    #[test]
    fn the_highest_number_wins_and_a_contradiction_replaces_nothing() {
        let mut book = CardBook::default();
        assert_eq!(book.offer(card(2)), Outcome::InForce);
        assert_eq!(book.offer(card(2)), Outcome::Known);
        assert_eq!(book.offer(card(1)), Outcome::Older);
        let mut other = card(2);
        other.addresses.push("10.0.0.2:7443".to_owned());
        assert_eq!(book.offer(other), Outcome::Contradicts);
        assert_eq!(book.get(card(2).city), Some(&card(2)));
        assert_eq!(book.offer(card(3)), Outcome::InForce);
    }
}
