//! `liandong plan show`, and a plan as text.

use clap::Args;
use serde_json::json;

use super::register::Register;
use super::{Told, parts, read, shape, short};
use crate::cli::case::Session;
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::{table, when, words};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

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
    let mut sheet = table::Sheet::default();
    head(&mut sheet, &told.plan, names, lang);
    record(&mut sheet, told.plan.record.as_ref(), lang);
    progress(&mut sheet, &told.plan, names, lang);
    let mut out = sheet.text();
    section(&mut out, lang.pick("尚缺条件", "lacking"), findings(&told.plan, lang));
    let mut remarks: Vec<String> = told.plan.remarks.iter().map(|one| table::clean(one)).collect();
    if told.plan.findings_are_partial || told.plan.visits_are_partial {
        remarks.push(partial(lang).to_owned());
    }
    section(&mut out, lang.pick("提示", "remarks"), remarks);
    let answers = told.answers.iter().map(|one| answer(one, told, names, lang)).collect();
    section(&mut out, lang.pick("答复", "answers"), answers);
    let visits = told.plan.visits.iter().map(|one| visit(one, told, names, lang)).collect();
    section(&mut out, lang.pick("检查安排", "visits"), visits);
    section(&mut out, lang.pick("抽取", "draw"), draw(&told.plan, names, lang));
    out
}

/// What is said where one answer had no room for all that belongs to a plan.
fn partial(lang: Lang) -> &'static str {
    lang.pick(
        "内容较多，检查安排或尚缺条件未全部列出",
        "too long to be shown whole: not every visit or condition is listed",
    )
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

fn head(sheet: &mut table::Sheet, plan: &pb::Plan, names: &Names, lang: Lang) {
    let title = plan.record.as_ref().map(|record| table::clean(&record.title));
    let erased = || lang.pick("已删除", "erased").to_owned();
    let needs: Vec<String> = plan.cities.iter().map(|one| parts::needs(one, names, lang)).collect();
    let departments: Vec<String> =
        plan.departments().map(|one| words::department(one, lang).to_owned()).collect();
    sheet
        .row(lang.pick("方案号", "number"), table::clean(&plan.number))
        .row(lang.pick("编号", "id"), short(&plan.name))
        .row(lang.pick("行动名称", "title"), title.unwrap_or_else(erased))
        .row(lang.pick("类型", "kind"), words::plan_kind(plan.kind(), lang))
        .row(lang.pick("状态", "state"), words::plan_state(plan.state(), lang))
        .row(lang.pick("等待办理", "awaited"), parts::awaited(&plan.awaited, names, lang))
        .row(lang.pick("发起市", "initiator"), names.city(plan.initiator))
        .row(lang.pick("参加市及需求", "cities and needs"), needs.join("\n"))
        .row(lang.pick("参加部门", "departments"), parts::joined(&departments, lang))
        .row(lang.pick("时间", "days"), parts::days(&plan.days, lang));
}

fn record(sheet: &mut table::Sheet, record: Option<&pb::PlanRecord>, lang: Lang) {
    let Some(record) = record else { return };
    for (label, value) in [
        (lang.pick("检查主题", "theme"), &record.theme),
        (lang.pick("集合地点", "place of meeting"), &record.meeting_place),
        (lang.pick("工作安排", "text"), &record.text),
        (lang.pick("路线", "route"), &record.route),
        (lang.pick("安全事项", "safety"), &record.safety),
        (lang.pick("联系人", "contacts"), &record.contacts),
        (lang.pick("自有系统", "own system"), &record.external_system),
        (lang.pick("自有编号", "own number"), &record.external_number),
    ] {
        sheet.row(label, parts::words_of(value));
    }
}

fn progress(sheet: &mut table::Sheet, plan: &pb::Plan, names: &Names, lang: Lang) {
    if let Some(rule) = &plan.draw_rule {
        sheet.row(lang.pick("抽取规则", "draw"), parts::rule(rule, lang));
    }
    sheet
        .row(lang.pick("发起时间", "proposed"), when::time(plan.create_time.as_ref()))
        .row(lang.pick("修订版次", "revision"), plan.revision.to_string())
        .row(lang.pick("已上报结果", "reported"), names.list(plan.reported.iter().copied()));
    if let Some(sum) = plan.totals.as_ref().filter(|sum| sum.visits > 0) {
        sheet.row(lang.pick("结果合计", "totals"), parts::totals(sum, lang));
    }
    let closing = match plan.state() {
        pb::PlanState::Cancelled => lang.pick("取消原因", "cancelled because"),
        pb::PlanState::Unspecified
        | pb::PlanState::Consulting
        | pb::PlanState::Confirming
        | pb::PlanState::Scheduled
        | pb::PlanState::Executing
        | pb::PlanState::ResultsReported
        | pb::PlanState::Summarized => lang.pick("总结", "summary"),
    };
    sheet.row(closing, parts::words_of(&plan.closing_text));
    if plan.late_revisions > 0 {
        let count = plan.late_revisions;
        sheet.row(
            lang.pick("公开随机数后修订", "revised after reveals"),
            lang.pick(format!("{count} 次"), format!("{count} times")),
        );
    }
    if plan.needs_newer_version {
        let what = lang.pick("含有新版本的内容，请先升级本市节点", "upgrade this node first");
        sheet.row(lang.pick("注意", "note"), what);
    }
    if plan.misfit_count > 0 {
        sheet.row(lang.pick("未生效记录", "without effect"), plan.misfit_count.to_string());
    }
    sheet.row(lang.pick("全名", "name"), plan.name.clone());
}

