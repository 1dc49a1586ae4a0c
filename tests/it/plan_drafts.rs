//! Drafts of plans that a node keeps for its own city: among colleagues, and in no byte that leaves
//! it before it is proposed.

use liandong::cli::connect::Client;
use liandong::limits::{PLAN_DRAFT_KEPT_BYTES_MAX, PLAN_DRAFTS_MAX, PLAN_HALF_DAYS_MAX};
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;
use tonic::{Code, Status};

use super::api::{HERE, THERE, create as create_case, fresh, note, ready, refused, sample};
use super::assignments::{Wire, holding};
use super::nodes::{Nodes, exe, plan as two_cities};
use super::plan_cli::{Desk, filled_in, has, register, said};
use super::plans::{creating, get, world_set_up};

const TITLE: &str = "四市夜查 DRAFT-MARK-41c9a7";

/// A drill that could be proposed as it stands.
fn drill(title: &str) -> pb::PlanDraft {
    let mut draft = super::plans::draft(&[]);
    draft.record.as_mut().unwrap().title = title.to_owned();
    draft
}

fn saving(parent: &str, title: &str) -> pb::CreateDraftRequest {
    let (parent, draft) = (parent.to_owned(), Some(drill(title)));
    pb::CreateDraftRequest { parent, draft, request_id: fresh() }
}

async fn save(client: &Client, asked: pb::CreateDraftRequest) -> Result<pb::SavedDraft, Status> {
    client.plans().create_draft(asked).await.map(|done| done.into_inner().draft.unwrap())
}

async fn replace(
    client: &Client,
    (name, etag): (&str, &str),
    draft: pb::PlanDraft,
) -> Result<pb::SavedDraft, Status> {
    let (name, etag, draft) = (name.to_owned(), etag.to_owned(), Some(draft));
    let asked = pb::UpdateDraftRequest { name, etag, draft, request_id: fresh() };
    client.plans().update_draft(asked).await.map(|done| done.into_inner().draft.unwrap())
}

async fn delete(client: &Client, name: &str, etag: &str) -> Result<(), Status> {
    let (name, etag, request_id) = (name.to_owned(), etag.to_owned(), fresh());
    let asked = pb::DeleteDraftRequest { name, etag, request_id };
    client.plans().delete_draft(asked).await.map(|_| ())
}

async fn one(client: &Client, name: &str) -> Result<pb::SavedDraft, Status> {
    let asked = pb::GetDraftRequest { name: name.to_owned() };
    client.plans().get_draft(asked).await.map(|found| found.into_inner().draft.unwrap())
}

async fn drafts(client: &Client, parent: &str) -> Vec<pb::SavedDraft> {
    let parent = parent.to_owned();
    let asked = pb::ListDraftsRequest { parent, ..Default::default() };
    let page = client.plans().list_drafts(asked).await.unwrap().into_inner();
    assert_eq!(page.total_size as usize, page.drafts.len());
    page.drafts
}

async fn plans(client: &Client) -> Vec<pb::Plan> {
    let asked = pb::ListPlansRequest { parent: "agreements/-".into(), ..Default::default() };
    client.plans().list_plans(asked).await.unwrap().into_inner().plans
}

fn proposing(parent: &str, saved: &pb::SavedDraft) -> pb::CreatePlanRequest {
    pb::CreatePlanRequest {
        from_draft: saved.name.clone(),
        draft_etag: saved.etag.clone(),
        ..creating(parent, saved.draft.clone().unwrap())
    }
}

