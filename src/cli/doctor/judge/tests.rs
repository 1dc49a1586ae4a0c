//! Tables: one wrong fact, one finding of the right colour.

use super::*;

const NOW_S: i64 = 1_795_140_000;

fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

/// A node of which all is well.
fn well() -> pb::Status {
    pb::Status {
        city: 371_500,
        writable: true,
        disk_free_bytes: 10 << 30,
        disk_low_bytes: 512 << 20,
        server_time: at(NOW_S),
        start_time: at(NOW_S - 9 * DAY_S),
        alone_seconds_max: DAY_S,
        clock: Some(pb::Clock { offset_ms: 60_000 }),
        scrub: Some(pb::Scrub {
            period_seconds: DAY_S,
            last_end_time: at(NOW_S - DAY_S),
            ..pb::Scrub::default()
        }),
        certificates: vec![pb::OwnCertificate {
            name: "node.pem".to_owned(),
            expire_time: at(NOW_S + 14 * DAY_S),
        }],
        links: vec![pb::Link { state: pb::LinkState::Up.into(), ..pb::Link::default() }],
        logs: vec![pb::Log {
            own: true,
            city: 371_500,
            stored_size: 9,
            applied_size: 9,
            lag_seconds: LAG_S,
            cosignatures: vec![pb::Cosignature { city: 130_400, size: 9, ..Default::default() }],
            ..pb::Log::default()
        }],
        tasks: vec![pb::Task { name: "tick".to_owned(), kept: true, ..pb::Task::default() }],
        ..pb::Status::default()
    }
}

