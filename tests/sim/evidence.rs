//! What somebody at a desk might do next about evidence: list some, record a receipt, recognise or
//! decline it, hand an original over; mostly what fits, sometimes not.

use liandong::api::request::{NewPart, PartContent};
use liandong::domain::evidence::EvidenceDraft;
use liandong::domain::{
    CaseContribution, CustodyRecord, Date, DeclineGround, Evidence, EvidenceAct, EvidencePlace,
};
use liandong::ids::{AgreementId, CityCode, SubjectId};
use liandong::log::Audience;
use liandong::view::{self, ReadRows};

use super::rng::Rng;

/// Lists of a case that a person looks at.
const SHOWN: usize = 6;
/// Items of each list that is written here.
const ITEMS: u32 = 2;

/// A new list, or something to say of an item in one of those that are there: first a receipt of
/// what is another city's, then a finding on what was received.
pub fn next(
    rows: &impl ReadRows,
    (agreement, cases): (AgreementId, &[SubjectId]),
    (code, members): (CityCode, &[CityCode]),
    (text, today): (&str, Date),
    rng: &mut Rng,
) -> (SubjectId, CaseContribution, Vec<NewPart>) {
    let (mut received, mut others) = (Vec::new(), Vec::new());
    for subject in cases {
        let mut shown = 0;
        view::evidence_lists(rows, (agreement, *subject), &mut |line| {
            let entry = line.position;
            shown += 1;
            let item = u32::try_from(rng.below(ITEMS as usize)).unwrap_or(0);
            let place = EvidencePlace { entry, part: 0, item };
            let known = view::evidence(rows, (agreement, *subject), place);
            let has = known.receipts().iter().any(|(city, _)| *city == code);
            if has && known.finding(code).is_none() {
                received.push((*subject, place));
            } else if !has && view::applied_entry(rows, entry).is_some_and(|e| e.city != code) {
                others.push((*subject, place));
            }
            shown < SHOWN
        });
    }
    if others.is_empty() || rng.one_in(6) {
        let (contribution, parts) = list((code, members), (text, today), rng);
        return (rng.pick(cases), contribution, parts);
    }
    let judges = !received.is_empty() && !rng.one_in(4);
    let (subject, mut place) = rng.pick(if judges { &received } else { &others });
    if rng.one_in(12) {
        // What is in no list.
        (place.part, place.item) = rng.pick(&[(1, 0), (2, 0), (0, 64)]);
    }
    let ground = rng.pick(DeclineGround::ALL);
    let act = match rng.below(8) {
        0 => EvidenceAct::HandedOver { on: today },
        1 => EvidenceAct::Recognised,
        _ if !judges => EvidenceAct::Received,
        2..5 => EvidenceAct::Declined { ground },
        _ => EvidenceAct::Recognised,
    };
    let content = match act {
        EvidenceAct::Received => None,
        EvidenceAct::Recognised | EvidenceAct::Declined { .. } => {
            Some(PartContent::Text(text.to_owned()))
        }
        EvidenceAct::HandedOver { .. } => {
            let record = CustodyRecord::parse(text, "保管室", "", "").unwrap();
            Some(PartContent::Custody(Box::new(record)))
        }
    };
    // Who may hold it follows from the list, whatever is asked for.
    let part = |content| NewPart { audience: Audience::AllMembers, content };
    let parts = content.map(part).into_iter().collect();
    (subject, CaseContribution::Evidence { place, act }, parts)
}

fn list(
    (code, members): (CityCode, &[CityCode]),
    (text, today): (&str, Date),
    rng: &mut Rng,
) -> (CaseContribution, Vec<NewPart>) {
    let item = |nth: u32| {
        let draft = EvidenceDraft {
            id: format!("E{nth}"),
            kind: "DOCUMENTARY".into(),
            title: text.to_owned(),
            collected_on: today.to_string(),
            mime: "application/pdf".into(),
            size_bytes: 1,
            sha256: "ab".repeat(32),
            ..EvidenceDraft::default()
        };
        Evidence::parse(&draft).unwrap()
    };
    let others: Vec<CityCode> = members.iter().copied().filter(|city| *city != code).collect();
    let audience = match rng.below(4) {
        0 => Audience::HandlingCity,
        1 => Audience::Cities(vec![rng.pick(&others)]),
        _ => Audience::AllMembers,
    };
    let content = PartContent::Evidence((0..ITEMS).map(item).collect());
    (CaseContribution::EvidenceAdded, vec![NewPart { audience, content }])
}