fn is<T: std::fmt::Debug>(answer: Result<T, Status>, code: Code, reason: &str) {
    assert_eq!(refused(answer), (code, reason.to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn f15_a_plan_is_drafted_by_colleagues_and_proposed_once() {
    let mut world = world_set_up(&["聊邯"], |_| {}).await;
    let agreement = world.agreements[0].clone();
    let colleague = world.nodes.client_as(HERE, Role::Inspector).await;
    let asked = saving(&agreement, "四市夜查");
    let first = save(&world.here, asked.clone()).await.unwrap();
    assert_eq!(first.draft, asked.draft);
    assert!(first.updated_by.starts_with("coordinator/") && first.update_time.is_some());
    // Saving it twice is saving it once, and a request id stands for one draft.
    assert_eq!(save(&world.here, asked.clone()).await.unwrap(), first);
    let other = pb::CreateDraftRequest { draft: Some(drill("另一份")), ..asked };
    is(save(&world.here, other).await, Code::AlreadyExists, "IDEMPOTENCY_MISMATCH");
    assert_eq!(drafts(&colleague, "agreements/-").await, vec![first.clone()]);
    assert_eq!(drafts(&world.there, "agreements/-").await, vec![]);
    is(one(&world.there, &first.name).await, Code::NotFound, "NOT_FOUND");

    // Of two who write at it the second one is told of the first.
    let seen = (first.name.as_str(), first.etag.as_str());
    let same = replace(&world.here, seen, drill("四市夜查")).await.unwrap();
    assert_eq!(same, first, "nothing was changed");
    let second = replace(&colleague, seen, drill("四市夜查，加油站")).await.unwrap();
    assert!(second.etag != first.etag && second.updated_by.starts_with("inspector/"));
    is(replace(&world.here, seen, drill("x")).await, Code::Aborted, "DRAFT_CHANGED");
    is(delete(&world.here, seen.0, seen.1).await, Code::Aborted, "DRAFT_CHANGED");
    let stale = world.here.plans().create_plan(proposing(&agreement, &first)).await;
    is(stale, Code::Aborted, "DRAFT_CHANGED");
    assert_eq!(plans(&world.here).await, vec![], "nothing was proposed");
    refusals(&world.here, &agreement, &second).await;
    let reader = world.nodes.client_as(HERE, Role::Auditor).await;
    is(save(&reader, saving(&agreement, "x")).await, Code::PermissionDenied, "ROLE_NOT_ALLOWED");

    // The views are lost: all is made again from the journal, and what was deleted stays so.
    let gone = save(&colleague, saving(&agreement, "不用了")).await.unwrap();
    delete(&world.here, &gone.name, &gone.etag).await.unwrap();
    delete(&world.here, &gone.name, &gone.etag).await.unwrap();
    world.nodes.kill(HERE);
    let folder = world.nodes.fleet.folder(HERE);
    let rebuilt = std::process::Command::new(exe()).arg("rebuild").current_dir(&folder).output();
    assert!(rebuilt.as_ref().unwrap().status.success(), "{}", said(&rebuilt.unwrap()));
    world.nodes.start(HERE);
    let here = world.nodes.client(HERE).await;
    ready(&here, &agreement).await;
    assert_eq!(drafts(&here, &agreement).await, vec![second.clone()]);

    let asked = proposing(&agreement, &second);
    let made = here.plans().create_plan(asked.clone()).await.unwrap().into_inner().plan.unwrap();
    assert_eq!(made.record.as_ref().unwrap().title, "四市夜查，加油站");
    is(one(&here, &second.name).await, Code::NotFound, "NOT_FOUND");
    assert_eq!(drafts(&here, "agreements/-").await, vec![]);
    // The answer was lost, and it is asked again; a colleague with the page still open is not.
    let again = here.plans().create_plan(asked).await.unwrap().into_inner();
    assert_eq!((again.receipt.unwrap().replayed, again.plan.unwrap().name), (true, made.name));
    is(here.plans().create_plan(proposing(&agreement, &second)).await, Code::NotFound, "NOT_FOUND");
    assert_eq!(plans(&here).await.len(), 1);
    at_once(&here, &agreement).await;
}

/// Of many who propose one draft at once one does.
async fn at_once(here: &Client, agreement: &str) {
    let saved = save(here, saving(agreement, "同时发起")).await.unwrap();
    let ask = |asked| {
        let here = here.clone();
        async move { here.plans().create_plan(asked).await }
    };
    let all = (0..6).map(|_| ask(proposing(agreement, &saved)));
    let mut all = tokio::task::JoinSet::from_iter(all);
    let mut done = 0;
    while let Some(answer) = all.join_next().await {
        match answer.unwrap() {
            Ok(_) => done += 1,
            refusal => is(refusal, Code::NotFound, "NOT_FOUND"),
        }
    }
    assert_eq!((done, plans(here).await.len()), (1, 2));
    assert_eq!(drafts(here, agreement).await, vec![]);
}

async fn refusals(here: &Client, agreement: &str, saved: &pb::SavedDraft) {
    let titled = |title: &str| saving(agreement, title);
    is(save(here, titled(" ")).await, Code::InvalidArgument, "REQUIRED");
    let long = titled(&"长".repeat(PLAN_DRAFT_KEPT_BYTES_MAX / 3));
    is(save(here, long).await, Code::InvalidArgument, "DRAFT_TOO_LARGE");
    // No field of it may be longer than a plan's.
    is(save(here, titled(&"长".repeat(200))).await, Code::InvalidArgument, "TEXT_TOO_LONG");
    let mut many = titled("x");
    many.draft.as_mut().unwrap().days = vec![pb::PlanDay::default(); PLAN_HALF_DAYS_MAX + 1];
    is(save(here, many).await, Code::InvalidArgument, "LIST_TOO_LONG");
    let nowhere = saving(&format!("agreements/{}", "0".repeat(32)), "x");
    is(save(here, nowhere).await, Code::NotFound, "NOT_FOUND");
    let unnamed = replace(here, ("agreements/x", &saved.etag), drill("x")).await;
    is(unnamed, Code::InvalidArgument, "NAME_FORMAT");
    let unseen = replace(here, (&saved.name, ""), drill("x")).await;
    is(unseen, Code::InvalidArgument, "ETAG_REQUIRED");
    let absent = format!("{agreement}/drafts/{}", "0".repeat(32));
    is(replace(here, (&absent, "00"), drill("x")).await, Code::NotFound, "NOT_FOUND");
    let no_id = pb::CreateDraftRequest { request_id: String::new(), ..titled("x") };
    is(save(here, no_id).await, Code::InvalidArgument, "REQUEST_ID");
    assert_eq!(one(here, &saved.name).await.as_ref().unwrap(), saved);
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_are_as_many_as_a_city_may_keep_and_come_in_pages() {
    let mut nodes = Nodes::lay_out(&two_cities(&[HERE, THERE], &[("聊邯", &[HERE, THERE])]));
    nodes.start(HERE);
    let agreement = nodes.fleet.agreements[0].name();
    let system = nodes.client_as(HERE, Role::System).await;
    ready(&system, &agreement).await;
    let mut saved = Vec::new();
    for nth in 0..PLAN_DRAFTS_MAX {
        saved.push(save(&system, saving(&agreement, &format!("第{nth}份"))).await.unwrap());
    }
    let more = save(&system, saving(&agreement, "再一份")).await;
    is(more, Code::FailedPrecondition, "TOO_MANY_DRAFTS");
    let (mut listed, mut page_token) = (Vec::new(), String::new());
    loop {
        let parent = "agreements/-".to_owned();
        let asked = pb::ListDraftsRequest { parent, page_size: 30, page_token };
        let page = system.plans().list_drafts(asked).await.unwrap().into_inner();
        assert_eq!(page.total_size as usize, PLAN_DRAFTS_MAX);
        listed.extend(page.drafts);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    saved.reverse();
    assert_eq!(listed, saved, "those saved last come first, each once");
    delete(&system, &saved[7].name, &saved[7].etag).await.unwrap();
    save(&system, saving(&agreement, "再一份")).await.unwrap();
}

/// Another city's connection is given everything there is, and every byte of it is looked at.
#[tokio::test(flavor = "multi_thread")]
async fn drafts_never_leave_the_city() {
    let (nodes, mut wire) = Wire::open().await;
    let agreement = nodes.fleet.agreements[0].name();
    let here = nodes.client(HERE).await;
    let saved = save(&here, saving(&agreement, TITLE)).await.unwrap();
    let again = (saved.name.as_str(), saved.etag.as_str());
    let saved = replace(&here, again, drill(&format!("{TITLE}-2"))).await.unwrap();
    let case = create_case(&here, sample(&agreement, 0)).await.unwrap();
    note(&here, &case.name, "SAID-TO-ALL-4b1f").await.unwrap();
    wire.until("SAID-TO-ALL-4b1f").await;
    wire.everything().await;
    let id = saved.name.rsplit('/').next().unwrap();
    assert!(!wire.holds("DRAFT-MARK-41c9a7") && !wire.holds(id), "it left the city");
    let own = holding(&nodes.fleet.folder(HERE), "DRAFT-MARK-41c9a7".as_bytes());
    assert!(!own.is_empty() && own.iter().all(|path| path.contains("journal")), "{own:?}");
    // Once it is proposed, it is for all: a search finds it.
    let made = here.plans().create_plan(proposing(&agreement, &saved)).await.unwrap().into_inner();
    wire.until("DRAFT-MARK-41c9a7").await;
    assert!(get(&here, &made.plan.unwrap().name).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn drafts_by_command_line() {
    let cities = [HERE, THERE];
    let nodes = Nodes::start_all(&two_cities(&cities, &[("聊邯", &cities)]));
    for city in cities {
        ready(&nodes.client(city).await, &nodes.fleet.agreements[0].name()).await;
    }
    let (here, there) = (Desk { nodes: &nodes, city: HERE }, Desk { nodes: &nodes, city: THERE });
    register(&here, &there);
    here.plan(&["template", "--out", "draft.toml"]);
    let template = std::fs::read_to_string(here.file("draft.toml")).unwrap();
    std::fs::write(here.file("draft.toml"), filled_in(&template)).unwrap();
    let saved = here.json(&["draft", "save", "draft.toml"]);
    let id = saved["draft"]["name"].as_str().unwrap().rsplit('/').next().unwrap()[..8].to_owned();
    has(&here.plan(&["draft", "list"]), &[&id, "聊邯交界涉水企业联合检查", "共 1 份"]);
    has(&there.plan(&["draft", "list"]), &["共 0 份"]);
    has(&there.refused(&["draft", "show", &id]), &["找不到草稿"]);
    has(&here.plan(&["draft", "show", &id]), &["# 示例纸业有限公司", "etag ", "联合检查"]);

    // Written to a file, changed there, and put back; what a colleague has saved is not replaced
    // unseen.
    here.plan(&["draft", "show", &id, "--out", "again.toml"]);
    let again = std::fs::read_to_string(here.file("again.toml")).unwrap();
    let changed = again.replace("聊邯交界涉水企业联合检查", "聊邯交界夜查");
    std::fs::write(here.file("again.toml"), changed).unwrap();
    let colleague = nodes.client_as(HERE, Role::Inspector).await;
    let standing = drafts(&colleague, "agreements/-").await.remove(0);
    let stale = (standing.name.as_str(), standing.etag.as_str());
    let standing = replace(&colleague, stale, standing.draft.clone().unwrap()).await.unwrap();
    let put = ["draft", "save", "again.toml", "--replace", &id];
    has(&here.refused(&put), &["DRAFT_STANDS", &standing.etag]);
    let seen = [put.as_slice(), &["--etag", &standing.etag]].concat();
    has(&here.plan(&seen), &["聊邯交界夜查", "已存"]);
    let stale = ["draft", "save", "draft.toml", "--replace", &id, "--etag", &standing.etag];
    has(&here.refused(&stale), &["DRAFT_CHANGED"]);

    let made = here.json(&["new", "--from-draft", &id]);
    assert_eq!(made["plan"]["record"]["title"], "聊邯交界夜查");
    has(&here.plan(&["draft", "list"]), &["共 0 份"]);
    // The copy of an earlier plan is a draft again.
    let number = made["plan"]["number"].as_str().unwrap();
    has(&here.plan(&["draft", "save", "--from", number]), &["聊邯交界夜查", "已存"]);
    let copy = here.json(&["draft", "list"])["drafts"][0]["name"].as_str().unwrap().to_owned();
    has(&here.plan(&["draft", "delete", &copy]), &["已删除"]);
    has(&here.refused(&["draft", "delete", &copy]), &["NOT_FOUND"]);
    let nothing = here.run("plan", &["new"]);
    assert_eq!(nothing.status.code(), Some(2), "neither file nor draft: {}", said(&nothing));
}

/// A draft ends with the entry of its plan: nothing that is sent again, and no older copy of the
/// node, makes another plan of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_was_proposed_never_comes_back() {
    let mut world = world_set_up(&["聊邯"], |_| {}).await;
    let agreement = world.agreements[0].clone();
    let asked = saving(&agreement, "只发起一次");
    let saved = save(&world.here, asked.clone()).await.unwrap();
    world.nodes.kill(HERE);
    let data = world.nodes.fleet.folder(HERE).join("data");
    let backup = world.nodes.fleet.folder(HERE).join("backup");
    super::power::copy(&data, &backup);
    world.nodes.start(HERE);
    let here = world.nodes.client(HERE).await;
    ready(&here, &agreement).await;
    // Somebody has saved it meanwhile: what a caller has not read is not thrown away.
    let proposal = proposing(&agreement, &saved);
    let older = pb::CreatePlanRequest { draft_etag: "00".into(), ..proposal.clone() };
    is(here.plans().create_plan(older).await, Code::Aborted, "DRAFT_CHANGED");
    let made = here.plans().create_plan(proposal).await.unwrap().into_inner().plan.unwrap();

    // Saving it is sent again, as if its answer had been lost: it was saved, and has been proposed.
    let again = here.plans().create_draft(asked).await.unwrap().into_inner();
    assert_eq!(again.draft, None);
    assert_eq!(drafts(&here, &agreement).await, vec![]);
    let second = here.plans().create_plan(proposing(&agreement, &saved)).await;
    is(second, Code::NotFound, "NOT_FOUND");

    // A copy from before the proposal is put back; the plan comes from the other city.
    super::nodes::until("the plan is there", || async {
        get(&world.there, &made.name).await.ok().map(drop)
    })
    .await;
    world.nodes.kill(HERE);
    std::fs::remove_dir_all(&data).unwrap();
    super::power::copy(&backup, &data);
    world.nodes.start(HERE);
    let here = world.nodes.client(HERE).await;
    super::nodes::until("the plan has come back", || async {
        get(&here, &made.name).await.ok().map(drop)
    })
    .await;
    assert_eq!(drafts(&here, &agreement).await, vec![]);
    is(one(&here, &saved.name).await, Code::NotFound, "NOT_FOUND");
}
