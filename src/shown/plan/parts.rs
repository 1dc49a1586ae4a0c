//! Pieces of a plan as people write them: days, needs, who is awaited, what is sent, results.

use std::collections::BTreeMap;

use super::Labels;
use crate::domain::{HalfDay, Language, Period};
use crate::lang::Lang;
use crate::shown::names::Names;
use crate::shown::{history, text, when};
use crate::wire::pb::v1 as pb;
use crate::wire::unit::{half_day_from_pb, period_from_pb};
use crate::wire::words;

/// A list in one line.
#[must_use]
pub fn joined(all: &[String], lang: Lang) -> String {
    all.join(lang.pick("、", ", "))
}

/// What a draft that is kept is called.
#[must_use]
pub fn draft_title(saved: &pb::SavedDraft) -> String {
    let record = saved.draft.as_ref().and_then(|one| one.record.as_ref());
    record.map(|record| text::clean(&record.title)).unwrap_or_default()
}

/// Who saved a draft, and when.
#[must_use]
pub fn draft_saved(saved: &pb::SavedDraft, lang: Lang) -> String {
    let who = history::who(&saved.updated_by, lang);
    format!("{who}  {}", when::time(saved.update_time.as_ref()))
}

/// Half days that follow each other as periods, ordinary ones and overtime apart.
#[must_use]
pub fn periods(days: &[pb::PlanDay]) -> Vec<(Period, bool)> {
    let read = |day: &pb::PlanDay| Some((half_day_from_pb(day.at.as_ref()?)?, day.overtime));
    let all: BTreeMap<HalfDay, bool> = days.iter().filter_map(read).collect();
    let mut out: Vec<(Period, bool)> = Vec::new();
    for (at, overtime) in all {
        let grown = out
            .last()
            .filter(|(before, same)| *same == overtime && before.last().next() == Some(at))
            .and_then(|(before, _)| Period::new(before.first(), at).ok());
        match (grown, out.last_mut()) {
            (Some(grown), Some(last)) => last.0 = grown,
            (_, _) => out.push((Period::half_day(at), overtime)),
        }
    }
    out
}

/// When a plan is.
#[must_use]
pub fn days(days: &[pb::PlanDay], lang: Lang) -> String {
    let language = lang.pick(Language::Zh, Language::En);
    let one = |(period, overtime): &(Period, bool)| {
        let note = if *overtime { lang.pick("（加班）", " (overtime)") } else { "" };
        format!("{}{note}", period.text(language))
    };
    joined(&periods(days).iter().map(one).collect::<Vec<_>>(), lang)
}

/// From one half day to another.
#[must_use]
pub fn span(first: Option<&pb::HalfDay>, last: Option<&pb::HalfDay>, lang: Lang) -> String {
    let last = last.or(first);
    period_text(Some(&pb::Period { first: first.copied(), last: last.copied() }), lang)
}

/// What a city is to bring.
#[must_use]
pub fn needs(city: &pb::CityNeeds, names: &Names, lang: Lang) -> String {
    let need = |one: &pb::UnitNeed| {
        let (kind, count) = (words::unit_kind(one.kind(), lang), one.count);
        let department = (one.department != 0).then(|| words::department(one.department(), lang));
        match department {
            None => lang.pick(format!("{kind} {count}"), format!("{count} × {kind}")),
            Some(of) => lang.pick(format!("{of}{kind} {count}"), format!("{count} × {kind}, {of}")),
        }
    };
    let all: Vec<String> = city.needs.iter().map(need).collect();
    let name = names.city(city.city);
    match all.is_empty() {
        true => lang.pick(format!("{name}：不要求力量"), format!("{name}: nothing")),
        false => format!("{name}{}{}", lang.pick("：", ": "), joined(&all, lang)),
    }
}

