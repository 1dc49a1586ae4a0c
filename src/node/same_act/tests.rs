use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::index::{Known, Reading, metres};
use super::*;
use crate::domain::place::Coordinates;
use crate::domain::same_act::{self, Act, PartyKey};
use crate::domain::{CaseFacts, DataLevel, Date, Medium, Source, Violation};
use crate::ids::{LogId, Position, SubjectId, Tag};

const SEED: u64 = 20_261_128;
const PLANTED: u32 = 600;
const METRES_MAX: u32 = 1_000;

/// One record, and which real act it is of.
struct Planted {
    case: CaseKey,
    known: Known,
    real: u32,
}

/// A real act as nobody sees it; records of it are what officers write down.
struct Real {
    party: PartyKey,
    tag: Tag,
    violation: Violation,
    county: u32,
    at: (i64, i64),
    first: i64,
    days: i64,
}

/// Codes an officer may choose for each other.
const EITHER: [(Violation, Violation); 4] = [
    (Violation::WaterExceed, Violation::PermitLimitExceed),
    (Violation::EvasionWater, Violation::OutfallIllegal),
    (Violation::HazwasteDumping, Violation::SolidWasteDumping),
    (Violation::StrawBurning, Violation::StrawBurning),
];

fn day(number: i64) -> Date {
    Date::from_days_since_epoch(number).unwrap()
}

impl Real {
    fn any(rng: &mut StdRng, firms: u16) -> Self {
        let natural = rng.random_ratio(1, 4);
        let (party, tag) = if natural {
            let surname = rng.random_range(0..8_u8);
            (PartyKey::Person(surname.to_string()), Tag::new([surname; 16]))
        } else {
            let firm = rng.random_range(0..firms);
            let [high, low] = firm.to_be_bytes();
            let tag = [9, high, low, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9];
            (PartyKey::Firm(firm.to_string()), Tag::new(tag))
        };
        let (one, other) = EITHER[rng.random_range(0..EITHER.len())];
        Self {
            party,
            tag,
            violation: if rng.random() { one } else { other },
            county: rng.random_range(371_521..371_527),
            at: (
                rng.random_range(115_000_000..115_900_000),
                rng.random_range(35_700_000..36_900_000),
            ),
            first: rng.random_range(20_100..20_750),
            days: rng.random_range(0..40),
        }
    }

    /// What one city writes down: a part of the days, a place near by, one of two codes.
    fn record(&self, rng: &mut StdRng, nth: u32) -> Known {
        let natural = matches!(self.party, PartyKey::Person(_));
        let middle = self.first + self.days / 2;
        let from = rng.random_range(self.first..=middle);
        let to = rng.random_range(middle..=self.first + self.days);
        let codes = EITHER.iter().find(|(a, b)| [*a, *b].contains(&self.violation)).unwrap();
        let facts = CaseFacts {
            source: Source::Complaint,
            medium: Medium::Water,
            violation: if rng.random() { codes.0 } else { codes.1 },
            county_code: Some(self.county),
            discovered_time_ms: (to + rng.random_range(0..20)) * 86_400_000,
            occurred_from: rng.random_ratio(3, 4).then(|| day(from)),
            occurred_to: rng.random_ratio(3, 4).then(|| day(to)),
            data_level: DataLevel::General,
            borders: Vec::new(),
            border_uncertain: false,
            belt_exception: false,
            has_point: true,
        };
        // Either record is off by 300 m at the most in each direction: 850 m between the two.
        let mut off = || rng.random_range(-2_700..=2_700);
        let place = Coordinates::from_udeg(self.at.0 + off(), self.at.1 + off()).ok();
        let place = place.filter(|_| natural || rng.random_ratio(4, 5));
        let decided_on = rng.random_ratio(1, 5).then(|| day(to + 60));
        Known {
            act: Act::new((self.tag, &self.party), &facts, place, decided_on),
            opened: u64::from(nth),
            decided_on,
            record_at: Position { log: LogId::new([0; 32]), index: u64::from(nth) },
            told: Told::default(),
        }
    }
}

fn key(nth: u32) -> CaseKey {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&nth.to_be_bytes());
    (AgreementId::new([u8::try_from(nth % 3).unwrap(); 16]), SubjectId::new(id))
}

