//! `liandong plan`: joint actions of cities, from the draft to the summary and the calendar.
//!
//! In scope: arguments, which call they become, finding a plan by its number or the beginning of
//! its id. Out of scope: what is allowed, which the node decides.

use clap::{Args, Subcommand};
use serde_json::Value;
use tonic::Status;

use super::Context;
use super::case::Session;
use super::case::write::WriteArgs;
use super::failure::{Exit, Failure};
use super::names::Names;
use super::profile::ProfileArgs;
use super::short_id::{self, short};
use super::written::{self, Shown};
use super::{status_text, words};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use register::Register;

pub mod answer;
pub mod calendar;
pub mod draft;
pub mod export_draw;
pub mod feed_address;
pub mod kept;
pub mod list;
pub mod propose;
pub mod register;
pub mod resolve;
pub mod shape;
pub mod show;
pub mod step;
pub mod template;
mod verify_draw;
pub mod visit;

/// What people call one.
const KIND: short_id::Kind = short_id::Kind {
    list: "liandong plan list",
    zh: "行动方案",
    several_zh: "多个行动方案",
    en: "plan",
};

/// `liandong plan`.
#[derive(Args, Debug)]
pub struct PlanArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: PlanCommand,
}

/// What can be done with plans, in the order of use.
#[derive(Subcommand, Debug)]
pub enum PlanCommand {
    /// 行动方案一览；--mine 只看等待本市办理的 · list plans; --mine: those that await this city
    List(Box<list::ListArgs>),
    /// 查看方案：需求、答复、所缺条件、检查安排、抽取、结果 · show one with all that is known of it
    Show(show::ShowArgs),
    /// 生成方案草稿文件，可由以往方案复制 · write a draft file, also from an earlier plan
    Template(template::TemplateArgs),
    /// 本市草稿：保存、一览、查看、删除，只存本市节点 · drafts that the own node keeps
    Draft(Box<kept::DraftArgs>),
    /// 按草稿发起方案（--check 只核对） · propose what a draft says
    New(propose::NewArgs),
    /// 按草稿文件修订方案，各市须重新答复 · revise it; the cities answer again
    Revise(propose::ReviseArgs),
    /// 补正文字，各市的确认不受影响 · other texts; what was confirmed stays
    Amend(Box<propose::AmendArgs>),
    /// 答复方案：确认、初步同意、意见、要求调整、改期、不参加、退出 · answer for the own city
    Answer(Box<answer::AnswerArgs>),
    /// 登记意见采纳情况 · say what became of an answer
    Resolve(resolve::ResolveArgs),
    /// 排定后调整派出力量（排定前请重新答复） · send other units, once it is settled
    Swap(answer::SwapArgs),
    /// 提交抽取承诺 · bind the own city to its part of the draw
    Commit(visit::SayArgs),
    /// 排定 · settle it
    Schedule(step::StepArgs),
    /// 公开随机数 · show the own city's part of the draw
    Reveal(visit::SayArgs),
    /// 有市未公开随机数时重新抽取 · draw again, for a city withholds its part
    Redraw(step::StepArgs),
    /// 开始执行 · begin it
    Begin(step::StepArgs),
    /// 到场签到 · a team has arrived at a site
    CheckIn(visit::CheckInArgs),
    /// 上报一家的检查结果 · report a visit
    Report(Box<visit::ReportArgs>),
    /// 线索转办 · a clue of a visit is followed up
    Finding(visit::FindingArgs),
    /// 本市结果上报完毕 · all results of the own city are in
    Results(visit::SayArgs),
    /// 总结（不写文字的自动生成） · the summary; one is made when no text is given
    Summarize(step::SummarizeArgs),
    /// 取消方案 · cancel it
    Cancel(step::CancelArgs),
    /// 释放已结束方案占用的执法力量 · free the units of a plan that has ended
    Release(visit::ReleaseArgs),
    /// 导出日历文件（.ics） · write a calendar file
    Ics(calendar::IcsArgs),
    /// 生成日历订阅地址（在节点所在机器上运行） · make the secret address of the calendar feed
    FeedAddress(feed_address::FeedAddressArgs),
    /// 导出抽取（承诺、随机数、名单、结果），供任何人复核 · write a draw as a file to work out again
    ExportDraw(export_draw::ExportDrawArgs),
    /// 复核双随机抽取：由公布的承诺、随机数和名单重新计算 · work a draw out again from what was published
    VerifyDraw(verify_draw::VerifyDrawArgs),
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] that says what happened and what to do.
pub async fn run(context: &Context, command: PlanCommand) -> Result<(), Failure> {
    // None of these needs a node.
    if let PlanCommand::VerifyDraw(args) = &command {
        return verify_draw::run(context, args);
    }
    if let PlanCommand::FeedAddress(args) = &command {
        return feed_address::run(context, args);
    }
    if let PlanCommand::Template(args) = &command
        && args.from.is_none()
    {
        return template::blank(context, args);
    }
    let client = context.connect().await?;
    let names = client.names(context.lang).await;
    let session = Session { context: context.clone(), client, names };
    match command {
        PlanCommand::List(args) => list::run(&session, *args).await,
        PlanCommand::Show(args) => show::run(&session, args).await,
        PlanCommand::Template(args) => template::copy(&session, args).await,
        PlanCommand::Draft(args) => kept::run(&session, *args).await,
        PlanCommand::New(args) => propose::new(&session, args).await,
        PlanCommand::Revise(args) => propose::revise(&session, args).await,
        PlanCommand::Amend(args) => propose::amend(&session, *args).await,
        PlanCommand::Answer(args) => answer::run(&session, *args).await,
        PlanCommand::Resolve(args) => resolve::run(&session, args).await,
        PlanCommand::Swap(args) => answer::swap(&session, args).await,
        PlanCommand::Commit(args) => visit::commit(&session, args).await,
        PlanCommand::Schedule(args) => step::run(&session, args, pb::PlanStep::Schedule).await,
        PlanCommand::Reveal(args) => visit::reveal(&session, args).await,
        PlanCommand::Redraw(args) => step::run(&session, args, pb::PlanStep::Redraw).await,
        PlanCommand::Begin(args) => step::run(&session, args, pb::PlanStep::Begin).await,
        PlanCommand::CheckIn(args) => visit::check_in(&session, args).await,
        PlanCommand::Report(args) => visit::report(&session, *args).await,
        PlanCommand::Finding(args) => visit::finding(&session, args).await,
        PlanCommand::Results(args) => visit::results(&session, args).await,
        PlanCommand::Summarize(args) => step::summarize(&session, args).await,
        PlanCommand::Cancel(args) => step::cancel(&session, args).await,
        PlanCommand::Release(args) => visit::release(&session, args).await,
        PlanCommand::Ics(args) => calendar::run(&session, args).await,
        PlanCommand::FeedAddress(args) => feed_address::run(context, &args),
        PlanCommand::ExportDraw(args) => export_draw::run(&session, args).await,
        PlanCommand::VerifyDraw(args) => verify_draw::run(context, &args),
    }
}