/// Who has to do what next.
#[must_use]
pub fn awaited(all: &[pb::CityAwaited], names: &Names, lang: Lang) -> String {
    let one = |city: &pb::CityAwaited| {
        let what: Vec<String> =
            city.what().map(|one| words::plan_awaited(one, lang).to_owned()).collect();
        format!("{}{}{}", names.city(city.city), lang.pick("：", ": "), joined(&what, lang))
    };
    all.iter().map(one).collect::<Vec<_>>().join(lang.pick("；", "; "))
}

/// What a city sends, in one line.
#[must_use]
pub fn sent(sent: &pb::SentDraft, labels: &Labels, lang: Lang) -> String {
    let unit = |one: &pb::UnitDraft| {
        let label = labels.label(&one.unit);
        match one.first.is_some() || one.last.is_some() {
            false => label,
            true => format!("{label}@{}", span(one.first.as_ref(), one.last.as_ref(), lang)),
        }
    };
    let recusal = |one: &pb::RecusalDraft| {
        let officer = labels.label(&one.officer);
        match one.site.as_str() {
            "" => officer,
            site => format!("{officer}@{}", labels.label(site)),
        }
    };
    let units: Vec<String> = sent.units.iter().map(unit).collect();
    let mut out = lang.pick("派出 ", "sends ").to_owned();
    out.push_str(&if units.is_empty() {
        lang.pick("无", "nobody").to_owned()
    } else {
        joined(&units, lang)
    });
    if !sent.recusals.is_empty() {
        let recusals: Vec<String> = sent.recusals.iter().map(recusal).collect();
        out.push_str(lang.pick("；回避 ", "; not to go: "));
        out.push_str(&joined(&recusals, lang));
    }
    out
}

/// Which cities come to a window in shifts; `None` when all can send the same units all along.
#[must_use]
pub fn in_shifts(slot: &pb::Slot, names: &Names, lang: Lang) -> Option<String> {
    let cities = names.list(slot.in_shifts.iter().copied());
    (!slot.in_shifts.is_empty()).then(|| {
        lang.pick(
            format!("{cities}须换班（各半天派出的人员装备不同）"),
            format!("{cities} in shifts (other units each half day)"),
        )
    })
}

/// What came of a visit, in one line.
#[must_use]
pub fn result(result: &pb::VisitResult, lang: Lang) -> String {
    let check = |one: &pb::VisitCheck| {
        let (department, pb::VisitCheck { items, problems, .. }) =
            (words::department(one.department(), lang), one);
        lang.pick(
            format!("{department}检查 {items} 项、问题 {problems} 个"),
            format!("{department} {items} items, {problems} problems"),
        )
    };
    let mut all = vec![
        when::date(result.on.as_ref()),
        words::visit_outcome(result.outcome(), lang).to_owned(),
        words::check_mode(result.mode(), lang).to_owned(),
    ];
    all.extend(result.checks.iter().map(check));
    let pb::VisitResult { samples, clues, .. } = result;
    all.push(lang.pick(
        format!("样品 {samples} 个，线索 {clues} 条"),
        format!("{samples} samples, {clues} clues"),
    ));
    all.join(lang.pick("，", ", "))
}

/// How something of a visit was keyed in, where that is worth knowing: afterwards, or corrected.
#[must_use]
pub fn keyed(entry: Option<&pb::VisitEntry>, lang: Lang) -> String {
    let Some(entry) = entry else { return String::new() };
    let at = when::time(entry.record_time.as_ref());
    let mut out = String::new();
    if entry.afterwards {
        out.push_str(
            &lang.pick(format!("（补录于 {at}）"), format!(" (keyed in afterwards, {at})")),
        );
    }
    if entry.corrections > 0 {
        let times = entry.corrections;
        out.push_str(&lang.pick(
            format!("（更正 {times} 次，现为 {at} 登记）"),
            format!(" (corrected {times} times, last {at})"),
        ));
    }
    out
}

/// What was said of a visit in words, or why that cannot be read.
#[must_use]
pub fn visit_words(visit: &pb::PlanVisit, lang: Lang) -> String {
    if visit.text_is_erased {
        return lang.pick("已依法删除", "erased").to_owned();
    }
    if visit.text_is_missing {
        let missing = ("有，但本次未能读出，请稍后再看", "there are some, not readable just now");
        return lang.pick(missing.0, missing.1).to_owned();
    }
    words_of(&visit.text)
}

