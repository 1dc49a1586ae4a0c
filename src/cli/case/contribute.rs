//! Additions, open beside any state: notes, proposals, acknowledgement, recall.

use std::path::PathBuf;

use clap::Args;

use super::write::{AddArgs, Prepared, add_request, send};
use super::{Session, new};
use crate::cli::failure::Failure;
use crate::ids::CityCode;

/// Arguments of a note.
#[derive(Args, Debug)]
pub struct NoteArgs {
    /// The case and what every addition has.
    #[command(flatten)]
    pub add: AddArgs,
    /// 只给这些城市看（默认协议各方） · only for these cities; all members when absent
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse)]
    pub only_for: Vec<CityCode>,
}

/// Adds a note (补充说明).
///
/// # Errors
/// [`Failure`] when it is empty or the node refuses.
pub async fn note(session: &Session, args: NoteArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    if args.add.text.trim().is_empty() {
        return Err(Failure::usage(lang.pick("没有写内容", "the note is empty"))
            .advise(lang.pick("加 --text 内容", "use --text TEXT")));
    }
    let prepared = Prepared::addition(session, args.add).await?;
    let cities = args.only_for.into_iter().map(CityCode::as_u32).collect();
    let request = add_request!(AddNoteRequest, prepared, cities: cities);
    send(session, &prepared, session.client.cases().add_note(request)).await
}

/// Arguments of a proposal.
#[derive(Args, Debug)]
pub struct ProposeArgs {
    /// The case and what every addition has.
    #[command(flatten)]
    pub add: AddArgs,
    /// 建议修改后的案件内容（样例格式） · the case as it should be
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
}

/// Proposes a change to the handling city (提出建议).
///
/// # Errors
/// [`Failure`] when it says nothing, the file is wrong, or the node refuses.
pub async fn propose(session: &Session, args: ProposeArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    if args.add.text.trim().is_empty() && args.from.is_none() {
        return Err(Failure::usage(lang.pick("没有写建议", "the proposal is empty"))
            .advise(lang.pick("加 --text 或 --from", "use --text or --from")));
    }
    let draft = args.from.map(|path| new::read_draft(&path, None, lang)).transpose()?;
    let prepared = Prepared::addition(session, args.add).await?;
    let record = draft.map(|draft| draft.record);
    let request = add_request!(ProposeAmendmentRequest, prepared, record: record);
    send(session, &prepared, session.client.cases().propose_amendment(request)).await
}

/// Acknowledges an offered transfer by a person (签收).
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn acknowledge(session: &Session, args: AddArgs) -> Result<(), Failure> {
    let prepared = Prepared::addition(session, args).await?;
    let request = add_request!(AcknowledgeTransferRequest, prepared);
    send(session, &prepared, session.client.cases().acknowledge_transfer(request)).await
}

/// Asks the receiver to return an offered transfer (请求退还).
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn recall(session: &Session, args: AddArgs) -> Result<(), Failure> {
    let prepared = Prepared::addition(session, args).await?;
    let request = add_request!(RequestRecallRequest, prepared);
    send(session, &prepared, session.client.cases().request_recall(request)).await
}
