//! Vectors that other code has computed, what is refused, and whether chance is fair.

use super::*;

const PLANS: &str = include_str!("../../../demo/sample-plans.json");

fn city(code: u32) -> CityCode {
    CityCode::from_u32(code).unwrap()
}

fn plan() -> SubjectId {
    SubjectId::new(std::array::from_fn(|n| n as u8))
}

fn pool(members: &[(&str, u32)]) -> Result<Pool, DrawError> {
    let member = |(id, weight): &(&str, u32)| Member { id: (*id).to_owned(), weight: *weight };
    Pool::new(members.iter().map(member).collect())
}

fn two() -> (BTreeMap<CityCode, Hash>, BTreeMap<CityCode, Randomness>) {
    let shown = BTreeMap::from([(city(371_500), [0x11; 32]), (city(130_400), [0x22; 32])]);
    let committed =
        |(city, random): (&CityCode, &Randomness)| (*city, commitment(plan(), 3, *city, random));
    (shown.iter().map(committed).collect(), shown)
}

#[test]
fn the_draws_of_the_sample_plans_come_out_again() {
    let all: serde_json::Value = serde_json::from_str(PLANS).unwrap();
    let texts = |value: &serde_json::Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    };
    let draws: Vec<_> = all["plans"].as_array().unwrap().iter().map(|plan| &plan["draw"]).collect();
    let draws: Vec<_> = draws.into_iter().filter(|draw| draw.is_object()).collect();
    assert_eq!(draws.len(), 6);
    for draw in draws {
        let members = texts(&draw["pool"]).into_iter().map(|id| Member { id, weight: 1 });
        let drawn = texts(&draw["selected_targets"]);
        let seed = Seed::published(draw["seed"].as_str().unwrap());
        let pool = Pool::new(members.collect()).unwrap();
        assert_eq!(pool.draw(&seed, drawn.len()).unwrap(), drawn);
    }
}

/// Computed by a few lines of Python: SHA-256 of the pieces in the module's header.
#[test]
fn commitments_the_seed_and_tickets_are_what_other_code_makes_of_them() {
    let (commitments, reveals) = two();
    let text = |code| commitments[&city(code)].to_string();
    assert_eq!(text(130_400), "01fc90b6a69036eb25fc19f1215eb4133035f8d3318ed3e98692b0250d86dbb1");
    assert_eq!(text(371_500), "6588a07128a8bbbc28dde5ab00b22350f051b3f976db371aa7a7e93e0ec00dfa");
    let seed = Seed::joint(plan(), 3, &commitments, &reveals).unwrap();
    assert_eq!(seed.as_str(), "cad61eb42466f20dde060ed9cf688cca67380ffdb12426c2214e3dcfc5fdb426");
    let weighted = pool(&[("A", 1), ("B", 1), ("C", 4), ("D", 2), ("E", 1)]).unwrap();
    assert_eq!(weighted.draw(&seed, 5).unwrap(), ["C", "E", "D", "B", "A"]);
    let equal = pool(&[("E", 1), ("D", 1), ("C", 1), ("B", 1), ("A", 1)]).unwrap();
    assert_eq!(equal.draw(&seed, 5).unwrap(), ["E", "B", "A", "C", "D"]);
}

