//! `liandong plan draft`: drafts that the own city's node keeps, and colleagues go on with.
//!
//! In scope: saving a file or the copy of a plan, looking, deleting. Out of scope: the file itself
//! ([`super::draft`], [`super::template`]), proposing ([`super::propose`]). None of it is told to
//! another city.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::draft;
use super::register::Register;
use super::{agreement_of, propose, read, shape, short, template};
use crate::cli::case::write::WriteArgs;
use crate::cli::case::{Session, name};
use crate::cli::failure::{Exit, Failure};
use crate::cli::names::Names;
use crate::cli::page::{PageArgs, next_line};
use crate::cli::{short_id, table};
use crate::lang::Lang;
use crate::shown::plan::parts::{self, draft_saved, draft_title};
use crate::wire::pb::v1 as pb;

/// What people call one.
const KIND: short_id::Kind = short_id::Kind {
    list: "liandong plan draft list",
    zh: "草稿",
    several_zh: "多份草稿",
    en: "draft",
};

/// Arguments.
#[derive(Args, Debug)]
pub struct DraftArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: DraftCommand,
}

/// What can be done with drafts.
#[derive(Subcommand, Debug)]
pub enum DraftCommand {
    /// 把草稿文件或以往方案的副本存入本市节点 · save a file, or the copy of a plan, in the node
    Save(SaveArgs),
    /// 本市草稿一览 · list the city's drafts
    List(ListArgs),
    /// 查看草稿；--out 存为文件以便修改 · show one; --out writes it as a file to edit
    Show(ShowArgs),
    /// 删除草稿 · delete one
    Delete(DeleteArgs),
}

/// Which version of a draft is meant.
#[derive(Args, Debug, Default)]
pub struct SeenArgs {
    /// 所依据的草稿版本，见 draft show · etag of the draft as it was seen, as draft show has it
    #[arg(long, value_name = "ETAG")]
    pub etag: Option<String>,
}

/// Arguments of `save`.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct SaveArgs {
    /// 草稿文件（liandong plan template 生成） · draft file, as template writes it
    #[arg(value_name = "FILE.toml", group = "what")]
    pub file: Option<PathBuf>,
    /// 由此方案复制（方案号、编号前几位或全名） · copy this plan
    #[arg(long, value_name = "PLAN", group = "what")]
    pub from: Option<String>,
    /// 联动协议（默认按草稿；只有一个时可省） · the agreement; that of the draft when absent
    #[arg(long, short = 'a', value_name = "AGREEMENT", conflicts_with = "replace")]
    pub agreement: Option<String>,
    /// 替换已存的草稿（编号前几位或全名） · take the place of this saved draft
    #[arg(long, value_name = "DRAFT")]
    pub replace: Option<String>,
    /// Which version is replaced.
    #[command(flatten)]
    pub seen: SeenArgs,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Arguments of `list`.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// 只看此联动协议 · only this agreement
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// Which page.
    #[command(flatten)]
    pub page: PageArgs,
}

/// Arguments of `show`.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// 草稿编号前几位或全名 · the beginning of its id, or its name
    #[arg(value_name = "DRAFT")]
    pub draft: String,
    /// 写入此文件 · file to write
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Arguments of `delete`.
#[derive(Args, Debug)]
pub struct DeleteArgs {
    /// 草稿编号前几位或全名 · the beginning of its id, or its name
    #[arg(value_name = "DRAFT")]
    pub draft: String,
    /// Which version is deleted.
    #[command(flatten)]
    pub seen: SeenArgs,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] when a file is wrong, a draft is not found, or the node refuses.
pub async fn run(session: &Session, args: DraftArgs) -> Result<(), Failure> {
    match args.command {
        DraftCommand::Save(args) => save(session, args).await,
        DraftCommand::List(args) => list(session, args).await,
        DraftCommand::Show(args) => show(session, args).await,
        DraftCommand::Delete(args) => delete(session, args).await,
    }
}

/// A draft as the node keeps it.
pub(super) async fn find(session: &Session, given: &str) -> Result<pb::SavedDraft, Failure> {
    let pages = async |page_token| {
        let parent = "agreements/-".to_owned();
        let request = pb::ListDraftsRequest { parent, page_size: 200, page_token };
        let answer = session.client.plans().list_drafts(request).await;
        let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
        let names = page.drafts.into_iter().map(|one| one.name).collect();
        Ok((names, page.next_page_token))
    };
    let name = short_id::name(given, &KIND, session.context.lang, pages).await?;
    let answer = session.client.plans().get_draft(pb::GetDraftRequest { name }).await;
    let found = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    Ok(found.draft.unwrap_or_default())
}

