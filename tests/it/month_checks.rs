//! What the checks and joint actions of a month come to, over the API of real nodes, against numbers
//! counted by hand.
//!
//! Three cities, three agreements of two. In 聊邯 one plan visits two sites of Liaocheng: 1 on site
//! with two departments, 2 from afar with one. Beside it Liaocheng has recorded one off-site check of
//! site 1, and Handan, of its site 3, two off-site ones and one on site. In 聊濮 one site had an
//! off-site check last month and another one now. In 邯濮, which is none of Liaocheng's business, there
//! is one off-site check.

use liandong::cli::connect::Client;
use liandong::domain::Date;
use liandong::wire::pb::v1 as pb;
use liandong::wire::unit::half_day_to_pb;
use tonic::Code;

use super::api::{HERE, THERE, fresh, ready, refused, sample};
use super::nodes::{Nodes, plan, until};
use super::plans::{
    confirm, create, day, draft, half_days, officer, report, result, results, seen, site, step,
    today,
};
use super::sheets::case as run;

const PUYANG: u32 = 410_900;

struct Three {
    nodes: Nodes,
    /// Liaocheng, Handan, Puyang.
    clients: [Client; 3],
    /// 聊邯, 聊濮, 邯濮.
    agreements: [String; 3],
}

async fn three() -> Three {
    let pairs = [[THERE, HERE], [HERE, PUYANG], [THERE, PUYANG]];
    let named: Vec<(&str, &[u32])> =
        ["聊邯", "聊濮", "邯濮"].into_iter().zip(pairs.iter().map(|pair| &pair[..])).collect();
    let nodes = Nodes::start_all(&plan(&[HERE, THERE, PUYANG], &named));
    let cities = [HERE, THERE, PUYANG];
    let [here, there, puyang] = cities;
    let clients = [nodes.client(here).await, nodes.client(there).await, nodes.client(puyang).await];
    let agreements = pairs.map(|pair| nodes.fleet.agreement_of(&pair).unwrap().name());
    for (pair, agreement) in pairs.iter().zip(&agreements) {
        for city in pair {
            let place = cities.iter().position(|one| one == city).unwrap();
            ready(&clients[place], agreement).await;
        }
    }
    Three { nodes, clients, agreements }
}

async fn record(client: &Client, site: &str, mode: pb::CheckMode, on: Date) {
    let check = pb::SiteChecked { on: day(on), mode: mode.into(), ..pb::SiteChecked::default() };
    let asked = pb::RecordCheckRequest {
        name: site.to_owned(),
        check: Some(check),
        request_id: fresh(),
        ..pb::RecordCheckRequest::default()
    };
    client.sites().record_check(asked).await.unwrap();
}

async fn counted(client: &Client, parent: &str, on: Date) -> pb::ComputeStatisticsResponse {
    let (year, month) = (on.year(), i32::from(on.month()));
    let asked = pb::ComputeStatisticsRequest { parent: parent.to_owned(), year, month };
    client.cases().compute_statistics(asked).await.unwrap().into_inner()
}

/// Checks, off-site, joint; sites; actions, summed up; problems, clues, cases.
fn numbers(c: pb::CheckCounts) -> [u32; 9] {
    [
        c.checks,
        c.off_site,
        c.joint_checks,
        c.sites,
        c.actions,
        c.actions_summarized,
        c.problems,
        c.clues,
        c.cases,
    ]
}