/// A change, and what it is to be found as.
type Row = (&'static str, Level, fn(&mut pb::Status));

const ROWS: &[Row] = &[
    ("node", Level::Red, |s| s.writable = false),
    ("disk", Level::Yellow, |s| s.disk_free_bytes = (1 << 30) - 1),
    ("disk", Level::Red, |s| s.disk_free_bytes = (512 << 20) - 1),
    ("journal", Level::Yellow, |s| s.damage = vec![pb::Damage::default()]),
    ("journal", Level::Red, |s| {
        s.damage = vec![pb::Damage { only_here: true, ..pb::Damage::default() }];
    }),
    ("journal", Level::Red, |s| s.damaged_note_count = 1),
    ("journal", Level::Red, |s| s.scrub.as_mut().unwrap().bad_segments = vec![3]),
    ("scrub", Level::Yellow, |s| {
        s.scrub.as_mut().unwrap().last_end_time = at(NOW_S - 2 * DAY_S - 1);
    }),
    ("scrub", Level::Yellow, |s| s.scrub.as_mut().unwrap().last_end_time = None),
    ("views", Level::Red, |s| s.views_error = "planted".to_owned()),
    ("clock", Level::Yellow, |s| s.clock = None),
    ("clock", Level::Yellow, |s| s.clock = Some(pb::Clock { offset_ms: -60_001 })),
    ("clock", Level::Red, |s| s.clock = Some(pb::Clock { offset_ms: 300_001 })),
    ("calendar", Level::Yellow, |s| s.missing_calendar_years = vec![2027]),
    ("certificate", Level::Yellow, |s| {
        s.certificates[0].expire_time = at(NOW_S + 14 * DAY_S - 1);
    }),
    ("certificate", Level::Red, |s| s.certificates[0].expire_time = at(NOW_S + 3 * DAY_S - 1)),
    ("certificate", Level::Red, |s| s.certificates[0].expire_time = at(NOW_S - 1)),
    ("link", Level::Yellow, |s| {
        s.links[0].state = pb::LinkState::Down.into();
        s.links[0].last_frame_time = at(NOW_S - DAY_S);
    }),
    ("link", Level::Red, |s| {
        s.links[0].state = pb::LinkState::Down.into();
        s.links[0].last_frame_time = at(NOW_S - DAY_S - 1);
    }),
    ("link", Level::Red, |s| s.links[0].state = pb::LinkState::Refused.into()),
    ("log", Level::Red, |s| {
        s.logs[0].standing = true;
        s.logs[0].contradicting_checkpoints = vec!["a".into(), "b".into()];
    }),
    ("log", Level::Red, |s| s.logs[0].cosignature_contradictions = vec![Default::default()]),
    ("log", Level::Yellow, |s| s.logs[0].waiting_for = "ab:3".to_owned()),
    ("log", Level::Yellow, |s| s.logs[0].lag_seconds = LAG_S + 1),
    ("suspension", Level::Yellow, |s| {
        // Its link is not wanted and its log stands for that reason: nothing more is said of them.
        s.links[0] =
            pb::Link { city: 130_400, state: pb::LinkState::Refused.into(), ..pb::Link::default() };
        s.logs[0].standing = true;
        s.suspensions = vec![pb::Suspension { city: 130_400, ..pb::Suspension::default() }];
    }),
    ("suspension", Level::Yellow, |s| {
        let log_id = "ab".repeat(32);
        let full = pb::Suspension { city: 130_400, log_id, ..pb::Suspension::default() };
        s.suspensions = vec![full];
    }),
    ("suspension", Level::Yellow, |s| {
        s.suspensions = vec![pb::Suspension { resuming: true, ..pb::Suspension::default() }];
    }),
    ("recovery", Level::Yellow, |s| s.recoveries = vec![pb::Recovery::default()]),
    ("recovery", Level::Red, |s| {
        s.recoveries = vec![pb::Recovery { epoch_needed: true, ..pb::Recovery::default() }];
    }),
    ("receipts", Level::Green, |s| {
        s.logs[0].cosignatures[0].size = 8;
        s.logs[0].alone_since_time = at(NOW_S - DAY_S);
    }),
    ("receipts", Level::Yellow, |s| {
        s.logs[0].cosignatures[0].size = 8;
        s.logs[0].alone_since_time = at(NOW_S - DAY_S - 1);
    }),
    ("receipts", Level::Yellow, |s| {
        // What a city says of itself is no second copy.
        s.logs[0].cosignatures[0].city = 371_500;
        s.logs[0].alone_since_time = at(NOW_S - DAY_S - 1);
    }),
    ("audit", Level::Red, |s| s.audit_error = "planted".to_owned()),
    ("task", Level::Red, |s| s.tasks[0].late = true),
    ("task", Level::Yellow, |s| {
        (s.tasks[0].restart_count, s.tasks[0].restart_time) = (1, at(NOW_S - 60));
    }),
    ("task", Level::Green, |s| {
        (s.tasks[0].restart_count, s.tasks[0].restart_time) = (1, at(NOW_S - DAY_S));
    }),
];

#[test]
fn one_wrong_fact_is_one_finding_of_the_right_colour() {
    let names = Names::new(Lang::Zh);
    let green = judge(&well(), &names, Lang::Zh);
    assert!(green.iter().all(|one| one.level == Level::Green && one.advice.is_empty()));
    for (row, (area, level, change)) in ROWS.iter().enumerate() {
        let mut status = well();
        change(&mut status);
        for lang in [Lang::Zh, Lang::En] {
            let found = judge(&status, &Names::new(lang), lang);
            let wrong: Vec<_> = found.iter().filter(|one| one.level > Level::Green).collect();
            let got: Vec<_> = wrong.iter().map(|one| (one.area, one.level)).collect();
            let want = if *level == Level::Green { vec![] } else { vec![(*area, *level)] };
            assert_eq!(got, want, "row {row}");
            assert!(wrong.iter().all(|one| !one.advice.is_empty()), "row {row}: what to do");
        }
    }
}

#[test]
fn every_dependency_is_judged() {
    let mut areas: Vec<_> = ROWS.iter().map(|(area, ..)| *area).collect();
    areas.dedup();
    let green = judge(&well(), &Names::new(Lang::Zh), Lang::Zh);
    let mut found: Vec<_> = green.iter().map(|one| one.area).collect();
    found.dedup();
    assert_eq!(found, areas);
}

#[test]
fn english_has_no_chinese_but_names() {
    let found = judge(&well(), &Names::new(Lang::En), Lang::En);
    let words = found.iter().map(|one| format!("{}{}{}", one.subject, one.what, one.advice));
    assert!(words.into_iter().all(|text| text.is_ascii()));
}
