//! `liandong evidence add`: an item is listed in a case that is open, and its file sent.
//!
//! In scope: arguments, the call that lists it. Out of scope: hashing and sending
//! ([`super::files`]), and what is allowed, which the node decides.

use std::path::{Path, PathBuf};

use clap::Args;
use tonic_types::StatusExt;

use super::files::{self, Hashed};
use super::sending;
use crate::cli::case::write::WriteArgs;
use crate::cli::case::{Session, name};
use crate::cli::failure::Failure;
use crate::ids::hex;
use crate::lang::Lang;
use crate::shown::when;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// Arguments of adding.
#[derive(Args, Debug)]
pub struct AddArgs {
    /// 案件编号或全名 · number or name of the case
    #[arg(value_name = "CASE")]
    pub case: String,
    /// 文件，大小不限于网页的 32 MiB · the file, also one over the 32 MiB that pages take
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// 名称 · title
    #[arg(long)]
    pub title: String,
    /// 种类：代码或名称，如 视听资料、AUDIO_VISUAL · kind, by code or word
    #[arg(long, value_parser = parse_kind)]
    pub kind: pb::EvidenceKind,
    /// 采集日期 · when it was collected
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub on: pb::Date,
    /// 密级：PUBLIC、GENERAL、RESTRICTED；缺省按种类 · level, if not that of the kind
    #[arg(long, value_parser = parse_level)]
    pub level: Option<pb::DataLevel>,
    /// 证据编号；缺省由文件摘要得出 · id of the item, if not one made of the file's digest
    #[arg(long)]
    pub id: Option<String>,
    /// 采集地点 · where it was collected
    #[arg(long, default_value = "", hide_default_value = true)]
    pub place: String,
    /// 采集人执法证号，可重复 · certificate number of who collected it; may be repeated
    #[arg(long = "collector", value_name = "CERTIFICATE")]
    pub collectors: Vec<String>,
    /// 显示的文件名 · what the file is called, if not as on this disk
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// 媒体类型；缺省按扩展名 · media type, if not as the name ends
    #[arg(long)]
    pub mime: Option<String>,
    /// Request id and officer.
    #[command(flatten)]
    pub write: WriteArgs,
}

fn parse_kind(text: &str) -> Result<pb::EvidenceKind, String> {
    let found = (1..).map_while(|one| pb::EvidenceKind::try_from(one).ok()).find(|one| {
        let code = one.as_str_name().trim_start_matches("EVIDENCE_KIND_");
        let words = [Lang::Zh, Lang::En].map(|lang| words::evidence_kind(*one, lang));
        code.eq_ignore_ascii_case(text) || words.contains(&text)
    });
    found
        .ok_or_else(|| "没有这个种类，见 liandong catalog evidence-kinds · no such kind".to_owned())
}

fn parse_level(text: &str) -> Result<pb::DataLevel, String> {
    let found = pb::DataLevel::from_str_name(&format!("DATA_LEVEL_{}", text.to_ascii_uppercase()));
    found.ok_or_else(|| "PUBLIC、GENERAL、RESTRICTED".to_owned())
}

/// The media type of a file by the end of its name.
fn mime_of(path: &Path) -> &'static str {
    let end = path.extension().map(|end| end.to_string_lossy().to_ascii_lowercase());
    let known = [
        ("jpg", "image/jpeg"),
        ("jpeg", "image/jpeg"),
        ("png", "image/png"),
        ("mp4", "video/mp4"),
        ("mov", "video/quicktime"),
        ("mp3", "audio/mpeg"),
        ("wav", "audio/wav"),
        ("pdf", "application/pdf"),
        ("txt", "text/plain"),
        ("zip", "application/zip"),
    ];
    let found = known.iter().find(|(one, _)| end.as_deref() == Some(*one));
    found.map_or("application/octet-stream", |(_, mime)| mime)
}

/// Lists the file, unless the case has it in a list already, and sends it. Run again after a cut,
/// it goes on.
///
/// # Errors
/// [`Failure`] when the file cannot be read, or the node refuses.
pub async fn add(session: &Session, args: AddArgs) -> Result<(), Failure> {
    let case_name = name::case(session, &args.case).await?.name;
    let hashed = files::hashed(&args.file, session.context.lang).await?;
    let known = sending::about(&session.client, case_name.clone(), hashed.sha256.clone()).await;
    if let Err(status) = known {
        let reason = status.get_details_error_info().map(|info| info.reason);
        if reason.as_deref() != Some("EVIDENCE_NOT_LISTED") {
            return Err(session.client.failure(&status));
        }
        let request = pb::AddEvidenceRequest {
            name: case_name.clone(),
            text: String::new(),
            evidence: vec![item(&args, &hashed)],
            request_id: args.write.request_id(),
            acting_for: args.write.acting_for(),
        };
        let listed = session.client.cases().add_evidence(request).await;
        listed.map_err(|status| session.client.failure(&status))?;
    }
    files::deliver_file(session, case_name, &args.file, args.name, hashed).await
}

fn item(args: &AddArgs, hashed: &Hashed) -> pb::Evidence {
    let digest = hex(&hashed.sha256);
    let own = || format!("E-{}", digest.get(..12).unwrap_or_default());
    pb::Evidence {
        id: args.id.clone().unwrap_or_else(own),
        kind: args.kind.into(),
        title: args.title.clone(),
        collected_on: Some(args.on),
        mime: args.mime.clone().unwrap_or_else(|| mime_of(&args.file).to_owned()),
        size_bytes: hashed.size,
        sha256: hashed.sha256.clone().into(),
        sm3: hashed.sm3.clone().into(),
        level: args.level.unwrap_or_default().into(),
        collectors: args.collectors.clone(),
        place: args.place.clone(),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_by_code_and_by_word() {
        for text in ["AUDIO_VISUAL", "audio_visual", "视听资料", "audio-visual"] {
            assert_eq!(parse_kind(text), Ok(pb::EvidenceKind::AudioVisual), "{text}");
        }
        assert!(parse_kind("UNSPECIFIED").is_err() && parse_kind("未填").is_err());
        assert_eq!(parse_level("restricted"), Ok(pb::DataLevel::Restricted));
        assert!(parse_level("SECRET").is_err());
        assert_eq!(mime_of(Path::new("a/现场.MP4")), "video/mp4");
        assert_eq!(mime_of(Path::new("x")), "application/octet-stream");
    }
}
