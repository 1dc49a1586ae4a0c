//! Units between real nodes: registering, blocking, free and busy, windows, calendar files.

use std::process::Output;

use liandong::cli::connect::Client;
use liandong::domain::{Date, HalfDay, Period};
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use liandong::wire::unit::{half_day_to_pb, period_from_pb, period_to_pb};
use tonic::{Code, Status};

use super::api::{HERE, THERE, fresh, ready, refused};
use super::nodes::{Nodes, exe, plan, until};

const DEZHOU: u32 = 371_400;
const OFFICER: pb::UnitKind = pb::UnitKind::Officer;

/// The reason of a refusal, and what is changed in a good request.
type Row<'a, T> = (&'static str, &'a dyn Fn(&mut T));

fn today() -> Date {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    Date::beijing(i64::try_from(now).unwrap()).unwrap()
}

/// A Monday some weeks ahead, all of its fortnight in one year.
fn monday() -> Date {
    let ahead = |days| today().plus_days(days).unwrap();
    let is_monday = |day: &Date| (day.days_since_epoch() + 3).rem_euclid(7) == 0;
    let one_year = |day: &Date| day.year() == day.plus_days(20).unwrap().year();
    (10..60).map(ahead).find(|day| is_monday(day) && one_year(day)).unwrap()
}

fn day(on: Date) -> Option<pb::Date> {
    Some(pb::Date { year: on.year(), month: on.month().into(), day: on.day().into() })
}

fn nth(days: i64) -> Date {
    monday().plus_days(days).unwrap()
}

fn whole(days: i64) -> Period {
    Period::day(nth(days))
}

fn officer(until: Date) -> pb::UnitFacts {
    pb::UnitFacts {
        kind: OFFICER.into(),
        department: pb::Department::EcologyEnvironment.into(),
        valid_from: day(today().plus_days(-900).unwrap()),
        valid_until: day(until),
        retired: false,
    }
}

fn request(parent: &str, number: &str) -> pb::CreateUnitRequest {
    pb::CreateUnitRequest {
        parent: parent.to_owned(),
        facts: Some(officer(today().plus_days(900).unwrap())),
        record: Some(pb::UnitRecord { number: number.to_owned(), team: "执法一大队".into() }),
        request_id: fresh(),
        acting_for: None,
    }
}

async fn create(client: &Client, asked: pb::CreateUnitRequest) -> Result<pb::Unit, Status> {
    client.units().create_unit(asked).await.map(|answer| answer.into_inner().unit.unwrap())
}

async fn get(client: &Client, name: &str) -> Result<pb::Unit, Status> {
    let request = pb::GetUnitRequest { name: name.to_owned() };
    client.units().get_unit(request).await.map(|answer| answer.into_inner().unit.unwrap())
}

fn blocking(name: &str, periods: &[Period]) -> pb::BlockUnitRequest {
    pb::BlockUnitRequest {
        name: name.to_owned(),
        periods: periods.iter().copied().map(period_to_pb).collect(),
        request_id: fresh(),
        acting_for: None,
    }
}

async fn block(
    client: &Client,
    name: &str,
    periods: &[Period],
) -> Result<pb::BlockUnitResponse, Status> {
    client.units().block_unit(blocking(name, periods)).await.map(tonic::Response::into_inner)
}

async fn free(
    client: &Client,
    name: &str,
    periods: &[Period],
) -> Result<pb::FreeUnitResponse, Status> {
    let pb::BlockUnitRequest { name, periods, request_id, acting_for } = blocking(name, periods);
    let request = pb::FreeUnitRequest { name, periods, request_id, acting_for };
    client.units().free_unit(request).await.map(tonic::Response::into_inner)
}

async fn update(
    client: &Client,
    unit: &pb::Unit,
    change: impl FnOnce(&mut pb::UpdateUnitRequest),
) -> Result<pb::Unit, Status> {
    let mut request = pb::UpdateUnitRequest {
        name: unit.name.clone(),
        etag: unit.etag.clone(),
        facts: Some(pb::UnitFacts {
            kind: 0,
            department: unit.department,
            valid_from: unit.valid_from,
            valid_until: unit.valid_until,
            retired: unit.retired,
        }),
        record: unit.record.clone(),
        request_id: fresh(),
        acting_for: None,
    };
    change(&mut request);
    client.units().update_unit(request).await.map(|answer| answer.into_inner().unit.unwrap())
}

