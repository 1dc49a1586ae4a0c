//! Borders through the interfaces people use: the city of a point, how far the others are, and the
//! list of cases near a border, each against a plain computation of its own.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use liandong::cli::connect::Client;
use liandong::geo::{BELT_METRES_DEFAULT, Boundaries, Point};
use liandong::ids::CityCode;
use liandong::wire::pb::v1 as pb;
use tonic::Code;

use super::api::{HERE, THERE, create, fact, list_all, ready, refused, sample};
use super::geo_oracle::{FARTHEST, Row, SHIPPED, near, rows};
use super::nodes::{Nodes, exe, plan, until};

const THIRD: u32 = 410_900;
const FIVE: [u32; 5] = [HERE, THERE, THIRD, 371_400, 370_900];

fn city(code: u32) -> CityCode {
    CityCode::from_u32(code).unwrap()
}

fn degrees(e7: i64) -> String {
    assert_eq!(e7 % 10, 0, "the oracle has six decimals");
    format!("{}.{:06}", e7 / 10_000_000, e7 % 10_000_000 / 10)
}

/// A case at a point.
fn at(agreement: &str, longitude: &str, latitude: &str) -> pb::CreateCaseRequest {
    let mut request = sample(agreement, 0);
    let place = request.record.as_mut().unwrap().location.as_mut().unwrap();
    (place.longitude, place.latitude) = (longitude.to_owned(), latitude.to_owned());
    request
}

/// How far a city's node says that the other members are from a point; 0 inside.
async fn distances(client: &Client, agreement: &str, row: &Row) -> BTreeMap<u32, u32> {
    let (longitude, latitude) = (degrees(row.point.lon_e7()), degrees(row.point.lat_e7()));
    let case = create(client, at(agreement, &longitude, &latitude)).await.unwrap();
    let borders = case.facts.unwrap().border_distances;
    borders.iter().map(|border| (border.city, border.metres)).collect()
}

fn run(nodes: &Nodes, args: &[&str]) -> Output {
    let mut command = Command::new(exe());
    command.arg("case").args(args).args(["--profile", "client.toml"]);
    command.current_dir(nodes.fleet.folder(HERE)).output().unwrap()
}

/// Two of five cities say of each point how far the others are. Together that is the distance to
/// all five, and the city is the one at which it is 0.
#[tokio::test(flavor = "multi_thread")]
async fn f22_a_point_has_its_city_and_its_distances() {
    let mut nodes = Nodes::lay_out(&plan(&FIVE, &[("五市", &FIVE)]));
    nodes.start(HERE);
    nodes.start(THERE);
    let agreement = nodes.fleet.agreements[0].name();
    let (here, there) = (nodes.client(HERE).await, nodes.client(THERE).await);
    ready(&here, &agreement).await;
    ready(&there, &agreement).await;
    let mut outside = 0;
    assert_eq!(rows().len(), 100);
    for (n, row) in rows().iter().enumerate() {
        let mut all = distances(&here, &agreement, row).await;
        let theirs = distances(&there, &agreement, row).await;
        assert_eq!((all.len(), theirs.len()), (4, 4), "row {n}");
        for (code, metres) in &theirs {
            assert_eq!(all.get(code).unwrap_or(metres), metres, "row {n}: both say the same");
        }
        all.extend(theirs);
        let inside: Vec<CityCode> =
            all.iter().filter(|(_, metres)| **metres == 0).map(|(code, _)| city(*code)).collect();
        assert_eq!(inside, Vec::from_iter(row.city), "row {n}");
        let others = all.iter().filter(|(code, _)| Some(city(**code)) != row.city);
        let (nearest, metres) = others.min_by_key(|(_, metres)| **metres).unwrap();
        match row.nearest {
            Some((want, theirs)) => {
                assert_eq!(city(*nearest), want, "row {n}");
                assert!(near(*metres, theirs), "row {n}: {metres} m, the oracle says {theirs}");
            }
            None => assert!(*metres > FARTHEST, "row {n}: {metres} m"),
        }
        outside += usize::from(row.city.is_none());
    }
    assert_eq!(outside, 9);
    // The same from the command line.
    let page = run(&nodes, &["list", "--page-size", "1", "--json"]);
    let page: serde_json::Value = serde_json::from_slice(&page.stdout).unwrap();
    let shown = run(&nodes, &["show", page["cases"][0]["number"].as_str().unwrap()]);
    let shown = String::from_utf8(shown.stdout).unwrap();
    let want = page["cases"][0]["facts"]["border_distances"][0]["metres"].to_string();
    assert!(shown.contains(&want), "{want}: {shown}");
    beyond(&here, &agreement).await;
}

