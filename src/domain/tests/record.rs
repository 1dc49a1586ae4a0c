//! Records: every mistake is named, and no record outgrows its part.

use crate::domain::evidence::EvidenceDraft;
use crate::domain::record::{CaseDraft, CaseRecord, PenaltyDraft};
use crate::limits::{
    CASE_RECORD_BYTES_MAX, EVIDENCE_MAX, NAME_BYTES_MAX, REFERENCE_BYTES_MAX, SUMMARY_BYTES_MAX,
};

fn draft() -> CaseDraft {
    CaseDraft {
        title: "莘县示例纸业超标排放案".into(),
        coordinates: Some(("115.6".into(), "36.2".into(), "EPSG:4490".into())),
        officers: vec![
            ("37150099001".into(), "聊城市支队".into()),
            ("37150099002".into(), "聊城市支队".into()),
        ],
        ..CaseDraft::default()
    }
}

fn wrong(draft: &CaseDraft) -> Vec<(String, &'static str)> {
    let wrong = CaseRecord::parse(draft).err().unwrap_or_default();
    wrong.into_iter().map(|w| (w.field.clone().unwrap_or_default(), w.reason())).collect()
}

#[test]
fn all_mistakes_are_told_at_once() {
    let draft = CaseDraft {
        title: " ".into(),
        coordinates: Some(("36.2".into(), "115.6".into(), "EPSG:4490".into())),
        party_name: "示例纸业".into(),
        party_uscc: "91371522YYYY90011B".into(),
        industry_code: "3021".into(),
        permit_no: "91371522YYYY90011A01".into(),
        officers: vec![("1".into(), "支队".into())],
        penalty: Some(PenaltyDraft { kinds: vec!["FINE".into()], ..PenaltyDraft::default() }),
        ..CaseDraft::default()
    };
    let want = [
        ("title", "TEXT_EMPTY"),
        ("coordinates", "LON_LAT_SWAPPED"),
        ("party.uscc", "USCC_CHECK"),
        ("industry_code", "INDUSTRY_CODE"),
        ("permit_no", "PERMIT_NO"),
        ("officers[0].cert_no", "CERT_NO"),
        ("penalty.fine_fen", "FINE_MISMATCH"),
    ];
    assert_eq!(wrong(&draft), want.map(|(field, reason)| (field.to_owned(), reason)));
}

#[test]
fn nothing_is_listed_twice() {
    let mut twice = draft();
    twice.officers[1].0 = twice.officers[0].0.clone();
    assert_eq!(wrong(&twice), [("officers".to_owned(), "DUPLICATE")]);
    let item = EvidenceDraft {
        id: "E01".into(),
        kind: "PHYSICAL".into(),
        title: "样品".into(),
        collected_on: "2026-11-18".into(),
        mime: "image/jpeg".into(),
        size_bytes: 1,
        sha256: "ab".repeat(32),
        ..EvidenceDraft::default()
    };
    let items = CaseDraft { evidence: vec![item.clone(), item], ..draft() };
    assert_eq!(wrong(&items), [("evidence".to_owned(), "DUPLICATE")]);
    let both =
        CaseDraft { party_masked_name: "张某".into(), party_name: "示例".into(), ..draft() };
    assert_eq!(wrong(&both), [("party.masked_name".to_owned(), "DUPLICATE")]);
    let kinds = vec!["WARNING".into(), "WARNING".into()];
    let penalty =
        CaseDraft { penalty: Some(PenaltyDraft { kinds, ..Default::default() }), ..draft() };
    assert_eq!(wrong(&penalty), [("penalty.kinds".to_owned(), "DUPLICATE")]);
}

#[test]
fn filing_needs_a_place_and_two_officers() {
    let reason = |draft: &CaseDraft| {
        let record = CaseRecord::parse(draft).unwrap();
        record.check_filing().map_or_else(|refusal| refusal.reason(), |()| "")
    };
    assert_eq!(reason(&draft()), "");
    assert_eq!(reason(&CaseDraft { coordinates: None, ..draft() }), "POINT_REQUIRED");
    let mut alone = draft();
    alone.officers.pop();
    assert_eq!(reason(&alone), "OFFICERS_MISSING");
}

#[test]
fn the_whole_record_is_bounded() {
    let item = |place: usize| EvidenceDraft {
        id: format!("{place:0>width$}", width = REFERENCE_BYTES_MAX),
        kind: "DOCUMENTARY".into(),
        title: "证".repeat(NAME_BYTES_MAX / 3),
        collected_on: "2026-11-18".into(),
        place: "聊".repeat(NAME_BYTES_MAX / 3),
        mime: "application/pdf".into(),
        size_bytes: 1,
        sha256: "ab".repeat(32),
        sm3: "ab".repeat(32),
        ..EvidenceDraft::default()
    };
    let full = |items: usize, summary: usize| CaseDraft {
        summary: "a".repeat(summary),
        evidence: (0..items).map(item).collect(),
        ..draft()
    };
    assert_eq!(wrong(&full(8, SUMMARY_BYTES_MAX)), []);
    assert_eq!(wrong(&full(0, SUMMARY_BYTES_MAX + 1)), [("summary".to_owned(), "TEXT_TOO_LONG")]);
    let large = full(EVIDENCE_MAX, SUMMARY_BYTES_MAX);
    assert!(large.encoded_bytes_at_most() > CASE_RECORD_BYTES_MAX);
    assert_eq!(wrong(&large), [(String::new(), "RECORD_TOO_LARGE")]);
    let many = wrong(&full(EVIDENCE_MAX + 1, 0));
    assert_eq!(many[0], ("evidence".to_owned(), "LIST_TOO_LONG"));
}
