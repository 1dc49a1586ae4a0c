//! Words for records that may be of one act, and what the law says to do (一事不二罚).

use super::names::Names;
use super::{text, when};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// The other record in one line: number, city, state, distance, days.
#[must_use]
pub fn other(hint: &pb::SameActHint, names: &Names, lang: Lang) -> String {
    let (number, city) = (text::clean(&hint.number), names.city(hint.handling_city));
    let state = words::state(hint.state(), lang);
    let (apart, days) = (apart(hint, lang), days(hint, lang));
    lang.pick(
        format!("{number}（{city}承办，{state}）{apart}，重合 {days}"),
        format!("{number} ({city}, {state}) {apart}, both on {days}"),
    )
}

/// How far apart the two places are.
#[must_use]
pub fn apart(hint: &pb::SameActHint, lang: Lang) -> String {
    match hint.metres {
        Some(metres) => lang.pick(format!("相距 {metres} 米"), format!("{metres} m apart")),
        None => lang.pick("同一县区（无坐标）", "same county (no point)").to_owned(),
    }
}

/// The days both acts have.
#[must_use]
pub fn days(hint: &pb::SameActHint, lang: Lang) -> String {
    let from = when::date(hint.overlap_from.as_ref());
    let to = match &hint.overlap_to {
        Some(to) => when::date(Some(to)),
        None => lang.pick("今", "now").to_owned(),
    };
    let mut text = lang.pick(format!("{from} 至 {to}"), format!("{from} to {to}"));
    if hint.days_assumed {
        text.push_str(lang.pick("（起止日期未填全，按推定）", " (days not all recorded)"));
    }
    text
}

/// What follows from who filed or decided first (行政处罚法 art. 25 and 29).
#[must_use]
pub fn standing(hint: &pb::SameActHint, names: &Names, lang: Lang) -> String {
    let city = names.city(hint.handling_city);
    if hint.linked {
        return lang
            .pick("两件已登记为接续办理的同一案件", "the two are linked as one continued case")
            .to_owned();
    }
    if let Some(on) = &hint.other_decided_on {
        let on = when::date(Some(on));
        return if hint.state() == pb::CaseState::NoPenalty {
            lang.pick(
                format!("{city}已于 {on} 决定不予处罚"),
                format!("{city} decided on no penalty on {on}"),
            )
        } else {
            lang.pick(
                format!("{city}已于 {on} 作出决定，同一行为不得再次罚款"),
                format!("{city} decided on {on}: the same act may not be fined again"),
            )
        };
    }
    let day = |on: &pb::Date| (on.year, on.month, on.day);
    match (&hint.filed_on, &hint.other_filed_on) {
        (None, None) => lang
            .pick("两件均未立案，立案前请先核对", "neither is filed: compare before you file")
            .to_owned(),
        (Some(own), None) => {
            let on = when::date(Some(own));
            lang.pick(
                format!("本件于 {on} 先立案，{city}尚未立案"),
                format!("this case was filed first, on {on}; {city} has not filed"),
            )
        }
        (None, Some(theirs)) => first(&city, theirs, lang),
        (Some(own), Some(theirs)) if day(theirs) < day(own) => first(&city, theirs, lang),
        (Some(own), Some(theirs)) if day(theirs) == day(own) => {
            let on = when::date(Some(own));
            lang.pick(
                format!("两件均于 {on} 立案，请协商管辖"),
                format!("both were filed on {on}: agree who is competent"),
            )
        }
        (Some(own), Some(_)) => {
            let on = when::date(Some(own));
            lang.pick(format!("本件于 {on} 先立案"), format!("this case was filed first, on {on}"))
        }
    }
}

fn first(city: &str, on: &pb::Date, lang: Lang) -> String {
    let on = when::date(Some(on));
    lang.pick(
        format!("{city}于 {on} 先立案，确系同一行为的由{city}管辖"),
        format!("{city} filed first, on {on}: if it is the same act, {city} is competent"),
    )
}

/// What to do about a hint.
#[must_use]
pub fn advice(lang: Lang) -> &'static str {
    lang.pick(
        "仅为提示，请与对方核对：同一违法行为不得给予两次以上罚款\
         （行政处罚法第二十九条）；\
         由最先立案的机关管辖，有争议的应当协商，\
         协商不成的报请共同的上一级机关指定管辖（第二十五条）",
        "only a hint, compare with the other city: one act is not fined twice (行政处罚法 art. 29); \
         whoever filed first is competent, a dispute is settled by agreement, or else by the \
         common superior authority (art. 25)",
    )
}

/// Not everything was looked at yet.
#[must_use]
pub fn incomplete(lang: Lang) -> &'static str {
    lang.pick("尚未比对全部案件，请稍后再查", "not all cases are compared yet; ask again soon")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(day: i32) -> Option<pb::Date> {
        Some(pb::Date { year: 2026, month: 11, day })
    }

    fn hint() -> pb::SameActHint {
        pb::SameActHint {
            number: "LD-邯濮-2026-邯0003".to_owned(),
            handling_city: 130_400,
            state: pb::CaseState::Filed.into(),
            metres: Some(120),
            overlap_from: date(3),
            ..Default::default()
        }
    }

    #[test]
    fn a_hint_says_what_where_and_when() {
        let names = Names::new(Lang::Zh);
        let text = other(&hint(), &names, Lang::Zh);
        assert_eq!(
            text,
            "LD-邯濮-2026-邯0003（邯郸承办，已立案）相距 120 米，重合 2026-11-03 至 今"
        );
        let far = pb::SameActHint { metres: None, days_assumed: true, ..hint() };
        let text = other(&far, &names, Lang::Zh);
        assert!(text.contains("同一县区") && text.contains("按推定"), "{text}");
        let nasty = pb::SameActHint { number: "\u{1b}[2J".to_owned(), ..hint() };
        assert!(!other(&nasty, &names, Lang::Zh).contains('\u{1b}'));
    }

    #[test]
    fn who_filed_first_is_said() {
        let names = Names::new(Lang::Zh);
        let rows = [
            (None, None, None, "两件均未立案"),
            (date(3), None, None, "本件于 2026-11-03 先立案，邯郸尚未立案"),
            (None, date(3), None, "由邯郸管辖"),
            (date(3), date(2), None, "邯郸于 2026-11-02 先立案"),
            (date(3), date(3), None, "请协商管辖"),
            (date(2), date(3), None, "本件于 2026-11-02 先立案"),
            (date(2), date(3), date(9), "不得再次罚款"),
        ];
        for (filed_on, other_filed_on, other_decided_on, want) in rows {
            let hint = pb::SameActHint { filed_on, other_filed_on, other_decided_on, ..hint() };
            let text = standing(&hint, &names, Lang::Zh);
            assert!(text.contains(want), "{want}: {text}");
        }
        let linked = pb::SameActHint { linked: true, other_decided_on: date(9), ..hint() };
        assert!(standing(&linked, &names, Lang::Zh).contains("接续"));
        let state = pb::CaseState::NoPenalty.into();
        let hint = pb::SameActHint { other_decided_on: date(9), state, ..hint() };
        assert!(standing(&hint, &names, Lang::Zh).contains("不予处罚"));
    }
}
