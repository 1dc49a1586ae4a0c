//! `liandong plan resolve`: what became of an answer of a city (意见采纳情况).

use clap::Args;
use tonic::Response;

use super::{Sent, coded, read, send};
use crate::cli::case::Session;
use crate::cli::case::write::WriteArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::names::Names;
use crate::cli::words;
use crate::ids::CityCode;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct ResolveArgs {
    /// 方案号、编号前几位或全名 · its number, the beginning of its id, or its name
    #[arg(value_name = "PLAN")]
    pub plan: String,
    /// 哪条答复：市（取其最新一条未处理的意见）或答复的记录号 · the answer: a city, for its newest opinion
    /// without a resolution, or an entry
    #[arg(value_name = "CITY|ENTRY")]
    pub answer: String,
    /// adopted（采纳）、partly（部分采纳）、not-adopted（未采纳） · what became of it
    #[arg(value_name = "RESOLUTION", value_parser = resolution)]
    pub resolution: pb::PlanResolution,
    /// 说明 · why
    #[arg(long, short = 'm', default_value = "", hide_default_value = true)]
    pub text: String,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

fn resolution(text: &str) -> Result<pb::PlanResolution, String> {
    let name = pb::PlanResolution::as_str_name as fn(&pb::PlanResolution) -> _;
    coded(text, (name, "PLAN_RESOLUTION_"), words::plan_resolution, "plan-resolutions")
}

/// Says it.
///
/// # Errors
/// [`Failure`] when there is no such answer, or the node refuses.
pub async fn run(session: &Session, args: ResolveArgs) -> Result<(), Failure> {
    let found = read(session, &args.plan).await?;
    let plan = found.plan.unwrap_or_default();
    let answer = chosen(&found.answers, &args.answer, &session.names)
        .ok_or_else(|| missing(&args.answer, session.context.lang))?;
    let revision = match answer.revision.as_str() {
        // Of a node that does not tell yet.
        "" => plan.revision_entry,
        told => told.to_owned(),
    };
    // Once it is done, the city stands for another answer.
    let entry = &answer.entry;
    let again =
        session.context.lang.pick(format!("，答复写 {entry}"), format!(" and the answer {entry}"));
    let sent = Sent::with(&args.write, again);
    let request = pb::ResolveAnswerRequest {
        name: plan.name,
        revision,
        answer: answer.entry.clone(),
        resolution: args.resolution.into(),
        text: args.text,
        request_id: sent.request_id.clone(),
        acting_for: sent.write.acting_for(),
    };
    send!(session, sent, resolve_answer(request))
}

/// Whether an answer asks for something.
const fn asks(kind: pb::PlanAnswerKind) -> bool {
    match kind {
        pb::PlanAnswerKind::Comment
        | pb::PlanAnswerKind::ChangesRequested
        | pb::PlanAnswerKind::OtherDays => true,
        pb::PlanAnswerKind::Unspecified
        | pb::PlanAnswerKind::Tentative
        | pb::PlanAnswerKind::Confirm
        | pb::PlanAnswerKind::Decline
        | pb::PlanAnswerKind::Withdraw => false,
    }
}

/// The answer that is meant; answers come the newest first.
fn chosen<'a>(
    answers: &'a [pb::PlanAnswer],
    given: &str,
    names: &Names,
) -> Option<&'a pb::PlanAnswer> {
    let code = CityCode::parse(given).map(CityCode::as_u32).ok();
    let called = |one: &&pb::PlanAnswer| {
        code == Some(one.city) || names.city(one.city) == given.trim_end_matches('市')
    };
    let open = |one: &&pb::PlanAnswer| one.resolution == 0 && asks(one.kind());
    let of_city = || answers.iter().filter(called).find(open);
    answers.iter().find(|one| one.entry == given).or_else(of_city)
}

fn missing(given: &str, lang: Lang) -> Failure {
    Failure::new(
        Exit::Refused,
        "NOT_FOUND",
        lang.pick(
            format!("没有 {given} 待处理的意见"),
            format!("no opinion of {given} waits for a resolution"),
        ),
    )
    .advise(lang.pick(
        "liandong plan show 列出全部答复；已处理过的，写其记录号（--json 中的 entry）",
        "liandong plan show lists all answers; name one that has a resolution by its entry, which \
         --json shows",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_city_stands_for_its_newest_open_opinion() {
        let answer = |entry: &str, kind: pb::PlanAnswerKind, resolution| pb::PlanAnswer {
            city: 130_400,
            kind: kind.into(),
            entry: entry.into(),
            resolution,
            ..Default::default()
        };
        let answers = [
            answer("e:9", pb::PlanAnswerKind::Confirm, 0),
            answer("e:8", pb::PlanAnswerKind::Comment, 1),
            answer("e:7", pb::PlanAnswerKind::OtherDays, 0),
            answer("e:6", pb::PlanAnswerKind::Comment, 0),
        ];
        let names = Names::new(Lang::Zh);
        let found = |given: &str| chosen(&answers, given, &names).map(|one| one.entry.as_str());
        assert_eq!((found("邯郸"), found("130400")), (Some("e:7"), Some("e:7")));
        assert_eq!((found("e:8"), found("聊城")), (Some("e:8"), None));
        assert_eq!(resolution("部分采纳"), Ok(pb::PlanResolution::Partly));
    }
}
