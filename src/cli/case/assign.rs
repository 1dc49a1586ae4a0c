//! `liandong case assign`: who of the own city works on a case, and a remark beside it.
//!
//! In scope: asking the node. Out of scope: keeping it. Neither is told to any other city.

use clap::Args;
use serde_json::json;
use uuid::Uuid;

use super::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::{json as shape, table};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(true))]
pub struct AssignArgs {
    /// 案件编号或全名 · number or name of the case
    #[arg(value_name = "CASE")]
    pub case: String,
    /// 本市经办人 · to whom of the own city
    #[arg(long, value_name = "NAME", group = "what")]
    pub to: Option<String>,
    /// 本市备注，只存本市 · a remark for the own city only
    #[arg(long, value_name = "TEXT", group = "what")]
    pub remark: Option<String>,
    /// 清除经办人和备注 · take back both
    #[arg(long, group = "what", conflicts_with_all = ["to", "remark"])]
    pub clear: bool,
}

/// Assigns. What is not given stays as it is.
///
/// # Errors
/// [`Failure`] when the case is not found or the node refuses.
pub async fn run(session: &Session, args: AssignArgs) -> Result<(), Failure> {
    let found = name::case(session, &args.case).await?;
    let standing = found.assignment.unwrap_or_default();
    let etag = standing.etag.clone();
    let before = if args.clear { pb::Assignment::default() } else { standing };
    let request = pb::AssignCaseRequest {
        etag,
        name: found.name,
        assignee: args.to.unwrap_or(before.assignee),
        remark: args.remark.unwrap_or(before.remark),
        request_id: Uuid::new_v4().to_string(),
    };
    let answer = session.client.cases().assign_case(request).await;
    let done = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    let case = done.case.unwrap_or_default();
    if session.context.json {
        session.context.print_json(&json!({ "case": shape::case(&case) }));
    } else {
        println!("{}", said(&case, session.context.lang));
    }
    Ok(())
}

fn said(case: &pb::Case, lang: Lang) -> String {
    let number = table::clean(&case.number);
    let Some(assignment) = &case.assignment else {
        return lang.pick(
            format!("{number}：已清除本市经办人和备注"),
            format!("{number}: nobody is assigned, and there is no remark"),
        );
    };
    let who = match assignment.assignee.as_str() {
        "" => lang.pick("未指定", "nobody").to_owned(),
        name => table::clean(name),
    };
    lang.pick(
        format!("{number}：本市经办人 {who}。经办人和备注只存本市，不发给其他城市"),
        format!("{number}: assigned to {who}. This and the remark stay in this city"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_said_and_that_it_stays_here() {
        let assignment = pb::Assignment { assignee: "张\u{1b}三".into(), ..Default::default() };
        let mut case =
            pb::Case { number: "LD-1".into(), assignment: Some(assignment), ..pb::Case::default() };
        let text = said(&case, Lang::Zh);
        assert!(text.contains("张\u{fffd}三") && text.contains("不发给其他城市"), "{text}");
        case.assignment.as_mut().unwrap().assignee.clear();
        assert!(said(&case, Lang::En).contains("assigned to nobody"));
        case.assignment = None;
        assert!(said(&case, Lang::Zh).contains("已清除"));
    }
}
