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

/// A new list, or something to say of an item in one of those that are there.
pub fn next(
    rows: &impl ReadRows,
    case: (AgreementId, SubjectId),
    (code, members): (CityCode, &[CityCode]),
    (text, today): (&str, Date),
    rng: &mut Rng,
) -> (CaseContribution, Vec<NewPart>) {
    let mut lists = Vec::new();
    view::evidence_lists(rows, case, &mut |at| {
        lists.push(at);
        lists.len() < SHOWN
    });
    if lists.len() < 2 || rng.one_in(5) {
        return list((code, members), (text, today), rng);
    }
    // The record of an opening lists nothing here, and may be named all the same.
    let (part, item) = (u32::from(rng.one_in(9)), rng.below(ITEMS as usize));
    let item = if rng.one_in(12) { 64 } else { u32::try_from(item).unwrap_or(0) };
    let place = EvidencePlace { entry: rng.pick(&lists), part, item };
    let known = view::evidence(rows, case, place);
    let received = known.receipts().iter().any(|(city, _)| *city == code);
    let of_receipts = EvidenceAct::Received;
    let ground = rng.pick(DeclineGround::ALL);
    let act = match rng.below(6) {
        0 => EvidenceAct::HandedOver { on: today },
        1 => of_receipts,
        _ if !received => of_receipts,
        2 | 3 => EvidenceAct::Declined { ground },
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
    (CaseContribution::Evidence { place, act }, content.map(part).into_iter().collect())
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