/// The etag to quote for a draft: as given, or that of what stands if nobody else wrote it.
///
/// # Errors
/// [`Failure`] when somebody else wrote what stands, and nobody says that it was seen.
pub(super) fn seen(
    session: &Session,
    standing: &pb::SavedDraft,
    args: SeenArgs,
) -> Result<String, Failure> {
    let me = format!("{}/{}", session.client.me.role, session.client.me.id);
    match args.etag {
        Some(etag) => Ok(etag),
        None if standing.updated_by == me => Ok(standing.etag.clone()),
        None => Err(of_another(standing, session.context.lang)),
    }
}

fn of_another(standing: &pb::SavedDraft, lang: Lang) -> Failure {
    let etag = table::clean(&standing.etag);
    let what = lang.pick("草稿由他人保存", "somebody else has saved the draft");
    let short = short(&standing.name);
    Failure::new(Exit::Refused, "DRAFT_STANDS", what).detail(draft_saved(standing, lang)).advise(
        lang.pick(
            format!("先看过：liandong plan draft show {short}；确认后加 --etag {etag}"),
            format!("look at it: liandong plan draft show {short}; then add --etag {etag}"),
        ),
    )
}

async fn save(session: &Session, args: SaveArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let standing = match &args.replace {
        Some(given) => Some(find(session, given).await?),
        None => None,
    };
    let parent = standing.as_ref().map(|one| agreement_of(&one.name).to_owned());
    let (parent, draft) = match (&args.file, &args.from) {
        (Some(path), _) => {
            let file = draft::read(path, lang)?;
            let given = args.agreement.as_deref().or(file.agreement.as_deref());
            let parent = match parent {
                Some(parent) => parent,
                None => name::agreement(session, given).await?,
            };
            let draft = propose::message(session, &parent, &file).await?;
            (parent, draft)
        }
        (None, from) => {
            let plan = read(session, from.as_deref().unwrap_or_default()).await?;
            let plan = plan.plan.unwrap_or_default();
            let parent = parent.unwrap_or_else(|| agreement_of(&plan.name).to_owned());
            (parent, template::copied(&plan))
        }
    };
    let (draft, request_id) = (Some(draft), args.write.request_id());
    let mut plans = session.client.plans();
    let saved = match standing {
        None => {
            let asked = pb::CreateDraftRequest { parent, draft, request_id };
            plans.create_draft(asked).await.map(|done| done.into_inner().draft)
        }
        Some(standing) => {
            let etag = seen(session, &standing, args.seen)?;
            let asked = pb::UpdateDraftRequest { name: standing.name, etag, draft, request_id };
            plans.update_draft(asked).await.map(|done| done.into_inner().draft)
        }
    };
    let saved = saved.map_err(|status| session.client.failure(&status))?.unwrap_or_default();
    if session.context.json {
        session.context.print_json(&json!({ "draft": shape::saved(&saved) }));
    } else {
        println!("{}", kept(&saved, lang));
    }
    Ok(())
}

fn kept(saved: &pb::SavedDraft, lang: Lang) -> String {
    let (short, title) = (short(&saved.name), draft_title(saved));
    lang.pick(
        format!(
            "草稿 {short} 已存：{title}。只存本市，发起之前其他市看不到；\
             发起：liandong plan new --from-draft {short}"
        ),
        format!(
            "draft {short} is saved: {title}. It stays in this city until it is proposed: \
             liandong plan new --from-draft {short}"
        ),
    )
}

async fn list(session: &Session, args: ListArgs) -> Result<(), Failure> {
    let parent = name::parent(session, args.agreement.as_deref()).await?;
    let PageArgs { page_size, page_token } = args.page;
    let request = pb::ListDraftsRequest { parent, page_size, page_token };
    let answer = session.client.plans().list_drafts(request).await;
    let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    if session.context.json {
        session.context.print_json(&json!({
            "drafts": page.drafts.iter().map(shape::saved).collect::<Vec<_>>(),
            "next_page_token": page.next_page_token,
            "total_size": page.total_size,
        }));
    } else {
        print!("{}", text(&page, &session.names, session.context.lang));
    }
    Ok(())
}

