//! What a city says of its part: `liandong plan commit`, `reveal`, `check-in`, `report`, `finding`,
//! `results`, `release`.

use clap::Args;
use tonic::Response;

use super::register::Register;
use super::{Sent, agreement_of, coded, name, read, send};
use crate::cli::case::write::WriteArgs;
use crate::cli::case::{self, Session};
use crate::cli::failure::{Exit, Failure};
use crate::cli::unit::parse_department;
use crate::cli::{when, words};
use crate::lang::Lang;
use crate::shown::plan::parts;
use crate::wire::pb::v1 as pb;

/// Arguments of a word that says nothing but itself.
#[derive(Args, Debug)]
pub struct SayArgs {
    /// 方案号、编号前几位或全名 · its number, the beginning of its id, or its name
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// 所依据的修订版（默认现取） · revision_entry it rests on; read now when absent
    #[arg(long, value_name = "ENTRY")]
    pub revision: Option<String>,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Arguments of a release.
#[derive(Args, Debug)]
pub struct ReleaseArgs {
    /// 方案号、编号前几位或全名 · its number, the beginning of its id, or its name
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Which visit of a plan.
#[derive(Args, Debug)]
pub struct VisitArgs {
    /// 方案号、编号前几位或全名 · its number, the beginning of its id, or its name
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// 检查对象：企业全称、信用代码或编号前几位 · the site
    #[arg(value_name = "SITE")]
    pub site: String,
    /// 本方案对该对象的第几次检查 · which visit there by this plan, from 1
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub nth: u32,
    /// 所依据的修订版（默认现取） · revision_entry it rests on; read now when absent
    #[arg(long, value_name = "ENTRY")]
    pub revision: Option<String>,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Arguments of a check-in.
#[derive(Args, Debug)]
pub struct CheckInArgs {
    /// Which visit.
    #[command(flatten)]
    pub visit: VisitArgs,
    /// 到场的本市人员，可重复：证号或编号前几位（默认为抽中人员） · officers of the own city; those who
    /// were drawn when absent
    #[arg(long, value_name = "UNIT")]
    pub officer: Vec<String>,
    /// 到场的外市人员，可重复（默认为抽中人员） · officers of other cities
    #[arg(long, value_name = "UNIT")]
    pub guest: Vec<String>,
    /// 到场日期，默认今天 · the day, today when absent
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub on: Option<pb::Date>,
    /// 更正到场时必填：所更正的那条登记（plan show --json 的 arrival_entry.entry） · to correct an
    /// arrival: the entry that was read
    #[arg(long, value_name = "ENTRY")]
    pub replaces: Option<String>,
}

/// Arguments of a report.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// Which visit.
    #[command(flatten)]
    pub visit: VisitArgs,
    /// 检查日期 · the day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub on: pb::Date,
    /// 结果：checked（已检查）、not-producing（停产或关停）、not-checked（未检查） · how it ended
    #[arg(long, default_value = "checked", value_parser = outcome)]
    pub outcome: pb::VisitOutcome,
    /// 方式：on-site（现场）、off-site（非现场） · on site or from afar
    #[arg(long, default_value = "on-site", value_parser = mode)]
    pub mode: pb::CheckMode,
    /// 各部门检查项数和问题数，可重复：生态环境=12/2 · items and problems of a department
    #[arg(long, value_name = "DEPARTMENT=ITEMS/PROBLEMS", value_parser = check)]
    pub check: Vec<pb::VisitCheck>,
    /// 采集样品数 · samples taken
    #[arg(long, default_value_t = 0)]
    pub samples: u32,
    /// 发现线索数 · clues found
    #[arg(long, default_value_t = 0)]
    pub clues: u32,
    /// 情况说明 · in words
    #[arg(long, short = 'm', default_value = "", hide_default_value = true)]
    pub text: String,
    /// 更正结果时必填：所更正的那条结果（plan show --json 的 result_entry.entry） · to correct a result:
    /// the entry that was read
    #[arg(long, value_name = "ENTRY")]
    pub replaces: Option<String>,
}

/// Arguments of a finding.
#[derive(Args, Debug)]
pub struct FindingArgs {
    /// Which visit.
    #[command(flatten)]
    pub visit: VisitArgs,
    /// 由此登记的案件；由其他部门处理的不填 · the case opened from it; none when others follow it up
    #[arg(long, value_name = "CASE")]
    pub case: Option<String>,
}

fn outcome(text: &str) -> Result<pb::VisitOutcome, String> {
    let name = pb::VisitOutcome::as_str_name as fn(&pb::VisitOutcome) -> _;
    coded(text, (name, "VISIT_OUTCOME_"), words::visit_outcome, "visit-outcomes")
}

fn mode(text: &str) -> Result<pb::CheckMode, String> {
    let name = pb::CheckMode::as_str_name as fn(&pb::CheckMode) -> _;
    coded(text, (name, "CHECK_MODE_"), words::check_mode, "check-modes")
}

fn check(text: &str) -> Result<pb::VisitCheck, String> {
    let bad = || format!("“{text}” 应如 生态环境=12/2 · such as water=12/2");
    let (department, counts) = text.split_once('=').ok_or_else(bad)?;
    let (items, problems) = counts.split_once('/').ok_or_else(bad)?;
    let number = |text: &str| text.trim().parse().map_err(|_| bad());
    Ok(pb::VisitCheck {
        department: parse_department(department.trim())?.into(),
        items: number(items)?,
        problems: number(problems)?,
    })
}

/// Binds the own city to its part of the draw.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn commit(session: &Session, args: SayArgs) -> Result<(), Failure> {
    let plan = read(session, &args.plan).await?.plan.unwrap_or_default();
    let revision = args.revision.unwrap_or(plan.revision_entry);
    let sent = Sent::on_revision(&args.write, &revision);
    let request = pb::CommitDrawRequest {
        name: plan.name,
        revision,
        request_id: sent.request_id.clone(),
        acting_for: sent.write.acting_for(),
    };
    send!(session, sent, commit_draw(request))
}

/// Shows the own city's part of the draw.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn reveal(session: &Session, args: SayArgs) -> Result<(), Failure> {
    let plan = read(session, &args.plan).await?.plan.unwrap_or_default();
    let revision = args.revision.unwrap_or(plan.revision_entry);
    let sent = Sent::on_revision(&args.write, &revision);
    let request = pb::RevealDrawRequest {
        name: plan.name,
        revision,
        request_id: sent.request_id.clone(),
        acting_for: sent.write.acting_for(),
    };
    send!(session, sent, reveal_draw(request))
}

