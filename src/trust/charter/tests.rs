//! Charters: signatures, contradictions, amendments.

use super::*;
use crate::ids::LogId;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

fn member(code: u32, short: &str, seed: u8) -> Member {
    Member {
        city: CityCode::from_u32(code).unwrap(),
        short_name: short.to_owned(),
        name: format!("{short} 市生态环境局"),
        city_key: key(seed).verifying_key(),
        recovery_key: None,
    }
}

fn charter() -> Charter {
    Charter {
        agreement: AgreementId::new([7; 16]),
        version: 1,
        supersedes: None,
        short_name: "聊邯".to_owned(),
        title: "聊城市—邯郸市行政边界地区环境执法联动协议".to_owned(),
        begin_on: Date::parse("2026-01-01").unwrap(),
        end_on: Date::parse("2028-12-31").unwrap(),
        belt_metres: 10_000,
        deadlines: Deadlines::default(),
        members: vec![member(130_400, "邯", 1), member(371_500, "聊", 2)],
        border_pairs: vec![(
            CityCode::from_u32(130_400).unwrap(),
            CityCode::from_u32(371_500).unwrap(),
        )],
        amendments: Vec::new(),
    }
}

fn amended() -> Charter {
    let city = |code| CityCode::from_u32(code).unwrap();
    let log = LogId::new([3; 32]);
    Charter {
        version: 2,
        supersedes: Some(charter().hash()),
        amendments: vec![
            Amendment::GoesOn(log),
            Amendment::Heir { leaving: city(410_900), heir: city(371_500) },
        ],
        ..charter()
    }
}

#[test]
fn only_what_the_charter_makes_is_a_running_number() {
    let charter = charter();
    for (number, city) in [(5, 371_500), (12_345, 130_400)] {
        let made = charter.running_number(CityCode::from_u32(city).unwrap(), 2026, number);
        assert!(charter.is_running_number(&made.unwrap()));
    }
    for wrong in [
        "",
        "LD-",
        "LD-聊邯-2026-聊",
        "LD-聊邯-2026-聊005",
        "LD-聊邯-26-聊0005",
        "LD-聊濮-2026-聊0005",
        "LD-聊邯-2026-濮0005",
        "LD-聊邯-2026-聊0005请速致电",
        "LD-聊邯-2026-聊13800000000",
        "LD-请速致电13800000000核验",
    ] {
        assert!(!charter.is_running_number(wrong), "{wrong}");
    }
}

#[test]
fn a_charter_is_complete_once_every_member_has_signed() {
    let charter = charter();
    assert_eq!(Charter::parse(&charter.text()).unwrap(), charter);
    let lines = [(130_400, 1), (371_500, 2)]
        .map(|(code, seed)| charter.sign(CityCode::from_u32(code).unwrap(), &key(seed)).unwrap());
    let half = SignedCharter::parse(&note(&charter, lines[..1].to_vec()).unwrap()).unwrap();
    assert!(matches!(half.check_complete(), Err(CharterError::Unsigned(m)) if m.len() == 1));
    let whole = SignedCharter::parse(&note(&charter, lines.to_vec()).unwrap()).unwrap();
    whole.check_complete().unwrap();
    let wrong = charter.sign(CityCode::from_u32(371_500).unwrap(), &key(9)).unwrap();
    let forged = note(&charter, vec![lines[0].clone(), wrong]).unwrap();
    let forged = SignedCharter::parse(&forged).unwrap();
    assert!(forged.check_complete().is_err(), "another key is no signature of the member");
}

#[test]
fn a_changed_character_changes_the_hash_and_breaks_the_signatures() {
    let charter = charter();
    let line = charter.sign(CityCode::from_u32(130_400).unwrap(), &key(1)).unwrap();
    let mut other = charter.clone();
    other.belt_metres = 10_001;
    assert_ne!(charter.hash(), other.hash());
    assert!(SignedCharter::parse(&note(&other, vec![line]).unwrap()).is_err());
}

#[test]
fn an_amendment_reads_back_and_free_text_is_none() {
    let amended = amended();
    assert_eq!(Charter::parse(&amended.text()).unwrap(), amended);
    let spoiled = amended.text().replace("goes on", "goes on for ever");
    assert!(matches!(Charter::parse(&spoiled), Err(CharterError::Text(_))));
}

#[test]
fn what_others_would_refuse_is_not_signed() {
    let mut charter = charter();
    charter.title = "一\n二".to_owned();
    assert!(charter.sign(CityCode::from_u32(130_400).unwrap(), &key(1)).is_err());
}

#[test]
fn contradictions_are_refused() {
    let wrong: [fn(&mut Charter); 7] = [
        |c| c.amendments = amended().amendments,
        |c| c.members.reverse(),
        |c| c.members.truncate(1),
        |c| c.begin_on = Date::parse("2029-01-01").unwrap(),
        |c| c.version = 2,
        |c| c.members[1].city_key = c.members[0].city_key,
        |c| c.border_pairs[0] = (c.border_pairs[0].1, c.border_pairs[0].0),
    ];
    for (row, spoil) in wrong.into_iter().enumerate() {
        let mut charter = charter();
        spoil(&mut charter);
        assert!(Charter::parse(&charter.text()).is_err(), "row {row}");
    }
}

#[test]
fn a_running_number_names_agreement_year_and_city() {
    let number = charter().running_number(CityCode::from_u32(371_500).unwrap(), 2026, 5);
    assert_eq!(number.unwrap(), "LD-聊邯-2026-聊0005");
}
