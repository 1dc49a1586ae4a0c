//! Evidence files on the api port: every method of `EvidenceFileService`.
//!
//! In scope: who may send and read what, checking what is announced, chunks in and out. Out of
//! scope: bytes on the disk ([`crate::evidence`]), other cities ([`super::evidence_fetch`]).
//!
//! Invariants:
//! 1. A file is taken only for a case whose list names it with this size and these digests.
//!    (`f24_uploads_are_cut_anywhere_and_refused_precisely`)
//! 2. Whoever reads a file from its beginning is told when it is another one by now.
//!    (`f24_a_stored_file_that_rots_is_told_to_who_reads_it`)

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::audit_line::{self, AuditLine};
use super::caller::{Called, called};
use super::evidence_pace::Pace;
use crate::audit::{Audit, Deed};
use crate::domain::{Evidence, FileName, InvalidReason};
use crate::evidence::{About, CaseRef, EvidenceError, EvidenceStore, Incoming, Noted, Wanted};
use crate::ids::{CityCode, Hash};
use crate::limits::{EVIDENCE_CHUNK_BYTES, EVIDENCE_IDLE_MS_MAX};
use crate::node::dial::Dialer;
use crate::node::evidence::{self, Listed, Whose};
use crate::node::writer::NodeHandle;
use crate::wire::case as read;
use crate::wire::evidence_file as wire;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::download_response::Content as Down;
use crate::wire::pb::v1::evidence_file_service_server::EvidenceFileService;
use crate::wire::pb::v1::upload_request::Content as Up;
use crate::wire::status::{self, Refused, bad_fields};

/// Nothing comes or goes for so long: it has been cut.
pub(super) const IDLE: Duration = Duration::from_millis(EVIDENCE_IDLE_MS_MAX);
/// When to try again what was full.
pub(super) const AGAIN: Duration = Duration::from_secs(5);

/// The service.
#[derive(Clone)]
pub struct EvidenceFileApi {
    /// The node.
    pub node: NodeHandle,
    /// Where deeds are noted.
    pub audit: Audit,
    /// The folder.
    pub store: EvidenceStore,
    /// How other cities are reached.
    pub dialer: Dialer,
    /// Files read out at a time.
    pub reading: Arc<Semaphore>,
}

/// Messages that go out of a server stream.
pub(super) type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// The full name of a method, as the table of roles knows it.
macro_rules! method {
    ($name:ident) => {
        concat!("/liandong.v1.EvidenceFileService/", stringify!($name))
    };
}

/// What the store says, as a refusal of the table.
pub(super) fn refused(error: EvidenceError) -> Refused {
    match error {
        EvidenceError::WrongOffset { expected, got } => {
            Refused::new("UPLOAD_OFFSET").with("expected", expected).with("got", got)
        }
        EvidenceError::Short { got, size } => {
            Refused::new("UPLOAD_SHORT").with("got", got).with("size", size)
        }
        EvidenceError::Long { .. } => Refused::new("HASH_MISMATCH").at("size_bytes"),
        EvidenceError::WrongDigest { field } => Refused::new("HASH_MISMATCH").at(field),
        EvidenceError::TooLarge { got, limit } => {
            Refused::new("ATTACHMENT_TOO_LARGE").with("limit", limit).with("got", got)
        }
        EvidenceError::ChunkTooLarge { got, limit } => {
            Refused::new("MESSAGE_TOO_LARGE").with("limit", limit).with("got", got)
        }
        EvidenceError::FolderFull { used, limit } => {
            let full = Refused::new("EVIDENCE_FOLDER_FULL").with("limit", limit);
            full.with("used", used).retry_after(AGAIN)
        }
        EvidenceError::PendingFull { from, used, limit } => {
            let full = Refused::new("EVIDENCE_PENDING_FULL").with("limit", limit);
            let full = full.with("used", used).retry_after(AGAIN);
            from.into_iter().fold(full, |full, city| full.with("city", city))
        }
        EvidenceError::DiskLow { free } => {
            Refused::new("DISK_LOW").with("free_bytes", free).retry_after(AGAIN)
        }
        EvidenceError::Busy => Refused::new("BUSY").retry_after(AGAIN),
        EvidenceError::NotHere => Refused::new("NOT_FOUND"),
        // It has been told of when it began.
        EvidenceError::Away { .. } => Refused::new("EVIDENCE_STORE_AWAY").retry_after(AGAIN),
        EvidenceError::Disk(_) => {
            tracing::error!(%error, "evidence could not be read or written");
            Refused::new("STORAGE_FAILED")
        }
    }
}

