//! `liandong unit show`, and what a write to a unit came to.

use clap::Args;
use serde_json::json;
use tonic::Status;

use super::{name, shape, short};
use crate::cli::case::Session;
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::written::{self, Shown};
use crate::cli::{table, when, words};

use crate::lang::Lang;
use crate::shown::plan::parts::period_text;
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// 证号、牌号、编号（列表中的前几位）、全名或“全市” · number, beginning of its id, name or city
    #[arg(value_name = "UNIT")]
    pub unit: String,
    /// 只看此联动协议 · only this agreement
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
}

/// Shows one.
///
/// # Errors
/// [`Failure`] when there is none.
pub async fn run(session: &Session, args: ShowArgs) -> Result<(), Failure> {
    let name = name(session, &args.unit, args.agreement.as_deref()).await?;
    let answer = session.client.units().get_unit(pb::GetUnitRequest { name }).await;
    let answer = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    let unit = answer.unit.unwrap_or_default();
    if session.context.json {
        session.context.print_json(&json!({ "unit": shape::unit(&unit), "cursor": answer.cursor }));
    } else {
        print!("{}", text(&unit, &session.names, session.context.lang));
    }
    Ok(())
}

/// Prints what a write came to.
pub(super) fn done(
    session: &Session,
    request_id: &str,
    answer: Result<(Option<pb::Unit>, Option<pb::WriteReceipt>), Status>,
) -> Result<(), Failure> {
    written::done(session, request_id, answer, &Shown { key: "unit", shape: shape::unit, text })
}

/// One unit for people.
#[must_use]
pub fn text(unit: &pb::Unit, names: &Names, lang: Lang) -> String {
    let mut sheet = table::Sheet::default();
    sheet
        .row(lang.pick("编号", "id"), short(&unit.name))
        .row(lang.pick("城市", "city"), names.city(unit.city))
        .row(lang.pick("种类", "kind"), words::unit_kind(unit.kind(), lang));
    if unit.department != 0 {
        sheet.row(lang.pick("部门", "department"), words::department(unit.department(), lang));
    }
    if let Some(record) = &unit.record {
        sheet
            .row(number_label(unit.kind(), lang), table::clean(&record.number))
            .row(lang.pick("执法队伍", "team"), table::clean(&record.team));
    }
    sheet.row(lang.pick("证件有效期", "certificate"), validity(unit, lang));
    if unit.retired {
        sheet.row(lang.pick("状态", "state"), lang.pick("已停用", "retired"));
    }
    for (nth, period) in unit.busy.iter().enumerate() {
        let label = if nth == 0 { lang.pick("占用", "busy") } else { "" };
        sheet.row(label, period_text(Some(period), lang));
    }
    sheet.row(lang.pick("全名", "name"), unit.name.clone());
    sheet.text()
}

/// What the number of a kind is called.
pub(super) fn number_label(kind: pb::UnitKind, lang: Lang) -> &'static str {
    match kind {
        pb::UnitKind::Officer => lang.pick("执法证号", "certificate number"),
        pb::UnitKind::Vehicle
        | pb::UnitKind::Uav
        | pb::UnitKind::Boat
        | pb::UnitKind::WholeCity
        | pb::UnitKind::Unspecified => lang.pick("牌号或编号", "label"),
    }
}

/// From when to when a certificate is valid; empty without one.
pub(super) fn validity(unit: &pb::Unit, lang: Lang) -> String {
    let (from, until) =
        (when::date(unit.valid_from.as_ref()), when::date(unit.valid_until.as_ref()));
    match (from.is_empty(), until.is_empty()) {
        (true, true) => String::new(),
        (_, _) => lang.pick(format!("{from} 至 {until}"), format!("{from} to {until}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::unit::period_to_pb;

    #[test]
    fn a_unit_shows_its_number_and_when_it_is_busy() {
        let busy = ["2026-07-03上午", "2026-07-06 至 2026-07-08上午"];
        let unit = pb::Unit {
            name: "agreements/0/units/0123456789abcdef0123456789abcdef".to_owned(),
            city: 371_500,
            kind: pb::UnitKind::Officer.into(),
            department: pb::Department::Water.into(),
            valid_from: Some(pb::Date { year: 2024, month: 1, day: 1 }),
            valid_until: Some(pb::Date { year: 2027, month: 12, day: 31 }),
            record: Some(pb::UnitRecord {
                number: "37150099011".into(),
                team: "执法一大队\u{1b}[2J".into(),
            }),
            busy: busy.iter().map(|text| period_to_pb(text.parse().unwrap())).collect(),
            ..Default::default()
        };
        let text = text(&unit, &Names::new(Lang::Zh), Lang::Zh);
        let shown = "\
编号        01234567
城市        聊城
种类        执法人员
部门        水利
执法证号    37150099011
执法队伍    执法一大队\u{fffd}[2J
证件有效期  2024-01-01 至 2027-12-31
占用        2026-07-03上午
            2026-07-06上午 至 2026-07-08上午
全名        agreements/0/units/0123456789abcdef0123456789abcdef
";
        assert_eq!(text, shown);
    }
}