/// Pairs of one act, and as many lone acts, of few parties, so that they come close.
fn world(rng: &mut StdRng) -> Vec<Planted> {
    let mut all = Vec::new();
    for real in 0..2 * PLANTED {
        let act = Real::any(rng, 60);
        for _ in 0..if real < PLANTED { 2 } else { 1 } {
            let nth = u32::try_from(all.len()).unwrap();
            all.push(Planted { case: key(nth), known: act.record(rng, nth), real });
        }
    }
    all
}

fn index_of(all: &[Planted]) -> Index {
    let mut index = Index::default();
    for one in all {
        index.take(one.case, Reading::Act(one.known.clone()));
    }
    index
}

fn found(index: &Index, case: CaseKey) -> BTreeSet<CaseKey> {
    index.hints(case, METRES_MAX, &Catalogue::shipped()).map(|hint| hint.case).collect()
}

#[test]
fn planted_pairs_are_all_found() {
    let all = world(&mut StdRng::seed_from_u64(SEED));
    let index = index_of(&all);
    let (mut hit, mut missed, mut wrong, mut plain_wrong) = (0, Vec::new(), 0, 0);
    for one in &all {
        let hints: Vec<Hint> = index.hints(one.case, METRES_MAX, &Catalogue::shipped()).collect();
        let found: BTreeSet<CaseKey> = hints.iter().map(|hint| hint.case).collect();
        // Where nothing had to be assumed.
        let plain: BTreeSet<CaseKey> = hints
            .iter()
            .filter(|hint| hint.why.metres.is_some() && !hint.why.assumed)
            .map(|hint| hint.case)
            .collect();
        for other in all.iter().filter(|other| other.case != one.case) {
            match (one.real == other.real, found.contains(&other.case)) {
                (true, true) => hit += 1,
                (true, false) => missed.push((one.case, other.case)),
                (false, true) => {
                    wrong += 1;
                    plain_wrong += u32::from(plain.contains(&other.case));
                }
                (false, false) => {}
            }
        }
    }
    // Each pair is counted from both of its ends: both cities get the hint.
    println!(
        "{} records, {} pairs found, {} wrong hints, {} of them of records that say day and place",
        all.len(),
        hit / 2,
        wrong / 2,
        plain_wrong / 2
    );
    assert_eq!((hit, missed.len()), (2 * PLANTED, 0), "{missed:?}");
    // Twenty acts of every party in two years, a fifth of the places and a quarter of the days not
    // recorded: what is silent is taken for the same.
    assert!(wrong / 2 <= 120 && plain_wrong / 2 <= 2, "{wrong} {plain_wrong}: a change of policy");
}

#[test]
fn the_index_finds_what_all_pairs_find() {
    let mut rng = StdRng::seed_from_u64(SEED + 1);
    let mut all = world(&mut rng);
    let mut index = index_of(&all);
    // Cases change party, place and days, go, and come back.
    for _ in 0..500 {
        let nth = rng.random_range(0..all.len());
        let other = Real::any(&mut rng, 60).record(&mut rng, 0);
        let one = &mut all[nth];
        match rng.random_range(0..4) {
            0 => index.take(one.case, Reading::Nothing),
            1 => index.take(one.case, Reading::Damaged),
            _ => one.known = other,
        }
        index.take(one.case, Reading::Act(one.known.clone()));
    }
    for gone in all.split_off(all.len() - 100) {
        index.take(gone.case, Reading::Nothing);
    }
    for one in &all {
        let one_act = |a, b| Catalogue::shipped().may_be_one_act(a, b);
        let plain = |other: &&Planted| {
            let (a, b) = (&one.known.act, &other.known.act);
            other.case != one.case
                && same_act::same_act(a, b, METRES_MAX, one_act, metres).is_some()
        };
        let plain: BTreeSet<CaseKey> = all.iter().filter(plain).map(|other| other.case).collect();
        assert_eq!(found(&index, one.case), plain);
    }
    let listed = index.by_party.len();
    assert_eq!((index.known.len(), listed), (all.len(), all.len()), "nothing is left behind");
    assert!(index.unread.is_empty());
}