/// The full name of a plan given as such, by its number, or by the beginning of its id.
pub(in crate::cli) async fn name(session: &Session, given: &str) -> Result<String, Failure> {
    let number = given.to_ascii_uppercase();
    let mut numbered = Vec::new();
    let pages = async |page_token| {
        let request = pb::ListPlansRequest {
            parent: "agreements/-".to_owned(),
            page_size: 200,
            page_token,
            ..pb::ListPlansRequest::default()
        };
        let answer = session.client.plans().list_plans(request).await;
        let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
        let of = |one: &&pb::Plan| one.number == number;
        numbered.extend(page.plans.iter().filter(of).map(|one| one.name.clone()));
        let names = page.plans.into_iter().map(|one| one.name).collect();
        Ok((names, page.next_page_token))
    };
    let found = short_id::name(given, &KIND, session.context.lang, pages).await;
    match numbered.as_slice() {
        [] => found,
        [one] => Ok(one.clone()),
        several => Err(ambiguous(given, several, session.context.lang)),
    }
}

fn ambiguous(given: &str, names: &[String], lang: Lang) -> Failure {
    let mut failure = Failure::new(
        Exit::Refused,
        "NOT_FOUND",
        lang.pick(
            format!("{given} 对应多个行动方案"),
            format!("{given} is the number of several plans"),
        ),
    );
    failure.details.extend(names.iter().cloned());
    failure.advise(lang.pick("改用上面的全名", "use one of the names above"))
}

/// A plan with all answers, and the cursor as of which it was read.
async fn read(session: &Session, given: &str) -> Result<pb::GetPlanResponse, Failure> {
    let request = pb::GetPlanRequest { name: name(session, given).await? };
    let answer = session.client.plans().get_plan(request).await;
    Ok(answer.map_err(|status| session.client.failure(&status))?.into_inner())
}

/// The agreement that a plan or a draft belongs to.
fn agreement_of(name: &str) -> &str {
    let end = name.match_indices('/').nth(1).map(|(at, _)| at);
    end.and_then(|end| name.get(..end)).unwrap_or(name)
}

/// A plan, and what its sites and units are called.
#[derive(Default)]
pub struct Told {
    /// The plan.
    pub plan: pb::Plan,
    /// All answers, where they were read.
    pub answers: Vec<pb::PlanAnswer>,
    /// What people call things.
    pub register: Register,
}

