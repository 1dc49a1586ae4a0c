//! `liandong plan answer` and `swap`: what the own city says, and whom it sends.

use clap::Args;
use tonic::Response;

use super::register::Register;
use super::{Sent, agreement_of, coded, read, send};
use crate::cli::case::Session;
use crate::cli::case::write::WriteArgs;
use crate::cli::confirm;
use crate::cli::failure::Failure;
use crate::cli::unit::parse_period;
use crate::cli::{when, words};
use crate::domain::Period;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use crate::wire::unit::{half_day_to_pb, period_to_pb};

/// Whom a city sends.
#[derive(Args, Debug, Default)]
pub struct SentArgs {
    /// 派出的力量，可重复：证号、牌号或编号前几位；只来部分时间的加 @时段 · a unit that is sent, may be
    /// repeated; @PERIOD when it does not come on all days
    #[arg(long, value_name = "UNIT[@PERIOD]", value_parser = unit)]
    pub unit: Vec<SentUnit>,
    /// 回避，可重复：人员，或 人员@检查对象 · an officer who is not to go, to a site or at all
    #[arg(long, value_name = "OFFICER[@SITE]")]
    pub recuse: Vec<String>,
    /// 解除此前登记的回避，可重复；未解除的一直有效 · a recusal of before that holds no more; all
    /// others stay
    #[arg(long, value_name = "OFFICER[@SITE]")]
    pub lift: Vec<String>,
}

impl SentArgs {
    fn is_given(&self) -> bool {
        !(self.unit.is_empty() && self.recuse.is_empty() && self.lift.is_empty())
    }
}

/// What is sent, and which recusals of before hold no more.
type Sends = (pb::SentDraft, Vec<pb::RecusalDraft>);

/// A unit, and when it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentUnit {
    unit: String,
    period: Option<Period>,
}

fn unit(text: &str) -> Result<SentUnit, String> {
    let (unit, period) = match text.split_once('@') {
        None => (text, None),
        Some((unit, period)) => (unit, Some(parse_period(period)?)),
    };
    Ok(SentUnit { unit: unit.trim().to_owned(), period })
}

fn kind(text: &str) -> Result<pb::PlanAnswerKind, String> {
    let text = if text.eq_ignore_ascii_case("changes") { "CHANGES_REQUESTED" } else { text };
    let name = (pb::PlanAnswerKind::as_str_name as fn(&pb::PlanAnswerKind) -> _, PREFIX);
    coded(text, name, words::plan_answer, "plan-answers")
}

const PREFIX: &str = "PLAN_ANSWER_KIND_";