fn text(page: &pb::ListDraftsResponse, names: &Names, lang: Lang) -> String {
    let headers = lang.pick(
        ["编号", "行动名称", "参加市", "时间", "保存人和时间"],
        ["id", "title", "cities", "days", "saved by and when"],
    );
    let mut lines = table::table(&headers);
    for one in &page.drafts {
        let draft = one.draft.clone().unwrap_or_default();
        lines.add_row([
            short(&one.name).to_owned(),
            draft_title(one),
            names.list(draft.cities.iter().map(|city| city.city)),
            parts::days(&draft.days, lang),
            draft_saved(one, lang),
        ]);
    }
    let (shown, total) = (page.drafts.len(), page.total_size);
    let mut out = lang.pick(
        format!("{lines}\n显示 {shown} 份，共 {total} 份（只存本市）\n"),
        format!("{lines}\n{shown} of {total} drafts, kept in this city only\n"),
    );
    out.push_str(&next_line(&page.next_page_token, lang));
    out
}

async fn show(session: &Session, args: ShowArgs) -> Result<(), Failure> {
    let saved = find(session, &args.draft).await?;
    if session.context.json && args.out.is_none() {
        session.context.print_json(&json!({ "draft": shape::saved(&saved) }));
        return Ok(());
    }
    let agreement = agreement_of(&saved.name);
    let draft = saved.draft.clone().unwrap_or_default();
    let left_out = draft.draw.iter().flat_map(|draw| &draw.left_out).map(|one| &one.site);
    let pool = draft.draw.iter().flat_map(|draw| &draw.pool);
    let sites = draft.visits.iter().map(|visit| &visit.site).chain(pool).chain(left_out);
    let sites: BTreeSet<String> = sites.cloned().collect();
    let register = Register::named(session, agreement, (sites, BTreeSet::new())).await;
    let file = template::text(&draft::of(&draft, agreement, &register));
    if args.out.is_some() {
        return template::put(&session.context, args.out.as_ref(), &file);
    }
    let lang = session.context.lang;
    let etag = table::clean(&saved.etag);
    println!(
        "{} {}  {}\netag {etag}\n",
        lang.pick("草稿", "draft"),
        short(&saved.name),
        draft_saved(&saved, lang)
    );
    print!("{}", table::clean_lines(&file));
    Ok(())
}

async fn delete(session: &Session, args: DeleteArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let saved = find(session, &args.draft).await?;
    let etag = seen(session, &saved, args.seen)?;
    let request_id = args.write.request_id();
    let request = pb::DeleteDraftRequest { name: saved.name.clone(), etag, request_id };
    let answer = session.client.plans().delete_draft(request).await;
    answer.map_err(|status| session.client.failure(&status))?;
    match session.context.json {
        true => session.context.print_json(&json!({ "deleted": saved.name })),
        false => {
            let (short, title) = (short(&saved.name), draft_title(&saved));
            println!(
                "{}",
                lang.pick(format!("草稿 {short} 已删除：{title}"), {
                    format!("draft {short} is deleted: {title}")
                })
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_saved_a_draft_is_told_before_it_is_replaced() {
        let record = pb::PlanRecord { title: "示例\u{1b}[2J".into(), ..Default::default() };
        let saved = pb::SavedDraft {
            name: "agreements/0/drafts/0123456789abcdef0123456789abcdef".into(),
            draft: Some(pb::PlanDraft { record: Some(record), ..Default::default() }),
            updated_by: "coordinator/7".into(),
            etag: "ab12".into(),
            ..Default::default()
        };
        let told = of_another(&saved, Lang::Zh).text(Lang::Zh);
        for part in ["联络员 7", "--etag ab12", "draft show 01234567", "DRAFT_STANDS"] {
            assert!(told.contains(part), "{part}\n{told}");
        }
        let page = pb::ListDraftsResponse { drafts: vec![saved], total_size: 3, ..<_>::default() };
        let listed = text(&page, &Names::new(Lang::Zh), Lang::Zh);
        assert!(listed.contains("共 3 份") && !listed.contains('\u{1b}'), "{listed}");
    }
}
