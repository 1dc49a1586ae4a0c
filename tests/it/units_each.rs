//! One officer in several agreements, on a real node: what is said of him in one is said in all of
//! them, whichever refuses, whoever comes later, and whatever a request id was used for before.

use liandong::cli::connect::Client;
use liandong::domain::{Date, Period};
use liandong::wire::pb::v1 as pb;
use liandong::wire::unit::{period_from_pb, period_to_pb};
use tonic::{Code, Response, Status};

use super::api::{HERE, THERE, fresh, ready, refused};
use super::nodes::{Nodes, plan};

fn day(days: i64) -> Date {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
    let today = Date::beijing(i64::try_from(now).unwrap()).unwrap();
    today.plus_days(days).unwrap()
}

fn on(days: i64) -> Period {
    Period::day(day(days))
}

fn date(days: i64) -> Option<pb::Date> {
    let date = day(days);
    Some(pb::Date { year: date.year(), month: date.month().into(), day: date.day().into() })
}

async fn create(client: &Client, agreement: &str, number: &str) -> pb::Unit {
    let asked = pb::CreateUnitRequest {
        parent: agreement.to_owned(),
        facts: Some(pb::UnitFacts {
            kind: pb::UnitKind::Officer.into(),
            department: pb::Department::EcologyEnvironment.into(),
            valid_from: date(-900),
            valid_until: date(900),
            retired: false,
        }),
        record: Some(pb::UnitRecord { number: number.to_owned(), team: "执法一大队".into() }),
        request_id: fresh(),
        acting_for: None,
    };
    client.units().create_unit(asked).await.unwrap().into_inner().unit.unwrap()
}

async fn update(
    client: &Client,
    unit: &pb::Unit,
    number: &str,
    retired: bool,
) -> pb::UpdateUnitResponse {
    let (department, valid_from) = (unit.department, unit.valid_from);
    let valid_until = unit.valid_until;
    let facts = pb::UnitFacts { kind: 0, department, valid_from, valid_until, retired };
    let asked = pb::UpdateUnitRequest {
        name: unit.name.clone(),
        etag: unit.etag.clone(),
        facts: Some(facts),
        record: Some(pb::UnitRecord { number: number.to_owned(), team: "执法一大队".into() }),
        request_id: fresh(),
        acting_for: None,
    };
    client.units().update_unit(asked).await.unwrap().into_inner()
}

/// Blocks under a request id; returns the names written, and how many of them had been before.
async fn block(
    client: &Client,
    name: &str,
    periods: &[Period],
    request_id: &str,
) -> Result<(Vec<String>, usize), Status> {
    let asked = pb::BlockUnitRequest {
        name: name.to_owned(),
        periods: periods.iter().copied().map(period_to_pb).collect(),
        request_id: request_id.to_owned(),
        acting_for: None,
    };
    let done = client.units().block_unit(asked).await.map(Response::into_inner)?;
    let again = done.writes.iter().filter(|one| one.receipt.as_ref().unwrap().replayed).count();
    Ok((done.writes.into_iter().map(|one| one.name).collect(), again))
}

async fn busy(client: &Client, name: &str) -> Vec<Period> {
    let request = pb::GetUnitRequest { name: name.to_owned() };
    let unit = client.units().get_unit(request).await.unwrap().into_inner().unit.unwrap();
    unit.busy.iter().map(|one| period_from_pb(one).unwrap()).collect()
}