/// Arguments of an answer.
#[derive(Args, Debug)]
pub struct AnswerArgs {
    /// 方案号、编号前几位或全名 · its number, the beginning of its id, or its name
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// confirm（确认参加）、tentative（初步同意）、comment（意见建议）、changes（要求调整）、
    /// other-days（建议改期）、decline（不参加）、withdraw（退出） · what the own city says
    #[arg(value_name = "ANSWER", value_parser = kind)]
    pub answer: pb::PlanAnswerKind,
    /// Whom it sends.
    #[command(flatten)]
    pub sent: SentArgs,
    /// 初步同意：力量预留至哪天 · tentative: last day on which the units are held
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub until: Option<pb::Date>,
    /// 建议改期：可参加的时段，可重复 · other-days: when the city could come, may be repeated
    #[arg(long, value_name = "PERIOD", value_parser = parse_period)]
    pub period: Vec<Period>,
    /// 说明；意见建议、要求调整、退出必填 · in words
    #[arg(long, short = 'm', default_value = "", hide_default_value = true)]
    pub text: String,
    /// 退出时不再询问 · do not ask at a withdrawal
    #[arg(long)]
    pub yes: bool,
    /// 所答复的修订版（默认现取） · revision_entry that is answered; read now when absent
    #[arg(long, value_name = "ENTRY")]
    pub revision: Option<String>,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Arguments of a swap.
#[derive(Args, Debug)]
pub struct SwapArgs {
    /// 方案号、编号前几位或全名 · its number, the beginning of its id, or its name
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// Whom it sends from now on, all of them.
    #[command(flatten)]
    pub sent: SentArgs,
    /// 所依据的修订版（默认现取） · revision_entry it rests on; read now when absent
    #[arg(long, value_name = "ENTRY")]
    pub revision: Option<String>,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Answers.
///
/// # Errors
/// [`Failure`] when a unit is unknown, nobody says yes, or the node refuses.
pub async fn run(session: &Session, args: AnswerArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let plan = read(session, &args.plan).await?.plan.unwrap_or_default();
    if args.answer == pb::PlanAnswerKind::Withdraw {
        confirm::confirm(leaves(lang), args.yes, lang)?;
    }
    let sends = sends(session, &plan, args.answer, &args.sent).await?;
    let (sent, lifted) = sends.map_or((None, Vec::new()), |(sent, lifted)| (Some(sent), lifted));
    let revision = args.revision.unwrap_or(plan.revision_entry);
    let told = Sent::on_revision(&args.write, &revision);
    let request = pb::AnswerPlanRequest {
        name: plan.name,
        revision,
        kind: args.answer.into(),
        hold_until: args.until,
        lifted,
        sent,
        periods: args.period.into_iter().map(period_to_pb).collect(),
        text: args.text,
        request_id: told.request_id.clone(),
        acting_for: told.write.acting_for(),
    };
    send!(session, told, answer_plan(request))
}

fn leaves(lang: Lang) -> &'static str {
    lang.pick(
        "退出后本市的力量不再参加，其他市须重新安排；行动开始前可以重新确认参加。",
        "After a withdrawal the units of this city do not come, and the others have to arrange \
         themselves anew; until the action begins the city may confirm anew.",
    )
}

/// What an answer sends: what is given, or of a confirmation what was held so far.
async fn sends(
    session: &Session,
    plan: &pb::Plan,
    answer: pb::PlanAnswerKind,
    args: &SentArgs,
) -> Result<Option<Sends>, Failure> {
    let may = matches!(answer, pb::PlanAnswerKind::Confirm | pb::PlanAnswerKind::Tentative);
    let lang = session.context.lang;
    match (may, args.is_given()) {
        (true, true) => message(session, plan, args).await.map(Some),
        (true, false) => Ok(held(plan, session.client.me.node_city).map(|sent| (sent, Vec::new()))),
        (false, true) => Err(Failure::usage(lang.pick(
            "只有确认参加和初步同意可以带派出力量",
            "only confirm and tentative send units",
        ))),
        (false, false) => Ok(None),
    }
}

/// What a city holds or has booked by its answer that counts.
fn held(plan: &pb::Plan, own: u32) -> Option<pb::SentDraft> {
    plan.answers.iter().find(|one| one.city == own).and_then(|one| one.sent.clone())
}

/// What the arguments send, by the units and sites of the plan's agreement: without units those
/// that are sent so far.
async fn message(session: &Session, plan: &pb::Plan, args: &SentArgs) -> Result<Sends, Failure> {
    let parent = agreement_of(&plan.name);
    let of_site = args.recuse.iter().chain(&args.lift).any(|one| one.contains('@'));
    let register = match of_site {
        true => Register::all(session, parent).await?,
        false => Register::units(session, parent).await?,
    };
    let own = session.client.me.node_city;
    let (mut sent, lifted) = sent(args, &register, own, session.context.lang)?;
    if args.unit.is_empty() && args.is_given() {
        sent.units = held(plan, own).unwrap_or_default().units;
    }
    Ok((sent, lifted))
}

fn sent(args: &SentArgs, register: &Register, own: u32, lang: Lang) -> Result<Sends, Failure> {
    let find = |given: &str| register.unit(given, &|city| city == own, lang);
    let unit = |one: &SentUnit| {
        Ok(pb::UnitDraft {
            unit: find(&one.unit)?,
            first: one.period.map(|period| half_day_to_pb(period.first())),
            last: one.period.map(|period| half_day_to_pb(period.last())),
        })
    };
    let recusal = |text: &String| {
        let (officer, site) = text.split_once('@').unwrap_or((text, ""));
        let site = match site.trim() {
            "" => String::new(),
            site => register.site(site, lang)?,
        };
        Ok(pb::RecusalDraft { officer: find(officer.trim())?, site })
    };
    let sent = pb::SentDraft {
        units: args.unit.iter().map(unit).collect::<Result<_, Failure>>()?,
        recusals: args.recuse.iter().map(recusal).collect::<Result<_, Failure>>()?,
    };
    Ok((sent, args.lift.iter().map(recusal).collect::<Result<_, Failure>>()?))
}

/// Sends other units.
///
/// # Errors
/// [`Failure`] when a unit is unknown, or the node refuses.
pub async fn swap(session: &Session, args: SwapArgs) -> Result<(), Failure> {
    let plan = read(session, &args.plan).await?.plan.unwrap_or_default();
    let (sent, lifted) = message(session, &plan, &args.sent).await?;
    let revision = args.revision.unwrap_or(plan.revision_entry);
    let told = Sent::on_revision(&args.write, &revision);
    let request = pb::SwapUnitsRequest {
        name: plan.name,
        revision,
        sent: Some(sent),
        lifted,
        request_id: told.request_id.clone(),
        acting_for: told.write.acting_for(),
    };
    send!(session, told, swap_units(request))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_named_in_three_ways() {
        for (text, want) in [
            ("confirm", pb::PlanAnswerKind::Confirm),
            ("确认参加", pb::PlanAnswerKind::Confirm),
            ("changes", pb::PlanAnswerKind::ChangesRequested),
            ("changes-requested", pb::PlanAnswerKind::ChangesRequested),
            ("other-days", pb::PlanAnswerKind::OtherDays),
        ] {
            assert_eq!(kind(text), Ok(want), "{text}");
        }
        assert!(kind("好").unwrap_err().contains("plan-answers"));
    }

    #[test]
    fn own_units_are_sent_for_all_of_it_or_for_part() {
        let register = super::super::register::tests::sample();
        let args = SentArgs {
            unit: vec![unit("37150099001@2026-12-04上午").unwrap(), unit("1111").unwrap()],
            recuse: vec!["37150099001@示例1号纸业".into(), "1111".into()],
            lift: vec!["1111".into()],
        };
        let (found, lifted) = sent(&args, &register, 371_500, Lang::Zh).unwrap();
        assert_eq!(lifted, found.recusals[1..]);
        assert!(found.units.iter().all(|one| one.unit.contains("/11112222")));
        assert!(found.units[0].first.is_some() && found.units[1].first.is_none());
        let sites: Vec<bool> = found.recusals.iter().map(|one| one.site.is_empty()).collect();
        assert_eq!(sites, [false, true]);
        let foreign = SentArgs { unit: vec![unit("3333").unwrap()], ..SentArgs::default() };
        assert_eq!(sent(&foreign, &register, 371_500, Lang::Zh).unwrap_err().reason, "NOT_FOUND");
        assert!(unit("1111@明天").is_err());
    }
}
