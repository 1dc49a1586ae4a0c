//! Drafts of joint actions that the node keeps for its own city: listed, gone on with, proposed.
//!
//! A draft is shown in the form of a proposal. What that has no field for stays as it was saved.
//!
//! In scope: from a draft to fields, and from fields to all of it. Out of scope: the fields
//! ([`super::plan_new`]); what a plan must have, which the service says when it is proposed.

use axum::Router;
use axum::response::Response;
use axum::routing::{get, post};
use maud::{Markup, html};
use tonic::{Code, Status};

use super::ending::{No, end};
use super::form::Form;
use super::layout::{self, Desk};
use super::parts::{self, At, Filled, agreement_of, page_of};
use super::plan_days::cut;
use super::plan_new::{self, MORE_SITES, To, stepped};
use super::refusal::Refusal;
use super::{Console, plan_revise, plan_sites, plan_slots, register};
use crate::lang::Lang;
use crate::limits::PAGE_SIZE_MAX;
use crate::shown::plan::parts::{self as say, draft_saved, draft_title};
use crate::shown::plan::{self, Labels};
use crate::shown::sheet::Sheet;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// What saving ends in.
const SAVE: &str = "/liandong.v1.PlanService/CreateDraft";
/// The beginning of a draft's address.
const PAGE: &str = "plan-draft";

/// The field of a query that says which drafts are listed.
const MORE: &str = "drafts";

/// Its pages.
pub fn routes() -> Router<Console> {
    Router::new()
        .route("/plans/new/draft", post(create).get(layout::page_of_form))
        .route("/plan-draft/{agreement}/{id}", get(show).post(propose))
        .route("/plan-draft/{agreement}/{id}/form", post(step).get(layout::page_of_form))
        .route("/plan-draft/{agreement}/{id}/save", post(save).get(layout::page_of_form))
        .route("/plan-draft/{agreement}/{id}/delete", post(delete).get(layout::page_of_form))
}

/// The button that saves a proposal that is not finished.
#[must_use]
pub fn button(action: &str, lang: Lang) -> Markup {
    html! {
        button .second formaction=(action) name="go" value="save" {
            (lang.pick("保存草稿（只存本市）", "Save the draft, for this city only"))
        }
    }
}

/// The city's drafts, above the plans; nothing when there are none.
pub async fn list(desk: &Desk, query: &Form) -> Markup {
    let lang = desk.lang();
    let request = pb::ListDraftsRequest {
        parent: "agreements/-".to_owned(),
        page_size: PAGE_SIZE_MAX.cast_signed(),
        page_token: query.text(MORE).to_owned(),
    };
    let page = match desk.client.plans().list_drafts(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return parts::refused(&Refusal::of(&status, lang), lang),
    };
    if page.total_size == 0 {
        return html! {};
    }
    let count = lang.pick(
        format!("草稿 {} 份，只存本市", page.total_size),
        format!("{} drafts, kept in this city only", page.total_size),
    );
    html! {
        section aria-labelledby="drafts" {
            h2 #drafts { (lang.pick("草稿", "Drafts")) }
            div .scroll {
                table {
                    caption { (count) }
                    thead {
                        tr {
                            th scope="col" { (lang.pick("行动名称", "title")) }
                            th scope="col" { (lang.pick("时间", "days")) }
                            th scope="col" { (lang.pick("参加市", "cities")) }
                            th scope="col" { (lang.pick("保存", "saved")) }
                        }
                    }
                    tbody { @for one in &page.drafts { (row(one, desk)) } }
                }
            }
            (parts::next_of(MORE, "/plans", (query, &page.next_page_token), lang))
        }
    }
}

