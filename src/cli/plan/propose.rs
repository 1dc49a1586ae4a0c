//! `liandong plan new`, `revise`, `amend`: what a draft file says, and texts alone.

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tonic::Response;

use super::draft::{self, Draft};
use super::kept::{self, SeenArgs};
use super::register::Register;
use super::{Sent, agreement_of, read, send};
use crate::cli::case::write::WriteArgs;
use crate::cli::case::{Session, name};
use crate::cli::confirm;
use crate::cli::failure::Failure;
use crate::ids::CityCode;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Arguments of a proposal.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
pub struct NewArgs {
    /// 草稿文件（liandong plan template 生成） · draft file, as template writes it
    #[arg(value_name = "FILE.toml", group = "what")]
    pub file: Option<PathBuf>,
    /// 由本市节点所存草稿发起，发起后草稿删除；同时给文件的，以文件为准
    /// · propose this saved draft, which is deleted then; a file given too says what is proposed
    #[arg(long, value_name = "DRAFT", group = "what")]
    pub from_draft: Option<String>,
    /// Which version of that draft.
    #[command(flatten)]
    pub seen: SeenArgs,
    /// 联动协议（默认按草稿；只有一个时可省） · the agreement; that of the draft when absent
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 只核对，不发起 · check it and write nothing
    #[arg(long)]
    pub check: bool,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Arguments of a revision.
#[derive(Args, Debug)]
pub struct ReviseArgs {
    /// 方案号、编号前几位或全名 · its number, the beginning of its id, or its name
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// 草稿文件（liandong plan template --from 生成） · draft file, as template --from writes it
    #[arg(value_name = "FILE.toml")]
    pub file: PathBuf,
    /// 只核对，不修订 · check it and write nothing
    #[arg(long)]
    pub check: bool,
    /// 此前手工排除的对象不再排除 · draw from what was left out by hand before, too
    #[arg(long)]
    pub drop_left_out: bool,
    /// 已有市确认时不再询问 · do not ask although cities have confirmed
    #[arg(long)]
    pub yes: bool,
    /// 所依据的版本（默认现取） · etag it rests on; read now when absent
    #[arg(long)]
    pub etag: Option<String>,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Arguments of an amendment; what is not given stays as it is.
#[derive(Args, Debug)]
pub struct AmendArgs {
    /// 方案号、编号前几位或全名 · its number, the beginning of its id, or its name
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// 草稿文件：只取 [record]，其中没有的文字即清空 · draft file: its [record] replaces all texts
    #[arg(value_name = "FILE.toml")]
    pub file: Option<PathBuf>,
    /// 行动名称 · title
    #[arg(long)]
    pub title: Option<String>,
    /// 检查主题 · what is looked at
    #[arg(long)]
    pub theme: Option<String>,
    /// 工作安排 · tasks and way of working
    #[arg(long, short = 'm')]
    pub text: Option<String>,
    /// 路线 · route
    #[arg(long)]
    pub route: Option<String>,
    /// 安全事项 · safety notes
    #[arg(long)]
    pub safety: Option<String>,
    /// 各市联系人 · contacts of the cities
    #[arg(long)]
    pub contacts: Option<String>,
    /// 集合地点 · place of meeting
    #[arg(long)]
    pub meeting_place: Option<String>,
    /// 自有系统名称 · name of the own system
    #[arg(long)]
    pub external_system: Option<String>,
    /// 自有系统中的编号 · number in the own system
    #[arg(long)]
    pub external_number: Option<String>,
    /// 所依据的版本（默认现取） · etag it rests on; read now when absent
    #[arg(long)]
    pub etag: Option<String>,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// A draft as a message, by the sites and members of its agreement.
pub(super) async fn message(
    session: &Session,
    parent: &str,
    draft: &Draft,
) -> Result<pb::PlanDraft, Failure> {
    let agreements = name::agreements(session).await?;
    let members: Vec<u32> = agreements
        .iter()
        .filter(|one| one.name == parent)
        .flat_map(|one| one.members.iter().map(|member| member.city))
        .collect();
    let city = |text: &str| {
        let called = |code: &&u32| session.names.city(**code) == text.trim().trim_end_matches('市');
        let named = || members.iter().find(called).copied();
        CityCode::parse(text.trim()).ok().map(CityCode::as_u32).or_else(named)
    };
    let names_sites = !draft.visits.is_empty()
        || draft.draw.as_ref().is_some_and(|d| !d.pool.is_empty() || !d.left_out.is_empty());
    let register = match names_sites {
        true => Register::sites(session, parent).await?,
        false => Register::default(),
    };
    draft::message(draft, &city, &register, session.context.lang)
}

/// Proposes.
///
/// # Errors
/// [`Failure`] when the file is wrong or the node refuses.
pub async fn new(session: &Session, args: NewArgs) -> Result<(), Failure> {
    let saved = match &args.from_draft {
        Some(given) => Some(kept::find(session, given).await?),
        None => None,
    };
    let (parent, message) = match (&args.file, &saved) {
        (None, Some(saved)) => {
            (agreement_of(&saved.name).to_owned(), saved.draft.clone().unwrap_or_default())
        }
        (file, _) => {
            let path = file.as_deref().unwrap_or(Path::new(""));
            let draft = draft::read(path, session.context.lang)?;
            let given = args.agreement.as_deref().or(draft.agreement.as_deref());
            let parent = name::agreement(session, given).await?;
            let message = message(session, &parent, &draft).await?;
            (parent, message)
        }
    };
    if args.check {
        return check(session, parent, message, &args.write).await;
    }
    let (from_draft, draft_etag) = match saved {
        // What is proposed as it stands was read just now.
        Some(saved) if args.file.is_none() && args.seen.etag.is_none() => (saved.name, saved.etag),
        Some(saved) => {
            let etag = kept::seen(session, &saved, args.seen)?;
            (saved.name, etag)
        }
        None => Default::default(),
    };
    let sent = Sent::plain(&args.write);
    let request = pb::CreatePlanRequest {
        parent,
        draft: Some(message),
        validate_only: false,
        from_draft,
        draft_etag,
        request_id: sent.request_id.clone(),
        acting_for: sent.write.acting_for(),
    };
    send!(session, sent, create_plan(request))
}

/// Asks the node whether it would take a draft.
async fn check(
    session: &Session,
    parent: String,
    draft: pb::PlanDraft,
    write: &WriteArgs,
) -> Result<(), Failure> {
    let request = pb::CreatePlanRequest {
        parent,
        draft: Some(draft),
        validate_only: true,
        from_draft: String::new(),
        draft_etag: String::new(),
        request_id: write.request_id(),
        acting_for: write.acting_for(),
    };
    let answer = session.client.plans().create_plan(request).await;
    answer.map_err(|status| session.client.failure(&status))?;
    match session.context.json {
        true => session.context.print_json(&json!({ "valid": true })),
        false => println!(
            "{}",
            session.context.lang.pick("核对通过，未写入任何内容", "it is fit; nothing was written")
        ),
    }
    Ok(())
}

/// Revises.
///
/// # Errors
/// [`Failure`] when the file is wrong, nobody says yes, or the node refuses.
pub async fn revise(session: &Session, args: ReviseArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let draft = draft::read(&args.file, lang)?;
    let plan = read(session, &args.plan).await?.plan.unwrap_or_default();
    let message = message(session, agreement_of(&plan.name), &draft).await?;
    if args.check {
        // What a draft lacks, it lacks as a new plan as well.
        let parent = agreement_of(&plan.name).to_owned();
        return check(session, parent, message, &args.write).await;
    }
    let confirmed: Vec<u32> = plan
        .answers
        .iter()
        .filter(|one| one.kind() == pb::PlanAnswerKind::Confirm)
        .map(|one| one.city)
        .collect();
    if !confirmed.is_empty() {
        let cities = session.names.list(confirmed);
        confirm::confirm(&voids(&cities, lang), args.yes, lang)?;
    }
    let etag = args.etag.unwrap_or(plan.etag);
    let sent = Sent::on_etag(&args.write, &etag);
    let request = pb::RevisePlanRequest {
        name: plan.name,
        etag,
        draft: Some(message),
        drop_left_out: args.drop_left_out,
        request_id: sent.request_id.clone(),
        acting_for: sent.write.acting_for(),
    };
    send!(session, sent, revise_plan(request))
}

fn voids(cities: &str, lang: Lang) -> String {
    lang.pick(
        format!(
            "{cities} 已确认参加。修订后原确认失效，各市须重新答复；只改文字请用 liandong plan amend。"
        ),
        format!(
            "Confirmed so far: {cities}. A revision voids that, and all cities answer again; \
             liandong plan amend changes texts only."
        ),
    )
}

/// Amends.
///
/// # Errors
/// [`Failure`] when nothing is given, or the node refuses.
pub async fn amend(session: &Session, args: AmendArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let plan = read(session, &args.plan).await?.plan.unwrap_or_default();
    let before = plan.record.clone().unwrap_or_default();
    let mut record = match &args.file {
        Some(path) => draft::read(path, lang)?.record.message(),
        None => before,
    };
    let mut changed = args.file.is_some();
    for (new, old) in [
        (args.title, &mut record.title),
        (args.theme, &mut record.theme),
        (args.text, &mut record.text),
        (args.route, &mut record.route),
        (args.safety, &mut record.safety),
        (args.contacts, &mut record.contacts),
        (args.meeting_place, &mut record.meeting_place),
        (args.external_system, &mut record.external_system),
        (args.external_number, &mut record.external_number),
    ] {
        if let Some(new) = new {
            *old = new;
            changed = true;
        }
    }
    if !changed {
        return Err(Failure::usage(lang.pick("没有要补正的文字", "no text was given"))
            .advise(lang.pick("见 liandong plan amend --help", "see liandong plan amend --help")));
    }
    let etag = args.etag.unwrap_or(plan.etag);
    let sent = Sent::on_etag(&args.write, &etag);
    let request = pb::AmendPlanRequest {
        name: plan.name,
        etag,
        record: Some(record),
        request_id: sent.request_id.clone(),
        acting_for: sent.write.acting_for(),
    };
    send!(session, sent, amend_plan(request))
}
