//! `liandong evidence receipt`, `recognise`, `decline`, `custody`.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use tonic::{Response, Status};

use super::standing;
use crate::cli::case::write::WriteArgs;
use crate::cli::case::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::written::{self, Shown};
use crate::cli::{when, words};
use crate::evidence::BothHashes;
use crate::ids::Hash;
use crate::lang::Lang;
use crate::limits::EVIDENCE_FILE_BYTES_MAX;
use crate::wire::pb::v1 as pb;

/// What is read of a file at a time.
const PIECE_BYTES: usize = 64 * 1024;

/// Which item, and what all writes have in common.
#[derive(Args, Debug, Clone)]
pub struct ItemArgs {
    /// 案件编号或全名 · number or name of the case
    #[arg(value_name = "CASE")]
    pub case: String,
    /// 证据编号，如 E01 · id of the item in its list, such as E01
    #[arg(value_name = "EVIDENCE")]
    pub evidence: String,
    /// 所在记录，仅在编号重复时需要 · entry that lists it, if two items have one id
    #[arg(long, default_value = "", hide_default_value = true)]
    pub entry: String,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Arguments of a receipt.
#[derive(Args, Debug)]
pub struct ReceiptArgs {
    /// The item.
    #[command(flatten)]
    pub item: ItemArgs,
    /// 已取得的文件（只算摘要，不上传） · the file held; only its digest is compared
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Arguments of a recognition.
#[derive(Args, Debug)]
pub struct RecogniseArgs {
    /// The item.
    #[command(flatten)]
    pub item: ItemArgs,
    /// 说明 · what is said
    #[arg(long, short = 'm', default_value = "", hide_default_value = true)]
    pub text: String,
}

/// Arguments of a refusal to recognise.
#[derive(Args, Debug)]
pub struct DeclineArgs {
    /// The item.
    #[command(flatten)]
    pub item: ItemArgs,
    /// 原因：代码或名称，见 liandong catalog decline-grounds · ground, by code or word
    #[arg(long, value_parser = parse_ground)]
    pub ground: pb::EvidenceDeclineGround,
    /// 具体原因，便于取证市补正 · the reason in words
    #[arg(long, short = 'm')]
    pub text: String,
}

/// Arguments of a hand-over.
#[derive(Args, Debug)]
pub struct CustodyArgs {
    /// The item.
    #[command(flatten)]
    pub item: ItemArgs,
    /// 移交人 · who handed it over
    #[arg(long)]
    pub from: String,
    /// 接收人 · who took it
    #[arg(long)]
    pub to: String,
    /// 移交日期，默认今天 · the day, today when absent
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub on: Option<pb::Date>,
    /// 地点 · where
    #[arg(long, default_value = "", hide_default_value = true)]
    pub address: String,
    /// 原件状况、封条号、交接单号 · state of the original, seal, number of the receipt
    #[arg(long, short = 'm', default_value = "", hide_default_value = true)]
    pub text: String,
}

fn parse_ground(text: &str) -> Result<pb::EvidenceDeclineGround, String> {
    words::parse_decline_ground(text).ok_or_else(|| {
        "没有这个原因，见 liandong catalog decline-grounds · no such ground".to_owned()
    })
}

/// Records a receipt.
///
/// # Errors
/// [`Failure`] when the file cannot be read, or the node refuses.
pub async fn receipt(session: &Session, args: ReceiptArgs) -> Result<(), Failure> {
    let (sha256, sm3) = digests(&args.file, session.context.lang)?;
    let request = pb::RecordReceiptRequest {
        name: name::case(session, &args.item.case).await?.name,
        evidence_id: args.item.evidence,
        entry: args.item.entry,
        sha256: sha256.as_bytes().to_vec().into(),
        sm3: sm3.to_vec().into(),
        request_id: args.item.write.request_id(),
        acting_for: args.item.write.acting_for(),
    };
    let request_id = request.request_id.clone();
    let answer = session.client.evidence().record_receipt(request).await.map(Response::into_inner);
    done(session, &request_id, answer.map(|done| (done.standing, done.receipt)))
}

/// Recognises an item.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn recognise(session: &Session, args: RecogniseArgs) -> Result<(), Failure> {
    let request = pb::RecogniseEvidenceRequest {
        name: name::case(session, &args.item.case).await?.name,
        evidence_id: args.item.evidence,
        entry: args.item.entry,
        text: args.text,
        request_id: args.item.write.request_id(),
        acting_for: args.item.write.acting_for(),
    };
    let request_id = request.request_id.clone();
    let mut client = session.client.evidence();
    let answer = client.recognise_evidence(request).await.map(Response::into_inner);
    done(session, &request_id, answer.map(|done| (done.standing, done.receipt)))
}

/// Declines an item.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn decline(session: &Session, args: DeclineArgs) -> Result<(), Failure> {
    let request = pb::DeclineEvidenceRequest {
        name: name::case(session, &args.item.case).await?.name,
        evidence_id: args.item.evidence,
        entry: args.item.entry,
        ground: args.ground.into(),
        text: args.text,
        request_id: args.item.write.request_id(),
        acting_for: args.item.write.acting_for(),
    };
    let request_id = request.request_id.clone();
    let mut client = session.client.evidence();
    let answer = client.decline_evidence(request).await.map(Response::into_inner);
    done(session, &request_id, answer.map(|done| (done.standing, done.receipt)))
}

