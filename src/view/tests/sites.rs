//! A site comes to the same in every order, an opening is judged, and every check counts once.

use super::super::{Applied, Effect, FoldEntry, MemRows, SiteView, apply, fold_hash, site};
use super::{AGREEMENT, Written, bare, city, log, members};
use crate::domain::site::{
    CheckMode, Listing, ListingStatus, MonitoringKind, SiteAct, SiteCheck, SiteFacts, SiteTier,
    VisitException,
};
use crate::domain::{CountyCode, Date, Event, Medium};
use crate::ids::{Hash, Position};
use crate::log::{Envelope, Head, Subject, SubjectKind, subject_id};

const OWNER: u32 = 371_500;
const OTHER: u32 = 130_400;

fn opening() -> Position {
    Position { log: log(1), index: 0 }
}

/// An entry about the site that the first entry of log 1 opens; who saw that says so.
fn entry((n, code, epoch): (u8, u32, u64), index: u64, event: Event, saw: bool) -> Written {
    let id = (n != 1 || index > 0).then(|| subject_id(opening()));
    let after = match saw && n != 1 {
        true => vec![Head { log: log(1), size: 1, root: Hash::new([0; 32]) }],
        false => Vec::new(),
    };
    let subject = Subject { kind: SubjectKind::Site, id };
    let record_time_ms = i64::from(n) * 1_000;
    let envelope = Envelope { subject, after, record_time_ms, ..bare(n, index) };
    Written { city: city(code), epoch, envelope, event }
}

fn facts(county: u32, tier: SiteTier) -> SiteFacts {
    let county = CountyCode::from_u32(county).unwrap();
    SiteFacts { county, tier, media: vec![Medium::Water], permit: None, closed: false }
}

fn registered(county: u32) -> Event {
    Event::SiteRegistered { facts: facts(county, SiteTier::General) }
}

fn changed(county: u32, tier: SiteTier) -> Event {
    Event::SiteAct(SiteAct::Changed { facts: facts(county, tier) })
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

fn listed(status: ListingStatus, until: &str) -> Event {
    Event::SiteAct(SiteAct::Listed(Listing {
        status,
        admitted_on: day("2026-01-01"),
        expires_on: day(until),
        removed_for: None,
        monitoring: vec![MonitoringKind::Online],
    }))
}

fn checked(on: &str, mode: CheckMode, exception: Option<VisitException>) -> Event {
    Event::SiteAct(SiteAct::Checked(SiteCheck {
        on: day(on),
        mode,
        exception,
        plan: None,
        taken_back: false,
    }))
}

fn add(rows: &mut MemRows, written: &Written, apply_number: u64) -> Applied {
    let members = members();
    let Written { city, epoch, envelope, event } = written;
    let (agreement, city, epoch, prologue) = (AGREEMENT, *city, *epoch, None);
    let members = members.as_slice();
    let entry = FoldEntry { agreement, city, epoch, prologue, members, envelope, event };
    apply(rows, &entry, apply_number)
}

fn shown(rows: &MemRows) -> SiteView {
    site(rows, AGREEMENT, subject_id(opening())).unwrap()
}

#[test]
fn a_site_is_the_same_in_every_order() {
    use CheckMode::{OffSite, OnSite};
    // The owner goes on in a second epoch, whose words are newer whenever they come. Another city
    // may say nothing, and one word is written unseen.
    let clue = Some(VisitException::Complaint);
    let all = [
        entry((1, OWNER, 1), 0, registered(371_522), true),
        entry((1, OWNER, 1), 1, changed(371_522, SiteTier::Special), true),
        entry((1, OWNER, 1), 2, listed(ListingStatus::Active, "2026-06-30"), true),
        entry((1, OWNER, 1), 3, checked("2026-02-01", OnSite, None), true),
        entry((1, OWNER, 1), 4, checked("2025-12-31", OnSite, None), true),
        entry((2, OWNER, 2), 0, listed(ListingStatus::Suspended, "2026-12-31"), true),
        entry((2, OWNER, 2), 1, checked("2026-03-01", OnSite, clue), true),
        entry((2, OWNER, 2), 2, checked("2026-03-02", OffSite, None), true),
        entry((2, OWNER, 2), 3, changed(371_523, SiteTier::Key), true),
        entry((3, OTHER, 1), 0, checked("2026-04-01", OnSite, None), true),
        entry((4, OWNER, 3), 0, checked("2026-05-01", OnSite, None), false),
    ];
    let fold = |order: &[usize]| {
        let mut rows = MemRows::default();
        for (apply_number, at) in (1..).zip(order) {
            add(&mut rows, &all[*at], apply_number);
        }
        let mut view = shown(&rows);
        // What is of this node alone.
        (view.last_apply, view.opened_apply) = (0, 0);
        (fold_hash(&rows, AGREEMENT, &[]), view)
    };
    let (hash, view) = fold(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    assert_eq!(view.facts.1, facts(371_523, SiteTier::Key));
    assert_eq!(view.newest().at, all[8].envelope.position(), "a check is no change");
    assert!(!view.is_listed(day("2026-03-01")), "it was suspended last");
    let counts = |year| {
        let checks = view.checks(year);
        (checks.counted, checks.excepted, checks.off_site)
    };
    assert_eq!([2025, 2026, 2027].map(counts), [(1, 0, 0), (1, 1, 1), (0, 0, 0)]);
    assert_eq!(view.misfit_count, 1, "only its own city says anything of it");
    for order in [
        [0, 5, 6, 7, 8, 1, 2, 3, 4, 10, 9],
        [0, 9, 10, 5, 1, 6, 2, 7, 3, 8, 4],
        [0, 1, 5, 2, 6, 3, 7, 4, 8, 9, 10],
        [0, 5, 10, 6, 7, 8, 9, 1, 2, 3, 4],
    ] {
        assert_eq!(fold(&order), (hash, view.clone()), "{order:?}");
    }
    let listed = fold(&[0, 1, 2]).1;
    assert!(listed.is_listed(day("2026-06-30")) && !listed.is_listed(day("2026-07-01")));
}

#[test]
fn an_opening_of_another_area_makes_no_site() {
    for (county, opens) in [(371_522, true), (130_425, false), (410_922, false)] {
        let mut rows = MemRows::default();
        let applied = add(&mut rows, &entry((1, OWNER, 1), 0, registered(county), true), 1);
        let misfit = Effect::Misfit("SITE_INVALID".to_owned());
        let effect = if opens { Effect::Opened } else { misfit };
        assert_eq!(applied.effect, effect, "{county}");
        assert_eq!(site(&rows, AGREEMENT, subject_id(opening())).is_some(), opens, "{county}");
        let on = checked("2026-02-01", CheckMode::OnSite, None);
        let added = add(&mut rows, &entry((1, OWNER, 1), 1, on, true), 2);
        let unseen = Effect::Misfit("SUBJECT_UNSEEN".to_owned());
        assert_eq!(added.effect == unseen, !opens, "{county}");
    }
}
