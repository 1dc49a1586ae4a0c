//! Monthly statistics over the API of real nodes, against numbers counted by hand.
//!
//! How they were counted: the forty cases of `demo/sample-cases.json` were written down by agreement
//! (7 邯濮, 9 聊邯, 4 泰濮, 4 聊泰, 9 聊德, 7 聊濮), each with its source and the dates of its timeline at
//! which it was opened, offered, accepted, filed and closed, and the lines of a month were counted.
//! No case was returned; that is counted by the tests of `domain/statistics.rs`.

use std::collections::BTreeMap;

use liandong::cli::connect::Client;
use liandong::import::draft::{self, Draft};
use liandong::wire::pb::v1 as pb;
use pb::CaseState as S;
use tonic::Code;

use super::api::{create, fresh, get, ready, refused};
use super::nodes::{Nodes, plan, until};
use super::sheets::case as run;

const LC: u32 = 371_500;
const HD: u32 = 130_400;
const PY: u32 = 410_900;
const DZ: u32 = 371_400;
const TA: u32 = 370_900;

const AGREEMENTS: [(&str, [u32; 2]); 6] = [
    ("邯濮", [HD, PY]),
    ("聊邯", [HD, LC]),
    ("泰濮", [TA, PY]),
    ("聊泰", [TA, LC]),
    ("聊德", [DZ, LC]),
    ("聊濮", [LC, PY]),
];

struct Five {
    nodes: Nodes,
    clients: BTreeMap<u32, Client>,
    agreements: BTreeMap<&'static str, String>,
}

impl Five {
    async fn start() -> Self {
        let members: Vec<(&str, &[u32])> = AGREEMENTS.iter().map(|(n, m)| (*n, &m[..])).collect();
        let nodes = Nodes::start_all(&plan(&[LC, HD, PY, DZ, TA], &members));
        let mut clients = BTreeMap::new();
        for city in [LC, HD, PY, DZ, TA] {
            clients.insert(city, nodes.client(city).await);
        }
        let mut agreements = BTreeMap::new();
        for (short, members) in AGREEMENTS {
            let name = nodes.fleet.agreement_of(&members).unwrap().name();
            for city in members {
                ready(&clients[&city], &name).await;
            }
            agreements.insert(short, name);
        }
        Self { nodes, clients, agreements }
    }

    /// Takes a sample the way it went, and waits until both cities have it.
    async fn walk(&self, draft: &Draft) {
        let mut members = [draft.shared_with[0], draft.shared_with[1]];
        members.sort_unstable();
        let of = |m: &[u32; 2]| {
            let mut m = *m;
            m.sort_unstable();
            m == members
        };
        let (short, _) = AGREEMENTS.iter().find(|(_, m)| of(m)).unwrap();
        let opening = pb::CreateCaseRequest {
            parent: self.agreements[short].clone(),
            facts: Some(draft.facts.clone()),
            record: Some(draft.record.clone()),
            person: draft.person.clone(),
            effective_on: draft.reported_on,
            request_id: fresh(),
            ..pb::CreateCaseRequest::default()
        };
        let city = draft.timeline[0].city.as_u32();
        let mut case = create(&self.clients[&city], opening).await.unwrap();
        for moment in &draft.timeline[1..] {
            let client = &self.clients[&moment.city.as_u32()];
            self.held(client, &case).await;
            let to = draft.transfer.as_ref().and_then(|transfer| transfer.to);
            let to = to.map_or(0, liandong::ids::CityCode::as_u32);
            case = step(client, &case, moment.state, moment.on, to).await;
        }
        for city in members {
            self.held(&self.clients[&city], &case).await;
        }
    }

    async fn held(&self, client: &Client, case: &pb::Case) {
        until("the case is there", || async {
            get(client, &case.name).await.ok().filter(|c| c.etag == case.etag).map(drop)
        })
        .await;
    }

    async fn counted(&self, city: u32, year: i32, month: i32) -> pb::ComputeStatisticsResponse {
        let parent = "agreements/-".to_owned();
        let request = pb::ComputeStatisticsRequest { parent, year, month };
        self.clients[&city].cases().compute_statistics(request).await.unwrap().into_inner()
    }

