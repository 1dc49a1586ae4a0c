//! `liandong unit`: officers, vehicles, drones and boats, when they are busy, and the days on which
//! all cities can come.
//!
//! In scope: arguments, which call they become, finding a unit by its number or the beginning of
//! its id. Out of scope: what is allowed, which the node decides.

use clap::Subcommand;

use super::Context;
use super::case::Session;
use super::failure::{Exit, Failure};
use super::profile::ProfileArgs;
use super::short_id::{SHORT_MIN, short};
use super::words;
use crate::wire::pb::v1 as pb;

pub mod book;
pub mod busy;
pub mod change;
pub mod ics;
pub mod import;
pub mod list;
pub mod new;
pub mod shape;
pub mod show;
pub mod slots;

/// Pages looked through for a unit.
const PAGES_MAX: usize = 20;

/// `liandong unit`.
#[derive(clap::Args, Debug)]
pub struct UnitArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: UnitCommand,
}

/// What can be done with units.
#[derive(Subcommand, Debug)]
pub enum UnitCommand {
    /// 登记执法人员、车辆、无人机、船艇 · register an officer, vehicle, drone or boat
    New(Box<new::NewArgs>),
    /// 执法力量一览 · list units
    List(Box<list::ListArgs>),
    /// 查看一项执法力量及其占用时段 · show one, and when it is busy
    Show(show::ShowArgs),
    /// 修改、停用 · change or retire one
    Change(Box<change::ChangeArgs>),
    /// 登记占用（不必说明事由） · it is busy; why is not asked
    Block(book::BookArgs),
    /// 取消占用 · it is free again
    Free(book::BookArgs),
    /// 各市每天空闲力量；从日历文件导入占用 · free and busy by city and day; import a calendar
    Busy(Box<busy::BusyArgs>),
    /// 查找各市都能参加的时段 · days on which all cities can come
    Slots(Box<slots::SlotsArgs>),
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] that says what happened and what to do.
pub async fn run(context: &Context, command: UnitCommand) -> Result<(), Failure> {
    let client = context.connect().await?;
    let names = client.names(context.lang).await;
    let session = Session { context: context.clone(), client, names };
    match command {
        UnitCommand::New(args) => new::run(&session, *args).await,
        UnitCommand::List(args) => list::run(&session, *args).await,
        UnitCommand::Show(args) => show::run(&session, args).await,
        UnitCommand::Change(args) => change::run(&session, *args).await,
        UnitCommand::Block(args) => book::run(&session, args, true).await,
        UnitCommand::Free(args) => book::run(&session, args, false).await,
        UnitCommand::Busy(args) => busy::run(&session, *args).await,
        UnitCommand::Slots(args) => slots::run(&session, *args).await,
    }
}

/// Words by which people mean the whole city.
const WHOLE_CITY: [&str; 2] = ["全市", "city"];

/// The name of a unit given as such, by its number or label, by the beginning of its id, or as 全市
/// for the own city as a whole.
async fn name(session: &Session, given: &str, agreement: Option<&str>) -> Result<String, Failure> {
    if given.starts_with("agreements/") {
        return Ok(given.to_owned());
    }
    if WHOLE_CITY.contains(&given) {
        let parent = super::case::name::agreement(session, agreement).await?;
        return Ok(format!("{parent}/units/city"));
    }
    let parent = super::case::name::parent(session, agreement).await?;
    let own = listed(session, &parent, session.client.me.city).await?;
    let all = super::case::name::agreements(session).await?;
    let in_force: Vec<&str> =
        all.iter().filter(|one| one.writable).map(|one| one.name.as_str()).collect();
    if let Some(name) = by_number(&own, given, &in_force) {
        return Ok(name);
    }
    let mut found = by_id(&own, given);
    if found.is_empty() {
        // What is of other cities is shown by its id only: their numbers may be anything.
        found = by_id(&listed(session, &parent, 0).await?, given);
    }
    match found.as_slice() {
        [one] => Ok(one.clone()),
        several => Err(unknown(session, given, several)),
    }
}

