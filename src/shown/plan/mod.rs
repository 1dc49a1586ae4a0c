//! A plan of a joint action as people read it: rows, and a line for each answer and visit.
//!
//! In scope: which, in which order, in which words. Out of scope: screens and pages.

use std::collections::{BTreeMap, BTreeSet};

use super::names::Names;
use super::sheet::Sheet;
use super::text::clean;
use super::when;
use crate::ids::hex;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

pub mod changes;
pub mod parts;

/// Hexadecimal digits of an id that lists show.
const SHORT: usize = 8;

/// The short form of a record's name.
#[must_use]
pub fn short(name: &str) -> &str {
    let id = name.rsplit('/').next().unwrap_or(name);
    id.get(..SHORT).unwrap_or(id)
}

/// What people call sites and units: their resource names and labels; and which units are no
/// officers.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    labels: BTreeMap<String, String>,
    things: BTreeSet<String>,
}

impl Labels {
    /// Learns what one is called; an empty label is none.
    pub fn learn(&mut self, name: String, label: &str) {
        if !label.is_empty() {
            self.labels.insert(name, clean(label));
        }
    }

    /// Learns what a unit is called, and whether it is an officer.
    pub fn learn_unit(&mut self, unit: pb::Unit) {
        if unit.kind() != pb::UnitKind::Officer {
            self.things.insert(unit.name.clone());
        }
        self.learn(unit.name, &unit.record.unwrap_or_default().number);
    }

    /// Whether a unit is a vehicle or another thing, as far as is known.
    #[must_use]
    pub fn is_thing(&self, unit: &str) -> bool {
        self.things.contains(unit)
    }

    /// What people call something; the beginning of its id when that is not known.
    #[must_use]
    pub fn label(&self, name: &str) -> String {
        self.labels.get(name).cloned().unwrap_or_else(|| short(name).to_owned())
    }

    /// Several, joined.
    #[must_use]
    pub fn list(&self, names: &[String], lang: Lang) -> String {
        let labels: Vec<String> = names.iter().map(|name| self.label(name)).collect();
        labels.join(lang.pick("、", ", "))
    }
}

/// What the rules remark, and that not all is shown.
#[must_use]
pub fn remarks(plan: &pb::Plan, lang: Lang) -> Vec<String> {
    let mut remarks: Vec<String> = plan.remarks.iter().map(|one| clean(one)).collect();
    if plan.findings_are_partial || plan.visits_are_partial {
        remarks.push(partial(lang).to_owned());
    }
    remarks
}

/// What is said where one answer had no room for all that belongs to a plan.
fn partial(lang: Lang) -> &'static str {
    lang.pick(
        "内容较多，检查安排或尚缺条件未全部列出",
        "too long to be shown whole: not every visit or condition is listed",
    )
}

/// Sites and units that a plan and its answers name.
#[must_use]
pub fn named_in(
    plan: &pb::Plan,
    answers: &[pb::PlanAnswer],
) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut sites, mut units) = (BTreeSet::new(), BTreeSet::new());
    for visit in &plan.visits {
        sites.insert(visit.site.clone());
        units.extend(visit.lead.iter().chain(&visit.guests).cloned());
        if let Some(arrival) = &visit.arrival {
            units.extend(arrival.officers.iter().chain(&arrival.guests).cloned());
        }
    }
    for sent in answers.iter().chain(&plan.answers).filter_map(|one| one.sent.as_ref()) {
        units.extend(sent.units.iter().map(|one| one.unit.clone()));
        units.extend(sent.recusals.iter().map(|one| one.officer.clone()));
        sites.extend(sent.recusals.iter().map(|one| one.site.clone()));
    }
    let before = plan.previous.iter().flat_map(|before| &before.visits);
    sites.extend(before.map(|visit| visit.site.clone()));
    sites.extend(left_out_of(plan).map(|(_, name)| name));
    sites.remove("");
    (sites, units)
}

/// Sites of the list of a draw that are left out of it, with their names.
fn left_out_of(plan: &pb::Plan) -> impl Iterator<Item = (&pb::PoolSite, String)> {
    let agreement = plan.name.split_once("/plans/").map_or("", |(agreement, _)| agreement);
    let name = move |one: &pb::PoolSite| format!("{agreement}/sites/{}", hex(&one.site_id));
    plan.pool.iter().filter(|one| one.left_out != 0).map(move |one| (one, name(one)))
}

/// What is left out of the list of a draw, and why.
#[must_use]
pub fn left_out(plan: &pb::Plan, labels: &Labels, lang: Lang) -> Vec<String> {
    let colon = lang.pick("：", ": ");
    let line = |(one, name): (&pb::PoolSite, String)| {
        format!("{}{colon}{}", labels.label(&name), words::left_out(one.left_out(), lang))
    };
    left_out_of(plan).map(line).collect()
}