/// A file that a case lists, found.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) case_name: String,
    pub(super) case: CaseRef,
    pub(super) sha256: Hash,
    pub(super) listed: Listed,
    /// The newest list of each city, newest first.
    pub(super) of_each: Vec<Listed>,
}

impl Found {
    /// As a city lists it, if it does.
    pub(super) fn listed_by(mut self, city: CityCode) -> Self {
        let its = self.of_each.iter().find(|one| one.by == city);
        self.listed = its.unwrap_or(&self.listed).clone();
        self
    }
}

/// How an upload ends early: by us, or by the library (it was cut, or a message was too large).
enum End {
    Refused(Refused),
    Library(Box<Status>),
}

impl From<Refused> for End {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl EvidenceFileApi {
    fn door(&self) -> (&NodeHandle, &Audit) {
        (&self.node, &self.audit)
    }

    /// The item of a case that names a digest.
    pub(super) async fn find(&self, case_name: &str, sha256: &[u8]) -> Result<Found, Refused> {
        let (agreement, subject) = read::case_name(case_name)?;
        let case = CaseRef { agreement, subject };
        self.find_in(case, case_name.to_owned(), wire::sha256(sha256)?).await
    }

    /// The same, by what the names mean.
    pub(super) async fn find_in(
        &self,
        case: CaseRef,
        case_name: String,
        sha256: Hash,
    ) -> Result<Found, Refused> {
        let (reader, own) = (self.node.reader(), self.node.city());
        let look = move || evidence::look(&reader, case, sha256, Whose::First(own));
        let looked = tokio::task::spawn_blocking(look).await;
        let looked = looked.map_err(|_| Refused::new("STOPPING"))?;
        let listed = looked.found.ok_or(Refused::new("EVIDENCE_NOT_LISTED"))?;
        Ok(Found { case_name, case, sha256, listed, of_each: looked.of_each })
    }

    /// A file as an answer.
    pub(super) fn answer(&self, found: &Found, here: Option<&About>) -> pb::EvidenceFile {
        let listed = wire::listed(&found.case_name, &found.listed.item, found.listed.by);
        match here {
            Some(about) => pb::EvidenceFile {
                sm3: about.sm3.to_vec().into(),
                display_name: about.name.clone(),
                here: true,
                offset: about.size,
                ..listed
            },
            None => {
                let file = (found.sha256, found.listed.item.size_bytes);
                let offset = self.store.goes_on_at(file, found.case, None);
                let fetched_bytes = self.fetched(found).map_or(0, |(_, bytes)| bytes);
                pb::EvidenceFile { offset, fetched_bytes, ..listed }
            }
        }
    }

    /// What is known of a file that is here.
    pub(super) async fn here(&self, sha256: Hash) -> Result<Option<About>, Refused> {
        match self.store.about(sha256).await {
            Ok(about) => Ok(Some(about)),
            Err(EvidenceError::NotHere) => Ok(None),
            Err(error) => Err(refused(error)),
        }
    }

    async fn file(&self, case_name: &str, sha256: &[u8]) -> Result<pb::EvidenceFile, Refused> {
        let found = self.find(case_name, sha256).await?;
        let here = self.here(found.sha256).await?;
        Ok(self.answer(&found, here.as_ref()))
    }