fn busy(unit: &pb::Unit) -> Vec<Period> {
    unit.busy.iter().filter_map(period_from_pb).collect()
}

async fn list(client: &Client, change: impl FnOnce(&mut pb::ListUnitsRequest)) -> Vec<String> {
    let mut asked = pb::ListUnitsRequest { parent: "agreements/-".into(), ..Default::default() };
    asked.page_size = 2;
    change(&mut asked);
    let mut all = Vec::new();
    loop {
        let page = client.units().list_units(asked.clone()).await.unwrap().into_inner();
        all.extend(page.units.into_iter().map(|unit| unit.record.unwrap_or_default().number));
        assert!(page.total_size as usize >= all.len());
        asked.page_token = page.next_page_token;
        if asked.page_token.is_empty() {
            assert_eq!(page.total_size as usize, all.len());
            return all;
        }
    }
}

fn needs(all: &[(u32, u32)]) -> Vec<pb::CityNeeds> {
    let one = |(city, count): &(u32, u32)| pb::CityNeeds {
        city: *city,
        needs: vec![pb::UnitNeed { kind: OFFICER.into(), count: *count, department: 0 }],
    };
    all.iter().map(one).collect()
}

/// Two officers of each of the first two cities and one of the third, for a day of a fortnight.
fn searching(parent: &str) -> pb::FindSlotsRequest {
    pb::FindSlotsRequest {
        parent: parent.to_owned(),
        participants: needs(&[(HERE, 2), (THERE, 2), (DEZHOU, 1)]),
        days: 1,
        from: day(monday()),
        until: day(nth(13)),
        slots_max: 2,
        ..Default::default()
    }
}

async fn find(
    client: &Client,
    asked: pb::FindSlotsRequest,
) -> Result<pb::FindSlotsResponse, Status> {
    client.units().find_slots(asked).await.map(tonic::Response::into_inner)
}

/// Nodes whose calendar has this fortnight's Tuesday as a holiday.
fn start(cities: &[u32], agreements: &[(&str, &[u32])]) -> Nodes {
    let mut nodes = Nodes::lay_out(&plan(cities, agreements));
    for city in cities {
        let folder = nodes.fleet.folder(*city);
        let (year, off) = (monday().year(), nth(1));
        let calendar =
            format!(r#"{{"years":[{year}],"off_days":["{off}"],"make_up_workdays":[]}}"#);
        std::fs::write(folder.join("workdays.json"), calendar).unwrap();
        let config = folder.join("liandong.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, format!("workdays_file = \"workdays.json\"\n{text}")).unwrap();
        nodes.start(*city);
    }
    nodes
}

fn told(reason: &str) -> (Code, String) {
    (Code::PermissionDenied, reason.to_owned())
}