/// A write: what it is called when its answer was lost, and what it was sent with.
struct Sent<'a> {
    write: &'a WriteArgs,
    request_id: String,
    /// Etag or revision it rests on, as a flag; empty without.
    basis: String,
}

impl<'a> Sent<'a> {
    /// A write that rests on an etag.
    fn on_etag(write: &'a WriteArgs, etag: &str) -> Self {
        Self { write, request_id: write.request_id(), basis: format!(" --etag {etag}") }
    }

    /// A write that rests on a revision.
    fn on_revision(write: &'a WriteArgs, entry: &str) -> Self {
        Self { write, request_id: write.request_id(), basis: format!(" --revision {entry}") }
    }

    /// A write of which something else has to be said again as well.
    fn with(write: &'a WriteArgs, basis: String) -> Self {
        Self { write, request_id: write.request_id(), basis }
    }

    /// A write that rests on nothing.
    fn plain(write: &'a WriteArgs) -> Self {
        Self { write, request_id: write.request_id(), basis: String::new() }
    }

    fn failure(&self, session: &Session, status: &Status) -> Failure {
        let (dial, lang) = (session.client.last_dial(), session.context.lang);
        let retry = format!("--request-id {}{}", self.request_id, self.basis);
        let mut failure = status_text::write_failure(status, dial.as_ref(), &retry, lang);
        // What to do is told of cases, which most refusals are about.
        let about_cases = |advice: &String| advice.contains("liandong case show");
        if failure.advice.iter().any(about_cases) {
            failure.advice.retain(|advice| !about_cases(advice));
            return failure.advise(lang.pick(
                "查看方案现状、尚缺条件和各市答复：liandong plan show",
                "see where the plan stands, what it lacks and who answered: liandong plan show",
            ));
        }
        failure
    }

    /// Prints what it came to.
    async fn done(
        self,
        session: &Session,
        answer: Result<(Option<pb::Plan>, Option<pb::WriteReceipt>), Status>,
    ) -> Result<(), Failure> {
        let (plan, receipt) = answer.map_err(|status| self.failure(session, &status))?;
        let plan = plan.unwrap_or_default();
        let register = match session.context.json {
            true => Register::default(),
            false => Register::of(session, &plan, &plan.answers).await,
        };
        let told = Told { answers: plan.answers.clone(), plan, register };
        let shown = Shown { key: "plan", shape: told_shape, text: told_text };
        written::done(session, &self.request_id, Ok((Some(told), receipt)), &shown)
    }
}

/// Sends a write of a plan, and prints what it came to.
macro_rules! send {
    ($session:ident, $sent:ident, $call:ident($request:expr)) => {{
        let answer = $session.client.plans().$call($request).await.map(Response::into_inner);
        $sent.done($session, answer.map(|done| (done.plan, done.receipt))).await
    }};
}
use send;

fn told_shape(told: &Told) -> Value {
    shape::plan(&told.plan)
}

fn told_text(told: &Told, names: &Names, lang: Lang) -> String {
    show::text(told, names, lang)
}

/// Reads a code list's value by its code, or its word in either language.
fn coded<T: TryFrom<i32> + Copy>(
    text: &str,
    (name, prefix): (fn(&T) -> &'static str, &str),
    word: fn(T, Lang) -> &'static str,
    list: &str,
) -> Result<T, String> {
    let upper = text.to_ascii_uppercase().replace('-', "_");
    let is = |one: &T| {
        words::short(name(one), prefix) == upper
            || word(*one, Lang::Zh) == text
            || word(*one, Lang::En).eq_ignore_ascii_case(text)
    };
    (1..).map_while(|number| T::try_from(number).ok()).find(is).ok_or_else(|| {
        format!(
            "“{text}” 不在代码表中，见 liandong catalog {list} · no such code, see liandong \
             catalog {list}"
        )
    })
}

fn kind(text: &str) -> Result<pb::PlanKind, String> {
    coded(text, (pb::PlanKind::as_str_name, "PLAN_KIND_"), words::plan_kind, "plan-kinds")
}

fn state(text: &str) -> Result<pb::PlanState, String> {
    coded(text, (pb::PlanState::as_str_name, "PLAN_STATE_"), words::plan_state, "plan-states")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_in_both_languages() {
        for text in ["联合检查", "joint-inspection", "JOINT_INSPECTION"] {
            assert_eq!(kind(text), Ok(pb::PlanKind::JointInspection), "{text}");
        }
        assert_eq!(state("已排定"), Ok(pb::PlanState::Scheduled));
        assert!(kind("随便看看").unwrap_err().contains("liandong catalog plan-kinds"));
        for name in ["agreements/0/plans/1", "agreements/0/drafts/1", "agreements/0"] {
            assert_eq!(agreement_of(name), "agreements/0");
        }
    }
}
