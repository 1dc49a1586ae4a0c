//! `liandong site visit`: may a site be visited on a day, and by what rule not.

use clap::Args;
use serde_json::json;

use super::{exception, name};
use crate::cli::case::Session;
use crate::cli::failure::Failure;
use crate::cli::json::city;
use crate::cli::names::Names;
use crate::cli::{table, when, words};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct VisitArgs {
    /// 检查对象：编号前几位、信用代码或全名 · the beginning of its id, its credit code or its name
    #[arg(value_name = "SITE")]
    pub site: String,
    /// 哪一天，默认今天 · the day, today when absent
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub on: Option<pb::Date>,
    /// 例外情形 · why it is to be visited all the same
    #[arg(long, value_parser = exception)]
    pub exception: Option<pb::VisitException>,
}

/// Asks.
///
/// # Errors
/// [`Failure`] when there is no such site.
pub async fn run(session: &Session, args: VisitArgs) -> Result<(), Failure> {
    let request = pb::CheckVisitRequest {
        name: name(session, &args.site).await?,
        on: args.on,
        exception: args.exception.map_or(0, i32::from),
    };
    let answer = session.client.sites().check_visit(request).await;
    let visit = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    if session.context.json {
        let some = |text: &str| if text.is_empty() { None } else { Some(text.to_owned()) };
        session.context.print_json(&json!({
            "verdict": words::short(visit.verdict().as_str_name(), "VISIT_VERDICT_"),
            "left_out": (visit.left_out != 0)
                .then(|| words::short(visit.left_out().as_str_name(), "LEFT_OUT_")),
            "rule": some(&visit.rule),
            "source": some(&visit.source),
            "exceptions_source": some(&visit.exceptions_source),
            "city": city(visit.city),
            "listed_until": visit.listed_until.as_ref().map(|on| when::date(Some(on))),
            "made": visit.made,
            "reserved": visit.reserved,
            "most": visit.most,
            "cap_is_known": visit.cap_is_known,
            "listed_site": some(&visit.listed_site),
            "needs_newer_version": visit.needs_newer_version,
        }));
    } else {
        print!("{}", text(&visit, &session.names, session.context.lang));
    }
    Ok(())
}

fn text(visit: &pb::CheckVisitResponse, names: &Names, lang: Lang) -> String {
    let mut sheet = table::Sheet::default();
    let mut verdict = words::visit_verdict(visit.verdict(), lang).to_owned();
    if visit.left_out != 0 {
        let why = words::left_out(visit.left_out(), lang);
        verdict.push_str(&lang.pick(format!("（{why}）"), format!(" ({why})")));
    }
    sheet.row(lang.pick("结论", "verdict"), verdict);
    if visit.needs_newer_version {
        let what = lang.pick("含有新版本的内容，请先升级本市节点", "upgrade this node first");
        sheet.row(lang.pick("注意", "note"), what);
    }
    sheet.row(lang.pick("所在市", "city"), names.city(visit.city));
    if visit.left_out != 0 {
        sheet
            .row(lang.pick("规定", "rule"), table::clean(&visit.rule))
            .row(lang.pick("依据", "source"), table::clean(&visit.source));
    }
    if !visit.exceptions_source.is_empty() {
        sheet.row(lang.pick("例外情形", "exceptions"), table::clean(&visit.exceptions_source));
    }
    if visit.listed_until.is_some() {
        let until = when::date(visit.listed_until.as_ref());
        sheet
            .row(lang.pick("清单有效期至", "listed until"), until)
            .row(lang.pick("列入清单的对象", "listed as"), table::clean(&visit.listed_site));
    }
    let pb::CheckVisitResponse { made, reserved, most, .. } = *visit;
    let cap = match (visit.cap_is_known, most) {
        (false, _) => {
            lang.pick("由所在市掌握，本市不知", "known to the city where it stands only").to_owned()
        }
        (true, 0) => lang.pick(format!("已 {made} 次，未设上限"), format!("{made} made, no cap")),
        (true, _) => lang.pick(
            format!("已 {made} 次，已排定 {reserved} 次，上限 {most} 次"),
            format!("{made} made, {reserved} planned, at most {most}"),
        ),
    };
    sheet.row(lang.pick("当年现场检查", "checks on site that year"), cap);
    sheet.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_says_by_what_rule() {
        let visit = pb::CheckVisitResponse {
            verdict: pb::VisitVerdict::LeftOut.into(),
            left_out: pb::LeftOut::Capped.into(),
            rule: "同一行政机关对同一企业".into(),
            source: "国办发〔2024〕54号\u{1b}[2J".into(),
            made: 3,
            most: 3,
            city: 371_500,
            cap_is_known: true,
            ..Default::default()
        };
        let names = Names::new(Lang::Zh);
        let told = text(&visit, &names, Lang::Zh);
        for part in ["不予安排（已达年度检查频次上限）", "54号", "上限 3 次", "聊城"]
        {
            assert!(told.contains(part), "{part}\n{told}");
        }
        assert!(!told.contains('\u{1b}'));
        let foreign = pb::CheckVisitResponse { cap_is_known: false, ..visit };
        assert!(text(&foreign, &names, Lang::Zh).contains("本市不知"));
        let newer = pb::CheckVisitResponse {
            needs_newer_version: true,
            ..pb::CheckVisitResponse::default()
        };
        let told = text(&newer, &names, Lang::Zh);
        assert!(told.contains("未知") && told.contains("先升级"), "{told}");
    }
}