/// Says that all results of the own city are in.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn results(session: &Session, args: SayArgs) -> Result<(), Failure> {
    let plan = read(session, &args.plan).await?.plan.unwrap_or_default();
    let revision = args.revision.unwrap_or(plan.revision_entry);
    let sent = Sent::on_revision(&args.write, &revision);
    let request = pb::ReportResultsRequest {
        name: plan.name,
        revision,
        request_id: sent.request_id.clone(),
        acting_for: sent.write.acting_for(),
    };
    send!(session, sent, report_results(request))
}

/// Frees the units.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn release(session: &Session, args: ReleaseArgs) -> Result<(), Failure> {
    let sent = Sent::plain(&args.write);
    let request = pb::ReleaseUnitsRequest {
        name: name(session, &args.plan).await?,
        request_id: sent.request_id.clone(),
        acting_for: sent.write.acting_for(),
    };
    send!(session, sent, release_units(request))
}

/// A plan and one site of it; one that it does not visit is for the node to refuse.
async fn place(session: &Session, args: &VisitArgs) -> Result<(pb::Plan, String), Failure> {
    let plan = read(session, &args.plan).await?.plan.unwrap_or_default();
    let lang = session.context.lang;
    let known = Register::of(session, &plan, &[]).await;
    if let Ok(site) = known.site(&args.site, lang)
        && plan.visits.iter().any(|visit| visit.site == site)
    {
        return Ok((plan, site));
    }
    let all = Register::sites(session, agreement_of(&plan.name)).await?;
    let site = all.site(&args.site, lang)?;
    Ok((plan, site))
}