fn row(saved: &pb::SavedDraft, desk: &Desk) -> Markup {
    let draft = saved.draft.clone().unwrap_or_default();
    html! {
        tr {
            th scope="row" { a href=(page_of(PAGE, &saved.name)) { (cut(&draft_title(saved))) } }
            td { (say::days(&draft.days, desk.lang())) }
            td { (desk.names.list(draft.cities.iter().map(|one| one.city))) }
            td { (draft_saved(saved, desk.lang())) }
        }
    }
}

/// Saves what is filled in on the page of a new plan.
pub async fn create(desk: Desk, form: Form) -> Response {
    let done = created(&desk, &form).await.map(|name| page_of(PAGE, &name));
    let done = done.map_err(|no| plan_new::placed(no, desk.lang()));
    let again =
        async |refusal: &Refusal| plan_new::page(&desk, &form, Some(refusal), &html! {}).await;
    end(&desk, done, again).await
}

async fn created(desk: &Desk, form: &Form) -> Result<String, No> {
    let request = pb::CreateDraftRequest {
        parent: parts::parent(form),
        draft: Some(plan_new::unfinished(desk, form).await?),
        request_id: form.text("request_id").to_owned(),
    };
    let answer = desk.client.plans().create_draft(request).await?.into_inner();
    Ok(answer.draft.unwrap_or_default().name)
}

/// Shows one, to go on with.
pub async fn show(desk: Desk, at: At) -> Response {
    let page = match read(&desk, &at).await {
        Ok(saved) => page(&desk, &saved, &of(&saved), None).await,
        Err(status) => Err(status),
    };
    page.unwrap_or_else(|status| desk.no(&status))
}

/// Shows it again as it is filled in, a step further. Nothing is written.
pub async fn step(desk: Desk, at: At, form: Form) -> Response {
    let saved = match desk.check_may(SAVE) {
        Ok(()) => read(&desk, &at).await,
        Err(status) => Err(status),
    };
    match saved {
        Ok(saved) => {
            stepped(&desk, form, async |form, no| page(&desk, &saved, form, no).await).await
        }
        Err(status) if is_gone(&status) => {
            let again = async |refusal: &Refusal| left(&desk, &form, refusal).await;
            end(&desk, Err(status.into()), again).await
        }
        Err(status) => desk.no(&status),
    }
}

/// What a button under the form does.
#[derive(Clone, Copy)]
enum Act {
    Propose,
    Save,
    Delete,
}

/// Proposes it: the draft is gone then.
pub async fn propose(desk: Desk, at: At, form: Form) -> Response {
    act(desk, at, form, Act::Propose).await
}

/// Saves it again.
pub async fn save(desk: Desk, at: At, form: Form) -> Response {
    act(desk, at, form, Act::Save).await
}

/// Throws it away.
pub async fn delete(desk: Desk, at: At, form: Form) -> Response {
    act(desk, at, form, Act::Delete).await
}

async fn act(desk: Desk, at: At, form: Form, what: Act) -> Response {
    let done = acted(&desk, &at, &form, what).await;
    let done = done.map_err(|no| plan_new::placed(no, desk.lang()));
    let again = async |refusal: &Refusal| match (read(&desk, &at).await, what) {
        // Its form has no field.
        (Ok(saved), Act::Delete) => page(&desk, &saved, &of(&saved), Some(refusal)).await,
        (Ok(saved), Act::Propose | Act::Save) => page(&desk, &saved, &form, Some(refusal)).await,
        (Err(status), Act::Propose | Act::Save) if is_gone(&status) => {
            left(&desk, &form, refusal).await
        }
        (Err(status), _) => Err(status),
    };
    end(&desk, done, again).await
}

/// Whether it was proposed or thrown away.
fn is_gone(status: &Status) -> bool {
    status.code() == Code::NotFound
}

