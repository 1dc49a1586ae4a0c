//! The evidence file of the demo: 50 MiB that one city takes in and another one fetches, both cut
//! in the middle and gone on with.
//!
//! The city that is killed is the one that sends: it dies in the middle of sending, and what had
//! come is not sent again when it is back.
//!
//! In scope: the file, listing, sending, fetching, checking it. Out of scope: when the sender is
//! killed ([`super`]), what is said of it ([`super::film_told`]).
//!
//! Invariants:
//! 1. The content is the same in every run, so that a second run adds nothing.
//!    (`the_file_is_the_same_every_time`, `a_second_run_adds_nothing`)
//! 2. What is counted as sent or received is what was handed over, also what came to nothing.
//!    (`five_cities_agree_and_strangers_can_check_it`)

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::alarm::Alarm;
use super::ask;
use super::cities::Door;
use super::scripted;
use crate::cli::case::write::Prepared;
use crate::cli::connect::Client;
use crate::cli::evidence::send;
use crate::cli::failure::{Exit, Failure};
use crate::cli::sample_file::SampleFile;
use crate::evidence::BothHashes;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::download_response::Content as Down;

/// A minute of a film as inspectors make them.
pub const BYTES: u64 = 50 * 1024 * 1024;
/// Moves and contributions that it adds: the case, the list, the receipt.
pub const ENTRIES: (usize, usize) = (1, 2);
/// Which of all files it is.
const SEED: u64 = 0;
/// Where both ways are cut, at the earliest.
const CUT_AFTER: u64 = BYTES / 4;
/// The case's id among the scripted ones.
const CASE: &str = "DEMO-VIDEO";
/// The day on which it was reported and filmed.
const DAY: pb::Date = pb::Date { year: 2026, month: 11, day: 12 };
const EVIDENCE: &str = "E01";
const NAME: &str = "示例-无人机夜间巡查.mp4";
const MIME: &str = "video/mp4";
/// What comes true at all comes true within this time, on a machine under load too.
const WITHIN: Duration = Duration::from_secs(60);
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Where a way was cut, and what went over it in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Bytes that were there when it was cut; `None` when it was not, as in a second run.
    pub cut_at: Option<u64>,
    /// Where it was gone on with.
    pub resumed_at: Option<u64>,
    /// Bytes in all, both parts together.
    pub bytes: u64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Crossed {
    /// The case that lists it.
    pub case: String,
    /// Its SHA-256.
    pub sha256: Vec<u8>,
    /// The city that lists it and takes it in first.
    pub from: u32,
    /// The city that fetches it.
    pub to: u32,
    /// From the client to the first city's node.
    pub upload: Way,
    /// From node to node.
    pub fetch: Way,
    /// Both digests of what came are those that were listed.
    pub digests_fit: bool,
    /// The entry that records its receipt.
    pub receipt: String,
}

/// The file on its way.
pub struct Film {
    file: SampleFile,
    agreement: String,
    case: String,
    from: u32,
    to: u32,
    upload: Way,
    fetch: Way,
    lang: Lang,
}

impl Drop for Film {
    fn drop(&mut self) {
        // The copy that the "camera" holds; the cities have their own.
        let _ = std::fs::remove_file(&self.file.path);
    }
}

impl Film {
    /// Makes it: writes the file to a folder.
    ///
    /// # Errors
    /// [`Failure`] when the disk takes it not.
    pub async fn make(
        folder: &Path,
        alarm: &Alarm,
        away: u32,
        lang: Lang,
    ) -> Result<Self, Failure> {
        let path = folder.join("film.mp4");
        let to = path.clone();
        let writing = tokio::task::spawn_blocking(move || SampleFile::write(&to, BYTES, SEED));
        let written = writing.await.map_err(|error| Failure::local(error.to_string()))?;
        let file = written.map_err(|error| unread(&path, &error))?;
        Ok(Self {
            file,
            agreement: alarm.agreement.clone(),
            case: String::new(),
            from: away,
            to: alarm.issuer,
            upload: Way::default(),
            fetch: Way::default(),
            lang,
        })
    }

