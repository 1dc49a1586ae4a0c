//! `liandong verify paper`: whether a printed paper rests on what the node has.
//!
//! The text of its code names a record, an entry, that entry's hash and what its log was when the
//! paper was printed. The hash is that of the signed header, which has the digests of all that the
//! entry says: any member's node comes to the same one, or has another entry in that place. What
//! stands on the paper itself is compared by whoever holds it: the record is named for that.
//!
//! In scope: reading the text, asking, comparing. Out of scope: seals and signatures on paper.

use clap::{Args, Subcommand};
use serde_json::json;

use super::case::Session;
use super::failure::{Exit, Failure};
use super::profile::ProfileArgs;
use super::{Context, when};
use crate::ids::hex;
use crate::lang::Lang;
use crate::limits::PAPER_TEXT_BYTES_MAX;
use crate::shown::history;
use crate::shown::paper::PaperText;
use crate::shown::plan::short;
use crate::shown::sheet::Sheet;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// Arguments.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// Which node to ask.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// What to verify.
    #[command(subcommand)]
    pub command: VerifyCommand,
}

/// What can be verified.
#[derive(Subcommand, Debug)]
pub enum VerifyCommand {
    /// 打印件：把扫二维码得到的文字与本市节点的记录核对 · a paper, by the text of its code
    Paper {
        /// 扫码得到的文字（整段，加引号） · the text, all of it, in quotes
        #[arg(value_name = "TEXT")]
        text: String,
    },
}

/// What the node has of a paper.
#[derive(Default)]
struct Found {
    number: String,
    /// Position, hash and signer of entries that the paper may rest on.
    entries: Vec<(String, String, u32)>,
    /// Of a case: the entry itself.
    entry: Option<pb::HistoryEntry>,
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] when the text is none of a paper, or the node has something else.
pub async fn run(context: &Context, args: VerifyArgs) -> Result<(), Failure> {
    let VerifyCommand::Paper { text } = &args.command;
    let lang = context.lang;
    let paper = Some(text).filter(|text| text.len() <= PAPER_TEXT_BYTES_MAX);
    let paper = paper.and_then(|text| PaperText::parse(text)).ok_or_else(|| {
        Failure::usage(
            lang.pick("这不是联动打印件二维码的文字", "this is no text of a paper's code"),
        )
        .advise(lang.pick(
            "用手机扫打印件上的二维码，把全部文字复制过来，加引号",
            "scan the code on the paper and give all of its text, in quotes",
        ))
    })?;
    let context = context.with(args.profile);
    let client = context.connect().await?;
    let names = client.names(lang).await;
    let session = Session { context, client, names };
    let found = look(&session, &paper).await?;
    let log = log_of(&session, &paper).await?;
    let (signer, compared) = compare(&paper, &found, log.as_ref(), lang)?;
    if session.context.json {
        session.context.print_json(&json!({
            "number": found.number,
            "name": paper.name,
            "entry": paper.entry,
            "entry_hash": paper.hash,
            "hash_compared": compared,
            "signed_by": signer,
            "printed": paper.printed,
        }));
    } else {
        print!("{}", shown(&session, &paper, &found, (signer, compared)));
    }
    Ok(())
}

async fn look(session: &Session, paper: &PaperText) -> Result<Found, Failure> {
    let failed = |status: tonic::Status| session.client.failure(&status);
    let name = paper.name.clone();
    if name.contains("/notices/") {
        let request = pb::GetNoticeRequest { name };
        let answer = session.client.notices().get_notice(request).await.map_err(failed)?;
        let notice = answer.into_inner().notice.unwrap_or_default();
        let entries = vec![(notice.entry, hex(&notice.entry_hash), notice.issuing_city)];
        return Ok(Found { number: short(&notice.name).to_owned(), entries, entry: None });
    }
    if name.contains("/plans/") {
        let request = pb::GetPlanRequest { name };
        let answer = session.client.plans().get_plan(request).await.map_err(failed)?;
        let plan = answer.into_inner().plan.unwrap_or_default();
        let all = [(plan.revision_entry, plan.revision_hash), (plan.etag, plan.move_hash)];
        let entries = all.into_iter().map(|(at, hash)| (at, hex(&hash), plan.initiator)).collect();
        return Ok(Found { number: clean(&plan.number), entries, entry: None });
    }
    let request = pb::GetCaseRequest { name: name.clone() };
    let answer = session.client.cases().get_case(request).await.map_err(failed)?;
    let number = clean(&answer.into_inner().case.unwrap_or_default().number);
    let mut request = pb::GetCaseHistoryRequest { name, page_size: 200, ..Default::default() };
    loop {
        let answer = session.client.cases().get_case_history(request.clone()).await;
        let page = answer.map_err(failed)?.into_inner();
        if let Some(entry) = page.entries.into_iter().find(|one| one.entry == paper.entry) {
            let entries = vec![(entry.entry.clone(), hex(&entry.entry_hash), entry.city)];
            return Ok(Found { number, entries, entry: Some(entry) });
        }
        if page.next_page_token.is_empty() {
            return Ok(Found { number, ..Found::default() });
        }
        request.page_token = page.next_page_token;
    }
}

