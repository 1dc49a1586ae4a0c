//! Every field of every form of joint actions, as in [`super::console_forms`]; and every page and
//! paper that shows what was typed.

use liandong::domain::HalfDay;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use liandong::wire::unit::half_day_to_pb;

use super::api::{self, HERE, THERE, fresh, sample};
use super::console::{self, Browser, EVIL, FROM_HERE};
use super::console_walk::{TICK, Walked, is_of_plans};
use super::nodes::Nodes;
use super::plans::{
    World, answer, answering, confirm, create, draft, get, officer_of, page_of, seen, site_of,
    step, today, world_set_up,
};

/// Both cities, and what was walked through on their pages.
struct Walk {
    world: World,
    here: Browser,
    there: Browser,
    walked: Walked,
    site: String,
}

/// Each plan of the walk visits the same few sites.
fn often(nodes: &Nodes, city: u32) {
    let file = nodes.fleet.folder(city).join("liandong.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, format!("{text}\n[joint]\nsite_checks_a_year_max = 99\n")).unwrap();
}

impl Walk {
    async fn begin() -> Self {
        // With two agreements each page has all of its forms.
        let world = world_set_up(&["聊邯", "聊邯二"], |nodes| {
            [HERE, THERE].iter().for_each(|city| often(nodes, *city));
        })
        .await;
        let agreement = &world.agreements[0];
        let site = site_of(&world.here, agreement, (EVIL, 0), 371_522).await;
        officer_of(&world.here, agreement, "37150099008", 900, EVIL).await;
        let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
        let there = Browser::open(&world.nodes, THERE, Role::Coordinator).await;
        Self { world, here, there, walked: Walked::default(), site }
    }

    /// A plan whose texts are scripts, as both cities have it.
    async fn plan(&self, draft: pb::PlanDraft) -> pb::Plan {
        let evil = || EVIL.to_owned();
        let record = pb::PlanRecord {
            title: evil(),
            theme: evil(),
            text: evil(),
            route: evil(),
            safety: evil(),
            contacts: evil(),
            meeting_place: evil(),
            ..pb::PlanRecord::default()
        };
        let draft = pb::PlanDraft { record: Some(record), ..draft };
        let plan = create(&self.world.here, &self.world.agreements[0], draft).await.unwrap();
        seen(&self.world.there, &plan.name, |_| true).await
    }

    /// The same, confirmed by both.
    async fn confirmed(&self, draft: pb::PlanDraft) -> pb::Plan {
        let plan = self.plan(draft).await;
        confirm(&self.world.here, &plan, &self.world.officers).await.unwrap();
        confirm(&self.world.there, &plan, &self.world.guests).await.unwrap();
        seen(&self.world.here, &plan.name, |plan| plan.answers.len() == 2).await
    }

    async fn settled(&self, draft: pb::PlanDraft) -> pb::Plan {
        let plan = self.confirmed(draft).await;
        step(&self.world.here, &plan, pb::PlanStep::Schedule, "").await.unwrap()
    }

    async fn both_have(&self, plan: &pb::Plan, is: impl Fn(&pb::Plan) -> bool) {
        seen(&self.world.here, &plan.name, &is).await;
        seen(&self.world.there, &plan.name, &is).await;
    }

    fn walks(&self, action: &str) -> bool {
        self.walked.recorded.iter().any(|(of, _)| of == action)
    }
}

/// A draft some days later: units come to one plan at a time.
fn ahead(draft: pb::PlanDraft, days: i64) -> pb::PlanDraft {
    let on = today().plus_days(days).unwrap();
    let half = |at: HalfDay| Some(half_day_to_pb(at));
    let day = |at| pb::PlanDay { at: half(at), overtime: true };
    let visit = |one: pb::VisitDraft| pb::VisitDraft { first: half(HalfDay::morning(on)), ..one };
    pb::PlanDraft {
        days: vec![day(HalfDay::morning(on)), day(HalfDay::afternoon(on))],
        visits: draft.visits.into_iter().map(visit).collect(),
        ..draft
    }
}

/// What the form of a proposal needs that is no text.
fn proposal(day: &str) -> Vec<(&str, &str)> {
    vec![("site", TICK), ("overtime", TICK), ("first", day), ("last", day)]
}

/// The page of a new plan with its steps, and that of a revision.
async fn proposed(walk: &mut Walk, day: &str) {
    let agreement = walk.world.agreements[0].clone();
    let id = agreement.trim_start_matches("agreements/");
    let at = format!("/plans/new?agreement={id}");
    walk.walked.walk(&walk.here, &at, (&proposal(day), &[])).await;
    // What a step finds is a form of its own.
    let fields = [("agreement", id), ("look", "1"), ("title", EVIL), ("text", EVIL)];
    let all = [("begun", "1"), ("city", "371500"), ("city", "130400"), ("site", &*walk.site)];
    let looked: Vec<_> = fields.into_iter().chain(all).collect();
    let found = walk.here.post("/plans/new/form", &[FROM_HERE], &looked).await;
    for field in ["slot", "visit", "at", "why"] {
        assert!(found.text.contains(&format!("name=\"{field}\"")), "{field}: {}", found.text);
    }
    walk.walked.spoil_all(&walk.here, &found).await;
    let plan = walk.plan(draft(std::slice::from_ref(&walk.site))).await;
    let at = format!("{}/revise", page_of(&plan));
    walk.walked.walk(&walk.here, &at, (&proposal(day), &[])).await;
    let found = walk.here.post(&format!("{at}/form"), &[FROM_HERE], &looked).await;
    assert!(found.text.contains("name=\"slot\""), "{}", found.text);
    walk.walked.spoil_all(&walk.here, &found).await;
}

/// Every sort of answer, what becomes of it, and what changes or ends a plan before it is settled.
async fn answered(walk: &mut Walk, day: &str) {
    let plan = walk.plan(draft(std::slice::from_ref(&walk.site))).await;
    let at = page_of(&plan);
    let tomorrow = today().plus_days(1).unwrap().to_string();
    for kind in ["1", "4", "5", "2", "6", "3", "7"] {
        // The last takes back what was confirmed before it.
        let given = [("kind", kind), ("sent", TICK), ("hold_until", &*tomorrow), ("periods", day)];
        walk.walked.walk_only(&walk.there, &at, (&given, &["/answer"])).await;
    }
    walk.both_have(&plan, |plan| !plan.awaited.is_empty()).await;
    super::nodes::until("their answers are here", || async {
        walk.here.get(&at).await.text.contains("act-resolve").then_some(())
    })
    .await;
    walk.walked.walk_only(&walk.here, &at, (&[], &["/resolve"])).await;
    walk.walked.walk_only(&walk.here, &at, (&[], &["/amend"])).await;
    walk.walked.walk_only(&walk.here, &at, (&[], &["/cancel"])).await;
    let given = walk.confirmed(ahead(draft(&[]), 6)).await;
    let now = step(&walk.world.here, &given, pb::PlanStep::Cancel, EVIL).await.unwrap();
    walk.walked.walk_only(&walk.here, &page_of(&now), (&[], &["/release"])).await;
    // Units are looked up a page at a time; the lists of the tests have but one.
    let marks = [("sent", EVIL), ("text", EVIL), ("periods", EVIL), ("hold_until", EVIL)];
    let plan = walk.plan(draft(&[])).await;
    let at = page_of(&plan);
    walk.walked.by_hand(&walk.there, &format!("{at}/swap/form"), &marks).await;
    let listed = walk.walked.by_hand(&walk.there, &format!("{at}/answer/form"), &marks).await;
    assert!(listed.text.contains("&lt;script&gt;window.hit=1"), "{}", listed.text);
}

/// Drafts: saved again, shown a step further, thrown away, proposed.
async fn drafted(walk: &mut Walk, day: &str) {
    let agreement = walk.world.agreements[0].clone();
    let id = agreement.trim_start_matches("agreements/");
    let Walk { here, walked, site, .. } = walk;
    let mut drafts = Vec::new();
    for _ in 0..3 {
        let number = fresh();
        let texts = [("agreement", id), ("title", EVIL), ("text", EVIL), ("request_id", &number)];
        let cities = [("begun", "1"), ("kind", "1"), ("city", "371500"), ("city", "130400")];
        let fields: Vec<_> = texts.into_iter().chain(cities).collect();
        let saved = walked.by_hand(here, "/plans/new/draft", &fields).await;
        drafts.push(saved.leads_to().split('?').next().unwrap().to_owned());
    }
    // What a step finds is a form of its own, as on the page of a proposal.
    let looked = [
        ("agreement", id),
        ("begun", "1"),
        ("look", "1"),
        ("city", "371500"),
        ("site", site.as_str()),
    ];
    let found = walked.by_hand(here, &format!("{}/form", drafts[0]), &looked).await;
    assert!(found.text.contains("name=\"slot\""), "{}", found.text);
    walked.spoil_all(here, &found).await;
    let given = proposal(day);
    for act in ["/form", "/save"] {
        walked.walk_only(here, &drafts[0], (&given, &[act])).await;
    }
    walked.walk_only(here, &drafts[1], (&given, &["/delete"])).await;
    walked.walk_only(here, &drafts[2], (&given, &[&drafts[2]])).await;
    for act in ["", "/save", "/delete"] {
        assert!(walk.walks(&format!("/plan-draft{act}")), "{act}: {:?}", walk.walked.recorded);
    }
}

/// A case that goes on in the other agreement.
async fn linked(walk: &mut Walk) {
    let mut cases = Vec::new();
    for (nth, agreement) in walk.world.agreements.iter().enumerate() {
        cases.push(api::create(&walk.world.here, sample(agreement, nth)).await.unwrap());
    }
    let given = [("other_case", &*cases[1].number), ("continued_from", "1")];
    let at = console::page_of(&cases[0]);
    walk.walked.walk_only(&walk.here, &at, (&given, &["/link"])).await;
    assert!(walk.walks("/case/link"), "{:?}", walk.walked.recorded);
}

/// From the settled plan to its summary.
async fn carried_out(walk: &mut Walk, day: &str) {
    let sites = [walk.site.clone()];
    let plan = walk.confirmed(draft(&sites)).await;
    let at = page_of(&plan);
    walk.walked.walk_only(&walk.here, &at, (&[], &["/schedule"])).await;
    walk.both_have(&plan, |plan| plan.state() == pb::PlanState::Scheduled).await;
    walk.walked.walk_only(&walk.here, &at, (&[("sent", TICK)], &["/swap"])).await;
    walk.walked.walk_only(&walk.here, &at, (&[], &["/begin"])).await;
    walk.both_have(&plan, |plan| plan.state() == pb::PlanState::Executing).await;
    let results = [
        ("on", day),
        ("officers", TICK),
        ("guests", ""),
        ("outcome", "1"),
        ("mode", "1"),
        ("items-1", "12"),
        ("problems-1", "1"),
        ("clues", "1"),
    ];
    let visits = format!("{at}/visits");
    walk.walked.walk(&walk.here, &visits, (&results, &[])).await;
    // What was found is followed up by others.
    walk.walked
        .walk_only(&walk.here, &visits, (&[("case", "-"), ("case_number", "")], &["/finding"]))
        .await;
    for browser in [&walk.here, &walk.there] {
        walk.walked.walk_only(browser, &at, (&[], &["/results"])).await;
    }
    super::nodes::until("all results are here", || async {
        walk.here.get(&at).await.text.contains("act-summarize").then_some(())
    })
    .await;
    walk.walked.walk_only(&walk.here, &at, (&[], &["/summarize"])).await;
    walk.both_have(&plan, |plan| plan.state() == pb::PlanState::Summarized).await;
    walk.walked.pages.insert(visits);
}

/// A draw to which both are bound, settled.
async fn bound(walk: &mut Walk, days: i64) -> String {
    let draw = pb::DrawDraft { sites: 2, host_officers: 2, ..Default::default() };
    let kind = pb::PlanKind::CrossInspection.into();
    let drawing = pb::PlanDraft { kind, draw: Some(draw), ..draft(&[]) };
    let plan = walk.confirmed(ahead(drawing, days)).await;
    let at = page_of(&plan);
    for browser in [&walk.here, &walk.there] {
        walk.walked.walk_only(browser, &at, (&[], &["/commit"])).await;
    }
    let bound = |plan: &pb::Plan| plan.draw.as_ref().is_some_and(|one| one.committed.len() == 2);
    walk.both_have(&plan, bound).await;
    walk.walked.walk_only(&walk.here, &at, (&[], &["/schedule"])).await;
    walk.both_have(&plan, |plan| plan.state() == pb::PlanState::Scheduled).await;
    at
}

/// Draws: one that is shown, one that is drawn again because nobody shows a part.
async fn drawn(walk: &mut Walk) {
    let agreement = walk.world.agreements[0].clone();
    for nth in 1..4 {
        site_of(&walk.world.here, &agreement, (EVIL, nth), 371_522).await;
    }
    let at = bound(walk, 1).await;
    for browser in [&walk.here, &walk.there] {
        walk.walked.walk_only(browser, &at, (&[], &["/reveal"])).await;
    }
    let page = format!("{at}/draw");
    super::nodes::until("both parts are here", || async {
        walk.here.get(&page).await.text.contains("name=\"verify\"").then_some(())
    })
    .await;
    walk.walked.walk(&walk.here, &page, (&[], &[])).await;
    walk.walked.pages.insert(format!("{at}/draw?verify=1"));
    let again = bound(walk, 2).await;
    walk.walked.walk_only(&walk.here, &again, (&[], &["/redraw"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn script_in_every_field_of_every_form_of_joint_actions_is_shown_as_text() {
    let mut walk = Walk::begin().await;
    let day = today().to_string();
    proposed(&mut walk, &day).await;
    drafted(&mut walk, &day).await;
    linked(&mut walk).await;
    answered(&mut walk, &day).await;
    drawn(&mut walk).await;
    carried_out(&mut walk, &day).await;
    // A plan that goes on, with answers that only hold and ask, for what lists and calendars say.
    let settled = walk.settled(ahead(draft(&[]), 3)).await;
    let open = walk.plan(draft(&[])).await;
    let asks = answering(&open, pb::PlanAnswerKind::ChangesRequested, EVIL);
    answer(&walk.world.there, asks).await.unwrap();
    for page in ["/plans", "/plans/week", "/plans/month"] {
        walk.walked.walk(&walk.here, page, (&[], &[])).await;
    }
    shown(&mut walk, &[settled, open]).await;
    assert_eq!(walk.walked.left_out("/plan"), Vec::<&(String, String)>::new());
    assert_eq!(walk.walked.unwalked(is_of_plans), Vec::<String>::new());
    for act in ["release", "answer", "amend", "resolve", "cancel", "schedule", "swap", "begin"] {
        assert!(walk.walks(&format!("/plan/{act}")), "{act}: {:?}", walk.walked.recorded);
    }
    let others = ["results", "summarize", "commit", "reveal", "revise", "visits/arrive"];
    for act in others.into_iter().chain(["visits/report"]) {
        assert!(walk.walks(&format!("/plan/{act}")), "{act}: {:?}", walk.walked.recorded);
    }
    for field in ["", "title"] {
        let field = ("/plans/new".to_owned(), field.to_owned());
        assert!(walk.walked.recorded.contains(&field), "{:?}", walk.walked.recorded);
    }
}

/// Every page and paper is looked at, in both cities, and each kind of them shows the marks.
async fn shown(walk: &mut Walk, going: &[pb::Plan]) {
    let of_plan =
        ["", "/draw", "/visits", "/revise", "/print/plan", "/print/summary", "/print/field"];
    let mut pages: Vec<(&str, String)> = Vec::new();
    let plans = walk.walked.pages.iter().filter(|page| page.matches('/').count() == 3);
    let plans = plans.filter(|page| page.starts_with("/plan/")).cloned();
    for page in plans.chain(going.iter().map(page_of)) {
        pages.extend(of_plan.iter().map(|what| (*what, format!("{page}{what}"))));
    }
    pages.extend(walk.walked.pages.iter().map(|page| ("others", page.clone())));
    let lists = ["/", "/plans", "/plans/month", "/plans/week", "/map?shown=1&what=visits"];
    pages.extend(lists.iter().map(|list| (*list, (*list).to_owned())));
    for kind in of_plan.iter().chain(&lists) {
        let mut marks = 0;
        for (_, path) in pages.iter().filter(|(of, _)| of == kind) {
            for browser in [&walk.here, &walk.there] {
                let page = browser.get(path).await;
                walk.walked.look(path, &page);
                marks += page.text.matches("&lt;script&gt;window.hit=1").count();
            }
        }
        assert!(marks > 0, "{kind}: nothing of what was typed is there");
    }
    for (_, path) in pages.iter().filter(|(of, _)| *of == "others") {
        let page = walk.here.get(path).await;
        walk.walked.look(path, &page);
    }
    let plan = get(&walk.world.here, &going[0].name).await.unwrap();
    assert_eq!(plan.record.unwrap().title, EVIL);
}