/// What was filled in for a draft that is gone, as a new plan.
async fn left(desk: &Desk, form: &Form, refusal: &Refusal) -> Result<Response, Status> {
    let note = desk.lang().pick(
        "这份草稿已被发起或删除。您填写的内容仍在下面：请先查看方案列表，仍需要的，可另存为新草稿或直接发起。",
        "The draft was proposed or deleted meanwhile. What you typed is below: look at the list of \
         plans first, then save it as a new draft or propose it if it is still wanted.",
    );
    let note = html! { p .hint { (note) } };
    // A first press has used up its request, with what the draft said besides.
    let used = refusal.reason == "IDEMPOTENCY_MISMATCH";
    let anew = used.then(|| form.clone().put("request_id", ""));
    plan_new::page(desk, anew.as_ref().unwrap_or(form), Some(refusal), &note).await
}

/// The page that follows.
async fn acted(desk: &Desk, at: &At, form: &Form, what: Act) -> Result<String, No> {
    let (name, etag) = (parts::name_of("drafts", at), form.text("etag").to_owned());
    let request_id = form.text("request_id").to_owned();
    let mut plans = desk.client.plans();
    match what {
        Act::Delete => {
            plans.delete_draft(pb::DeleteDraftRequest { name, etag, request_id }).await?;
            Ok("/plans".to_owned())
        }
        Act::Save => {
            let saved = read(desk, at).await?;
            let form = &plan_sites::followed(form, &of(&saved), desk.lang());
            let draft = Some(merged(&saved, form, plan_new::unfinished(desk, form).await?));
            let request = pb::UpdateDraftRequest { name, etag, draft, request_id };
            plans.update_draft(request).await?;
            Ok(page_of(PAGE, &saved.name))
        }
        Act::Propose => {
            // Whoever sends it again has its first answer: the draft is gone by then.
            let saved = match read(desk, at).await {
                Err(status) if is_gone(&status) => pb::SavedDraft { name, ..Default::default() },
                found => found?,
            };
            let form = &plan_sites::followed(form, &of(&saved), desk.lang());
            let request = pb::CreatePlanRequest {
                parent: agreement_of(&saved.name),
                draft: Some(merged(&saved, form, plan_new::draft(desk, form).await?)),
                from_draft: saved.name,
                draft_etag: etag,
                request_id,
                ..Default::default()
            };
            let answer = plans.create_plan(request).await?.into_inner();
            Ok(page_of("plan", &answer.plan.unwrap_or_default().name))
        }
    }
}

async fn read(desk: &Desk, at: &At) -> Result<pb::SavedDraft, Status> {
    let request = pb::GetDraftRequest { name: parts::name_of("drafts", at) };
    let answer = desk.client.plans().get_draft(request).await?.into_inner();
    Ok(answer.draft.unwrap_or_default())
}

async fn page(
    desk: &Desk,
    saved: &pb::SavedDraft,
    form: &Form,
    refusal: Option<&Refusal>,
) -> Result<Response, Status> {
    let lang = desk.lang();
    let form = &plan_sites::followed(form, &of(saved), lang);
    let agreement = agreement_of(&saved.name);
    let here = page_of(PAGE, &saved.name);
    let none = Refusal::default();
    let of = Filled { form: "new", again: Some((form, refusal.unwrap_or(&none))), lang };
    let basis = html! { (parts::request_id(Some(form))) (of.kept("etag", &saved.etag)) };
    let fields = match desk.agreements.iter().find(|one| one.name == agreement) {
        Some(agreement) if desk.visitor.may(SAVE) => {
            let sites = register::sites(desk, &agreement.name, (form, MORE_SITES)).await?;
            let go = lang.pick("发起，征求各市意见", "Propose it to the cities");
            let more = button(&format!("{here}/save"), lang);
            let to = To { action: &here, go, basis: basis.clone(), more, moved: None };
            let found = plan_slots::found(desk, form, &agreement.name, &to).await;
            html! {
                (plan_new::fields(desk, &of, (form, agreement), (&sites, &found, &to)))
                form method="post" action={ (here) "/delete" } {
                    (basis)
                    button .second { (lang.pick("删除草稿", "Delete the draft")) }
                }
            }
        }
        Some(_) | None => html! {
            p .soft { (lang.pick("您的身份只能查看。", "Your role reads only.")) }
        },
    };
    let head = lang.pick("联合行动草稿", "Draft of a joint action");
    let main = html! {
        h1 { (head) "：" (draft_title(saved)) }
        p { a href="/plans" { (lang.pick("返回方案列表", "back to the plans")) } }
        @if let Some(refusal) = refusal { (parts::refused(refusal, lang)) }
        p .hint {
            (lang.pick("草稿只存本市，发起之前其他市看不到；发起后草稿删除。保存：",
                "It stays in this city until it is proposed, and is gone then. Saved by: "))
            (draft_saved(saved, lang))
        }
        (fields)
        @if refusal.is_some_and(|refusal| refusal.is_stale) {
            section aria-labelledby="now" {
                h2 #now { (lang.pick("已保存的版本", "The version that is saved")) }
                (parts::sheet(&sheet(desk, saved).await))
            }
        }
    };
    Ok(desk.page(&format!("{head} {}", draft_title(saved)), &main))
}

