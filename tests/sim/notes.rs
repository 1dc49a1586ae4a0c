//! Charters and cards for tests.

use bytes::Bytes;
use liandong::domain::Date;
use liandong::ids::{AgreementId, CityCode, Hash, NodeId};
use liandong::log::keys::SigningKey;
use liandong::trust::card::Card;
use liandong::trust::charter::{self, Charter, Deadlines, Member};

/// A complete charter of these members, and its hash.
pub fn charter(
    agreement: AgreementId,
    short_name: &str,
    members: &[(CityCode, &SigningKey)],
) -> (Hash, Bytes) {
    let shorts = ["聊", "邯", "濮", "德", "泰", "菏", "济"];
    let charter = Charter {
        agreement,
        version: 1,
        supersedes: None,
        short_name: format!("试{short_name}"),
        title: "行政边界地区环境执法联动协议（试验）".to_owned(),
        begin_on: Date::parse("2026-01-01").unwrap(),
        end_on: Date::parse("2028-12-31").unwrap(),
        belt_metres: 10_000,
        deadlines: Deadlines::default(),
        members: members
            .iter()
            .zip(shorts)
            .map(|((city, key), short)| Member {
                city: *city,
                short_name: short.to_owned(),
                name: format!("{city} 生态环境局"),
                city_key: key.verifying_key(),
                recovery_key: None,
            })
            .collect(),
        border_pairs: Vec::new(),
        amendments: Vec::new(),
    };
    let lines = members.iter().map(|(city, key)| charter.sign(*city, key).unwrap()).collect();
    let note = charter::note(&charter, lines).unwrap();
    (charter.hash(), note)
}

/// A signed card.
pub fn card(city: CityCode, number: u64, addresses: &[&str], key: &SigningKey) -> Bytes {
    let card = Card {
        city,
        number,
        nodes: vec![NodeId::new([1; 16])],
        addresses: addresses.iter().map(|a| format!("{a}:1")).collect(),
        cas: Vec::new(),
        duty_phone: None,
    };
    card.sign(key).unwrap()
}
