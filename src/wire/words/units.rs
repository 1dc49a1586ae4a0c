//! Words for units, departments and windows.

use super::short;
use crate::domain::{Department, Half, UnitKind, Words};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// What kind of unit it is.
#[must_use]
pub fn unit_kind(one: pb::UnitKind, lang: Lang) -> &'static str {
    match UnitKind::parse(short(one.as_str_name(), "UNIT_KIND_")) {
        Ok(known) => lang.pick(known.zh(), known.en()),
        Err(_) => lang.pick("未知种类", "unknown"),
    }
}

/// Reads a kind from its word in either language or its code.
#[must_use]
pub fn parse_unit_kind(text: &str) -> Option<pb::UnitKind> {
    let upper = text.to_ascii_uppercase().replace('-', "_");
    let known = UnitKind::ALL.iter().find(|one| {
        one.code() == upper || one.zh() == text || one.en().eq_ignore_ascii_case(text)
    })?;
    pb::UnitKind::from_str_name(&format!("UNIT_KIND_{}", known.code()))
}

/// A department.
#[must_use]
pub fn department(one: pb::Department, lang: Lang) -> &'static str {
    match Department::parse(short(one.as_str_name(), "DEPARTMENT_")) {
        Ok(known) => lang.pick(known.zh(), known.en()),
        Err(_) => lang.pick("未知部门", "unknown"),
    }
}

/// Reads a department from its word in either language or its code.
#[must_use]
pub fn parse_department(text: &str) -> Option<pb::Department> {
    let upper = text.to_ascii_uppercase().replace('-', "_");
    let known = Department::ALL.iter().find(|one| {
        one.code() == upper || one.zh() == text || one.en().eq_ignore_ascii_case(text)
    })?;
    pb::Department::from_str_name(&format!("DEPARTMENT_{}", known.code()))
}

/// Which half of a day.
#[must_use]
pub fn day_half(one: pb::DayHalf, lang: Lang) -> &'static str {
    match Half::parse(short(one.as_str_name(), "DAY_HALF_")) {
        Ok(known) => lang.pick(known.zh(), known.en()),
        Err(_) => lang.pick("未知时段", "unknown"),
    }
}

/// Why days are not offered.
#[must_use]
pub fn slot_hindrance(one: pb::SlotHindranceKind, lang: Lang) -> &'static str {
    match one {
        pb::SlotHindranceKind::Unspecified => lang.pick("未知原因", "unknown"),
        pb::SlotHindranceKind::UnitsMissing => lang.pick("缺执法力量", "units are missing"),
        pb::SlotHindranceKind::CityBusy => lang.pick("全市无法安排", "the city is busy as a whole"),
        pb::SlotHindranceKind::RestDay => lang.pick("休息日", "a rest day"),
        pb::SlotHindranceKind::DayPast => lang.pick("日期已过", "days that have passed"),
        pb::SlotHindranceKind::OutsideTerm => {
            lang.pick("不在协议有效期内", "the agreement does not run")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_back() {
        for lang in [Lang::Zh, Lang::En] {
            for number in 1..=5 {
                let one = pb::UnitKind::try_from(number).unwrap();
                assert_eq!(parse_unit_kind(unit_kind(one, lang)), Some(one));
            }
            for number in 1..=10 {
                let one = pb::Department::try_from(number).unwrap();
                assert_eq!(parse_department(department(one, lang)), Some(one));
            }
        }
        assert_eq!(parse_unit_kind("uav"), Some(pb::UnitKind::Uav));
        assert_eq!(parse_department("market-supervision"), Some(pb::Department::MarketSupervision));
        assert_eq!((parse_unit_kind("坦克"), parse_department("")), (None, None));
    }
}