/// What it is, for whom and when.
pub fn head(sheet: &mut Sheet, plan: &pb::Plan, names: &Names, lang: Lang) {
    let title = plan.record.as_ref().map(|record| clean(&record.title));
    let erased = || lang.pick("已删除", "erased").to_owned();
    let needs: Vec<String> = plan.cities.iter().map(|one| parts::needs(one, names, lang)).collect();
    let departments: Vec<String> =
        plan.departments().map(|one| words::department(one, lang).to_owned()).collect();
    sheet
        .row(lang.pick("方案号", "number"), clean(&plan.number))
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

/// What people typed.
pub fn record(sheet: &mut Sheet, record: Option<&pb::PlanRecord>, lang: Lang) {
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

/// How far it has come.
pub fn progress(sheet: &mut Sheet, plan: &pb::Plan, names: &Names, lang: Lang) {
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

/// What it lacks, each with its rule and source.
#[must_use]
pub fn findings(plan: &pb::Plan, lang: Lang) -> Vec<String> {
    let one = |finding: &pb::PlanFinding| {
        let [text, rule, source] =
            [&finding.text, &finding.rule, &finding.source].map(|text| clean(text));
        let (force, reason) = (words::rule_force(finding.force(), lang), clean(&finding.reason));
        let semicolon = lang.pick("；", "; ");
        // A rule of ours is its own source: said once.
        let force = if source == force { "" } else { &format!("{force}{semicolon}") };
        lang.pick(
            format!("{text}（{rule}；依据：{source}；{force}{reason}）"),
            format!("{text} ({rule}; source: {source}; {force}{reason})"),
        )
    };
    plan.findings.iter().map(one).collect()
}

/// An answer of a city.
#[must_use]
pub fn answer(answer: &pb::PlanAnswer, labels: &Labels, names: &Names, lang: Lang) -> String {
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
        add(parts::sent(sent, labels, lang));
    }
    if let Some(confirmed) = &answer.confirmed {
        let (when, sent) =
            (when::time(answer.swap_time.as_ref()), parts::sent(confirmed, labels, lang));
        add(lang.pick(
            format!("为 {when} 调整后的力量（确认时{sent}）"),
            format!("as swapped on {when} (when confirmed it {sent})"),
        ));
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
        let why = clean(&answer.resolution_text);
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

/// A visit to a site.
#[must_use]
pub fn visit(visit: &pb::PlanVisit, labels: &Labels, names: &Names, lang: Lang) -> String {
    let mut out = format!(
        "{}  {}  {}  {}",
        parts::span(visit.first.as_ref(), visit.last.as_ref(), lang),
        short(&visit.site),
        labels.label(&visit.site),
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
    let list = |names: &[String]| labels.list(names, lang);
    line(lang.pick("抽中人员", "drawn"), &list(&visit.lead));
    line(lang.pick("抽中外市人员", "drawn of others"), &list(&visit.guests));
    if let Some(arrival) = &visit.arrival {
        let team = [arrival.officers.as_slice(), &arrival.guests].concat();
        let (on, team) = (when::date(arrival.on.as_ref()), list(&team));
        let keyed = parts::keyed(visit.arrival_entry.as_ref(), lang);
        line(lang.pick("到场", "arrived"), &format!("{on} {team}{keyed}"));
    }
    if let Some(result) = &visit.result {
        let keyed = parts::keyed(visit.result_entry.as_ref(), lang);
        line(lang.pick("结果", "result"), &(parts::result(result, lang) + &keyed));
        line(lang.pick("情况说明", "in words"), &parts::visit_words(visit, lang));
    }
    line(lang.pick("已转案件", "cases"), &visit.cases.join(lang.pick("、", ", ")));
    out
}

/// That it has ended and own units are still booked for it, with the command that frees them.
#[must_use]
pub fn still_booked(plan: &pb::Plan, lang: Lang) -> Option<String> {
    let ended = matches!(plan.state(), pb::PlanState::Summarized | pb::PlanState::Cancelled);
    let number = clean(&plan.number);
    let said = lang.pick(
        format!("行动已结束，本市派出的力量仍占用；释放：liandong plan release {number}"),
        format!("it has ended, and own units are still booked: liandong plan release {number}"),
    );
    (ended && !plan.booked_revision.is_empty()).then_some(said)
}

/// What those are called who had not shown their part when the plan was revised or cancelled.
#[must_use]
pub const fn silent_label(draw: &pb::PlanDraw, lang: Lang) -> &'static str {
    match (draw.cancelled_late, lang) {
        (false, Lang::Zh) => "修订时尚未公开的市",
        (false, Lang::En) => "not shown when revised",
        (true, Lang::Zh) => "修订或取消时尚未公开的市",
        (true, Lang::En) => "not shown when revised or cancelled",
    }
}

/// Before [`cancelled_late`].
#[must_use]
pub fn cancelled_label(lang: Lang) -> &'static str {
    lang.pick("公开随机数后取消", "cancelled after reveals")
}

/// That a plan was cancelled after parts of its draw were shown; empty where it was not.
#[must_use]
pub fn cancelled_late(draw: &pb::PlanDraw, lang: Lang) -> &'static str {
    match draw.cancelled_late {
        true => lang.pick("是，本次抽取不再执行", "yes, what is drawn is carried out no further"),
        false => "",
    }
}

/// How its draw stands.
#[must_use]
pub fn draw(plan: &pb::Plan, names: &Names, lang: Lang) -> Vec<String> {
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
    line(silent_label(draw, lang), cities(draw.silent.clone()));
    line(cancelled_label(lang), cancelled_late(draw, lang).to_owned());
    line(lang.pick("种子", "seed"), clean(&draw.seed));
    let left_out = plan.pool.iter().filter(|one| one.left_out != 0).count();
    let listed = plan.pool.len();
    let list = lang.pick(
        format!("{listed} 家，其中不参加抽取 {left_out} 家"),
        format!("{listed} sites, {left_out} of them left out"),
    );
    line(lang.pick("名单", "list"), if listed > 0 { list } else { String::new() });
    lines
}