/// The log of the entry, as the node has it now.
async fn log_of(session: &Session, paper: &PaperText) -> Result<Option<pb::Log>, Failure> {
    let answer = session.client.nodes().get_status(pb::GetStatusRequest {}).await;
    let answer = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    let id = paper.entry.split(':').next().unwrap_or_default();
    let logs = answer.status.unwrap_or_default().logs.into_iter();
    Ok(logs.into_iter().find(|log| log.log_id == id))
}

/// Who signed the entry, and whether its hash was compared: not every record tells one.
fn compare(
    paper: &PaperText,
    found: &Found,
    log: Option<&pb::Log>,
    lang: Lang,
) -> Result<(u32, bool), Failure> {
    let refused = |zh: String, en: String| {
        Err(Failure::new(Exit::Refused, "PAPER_DIFFERS", lang.pick(zh, en)).advise(lang.pick(
            "请联系发文单位核实；本市节点记录以 liandong case show 等命令查看",
            "ask the bureau that issued it; see this node's record with liandong case show",
        )))
    };
    if paper.number != found.number {
        return refused(
            format!("编号不符：打印件为 {}，记录为 {}", clean(&paper.number), found.number),
            format!("the paper has number {}, the record {}", clean(&paper.number), found.number),
        );
    }
    let Some((_, hash, signer)) =
        found.entries.iter().find(|(at, ..)| !at.is_empty() && *at == paper.entry)
    else {
        let at = clean(&paper.entry);
        return refused(
            format!(
                "本市节点上该记录现在不以打印件所依据的条目（{at}）为准：可能是旧版打印件、\
                 尚未送达，也可能伪造"
            ),
            format!(
                "this record does not rest on entry {at} here: the paper is an old one, its entry \
                 has not arrived yet, or it is forged"
            ),
        );
    };
    // A record that says less here than on paper proves nothing.
    if !hash.is_empty() && *hash != paper.hash {
        return refused(
            "条目内容不符：哈希与本市节点所存不一致".to_owned(),
            "the entry is another one: its hash differs from what this node has".to_owned(),
        );
    }
    match (&paper.log, log) {
        (Some((size, root)), Some(log)) if *size == log.stored_size && *root != log.root => {
            refused(
                "日志根哈希不符：同一条数时与本市节点不一致".to_owned(),
                "the log is another one: its root at this size differs from this node's".to_owned(),
            )
        }
        _ => Ok((*signer, !hash.is_empty())),
    }
}

fn shown(
    session: &Session,
    paper: &PaperText,
    found: &Found,
    (signer, compared): (u32, bool),
) -> String {
    let lang = session.context.lang;
    let mut sheet = Sheet::default();
    let compared = if compared {
        lang.pick("编号、位置、哈希一致", "number, place and hash agree")
    } else {
        lang.pick("编号、位置一致（未核对哈希）", "number and place agree; no hash was compared")
    };
    sheet
        .row(lang.pick("核对结果", "result"), compared)
        .row(lang.pick("编号", "number"), found.number.clone())
        .row(lang.pick("签名市", "signed by"), session.names.city(signer))
        .row(lang.pick("打印时间", "printed"), clean(&paper.printed));
    if let Some(entry) = &found.entry {
        let event = entry.header.as_ref().and_then(|header| header.event.as_ref());
        sheet
            .row(lang.pick("事项", "what"), words::event(event, lang))
            .row(lang.pick("法律日期", "legal date"), when::date(entry.effective_on.as_ref()))
            .row(lang.pick("登记时间", "recorded"), history::recorded(entry, lang))
            .row(lang.pick("结果", "effect"), history::result(entry, lang));
    }
    sheet.row(
        lang.pick("请注意", "mind"),
        lang.pick(
            "只说明打印件所依据的条目属实；纸面文字、印章、签名请对照记录自行核对",
            "the entry is real; compare what stands on paper with the record yourself",
        ),
    );
    sheet.text()
}
