//! Tables: who may say what of a site, and whether it may be visited.

use super::*;
use crate::domain::fixtures::{city, date};

const LIAOCHENG: u32 = 371_500;
const HANDAN: u32 = 130_400;

fn facts(county: u32, media: &[Medium]) -> SiteFacts {
    SiteFacts {
        county: CountyCode::from_u32(county).unwrap(),
        tier: SiteTier::Key,
        media: media.to_vec(),
        permit: Some(PermitKind::KeyManaged),
        closed: false,
    }
}

fn listing(status: ListingStatus, removed_for: Option<RemovalBasis>) -> Listing {
    Listing {
        status,
        admitted_on: date("2026-03-01"),
        expires_on: date("2026-08-31"),
        removed_for,
        monitoring: vec![MonitoringKind::Online, MonitoringKind::Power],
    }
}

fn check(on: &str, mode: CheckMode, exception: Option<VisitException>) -> SiteCheck {
    SiteCheck { on: date(on), mode, exception, plan: None, taken_back: false }
}

#[test]
fn an_opening_of_another_city_makes_no_site() {
    let members = [city(HANDAN), city(LIAOCHENG)];
    let (own, other) = (city(LIAOCHENG), city(410_900));
    let right = facts(371_522, &[Medium::Air, Medium::Water]);
    assert_eq!(opens(own, &right, &members), Ok(()));
    assert_eq!(opens(city(HANDAN), &right, &members), Err(Misfit::SiteInvalid));
    let stranger = facts(410_922, &[Medium::Air]);
    assert_eq!(opens(other, &stranger, &members), Err(Misfit::NotAMember { city: other }));
    for media in [&[][..], &[Medium::Water, Medium::Air], &[Medium::Air, Medium::Air]] {
        assert_eq!(opens(own, &facts(371_522, media), &members), Err(Misfit::SiteInvalid));
    }
    let refused = decide_register(own, &facts(130_425, &[Medium::Air]), &members).unwrap_err();
    assert_eq!(refused.reason(), "COUNTY_NOT_OWN");
    assert!(decide_register(own, &right, &members).is_ok());
}

#[test]
fn who_may_say_what_of_a_site() {
    use ListingStatus as S;
    let (owner, other) = (city(LIAOCHENG), city(HANDAN));
    let basis = Some(RemovalBasis::Lapse);
    let mut twice = listing(S::Active, None);
    twice.monitoring.push(MonitoringKind::Power);
    let backwards = Listing { expires_on: date("2026-02-28"), ..listing(S::Active, None) };
    let changed = |county| SiteAct::Changed { facts: facts(county, &[Medium::Air]) };
    let rows = [
        (changed(371_522), true),
        (changed(130_425), false),
        (SiteAct::Listed(listing(S::Active, None)), true),
        (SiteAct::Listed(listing(S::Suspended, None)), true),
        (SiteAct::Listed(listing(S::Removed, basis)), true),
        (SiteAct::Listed(listing(S::Removed, None)), false),
        (SiteAct::Listed(listing(S::Active, basis)), false),
        (SiteAct::Listed(twice), false),
        (SiteAct::Listed(backwards), false),
        (SiteAct::Checked(check("2026-05-01", CheckMode::OnSite, None)), true),
    ];
    for (row, (act, may)) in rows.iter().enumerate() {
        let want = if *may { Ok(()) } else { Err(Misfit::SiteInvalid) };
        assert_eq!(fits(owner, owner, act), want, "row {row}");
        assert_eq!(fits(owner, other, act), Err(Misfit::NotSiteCity { owner }), "row {row}");
    }
}

#[test]
fn a_listing_counts_from_its_first_day_to_its_last() {
    use ListingStatus as S;
    let active = listing(S::Active, None);
    for (on, listed) in
        [("2026-02-28", false), ("2026-03-01", true), ("2026-08-31", true), ("2026-09-01", false)]
    {
        assert_eq!(active.is_listed(date(on)), listed, "{on}");
        let basis = Some(RemovalBasis::Incident);
        for other in [listing(S::Suspended, None), listing(S::Removed, basis)] {
            assert!(!other.is_listed(date(on)), "{on}");
        }
    }
}

#[test]
fn a_renewal_does_not_interrupt_a_listing() {
    use ListingStatus as S;
    let owner = city(LIAOCHENG);
    let renewed = |status, from, today, before: Option<&Listing>| {
        let admitted_on = date(from);
        let expires_on = date("2027-08-31");
        let after = Listing { admitted_on, expires_on, ..listing(status, None) };
        let decided =
            decide_act((owner, before), owner, &SiteAct::Listed(after), None, date(today));
        decided.map_err(|refusal| refusal.reason())
    };
    let (active, inside, outside) = (listing(S::Active, None), "2026-08-31", "2026-09-01");
    let later = Err("LISTING_BEGINS_LATER");
    for (status, from, today, before, want) in [
        (S::Active, "2026-09-01", inside, Some(&active), later),
        (S::Active, "2026-03-01", inside, Some(&active), Ok(())),
        (S::Active, inside, inside, Some(&active), Ok(())),
        (S::Active, "2026-10-01", outside, Some(&active), Ok(())),
        (S::Active, "2026-10-01", inside, None, Ok(())),
        (S::Suspended, "2026-09-01", inside, Some(&active), Ok(())),
    ] {
        assert_eq!(renewed(status, from, today, before), want, "{status:?} {from} {today}");
    }
}

