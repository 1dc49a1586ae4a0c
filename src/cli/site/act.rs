//! `liandong site listing` and `check`.

use clap::Args;
use tonic::Response;

use super::{code, done, exception, name, read};
use crate::cli::case::Session;
use crate::cli::case::write::WriteArgs;
use crate::cli::failure::Failure;
use crate::cli::{when, words};
use crate::wire::pb::v1 as pb;

fn status(text: &str) -> Result<pb::ListingStatus, String> {
    code(words::parse_status(text), "listing-statuses")
}

fn basis(text: &str) -> Result<pb::RemovalBasis, String> {
    code(words::parse_removal(text), "removal-bases")
}

fn monitoring(text: &str) -> Result<pb::MonitoringKind, String> {
    code(words::parse_monitoring(text), "monitoring-kinds")
}

fn mode(text: &str) -> Result<pb::CheckMode, String> {
    code(words::parse_mode(text), "check-modes")
}

/// Arguments of a listing.
#[derive(Args, Debug)]
pub struct ListingArgs {
    /// 检查对象：编号前几位、信用代码或全名 · the beginning of its id, its credit code or its name
    #[arg(value_name = "SITE")]
    pub site: String,
    /// 状态：active（列入）、suspended（暂停）、removed（移出） · where it stands from now on
    #[arg(long, value_parser = status)]
    pub status: pb::ListingStatus,
    /// 列入日期（默认不变） · first day on the list; as it is when absent
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub from: Option<pb::Date>,
    /// 到期日期（默认不变） · last day on the list; as it is when absent
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub to: Option<pb::Date>,
    /// 移出原因 · why it is taken off
    #[arg(long, value_parser = basis)]
    pub removed_for: Option<pb::RemovalBasis>,
    /// 非现场监管方式，可多个，以逗号隔开（默认不变） · by what it is watched, joined by commas
    #[arg(long, value_delimiter = ',', value_parser = monitoring)]
    pub monitoring: Vec<pb::MonitoringKind>,
    /// 依据、说明 · basis in words
    #[arg(long, short = 'm', default_value = "", hide_default_value = true)]
    pub text: String,
    /// 所依据的版本（默认现取） · etag it rests on; read now when absent
    #[arg(long)]
    pub etag: Option<String>,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Sets where a site stands on the positive list.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn listing(session: &Session, args: ListingArgs) -> Result<(), Failure> {
    let found = read(session, &name(session, &args.site).await?).await?;
    let before = found.listing.unwrap_or_default();
    let kinds: Vec<i32> = args.monitoring.iter().copied().map(i32::from).collect();
    let listing = pb::SiteListed {
        status: args.status.into(),
        admitted_on: args.from.or(before.admitted_on),
        expires_on: args.to.or(before.expires_on),
        removed_for: args.removed_for.map_or(0, i32::from),
        monitoring: if kinds.is_empty() { before.monitoring } else { kinds },
    };
    let request = pb::SetListingRequest {
        name: found.name,
        etag: args.etag.unwrap_or(found.etag),
        listing: Some(listing),
        text: args.text,
        request_id: args.write.request_id(),
        acting_for: args.write.acting_for(),
    };
    let request_id = request.request_id.clone();
    let answer = session.client.sites().set_listing(request).await.map(Response::into_inner);
    done(session, &request_id, answer.map(|done| (done.site, done.receipt)))
}

/// Arguments of a check.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// 检查对象：编号前几位、信用代码或全名 · the beginning of its id, its credit code or its name
    #[arg(value_name = "SITE")]
    pub site: String,
    /// 检查日期 · the day of the check
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub on: pb::Date,
    /// 方式：on-site（现场）、off-site（非现场） · how it was made
    #[arg(long, value_parser = mode)]
    pub mode: pb::CheckMode,
    /// 例外情形；日常检查不填 · why in spite of list and cap; not of a routine check
    #[arg(long, value_parser = exception)]
    pub exception: Option<pb::VisitException>,
    /// 备注 · remark
    #[arg(long, short = 'm', default_value = "", hide_default_value = true)]
    pub text: String,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Records a check.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn check(session: &Session, args: CheckArgs) -> Result<(), Failure> {
    let check = pb::SiteChecked {
        on: Some(args.on),
        mode: args.mode.into(),
        exception: args.exception.map_or(0, i32::from),
        ..pb::SiteChecked::default()
    };
    let request = pb::RecordCheckRequest {
        name: name(session, &args.site).await?,
        check: Some(check),
        text: args.text,
        request_id: args.write.request_id(),
        acting_for: args.write.acting_for(),
    };
    let request_id = request.request_id.clone();
    let answer = session.client.sites().record_check(request).await.map(Response::into_inner);
    done(session, &request_id, answer.map(|done| (done.site, done.receipt)))
}
