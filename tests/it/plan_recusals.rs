//! Recusals between real nodes: they outlast the next word about units, whoever says it how. And
//! results before a draw is known.

use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;

use super::api::{HERE, fact, fresh, refused};
use super::console::{Browser, FROM_HERE};
use super::plans::{
    answer, answering, check_in, confirm, create, draft, get, page_of, results, seen, site, step,
    world_set_up,
};

fn sends(units: &[String], recusals: Vec<pb::RecusalDraft>) -> Option<pb::SentDraft> {
    let unit = |unit: &String| pb::UnitDraft { unit: unit.clone(), ..pb::UnitDraft::default() };
    Some(pb::SentDraft { units: units.iter().map(unit).collect(), recusals })
}

fn recusals(plan: &pb::Plan) -> Vec<pb::RecusalDraft> {
    let own = plan.answers.iter().find(|one| one.city == HERE).unwrap();
    own.sent.clone().unwrap().recusals
}

#[tokio::test(flavor = "multi_thread")]
async fn f19_a_recusal_outlasts_the_next_word_about_units() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let (agreement, here, officers) = (&world.agreements[0], &world.here, &world.officers);
    let at = site(here, agreement, 0, 371_522).await;
    let plan = create(here, agreement, draft(std::slice::from_ref(&at))).await.unwrap();
    let there = seen(&world.there, &plan.name, |_| true).await;
    confirm(&world.there, &there, &world.guests[..1]).await.unwrap();
    let recusal = |nth: usize, site: &str| pb::RecusalDraft {
        officer: officers[nth].clone(),
        site: site.to_owned(),
    };
    let asked = pb::AnswerPlanRequest {
        sent: sends(&officers[..3], vec![recusal(2, &at)]),
        ..answering(&plan, pb::PlanAnswerKind::Confirm, "")
    };
    answer(here, asked).await.unwrap();

    // A colleague confirms anew on the page, sees who is recused, and declares one more.
    let browser = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let page = browser.get(&page_of(&plan)).await.text;
    assert!(page.contains("已登记的回避") && page.contains("37150099003：示例0号"), "{page}");
    let id = fresh();
    let sent: Vec<(&str, &str)> = officers[..4].iter().map(|one| ("sent", &**one)).collect();
    let more = [("kind", "3"), ("recuse", &*officers[3]), ("recuse_site", "")];
    let given = [("revision", &*plan.revision_entry), ("request_id", &*id)];
    let given = [&sent[..], &more, &given].concat();
    let done = browser.post(&format!("{}/answer", page_of(&plan)), &[FROM_HERE], &given).await;
    assert!(done.status.is_redirection(), "{}", done.text);
    let whole = get(here, &plan.name).await.unwrap();
    let mut want = vec![recusal(2, &at), recusal(3, "")];
    want.sort_by(|one, next| one.officer.cmp(&next.officer));
    assert_eq!(recusals(&whole), want);
    let all = |plan: &pb::Plan| plan.answers.len() == 2 && plan.findings.is_empty();
    let whole = seen(here, &plan.name, all).await;
    let settled = step(here, &whole, pb::PlanStep::Schedule, "").await.unwrap();

    // A swap that says nothing of recusals takes none back.
    let swap = |units: &[String], lifted: Vec<pb::RecusalDraft>| pb::SwapUnitsRequest {
        name: settled.name.clone(),
        revision: settled.revision_entry.clone(),
        sent: sends(units, Vec::new()),
        lifted,
        request_id: fresh(),
        acting_for: None,
    };
    let short = here.plans().swap_units(swap(&officers[1..3], Vec::new())).await;
    assert_eq!(refused(short).1, "HOST_OFFICERS_MISSING");
    here.plans().swap_units(swap(&officers[..3], Vec::new())).await.unwrap();
    let team = [officers[1].clone(), officers[2].clone()];
    let led = check_in(here, &settled, &at, &team).await;
    assert_eq!(refused(led).1, "OFFICER_RECUSED");
    // Taken back by name, it holds no more; the other one still does.
    let lifted = swap(&officers[..3], vec![recusal(2, "")]);
    let swapped = here.plans().swap_units(lifted).await.unwrap().into_inner().plan.unwrap();
    assert_eq!(recusals(&swapped), [recusal(3, "")]);
    check_in(here, &settled, &at, &team).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn f19_a_recusal_outlasts_a_revision() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let (agreement, here, officers) = (&world.agreements[0], &world.here, &world.officers);
    let at = site(here, agreement, 0, 371_522).await;
    let plan = create(here, agreement, draft(std::slice::from_ref(&at))).await.unwrap();
    let recused = vec![pb::RecusalDraft { officer: officers[2].clone(), site: at.clone() }];
    let asked = pb::AnswerPlanRequest {
        sent: sends(&officers[..3], recused.clone()),
        ..answering(&plan, pb::PlanAnswerKind::Confirm, "")
    };
    answer(here, asked).await.unwrap();
    // Its initiator moves it, and a colleague confirms anew, twice, without a word of it.
    for nth in [1, 0] {
        let mut moved = draft(std::slice::from_ref(&at));
        moved.days = vec![moved.days[nth]];
        moved.visits[0].first = moved.days[0].at;
        let now = get(here, &plan.name).await.unwrap();
        let asked = pb::RevisePlanRequest {
            name: now.name,
            etag: now.etag,
            draft: Some(moved),
            request_id: fresh(),
            ..pb::RevisePlanRequest::default()
        };
        let revised = here.plans().revise_plan(asked).await.unwrap().into_inner().plan.unwrap();
        let asked = pb::AnswerPlanRequest {
            sent: sends(&officers[..3], Vec::new()),
            ..answering(&revised, pb::PlanAnswerKind::Confirm, "")
        };
        answer(here, asked).await.unwrap();
        assert_eq!(recusals(&get(here, &plan.name).await.unwrap()), recused);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f19_no_results_are_in_before_the_targets_are_known() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let (agreement, here, there) = (&world.agreements[0], &world.here, &world.there);
    for nth in 0..2 {
        site(here, agreement, nth, 371_522).await;
    }
    let asked = pb::PlanDraft {
        kind: pb::PlanKind::DoubleRandom.into(),
        draw: Some(pb::DrawDraft { sites: 1, host_officers: 2, ..Default::default() }),
        ..draft(&[])
    };
    let plan = create(here, agreement, asked).await.unwrap();
    seen(there, &plan.name, |_| true).await;
    let of = || (plan.name.clone(), plan.revision_entry.clone());
    for (client, units) in [(here, &world.officers[..3]), (there, &world.guests[..1])] {
        confirm(client, &plan, units).await.unwrap();
        let (name, revision) = of();
        let asked = pb::CommitDrawRequest { name, revision, request_id: fresh(), acting_for: None };
        client.plans().commit_draw(asked).await.unwrap();
    }
    let bound = |plan: &pb::Plan| {
        let draw = plan.draw.as_ref().is_some_and(|draw| draw.committed.len() == 2);
        draw && plan.answers.len() == 2
    };
    let whole = seen(here, &plan.name, bound).await;
    step(here, &whole, pb::PlanStep::Schedule, "").await.unwrap();
    seen(there, &plan.name, |plan| plan.state() == pb::PlanState::Scheduled).await;
    let reveal = async |client: &liandong::cli::connect::Client| {
        let (name, revision) = of();
        let asked = pb::RevealDrawRequest { name, revision, request_id: fresh(), acting_for: None };
        client.plans().reveal_draw(asked).await.unwrap();
    };
    reveal(here).await;
    let early = results(here, &plan).await;
    let status = early.clone().unwrap_err();
    assert!(!fact(&status, "rule").is_empty() && !fact(&status, "source").is_empty());
    assert_eq!(refused(early).1, "REVEAL_MISSING");
    reveal(there).await;
    seen(here, &plan.name, |plan| plan.visits.len() == 1).await;
    assert_eq!(refused(results(here, &plan).await).1, "RESULTS_MISSING");
}