    /// The fetching city opens the case, and the other one lists the file in it.
    ///
    /// # Errors
    /// [`Failure`] with a node's refusal.
    pub async fn list(&mut self, doors: &BTreeMap<u32, Door>) -> Result<(), Failure> {
        let draft = scripted::draft(CASE)?;
        let prepared = Prepared {
            name: self.agreement.clone(),
            etag: String::new(),
            effective_on: Some(DAY),
            text: String::new(),
            request_id: format!("demo-{CASE}-0"),
            acting_for: None,
        };
        let request = ask::opening(&draft, CASE, &prepared);
        let client = coordinator(doors, self.to)?;
        let made = client.cases().create_case(request).await;
        let made = made.map_err(|status| client.failure(&status))?.into_inner();
        self.case = made.case.map(|case| case.name).unwrap_or_default();
        let client = coordinator(doors, self.from)?;
        let request = pb::AddEvidenceRequest {
            name: self.case.clone(),
            evidence: vec![pb::Evidence {
                id: EVIDENCE.to_owned(),
                kind: pb::EvidenceKind::AudioVisual.into(),
                title: "示例：无人机夜间巡查录像".to_owned(),
                collected_on: Some(DAY),
                mime: MIME.to_owned(),
                size_bytes: BYTES,
                sha256: self.file.sha256.clone().into(),
                sm3: self.file.sm3.clone().into(),
                ..pb::Evidence::default()
            }],
            request_id: format!("demo-{CASE}-1"),
            ..pb::AddEvidenceRequest::default()
        };
        let begun = Instant::now();
        loop {
            match client.cases().add_evidence(request.clone()).await {
                Ok(_) => return Ok(()),
                Err(status) => wait(client, &status, begun, &["NOT_FOUND"]).await?,
            }
        }
    }

    /// Sends it to the node of the city that lists it; the client's stream is cut in the middle.
    ///
    /// # Errors
    /// [`Failure`] with the node's refusal, or the disk's.
    pub async fn upload(&mut self, doors: &BTreeMap<u32, Door>) -> Result<Way, Failure> {
        let client = coordinator(doors, self.from)?;
        if !self.at(client).await?.here {
            let begun = Instant::now();
            let mut stop = Some(CUT_AFTER);
            loop {
                let offset = self.settled(client).await?;
                if self.upload.cut_at.is_some() {
                    self.upload.resumed_at = Some(offset);
                }
                let (sent, answer) = self.send(client, offset, stop).await?;
                self.upload.bytes += sent;
                match answer {
                    None => {
                        stop = None;
                        self.upload.cut_at = Some(self.settled(client).await?);
                    }
                    Some(Ok(())) => break,
                    Some(Err(status)) => {
                        wait(client, &status, begun, &["BUSY", "UPLOAD_OFFSET"]).await?;
                    }
                }
            }
        }
        Ok(self.upload)
    }

    /// Sends from an offset on; no answer when it stopped on the way, at `stop` bytes.
    async fn send(
        &self,
        client: &Client,
        offset: u64,
        stop: Option<u64>,
    ) -> Result<(u64, Option<Result<(), Status>>), Failure> {
        let (sender, messages) = mpsc::channel(2);
        let mut files = client.evidence_files();
        let calling =
            tokio::spawn(async move { files.upload(ReceiverStream::new(messages)).await });
        let start = pb::UploadStart {
            case_name: self.case.clone(),
            sha256: self.file.sha256.clone().into(),
            sm3: self.file.sm3.clone().into(),
            size_bytes: BYTES,
            display_name: NAME.to_owned(),
            mime: MIME.to_owned(),
            offset,
        };
        let (path, until) = (self.file.path.clone(), stop.unwrap_or(BYTES));
        let reading = tokio::task::spawn_blocking(move || {
            let (mut file, mut sent) = (File::open(&path)?, 0);
            send(&mut file, (start, until), &sender, &mut |bytes| sent += bytes)?;
            // Still open when it is cut: an end of the stream is none of a connection.
            Ok((sent, sender))
        });
        let read = reading.await.map_err(|error| Failure::local(error.to_string()))?;
        let (sent, sender) = read.map_err(|error: io::Error| unread(&self.file.path, &error))?;
        if stop.is_some() && !calling.is_finished() {
            calling.abort();
            // Ended by us: it has no answer.
            let _ = calling.await;
            drop(sender);
            return Ok((sent, None));
        }
        drop(sender);
        let answer = calling.await.map_err(|error| Failure::local(error.to_string()))?;
        Ok((sent, Some(answer.map(|_| ()))))
    }

