//! The agreements and cards a node holds: who is a member, by which key, reachable where.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::ids::{AgreementId, CityCode, Hash};
use crate::log::keys::VerifyingKey;
use crate::trust::card::{Card, CardBook, Outcome};
use crate::trust::charter::Charter;

/// A charter in force here.
#[derive(Clone, Debug)]
pub struct Agreement {
    /// The charter.
    pub charter: Charter,
    /// Its hash, which every greeting, manifest and start asks for.
    pub hash: Hash,
    /// The signed text.
    pub note: Bytes,
}

impl Agreement {
    /// A charter and its signed text.
    #[must_use]
    pub fn new(charter: Charter, note: Bytes) -> Self {
        Self { hash: charter.hash(), charter, note }
    }

    /// Member cities, ascending.
    #[must_use]
    pub fn cities(&self) -> Vec<CityCode> {
        self.charter.members.iter().map(|m| m.city).collect()
    }

    /// The city key of a member.
    #[must_use]
    pub fn city_key(&self, city: CityCode) -> Option<VerifyingKey> {
        self.charter.members.iter().find(|m| m.city == city).map(|m| m.city_key)
    }
}

/// Agreements of which the own city is a member, and the cards of their members.
#[derive(Clone, Debug, Default)]
pub struct AgreementBook {
    agreements: BTreeMap<AgreementId, Agreement>,
    cards: CardBook,
    notes: BTreeMap<CityCode, Bytes>,
    suspended: BTreeSet<CityCode>,
}

impl AgreementBook {
    /// One agreement.
    #[must_use]
    pub fn get(&self, agreement: AgreementId) -> Option<&Agreement> {
        self.agreements.get(&agreement)
    }

    /// A city's name for people: as an agreement calls it, else its code.
    #[must_use]
    pub fn city_name(&self, city: CityCode) -> String {
        let mut members = self.agreements.values().flat_map(|one| &one.charter.members);
        let member = members.find(|member| member.city == city && !member.name.is_empty());
        member.map_or_else(|| city.to_string(), |member| member.name.clone())
    }

    /// All agreements, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&AgreementId, &Agreement)> {
        self.agreements.iter()
    }

    /// Adds an agreement whose charter was checked.
    pub fn insert(&mut self, agreement: Agreement) {
        self.agreements.insert(agreement.charter.agreement, agreement);
    }

    /// The card of a city.
    #[must_use]
    pub fn card(&self, city: CityCode) -> Option<&Card> {
        self.cards.get(city)
    }

    /// The signed card of a city.
    #[must_use]
    pub fn card_note(&self, city: CityCode) -> Option<&Bytes> {
        self.notes.get(&city)
    }

    /// Whether exactly this card lies here; it was checked when it came.
    #[must_use]
    pub fn has_card(&self, note: &Bytes) -> bool {
        self.notes.values().any(|known| known == note)
    }

    /// Keys by which a city signs in any agreement here.
    #[must_use]
    pub fn keys_of(&self, city: CityCode) -> Vec<VerifyingKey> {
        let mut keys: Vec<VerifyingKey> =
            self.agreements.values().filter_map(|a| a.city_key(city)).collect();
        keys.dedup_by(|a, b| a.as_bytes() == b.as_bytes());
        keys
    }

    /// Takes a card whose signature was checked; true when it is news: a newer card, or the same
    /// one with lines of more keys, for members that know the city by another key.
    pub fn offer_card(&mut self, card: Card, note: Bytes) -> bool {
        let city = card.city;
        let lines = |note: &Bytes| note.iter().filter(|byte| **byte == b'\n').count();
        let fuller = self.notes.get(&city).is_some_and(|known| lines(&note) > lines(known));
        let outcome = self.cards.offer(card);
        let news = outcome.is_news() || (outcome == Outcome::Known && fuller);
        if news {
            self.notes.insert(city, note);
        }
        news
    }

    /// An operator has suspended a city here.
    pub fn suspend(&mut self, city: CityCode) {
        self.suspended.insert(city);
    }

    /// Whether an operator has suspended a city here: it is neither dialled nor let in.
    #[must_use]
    pub fn is_suspended(&self, city: CityCode) -> bool {
        self.suspended.contains(&city)
    }

    /// Cities that share an agreement with `own`, `own` excluded, ascending.
    #[must_use]
    pub fn partners(&self, own: CityCode) -> Vec<CityCode> {
        let mut cities: Vec<CityCode> =
            self.agreements.values().flat_map(Agreement::cities).filter(|c| *c != own).collect();
        cities.sort_unstable();
        cities.dedup();
        cities
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::NodeId;

    #[test]
    fn a_card_with_lines_of_more_keys_takes_the_place_of_the_same_one_with_fewer() {
        let card = Card {
            city: CityCode::from_u32(371_500).unwrap(),
            number: 2,
            nodes: vec![NodeId::new([1; 16])],
            addresses: vec!["10.0.0.1:7443".to_owned()],
            cas: vec![b"der".to_vec()],
            duty_phone: None,
        };
        let (one, two) = ("card\n\n- a\n", "card\n\n- a\n- b\n");
        let mut book = AgreementBook::default();
        let mut offer = |note: &'static str| book.offer_card(card.clone(), note.into());
        assert_eq!((offer(one), offer(one), offer(two)), (true, false, true));
        assert_eq!((offer(two), offer(one)), (false, false), "never back to fewer");
        let older = Card { number: 1, ..card.clone() };
        assert!(
            !book.offer_card(older, "card\n\n- a\n- b\n- c\n".into()),
            "an older one stays out"
        );
    }
}