    /// Reads a file for its state, and leaves a line where that is due.
    async fn asked(
        &self,
        who: &Called,
        method: &'static str,
        (case_name, sha256): (&str, &[u8]),
    ) -> Result<pb::EvidenceFile, Status> {
        let mut line = AuditLine::new(self.door(), who, method, case_name);
        let file = self.file(case_name, sha256).await;
        if let Ok(file) = &file {
            line.shown_of(file.listing_city);
        }
        line.end(&file);
        file.map_err(|refused| refused.status(who.language))
    }

    /// Takes an upload to its end.
    async fn take(
        &self,
        who: &Called,
        messages: &mut Streaming<pb::UploadRequest>,
        deed: &mut Deed,
    ) -> Result<pb::EvidenceFile, End> {
        let Some(Up::Start(start)) = next(messages).await?.and_then(|first| first.content) else {
            return Err(read::wrong("start", InvalidReason::Required).into());
        };
        // As every other line: names of ours have 90 characters at the most.
        deed.name = start.case_name.chars().take(120).collect();
        let name = FileName::parse(&start.display_name);
        let name = name.map_err(|wrong| bad_fields(vec![wrong.at("display_name")]))?;
        let sm3 = wire::sm3(&start.sm3)?;
        let found = self.find(&start.case_name, &start.sha256).await?;
        // By whichever list: the digest says which bytes are right.
        let fits = |one: &Listed| check_listed(&one.item, &start, sm3).is_ok();
        if !found.of_each.iter().any(fits) {
            check_listed(&found.listed.item, &start, sm3)?;
        }
        if self.here(found.sha256).await?.is_some() {
            // As it came: what the disk says of it now is not the sender's fault.
            let held = self.store.known(found.sha256).await.map_err(refused)?;
            check_held(&held, &start, sm3)?;
            let about =
                self.store.note(found.sha256, found.case, Noted::Sent).await.map_err(refused)?;
            return Ok(self.answer(&found, Some(&about)));
        }
        let wanted = Wanted {
            sha256: found.sha256,
            sm3,
            size: start.size_bytes,
            name: name.to_string(),
            case: found.case,
            from: None,
        };
        let mut incoming = self.begin(&who.caller.identity, wanted, start.offset).await?;
        let mut pace = Pace::new(self.node.applied());
        while let Some(message) = next(messages).await? {
            let Some(Up::Chunk(chunk)) = message.content else {
                return Err(read::wrong("chunk", InvalidReason::Required).into());
            };
            let bytes = chunk.len();
            incoming = append(incoming, chunk).await?;
            pace.rest(bytes).await;
        }
        let about = incoming.finish().await.map_err(refused)?;
        Ok(self.answer(&found, Some(&about)))
    }

    /// Begins to take a file, off the threads that serve calls: what is here is hashed first.
    pub(super) async fn begin(
        &self,
        who: &str,
        wanted: Wanted,
        from: u64,
    ) -> Result<Incoming, Refused> {
        let (store, who) = (self.store.clone(), who.to_owned());
        let begun = tokio::task::spawn_blocking(move || store.begin(&who, wanted, from)).await;
        begun.map_err(|_| Refused::new("STOPPING"))?.map_err(refused)
    }

    fn note(&self, deed: Deed, outcome: Option<&'static str>) {
        self.audit.note(Deed { outcome: outcome.unwrap_or("OK"), ..deed });
    }
}

/// Takes the next bytes of a file, off the threads that serve calls.
pub(super) async fn append(mut incoming: Incoming, chunk: Bytes) -> Result<Incoming, Refused> {
    let appended = tokio::task::spawn_blocking(move || {
        let appended = incoming.append(&chunk);
        appended.map(|()| incoming)
    });
    appended.await.map_err(|_| Refused::new("STOPPING"))?.map_err(refused)
}

/// The next message of an upload; none at its end.
async fn next(
    messages: &mut Streaming<pb::UploadRequest>,
) -> Result<Option<pb::UploadRequest>, End> {
    match tokio::time::timeout(IDLE, messages.message()).await {
        Ok(Ok(message)) => Ok(message),
        Ok(Err(status)) => Err(End::Library(Box::new(status))),
        Err(_) => Err(Refused::new("DEADLINE").into()),
    }
}

/// Whether what is announced is what the list says.
fn check_listed(item: &Evidence, start: &pb::UploadStart, sm3: [u8; 32]) -> Result<(), Refused> {
    let differs = |field: &'static str, listed: String| {
        Err(Refused::new("UPLOAD_DIFFERS").at(field).with("listed", listed))
    };
    if start.size_bytes != item.size_bytes {
        return differs("size_bytes", item.size_bytes.to_string());
    }
    if start.mime != item.mime {
        return differs("mime", item.mime.clone());
    }
    match item.sm3 {
        Some(listed) if listed != sm3 => differs("sm3", crate::ids::hex(&listed)),
        Some(_) | None => Ok(()),
    }
}