/// What the reports come to.
#[must_use]
pub fn totals(sum: &pb::PlanTotals, lang: Lang) -> String {
    let pb::PlanTotals { sites, visits, items, problems } = sum;
    lang.pick(
        format!("企业 {sites} 家，检查 {visits} 次，检查项 {items} 项，问题 {problems} 个"),
        format!("{sites} sites, {visits} visits, {items} items, {problems} problems"),
    )
}

/// The rule of a draw.
#[must_use]
pub fn rule(rule: &pb::DrawRule, lang: Lang) -> String {
    let pb::DrawRule { sites, host_officers, guest_officers, pool_size, .. } = rule;
    let weights = rule.weights.unwrap_or_default();
    let tickets = [weights.key, weights.general, weights.special].map(|n| n.to_string()).join(":");
    let spares = match rule.spares_withholders {
        true => lang.pick("，未公开的市照常抽取", ", sites of withholders are drawn like others"),
        false => lang.pick("，未公开的市全部受检", ", all sites of withholders are targets"),
    };
    lang.pick(
        format!(
            "{pool_size} 家中抽取 {sites} 家，每家当地 {host_officers} 人、外市 {guest_officers} \
             人，重点:一般:特殊 {tickets}{spares}"
        ),
        format!(
            "{sites} of {pool_size} sites, {host_officers} officers of the host and \
             {guest_officers} others at each, tickets key:general:special {tickets}{spares}"
        ),
    )
}

/// Other people's text of several lines, made harmless.
#[must_use]
pub fn words_of(text: &str) -> String {
    text::clean_lines(text.trim_end())
}

/// A period as people write it.
#[must_use]
pub fn period_text(period: Option<&pb::Period>, lang: Lang) -> String {
    let period: Option<Period> = period.and_then(period_from_pb);
    let language = lang.pick(Language::Zh, Language::En);
    period.map_or_else(String::new, |period| period.text(language))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::unit::half_day_to_pb;

    #[test]
    fn half_days_that_follow_each_other_are_one_period() {
        let day = |text: &str, overtime| pb::PlanDay {
            at: Some(half_day_to_pb(text.parse().unwrap())),
            overtime,
        };
        let plan = [
            day("2026-12-04下午", false),
            day("2026-12-04上午", false),
            day("2026-12-05上午", true),
            day("2026-12-07上午", false),
        ];
        assert_eq!(days(&plan, Lang::Zh), "2026-12-04、2026-12-05上午（加班）、2026-12-07上午");
        assert_eq!(days(&plan[2..], Lang::En), "2026-12-05 AM (overtime), 2026-12-07 AM");
    }

    #[test]
    fn needs_and_results_are_told_as_people_say_them() {
        let names = Names::new(Lang::Zh);
        let officers = pb::UnitNeed { kind: pb::UnitKind::Officer.into(), count: 2, department: 4 };
        let city = pb::CityNeeds { city: 371_500, needs: vec![officers] };
        assert_eq!(needs(&city, &names, Lang::Zh), "聊城：水利执法人员 2");
        let nothing = pb::CityNeeds { city: 130_400, needs: Vec::new() };
        assert_eq!(needs(&nothing, &names, Lang::Zh), "邯郸：不要求力量");
        let water = pb::VisitCheck { department: 4, items: 12, problems: 1 };
        let told = pb::VisitResult {
            on: Some(pb::Date { year: 2026, month: 12, day: 4 }),
            outcome: pb::VisitOutcome::Checked.into(),
            mode: pb::CheckMode::OnSite.into(),
            checks: vec![water],
            samples: 2,
            clues: 1,
        };
        let said = result(&told, Lang::Zh);
        assert!(said.ends_with("水利检查 12 项、问题 1 个，样品 2 个，线索 1 条"), "{said}");
    }
}
