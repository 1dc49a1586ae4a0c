//! Who came to a visit: keyed in behind the end of a plan, corrected by whoever has read it, asked
//! for where it is missing; and who was drawn and then swapped out.

use std::collections::BTreeSet;

use http::StatusCode;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use tonic::Code;

use super::api::{HERE, THERE, fact, fresh};
use super::console::{Browser, FROM_HERE};
use super::plan_cli::{Desk, said};
use super::plan_visits::settled;
use super::plans::{
    confirm, create, draft, get, page_of, report, result, results, seen, site, step, today, why,
    world_set_up,
};

fn asked(plan: &pb::Plan, officers: &[String], replaces: &str) -> pb::CheckInRequest {
    pb::CheckInRequest {
        name: plan.name.clone(),
        revision: plan.revision_entry.clone(),
        site: plan.visits[0].site.clone(),
        officers: officers.to_vec(),
        replaces: replaces.to_owned(),
        request_id: fresh(),
        ..pb::CheckInRequest::default()
    }
}

fn arrival(plan: &pb::Plan) -> pb::VisitEntry {
    plan.visits[0].arrival_entry.clone().unwrap()
}

fn is_remarked(plan: &pb::Plan, what: [&str; 2]) -> bool {
    plan.remarks.iter().any(|one| what.iter().any(|part| one.contains(part)))
}

const NOBODY: [&str; 2] = ["未登记到场人员", "nobody is recorded there"];