#[test]
fn whether_a_site_may_be_visited() {
    use LeftOut as L;
    let active = listing(ListingStatus::Active, None);
    let by = VisitException::Complaint;
    let visited = |made, reserved, most| Visited { made, reserved, most };
    let (inside, outside) = ("2026-05-01", "2026-09-01");
    // Day, closed, visited, why it is left out.
    for (row, (on, closed, visited, why)) in [
        (outside, false, visited(2, 0, 3), None),
        (outside, false, visited(2, 1, 3), Some(L::Capped)),
        (outside, false, visited(3, 0, 3), Some(L::Capped)),
        (outside, false, visited(9, 9, 0), None),
        (inside, false, visited(0, 0, 3), Some(L::PositiveList)),
        (inside, false, visited(3, 0, 3), Some(L::PositiveList)),
        (inside, true, visited(3, 0, 3), Some(L::Closed)),
        (outside, true, visited(0, 0, 0), Some(L::Closed)),
    ]
    .into_iter()
    .enumerate()
    {
        let listing = Some(&active);
        let ask =
            |exception| may_visit(&Visit { on: date(on), closed, listing, visited, exception });
        assert_eq!(ask(None), why.map_or(Verdict::Fine, Verdict::LeftOut), "row {row}");
        let excepted = why.map_or(Verdict::Fine, |why| Verdict::Excepted { why, by });
        assert_eq!(ask(Some(by)), excepted, "row {row}");
    }
}

#[test]
fn a_check_beyond_list_or_cap_is_refused_unless_an_exception_is_named() {
    let (owner, today) = (city(LIAOCHENG), date("2026-06-01"));
    let active = listing(ListingStatus::Active, None);
    let decide = |check: SiteCheck, listing, made| {
        let visited = Visited { made, reserved: 0, most: 3 };
        let SiteCheck { on, exception, .. } = check;
        let visit = Visit { on, closed: false, listing, visited, exception };
        let decided =
            decide_act((owner, None), owner, &SiteAct::Checked(check), Some(&visit), today);
        decided.map_err(|refusal| refusal.reason())
    };
    let routine = check("2026-06-01", CheckMode::OnSite, None);
    let excepted = check("2026-06-01", CheckMode::OnSite, Some(VisitException::OffSiteClue));
    let off_site = check("2026-06-01", CheckMode::OffSite, None);
    let ahead = check("2026-06-02", CheckMode::OffSite, None);
    assert_eq!(decide(routine, None, 2), Ok(()));
    assert_eq!(decide(routine, None, 3), Err("SITE_CAPPED"));
    assert_eq!(decide(routine, Some(&active), 0), Err("SITE_ON_POSITIVE_LIST"));
    assert_eq!(decide(excepted, Some(&active), 3), Ok(()));
    assert_eq!(decide(off_site, Some(&active), 3), Ok(()));
    assert_eq!(decide(ahead, None, 0), Err("CHECK_IN_FUTURE"));
    let [first, before] =
        ["2025-01-01", "2024-12-31"].map(|on| check(on, CheckMode::OffSite, None));
    assert_eq!(decide(first, None, 0), Ok(()));
    assert_eq!(decide(before, None, 0), Err("CHECK_TOO_OLD"));
    let planned = SiteCheck { plan: Some(crate::ids::SubjectId::new([1; 16])), ..off_site };
    assert_eq!(decide(planned, None, 0), Err("CHECK_PLAN_UNKNOWN"));
    let mut year = YearChecks::default();
    for one in [routine, routine, excepted, off_site] {
        year.add(&one);
    }
    assert_eq!((year.counted, year.excepted, year.off_site), (2, 1, 1));
}

#[test]
fn a_record_names_every_wrong_field() {
    let right = SiteDraft {
        name: "示例纸业有限公司".into(),
        uscc: "91371522YYYY90011A".into(),
        permit_no: "91371522YYYY90011A001P".into(),
        industry_code: "C2221".into(),
        address: "莘县示例镇".into(),
        coordinates: Some(("115.137564".into(), "36.2434".into(), "EPSG:4490".into())),
    };
    assert!(SiteRecord::parse(&right).is_ok());
    let wrong = SiteDraft {
        name: String::new(),
        uscc: "91371522YYYY90011B".into(),
        permit_no: "1".into(),
        industry_code: "2221".into(),
        address: "a\nb".into(),
        coordinates: Some(("115.1".into(), "36.2".into(), "GCJ-02".into())),
    };
    let found = SiteRecord::parse(&wrong).unwrap_err();
    let found: Vec<_> =
        found.iter().map(|w| (w.field.as_deref().unwrap_or_default(), w.reason())).collect();
    let want = [
        ("name", "TEXT_EMPTY"),
        ("uscc", "USCC_CHECK"),
        ("permit_number", "PERMIT_NO"),
        ("industry_code", "INDUSTRY_CODE"),
        ("location.address", "TEXT_LINE_BREAK"),
        ("location.crs", "CRS_GCJ02"),
    ];
    assert_eq!(found, want);
}