/// Cases come, change and go, and lists are asked for at any time between.
#[test]
fn lists_name_what_has_a_hint_and_compare_it_once() {
    let (mut rng, catalogue) = (StdRng::seed_from_u64(SEED + 2), Catalogue::shipped());
    let all = world(&mut rng);
    let mut index = Index::default();
    let mut known: Vec<Option<Known>> = vec![None; 400];
    for round in 0..3_000 {
        let nth = rng.random_range(0..known.len());
        let any = Known { opened: nth as u64, ..all[rng.random_range(0..all.len())].known.clone() };
        let next = rng.random_ratio(3, 4).then_some(any);
        let reading = next.clone().map_or(Reading::Nothing, Reading::Act);
        index.take(key(u32::try_from(nth).unwrap()), reading);
        known[nth] = next;
        if round % 50 != 0 {
            continue;
        }
        let hinted = |nth: &u64| {
            let case = key(u32::try_from(*nth).unwrap());
            index.hints(case, METRES_MAX, &catalogue).next().is_some()
        };
        let due: Vec<u64> = (0..400).rev().filter(hinted).collect();
        let named = index.hinted.named();
        assert!(due.iter().all(|nth| named.contains(nth)), "{round}");
        assert!(named.is_sorted_by(|newer, older| newer > older));
        let case = |nth: u64| (nth, key(u32::try_from(nth).unwrap()));
        let mut asked = |nth: u64| index.has_any(case(nth), METRES_MAX, &catalogue);
        for nth in 0..400 {
            assert_eq!(asked(nth).0, due.contains(&nth), "{round}: {nth}");
            assert_eq!(asked(nth), (due.contains(&nth), 0), "compared once");
        }
        assert_eq!(index.hinted.named(), due, "{round}");
    }
    assert!(!index.hinted.named().is_empty());
}

#[test]
fn damaged_records_are_remembered_and_a_full_index_says_so() {
    let mut rng = StdRng::seed_from_u64(SEED);
    let all = world(&mut rng);
    let (one, other) = (&all[0], &all[1]);
    let mut index = index_of(&all[..2]);
    assert_eq!(found(&index, one.case), BTreeSet::from([other.case]));
    index.take(one.case, Reading::Damaged);
    assert!(index.unread.contains(&one.case) && found(&index, other.case).is_empty());
    index.take(one.case, Reading::Act(one.known.clone()));
    assert!(index.unread.is_empty() && found(&index, other.case).len() == 1);
    index.room = 2;
    index.take(one.case, Reading::Act(one.known.clone()));
    assert!(!index.full, "what is known already needs no room");
    index.take(all[2].case, Reading::Act(all[2].known.clone()));
    assert!(index.full && index.known.len() == 2);
}

#[test]
fn a_record_of_which_something_was_erased_leaves_at_once() {
    let all = world(&mut StdRng::seed_from_u64(SEED));
    let acts = SameActs::new(METRES_MAX, Catalogue::shipped());
    *lock(&acts.index) = Some(index_of(&all[..4]));
    let has_any = |nth: usize| acts.has_any((all[nth].known.opened, all[nth].case)).0;
    assert!(acts.is_whole() && has_any(0) && has_any(1));
    acts.forget(all[1].case);
    assert!(!has_any(0) && !has_any(1) && has_any(2));
    assert_eq!(format!("{acts:?}"), "SameActs(..)");
}

#[test]
fn what_is_looked_at_for_a_hint_is_counted() {
    let mut rng = StdRng::seed_from_u64(SEED);
    let real = (0..).map(|_| Real::any(&mut rng, 1));
    let mut real = real.take(100).find(|real| matches!(real.party, PartyKey::Person(_))).unwrap();
    let acts = SameActs::new(METRES_MAX, Catalogue::shipped());
    let mut index = Index::default();
    // All of one surname and of the same days, each some kilometres from the last one.
    for nth in 0..100_u32 {
        real.at = (115_000_000 + i64::from(nth) * 40_000, 36_000_000);
        index.take(key(nth), Reading::Act(real.record(&mut rng, nth)));
    }
    *lock(&acts.index) = Some(index);
    let has_any = |nth: u32| acts.has_any((u64::from(nth), key(nth)));
    assert!((0..100).all(|nth| has_any(nth) == (false, 99)));
    assert!((0..100).all(|nth| has_any(nth) == (false, 0)), "it is known by now");
    assert_eq!(has_any(100), (false, 0), "no such case");
    let more = real.record(&mut rng, 100);
    lock(&acts.index).as_mut().unwrap().take(key(100), Reading::Act(more));
    assert!(has_any(99).0 && has_any(100).0, "they lie where the other does");
    assert_eq!(has_any(0), (false, 100), "all of them once more");
}
