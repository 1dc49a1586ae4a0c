//! `liandong unit new`.

use clap::Args;
use tonic::Response;

use super::{parse_department, parse_kind, show};
use crate::cli::case::write::WriteArgs;
use crate::cli::case::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::when;
use crate::wire::pb::v1 as pb;

/// Arguments of a new unit.
#[derive(Args, Debug)]
pub struct NewArgs {
    /// 联动协议（只有一个时可省） · the agreement; may be left out if there is only one
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// 种类：执法人员、执法车辆、无人机、执法船艇 · officer, vehicle, uav or boat
    #[arg(long, value_parser = parse_kind)]
    pub kind: pb::UnitKind,
    /// 部门，如 生态环境 · department
    #[arg(long, value_parser = parse_department)]
    pub department: pb::Department,
    /// 执法证号；车辆等为牌号、编号 · certificate number, or label of a thing
    #[arg(long)]
    pub number: String,
    /// 执法队伍（人员必填） · its team; officers have one
    #[arg(long, default_value = "", hide_default_value = true)]
    pub team: String,
    /// 证件有效期起（人员必填） · first day of the certificate
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub valid_from: Option<pb::Date>,
    /// 证件有效期止（人员必填） · last day of the certificate
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub valid_until: Option<pb::Date>,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Registers a unit.
///
/// # Errors
/// [`Failure`] when the node refuses; when the answer was lost it names the flags for a safe retry.
pub async fn run(session: &Session, args: NewArgs) -> Result<(), Failure> {
    let request = pb::CreateUnitRequest {
        parent: name::agreement(session, args.agreement.as_deref()).await?,
        facts: Some(pb::UnitFacts {
            kind: args.kind.into(),
            department: args.department.into(),
            valid_from: args.valid_from,
            valid_until: args.valid_until,
            retired: false,
        }),
        record: Some(pb::UnitRecord { number: args.number, team: args.team }),
        request_id: args.write.request_id(),
        acting_for: args.write.acting_for(),
    };
    let request_id = request.request_id.clone();
    let answer = session.client.units().create_unit(request).await.map(Response::into_inner);
    show::done(session, &request_id, answer.map(|done| (done.unit, done.receipt)))
}
