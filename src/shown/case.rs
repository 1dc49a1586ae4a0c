//! A case as people read it: rows of label and value.
//!
//! In scope: which rows, in which order, in which words. Out of scope: screens and pages.

use super::names::Names;
use super::sheet::Sheet;
use super::text::clean;
use super::{referral, same_act as say, when};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// All rows of a case; campaigns, and what was opened to whom, in words.
#[must_use]
pub fn sheet(
    (case, shown, [campaigns, granted]): (&pb::Case, &pb::GetCaseResponse, [&str; 2]),
    names: &Names,
    lang: Lang,
) -> Sheet {
    let mut sheet = Sheet::default();
    standing(&mut sheet, case, names, lang);
    content(&mut sheet, case, names, lang);
    if let Some(person) = &case.person {
        sheet.row(lang.pick("自然人", "person"), person.name.clone());
    }
    sheet.row(lang.pick("专项行动", "campaigns"), campaigns);
    let words = shown.referral_words.iter().map(|word| referral::line(word, names, lang));
    let words: Vec<String> = words.collect();
    sheet.row(lang.pick("行刑衔接", "police"), words.join("\n"));
    let due: Vec<String> = shown.deadlines.iter().map(|d| deadline(d, names, lang)).collect();
    sheet.row(lang.pick("时限", "due"), due.join("\n"));
    let acts = shown.same_acts.as_ref().map_or_else(String::new, |acts| same(acts, names, lang));
    sheet.row(lang.pick("疑似重复", "same act?"), acts);
    sheet.row(lang.pick("线索由来", "found by"), findings(shown, lang));
    sheet.row(lang.pick("授权查看", "opened to"), granted);
    let steps: Vec<_> = case
        .allowed_steps()
        .map(|step| {
            let (zh, en) = words::step(step);
            lang.pick(zh, en)
        })
        .collect();
    sheet
        .row(lang.pick("可办理", "may now"), steps.join(lang.pick("、", ", ")))
        .row(lang.pick("办理步数", "steps"), case.move_count.to_string())
        .row(lang.pick("补充", "additions"), count(case.contribution_count))
        .row(lang.pick("未生效操作", "did not take effect"), count(case.misfit_count))
        .row(lang.pick("提示", "note"), notes(case, lang))
        .row(lang.pick("全名", "name"), case.name.clone())
        .row("etag", case.etag.clone());
    if let Some(own) = &case.assignment {
        sheet.row(lang.pick("经办人 etag", "etag of the assignment"), own.etag.clone());
    }
    sheet
}