/// A city with four agreements.
async fn laid_out() -> (Nodes, Client, Vec<String>) {
    let two = [HERE, THERE];
    let agreements =
        [("聊邯一", two.as_slice()), ("聊邯二", &two), ("聊邯三", &two), ("聊邯四", &two)];
    let mut nodes = Nodes::lay_out(&plan(&two, &agreements));
    nodes.start(HERE);
    let here = nodes.client(HERE).await;
    let names: Vec<String> = nodes.fleet.agreements.iter().map(|one| one.name()).collect();
    for agreement in &names {
        ready(&here, agreement).await;
    }
    (nodes, here, names)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_in_one_agreement_is_said_in_all() {
    let (_nodes, here, agreements) = laid_out().await;
    let here = &here;
    let number = "37150099001";
    let mut units = Vec::new();
    for agreement in &agreements[..3] {
        units.push(create(here, agreement, number).await);
    }
    let names: Vec<String> = units.iter().map(|unit| unit.name.clone()).collect();
    let mismatch = (Code::AlreadyExists, "IDEMPOTENCY_MISMATCH".to_owned());

    // An id that was used for another request is refused before anything is written.
    let id = fresh();
    let (written, again) = block(here, &names[0], &[on(1)], &id).await.unwrap();
    assert_eq!((written.len(), again, &written[0]), (3, 0, &names[0]));
    assert_eq!(refused(block(here, &names[1], &[on(1)], &id).await), mismatch);
    assert_eq!(refused(block(here, &names[1], &[on(2)], &id).await), mismatch);
    for name in &names {
        assert_eq!(busy(here, name).await, [on(1)], "{name}");
    }

    // He comes busy into an agreement in which he is registered later.
    let later = create(here, &agreements[3], number).await;
    assert_eq!(busy(here, &later.name).await, [on(1)]);
    // The request that was made before is completed there: as one is that was cut in between.
    let (written, again) = block(here, &names[0], &[on(1)], &id).await.unwrap();
    assert_eq!((written.len(), again), (4, 3));
    assert!(written.contains(&later.name));

    // Retired in one of them.
    let retired = update(here, &units[1], number, true).await;
    assert!(retired.parted.is_empty(), "{retired:?}");
    let (written, _) = block(here, &names[0], &[on(3)], &fresh()).await.unwrap();
    assert_eq!(written.len(), 3);
    assert!(!written.contains(&names[1]));
    let late = (Code::FailedPrecondition, "UNIT_RETIRED".to_owned());
    assert_eq!(refused(block(here, &names[1], &[on(4)], &fresh()).await), late);
    assert_eq!(busy(here, &names[2]).await, [on(1), on(3)]);

    // Another number parts him from the others, and it is said from which.
    let parted = update(here, &units[2], "37150099002", false).await.parted;
    let mut others = vec![names[0].clone(), names[1].clone(), later.name.clone()];
    others.sort_unstable();
    assert_eq!(parted, others);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_city_as_a_whole_is_one_in_all_its_agreements() {
    let (_nodes, here, agreements) = laid_out().await;
    let here = &here;
    let whole = |agreement: &str| format!("{agreement}/units/city");
    let (written, _) = block(here, &whole(&agreements[0]), &[on(1)], &fresh()).await.unwrap();
    assert_eq!(written.len(), 4);
    // Named by its id it is the same.
    let (again, _) = block(here, &written[2], &[on(3)], &fresh()).await.unwrap();
    assert_eq!((again.len(), &again[0]), (4, &written[2]));
    for agreement in &agreements {
        assert_eq!(busy(here, &whole(agreement)).await, [on(1), on(3)], "{agreement}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_asks_about_an_agreement_that_is_none_here() {
    let (_nodes, here, _) = laid_out().await;
    let nowhere = format!("agreements/{}", "7".repeat(32));
    let not_found = (Code::NotFound, "NOT_FOUND".to_owned());
    let (from, until) = (date(1), date(2));
    let parent = nowhere.clone();
    let asked = pb::QueryFreeBusyRequest { parent, cities: Vec::new(), from, until };
    assert_eq!(refused(here.units().query_free_busy(asked).await), not_found);
    let one = pb::CityNeeds { city: HERE, needs: Vec::new() };
    let asked = pb::FindSlotsRequest {
        parent: nowhere,
        participants: vec![one],
        half_days: 1,
        from,
        until,
        ..Default::default()
    };
    assert_eq!(refused(here.units().find_slots(asked).await), not_found);
}
