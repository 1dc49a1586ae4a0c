//! `liandong plan show`, and a plan as text.

use clap::Args;
use serde_json::json;

use super::register::Register;
use super::{Told, read, shape};
use crate::cli::case::Session;
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::table;
use crate::lang::Lang;
use crate::shown::plan as say;
use crate::shown::plan::changes::changes;

/// Arguments.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// 方案号、编号前几位或全名 · its number, the beginning of its id, or its name
    #[arg(value_name = "PLAN")]
    pub plan: String,
}

/// Shows one.
///
/// # Errors
/// [`Failure`] when there is none.
pub async fn run(session: &Session, args: ShowArgs) -> Result<(), Failure> {
    let answer = read(session, &args.plan).await?;
    let plan = answer.plan.unwrap_or_default();
    if session.context.json {
        session.context.print_json(&json!({
            "plan": shape::plan(&plan),
            "answers": answer.answers.iter().map(shape::answer).collect::<Vec<_>>(),
            "cursor": answer.cursor,
        }));
    } else {
        let register = Register::of(session, &plan, &answer.answers).await;
        let told = Told { plan, answers: answer.answers, register };
        print!("{}", text(&told, &session.names, session.context.lang));
    }
    Ok(())
}

/// One plan for people.
#[must_use]
pub fn text(told: &Told, names: &Names, lang: Lang) -> String {
    let labels = told.register.labels();
    let mut sheet = table::Sheet::default();
    say::head(&mut sheet, &told.plan, names, lang);
    say::record(&mut sheet, told.plan.record.as_ref(), lang);
    say::progress(&mut sheet, &told.plan, names, lang);
    let mut out = sheet.text();
    let changed = changes(&told.plan, labels, names, lang);
    section(&mut out, lang.pick("较上一版的变化", "changed against the revision before"), changed);
    section(&mut out, lang.pick("尚缺条件", "lacking"), say::findings(&told.plan, lang));
    let mut remarks = say::remarks(&told.plan, lang);
    remarks.extend(say::still_booked(&told.plan, lang));
    section(&mut out, lang.pick("提示", "remarks"), remarks);
    let answers = told.answers.iter().map(|one| say::answer(one, labels, names, lang)).collect();
    section(&mut out, lang.pick("答复", "answers"), answers);
    let visits = told.plan.visits.iter().map(|one| say::visit(one, labels, names, lang)).collect();
    section(&mut out, lang.pick("检查安排", "visits"), visits);
    section(&mut out, lang.pick("抽取", "draw"), say::draw(&told.plan, names, lang));
    let left_out = say::left_out(&told.plan, labels, lang);
    section(&mut out, lang.pick("不参加抽取的对象", "left out of the draw"), left_out);
    out
}

/// A heading, and a line for each of what is there; nothing for none.
fn section(out: &mut String, heading: &str, lines: Vec<String>) {
    if lines.is_empty() {
        return;
    }
    out.push_str(&format!("\n{heading}\n"));
    for line in lines {
        out.push_str(&format!("  {}\n", line.replace('\n', "\n    ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::pb::v1 as pb;
    use crate::wire::unit::half_day_to_pb;

    #[test]
    fn a_plan_shows_what_it_lacks_who_answered_and_what_came_of_it() {
        let register = super::super::register::tests::sample();
        let site = register.site("示例1号纸业", Lang::Zh).unwrap();
        let officer = register.unit("11112222", &|_| true, Lang::Zh).unwrap();
        let finding = pb::PlanFinding {
            reason: "NOT_CONFIRMED".into(),
            text: "邯郸尚未确认".into(),
            rule: "各市确认同一版".into(),
            source: "联动规则".into(),
            force: pb::RuleForce::Rule.into(),
        };
        let unit = pb::UnitDraft { unit: officer.clone(), ..Default::default() };
        let recusal = pb::RecusalDraft { officer: officer.clone(), site: site.clone() };
        let answer = pb::PlanAnswer {
            city: 130_400,
            kind: pb::PlanAnswerKind::Confirm.into(),
            text: "同意\u{1b}[2J".into(),
            sent: Some(pb::SentDraft { units: vec![unit], recusals: vec![recusal] }),
            counts: true,
            resolution: pb::PlanResolution::Adopted.into(),
            ..Default::default()
        };
        let visit = pb::PlanVisit {
            site,
            city: 371_500,
            first: Some(half_day_to_pb("2026-12-04上午".parse().unwrap())),
            nth: 1,
            arrival: Some(pb::TeamArrival { officers: vec![officer], ..Default::default() }),
            ..Default::default()
        };
        let plan = pb::Plan {
            name: "agreements/0/plans/0123456789abcdef0123456789abcdef".to_owned(),
            number: "JA-371500-2026-001".into(),
            initiator: 371_500,
            findings: vec![finding],
            visits: vec![visit],
            draw: Some(pb::PlanDraw { committed: vec![371_500], ..Default::default() }),
            ..pb::Plan::default()
        };
        let told = Told { plan, answers: vec![answer], register };
        let said = text(&told, &Names::new(Lang::Zh), Lang::Zh);
        for part in [
            "邯郸尚未确认（各市确认同一版；依据：联动规则；NOT_CONFIRMED）",
            "派出 37150099001；回避 37150099001@示例1号纸业；采纳",
            "2026-12-04上午  abcd1234  示例1号纸业  聊城  第 2 次",
            "已提交承诺：聊城",
        ] {
            assert!(said.contains(part), "{part}\n{said}");
        }
        assert!(!said.contains('\u{1b}'));
        let said = text(&told, &Names::new(Lang::En), Lang::En);
        assert!(said.contains("source: 联动规则") && said.contains("\nanswers\n"), "{said}");
    }
}