/// Who came: those who are named, or those who were drawn.
fn team(
    (given, drawn): (&[String], &[String]),
    register: &Register,
    of: &dyn Fn(u32) -> bool,
    lang: Lang,
) -> Result<Vec<String>, Failure> {
    if given.is_empty() {
        return Ok(drawn.to_vec());
    }
    given.iter().map(|one| register.unit(one, of, lang)).collect()
}

/// Checks a team in.
///
/// # Errors
/// [`Failure`] when somebody is unknown, or the node refuses.
pub async fn check_in(session: &Session, args: CheckInArgs) -> Result<(), Failure> {
    let (plan, site) = place(session, &args.visit).await?;
    let (own, lang) = (session.client.me.node_city, session.context.lang);
    let nth = args.visit.nth - 1;
    let register = match args.officer.is_empty() && args.guest.is_empty() {
        true => Register::default(),
        false => Register::units(session, agreement_of(&plan.name)).await?,
    };
    let visit = plan.visits.iter().find(|one| one.site == site && one.nth == nth);
    if let Some(visit) = visit.filter(|_| args.visit.write.request_id.is_none())
        && args.replaces.is_none()
        && let (Some(arrival), Some(entry)) = (&visit.arrival, &visit.arrival_entry)
    {
        return Err(has_arrived(session, &plan, (arrival, &entry.entry)).await);
    }
    let (lead, guests) = visit.map(|one| (one.lead.as_slice(), one.guests.as_slice())).unzip();
    let lead = (args.officer.as_slice(), lead.unwrap_or_default());
    let guests = (args.guest.as_slice(), guests.unwrap_or_default());
    let officers = team(lead, &register, &|city| city == own, lang)?;
    let guests = team(guests, &register, &|city| city != own, lang)?;
    let revision = args.visit.revision.unwrap_or(plan.revision_entry);
    let replaces = args.replaces.unwrap_or_default();
    let sent = Sent::with(&args.visit.write, basis(&revision, &replaces));
    let request = pb::CheckInRequest {
        name: plan.name,
        revision,
        site,
        nth,
        on: args.on,
        officers,
        guests,
        replaces,
        request_id: sent.request_id.clone(),
        acting_for: sent.write.acting_for(),
    };
    send!(session, sent, check_in(request))
}

/// Reports a visit.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn report(session: &Session, args: ReportArgs) -> Result<(), Failure> {
    let (plan, site) = place(session, &args.visit).await?;
    let visit = plan.visits.iter().find(|one| (&one.site, one.nth) == (&site, args.visit.nth - 1));
    // A call that is sent again is answered as it was the first time, whatever stands there now.
    if let Some(visit) = visit.filter(|_| args.visit.write.request_id.is_none())
        && args.replaces.is_none()
        && let Some(entry) = &visit.result_entry
    {
        return Err(stands(visit, &entry.entry, session.context.lang));
    }
    let revision = args.visit.revision.unwrap_or(plan.revision_entry);
    let replaces = args.replaces.unwrap_or_default();
    let sent = Sent::with(&args.visit.write, basis(&revision, &replaces));
    let result = pb::VisitResult {
        on: Some(args.on),
        outcome: args.outcome.into(),
        mode: args.mode.into(),
        checks: args.check,
        samples: args.samples,
        clues: args.clues,
    };
    let request = pb::ReportVisitRequest {
        name: plan.name,
        revision,
        site,
        nth: args.visit.nth - 1,
        result: Some(result),
        text: args.text,
        replaces,
        request_id: sent.request_id.clone(),
        acting_for: sent.write.acting_for(),
    };
    send!(session, sent, report_visit(request))
}