/// What is too far from every neighbour, and what is nowhere, is refused.
async fn beyond(here: &Client, agreement: &str) {
    let total = list_all(here, agreement).await.len();
    let far = rows().into_iter().find(|row| {
        let metres = row.nearest.map_or(0.0, |(_, metres)| metres);
        row.city == Some(city(HERE)) && metres > f64::from(BELT_METRES_DEFAULT) * 1.1
    });
    let far = far.unwrap();
    let (longitude, latitude) = (degrees(far.point.lon_e7()), degrees(far.point.lat_e7()));
    let mut request = at(agreement, &longitude, &latitude);
    request.record.as_mut().unwrap().belt_reason.clear();
    let status = create(here, request).await.unwrap_err();
    let metres: u32 = fact(&status, "metres").parse().unwrap();
    assert!(near(metres, far.nearest.unwrap().1), "{metres}");
    assert_eq!(refused::<()>(Err(status)), (Code::FailedPrecondition, "OUTSIDE_BELT".to_owned()));
    for (longitude, latitude, want) in [
        ("0.000000", "0.000000", "COORDINATE_RANGE"),
        ("139.691700", "35.689500", "COORDINATE_RANGE"),
        ("115,5", "36.100000", "COORDINATE_FORMAT"),
        ("", "36.100000", "COORDINATE_FORMAT"),
    ] {
        let status = create(here, at(agreement, longitude, latitude)).await;
        let (code, reason) = refused(status);
        assert_eq!((code, reason.as_str()), (Code::InvalidArgument, want), "{longitude}");
    }
    assert_eq!(list_all(here, agreement).await.len(), total, "nothing was written");
}

/// What a list near a border must show, worked out from the points alone: a case of that city by
/// its distance to the city that asks, any other by its distance to that city.
fn by_force(all: &[pb::Case], viewer: u32, border: u32, most: u32) -> Vec<String> {
    let map = Boundaries::parse(SHIPPED).unwrap();
    let takes = |case: &&pb::Case| {
        let author = case.originating_city;
        let target = if author == border { viewer } else { border };
        let place = case.record.as_ref().unwrap().location.as_ref().unwrap();
        let e7 = |text: &str| (text.parse::<f64>().unwrap() * 1e7).round() as i64;
        let point = Point::new(e7(&place.longitude), e7(&place.latitude)).unwrap();
        let metres = map.distances(point, Some(city(author)), &[city(target)]);
        metres.first().is_some_and(|(_, metres)| *metres <= most)
    };
    all.iter().filter(takes).map(|case| case.name.clone()).collect()
}

async fn page(client: &Client, request: &pb::ListCasesRequest) -> pb::ListCasesResponse {
    client.cases().list_cases(request.clone()).await.unwrap().into_inner()
}

