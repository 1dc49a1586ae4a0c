//! A file of evidence that a browser has sent: listed in the case, unless it is, and stored.
//!
//! In scope: from a form and its file to calls. Out of scope: the form ([`super::evidence`]), what
//! may be stored, which the services decide.

use bytes::Bytes;
use tonic::Status;

use super::ending::No;
use super::form::Form;
use super::layout::Desk;
use super::refusal::Refusal;
use super::upload::Sent;
use crate::domain::file_name::FileName;
use crate::evidence::BothHashes;
use crate::ids::hex;
use crate::lang::Lang;
use crate::limits::EVIDENCE_CHUNK_BYTES;
use crate::shown::text::clean;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::upload_request::Content as Up;

/// Refusals that are about the file that was chosen.
const OF_FILE: [(&str, &str); 3] =
    [("EVIDENCE_NOT_LISTED", "file"), ("UPLOAD_DIFFERS", "file"), ("HASH_MISMATCH", "file")];

/// Lists a file in a case, unless the form says that it is listed, and stores it.
///
/// # Errors
/// A refusal at the form's field `file`, or of a service.
pub async fn take_in(desk: &Desk, name: &str, form: &Form, file: Option<Sent>) -> Result<(), No> {
    let Some(Sent { name: display_name, mime, bytes }) = file else {
        let what = desk.lang().pick("请选择文件", "choose a file").to_owned();
        return Err(Refusal::field("file", what).into());
    };
    // Judged before anything is written: a listing stays for ever.
    if FileName::parse(&display_name).is_err() {
        let what = desk.lang().pick(
            format!("文件名“{display_name}”不能用，请改名后再上传"),
            format!("“{display_name}” is no name for a file here; rename it"),
        );
        return Err(Refusal::field("file", what).into());
    }
    let whole = bytes.clone();
    let hashed = tokio::task::spawn_blocking(move || {
        let mut hashes = BothHashes::new();
        hashes.update(&whole);
        hashes.finish()
    });
    let (sha256, sm3) = hashed.await.map_err(|_| desk.refuse("STOPPING"))?;
    let is_listed = !form.text("listed").is_empty();
    let start = pb::UploadStart {
        case_name: name.to_owned(),
        sha256: sha256.as_bytes().to_vec().into(),
        sm3: sm3.to_vec().into(),
        size_bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        display_name,
        mime: if is_listed { form.text("mime").to_owned() } else { mime },
        offset: 0,
    };
    if is_listed {
        check_listed(form.text("listed"), &hex(&start.sha256), desk.lang())?;
    } else {
        list(desk, form, &start).await?;
    }
    store(desk, start, bytes).await.map_err(|status| not_stored(&status, desk.lang()).into())
}

/// Whether a file is the one that is listed, by the digests of both.
fn check_listed(listed: &str, got: &str, lang: Lang) -> Result<(), Refusal> {
    if listed == got {
        return Ok(());
    }
    let [listed, got] = [listed, got].map(|one| clean(one.get(..16).unwrap_or(one)));
    let what = lang.pick(
        format!("所选文件与清单所列的不是同一份：SHA-256 为 {got}…，清单为 {listed}…"),
        format!("not the file that is listed: its SHA-256 is {got}…, that of the list {listed}…"),
    );
    let advice = lang.pick(
        "请选择登记时的原文件：改过文件名的可以，压缩、转发或另存过的不行；内容确有更新的，\
         在上面“上传证据”中作为新的一项上传",
        "choose the very file that was listed: another name does not matter, but a copy that was \
         compressed, forwarded or saved anew is another file; what is newer is sent in above, as \
         an item of its own",
    );
    Err(Refusal { advice: advice.to_owned(), ..Refusal::field("file", what) })
}

/// Why a file was not stored: another one has to be chosen, or the same one sent again.
fn not_stored(status: &Status, lang: Lang) -> Refusal {
    let places = ["size_bytes", "mime", "sm3", "sha256"].map(|field| (field, "file"));
    let mut refusal = Refusal::of(status, lang).placed(&places).about(&OF_FILE);
    if refusal.at("file").is_none() {
        let advice = lang.pick(
            "证据已列入清单，文件尚未存入；请稍后选择同一文件、原样再次上传",
            "it is listed, its file is not stored yet: send the same file again in a moment",
        );
        advice.clone_into(&mut refusal.advice);
    }
    refusal
}

/// The level that is chosen; what is none of them is refused, and never read as that of the kind.
fn level(form: &Form) -> i32 {
    match form.text("level") {
        "" => 0,
        chosen => chosen.parse().unwrap_or(-1),
    }
}

/// Lists what is about to be stored.
async fn list(desk: &Desk, form: &Form, start: &pb::UploadStart) -> Result<(), No> {
    let item = pb::Evidence {
        id: form.text("id").to_owned(),
        kind: form.text("kind").parse().unwrap_or(0),
        level: level(form),
        title: form.text("title").to_owned(),
        collected_on: form.date("collected_on", desk.lang())?,
        mime: start.mime.clone(),
        size_bytes: start.size_bytes,
        sha256: start.sha256.clone(),
        sm3: start.sm3.clone(),
        ..Default::default()
    };
    let request = pb::AddEvidenceRequest {
        name: start.case_name.clone(),
        evidence: vec![item],
        request_id: form.text("request_id").to_owned(),
        ..Default::default()
    };
    let listed = desk.client.cases().add_evidence(request).await;
    let refusal = |status: Status| Refusal::of(&status, desk.lang()).within("evidence[0]");
    Ok(listed.map(drop).map_err(refusal)?)
}

/// Stores the bytes of what is listed; an upload that was cut goes on where it was.
async fn store(desk: &Desk, mut start: pb::UploadStart, bytes: Bytes) -> Result<(), Status> {
    let (case_name, sha256) = (start.case_name.clone(), start.sha256.clone());
    let mut files = desk.client.files();
    let request = pb::GetUploadRequest { case_name, sha256 };
    start.offset = files.get_upload(request).await?.into_inner().offset;
    let from = usize::try_from(start.offset).unwrap_or(usize::MAX);
    let chunks = (from..bytes.len()).step_by(EVIDENCE_CHUNK_BYTES).map(move |from| {
        Up::Chunk(bytes.slice(from..bytes.len().min(from + EVIDENCE_CHUNK_BYTES)))
    });
    let all = std::iter::once(Up::Start(start)).chain(chunks);
    let all = all.map(|content| pb::UploadRequest { content: Some(content) });
    files.upload(tokio_stream::iter(all.collect::<Vec<_>>())).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Language;

    #[test]
    fn what_is_wrong_with_a_file_is_told_at_its_field() {
        for (lang, word, advice) in
            [(Lang::Zh, "不是同一份", "原文件"), (Lang::En, "not the file", "the very file")]
        {
            let told = check_listed("aa11", "bb22", lang).unwrap_err();
            let at = told.at("file").unwrap();
            assert!(at.contains(word) && at.contains("aa11") && at.contains("bb22"), "{at}");
            assert!(told.advice.contains(advice), "{told:?}");
        }
        assert_eq!(check_listed("aa11", "aa11", Lang::Zh), Ok(()));
        for (reason, is_of_file) in [("EVIDENCE_NOT_LISTED", true), ("EVIDENCE_STORE_AWAY", false)]
        {
            let status = crate::wire::status::Refused::new(reason).status(Language::Zh);
            let told = not_stored(&status, Lang::Zh);
            assert_eq!(told.at("file").is_some(), is_of_file, "{told:?}");
            assert_eq!(told.advice.contains("原样再次上传"), !is_of_file, "{told:?}");
        }
    }
}