    /// What a city's node knows of it, once the list is there.
    async fn at(&self, client: &Client) -> Result<pb::EvidenceFile, Failure> {
        let (case_name, sha256) = (self.case.clone(), self.file.sha256.clone().into());
        let request = pb::GetFileRequest { case_name, sha256 };
        let begun = Instant::now();
        loop {
            match client.evidence_files().get_file(request.clone()).await {
                Ok(answer) => return Ok(answer.into_inner().file.unwrap_or_default()),
                Err(status) => {
                    wait(client, &status, begun, &["NOT_FOUND", "EVIDENCE_NOT_LISTED"]).await?;
                }
            }
        }
    }

    /// Bytes at a city's node, once no more come.
    async fn settled(&self, client: &Client) -> Result<u64, Failure> {
        let far = |file: &pb::EvidenceFile| file.offset.max(file.fetched_bytes);
        let mut before = far(&self.at(client).await?);
        loop {
            tokio::time::sleep(PAUSE).await;
            let now = far(&self.at(client).await?);
            if now == before {
                return Ok(now);
            }
            before = now;
        }
    }

    /// Has the other city's node fetch it, and comes back when so much is there that its sender
    /// is to be killed; `None` when it is there already.
    ///
    /// # Errors
    /// [`Failure`] with the node's refusal.
    pub async fn begin_fetch(
        &mut self,
        doors: &BTreeMap<u32, Door>,
    ) -> Result<Option<Streaming<pb::FetchResponse>>, Failure> {
        let client = coordinator(doors, self.to)?;
        if self.at(client).await?.here {
            return Ok(None);
        }
        let answers = client.evidence_files().fetch(self.wanted()).await;
        let mut answers = answers.map_err(|status| client.failure(&status))?.into_inner();
        loop {
            match answers.message().await.map_err(|status| client.failure(&status))? {
                Some(word) if word.file.is_none() && word.offset < CUT_AFTER => {}
                Some(_) | None => return Ok(Some(answers)),
            }
        }
    }

    /// The sender was killed: reads the fetch to its end. Where it was cut.
    ///
    /// # Errors
    /// [`Failure`] with the node's refusal.
    pub async fn is_cut(
        &mut self,
        doors: &BTreeMap<u32, Door>,
        mut answers: Streaming<pb::FetchResponse>,
    ) -> Result<Option<u64>, Failure> {
        let client = coordinator(doors, self.to)?;
        while let Ok(Some(word)) = answers.message().await {
            if word.file.is_some() {
                // Too quick for us: it was whole before its sender died.
                self.fetch.bytes = BYTES;
                return Ok(None);
            }
        }
        let at = self.settled(client).await?;
        (self.fetch.cut_at, self.fetch.bytes) = (Some(at), at);
        Ok(Some(at))
    }

    /// The sender is back: the other city fetches what is missing.
    ///
    /// # Errors
    /// [`Failure`] with the node's refusal.
    pub async fn fetch_the_rest(&mut self, doors: &BTreeMap<u32, Door>) -> Result<Way, Failure> {
        let client = coordinator(doors, self.to)?;
        let begun = Instant::now();
        while self.fetch.cut_at.is_some() && !self.at(client).await?.here {
            let answers = client.evidence_files().fetch(self.wanted()).await;
            let mut answers = answers.map_err(|status| client.failure(&status))?.into_inner();
            let mut from = None;
            let status = loop {
                match answers.message().await {
                    // The node's first word is where it goes on.
                    Ok(Some(word)) if word.file.is_none() => from = from.or(Some(word.offset)),
                    Ok(Some(_) | None) => break None,
                    Err(status) => break Some(status),
                }
            };
            if let Some(from) = from {
                self.fetch.resumed_at = Some(from);
                let to = self.settled(client).await?;
                self.fetch.bytes += to.saturating_sub(from);
            }
            if let Some(status) = status {
                wait(client, &status, begun, &["FETCH_FAILED", "FILE_NOT_THERE", "BUSY"]).await?;
            }
        }
        Ok(self.fetch)
    }