fn names(cases: &[pb::Case]) -> Vec<String> {
    cases.iter().map(|case| case.name.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn f23_cases_near_a_border_are_listed() {
    let three = [HERE, THERE, THIRD];
    let nodes = Nodes::start_all(&plan(&three, &[("三市", &three)]));
    let agreement = nodes.fleet.agreements[0].name();
    let mut clients = Vec::new();
    for code in three {
        let client = nodes.client(code).await;
        ready(&client, &agreement).await;
        clients.push((code, client));
    }
    for nth in 0..40 {
        create(&clients[nth % 3].1, sample(&agreement, nth)).await.unwrap();
    }
    let (mut some, mut fewer) = (0, 0);
    for (viewer, client) in &clients {
        let all = until("all cases are here", || async {
            Some(list_all(client, &agreement).await).filter(|all| all.len() == 40)
        })
        .await;
        for border in three {
            for most in [1, 500, 3_000, 20_000, 60_000, u32::MAX] {
                let request = pb::ListCasesRequest {
                    parent: agreement.clone(),
                    near_city: border,
                    near_metres: most,
                    page_size: 200,
                    ..Default::default()
                };
                let want = by_force(&all, *viewer, border, most);
                let got = page(client, &request).await;
                let asked = format!("{viewer} asks for {most} m from {border}");
                assert_eq!(names(&got.cases), want, "{asked}");
                assert_eq!(got.total_size as usize, want.len(), "{asked}");
                some += usize::from(!want.is_empty());
                fewer += usize::from(want.len() < all.len());
            }
        }
    }
    assert!(
        some > 20 && fewer > 20,
        "{some} {fewer}: filters that take all or nothing show little"
    );
    let (_, here) = &clients[0];
    stable(here, &agreement).await;
    by_hand(&nodes, here, &agreement).await;
    wrong_questions(&nodes, here, &agreement).await;
}

/// Pages go on as they began while cases near the border are opened.
async fn stable(here: &Client, agreement: &str) {
    let mut request = pb::ListCasesRequest {
        parent: agreement.to_owned(),
        near_city: THERE,
        near_metres: 60_000,
        page_size: 200,
        ..Default::default()
    };
    let before = names(&page(here, &request).await.cases);
    request.page_size = 4;
    let (mut got, mut opened) = (Vec::new(), 0);
    loop {
        let page = page(here, &request).await;
        assert_eq!(page.total_size as usize, before.len(), "as of the first page");
        got.extend(names(&page.cases));
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
        create(here, sample(agreement, 0)).await.unwrap();
        opened += 1;
    }
    assert_eq!(got, before);
    assert!(opened > 1);
    request.page_token.clear();
    let after = page(here, &request).await.total_size as usize;
    assert_eq!(after, before.len() + opened, "and the new ones are near the border");
}

async fn by_hand(nodes: &Nodes, here: &Client, agreement: &str) {
    let all = list_all(here, agreement).await;
    let want = by_force(&all, HERE, THIRD, 30_000);
    let args = ["list", "--near", "410900", "--within", "30000", "--all", "--json"];
    let output = run(nodes, &args);
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let listed: Vec<&str> =
        listed["cases"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
    assert_eq!(listed, want);
    assert!(!want.is_empty() && want.len() < all.len());
}

async fn wrong_questions(nodes: &Nodes, here: &Client, agreement: &str) {
    for (near_city, near_metres, want) in [
        (42, 500, "CITY_CODE"),
        (110_100, 500, "NEAR_NOT_MEMBER"),
        (371_400, 500, "NEAR_NOT_MEMBER"),
        (THERE, 0, "FILTER_INCOMPLETE"),
        (0, 500, "FILTER_INCOMPLETE"),
    ] {
        let parent = agreement.to_owned();
        let request = pb::ListCasesRequest { parent, near_city, near_metres, ..Default::default() };
        let (code, reason) = refused(here.cases().list_cases(request).await);
        assert_eq!((code, reason.as_str()), (Code::InvalidArgument, want), "{near_city}");
    }
    for args in [
        ["list", "--near", "130400", "--all"].as_slice(),
        &["list", "--near", "130400", "--within=-1"],
        &["list", "--near", "邯郸", "--within", "500"],
        &["list", "--near", "130400", "--within", "0"],
    ] {
        let output = run(nodes, args);
        assert!(!output.status.success() && output.stdout.is_empty(), "{args:?}");
    }
}
