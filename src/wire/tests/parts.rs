//! Parts: read back, golden, hostile.

use bytes::Bytes;
use proptest::prelude::*;
use prost::Message;

use super::formats::numbers_of;
use super::values::{draft, evidence_draft, record};
use super::{assert_golden, golden};
use crate::api::request::PartContent;
use crate::domain::notice::NoticeDraft;
use crate::domain::plan::lots::PoolSite;
use crate::domain::plan::{PlanDraft, PlanNumber, PlanRecord};
use crate::domain::site::{LeftOut, SiteDraft, SiteTier};
use crate::domain::{
    CaseDraft, CaseRecord, CustodyRecord, Evidence, ExternalRef, MeetingRecord, NoticeRecord,
    PersonRecord, ReferralRecord, SiteRecord, UnitRecord,
};
use crate::ids::{CityCode, SubjectId};
use crate::limits::PART_BYTES_MAX;
use crate::wire::part::{encode_part, parse_part};
use crate::wire::pb::v1 as pb;
use crate::wire::record::{record_from_pb, record_to_pb};

const SALT: [u8; 16] = [5; 16];

fn contents() -> Vec<(&'static str, PartContent)> {
    let bare = CaseRecord::parse(&CaseDraft { title: "线索".into(), ..CaseDraft::default() });
    let natural = CaseDraft {
        party_name: String::new(),
        party_uscc: String::new(),
        party_masked_name: "张某某".into(),
        permit_no: String::new(),
        ..draft()
    };
    let notice = NoticeRecord::parse(NoticeDraft {
        title: "马颊河上游泄漏",
        text: "请下游关闭取水口，\n并回复水位。",
        address: "莘县某桥",
        contact: "值班室",
        phone: "0635-0000000",
    });
    let bare_notice =
        NoticeDraft { title: "联席会议", text: "十二月三日", ..Default::default() };
    let (notice, bare_notice) = (notice.unwrap(), NoticeRecord::parse(bare_notice).unwrap());
    let meeting = |title, text, address| {
        PartContent::Meeting(Box::new(MeetingRecord::parse(title, text, address).unwrap()))
    };
    let custody = |address, text| {
        let record = CustodyRecord::parse("聊城市支队 王某", "邯郸市支队 李某", address, text);
        PartContent::Custody(Box::new(record.unwrap()))
    };
    let referral = |organ, number, text| {
        let record = ReferralRecord::parse(organ, number, text).unwrap();
        PartContent::Referral(Box::new(record))
    };
    let site = |draft: &SiteDraft| PartContent::Site(Box::new(SiteRecord::parse(draft).unwrap()));
    let bare_site = SiteDraft {
        name: "示例（聊城）纸业有限公司".into(),
        uscc: "91371522YYYY90011A".into(),
        ..SiteDraft::default()
    };
    let whole_site = SiteDraft {
        permit_no: "91371522YYYY90011A001P".into(),
        industry_code: "C2221".into(),
        address: "莘县示例镇示例村北侧".into(),
        coordinates: Some(("115.137564".into(), "36.243426".into(), "EPSG:4490".into())),
        ..bare_site.clone()
    };
    let unit = |number, team| PartContent::Unit(Box::new(UnitRecord::parse(number, team).unwrap()));
    let record = |record: CaseRecord| PartContent::CaseRecord(Box::new(record));
    let number = "LD-聊邯-2026-聊0005".to_owned();
    let external = ExternalRef::parse("聊城办案系统", "2026-0099").unwrap();
    let evidence = vec![Evidence::parse(&evidence_draft("E01")).unwrap()];
    vec![
        ("case_record", record(self::record())),
        ("case_record_bare", record(bare.unwrap())),
        ("case_record_natural", record(CaseRecord::parse(&natural).unwrap())),
        ("person", PartContent::Person(PersonRecord::parse("张三", "1", "2", "某村").unwrap())),
        ("case_number", PartContent::CaseNumber { number: number.clone(), external_ref: external }),
        ("case_number_bare", PartContent::CaseNumber { number, external_ref: None }),
        ("text", PartContent::Text("企业已停产，\n请协助调查。".into())),
        ("evidence", PartContent::Evidence(evidence)),
        ("actor_certificate", PartContent::ActorCertificate("37150099011".into())),
        ("notice", PartContent::Notice(Box::new(notice))),
        ("notice_bare", PartContent::Notice(Box::new(bare_notice))),
        ("meeting", meeting("联席会议", "一、通报情况\n二、会商", "聊城市东昌府区")),
        ("meeting_bare", meeting("联席会议纪要", "", "")),
        ("custody", custody("莘县分局仓库", "封条 017 完好")),
        ("custody_bare", custody("", "")),
        ("referral", referral("示例市公安局环食药侦支队", "示例移〔2026〕1号", "共 12 页")),
        ("referral_bare", referral("", "示例公（刑）立字〔2026〕7号", "")),
        ("site", site(&whole_site)),
        ("site_bare", site(&bare_site)),
        ("unit", unit("37150099011", "聊城市支队一大队")),
        ("unit_bare", unit("鲁P·A1234", "")),
    ]
    .into_iter()
    .chain(of_plans())
    .collect()
}