/// Whether what is announced of a file that is here already is true of it: nobody sends its bytes
/// any more, that would show otherwise.
fn check_held(held: &About, start: &pb::UploadStart, sm3: [u8; 32]) -> Result<(), Refused> {
    match (held.size == start.size_bytes, held.sm3 == sm3) {
        (true, true) => Ok(()),
        (false, _) => Err(Refused::new("HASH_MISMATCH").at("size_bytes")),
        (true, false) => Err(Refused::new("HASH_MISMATCH").at("sm3")),
    }
}

#[tonic::async_trait]
impl EvidenceFileService for EvidenceFileApi {
    type DownloadStream = Answers<pb::DownloadResponse>;
    type FetchStream = Answers<pb::FetchResponse>;

    async fn upload(
        &self,
        request: Request<Streaming<pb::UploadRequest>>,
    ) -> Result<Response<pb::UploadResponse>, Status> {
        let who = called(self.door(), &request, method!(Upload)).map_err(|status| *status)?;
        let (api, language, mut messages) = (self.clone(), who.language, request.into_inner());
        // In a task of its own: a caller who gives up does not stop the audit line.
        let taken = tokio::spawn(async move {
            let mut deed = audit_line::deed(&api.node, &who, method!(Upload), "");
            let taken = api.take(&who, &mut messages, &mut deed).await;
            let outcome = taken.as_ref().err().map(|end| match end {
                End::Refused(refused) => refused.reason(),
                End::Library(_) => "UPLOAD_CUT",
            });
            api.note(deed, outcome);
            taken
        });
        match taken.await.unwrap_or_else(|_| Err(Refused::new("STOPPING").into())) {
            Ok(file) => Ok(Response::new(pb::UploadResponse { file: Some(file) })),
            Err(End::Refused(refused)) => Err(refused.status(language)),
            Err(End::Library(status)) => Err(status::of_library(*status, language)),
        }
    }

    async fn get_upload(
        &self,
        request: Request<pb::GetUploadRequest>,
    ) -> Result<Response<pb::GetUploadResponse>, Status> {
        let who = called(self.door(), &request, method!(GetUpload)).map_err(|status| *status)?;
        let asked = request.into_inner();
        let which = (asked.case_name.as_str(), asked.sha256.as_ref());
        let pb::EvidenceFile { offset, here, .. } =
            self.asked(&who, method!(GetUpload), which).await?;
        Ok(Response::new(pb::GetUploadResponse { offset, here }))
    }

    async fn get_file(
        &self,
        request: Request<pb::GetFileRequest>,
    ) -> Result<Response<pb::GetFileResponse>, Status> {
        let who = called(self.door(), &request, method!(GetFile)).map_err(|status| *status)?;
        let asked = request.into_inner();
        let which = (asked.case_name.as_str(), asked.sha256.as_ref());
        let file = Some(self.asked(&who, method!(GetFile), which).await?);
        Ok(Response::new(pb::GetFileResponse { file }))
    }