/// The units of a city, or of all; retired ones too.
async fn listed(session: &Session, parent: &str, city: u32) -> Result<Vec<pb::Unit>, Failure> {
    let (mut units, mut page_token) = (Vec::new(), String::new());
    for _ in 0..PAGES_MAX {
        let request = pb::ListUnitsRequest {
            parent: parent.to_owned(),
            city,
            with_retired: true,
            page_size: 200,
            page_token,
            ..Default::default()
        };
        let answer = session.client.units().list_units(request).await;
        let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
        units.extend(page.units);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    Ok(units)
}

/// The unit of a number: of the same officer in several agreements one that is in use, in an
/// agreement that is in force. Whichever is named, all of them are blocked.
fn by_number(own: &[pb::Unit], given: &str, in_force: &[&str]) -> Option<String> {
    let number = given.to_uppercase();
    let known = |unit: &&pb::Unit| {
        unit.record.as_ref().is_some_and(|record| record.number.to_uppercase() == number)
    };
    let ranked = |unit: &&pb::Unit| {
        let agreement = unit.name.split_once("/units/").map_or("", |(agreement, _)| agreement);
        (unit.retired, !in_force.contains(&agreement), unit.name.clone())
    };
    own.iter().filter(known).min_by_key(ranked).map(|unit| unit.name.clone())
}

/// The units whose ids begin like this.
fn by_id(units: &[pb::Unit], given: &str) -> Vec<String> {
    let short_id = given.to_ascii_lowercase();
    let begins = |unit: &&pb::Unit| {
        let id = unit.name.rsplit('/').next().unwrap_or_default();
        short_id.len() >= SHORT_MIN && id.starts_with(&short_id)
    };
    units.iter().filter(begins).map(|unit| unit.name.clone()).collect()
}

fn unknown(session: &Session, given: &str, several: &[String]) -> Failure {
    let lang = session.context.lang;
    let what = match several {
        [] => lang.pick(format!("找不到执法力量 {given}"), format!("no unit {given}")),
        _ => lang.pick(
            format!("{given} 对应多项执法力量"),
            format!("{given} begins the id of several units"),
        ),
    };
    let mut failure = Failure::new(Exit::Refused, "NOT_FOUND", what).advise(lang.pick(
        format!(
            "写证号、牌号，或 liandong unit list 中的编号（至少 {SHORT_MIN} 位）；全市写“全市”"
        ),
        format!(
            "give its number, at least {SHORT_MIN} digits of its id in liandong unit list, or \
             `city` for the whole city"
        ),
    ));
    failure.details.extend(several.iter().cloned());
    failure
}

/// Reads a kind from the command line.
fn parse_kind(text: &str) -> Result<pb::UnitKind, String> {
    words::parse_unit_kind(text).ok_or_else(|| {
        format!("“{text}” 不是执法力量种类，见 liandong catalog unit-kinds · no kind of unit")
    })
}

/// Reads a department from the command line.
pub(super) fn parse_department(text: &str) -> Result<pb::Department, String> {
    words::parse_department(text).ok_or_else(|| {
        format!("“{text}” 不是部门，见 liandong catalog joint-departments · no department")
    })
}

/// Reads a period from the command line.
pub(super) fn parse_period(text: &str) -> Result<crate::domain::Period, String> {
    crate::domain::Period::parse(text).map_err(|wrong| {
        let zh = wrong.explain(crate::domain::Language::Zh);
        format!("{zh}，如 2026-07-03上午 或 2026-07-03至2026-07-05 · {wrong}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_of_one_number_one_in_use_and_in_force_is_meant() {
        let unit = |agreement: &str, id: &str, retired| pb::Unit {
            name: format!("agreements/{agreement}/units/{id}"),
            retired,
            record: Some(pb::UnitRecord { number: "37150099011".into(), team: String::new() }),
            ..Default::default()
        };
        let in_force = ["agreements/b", "agreements/c"];
        let own = [
            unit("b", "0001", true),
            unit("a", "0002", false),
            unit("c", "0003", false),
            unit("b", "00040", false),
        ];
        let found = |of: &[pb::Unit]| by_number(of, "37150099011", &in_force).unwrap_or_default();
        assert_eq!(found(&own), "agreements/b/units/00040");
        assert_eq!(found(&own[..3]), "agreements/c/units/0003");
        assert_eq!(found(&own[..2]), "agreements/a/units/0002");
        assert_eq!(found(&own[..1]), "agreements/b/units/0001");
        assert_eq!(by_number(&own, "37150099012", &in_force), None);
        assert_eq!(by_id(&own, "0004"), ["agreements/b/units/00040"]);
        assert!(by_id(&own, "000").is_empty(), "too short to name anything");
    }
}