/// Records a hand-over.
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn custody(session: &Session, args: CustodyArgs) -> Result<(), Failure> {
    let request = pb::RecordCustodyRequest {
        name: name::case(session, &args.item.case).await?.name,
        evidence_id: args.item.evidence,
        entry: args.item.entry,
        record: Some(pb::CustodyRecord {
            from: args.from,
            to: args.to,
            address: args.address,
            text: args.text,
        }),
        handed_on: args.on,
        request_id: args.item.write.request_id(),
        acting_for: args.item.write.acting_for(),
    };
    let request_id = request.request_id.clone();
    let answer = session.client.evidence().record_custody(request).await.map(Response::into_inner);
    done(session, &request_id, answer.map(|done| (done.standing, done.receipt)))
}

fn done(
    session: &Session,
    request_id: &str,
    answer: Result<(Option<pb::EvidenceStanding>, Option<pb::WriteReceipt>), Status>,
) -> Result<(), Failure> {
    let shown = Shown { key: "evidence", shape: standing::shape, text: standing::text };
    written::done(session, request_id, answer, &shown)
}

/// SHA-256 and SM3 of a file, read piece by piece: evidence may be larger than memory.
fn digests(path: &Path, lang: Lang) -> Result<(Hash, [u8; 32]), Failure> {
    let shown = path.display();
    let read = || {
        let mut file = File::open(path)?.take(EVIDENCE_FILE_BYTES_MAX + 1);
        let (mut hashes, mut bytes) = (BothHashes::new(), 0_u64);
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let got = file.read(&mut piece)?;
            if got == 0 {
                return Ok::<_, std::io::Error>((hashes.finish(), bytes));
            }
            hashes.update(piece.get(..got).unwrap_or_default());
            bytes += got as u64;
        }
    };
    let (digests, bytes) = read().map_err(|error| {
        Failure::local(lang.pick(
            format!("{shown}：无法读取（{error}）"),
            format!("{shown}: cannot be read ({error})"),
        ))
        .advise(lang.pick("检查路径和读取权限", "check path and permissions"))
    })?;
    if bytes == 0 || bytes > EVIDENCE_FILE_BYTES_MAX {
        return Err(Failure::local(lang.pick(
            format!("{shown}：是空文件，或超过 {EVIDENCE_FILE_BYTES_MAX} 字节"),
            format!("{shown}: is empty, or larger than {EVIDENCE_FILE_BYTES_MAX} bytes"),
        )));
    }
    Ok(digests)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::hex;
    use crate::log::merkle;

    #[test]
    fn a_file_is_read_to_its_end_and_an_empty_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("E01.pdf");
        std::fs::write(&path, "abc").unwrap();
        // FIPS 180-2, example B.1.
        assert!(
            hex(digests(&path, Lang::Zh).unwrap().0.as_bytes()).starts_with("ba7816bf8f01cfea")
        );
        let long = vec![7; 300_000];
        std::fs::write(&path, &long).unwrap();
        assert_eq!(digests(&path, Lang::Zh).unwrap().0, merkle::digest(&long));
        std::fs::write(&path, "").unwrap();
        assert!(digests(&path, Lang::Zh).is_err());
        assert!(digests(&folder.path().join("none"), Lang::Zh).is_err());
    }
}