/// What a draft says, for those who typed another version of it.
async fn sheet(desk: &Desk, saved: &pb::SavedDraft) -> Sheet {
    let (lang, draft) = (desk.lang(), saved.draft.clone().unwrap_or_default());
    let needs: Vec<String> =
        draft.cities.iter().map(|one| say::needs(one, &desk.names, lang)).collect();
    let departments: Vec<String> =
        draft.departments().map(|one| words::department(one, lang).to_owned()).collect();
    let draw = draft.draw.clone().unwrap_or_default();
    let drawn = [draw.sites, draw.host_officers, draw.guest_officers];
    let sites: Vec<String> =
        draft.visits.iter().map(|one| one.site.clone()).chain(draw.pool).collect();
    let mut labels = Labels::default();
    let wanted = sites.iter().cloned().collect();
    register::learn_sites(desk, &agreement_of(&saved.name), wanted, &mut labels).await;
    let mut sheet = Sheet::default();
    sheet
        .row(lang.pick("保存", "saved"), draft_saved(saved, lang))
        .row(lang.pick("行动名称", "title"), draft_title(saved))
        .row(lang.pick("类型", "kind"), words::plan_kind(draft.kind(), lang))
        .row(lang.pick("参加市及需求", "cities and needs"), needs.join("\n"))
        .row(lang.pick("参加部门", "departments"), say::joined(&departments, lang))
        .row(lang.pick("时间", "days"), say::days(&draft.days, lang))
        .row(lang.pick("检查对象", "sites"), labels.list(&sites, lang));
    if draft.draw.is_some() {
        let [sites, hosts, guests] = drawn;
        sheet.row(
            lang.pick("抽取", "draw"),
            lang.pick(
                format!("抽取 {sites} 家，每家当地 {hosts} 人、外市 {guests} 人"),
                format!("{sites} sites; {hosts} officers of the host and {guests} others at each"),
            ),
        );
    }
    plan::record(&mut sheet, draft.record.as_ref(), lang);
    sheet
}

/// A draft as a plan that says the same.
pub fn as_plan(saved: &pb::SavedDraft) -> pb::Plan {
    let draft = saved.draft.clone().unwrap_or_default();
    let visit = |one: pb::VisitDraft| pb::PlanVisit {
        site: one.site,
        first: one.first,
        last: one.last.or(one.first),
        exception: one.exception,
        ..Default::default()
    };
    let rule = |one: &pb::DrawDraft| pb::DrawRule {
        sites: one.sites,
        host_officers: one.host_officers,
        guest_officers: one.guest_officers,
        weights: one.weights,
        spares_withholders: one.spares_withholders,
        ..Default::default()
    };
    pb::Plan {
        name: saved.name.clone(),
        kind: draft.kind,
        cities: draft.cities,
        departments: draft.departments,
        days: draft.days,
        visits: draft.visits.into_iter().map(visit).collect(),
        draw_rule: draft.draw.as_ref().map(rule),
        record: draft.record,
        ..Default::default()
    }
}