    async fn download(
        &self,
        request: Request<pb::DownloadRequest>,
    ) -> Result<Response<Answers<pb::DownloadResponse>>, Status> {
        let who = called(self.door(), &request, method!(Download)).map_err(|status| *status)?;
        let asked = request.into_inner();
        let deed = audit_line::deed(&self.node, &who, method!(Download), &asked.case_name);
        let opened = self.open(&asked).await;
        // Whoever takes evidence out leaves a line, whosesoever it is.
        self.note(deed, opened.as_ref().err().map(Refused::reason));
        let (found, about, place) = opened.map_err(|refused| refused.status(who.language))?;
        let (file, sha256) = (self.answer(&found, Some(&about)), found.sha256);
        let (sender, answers) = mpsc::channel(2);
        let (store, language) = (self.store.clone(), who.language);
        tokio::spawn(async move {
            let message = |content| pb::DownloadResponse { content: Some(content) };
            if sender.send(Ok(message(Down::File(file)))).await.is_err() {
                return;
            }
            let whole = (sha256, about.size);
            let mut watched = (asked.offset == 0).then(|| store.watch(whole));
            let chunk = |chunk: Bytes| {
                if let Some(watched) = &mut watched {
                    watched.goes_out(&chunk);
                }
                Ok(message(Down::Chunk(chunk)))
            };
            let ended = read_out(&store, (whole, asked.offset), &sender, chunk, || true).await;
            let mut ended = ended.map_err(refused);
            if let (Ok(()), Some(watched)) = (&ended, watched)
                && watched.was_wrong().await
            {
                ended = Err(Refused::new("FILE_CORRUPT"));
            }
            if let Err(refused) = ended {
                let _ = sender.send(Err(refused.status(language))).await;
            }
            drop(place);
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }

    async fn fetch(
        &self,
        request: Request<pb::FetchRequest>,
    ) -> Result<Response<Answers<pb::FetchResponse>>, Status> {
        let who = called(self.door(), &request, method!(Fetch)).map_err(|status| *status)?;
        let (api, asked) = (self.clone(), request.into_inner());
        let (sender, answers) = mpsc::channel(2);
        let language = who.language;
        // The answer stands at once, so that the call has no deadline but its own cuts.
        tokio::spawn(async move {
            let deed = audit_line::deed(&api.node, &who, method!(Fetch), &asked.case_name);
            let fetched = api.bring(&who.caller.identity, &asked, &sender).await;
            api.note(deed, fetched.as_ref().err().map(Refused::reason));
            let answer = fetched.map_err(|refused| refused.status(language));
            let _ = tokio::time::timeout(IDLE, sender.send(answer)).await;
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(answers))))
    }
}

impl EvidenceFileApi {
    /// A file that is here and a place to read it out.
    async fn open(
        &self,
        asked: &pb::DownloadRequest,
    ) -> Result<(Found, About, OwnedSemaphorePermit), Refused> {
        let place = Arc::clone(&self.reading).try_acquire_owned();
        let place = place.map_err(|_| Refused::new("BUSY").retry_after(AGAIN))?;
        let found = self.find(&asked.case_name, &asked.sha256).await?;
        let Some(about) = self.here(found.sha256).await? else {
            let away = Refused::new("FILE_NOT_HERE").with("city", found.listed.by);
            return Err(away.unless("file"));
        };
        if asked.offset > about.size {
            let limit = about.size;
            return Err(Refused::new("OFFSET_BEYOND_END").at("offset").with("limit", limit));
        }
        Ok((found, about, place))
    }
}

/// Sends a file's bytes from an offset on, until its end or until nobody takes them any more.
pub(super) async fn read_out<T>(
    store: &EvidenceStore,
    (file, mut from): ((Hash, u64), u64),
    sender: &mpsc::Sender<T>,
    mut message: impl FnMut(Bytes) -> T,
    goes_on: impl Fn() -> bool,
) -> Result<(), EvidenceError> {
    while goes_on() {
        let bytes = store.read(file, from, EVIDENCE_CHUNK_BYTES).await?;
        if bytes.is_empty() {
            return Ok(());
        }
        from = from.saturating_add(bytes.len() as u64);
        match tokio::time::timeout(IDLE, sender.send(message(bytes))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return Ok(()),
        }
    }
    Ok(())
}
