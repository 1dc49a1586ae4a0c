//! The agreements and cards a node holds: who is a member, by which key, reachable where.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::ids::{AgreementId, CityCode};
use crate::log::keys::VerifyingKey;
use crate::trust::card::{Card, CardBook};
use crate::trust::charter::Charter;

/// A charter in force here.
#[derive(Clone, Debug)]
pub struct Agreement {
    /// The charter.
    pub charter: Charter,
    /// The signed text.
    pub note: Bytes,
}

impl Agreement {
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
}

impl AgreementBook {
    /// One agreement.
    #[must_use]
    pub fn get(&self, agreement: AgreementId) -> Option<&Agreement> {
        self.agreements.get(&agreement)
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

    /// Keys by which a city signs in any agreement here.
    #[must_use]
    pub fn keys_of(&self, city: CityCode) -> Vec<VerifyingKey> {
        let mut keys: Vec<VerifyingKey> =
            self.agreements.values().filter_map(|a| a.city_key(city)).collect();
        keys.dedup_by(|a, b| a.as_bytes() == b.as_bytes());
        keys
    }

    /// Takes a card whose signature was checked; true when it is news.
    pub fn offer_card(&mut self, card: Card, note: Bytes) -> bool {
        let city = card.city;
        let news = self.cards.offer(card).is_news();
        if news {
            self.notes.insert(city, note);
        }
        news
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