/// The visits of joint actions that led to it.
#[must_use]
pub fn findings(shown: &pb::GetCaseResponse, lang: Lang) -> String {
    let one = |found: &pb::CaseFinding| {
        let [number, title, site] =
            [&found.plan_number, &found.plan_title, &found.site_name].map(|text| clean(text));
        lang.pick(
            format!("来自联合执法行动 {number} {title} 对{site}的检查"),
            format!("from the visit to {site} of joint action {number} {title}"),
        )
    };
    shown.findings.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// Where it stands and who has it.
pub fn standing(sheet: &mut Sheet, case: &pb::Case, names: &Names, lang: Lang) {
    sheet
        .row(lang.pick("编号", "number"), case.number.clone())
        .row(lang.pick("自有编号", "own number"), external(case))
        .row(lang.pick("状态", "state"), words::state(case.state(), lang))
        .row(lang.pick("办理权", "turn"), names.turn(case.turn_city))
        .row(lang.pick("首报市", "reported by"), names.city(case.originating_city))
        .row(lang.pick("承办市", "handled by"), names.city(case.handling_city))
        .row(lang.pick("移送", "transfer"), transfer(case, names))
        .row(lang.pick("法律日期", "legal date"), when::date(case.last_effective_on.as_ref()))
        .row(lang.pick("最近记录", "last entry"), when::time(case.update_time.as_ref()));
    if let Some(own) = &case.assignment {
        sheet
            .row(lang.pick("本市经办人", "assigned to"), own.assignee.clone())
            .row(lang.pick("本市备注", "own remark"), own.remark.clone());
    }
}

/// Facts and texts, or why they are not here.
pub fn content(sheet: &mut Sheet, case: &pb::Case, names: &Names, lang: Lang) {
    if let Some(facts) = &case.facts {
        self::facts(sheet, facts, names, lang);
    }
    match &case.record {
        Some(record) => self::record(sheet, record, lang),
        None => {
            sheet.row(
                lang.pick("内容", "content"),
                lang.pick("本市无权查看或尚未送达", "not for this city, or not here yet"),
            );
        }
    }
}

/// The last day of a term, with what must be known of it.
#[must_use]
pub fn due(deadline: &pb::Deadline, lang: Lang) -> String {
    if deadline.suspended {
        let from = when::date(deadline.begin_on.as_ref());
        return lang.pick(format!("中止中（{from} 起算）"), format!("suspended (began {from})"));
    }
    let mut text = when::date(deadline.due_on.as_ref());
    if deadline.provisional {
        text.push_str(lang.pick("（暂定）", " (provisional)"));
    }
    if deadline.overdue {
        text.push_str(lang.pick("（已逾期）", " (overdue)"));
    }
    if deadline.met {
        text.push_str(lang.pick("（在时限内）", " (kept)"));
    }
    text
}

/// The number in an own system.
#[must_use]
pub fn external(case: &pb::Case) -> String {
    case.external_ref
        .as_ref()
        .map_or_else(String::new, |own| format!("{} {}", own.system, own.number))
}

/// From whom to whom, during a transfer.
#[must_use]
pub fn transfer(case: &pb::Case, names: &Names) -> String {
    if case.transfer_to == 0 {
        return String::new();
    }
    format!("{} → {}", names.city(case.transfer_from), names.city(case.transfer_to))
}

/// A term with whose it is and what must be done.
#[must_use]
pub fn deadline(deadline: &pb::Deadline, names: &Names, lang: Lang) -> String {
    let (what, city) = (words::clock(deadline.clock(), lang), names.city(deadline.city));
    format!("{} {city} {what}", due(deadline, lang))
}

/// Records that may be of the same act, and what to do.
#[must_use]
pub fn same(acts: &pb::SameActs, names: &Names, lang: Lang) -> String {
    let mut lines: Vec<String> = Vec::new();
    for hint in &acts.hints {
        lines.push(say::other(hint, names, lang));
        lines.push(format!("  {}", say::standing(hint, names, lang)));
    }
    let more = (acts.total_size as usize).saturating_sub(acts.hints.len());
    if more > 0 {
        lines.push(lang.pick(format!("另有 {more} 件"), format!("and {more} more")));
    }
    if !acts.hints.is_empty() {
        lines.push(say::advice(lang).to_owned());
    }
    if acts.incomplete {
        lines.push(say::incomplete(lang).to_owned());
    }
    lines.join("\n")
}

fn count(number: u32) -> String {
    if number == 0 { String::new() } else { number.to_string() }
}

/// What is to be known beside the state.
#[must_use]
pub fn notes(case: &pb::Case, lang: Lang) -> String {
    let mut notes = Vec::new();
    if case.files_outstanding {
        notes.push(lang.pick("承办市尚未确认收齐材料", "the handling city has not all files yet"));
    }
    if case.needs_newer_version {
        notes.push(lang.pick(
            "有新版本才能识别的记录，升级节点后继续",
            "an entry of a newer kind is here; upgrade the node to go on",
        ));
    }
    notes.join("\n")
}

/// What was said in fields.
pub fn facts(sheet: &mut Sheet, facts: &pb::CaseFacts, names: &Names, lang: Lang) {
    let days = [facts.occurred_from.as_ref(), facts.occurred_to.as_ref()];
    let days = days.map(when::date).join(lang.pick(" 至 ", " to "));
    let near: Vec<_> = facts
        .border_distances
        .iter()
        .map(|one| {
            let city = names.city(one.city);
            lang.pick(
                format!("距{city} {} 米", one.metres),
                format!("{} m from {city}", one.metres),
            )
        })
        .collect();
    let mut near = near.join(lang.pick("，", ", "));
    if facts.border_uncertain {
        near.push_str(
            lang.pick("（贴近边界，所在市以人工认定为准）", " (too near to tell the city)"),
        );
    }
    sheet
        .row(lang.pick("来源", "source"), words::source(facts.source(), lang))
        .row(lang.pick("要素", "medium"), words::medium(facts.medium(), lang))
        .row(lang.pick("违法类型", "violation"), words::violation(facts.violation(), lang))
        .row(
            lang.pick("发现时间", "discovered"),
            when::time(Some(&when::from_millis(facts.discover_time_ms))),
        )
        .row(lang.pick("行为日期", "days of the act"), days)
        .row(lang.pick("所在县区", "county"), county(facts))
        .row(lang.pick("边界", "border"), near)
        .row(lang.pick("级别", "level"), words::data_level(facts.data_level(), lang));
}

fn county(facts: &pb::CaseFacts) -> String {
    if facts.county_code == 0 { String::new() } else { format!("{:06}", facts.county_code) }
}

/// What people typed.
pub fn record(sheet: &mut Sheet, record: &pb::CaseRecord, lang: Lang) {
    let place = record.location.as_ref().map_or_else(String::new, |at| {
        format!("{} {} {}", at.longitude, at.latitude, at.address).trim().to_owned()
    });
    let party = record.party.as_ref().map_or_else(String::new, |party| {
        let who = format!("{}{} {}", party.name, party.masked_name, party.uscc);
        format!("{}\n{}", who.trim(), on_the_party(party, lang)).trim().to_owned()
    });
    let laws: Vec<_> = record
        .legal_bases
        .iter()
        .map(|one| {
            let item = if one.item == 0 { String::new() } else { format!("({})", one.item) };
            let days = [&one.effective_from, &one.effective_to].map(|day| when::date(day.as_ref()));
            let days = match days.iter().any(|day| !day.is_empty()) {
                true => {
                    let days = days.join("～");
                    lang.pick(format!("（{days}）"), format!(" ({days})"))
                }
                false => String::new(),
            };
            format!("{} {}{item}{days}", one.law, one.article)
        })
        .collect();
    let excess: Vec<_> = record
        .pollutants
        .iter()
        .map(|one| {
            let value = format!("{} {} {} (≤ {})", one.code, one.value, one.unit, one.limit);
            let times = &one.exceed_multiple;
            match times.as_str() {
                "" => value,
                _ => lang.pick(
                    format!("{value}，超标 {times} 倍"),
                    format!("{value}, {times} times above"),
                ),
            }
        })
        .collect();
    let penalty = record.penalty.as_ref().map_or_else(String::new, |one| penalty(one, lang));
    let officers: Vec<String> = record
        .officers
        .iter()
        .map(|one| format!("{} {}", one.certificate_number, one.unit).trim_end().to_owned())
        .collect();
    sheet
        .row(lang.pick("案由", "title"), record.title.clone())
        .row(lang.pick("简要情况", "summary"), record.summary.clone())
        .row(lang.pick("地点", "place"), place)
        .row(lang.pick("当事人", "party"), party)
        .row(lang.pick("超标", "measured"), excess.join("\n"))
        .row(lang.pick("法律依据", "law"), laws.join("\n"))
        .row(lang.pick("法律适用", "choice of the law"), record.law_choice.clone())
        .row(lang.pick("证据", "evidence"), evidence(&record.evidence, lang))
        .row(lang.pick("执法人员", "officers"), officers.join("\n"))
        .row(lang.pick("立案号", "file number"), record.case_file_number.clone())
        .row(lang.pick("处罚", "penalty"), penalty)
        .row(lang.pick("范围外理由", "belt reason"), record.belt_reason.clone());
}

/// Industry, permit and positive list of the party.
fn on_the_party(party: &pb::Party, lang: Lang) -> String {
    let mut all = Vec::new();
    if !party.industry_code.is_empty() {
        all.push(format!("{} {}", lang.pick("行业", "industry"), party.industry_code));
    }
    if !party.permit_number.is_empty() {
        all.push(format!("{} {}", lang.pick("排污许可证", "permit"), party.permit_number));
    }
    if party.positive_list {
        all.push(lang.pick("在正面清单内", "on the positive list").to_owned());
    }
    all.join(lang.pick("，", ", "))
}

fn evidence(all: &[pb::Evidence], lang: Lang) -> String {
    let line = |one: &pb::Evidence| {
        let kind = words::evidence_kind(one.kind(), lang);
        format!("{} {kind} {}{}", one.id, one.title, reviews(one, lang))
    };
    all.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What evidence from a device still lacks: 行政处罚法 art. 41 wants a legal and a technical review
/// of what electronic monitoring has recorded.
fn reviews(one: &pb::Evidence, lang: Lang) -> &'static str {
    use pb::EvidenceKind as K;
    let from_device =
        matches!(one.kind(), K::UavImagery | K::OnlineMonitoringData | K::PowerMonitoringData);
    match (from_device, one.reviewed_legal, one.reviewed_technical) {
        (false, _, _) => "",
        (true, true, true) => lang.pick("（已经法制、技术审核）", " (reviewed)"),
        (true, false, true) => lang.pick("（待法制审核）", " (legal review due)"),
        (true, true, false) => lang.pick("（待技术审核）", " (technical review due)"),
        (true, false, false) => {
            lang.pick("（待法制、技术审核）", " (legal and technical review due)")
        }
    }
}

fn penalty(penalty: &pb::Penalty, lang: Lang) -> String {
    let kinds: Vec<_> = penalty.kinds().map(|kind| words::penalty_kind(kind, lang)).collect();
    let kinds = kinds.join(lang.pick("、", ", "));
    let (yuan, fen) = (penalty.fine_fen / 100, penalty.fine_fen % 100);
    let fine = match (penalty.fine_fen, lang) {
        (0, _) => String::new(),
        (_, Lang::Zh) => format!(" {yuan}.{fen:02} 元"),
        (_, Lang::En) => format!(" {yuan}.{fen:02} yuan"),
    };
    let proposed = if penalty.proposed { lang.pick("（拟）", " (proposed)") } else { "" };
    format!("{kinds}{fine}{proposed} {}", penalty.decision_number).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_device_recorded_says_which_reviews_are_due() {
        let said = |kind: pb::EvidenceKind, reviewed_legal, reviewed_technical| {
            let kind = kind.into();
            let one =
                pb::Evidence { kind, reviewed_legal, reviewed_technical, ..Default::default() };
            reviews(&one, Lang::Zh)
        };
        assert_eq!(said(pb::EvidenceKind::Documentary, false, false), "");
        assert_eq!(said(pb::EvidenceKind::UavImagery, true, false), "（待技术审核）");
        assert_eq!(said(pb::EvidenceKind::OnlineMonitoringData, false, true), "（待法制审核）");
        let power = pb::EvidenceKind::PowerMonitoringData;
        assert_eq!(said(power, true, true), "（已经法制、技术审核）");
        assert_eq!(said(power, false, false), "（待法制、技术审核）");
    }
}
