//! Drafts of joint actions on pages: saved from the form of a proposal, gone on with by a
//! colleague, proposed, thrown away.

use http::StatusCode;
use liandong::trust::spiffe::Role;
use liandong::wire::pb::v1 as pb;

use super::api::{HERE, THERE, fresh};
use super::console::{Browser, FROM_HERE, Page};
use super::plans::{today, world_set_up};

/// The value of a hidden field of a page.
pub fn hidden(page: &Page, name: &str) -> String {
    let mark = format!(r#"name="{name}" value=""#);
    let (_, rest) = page.text.split_once(&mark).unwrap_or_else(|| panic!("{name}: {}", page.text));
    rest.split('"').next().unwrap().to_owned()
}

async fn drafts(client: &liandong::cli::connect::Client) -> Vec<pb::SavedDraft> {
    let asked = pb::ListDraftsRequest { parent: "agreements/-".into(), ..Default::default() };
    client.plans().list_drafts(asked).await.unwrap().into_inner().drafts
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_saved_gone_on_with_and_proposed_by_page() {
    let world = world_set_up(&["聊邯"], |_| {}).await;
    let here = Browser::open(&world.nodes, HERE, Role::Coordinator).await;
    let id = world.agreements[0].trim_start_matches("agreements/");
    let form = here.get(&format!("/plans/new?agreement={id}")).await;
    assert!(form.text.contains(r#"formaction="/plans/new/draft""#), "{}", form.text);
    let request = hidden(&form, "request_id");
    let (own, officers) = (HERE.to_string(), format!("officers-{HERE}"));
    let typed = |title: &'static str| {
        vec![
            ("agreement", id.to_owned()),
            ("begun", "1".to_owned()),
            ("kind", "5".to_owned()),
            ("city", own.clone()),
            (officers.as_str(), "2".to_owned()),
            ("title", title.to_owned()),
            ("request_id", request.clone()),
        ]
    };
    let post = async |browser: &Browser, at: &str, fields: &[(&str, String)]| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(a, b)| (*a, b.as_str())).collect();
        browser.post(at, &[FROM_HERE], &fields).await
    };
    // A title is all that it needs.
    let refused = post(&here, "/plans/new/draft", &typed("")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    assert_eq!(drafts(&world.here).await, vec![]);
    let saved = post(&here, "/plans/new/draft", &typed("夜查<b>草稿")).await;
    let at = saved.leads_to().split('?').next().unwrap().to_owned();
    assert!(at.starts_with(&format!("/plan-draft/{id}/")), "{at}");
    let listed = here.get("/plans").await.text;
    assert!(listed.contains("<td>联络员 ") && !listed.contains("coordinator/"), "{listed}");
    assert!(listed.contains(&format!(r#"href="{at}""#)) && listed.contains("夜查&lt;b&gt;草稿"));
    let there = Browser::open(&world.nodes, THERE, Role::Coordinator).await;
    assert!(!there.get("/plans").await.text.contains("plan-draft"));
    assert_eq!(there.get(&at).await.status, StatusCode::NOT_FOUND);

    // A colleague goes on with it: what was typed is there, and nothing is overwritten unseen.
    let colleague = Browser::open(&world.nodes, HERE, Role::Inspector).await;
    let (mine, theirs) = (here.get(&at).await, colleague.get(&at).await);
    assert!(theirs.text.contains("夜查&lt;b&gt;草稿") && theirs.text.contains("只存本市"));
    let day = today().to_string();
    let filled = |page: &Page, title: &'static str| {
        let mut fields = typed(title);
        fields.retain(|(name, _)| *name != "request_id");
        fields.extend([("request_id", fresh()), ("etag", hidden(page, "etag"))]);
        fields.extend([("city", THERE.to_string()), ("first", day.clone()), ("last", day.clone())]);
        fields.extend([("overtime", "1".to_owned())]);
        fields
    };
    let again = post(&colleague, &format!("{at}/save"), &filled(&theirs, "夜查")).await;
    assert_eq!(again.leads_to().split('?').next(), Some(at.as_str()));
    let stale = post(&here, &at, &filled(&mine, "另一名称")).await;
    assert!(stale.text.contains("DRAFT_CHANGED"), "{}", stale.text);
    // What the colleague has saved stands beside what was typed.
    let (typed_here, saved_there) = stale.text.split_once("已保存的版本").unwrap();
    assert!(
        typed_here.contains(r#"value="另一名称""#) && saved_there.contains("夜查"),
        "{}",
        stale.text
    );
    let basis = [("etag", hidden(&mine, "etag")), ("request_id", fresh())];
    let stale = post(&here, &format!("{at}/delete"), &basis).await;
    assert!(stale.text.contains("DRAFT_CHANGED") && stale.text.contains("已保存的版本"));
    assert!(stale.text.contains(r#"value="夜查""#), "{}", stale.text);
    let kept = drafts(&world.here).await.remove(0);
    assert!(kept.updated_by.starts_with("inspector/"), "{kept:?}");

    // Proposed, and gone.
    let now = here.get(&at).await;
    let proposal = filled(&now, "夜查");
    let proposed = post(&here, &at, &proposal).await;
    let leads_to = |page: &Page| page.leads_to().split('?').next().unwrap().to_owned();
    assert!(leads_to(&proposed).starts_with(&format!("/plan/{id}/")), "{}", proposed.text);
    assert_eq!(drafts(&world.here).await, vec![]);
    assert_eq!(here.get(&at).await.status, StatusCode::NOT_FOUND);
    // A second press has the first answer, and nobody loses what was typed meanwhile.
    assert_eq!(leads_to(&post(&here, &at, &proposal).await), leads_to(&proposed));
    for to in ["", "/save", "/form"] {
        let late = post(&colleague, &format!("{at}{to}"), &filled(&now, "迟到")).await;
        assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY, "{to}: {}", late.text);
        assert!(late.text.contains("NOT_FOUND") && late.text.contains(r#"value="迟到""#));
        assert!(late.text.contains(r#"formaction="/plans/new/draft""#), "{}", late.text);
    }
    // Another one is thrown away; whoever only reads is offered nothing.
    let mut other = typed("不用了");
    other.retain(|(name, _)| *name != "request_id");
    other.push(("request_id", fresh()));
    let saved = post(&here, "/plans/new/draft", &other).await;
    let at = saved.leads_to().split('?').next().unwrap().to_owned();
    let auditor = Browser::open(&world.nodes, HERE, Role::Auditor).await;
    let read = auditor.get(&at).await.text;
    assert!(read.contains("您的身份只能查看") && !read.contains("<textarea"), "{read}");
    let page = here.get(&at).await;
    let fields = [("etag", hidden(&page, "etag")), ("request_id", fresh())];
    let gone = post(&here, &format!("{at}/delete"), &fields).await;
    assert_eq!(gone.leads_to().split('?').next(), Some("/plans"), "{}", gone.text);
    let gone = post(&here, &format!("{at}/delete"), &fields).await;
    assert_eq!(gone.leads_to().split('?').next(), Some("/plans"), "{}", gone.text);
    assert_eq!(drafts(&world.here).await, vec![]);
}