/// What a command that is sent again has to say beside what was typed.
fn basis(revision: &str, replaces: &str) -> String {
    match replaces {
        "" => format!(" --revision {revision}"),
        entry => format!(" --revision {revision} --replaces {entry}"),
    }
}

/// What is said to whoever checks a team in anew without naming the arrival that stands there.
async fn has_arrived(
    session: &Session,
    plan: &pb::Plan,
    (arrival, entry): (&pb::TeamArrival, &str),
) -> Failure {
    let lang = session.context.lang;
    let register = Register::units(session, agreement_of(&plan.name)).await.unwrap_or_default();
    let who = arrival.officers.iter().chain(&arrival.guests);
    let who: Vec<String> = who.map(|unit| register.labels().label(unit)).collect();
    let what = lang.pick("该次检查已登记到场", "a team has arrived at that visit");
    let failure = Failure::new(Exit::Refused, "ARRIVAL_CHANGED", what);
    failure.detail(format!("{} {}", when::date(arrival.on.as_ref()), who.join("、"))).advise(
        lang.pick(
            format!("核对后如需更正，请加 --replaces {entry}"),
            format!("compare; to correct it, add --replaces {entry}"),
        ),
    )
}

/// What is said to whoever reports a visit anew without naming the result that stands there.
fn stands(visit: &pb::PlanVisit, entry: &str, lang: Lang) -> Failure {
    let what = lang.pick("该次检查已有结果", "there is a result of that visit");
    let result = visit.result.as_ref().map(|one| parts::result(one, lang)).unwrap_or_default();
    let failure = Failure::new(Exit::Refused, "RESULT_CHANGED", what).detail(result);
    let said = parts::visit_words(visit, lang);
    let failure = if said.is_empty() { failure } else { failure.detail(said) };
    failure.advise(lang.pick(
        format!("核对后如需更正，请加 --replaces {entry}"),
        format!("compare; to correct it, add --replaces {entry}"),
    ))
}

/// Says that a clue is followed up.
///
/// # Errors
/// [`Failure`] when the case is unknown, or the node refuses.
pub async fn finding(session: &Session, args: FindingArgs) -> Result<(), Failure> {
    let (plan, site) = place(session, &args.visit).await?;
    let case = match &args.case {
        Some(given) => case::name::case(session, given).await?.name,
        None => String::new(),
    };
    let revision = args.visit.revision.unwrap_or(plan.revision_entry);
    let sent = Sent::on_revision(&args.visit.write, &revision);
    let request = pb::OpenFindingRequest {
        name: plan.name,
        revision,
        site,
        nth: args.visit.nth - 1,
        case,
        request_id: sent.request_id.clone(),
        acting_for: sent.write.acting_for(),
    };
    send!(session, sent, open_finding(request))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_department_looked_at_is_read() {
        let water = pb::VisitCheck { department: 4, items: 12, problems: 2 };
        assert_eq!(check("水利=12/2"), Ok(water));
        assert_eq!(check("water = 12 / 2"), Ok(water));
        for bad in ["水利", "水利=12", "水利=x/1", "人=1/1", "水利=1/-1"] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert_eq!(outcome("not-producing"), Ok(pb::VisitOutcome::NotProducing));
        assert_eq!(mode("非现场检查"), Ok(pb::CheckMode::OffSite));
    }

    #[test]
    fn nobody_named_means_those_who_were_drawn() {
        let register = super::super::register::tests::sample();
        let drawn = ["agreements/0/units/x".to_owned()];
        let all = |_: u32| true;
        assert_eq!(team((&[], &drawn), &register, &all, Lang::Zh).unwrap(), drawn);
        let named = team((&["1111".to_owned()], &drawn), &register, &all, Lang::Zh).unwrap();
        assert!(named[0].contains("/11112222"));
    }
}