/// The fields of a proposal as the draft has them.
fn of(saved: &pb::SavedDraft) -> Form {
    let fields = plan_revise::of(&as_plan(saved));
    let pool = saved.draft.iter().filter_map(|one| one.draw.as_ref()).flat_map(|draw| &draw.pool);
    let pool = pool.map(|site| ("site".to_owned(), site.clone()));
    let fields = fields.pairs().map(|(name, value)| (name.to_owned(), value.to_owned()));
    Form::of(fields.chain(pool).collect())
}

/// All of the draft after the change: what the form has no field for stays as it is.
fn merged(saved: &pb::SavedDraft, form: &Form, draft: pb::PlanDraft) -> pb::PlanDraft {
    let mut after = plan_revise::merged(&as_plan(saved), form, draft);
    let before = saved.draft.as_ref().and_then(|one| one.draw.as_ref());
    if let (Some(draw), Some(before)) = (&mut after.draw, before) {
        let pool = &draw.pool;
        let listed = |one: &&pb::SiteLeftOut| pool.is_empty() || pool.contains(&one.site);
        let left_out = before.left_out.iter().filter(listed).cloned().collect();
        draw.left_out = left_out;
        draw.media.clone_from(&before.media);
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_form_has_no_field_for_stays_in_the_draft() {
        let left_out = |site: &str| pb::SiteLeftOut { site: site.to_owned(), why: 2 };
        let draw = pb::DrawDraft {
            sites: 1,
            host_officers: 2,
            weights: Some(pb::TierWeights { key: 3, general: 1, special: 1 }),
            pool: vec!["s/1".to_owned(), "s/2".to_owned()],
            media: vec![2],
            left_out: vec![left_out("s/1"), left_out("s/2")],
            ..Default::default()
        };
        let record = pb::PlanRecord { title: "名称".to_owned(), ..Default::default() };
        let draft = pb::PlanDraft {
            kind: pb::PlanKind::DoubleRandom.into(),
            departments: vec![1, 4],
            draw: Some(draw.clone()),
            record: Some(record),
            ..Default::default()
        };
        let name = "agreements/aa/drafts/bb".to_owned();
        let saved = pb::SavedDraft { name, draft: Some(draft.clone()), ..Default::default() };
        let form = of(&saved);
        assert_eq!((form.text("agreement"), form.text("draw_sites")), ("aa", "1"));
        assert_eq!(form.all("site").collect::<Vec<_>>(), ["s/1", "s/2"]);
        // Of the fields alone, and one site is ticked no longer.
        let pool = vec!["s/2".to_owned()];
        let new =
            pb::DrawDraft { pool: pool.clone(), sites: 1, host_officers: 2, ..Default::default() };
        let new = pb::PlanDraft { kind: draft.kind, draw: Some(new), ..Default::default() };
        let after = merged(&saved, &form.put("title", "另一名称"), new);
        assert_eq!(after.departments, draft.departments);
        assert_eq!(after.record.unwrap().title, "另一名称");
        let kept = pb::DrawDraft { pool, left_out: vec![left_out("s/2")], ..draw };
        assert_eq!(after.draw, Some(kept));
        // A draft may say any number.
        let need =
            pb::UnitNeed { kind: pb::UnitKind::Officer.into(), count: u32::MAX, department: 0 };
        let city = pb::CityNeeds { city: 371_500, needs: vec![need; 2] };
        let draft = pb::PlanDraft { cities: vec![city], ..Default::default() };
        let saved = pb::SavedDraft { draft: Some(draft), ..Default::default() };
        assert_eq!(of(&saved).text("officers-371500"), u32::MAX.to_string());
    }
}
