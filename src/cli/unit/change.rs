//! `liandong unit change`: what is not given stays as it is.

use clap::Args;
use tonic::Response;

use super::{name, parse_department, show};
use crate::cli::case::Session;
use crate::cli::case::write::WriteArgs;
use crate::cli::failure::Failure;
use crate::cli::when;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Arguments of a change.
#[derive(Args, Debug)]
pub struct ChangeArgs {
    /// 证号、牌号、编号（列表中的前几位）或全名 · its number, beginning of its id, or its name
    #[arg(value_name = "UNIT")]
    pub unit: String,
    /// 联动协议（同一证号在几份协议中时） · the agreement, when its number is in several
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 部门 · department
    #[arg(long, value_parser = parse_department)]
    pub department: Option<pb::Department>,
    /// 执法证号；车辆等为牌号、编号 · certificate number, or label of a thing
    #[arg(long)]
    pub number: Option<String>,
    /// 执法队伍 · its team
    #[arg(long)]
    pub team: Option<String>,
    /// 证件有效期起 · first day of the certificate
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub valid_from: Option<pb::Date>,
    /// 证件有效期止 · last day of the certificate
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub valid_until: Option<pb::Date>,
    /// 停用，不再计入 · retire it
    #[arg(long, conflicts_with = "in_use")]
    pub retire: bool,
    /// 恢复使用 · it is used again
    #[arg(long)]
    pub in_use: bool,
    /// 所依据的版本（默认现取） · etag the change rests on; read now when absent
    #[arg(long)]
    pub etag: Option<String>,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Changes a unit.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn run(session: &Session, args: ChangeArgs) -> Result<(), Failure> {
    let name = name(session, &args.unit, args.agreement.as_deref()).await?;
    let request = pb::GetUnitRequest { name };
    let answer = session.client.units().get_unit(request).await;
    let unit = answer.map_err(|status| session.client.failure(&status))?.into_inner().unit;
    let request = changed(unit.unwrap_or_default(), args);
    let request_id = request.request_id.clone();
    let answer = session.client.units().update_unit(request).await.map(Response::into_inner);
    let parted = answer.as_ref().map_or_else(|_| Vec::new(), |done| done.parted.clone());
    show::done(session, &request_id, answer.map(|done| (done.unit, done.receipt)))?;
    // Beside the answer, which a program may read.
    eprint!("{}", parted_text(&parted, session.context.lang));
    Ok(())
}

/// In which other agreements it has its old number still.
fn parted_text(parted: &[String], lang: Lang) -> String {
    if parted.is_empty() {
        return String::new();
    }
    let (count, names) = (parted.len(), parted.join("\n  "));
    lang.pick(
        format!("另有 {count} 份联动协议中仍是原号码，占用不再一并登记，请同样修改：\n  {names}\n"),
        format!(
            "it has its old number still in {count} agreements, where it is no longer blocked; \
                 change it there too:\n  {names}\n"
        ),
    )
}

fn changed(unit: pb::Unit, args: ChangeArgs) -> pb::UpdateUnitRequest {
    let record = unit.record.unwrap_or_default();
    pb::UpdateUnitRequest {
        name: unit.name,
        etag: args.etag.unwrap_or(unit.etag),
        facts: Some(pb::UnitFacts {
            kind: unit.kind,
            department: args.department.map_or(unit.department, Into::into),
            valid_from: args.valid_from.or(unit.valid_from),
            valid_until: args.valid_until.or(unit.valid_until),
            retired: args.retire || (unit.retired && !args.in_use),
        }),
        record: Some(pb::UnitRecord {
            number: args.number.unwrap_or(record.number),
            team: args.team.unwrap_or(record.team),
        }),
        request_id: args.write.request_id(),
        acting_for: args.write.acting_for(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_old_number_stands_is_told() {
        assert_eq!(parted_text(&[], Lang::Zh), "");
        let text = parted_text(&["agreements/a/units/b".to_owned()], Lang::Zh);
        assert!(text.contains("1 份") && text.contains("agreements/a/units/b"), "{text}");
    }

    #[test]
    fn what_is_not_given_stays() {
        let unit = pb::Unit {
            kind: pb::UnitKind::Officer.into(),
            department: pb::Department::Water.into(),
            valid_until: Some(pb::Date { year: 2027, month: 1, day: 31 }),
            retired: true,
            record: Some(pb::UnitRecord { number: "A1".into(), team: "一队".into() }),
            etag: "1:2".into(),
            ..Default::default()
        };
        let args = ChangeArgs {
            unit: String::new(),
            agreement: None,
            department: None,
            number: None,
            team: Some("二队".into()),
            valid_from: None,
            valid_until: None,
            retire: false,
            in_use: false,
            etag: None,
            write: WriteArgs::default(),
        };
        let request = changed(unit.clone(), args);
        let facts = request.facts.unwrap();
        assert_eq!((facts.department, facts.valid_until), (unit.department, unit.valid_until));
        assert!(facts.retired);
        let record = request.record.unwrap();
        assert_eq!((record.number.as_str(), record.team.as_str()), ("A1", "二队"));
        assert_eq!(request.etag, "1:2");
    }
}