fn findings(plan: &pb::Plan, lang: Lang) -> Vec<String> {
    let one = |finding: &pb::PlanFinding| {
        let [text, rule, source] =
            [&finding.text, &finding.rule, &finding.source].map(|text| table::clean(text));
        let (force, reason) =
            (words::rule_force(finding.force(), lang), table::clean(&finding.reason));
        lang.pick(
            format!("{text}（{rule}；依据：{source}；{force}；{reason}）"),
            format!("{text} ({rule}; source: {source}; {force}; {reason})"),
        )
    };
    plan.findings.iter().map(one).collect()
}

fn answer(answer: &pb::PlanAnswer, told: &Told, names: &Names, lang: Lang) -> String {
    let mut out = format!(
        "{}  {}  {}",
        when::time(answer.answer_time.as_ref()),
        names.city(answer.city),
        words::plan_answer(answer.kind(), lang)
    );
    let semicolon = lang.pick("；", "; ");
    let mut add = |text: String| {
        out.push_str(semicolon);
        out.push_str(&text);
    };
    if answer.hold_until.is_some() {
        let until = when::date(answer.hold_until.as_ref());
        add(lang.pick(format!("预留至 {until}"), format!("held until {until}")));
    }
    if let Some(sent) = &answer.sent {
        add(parts::sent(sent, &told.register, lang));
    }
    if !answer.periods.is_empty() {
        let all: Vec<String> = answer
            .periods
            .iter()
            .map(|one| parts::span(one.first.as_ref(), one.last.as_ref(), lang))
            .collect();
        let all = parts::joined(&all, lang);
        add(lang.pick(format!("可参加时间 {all}"), format!("could come on {all}")));
    }
    if answer.resolution != 0 {
        let became = words::plan_resolution(answer.resolution(), lang);
        let why = table::clean(&answer.resolution_text);
        add(match why.as_str() {
            "" => became.to_owned(),
            why => lang.pick(format!("{became}（{why}）"), format!("{became} ({why})")),
        });
    }
    let displaces = answer.kind() != pb::PlanAnswerKind::Comment;
    if displaces && !answer.counts {
        add(lang.pick("已被替代或针对旧版", "superseded, or to an old revision").to_owned());
    }
    if !answer.text.is_empty() {
        out.push('\n');
        out.push_str(&parts::words_of(&answer.text));
    }
    out
}

fn visit(visit: &pb::PlanVisit, told: &Told, names: &Names, lang: Lang) -> String {
    let mut out = format!(
        "{}  {}  {}  {}",
        parts::span(visit.first.as_ref(), visit.last.as_ref(), lang),
        short(&visit.site),
        told.register.label(&visit.site),
        names.city(visit.city)
    );
    if visit.nth > 0 {
        let nth = visit.nth + 1;
        out.push_str(&lang.pick(format!("  第 {nth} 次"), format!("  visit {nth}")));
    }
    if visit.exception != 0 {
        out.push_str(&format!("  {}", words::visit_exception(visit.exception(), lang)));
    }
    if visit.by_default {
        out.push_str(lang.pick("  因未公开随机数受检", "  for its city withheld its part"));
    }
    let mut line = |label: &str, text: &str| {
        if !text.is_empty() {
            out.push_str(&format!("\n{label}{}{text}", lang.pick("：", ": ")));
        }
    };
    let list = |names: &[String]| told.register.list(names, lang);
    line(lang.pick("抽中人员", "drawn"), &list(&visit.lead));
    line(lang.pick("抽中外市人员", "drawn of others"), &list(&visit.guests));
    if let Some(arrival) = &visit.arrival {
        let team = [arrival.officers.as_slice(), &arrival.guests].concat();
        let (on, team) = (when::date(arrival.on.as_ref()), list(&team));
        line(lang.pick("到场", "arrived"), &format!("{on} {team}"));
    }
    if let Some(result) = &visit.result {
        line(lang.pick("结果", "result"), &parts::result(result, lang));
    }
    line(lang.pick("已转案件", "cases"), &visit.cases.join(lang.pick("、", ", ")));
    out
}

fn draw(plan: &pb::Plan, names: &Names, lang: Lang) -> Vec<String> {
    let Some(draw) = &plan.draw else { return Vec::new() };
    let colon = lang.pick("：", ": ");
    let mut lines = Vec::new();
    let mut line = |label: &str, text: String| {
        if !text.is_empty() {
            lines.push(format!("{label}{colon}{text}"));
        }
    };
    let cities = |all: Vec<u32>| names.list(all);
    if draw.attempt > 0 {
        line(lang.pick("抽取次数", "attempt"), draw.attempt.to_string());
    }
    line(lang.pick("已提交承诺", "committed"), cities(draw.committed.clone()));
    let revealed = draw.reveals.iter().map(|one| one.city).collect();
    line(lang.pick("已公开随机数", "revealed"), cities(revealed));
    line(lang.pick("此前未公开随机数的市", "withheld before"), cities(draw.withheld.clone()));
    line(lang.pick("种子", "seed"), table::clean(&draw.seed));
    let left_out = plan.pool.iter().filter(|one| one.left_out != 0).count();
    let listed = plan.pool.len();
    let list = lang.pick(
        format!("{listed} 家，其中不参加抽取 {left_out} 家"),
        format!("{listed} sites, {left_out} of them left out"),
    );
    line(lang.pick("名单", "list"), if listed > 0 { list } else { String::new() });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
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
            "邯郸尚未确认（各市确认同一版；依据：联动规则；",
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
