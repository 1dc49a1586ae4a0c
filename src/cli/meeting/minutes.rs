//! `liandong meeting minutes`, `check`, `confirm`: minutes by the digest of their file.
//!
//! The file stays where it is: what is recorded is its SHA-256, by which each member can tell that
//! the file in its hands is the one that was agreed on.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tonic::Response;

use super::act::done;
use super::{name, short};
use crate::cli::case::Session;
use crate::cli::case::write::WriteArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::when;
use crate::ids::hex;
use crate::lang::Lang;
use crate::limits::MINUTES_BYTES_MAX;
use crate::log::merkle;
use crate::wire::pb::v1 as pb;

/// Arguments of minutes.
#[derive(Args, Debug)]
pub struct MinutesArgs {
    /// 会议编号（列表中的前几位）或全名 · the beginning of its id as lists show it, or its name
    #[arg(value_name = "MEETING")]
    pub meeting: String,
    /// 纪要文件（只记摘要，不上传） · file of the minutes; only its digest is recorded
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// 召开日期 · the day the meeting was held
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub held_on: pb::Date,
    /// 纪要标题 · title of the minutes
    #[arg(long)]
    pub title: String,
    /// 议定事项 · decisions
    #[arg(long, short = 'm', default_value = "", hide_default_value = true)]
    pub text: String,
    /// 地点 · where it was held
    #[arg(long, default_value = "", hide_default_value = true)]
    pub address: String,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Arguments of a comparison.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// 会议编号（列表中的前几位）或全名 · the beginning of its id as lists show it, or its name
    #[arg(value_name = "MEETING")]
    pub meeting: String,
    /// 手中的纪要文件 · the file in hand
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// Arguments of a confirmation.
#[derive(Args, Debug)]
pub struct ConfirmArgs {
    /// 会议编号（列表中的前几位）或全名 · the beginning of its id as lists show it, or its name
    #[arg(value_name = "MEETING")]
    pub meeting: String,
    /// 所读的纪要文件 · the file that was read
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// 说明 · what is said
    #[arg(long, short = 'm', default_value = "", hide_default_value = true)]
    pub text: String,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

/// Records minutes.
///
/// # Errors
/// [`Failure`] when the file cannot be read, or the node refuses.
pub async fn record(session: &Session, args: MinutesArgs) -> Result<(), Failure> {
    let digest = digest(&args.file, session.context.lang)?;
    let request = pb::RecordMinutesRequest {
        name: name(session, &args.meeting).await?,
        minutes_hash: digest.to_vec().into(),
        held_on: Some(args.held_on),
        record: Some(pb::MeetingRecord {
            title: args.title,
            text: args.text,
            address: args.address,
        }),
        request_id: args.write.request_id(),
        acting_for: args.write.acting_for(),
    };
    let request_id = request.request_id.clone();
    let answer = session.client.meetings().record_minutes(request).await.map(Response::into_inner);
    done(session, &request_id, answer.map(|done| (done.meeting, done.receipt)))
}

/// Confirms minutes.
///
/// # Errors
/// [`Failure`] when the file cannot be read, or the node refuses.
pub async fn confirm(session: &Session, args: ConfirmArgs) -> Result<(), Failure> {
    let digest = digest(&args.file, session.context.lang)?;
    let request = pb::ConfirmMinutesRequest {
        name: name(session, &args.meeting).await?,
        minutes_hash: digest.to_vec().into(),
        text: args.text,
        request_id: args.write.request_id(),
        acting_for: args.write.acting_for(),
    };
    let request_id = request.request_id.clone();
    let answer = session.client.meetings().confirm_minutes(request).await.map(Response::into_inner);
    done(session, &request_id, answer.map(|done| (done.meeting, done.receipt)))
}

/// Compares a file with the minutes recorded.
///
/// # Errors
/// [`Failure`] `MINUTES_DIFFER` when it is another one, `MINUTES_MISSING` when there are none.
pub async fn check(session: &Session, args: CheckArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    let digest = digest(&args.file, lang)?;
    let request = pb::GetMeetingRequest { name: name(session, &args.meeting).await? };
    let answer = session.client.meetings().get_meeting(request).await;
    let answer = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    let meeting = answer.meeting.unwrap_or_default();
    same(&meeting, &digest, lang)?;
    if session.context.json {
        let shown = json!({ "meeting": meeting.name, "sha256": hex(&digest), "same": true });
        session.context.print_json(&shown);
    } else {
        let id = short(&meeting.name);
        println!(
            "{}\nSHA-256 {}",
            lang.pick(
                format!("与会议 {id} 登记的纪要一致"),
                format!("the same as the minutes recorded of meeting {id}"),
            ),
            hex(&digest),
        );
    }
    Ok(())
}

fn same(meeting: &pb::Meeting, digest: &[u8], lang: Lang) -> Result<(), Failure> {
    match &meeting.minutes {
        None => Err(Failure::new(
            Exit::Refused,
            "MINUTES_MISSING",
            lang.pick("这次会议还没有纪要", "the meeting has no minutes yet"),
        )),
        Some(minutes) if minutes.minutes_hash == digest => Ok(()),
        Some(minutes) => Err(Failure::new(
            Exit::Refused,
            "MINUTES_DIFFER",
            lang.pick(
                "文件与登记的纪要不一致",
                "the file is not the one whose digest was recorded",
            ),
        )
        .detail(format!("SHA-256 {}", hex(digest)))
        .detail(format!("SHA-256 {}", hex(&minutes.minutes_hash)))
        .advise(
            lang.pick("请向主持市索取登记的那一份", "ask the chair for the file that was recorded"),
        )),
    }
}

/// SHA-256 of a file.
fn digest(path: &Path, lang: Lang) -> Result<[u8; 32], Failure> {
    let shown = path.display();
    let read = || {
        let mut bytes = Vec::new();
        File::open(path)?.take(MINUTES_BYTES_MAX + 1).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    };
    let bytes = read().map_err(|error| {
        Failure::local(lang.pick(
            format!("{shown}：无法读取（{error}）"),
            format!("{shown}: cannot be read ({error})"),
        ))
        .advise(lang.pick("检查路径和读取权限", "check path and permissions"))
    })?;
    if bytes.is_empty() || bytes.len() as u64 > MINUTES_BYTES_MAX {
        return Err(Failure::local(lang.pick(
            format!("{shown}：是空文件，或超过 {MINUTES_BYTES_MAX} 字节"),
            format!("{shown}: is empty, or larger than {MINUTES_BYTES_MAX} bytes"),
        )));
    }
    Ok(*merkle::digest(&bytes).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_told_from_another_and_an_empty_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("minutes.txt");
        std::fs::write(&path, "abc").unwrap();
        let one = digest(&path, Lang::Zh).unwrap();
        // FIPS 180-2, example B.1.
        assert!(hex(&one).starts_with("ba7816bf8f01cfea"), "{}", hex(&one));
        let minutes = pb::Minutes { minutes_hash: one.to_vec().into(), ..Default::default() };
        let meeting = pb::Meeting { minutes: Some(minutes), ..Default::default() };
        assert!(same(&meeting, &one, Lang::Zh).is_ok());
        std::fs::write(&path, "abd").unwrap();
        let other = digest(&path, Lang::Zh).unwrap();
        assert_eq!(same(&meeting, &other, Lang::Zh).unwrap_err().reason, "MINUTES_DIFFER");
        let none = pb::Meeting::default();
        assert_eq!(same(&none, &one, Lang::Zh).unwrap_err().reason, "MINUTES_MISSING");
        std::fs::write(&path, "").unwrap();
        assert!(digest(&path, Lang::Zh).is_err());
        assert!(digest(&folder.path().join("none"), Lang::Zh).is_err());
    }
}