    /// Every agreement that a city is told of has these counts and the sum is theirs.
    async fn check(
        &self,
        city: u32,
        year: i32,
        month: i32,
        want: &[(&str, [u32; 10])],
        sum: [u32; 10],
    ) {
        let counted = self.counted(city, year, month).await;
        let got: BTreeMap<String, [u32; 10]> = counted
            .agreements
            .iter()
            .map(|line| (line.agreement.clone(), numbers(line.counts.unwrap())))
            .collect();
        let want = want.iter().map(|(short, counts)| (self.agreements[short].clone(), *counts));
        assert_eq!(got, want.collect(), "{city} {year}-{month}");
        assert_eq!(numbers(counted.total.unwrap()), sum, "{city} {year}-{month}");
    }
}

/// Opened, off-site, joint checks; transfers, out, in, accepted, returned; filed so far, ended.
fn numbers(c: pb::MonthCounts) -> [u32; 10] {
    [
        c.opened,
        c.off_site,
        c.joint_checks,
        c.transfers,
        c.transfers_out,
        c.transfers_in,
        c.accepted,
        c.returned,
        c.filed_so_far,
        c.ended_so_far,
    ]
}

async fn step(client: &Client, case: &pb::Case, state: S, on: pb::Date, to: u32) -> pb::Case {
    macro_rules! go {
        ($method:ident, $request:ident $(, $field:ident)?) => {{
            let request = pb::$request {
                name: case.name.clone(),
                etag: case.etag.clone(),
                request_id: fresh(),
                effective_on: Some(on),
                $($field: to,)?
                ..pb::$request::default()
            };
            client.cases().$method(request).await.unwrap().into_inner().case.unwrap()
        }};
    }
    match state {
        S::ClueVerifying => go!(start_verification, StartVerificationRequest),
        S::ClueDismissed => go!(dismiss_clue, DismissClueRequest),
        S::Filed => go!(file_case, FileCaseRequest),
        S::Investigating => go!(start_investigation, StartInvestigationRequest),
        S::NoticeServed => go!(serve_notice, ServeNoticeRequest),
        S::Hearing => go!(open_hearing, OpenHearingRequest),
        S::Decided => go!(decide_case, DecideCaseRequest),
        S::Enforcing => go!(start_enforcement, StartEnforcementRequest),
        S::Closed => go!(close_case, CloseCaseRequest),
        S::TransferredPolice => go!(transfer_to_police, TransferToPoliceRequest),
        S::TransferredOut => go!(offer_transfer, OfferTransferRequest, to_city),
        S::TransferAccepted => go!(accept_transfer, AcceptTransferRequest),
        S::Unspecified
        | S::ClueReported
        | S::CourtEnforcement
        | S::Archived
        | S::NoPenalty
        | S::Withdrawn
        | S::Revoked
        | S::TransferDisputed
        | S::Designated
        | S::ClosedOutside => panic!("no sample becomes {state:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f36_months_of_the_samples_are_counted() {
    let five = Five::start().await;
    let drafts = draft::read_all(include_str!("../../demo/sample-cases.json")).unwrap();
    assert_eq!(drafts.len(), 40);
    for draft in &drafts {
        five.walk(draft).await;
    }
    // Each line: which samples they are, by the end of their numbers.
    let october = [
        // 8 (online, offered 28th by Handan, accepted 29th), 9; filed 邯5, 聊2 (closed), 5, 6, 11.
        ("聊邯", [2, 1, 0, 1, 0, 1, 1, 0, 5, 1]),
        // Nothing new; filed 4 (closed), 18.
        ("聊泰", [0, 0, 0, 0, 0, 0, 0, 0, 2, 1]),
        // 17 (joint), 21 (online, filed in November only); filed 德2, 德3, 12, 15, 17.
        ("聊德", [2, 1, 1, 0, 0, 0, 0, 0, 5, 0]),
        // 20 (drone, offered 15th by Liaocheng, accepted 16th), 濮6; filed 14, 濮3, 6, 8.
        ("聊濮", [2, 1, 0, 1, 1, 0, 1, 0, 4, 0]),
    ];
    five.check(LC, 2026, 10, &october, [6, 3, 1, 2, 1, 1, 2, 0, 16, 2]).await;
    let november = [
        // 10 (joint), 11 (power).
        ("聊邯", [2, 1, 1, 0, 0, 0, 0, 0, 5, 1]),
        // 泰5, offered 11th to Liaocheng, accepted 12th.
        ("聊泰", [1, 0, 0, 1, 0, 1, 1, 0, 2, 1]),
        // 德5, 德6 (online), 23 (drone); 21 filed on the 6th.
        ("聊德", [3, 2, 0, 0, 0, 0, 0, 0, 6, 0]),
        // 24 (drone), 濮11, filed on the 11th.
        ("聊濮", [2, 1, 0, 0, 0, 0, 0, 0, 5, 0]),
    ];
    five.check(LC, 2026, 11, &november, [8, 4, 1, 1, 0, 1, 1, 0, 18, 2]).await;
    // Another city's out and in; 邯濮: 濮12 (online), 濮9 offered 4th to Handan, accepted 5th; filed
    // 邯1 (closed), 2, 4, 7, 濮5.
    let handan =
        [("邯濮", [1, 1, 0, 1, 0, 1, 1, 0, 5, 1]), ("聊邯", [2, 1, 1, 0, 0, 0, 0, 0, 5, 1])];
    five.check(HD, 2026, 11, &handan, [3, 2, 1, 1, 0, 1, 1, 0, 10, 2]).await;
    // The end of a month: both cases of 泰濮 were closed in April.
    let (none, one) = ([0; 10], [0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
    let march = [("邯濮", one), ("泰濮", [0, 0, 0, 0, 0, 0, 0, 0, 2, 0]), ("聊濮", none)];
    five.check(PY, 2026, 3, &march, [0, 0, 0, 0, 0, 0, 0, 0, 3, 1]).await;
    let april = [("邯濮", one), ("泰濮", [0, 0, 0, 0, 0, 0, 0, 0, 2, 2]), ("聊濮", none)];
    five.check(PY, 2026, 4, &april, [0, 0, 0, 0, 0, 0, 0, 0, 3, 3]).await;
    // Nobody is told of an agreement that is not his.
    five.check(DZ, 2026, 10, &[october[2]], october[2].1).await;
    commands(&five);
    refusals(&five).await;
}

/// The same numbers as people see them.
fn commands(five: &Five) {
    let stats = |more: &[&str]| {
        let ran = run(&five.nodes, LC, &[&["stats", "--month", "2026-10"], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran
    };
    let csv = String::from_utf8(stats(&["--csv"]).out).unwrap();
    let mut lines = csv.strip_prefix('\u{feff}').unwrap().split("\r\n");
    assert!(lines.next().unwrap().starts_with("联动协议,登记,其中非现场,非现场占比,"));
    let mut rows: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    // Nothing was checked by these samples.
    assert_eq!(rows.pop(), Some("合计,6,3,50.0%,1,2,1,1,2,0,16,2,12.5%,0,0,—,0,0,0,0,0,0,0"));
    assert!(rows.contains(&"聊泰,0,0,—,0,0,0,0,0,0,2,1,50.0%,0,0,—,0,0,0,0,0,0,0"), "{csv}");
    assert_eq!(rows.len(), 4);
    let json = stats(&["--json", "--agreement", "聊德"]).json();
    assert_eq!(json["until"], "2026-10-31");
    assert_eq!(json["total"]["off_site_per_mille"], 500);
    assert_eq!(json["agreements"].as_array().unwrap().len(), 1);
    assert_eq!(json["agreements"][0]["closing_per_mille"], 0);
    let table = String::from_utf8(stats(&[]).out).unwrap();
    assert!(table.contains("| 合计") && table.contains("12.5%") && table.contains("结案率"));
    for bad in ["2026-13", "2026", "2026-1-1"] {
        assert_eq!(run(&five.nodes, LC, &["stats", "--month", bad]).code, 2, "{bad}");
    }
}

async fn refusals(five: &Five) {
    let ask = async |parent: &str, year, month| {
        let request = pb::ComputeStatisticsRequest { parent: parent.to_owned(), year, month };
        refused(five.clients[&DZ].cases().compute_statistics(request).await)
    };
    let month = (Code::InvalidArgument, "MONTH".to_owned());
    for (y, m) in [(2026, 0), (2026, 13), (2026, -1), (1899, 12), (2199, 12), (0, 0)] {
        assert_eq!(ask("agreements/-", y, m).await, month, "{y}-{m}");
    }
    let foreign = ask(&five.agreements["聊邯"], 2026, 10).await;
    assert_eq!(foreign, (Code::NotFound, "NOT_FOUND".to_owned()), "of others there is nothing");
    assert_eq!(ask("agreements", 2026, 10).await.1, "NAME_FORMAT");
}