fn of_plans() -> Vec<(&'static str, PartContent)> {
    let whole = PlanDraft {
        title: "聊邯交界涉水企业联合检查",
        theme: "涉水企业",
        text: "一、检查排口\n二、核对台账",
        route: "莘县至大名",
        safety: "进厂戴安全帽",
        contacts: "聊城值班室 0635-0000000",
        meeting_place: "示例镇政府门前",
        external_system: "省平台",
        external_number: "2026-007",
    };
    let bare = PlanDraft { title: "联合演练", ..PlanDraft::default() };
    let plan = |draft| PartContent::Plan(Box::new(PlanRecord::parse(draft).unwrap()));
    let site = |n: u8, tier, left_out| PoolSite {
        site: SubjectId::new([n; 16]),
        city: CityCode::from_u32(371_500).unwrap(),
        tier,
        left_out,
    };
    let pool = vec![
        site(1, SiteTier::Key, None),
        site(2, SiteTier::General, Some(LeftOut::PositiveList)),
        site(3, SiteTier::Special, Some(LeftOut::Capped)),
    ];
    let number = PlanNumber::parse("JA-371500-2026-001").unwrap();
    vec![
        ("plan", plan(whole)),
        ("plan_bare", plan(bare)),
        ("plan_pool", PartContent::PlanPool(pool)),
        ("plan_number", PartContent::PlanNumber { number, draft: None }),
        (
            "plan_number_of_a_draft",
            PartContent::PlanNumber { number, draft: Some(SubjectId::new([7; 16])) },
        ),
    ]
}

#[test]
fn parts_read_back() {
    for (name, content) in contents() {
        let bytes = encode_part(&content, SALT);
        assert_eq!(parse_part(&bytes).unwrap(), content, "{name}");
    }
}

#[test]
fn golden_parts_stay_as_they_are() {
    let made: Vec<_> = contents()
        .into_iter()
        .map(|(name, content)| (name.to_owned(), encode_part(&content, SALT).to_vec()))
        .collect();
    assert_golden("parts.txt", &made);
    for (name, bytes) in golden("parts.txt") {
        let content = parse_part(&Bytes::from(bytes.clone())).unwrap();
        let again = encode_part(&content, bytes[2..18].try_into().unwrap());
        assert_eq!(again.as_ref(), bytes, "{name}");
    }
}

#[test]
fn every_kind_has_a_golden_part() {
    let golden = golden("parts.txt");
    for (name, number) in numbers_of("Part") {
        // Behind the salt stands the key of the one content.
        let key = |bytes: &[u8]| prost::encoding::decode_key(&mut &bytes[18..]).unwrap().0;
        let found = golden.iter().any(|(_, bytes)| i64::from(key(bytes)) == i64::from(number));
        assert!(found, "no golden part with {name}");
    }
}

