//! `liandong unit list`.

use clap::Args;
use serde_json::json;

use super::show::validity;
use super::{parse_department, parse_kind, shape, short};
use crate::cli::case::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::names::Names;
use crate::cli::page::{PageArgs, next_line};
use crate::cli::{table, when, words};
use crate::ids::CityCode;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Arguments of a list.
#[derive(Args, Debug)]
pub struct ListArgs {
    /// 只看此联动协议 · only this agreement
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 只看此市 · only this city
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse)]
    pub city: Option<CityCode>,
    /// 只看此种类 · only this kind
    #[arg(long, value_parser = parse_kind)]
    pub kind: Option<pb::UnitKind>,
    /// 只看此部门 · only this department
    #[arg(long, value_parser = parse_department)]
    pub department: Option<pb::Department>,
    /// 只看当日证件有效的 · only those valid on a day
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub valid_on: Option<pb::Date>,
    /// 包括已停用的 · those that are retired too
    #[arg(long)]
    pub with_retired: bool,
    /// Which page.
    #[command(flatten)]
    pub page: PageArgs,
}

/// Lists.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn run(session: &Session, args: ListArgs) -> Result<(), Failure> {
    let parent = name::parent(session, args.agreement.as_deref()).await?;
    let request = pb::ListUnitsRequest {
        parent,
        city: args.city.map_or(0, CityCode::as_u32),
        kind: args.kind.map_or(0, Into::into),
        department: args.department.map_or(0, Into::into),
        valid_on: args.valid_on,
        with_retired: args.with_retired,
        page_size: args.page.page_size,
        page_token: args.page.page_token,
    };
    let answer = session.client.units().list_units(request).await;
    let page = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    if session.context.json {
        session.context.print_json(&json!({
            "units": page.units.iter().map(shape::unit).collect::<Vec<_>>(),
            "next_page_token": page.next_page_token,
            "total_size": page.total_size,
            "cursor": page.cursor,
        }));
    } else {
        print!("{}", text(&page, &session.names, session.context.lang));
    }
    Ok(())
}

fn text(page: &pb::ListUnitsResponse, names: &Names, lang: Lang) -> String {
    let headers = lang.pick(
        ["编号", "城市", "种类", "部门", "证号、牌号", "执法队伍", "证件有效期"],
        ["id", "city", "kind", "department", "number", "team", "certificate"],
    );
    let mut lines = table::table(&headers);
    for unit in &page.units {
        let record = unit.record.clone().unwrap_or_default();
        let department = match unit.department {
            0 => "",
            _ => words::department(unit.department(), lang),
        };
        let mut valid = validity(unit, lang);
        if unit.retired {
            valid.push_str(lang.pick("（已停用）", " (retired)"));
        }
        lines.add_row([
            short(&unit.name).to_owned(),
            names.city(unit.city),
            words::unit_kind(unit.kind(), lang).to_owned(),
            department.to_owned(),
            table::clean(&record.number),
            table::clean(&record.team),
            valid,
        ]);
    }
    let (shown, all) = (page.units.len(), page.total_size);
    let mut out = lang.pick(
        format!("{lines}\n共 {all} 项，显示 {shown} 项\n"),
        format!("{lines}\n{shown} of {all} units\n"),
    );
    out.push_str(&next_line(&page.next_page_token, lang));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_it_is_and_until_when() {
        let unit = pb::Unit {
            name: "agreements/0/units/0123456789abcdef0123456789abcdef".to_owned(),
            city: 130_400,
            kind: pb::UnitKind::Vehicle.into(),
            department: pb::Department::EcologyEnvironment.into(),
            retired: true,
            record: Some(pb::UnitRecord { number: "冀D·1\u{1b}[2J".into(), team: String::new() }),
            ..Default::default()
        };
        let page = pb::ListUnitsResponse { units: vec![unit], total_size: 7, ..Default::default() };
        let text = text(&page, &Names::new(Lang::Zh), Lang::Zh);
        for part in ["01234567", "邯郸", "执法车辆", "生态环境", "冀D·1", "（已停用）", "共 7 项"]
        {
            assert!(text.contains(part), "{part}\n{text}");
        }
        assert!(!text.contains('\u{1b}'));
    }
}
