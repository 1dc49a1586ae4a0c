//! `liandong case assign`: who of the own city works on a case, and a remark beside it.
//!
//! In scope: asking the node. Out of scope: keeping it. Neither is told to any other city.

use clap::Args;
use serde_json::json;
use uuid::Uuid;

use super::{Session, name};
use crate::cli::failure::{Exit, Failure};
use crate::cli::{json as shape, table, when};
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
    /// 所依据的经办人版本，见 case show · etag of the assignment that was seen, as case show has it
    #[arg(long, value_name = "ETAG", conflicts_with = "replace")]
    pub etag: Option<String>,
    /// 替换他人写下的内容 · take the place of what somebody else wrote
    #[arg(long)]
    pub replace: bool,
}

/// Assigns. What is not given stays as it is. What somebody else wrote is not replaced unseen: the
/// etag of what was seen must be given, or the word to replace whatever stands.
///
/// # Errors
/// [`Failure`] when the case is not found, somebody else's assignment stands, or the node refuses.
pub async fn run(session: &Session, args: AssignArgs) -> Result<(), Failure> {
    let found = name::case(session, &args.case).await?;
    let standing = found.assignment.unwrap_or_default();
    let lang = session.context.lang;
    let kept = if args.clear { pb::Assignment::default() } else { standing.clone() };
    let (assignee, remark) = (args.to.unwrap_or(kept.assignee), args.remark.unwrap_or(kept.remark));
    let changes = (&assignee, &remark) != (&standing.assignee, &standing.remark);
    let me = format!("{}/{}", session.client.me.role, session.client.me.id);
    if args.etag.is_none() && !args.replace && changes && is_of_another(&standing, &me) {
        return Err(stands(&standing, lang));
    }
    let request = pb::AssignCaseRequest {
        etag: args.etag.unwrap_or_else(|| standing.etag.clone()),
        name: found.name,
        assignee,
        remark,
        request_id: Uuid::new_v4().to_string(),
    };
    let answer = session.client.cases().assign_case(request).await;
    let done = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    let case = done.case.unwrap_or_default();
    let replaced = Some(&standing).filter(|before| changes && !is_empty(before));
    if session.context.json {
        let replaced = replaced.map(shape::assignment);
        session.context.print_json(&json!({ "case": shape::case(&case), "replaced": replaced }));
    } else {
        println!("{}", said(&case, lang));
        if let Some(before) = replaced {
            println!("{}{}", lang.pick("已替换：", "in place of: "), written(before, lang));
        }
    }
    Ok(())
}

/// Whether somebody else wrote what stands.
fn is_of_another(standing: &pb::Assignment, me: &str) -> bool {
    !is_empty(standing) && standing.assigned_by != me
}

const fn is_empty(standing: &pb::Assignment) -> bool {
    standing.assignee.is_empty() && standing.remark.is_empty()
}

/// What stands, and who wrote it.
fn written(standing: &pb::Assignment, lang: Lang) -> String {
    let who = match standing.assignee.as_str() {
        "" => lang.pick("未指定", "nobody").to_owned(),
        name => table::clean(name),
    };
    let remark = match standing.remark.as_str() {
        "" => lang.pick("无", "none").to_owned(),
        text => table::clean(text),
    };
    let (by, at) = (table::clean(&standing.assigned_by), when::time(standing.assign_time.as_ref()));
    lang.pick(
        format!("经办人 {who}，备注：{remark}（{by} 于 {at} 填写）"),
        format!("assigned to {who}, remark: {remark} (written by {by}, {at})"),
    )
}

fn stands(standing: &pb::Assignment, lang: Lang) -> Failure {
    let what = lang.pick("已有他人填写的本市经办人或备注", "somebody else's assignment stands");
    let etag = table::clean(&standing.etag);
    Failure::new(Exit::Refused, "ASSIGNMENT_STANDS", what).detail(written(standing, lang)).advise(
        lang.pick(
            format!(
                "确认要替换以上内容的，加 --etag {etag}；不论现为何内容都要替换的，加 --replace"
            ),
            format!(
                "to replace just this, add --etag {etag}; to replace whatever stands, --replace"
            ),
        ),
    )
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

    #[test]
    fn what_somebody_else_wrote_is_not_replaced_unseen() {
        let standing = pb::Assignment {
            assignee: "李四".into(),
            assigned_by: "coordinator/7".into(),
            etag: "ab12".into(),
            ..Default::default()
        };
        assert!(is_of_another(&standing, "coordinator/8"));
        assert!(!is_of_another(&standing, "coordinator/7"));
        assert!(!is_of_another(&pb::Assignment::default(), "coordinator/8"), "nobody wrote it");
        let text = stands(&standing, Lang::Zh).text(Lang::Zh);
        for part in ["李四", "coordinator/7", "--etag ab12", "--replace", "ASSIGNMENT_STANDS"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