    /// Reads it from the fetching city's node, checks both digests and records the receipt.
    ///
    /// # Errors
    /// [`Failure`] with the node's refusal, or when what is read is not what was listed.
    pub async fn receive(&mut self, doors: &BTreeMap<u32, Door>) -> Result<Crossed, Failure> {
        let client = coordinator(doors, self.to)?;
        let (case_name, sha256) = (self.case.clone(), self.file.sha256.clone().into());
        let request = pb::DownloadRequest { case_name, sha256, offset: 0 };
        let answers = client.evidence_files().download(request).await;
        let mut answers = answers.map_err(|status| client.failure(&status))?.into_inner();
        let mut hashes = BothHashes::new();
        while let Some(answer) =
            answers.message().await.map_err(|status| client.failure(&status))?
        {
            if let Some(Down::Chunk(chunk)) = answer.content {
                hashes.update(&chunk);
            }
        }
        let (sha256, sm3) = hashes.finish();
        let digests_fit =
            sha256.as_bytes().as_slice() == self.file.sha256 && sm3.as_slice() == self.file.sm3;
        if !digests_fit {
            let what = self.lang.pick("收到的录像与登记的摘要不符", "the film is another one");
            return Err(Failure::new(Exit::NotSynced, "WRONG_BYTES", what));
        }
        let request = pb::RecordReceiptRequest {
            name: self.case.clone(),
            evidence_id: EVIDENCE.to_owned(),
            sha256: sha256.as_bytes().to_vec().into(),
            request_id: format!("demo-{CASE}-2"),
            ..pb::RecordReceiptRequest::default()
        };
        let answer = client.evidence().record_receipt(request).await;
        let answer = answer.map_err(|status| client.failure(&status))?.into_inner();
        Ok(Crossed {
            case: self.case.clone(),
            sha256: self.file.sha256.clone(),
            from: self.from,
            to: self.to,
            upload: self.upload,
            fetch: self.fetch,
            digests_fit,
            receipt: answer.receipt.map(|receipt| receipt.entry).unwrap_or_default(),
        })
    }

    /// The city that fetches it.
    #[must_use]
    pub const fn to(&self) -> u32 {
        self.to
    }

    fn wanted(&self) -> pb::FetchRequest {
        let (case_name, sha256) = (self.case.clone(), self.file.sha256.clone().into());
        pb::FetchRequest { case_name, sha256, from_city: self.from }
    }
}

fn coordinator(doors: &BTreeMap<u32, Door>, city: u32) -> Result<&Client, Failure> {
    let door = doors.get(&city).ok_or_else(|| Failure::local(format!("no door to {city}")))?;
    Ok(&door.coordinator)
}

/// Waits a moment if what a node refused will come true by itself; else says what it refused.
async fn wait(
    client: &Client,
    status: &Status,
    begun: Instant,
    passing: &[&str],
) -> Result<(), Failure> {
    let failure = client.failure(status);
    if !passing.contains(&failure.reason.as_str()) || begun.elapsed() > WITHIN {
        return Err(failure);
    }
    tokio::time::sleep(PAUSE).await;
    Ok(())
}

fn unread(path: &Path, error: &io::Error) -> Failure {
    Failure::local(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::hex;

    #[test]
    fn the_file_is_the_same_every_time() {
        let folder = tempfile::tempdir().unwrap();
        let film = SampleFile::write(&folder.path().join("film.mp4"), BYTES, SEED).unwrap();
        // Requests carry it: with another one, a second run in a kept folder would be refused.
        let known = "eafcec79f0230aad1c690b92f04b8de0010ff4c4c37e2d36031aaffdedb2c06a";
        assert_eq!(hex(&film.sha256), known);
    }
}