fn bad(reason: &str) -> (Code, String) {
    (Code::InvalidArgument, reason.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn f17_dates_on_which_all_cities_can_come() {
    let cities = [HERE, THERE, DEZHOU];
    let mut nodes = start(&cities, &[("聊邯德", &cities)]);
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    let dezhou = nodes.client(DEZHOU).await;
    for client in [&here, &there, &dezhou] {
        ready(client, &agreement).await;
    }
    // Of four officers here one's certificate has run out and one is retired.
    for number in ["37150099001", "37150099002"] {
        create(&here, request(&agreement, number)).await.unwrap();
    }
    let expired = today().plus_days(-1).unwrap();
    let expired = pb::CreateUnitRequest {
        facts: Some(officer(expired)),
        ..request(&agreement, "37150099003")
    };
    create(&here, expired).await.unwrap();
    let retired = create(&here, request(&agreement, "37150099004")).await.unwrap();
    let retire =
        |request: &mut pb::UpdateUnitRequest| request.facts.as_mut().unwrap().retired = true;
    assert!(update(&here, &retired, retire).await.unwrap().retired);
    let mut theirs = Vec::new();
    for number in ["13040099001", "13040099002"] {
        theirs.push(create(&there, request(&agreement, number)).await.unwrap().name);
    }
    let away = theirs[1].clone();
    create(&dezhou, request(&agreement, "37140099001")).await.unwrap();
    // On Monday one of there is away in the morning; on Wednesday afternoon Dezhou cannot at all.
    let (morning, afternoon) = (HalfDay::morning(monday()), HalfDay::afternoon(nth(2)));
    block(&there, &away, &[Period::half_day(morning)]).await.unwrap();
    let city = format!("{agreement}/units/city");
    let done = block(&dezhou, &city, &[Period::half_day(afternoon)]).await.unwrap();
    assert_eq!(done.unit.unwrap().kind(), pb::UnitKind::WholeCity);
    assert_eq!(done.writes.len(), 1);

    let want = pb::FindSlotsResponse {
        slots: [3, 4]
            .map(|nth| pb::Slot { period: Some(period_to_pb(whole(nth))), ..Default::default() })
            .to_vec(),
        hindrances: vec![
            pb::SlotHindrance {
                begins: Some(period_to_pb(Period::half_day(morning))),
                kind: pb::SlotHindranceKind::UnitsMissing.into(),
                at: Some(half_day_to_pb(morning)),
                city: THERE,
                unit_kind: OFFICER.into(),
                missing: 1,
                department: 0,
            },
            pb::SlotHindrance {
                begins: Some(period_to_pb(Period::half_day(HalfDay::morning(nth(1))))),
                kind: pb::SlotHindranceKind::RestDay.into(),
                at: Some(half_day_to_pb(HalfDay::morning(nth(1)))),
                ..Default::default()
            },
            pb::SlotHindrance {
                begins: Some(period_to_pb(Period::half_day(HalfDay::morning(nth(2))))),
                kind: pb::SlotHindranceKind::CityBusy.into(),
                at: Some(half_day_to_pb(afternoon)),
                city: DEZHOU,
                ..Default::default()
            },
        ],
        ..Default::default()
    };
    for client in [&here, &there, &dezhou] {
        let found = until("all cities find the same windows", async || {
            let found = find(client, searching(&agreement)).await.unwrap();
            let same = (&found.slots, &found.hindrances) == (&want.slots, &want.hindrances);
            same.then_some(found)
        });
        found.await;
    }
    windows(&here, &agreement).await;
    in_shifts((&here, &there), &agreement, &theirs).await;
    bad_windows(&here, &agreement).await;
    counts(&here, &agreement, &away).await;
    by_hand(&nodes, &agreement);

    // After a start, and with views made anew, all is as it was.
    let asked = pb::QueryFreeBusyRequest {
        parent: agreement.clone(),
        from: day(monday()),
        until: day(nth(13)),
        ..Default::default()
    };
    let before = here.units().query_free_busy(asked.clone()).await.unwrap().into_inner();
    for without_views in [false, true] {
        nodes.kill(HERE);
        if without_views {
            std::fs::remove_dir_all(nodes.fleet.folder(HERE).join("data/views")).unwrap();
        }
        nodes.start(HERE);
        let here = nodes.client(HERE).await;
        let found = find(&here, searching(&agreement)).await.unwrap();
        assert_eq!((found.slots, found.hindrances), (want.slots.clone(), want.hindrances.clone()));
        let after = here.units().query_free_busy(asked.clone()).await.unwrap().into_inner();
        assert_eq!(after.cities, before.cities);
    }
}

/// What else windows may be: with overtime, in half days, in a year that is not announced yet.
async fn windows(here: &Client, agreement: &str) {
    let overtime = pb::FindSlotsRequest { overtime: true, slots_max: 1, ..searching(agreement) };
    let found = find(here, overtime).await.unwrap();
    assert_eq!(found.slots[0].period, Some(period_to_pb(whole(1))));
    assert_eq!(found.slots[0].rest_days, [day(nth(1)).unwrap()]);
    let half = pb::FindSlotsRequest { days: 0, half_days: 1, slots_max: 1, ..searching(agreement) };
    let found = find(here, half).await.unwrap();
    let afternoon = Period::half_day(HalfDay::afternoon(monday()));
    assert_eq!(found.slots[0].period, Some(period_to_pb(afternoon)));
    let later = |month, day| Some(pb::Date { year: monday().year() + 2, month, day });
    let unknown = pb::FindSlotsRequest {
        from: later(1, 1),
        until: later(1, 3),
        slots_max: 1,
        ..searching(agreement)
    };
    let found = find(here, unknown).await.unwrap();
    assert!(found.slots[0].provisional, "never Monday to Friday");
    let many = pb::FindSlotsRequest { participants: needs(&[(HERE, 3)]), ..searching(agreement) };
    let found = find(here, many).await.unwrap();
    assert!(found.slots.is_empty(), "what has run out or is retired does not count");
    assert_eq!(found.hindrances[0].missing, 1);
}

/// A city may send others in the afternoon than in the morning, as to a plan; the window says so,
/// and whoever wants the same all along asks for it.
async fn in_shifts((here, there): (&Client, &Client), agreement: &str, theirs: &[String]) {
    let on = nth(14);
    block(there, &theirs[0], &[Period::half_day(HalfDay::afternoon(on))]).await.unwrap();
    let morning = Period::half_day(HalfDay::morning(on));
    block(there, &theirs[1], &[morning]).await.unwrap();
    let asked = |same_units: bool| pb::FindSlotsRequest {
        participants: needs(&[(HERE, 1), (THERE, 1)]),
        from: day(on),
        until: day(nth(16)),
        slots_max: 1,
        overtime: true,
        same_units,
        ..searching(agreement)
    };
    let first = until("both blocks are known here", async || {
        let found = find(here, asked(false)).await.unwrap();
        found.slots.first().filter(|one| !one.in_shifts.is_empty()).cloned()
    });
    let first = first.await;
    assert_eq!((first.period, first.in_shifts), (Some(period_to_pb(whole(14))), vec![THERE]));
    let found = find(here, asked(true)).await.unwrap();
    let first = &found.slots[0];
    assert_eq!(first.period, Some(period_to_pb(whole(15))));
    assert_eq!(first.in_shifts, [0; 0]);
    let why = &found.hindrances[0];
    assert_eq!(
        (why.city, why.missing, why.kind()),
        (THERE, 1, pb::SlotHindranceKind::UnitsMissing)
    );
}

async fn bad_windows(here: &Client, agreement: &str) {
    let cases: [Row<'_, pb::FindSlotsRequest>; 15] = [
        ("NAME_FORMAT", &|asked| asked.parent = "agreements/x".into()),
        ("REQUIRED", &|asked| asked.from = None),
        ("DATES_ORDER", &|asked| asked.until = day(nth(-1))),
        ("PERIOD_TOO_LONG", &|asked| asked.until = day(nth(92))),
        ("REQUIRED", &|asked| asked.days = 0),
        ("SLOT_LENGTH", &|asked| asked.half_days = 1),
        ("OUT_OF_RANGE", &|asked| asked.days = 15),
        ("OUT_OF_RANGE", &|asked| asked.slots_max = 11),
        ("OUT_OF_RANGE", &|asked| asked.slots_max = -1),
        ("REQUIRED", &|asked| asked.participants.clear()),
        ("CITY_NOT_MEMBER", &|asked| asked.participants[0].city = 410_900),
        ("CITY_CODE", &|asked| asked.participants[0].city = 1),
        ("DUPLICATE", &|asked| asked.participants[1].city = HERE),
        ("OUT_OF_RANGE", &|asked| asked.participants[0].needs[0].count = 0),
        ("CODE_UNKNOWN", &|asked| {
            asked.participants[0].needs[0].kind = pb::UnitKind::WholeCity.into();
        }),
    ];
    for (nth, (reason, change)) in cases.into_iter().enumerate() {
        let mut asked = searching(agreement);
        change(&mut asked);
        let refusal = refused(find(here, asked).await.map(drop));
        assert_eq!(refusal, bad(reason), "row {nth}");
    }
}

/// Free and busy, half day by half day; what is not valid or retired is not counted.
async fn counts(here: &Client, agreement: &str, away: &str) {
    let asked = pb::QueryFreeBusyRequest {
        parent: agreement.to_owned(),
        cities: vec![THERE],
        from: day(monday()),
        until: day(nth(1)),
    };
    let found = here.units().query_free_busy(asked.clone()).await.unwrap().into_inner();
    let of = |counts: &pb::HalfDayCounts| (counts.counts[0].valid, counts.counts[0].busy);
    let all: Vec<_> = found.cities[0].half_days.iter().map(of).collect();
    assert_eq!(all, [(2, 1), (2, 0), (2, 0), (2, 0)]);
    assert_eq!((found.units.len(), found.units[0].name.as_str()), (1, away));
    let every = pb::QueryFreeBusyRequest { cities: Vec::new(), ..asked.clone() };
    let found = here.units().query_free_busy(every).await.unwrap().into_inner();
    let codes: Vec<u32> = found.cities.iter().map(|city| city.city).collect();
    assert_eq!(codes, [THERE, DEZHOU, HERE]);
    assert_eq!(of(&found.cities[2].half_days[0]), (2, 0));
    assert!(found.units.is_empty(), "unit by unit only of one city");
    let wrong = pb::QueryFreeBusyRequest { cities: vec![410_900], ..asked.clone() };
    let refusal = refused(here.units().query_free_busy(wrong).await.map(drop));
    assert_eq!(refusal, bad("CITY_NOT_MEMBER"));
    let long = pb::QueryFreeBusyRequest { until: day(nth(92)), ..asked };
    let refusal = refused(here.units().query_free_busy(long).await.map(drop));
    assert_eq!(refusal, bad("PERIOD_TOO_LONG"));

    let mut all = list(here, |_| {}).await;
    all.sort();
    let numbers = ["13040099001", "13040099002", "37140099001", "37150099001", "37150099002"];
    assert_eq!(
        all,
        [
            "",
            "13040099001",
            "13040099002",
            "37140099001",
            "37150099001",
            "37150099002",
            "37150099003"
        ],
        "the calendar of a whole city has no number"
    );
    let mut valid = list(here, |asked| {
        (asked.valid_on, asked.kind) = (day(monday()), OFFICER.into());
    })
    .await;
    valid.sort();
    assert_eq!(valid, numbers);
    let own = |asked: &mut pb::ListUnitsRequest| {
        (asked.city, asked.with_retired) = (HERE, true);
    };
    assert_eq!(list(here, own).await[0], "37150099004", "the newest first");
    let water = |asked: &mut pb::ListUnitsRequest| asked.department = pb::Department::Water.into();
    assert!(list(here, water).await.is_empty());
}

fn run(nodes: &Nodes, args: &[&str]) -> Output {
    let folder = nodes.fleet.folder(HERE);
    let mut command = std::process::Command::new(exe());
    command.args(["unit", "--profile", "client.toml"]).args(args).current_dir(&folder);
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

/// From the command line: a table, windows, and a calendar file.
fn by_hand(nodes: &Nodes, agreement: &str) {
    let folder = nodes.fleet.folder(HERE);
    let (from, until) = (monday().to_string(), nth(2).to_string());
    let days = ["--from", &from, "--until", &until];
    let table = said(&run(nodes, &[["busy"].as_slice(), &days].concat()));
    for part in ["执法人员 2/2", "全市占用", "空闲数/有效数"] {
        assert!(table.contains(part), "{part}\n{table}");
    }
    let asked =
        ["slots", "--need", "371500:执法人员=2", "--need", "130400:执法人员=2", "--days", "1"];
    let windows = said(&run(nodes, &[asked.as_slice(), &days].concat()));
    for part in ["邯郸缺执法人员1名", "为休息日", &until] {
        assert!(windows.contains(part), "{part}\n{windows}");
    }
    // 20 000 is no year of ours: an event that cannot be read keeps all of them back.
    let (begins, ends) = (nth(7).to_string().replace('-', ""), nth(9).to_string().replace('-', ""));
    let good = format!(
        "BEGIN:VEVENT\r\nUID:a\r\nDTSTART;VALUE=DATE:{begins}\r\n\
        DTEND;VALUE=DATE:{ends}\r\nSUMMARY:机密行程\r\nEND:VEVENT\r\n"
    );
    let unread = "BEGIN:VEVENT\r\nUID:b\r\nDTSTART:20260101T090000\r\nSUMMARY:每月例会\r\n\
        RRULE:FREQ=MONTHLY\r\nEND:VEVENT\r\n";
    let file =
        |events: &str| format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n");
    std::fs::write(folder.join("both.ics"), file(&format!("{good}{unread}"))).unwrap();
    let import = ["busy", "import", "both.ics", "--unit", "37150099001"];
    let refused = run(nodes, &import);
    assert!(!refused.status.success() && said(&refused).contains("每月例会"), "{refused:?}");
    let shown = run(nodes, &[import.as_slice(), &["--dry-run", "--skip"]].concat());
    assert!(shown.status.success() && said(&shown).contains("机密行程"), "{shown:?}");
    let show = || said(&run(nodes, &["show", "37150099001"]));
    assert!(!show().contains("占用"), "nothing was written yet");
    let done = run(nodes, &[import.as_slice(), &["--skip"]].concat());
    assert!(done.status.success(), "{done:?}");
    let busy = show();
    assert!(busy.contains(&format!("{}上午 至 {}下午", nth(7), nth(8))), "{busy}");
    assert!(!super::rebuild::holds(&folder.join("data"), "机密行程".as_bytes()));
    let period = format!("{} 至 {}", nth(7), nth(8));
    let freed = run(nodes, &["free", "37150099001", &period, "--json"]);
    assert!(freed.status.success() && said(&freed).contains(agreement), "{freed:?}");
    assert!(!show().contains("占用"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_say_what_of_a_unit_between_cities() {
    let cities = [HERE, THERE, DEZHOU];
    let two = [HERE, THERE];
    let nodes = start(&cities, &[("聊邯德", &cities), ("聊邯", &two)]);
    let of = |nth: usize| nodes.fleet.agreements[nth].name();
    let (wide, narrow) = (of(0), of(1));
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    let dezhou = nodes.client(DEZHOU).await;
    for client in [&here, &there] {
        ready(client, &wide).await;
        ready(client, &narrow).await;
    }
    // One officer in two agreements: only its own city knows.
    let unit = create(&here, request(&wide, "37150099001")).await.unwrap();
    let again = request(&wide, "37150099001");
    assert_eq!(refused(create(&here, again).await).1, "UNIT_KNOWN");
    let like = create(&here, request(&narrow, "37150099001")).await.unwrap();
    let asked = blocking(&unit.name, &[whole(0)]);
    let done = here.units().block_unit(asked.clone()).await.unwrap().into_inner();
    let names: Vec<&str> = done.writes.iter().map(|write| write.name.as_str()).collect();
    assert_eq!(names, [unit.name.as_str(), &like.name], "the agreement asked for first");
    let twice = here.units().block_unit(asked.clone()).await.unwrap().into_inner();
    assert!(twice.writes.iter().all(|write| write.receipt.as_ref().unwrap().replayed));
    let other = pb::BlockUnitRequest { periods: vec![period_to_pb(whole(1))], ..asked };
    let mismatch = refused(here.units().block_unit(other).await.map(drop));
    assert_eq!(mismatch, (Code::AlreadyExists, "IDEMPOTENCY_MISMATCH".to_owned()));
    for name in [&unit.name, &like.name] {
        let seen = until("the other city sees it", async || {
            get(&there, name).await.ok().filter(|unit| !unit.busy.is_empty())
        });
        assert_eq!(busy(&seen.await), [whole(0)]);
    }
    let freed = free(&here, &like.name, &[whole(0)]).await.unwrap();
    assert_eq!(freed.writes.len(), 2);
    assert!(busy(&get(&here, &unit.name).await.unwrap()).is_empty());

    // The third city has one of the two agreements only.
    until("the third city sees its own", async || get(&dezhou, &unit.name).await.ok()).await;
    let unseen = refused(get(&dezhou, &like.name).await);
    assert_eq!(unseen, (Code::NotFound, "NOT_FOUND".to_owned()));
    assert_eq!(list(&dezhou, |_| {}).await.len(), 1);

    // Nobody but its own city says anything of it.
    until("the other city has it", async || get(&there, &like.name).await.ok()).await;
    let theirs = get(&there, &unit.name).await.unwrap();
    assert_eq!(refused(block(&there, &unit.name, &[whole(0)]).await), told("NOT_UNIT_CITY"));
    assert_eq!(refused(free(&there, &unit.name, &[whole(0)]).await), told("NOT_UNIT_CITY"));
    let taken = update(&there, &theirs, |_| {}).await;
    assert_eq!(refused(taken), told("NOT_UNIT_CITY"));
    let auditor = nodes.client_as(HERE, Role::Auditor).await;
    let refusal = refused(block(&auditor, &unit.name, &[whole(0)]).await);
    assert_eq!(refusal, told("ROLE_NOT_ALLOWED"));

    // A change rests on what was read. With another number it is another officer.
    let renewed = update(&here, &unit, |request| {
        request.facts.as_mut().unwrap().valid_until = day(today().plus_days(2_000).unwrap());
    })
    .await
    .unwrap();
    let stale = refused(update(&here, &unit, |_| {}).await);
    assert_eq!(stale, (Code::Aborted, "UNIT_CHANGED".to_owned()));
    let second = create(&here, request(&wide, "37150099002")).await.unwrap();
    let renamed = update(&here, &second, |request| {
        request.record.as_mut().unwrap().number = "37150099001".into();
    })
    .await;
    assert_eq!(refused(renamed).1, "UNIT_KNOWN");
    let renamed = update(&here, &renewed, |request| {
        request.record.as_mut().unwrap().number = "37150099009".into();
    });
    let renamed = renamed.await.unwrap();
    assert_eq!(block(&here, &like.name, &[whole(2)]).await.unwrap().writes.len(), 1);
    assert_eq!(block(&here, &renamed.name, &[whole(3)]).await.unwrap().writes.len(), 1);
    bad_input(&here, &wide, &renamed).await;
}

async fn bad_input(here: &Client, agreement: &str, unit: &pb::Unit) {
    let before = list(here, |_| {}).await;
    let created: [Row<'_, pb::CreateUnitRequest>; 9] = [
        ("REQUIRED", &|asked| asked.facts = None),
        ("REQUIRED", &|asked| asked.facts.as_mut().unwrap().kind = 0),
        ("CODE_UNKNOWN", &|asked| asked.facts.as_mut().unwrap().kind = 99),
        ("REQUIRED", &|asked| asked.facts.as_mut().unwrap().department = 0),
        ("REQUIRED", &|asked| asked.facts.as_mut().unwrap().valid_until = None),
        ("DATES_ORDER", &|asked| {
            asked.facts.as_mut().unwrap().valid_until = day(today().plus_days(-901).unwrap());
        }),
        ("UNIT_WHOLE_CITY", &|asked| {
            asked.facts.as_mut().unwrap().kind = pb::UnitKind::WholeCity.into();
        }),
        ("CERT_NO", &|asked| asked.record.as_mut().unwrap().number = "3715-0099".into()),
        ("REQUIRED", &|asked| asked.record.as_mut().unwrap().team = " ".into()),
    ];
    for (nth, (reason, change)) in created.into_iter().enumerate() {
        let mut asked = request(agreement, "37150099077");
        change(&mut asked);
        assert_eq!(refused(create(here, asked).await), bad(reason), "row {nth}");
    }
    assert_eq!(list(here, |_| {}).await, before, "nothing was written");
    let ahead = today().plus_days(4 * 366).unwrap();
    let long = vec![whole(0); 65];
    let yesterday = Period::day(today().plus_days(-1).unwrap());
    for (reason, periods) in [
        ("REQUIRED", [].as_slice()),
        ("LIST_TOO_LONG", &long),
        ("PERIOD_PAST", &[whole(0), yesterday]),
        ("PERIOD_TOO_FAR", &[Period::day(ahead)]),
    ] {
        assert_eq!(refused(block(here, &unit.name, periods).await), bad(reason), "{reason}");
    }
    let half = |on, half: pb::DayHalf| Some(pb::HalfDay { on, half: half.into() });
    let morning = pb::DayHalf::Morning;
    let wrong = Some(pb::Date { year: 2026, month: 2, day: 30 });
    let later = today().plus_days(367).unwrap();
    for (reason, first, last) in [
        ("REQUIRED", None, half(day(nth(0)), morning)),
        ("REQUIRED", half(day(nth(0)), morning), half(day(nth(0)), pb::DayHalf::Unspecified)),
        ("DATE_RANGE", half(wrong, morning), half(day(nth(0)), morning)),
        ("DATES_ORDER", half(day(nth(1)), morning), half(day(nth(0)), morning)),
        ("PERIOD_TOO_LONG", half(day(today()), morning), half(day(later), morning)),
    ] {
        let mut asked = blocking(&unit.name, &[]);
        asked.periods = vec![pb::Period { first, last }];
        let refusal = refused(here.units().block_unit(asked).await.map(drop));
        assert_eq!(refusal, bad(reason), "{reason}");
    }
    let retired = update(here, unit, |request| request.facts.as_mut().unwrap().retired = true);
    let retired = retired.await.unwrap();
    let late = (Code::FailedPrecondition, "UNIT_RETIRED".to_owned());
    assert_eq!(refused(block(here, &retired.name, &[whole(5)]).await), late);
    let never = format!("{agreement}/units/city");
    assert_eq!(refused(free(here, &never, &[whole(0)]).await).1, "NOT_FOUND");
    let nobody = format!("{agreement}/units/{}", "0".repeat(32));
    assert_eq!(refused(block(here, &nobody, &[whole(0)]).await).1, "NOT_FOUND");
    let named = format!("{agreement}/units/x");
    assert_eq!(refused(block(here, &named, &[whole(0)]).await), bad("NAME_FORMAT"));
}

/// The node dies while a block is written in one agreement after the other.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_was_cut_in_between_is_completed_by_sending_it_again() {
    let two = [HERE, THERE];
    let agreements: Vec<(String, &[u32])> =
        (0..8).map(|nth| (format!("聊邯{nth}"), two.as_slice())).collect();
    let agreements: Vec<(&str, &[u32])> =
        agreements.iter().map(|(name, members)| (name.as_str(), *members)).collect();
    let mut nodes = Nodes::lay_out(&plan(&two, &agreements));
    nodes.start(HERE);
    let mut names = Vec::new();
    let here = nodes.client(HERE).await;
    for agreement in nodes.fleet.agreements.clone() {
        ready(&here, &agreement.name()).await;
        let made = create(&here, request(&agreement.name(), "37150099001")).await.unwrap();
        names.push(made.name);
    }
    let (mut cut, mut round) = (0, 0_u64);
    while cut == 0 && round < 40 {
        round += 1;
        let period = Period::day(today().plus_days(i64::try_from(round).unwrap()).unwrap());
        let asked = blocking(&names[0], &[period]);
        let (client, first) = (nodes.client(HERE).await, asked.clone());
        let writing = tokio::spawn(async move { client.units().block_unit(first).await.is_ok() });
        tokio::time::sleep(std::time::Duration::from_micros(round * 1_700 % 23_000)).await;
        nodes.kill(HERE);
        let answered = writing.await.unwrap();
        nodes.start(HERE);
        let here = nodes.client(HERE).await;
        let has = async |name: &str| {
            busy(&get(&here, name).await.unwrap()).iter().any(|one| one.overlaps(period))
        };
        let mut written = 0;
        for name in &names {
            written += usize::from(has(name).await);
        }
        assert!(!answered || written == names.len(), "what was answered is written");
        cut += usize::from((1..names.len()).contains(&written));
        let done = until("the node may be written to again", async || {
            here.units().block_unit(asked.clone()).await.ok()
        });
        let done = done.await.into_inner();
        let again = done.writes.iter().filter(|one| one.receipt.as_ref().unwrap().replayed);
        assert_eq!((done.writes.len(), again.count()), (names.len(), written), "round {round}");
        for name in &names {
            assert!(has(name).await, "{name}");
        }
    }
    assert!(cut > 0, "no round was cut in between");
}