#[test]
fn what_was_not_committed_to_is_no_reveal() {
    let (commitments, reveals) = two();
    let joint = |reveals: &BTreeMap<_, _>| Seed::joint(plan(), 3, &commitments, reveals);
    for bit in 0..256 {
        let mut changed = reveals.clone();
        changed.get_mut(&city(371_500)).unwrap()[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(joint(&changed), Err(DrawError::NotCommitted(vec![city(371_500)])));
    }
    let mut withheld = reveals.clone();
    withheld.remove(&city(130_400));
    assert_eq!(joint(&withheld), Err(DrawError::Withheld(vec![city(130_400)])));
    let mut uninvited = reveals.clone();
    uninvited.insert(city(410_900), [7; 32]);
    assert_eq!(joint(&uninvited), Err(DrawError::NotCommitted(vec![city(410_900)])));
    // A commitment is good for one plan, one revision and one city.
    let other = SubjectId::new([9; 16]);
    let of_other = Seed::joint(other, 3, &commitments, &reveals);
    assert!(matches!(of_other, Err(DrawError::NotCommitted(both)) if both.len() == 2));
    let of_next = Seed::joint(plan(), 4, &commitments, &reveals);
    assert!(matches!(of_next, Err(DrawError::NotCommitted(both)) if both.len() == 2));
    let swapped = reveals.keys().copied().zip(reveals.values().rev().copied()).collect();
    assert!(matches!(joint(&swapped), Err(DrawError::NotCommitted(both)) if both.len() == 2));
    let nobody = Seed::joint(plan(), 3, &BTreeMap::new(), &BTreeMap::new());
    assert_eq!(nobody, Err(DrawError::NoReveals));
}

#[test]
fn pools_that_are_none_are_refused() {
    let long = "9".repeat(DRAW_ID_BYTES_MAX + 1);
    for id in ["", "91 37", "a\u{1f}b", "a\nb", "A\u{200b}", "Ａ", "企业", long.as_str()] {
        assert_eq!(pool(&[(id, 1)]), Err(DrawError::BadId(id.to_owned())), "{id:?}");
    }
    assert_eq!(pool(&[("a", 1), ("b", 1), ("a", 2)]), Err(DrawError::Twice("a".to_owned())));
    for got in [0, DRAW_WEIGHT_MAX + 1] {
        assert_eq!(pool(&[("a", got)]), Err(DrawError::Weight { id: "a".to_owned(), got }));
    }
    let many = (0..=DRAW_POOL_MAX).map(|n| Member { id: n.to_string(), weight: 1 }).collect();
    assert_eq!(Pool::new(many), Err(DrawError::PoolTooLarge { got: DRAW_POOL_MAX + 1 }));
    let two = pool(&[("a", 1), ("b", DRAW_WEIGHT_MAX)]).unwrap();
    let asked = two.draw(&Seed::published("x"), 3);
    assert_eq!(asked, Err(DrawError::TooFew { asked: 3, there: 2 }));
    assert_eq!(two.draw(&Seed::published("x"), 0), Ok(Vec::new()));
    assert!(!two.is_empty());
}

/// Seeds of a year, as two cities would make them.
fn year() -> impl Iterator<Item = Seed> {
    (0_u64..250).map(|day| {
        let random = |salt: u8| {
            let hash = Hash::of(&[&[salt], &day.to_be_bytes()]);
            *hash.as_bytes()
        };
        let reveals = BTreeMap::from([(city(371_500), random(1)), (city(130_400), random(2))]);
        let committed = reveals.iter().map(|(c, r)| (*c, commitment(plan(), 1, *c, r))).collect();
        Seed::joint(plan(), 1, &committed, &reveals).unwrap()
    })
}

fn chi_square(seen: &BTreeMap<&str, f64>, expected: &BTreeMap<&str, f64>) -> f64 {
    let part = |(id, e): (&&str, &f64)| (seen.get(id).unwrap_or(&0.0) - e).powi(2) / e;
    expected.iter().map(part).sum()
}

/// Forty members: the statistic has 39 degrees of freedom, and is above 72.05 once in a thousand
/// draws that are fair (any table of the chi-square distribution).
const ONCE_IN_A_THOUSAND: f64 = 72.05;

#[test]
fn a_year_of_draws_is_fair() {
    let ids: Vec<String> = (0..40).map(|n| format!("91371522YYYY{n:06}")).collect();
    // Five of forty each day: what is drawn is not put back, so the spread is smaller by
    // (40 - 5) / (40 - 1) than that of throws of a die.
    let equal: Vec<(&str, u32)> = ids.iter().map(|id| (id.as_str(), 1)).collect();
    let equal = pool(&equal).unwrap();
    let mut seen = BTreeMap::new();
    for seed in year() {
        for id in equal.draw(&seed, 5).unwrap() {
            *seen.entry(id).or_insert(0.0) += 1.0;
        }
    }
    let expected = ids.iter().map(|id| (id.as_str(), 250.0 * 5.0 / 40.0)).collect();
    let statistic = chi_square(&seen, &expected) * 39.0 / 35.0;
    assert!(statistic < ONCE_IN_A_THOUSAND, "{statistic}");
    // The first of each day, where every fourth has five tickets.
    let weight = |n: usize| if n.is_multiple_of(4) { 5 } else { 1 };
    let weighted: Vec<(&str, u32)> =
        ids.iter().enumerate().map(|(n, id)| (id.as_str(), weight(n))).collect();
    let tickets: u32 = weighted.iter().map(|(_, weight)| weight).sum();
    let weighted_pool = pool(&weighted).unwrap();
    let mut seen = BTreeMap::new();
    // Ten draws of each seed, so that enough fall on each.
    for seed in year() {
        for salt in 0..10 {
            let seed = Seed::published(&format!("{}{salt}", seed.as_str()));
            *seen.entry(weighted_pool.draw(&seed, 1).unwrap()[0]).or_insert(0.0) += 1.0;
        }
    }
    let share = |weight: u32| 2_500.0 * f64::from(weight) / f64::from(tickets);
    let expected = weighted.iter().map(|(id, weight)| (*id, share(*weight))).collect();
    let statistic = chi_square(&seen, &expected);
    assert!(statistic < ONCE_IN_A_THOUSAND, "{statistic}");
    // The same against equal shares is far from fair: the measure sees a difference.
    let expected = ids.iter().map(|id| (id.as_str(), 2_500.0 / 40.0)).collect();
    assert!(chi_square(&seen, &expected) > 10.0 * ONCE_IN_A_THOUSAND);
}
