//! `liandong unit block` and `free`.

use clap::Args;
use serde_json::json;
use tonic::{Response, Status};

use super::{name, parse_period, shape, show};
use crate::cli::case::Session;
use crate::cli::case::write::WriteArgs;
use crate::cli::failure::Failure;
use crate::cli::status_text;
use crate::domain::Period;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use crate::wire::unit::period_to_pb;

/// Arguments of a block, or of its end.
#[derive(Args, Debug)]
pub struct BookArgs {
    /// 证号、牌号、编号（列表中的前几位）、全名或“全市” · number, beginning of its id, name or city
    #[arg(value_name = "UNIT")]
    pub unit: String,
    /// 时段：2026-07-03上午、2026-07-03、2026-07-03至2026-07-05上午 · half days, days, “A to B”
    #[arg(value_name = "PERIOD", required = true, value_parser = parse_period)]
    pub periods: Vec<Period>,
    /// 联动协议（全市占用时，只有一个时可省） · the agreement, for the whole city
    #[arg(long, short = 'a', value_name = "AGREEMENT")]
    pub agreement: Option<String>,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// What was written of a block.
pub(super) struct Booked {
    pub unit: pb::Unit,
    pub writes: Vec<pb::UnitWrite>,
}

/// Blocks or frees.
///
/// # Errors
/// [`Failure`] when the node refuses; when the answer was lost it names the flags for a safe retry.
pub async fn run(session: &Session, args: BookArgs, busy: bool) -> Result<(), Failure> {
    let name = name(session, &args.unit, args.agreement.as_deref()).await?;
    let request_id = args.write.request_id();
    let asked = (busy, args.periods.as_slice());
    let booked = send(session, &name, asked, (&request_id, args.write.acting_for())).await;
    let booked = booked.map_err(|status| failed(session, &status, &request_id))?;
    if session.context.json {
        session.context.print_json(&json!({
            "unit": shape::unit(&booked.unit),
            "writes": booked.writes.iter().map(shape::write).collect::<Vec<_>>(),
            "request_id": request_id,
        }));
        return Ok(());
    }
    let lang = session.context.lang;
    print!("{}{}", said(&booked.writes, lang), show::text(&booked.unit, &session.names, lang));
    Ok(())
}

/// Sends one block, or its end.
pub(super) async fn send(
    session: &Session,
    name: &str,
    (busy, periods): (bool, &[Period]),
    (request_id, acting_for): (&str, Option<pb::ActingFor>),
) -> Result<Booked, Status> {
    let (name, request_id) = (name.to_owned(), request_id.to_owned());
    let periods = periods.iter().copied().map(period_to_pb).collect();
    let mut units = session.client.units();
    let (unit, writes) = if busy {
        let request = pb::BlockUnitRequest { name, periods, request_id, acting_for };
        let done = units.block_unit(request).await.map(Response::into_inner)?;
        (done.unit, done.writes)
    } else {
        let request = pb::FreeUnitRequest { name, periods, request_id, acting_for };
        let done = units.free_unit(request).await.map(Response::into_inner)?;
        (done.unit, done.writes)
    };
    Ok(Booked { unit: unit.unwrap_or_default(), writes })
}

/// A refused or lost block.
pub(super) fn failed(session: &Session, status: &Status, request_id: &str) -> Failure {
    let (dial, retry) = (session.client.last_dial(), format!("--request-id {request_id}"));
    status_text::write_failure(status, dial.as_ref(), &retry, session.context.lang)
}

fn said(writes: &[pb::UnitWrite], lang: Lang) -> String {
    let again = writes.iter().all(|write| write.receipt.as_ref().is_some_and(|r| r.replayed));
    let done = match again {
        true => lang.pick("先前已办理", "had been done before"),
        false => lang.pick("已办理", "done"),
    };
    match writes.len() {
        0 | 1 => format!("{done}\n"),
        many => lang.pick(
            format!("{done}，已写入本市参加的 {many} 份联动协议\n"),
            format!("{done}, in {many} agreements of this city\n"),
        ),
    }
}