#[test]
fn mistakes_are_named_by_their_place_in_the_message() {
    let good = record_to_pb(&record());
    let wrong = |change: &dyn Fn(&mut pb::CaseRecord)| {
        let mut record = good.clone();
        change(&mut record);
        let wrong = record_from_pb(&record).unwrap_err();
        wrong
            .iter()
            .map(|w| format!("{} {}", w.field.as_deref().unwrap_or("-"), w.reason()))
            .collect::<Vec<_>>()
    };
    let location = |r: &mut pb::CaseRecord| r.location.clone().unwrap_or_default();
    let rows: Vec<(Vec<String>, &str)> = vec![
        (
            wrong(&|r| r.location = Some(pb::Location { crs: "GCJ-02".into(), ..location(r) })),
            "location.crs CRS_GCJ02",
        ),
        (
            wrong(&|r| {
                r.location = Some(pb::Location { longitude: "115,1".into(), ..location(r) });
            }),
            "location.longitude COORDINATE_FORMAT",
        ),
        (
            wrong(&|r| {
                let at = location(r);
                let (longitude, latitude) = (at.latitude.clone(), at.longitude.clone());
                r.location = Some(pb::Location { longitude, latitude, ..at });
            }),
            "location LON_LAT_SWAPPED",
        ),
        (
            wrong(&|r| r.party.as_mut().unwrap().uscc = "91371522YYYY90011B".into()),
            "party.uscc USCC_CHECK",
        ),
        (wrong(&|r| r.party.as_mut().unwrap().r#type = 0), "party.type REQUIRED"),
        (wrong(&|r| r.party.as_mut().unwrap().r#type = 2), "party.type CODE_UNKNOWN"),
        (
            wrong(&|r| r.officers[1].certificate_number = "1".into()),
            "officers[1].certificate_number CERT_NO",
        ),
        (
            wrong(&|r| {
                r.evidence[1].collected_on = Some(pb::Date { year: 2026, month: 2, day: 31 })
            }),
            "evidence[1].collected_on DATE_RANGE",
        ),
        (wrong(&|r| r.evidence[0].kind = 99), "evidence[0].kind CODE_UNKNOWN"),
        (
            wrong(&|r| r.evidence[0].sha256 = Bytes::from_static(b"short")),
            "evidence[0].sha256 DIGEST",
        ),
        (
            wrong(&|r| r.legal_bases[0].article = "1e3".into()),
            "legal_bases[0].article ARTICLE_FORMAT",
        ),
        (wrong(&|r| r.penalty.as_mut().unwrap().fine_fen = 0), "penalty.fine_fen FINE_MISMATCH"),
        (wrong(&|r| r.penalty.as_mut().unwrap().fine_fen = -1), "penalty.fine_fen MONEY_RANGE"),
        (wrong(&|r| r.case_file_number = "\u{202e}".into()), "case_file_number TEXT_BIDI"),
        (wrong(&|r| r.officers = vec![r.officers[0].clone(); 17]), "officers LIST_TOO_LONG"),
    ];
    for (got, want) in rows {
        assert_eq!(got, [want]);
    }
}

#[test]
fn what_cannot_be_a_part_is_refused() {
    let text = |text: &str| encode_part(&PartContent::Text(text.into()), SALT);
    assert!(parse_part(&text("\u{7}")).is_err());
    assert!(parse_part(&text(&"x".repeat(PART_BYTES_MAX))).is_err());
    let salted = |salt: &'static [u8], content| {
        Bytes::from(pb::Part { salt: salt.into(), content }.encode_to_vec())
    };
    let content = Some(pb::part::Content::Text(pb::Text { text: "x".into() }));
    assert!(parse_part(&salted(&[1; 15], content.clone())).is_err());
    assert!(parse_part(&salted(&[1; 16], content)).is_ok());
    let newer = parse_part(&salted(&[1; 16], None)).unwrap_err();
    assert!(newer.to_string().contains("NEEDS_NEWER_VERSION"));
    let long = pb::EvidenceList { evidence: vec![pb::Evidence::default(); 65] };
    assert!(parse_part(&salted(&[1; 16], Some(pb::part::Content::Evidence(long)))).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_flipped_part_is_read_or_refused(
        pick in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let contents = contents();
        let mut bytes = encode_part(&pick.get(&contents).1, SALT).to_vec();
        let place = place.index(bytes.len());
        bytes[place] ^= 1_u8 << bit;
        let _ = parse_part(&Bytes::from(bytes));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = parse_part(&Bytes::from(bytes));
    }
}