#[tokio::test(flavor = "multi_thread")]
async fn an_arrival_is_keyed_in_and_corrected_behind_the_end() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let (here, there, officers) = (&world.here, &world.there, &world.officers);
    let (plan, at) = settled(&world).await;
    let come = async |who: &[String], replaces: &str| {
        let answer = here.plans().check_in(asked(&plan, who, replaces)).await;
        answer.map(|answer| answer.into_inner().plan.unwrap())
    };
    let begun = step(here, &plan, pb::PlanStep::Begin, "").await.unwrap();
    report(here, &begun, &at, result(0)).await.unwrap();
    results(here, &begun).await.unwrap();
    seen(there, &plan.name, |one| one.state() == pb::PlanState::Executing).await;
    results(there, &begun).await.unwrap();
    let is_in = |one: &pb::Plan| one.state() == pb::PlanState::ResultsReported;
    let whole = seen(here, &plan.name, is_in).await;
    let done = step(here, &whole, pb::PlanStep::Summarize, "").await.unwrap();
    // Both cities are told that a check on site has nobody who made it.
    assert!(is_remarked(&done, NOBODY), "{:?}", done.remarks);
    seen(there, &plan.name, |one| is_remarked(one, NOBODY)).await;

    // Whoever was not sent was not there; whoever was is keyed in, though free again by now.
    let stranger = come(&[officers[0].clone(), officers[3].clone()], "").await;
    assert_eq!(fact(stranger.as_ref().unwrap_err(), "field"), "officers");
    assert_eq!(why(stranger).1, "OFFICER_NOT_SENT");
    assert!(get(here, &plan.name).await.unwrap().visits[0].arrival.is_none(), "nothing is written");
    let team = &officers[..2];
    let came = come(team, "").await.unwrap();
    let first = arrival(&came);
    assert!(first.afterwards && first.corrections == 0);
    assert!(!is_remarked(&came, NOBODY), "{:?}", came.remarks);
    seen(there, &plan.name, |one| !is_remarked(one, NOBODY)).await;

    // Nobody who has not read it takes its place: not by the API, the command or the page.
    let changed = |status: &tonic::Status| {
        assert_eq!(fact(status, "field"), "replaces");
        assert_eq!(fact(status, "current"), first.entry);
    };
    for stale in ["", &plan.revision_entry] {
        let refused = come(team, stale).await;
        changed(refused.as_ref().unwrap_err());
        assert_eq!(why(refused), (Code::Aborted, "ARRIVAL_CHANGED".to_owned()));
    }
    let desk = Desk { nodes: &world.nodes, city: HERE };
    let typed = ["check-in", &plan.number, "示例0号纸业有限公司", "--officer", "37150099001"];
    let typed = [&typed[..], &["--officer", "37150099002"]].concat();
    let refused = desk.refused(&typed);
    for part in ["ARRIVAL_CHANGED", "37150099002", &format!("--replaces {}", first.entry)] {
        assert!(refused.contains(part), "{part}: {refused}");
    }
    let browser = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let page = format!("{}/visits", page_of(&plan));
    let on = today().to_string();
    let send = async |replaces: &str| {
        let id = fresh();
        let mut fields = vec![
            ("revision", plan.revision_entry.as_str()),
            ("site", &at),
            ("nth", "0"),
            ("replaces", replaces),
            ("on", &on),
            ("guests", &world.guests[0]),
            ("request_id", &id),
        ];
        fields.extend(team.iter().map(|one| ("officers", one.as_str())));
        browser.post(&format!("{page}/arrive"), &[FROM_HERE], &fields).await
    };
    let stale = send("").await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    for part in ["ARRIVAL_CHANGED", "现在的登记见上方", "更正到场登记"] {
        assert!(stale.text.contains(part), "{part}: {}", stale.text);
    }
    assert!(stale.text.contains(&format!(r#"name="replaces" value="{}""#, first.entry)));
    assert_eq!(arrival(&get(here, &plan.name).await.unwrap()), first, "as it was");

    // Whoever has read it corrects it, and it is told how often that was done.
    assert_eq!(send(&first.entry).await.status, StatusCode::SEE_OTHER);
    let twice = seen(there, &plan.name, |one| arrival(one).corrections == 1).await;
    assert_eq!(twice.visits[0].arrival.as_ref().unwrap().guests, world.guests[..1]);
    let stands = arrival(&twice).entry;
    let typed = [&typed[..], &["--replaces", &stands]].concat();
    assert!(said(&desk.run("plan", &typed)).contains("到场"));
    let thrice = seen(there, &plan.name, |one| arrival(one).corrections == 2).await;
    assert!(thrice.visits[0].arrival.as_ref().unwrap().guests.is_empty());
    let shown = Browser::open(&world.nodes, THERE, Role::Coordinator).await;
    let shown = shown.get(&page_of(&plan)).await.text;
    assert!(shown.contains("补录于") && shown.contains("更正 2 次"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn f19_whoever_was_drawn_and_swapped_out_is_shown_to_every_city() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let (agreement, here, there) = (&world.agreements[0], &world.here, &world.there);
    let at = site(here, agreement, 0, 371_522).await;
    let draw = pb::DrawDraft {
        sites: 1,
        host_officers: 2,
        pool: vec![at.clone()],
        ..pb::DrawDraft::default()
    };
    let kind = pb::PlanKind::DoubleRandom.into();
    let asked = pb::PlanDraft { kind, draw: Some(draw), ..draft(&[]) };
    let plan = create(here, agreement, asked).await.unwrap();
    confirm(here, &plan, &world.officers[..2]).await.unwrap();
    let told = seen(there, &plan.name, |_| true).await;
    confirm(there, &told, &world.guests[..1]).await.unwrap();
    let commit = |plan: &pb::Plan| pb::CommitDrawRequest {
        name: plan.name.clone(),
        revision: plan.revision_entry.clone(),
        request_id: fresh(),
        acting_for: None,
    };
    let reveal = |plan: &pb::Plan| pb::RevealDrawRequest {
        name: plan.name.clone(),
        revision: plan.revision_entry.clone(),
        request_id: fresh(),
        acting_for: None,
    };
    here.plans().commit_draw(commit(&plan)).await.unwrap();
    there.plans().commit_draw(commit(&told)).await.unwrap();
    let all = |plan: &pb::Plan| plan.answers.len() == 2 && plan.findings.is_empty();
    let bound = seen(here, &plan.name, all).await;
    let settled = step(here, &bound, pb::PlanStep::Schedule, "").await.unwrap();
    seen(there, &plan.name, |one| one.state() == pb::PlanState::Scheduled).await;
    here.plans().reveal_draw(reveal(&settled)).await.unwrap();
    there.plans().reveal_draw(reveal(&settled)).await.unwrap();
    let shown = seen(here, &plan.name, |plan| !plan.visits.is_empty()).await;
    let drawn: BTreeSet<_> = shown.visits[0].lead.iter().cloned().collect();
    assert_eq!(drawn, world.officers[..2].iter().cloned().collect());
    assert!(shown.remarks.is_empty() && shown.answers.iter().all(|one| one.confirmed.is_none()));

    // One of the two stays at home: what was confirmed is shown beside what is sent now.
    let unit = |unit: &String| pb::UnitDraft { unit: unit.clone(), ..pb::UnitDraft::default() };
    let sent = |units: &[String]| pb::SentDraft {
        units: units.iter().map(unit).collect(),
        recusals: Vec::new(),
    };
    let swap = |units: &[String]| pb::SwapUnitsRequest {
        name: plan.name.clone(),
        revision: plan.revision_entry.clone(),
        sent: Some(sent(units)),
        lifted: Vec::new(),
        request_id: fresh(),
        acting_for: None,
    };
    let short = here.plans().swap_units(swap(&world.officers[1..2])).await;
    assert_eq!(why(short).1, "UNITS_SHORT");
    here.plans().swap_units(swap(&world.officers[1..3])).await.unwrap();
    let out = ["所在市已将其换下", "its city has swapped the officer out"];
    for client in [here, there] {
        let now = seen(client, &plan.name, |one| is_remarked(one, out)).await;
        assert_eq!(now.remarks.len(), 1, "only the one who was drawn: {:?}", now.remarks);
        assert!(now.remarks[0].contains("37150099001"), "{:?}", now.remarks);
        let own = now.answers.iter().find(|one| one.city == HERE).unwrap();
        let of = |sent: &Option<pb::SentDraft>| {
            let sent = sent.as_ref().unwrap().units.iter();
            sent.map(|one| one.unit.clone()).collect::<BTreeSet<_>>()
        };
        assert_eq!(of(&own.confirmed), world.officers[..2].iter().cloned().collect());
        assert_eq!(of(&own.sent), world.officers[1..3].iter().cloned().collect());
        assert!(!own.swap_entry.is_empty() && own.swap_time.is_some());
        let other = now.answers.iter().find(|one| one.city == THERE).unwrap();
        assert!(other.confirmed.is_none() && other.swap_entry.is_empty());
    }
    let page = Browser::open(&world.nodes, THERE, Role::Coordinator).await;
    let page = page.get(&page_of(&plan)).await.text;
    assert!(page.contains("调整后的力量（确认时派出") && page.contains(out[0]), "{page}");
}
