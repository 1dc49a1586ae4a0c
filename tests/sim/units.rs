//! What somebody at a desk might do next about units: register one, change it, block and free it or
//! the whole city; mostly their own, sometimes another city's.

use liandong::api::request::Command;
use liandong::domain::{Date, Department, Half, HalfDay, Period, UnitFacts, UnitKind, UnitRecord};
use liandong::ids::{AgreementId, CityCode, SubjectId};
use liandong::view::{self, ReadRows, UnitView};

use super::rng::Rng;

/// Units a person looks at.
const SHOWN: usize = 8;
/// Days ahead that are blocked.
const AHEAD: usize = 12;

/// Some units of an agreement.
pub fn some(rows: &impl ReadRows, agreement: AgreementId) -> Vec<(SubjectId, UnitView)> {
    let mut all = Vec::new();
    view::units(rows, agreement, None, &mut |subject, unit| {
        all.push((subject, unit));
        all.len() < SHOWN
    });
    all
}

/// A new unit, or something to say of one of these.
pub fn next(
    agreement: AgreementId,
    (code, all): (CityCode, &[(SubjectId, UnitView)]),
    (text, today): (&str, Date),
    rng: &mut Rng,
) -> Command {
    let mine: Vec<_> = all.iter().filter(|(_, unit)| unit.unit.city == code).cloned().collect();
    if mine.is_empty() || rng.one_in(4) {
        let (kind, team) = (rng.pick(&UnitKind::COUNTED), "一队");
        let record = Box::new(UnitRecord::parse(text, team).unwrap());
        return Command::RegisterUnit { agreement, facts: facts(kind, today, rng), record };
    }
    // Now and then one that is another city's.
    let (subject, unit) = if rng.one_in(8) { rng.pick(all) } else { rng.pick(&mine) };
    if rng.one_in(3) {
        let record = Box::new(UnitRecord::parse(text, "二队").unwrap());
        let facts = facts(unit.unit.kind, today, rng);
        return Command::ChangeUnit { agreement, subject, etag: unit.facts_at.at, facts, record };
    }
    let subject = (!rng.one_in(3)).then_some(subject);
    let periods = (0..=rng.below(3)).map(|_| period(today, rng)).collect();
    Command::BookUnit { agreement, subject, busy: !rng.one_in(3), periods }
}

fn facts(kind: UnitKind, today: Date, rng: &mut Rng) -> UnitFacts {
    let days = i64::try_from(rng.below(400)).unwrap();
    UnitFacts {
        kind,
        department: Some(rng.pick(Department::ALL)),
        valid_from: Some(today),
        valid_until: today.plus_days(days),
        retired: rng.one_in(6),
    }
}

fn period(today: Date, rng: &mut Rng) -> Period {
    let day = |from: Date, rng: &mut Rng| {
        from.plus_days(i64::try_from(rng.below(AHEAD)).unwrap()).unwrap()
    };
    let first = HalfDay { on: day(today, rng), half: rng.pick(Half::ALL) };
    let last = HalfDay { on: day(first.on, rng), half: Half::Afternoon };
    Period::new(first, last).unwrap()
}