/// What a city is told of each of its agreements comes to these, and the sum with them.
async fn until_counted(client: &Client, on: Date, want: &[(&str, [u32; 9])], sum: [u32; 9]) {
    let mut want: Vec<_> = want.iter().map(|(name, of)| ((*name).to_owned(), *of)).collect();
    want.sort();
    until("the month is counted", || async {
        let counted = counted(client, "agreements/-", on).await;
        let lines = counted.agreements.into_iter();
        let mut got: Vec<_> =
            lines.map(|line| (line.agreement, numbers(line.checks.unwrap()))).collect();
        got.sort();
        (got == want && numbers(counted.total_checks.unwrap()) == sum).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f36_checks_and_joint_actions_of_a_month_are_counted() {
    let three = three().await;
    let [here, there, puyang] = &three.clients;
    let [first, second, third] = &three.agreements;
    let now = today();
    let before = Date::new(now.year(), now.month(), 1).unwrap().plus_days(-1).unwrap();
    let (one, two) = (site(here, first, 0, 371_522).await, site(here, first, 1, 371_522).await);

    // Before anything is checked there are no checks, and no share of them.
    let none = [0; 9];
    until_counted(here, now, &[(first, none), (second, none)], none).await;

    let plan = held(&three, (&one, &two)).await;
    record(here, &one, pb::CheckMode::OffSite, now).await;
    let three_ = site(there, first, 0, 130_425).await;
    for mode in [pb::CheckMode::OffSite, pb::CheckMode::OffSite, pb::CheckMode::OnSite] {
        record(there, &three_, mode, now).await;
    }
    let four = site(here, second, 0, 371_522).await;
    record(here, &four, pb::CheckMode::OffSite, before).await;
    record(here, &four, pb::CheckMode::OffSite, now).await;
    let five = site(there, third, 0, 130_425).await;
    record(there, &five, pb::CheckMode::OffSite, now).await;

    // Six checks: two visits, one of site 1, three of site 3. Four off site: visit 2, one of site 1,
    // two of site 3. One by two departments. On site: 1 and 3. Problems: three and two; clues: one
    // and none; one became a case.
    let of_first = [6, 4, 1, 2, 1, 0, 5, 1, 1];
    let of_second = [1, 1, 0, 0, 0, 0, 0, 0, 0];
    let sum = [7, 5, 1, 2, 1, 0, 5, 1, 1];
    until_counted(here, now, &[(first, of_first), (second, of_second)], sum).await;
    // Handan and Puyang count the same, each what its agreements let it see.
    let of_third = of_second;
    until_counted(there, now, &[(first, of_first), (third, of_third)], sum).await;
    let of_puyang = [2, 2, 0, 0, 0, 0, 0, 0, 0];
    until_counted(puyang, now, &[(second, of_second), (third, of_third)], of_puyang).await;
    let (year, month) = (now.year(), i32::from(now.month()));
    let asked = pb::ComputeStatisticsRequest { parent: first.clone(), year, month };
    let foreign = refused(puyang.cases().compute_statistics(asked).await);
    assert_eq!(foreign, (Code::NotFound, "NOT_FOUND".to_owned()));
    // Last month: one off-site check in 聊濮, and nothing of the plan.
    until_counted(here, before, &[(first, none), (second, of_second)], of_second).await;

    // Summed up, it is one of those held and one of those summed up.
    results(here, &plan).await.unwrap();
    results(there, &plan).await.unwrap();
    let whole = seen(here, &plan.name, |p| p.state() == pb::PlanState::ResultsReported).await;
    step(here, &whole, pb::PlanStep::Summarize, "").await.unwrap();
    let (of_first, sum) = ([6, 4, 1, 2, 1, 1, 5, 1, 1], [7, 5, 1, 2, 1, 1, 5, 1, 1]);
    until_counted(here, now, &[(first, of_first), (second, of_second)], sum).await;
    commands(&three, now);
}

/// A joint action today: site 1 is visited on site and reported twice, site 2 from afar; of one clue
/// comes a case. A second plan is cancelled and a third only proposed: neither is held.
async fn held(three: &Three, (one, two): (&str, &str)) -> pb::Plan {
    let [here, there, _] = &three.clients;
    let agreement = &three.agreements[0];
    let (mut officers, mut guests) = (Vec::new(), Vec::new());
    for number in ["37150099001", "37150099002"] {
        officers.push(officer(here, agreement, number, 900).await);
    }
    guests.push(officer(there, agreement, "13040099001", 900).await);
    let mut asked = draft(&[one.to_owned(), two.to_owned()]);
    asked.visits[1].first = Some(half_day_to_pb(half_days()[1]));
    let plan = create(here, agreement, asked).await.unwrap();
    create(here, agreement, draft(&[])).await.unwrap();
    let gone = create(here, agreement, draft(&[])).await.unwrap();
    step(here, &gone, pb::PlanStep::Cancel, "改期").await.unwrap();
    confirm(here, &plan, &officers).await.unwrap();
    let told = seen(there, &plan.name, |_| true).await;
    confirm(there, &told, &guests).await.unwrap();
    let all = seen(here, &plan.name, |plan| plan.answers.len() == 2).await;
    let settled = step(here, &all, pb::PlanStep::Schedule, "").await.unwrap();
    let begun = step(here, &settled, pb::PlanStep::Begin, "").await.unwrap();

    report(here, &begun, one, result(0)).await.unwrap();
    report(here, &begun, one, result(1)).await.unwrap();
    let mut afar = pb::VisitResult { mode: pb::CheckMode::OffSite.into(), ..result(0) };
    afar.checks.truncate(1);
    report(here, &begun, two, afar).await.unwrap();
    let case = super::api::create(here, sample(agreement, 0)).await.unwrap();
    let finding = pb::OpenFindingRequest {
        name: begun.name.clone(),
        revision: begun.revision_entry.clone(),
        site: one.to_owned(),
        case: case.name,
        request_id: fresh(),
        ..pb::OpenFindingRequest::default()
    };
    here.plans().open_finding(finding).await.unwrap();
    begun
}

/// The same numbers as people see them.
fn commands(three: &Three, now: Date) {
    let month = format!("{:04}-{:02}", now.year(), now.month());
    let stats = |more: &[&str]| {
        let ran = run(&three.nodes, HERE, &[&["stats", "--month", &month], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran
    };
    let csv = String::from_utf8(stats(&["--csv"]).out).unwrap();
    let rows: Vec<&str> = csv.split("\r\n").filter(|line| !line.is_empty()).collect();
    assert!(rows[0].ends_with(
        ",检查次数,其中非现场检查,非现场检查占比,其中部门联合检查,现场检查对象,联合行动,其中已总结,\
         发现问题,形成线索,转为案件"
    ));
    assert!(rows[1..].iter().any(|row| row.ends_with(",1,1,100.0%,0,0,0,0,0,0,0")), "{csv}");
    assert!(rows[3].starts_with("合计,") && rows[3].ends_with(",7,5,71.4%,1,2,1,1,5,1,1"), "{csv}");
    let json = stats(&["--json", "--agreement", "聊邯"]).json();
    let checks = &json["agreements"][0]["checks"];
    assert_eq!((&checks["checks"], &checks["off_site_per_mille"]), (&6.into(), &667.into()));
    assert_eq!(&json["total"]["checks"], checks, "of one agreement the sum is itself");
    let table = String::from_utf8(stats(&[]).out).unwrap();
    assert!(table.contains("71.4%") && table.contains("转为案件"), "{table}");
    let table = String::from_utf8(stats(&["--lang", "en"]).out).unwrap();
    assert!(table.contains("became cases"), "{table}");
}
