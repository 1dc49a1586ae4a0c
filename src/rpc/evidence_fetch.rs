//! Evidence files between cities: serving them to who may hold them, and bringing them here.
//!
//! Each goes over a connection of its own, so that entries never wait behind a file.
//!
//! In scope: both ends of `FetchEvidence`. Out of scope: which list lets whom have a file
//! ([`crate::node::evidence`]).
//!
//! Invariants:
//! 1. Whatever a city may not have is answered like what is not there.
//!    (`f24_evidence_files_cross_by_digest_to_whom_they_are_for`)
//! 2. A list of its own gets a city back what it gave, or what was sent here for that list; never
//!    what was here for something else.
//!    (`f24_what_a_city_gave_it_gets_back_after_its_disk_is_lost`)
//! 3. Bytes of another city are under their digest only once both digests are right; else they are
//!    thrown away and the city is named. (`f24_a_wrong_byte_of_another_city_is_thrown_away`)

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::audit_line;
use super::evidence_files::{
    AGAIN, Answers, EvidenceFileApi, Found, IDLE, append, read_out, refused,
};
use super::evidence_pace::Pace;
use crate::audit::{Audit, Deed};
use crate::domain::{FileName, Language};
use crate::evidence::{About, CaseRef, EvidenceError, EvidenceStore, Noted, Wanted};
use crate::ids::{CityCode, Hash, hex};
use crate::limits::{EVIDENCE_SENDS_PER_CITY_MAX, EVIDENCE_UPLOAD_MS_MAX, PEER_MESSAGE_BYTES_MAX};
use crate::node::evidence::{self, Listed, Whose};
use crate::node::writer::NodeHandle;
use crate::trust::acceptor::Peer;
use crate::wire::case::name_of;
use crate::wire::evidence_file::{self as wire, Asked};
use crate::wire::pb::peer_v1 as peer;
use crate::wire::pb::peer_v1::fetch_evidence_response::Content;
use crate::wire::pb::v1 as pb;
use crate::wire::status::Refused;

/// How far a fetch goes between two words of it, in bytes.
const SAY_AFTER: u64 = 4 * 1024 * 1024;
/// A city that has sent so much in one try is asked again rather than another one.
const WORTH_KEEPING: u64 = 1024 * 1024;
/// Who brings a file here when nobody has asked for it; no caller is called so.
const ITSELF: &str = "node";
/// What another city calls, by its full name.
const FETCH_EVIDENCE: &str = "/liandong.peer.v1.PeerService/FetchEvidence";

/// Files that each city reads just now; clones share it.
#[derive(Clone, Default)]
pub struct Sends(Arc<Mutex<BTreeMap<CityCode, usize>>>);

/// A city's place; given back when it is dropped.
struct SendPlace(Sends, CityCode);

impl Sends {
    fn enter(&self, city: CityCode) -> Option<SendPlace> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = all.entry(city).or_default();
        if *mine >= EVIDENCE_SENDS_PER_CITY_MAX {
            return None;
        }
        *mine += 1;
        Some(SendPlace(self.clone(), city))
    }
}

impl Drop for SendPlace {
    fn drop(&mut self) {
        let mut all = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = all.get_mut(&self.1) {
            *mine = mine.saturating_sub(1);
            if *mine == 0 {
                all.remove(&self.1);
            }
        }
    }
}

/// Bytes that go out to another city.
pub(super) type Served = Answers<peer::FetchEvidenceResponse>;

/// What serving other cities needs.
#[derive(Clone)]
pub struct Holder {
    /// The node.
    pub node: NodeHandle,
    /// The folder.
    pub store: EvidenceStore,
    /// Who reads just now.
    pub sends: Sends,
    /// Where it is noted who was served.
    pub audit: Audit,
}

impl Holder {
    /// Nobody reads yet.
    #[must_use]
    pub fn new(node: NodeHandle, store: EvidenceStore, audit: Audit) -> Self {
        Self { node, store, sends: Sends::default(), audit }
    }

    /// Serves a file to a city, if it may hold it.
    pub(super) async fn serve(
        &self,
        peer: &Peer,
        request: &peer::FetchEvidenceRequest,
    ) -> Result<Served, Refused> {
        let asked = wire::asked(request)?;
        let city = peer.identity.city;
        // Before anything is looked at: looking costs too.
        let place = self.sends.enter(city);
        let place = place.ok_or_else(|| Refused::new("BUSY").retry_after(AGAIN))?;
        let allowed = self.allowed(city, asked).await?;
        let (about, listed) = allowed.ok_or(Refused::new("NOT_FOUND"))?;
        let size = about.size;
        let case = CaseRef { agreement: asked.agreement, subject: asked.subject };
        let head = peer::EvidenceHead {
            size_bytes: size,
            sm3: about.sm3.to_vec().into(),
            // What it was called for another case is not for this city.
            display_name: about.name_for(case).unwrap_or_default().to_owned(),
            mime: listed.item.mime,
        };
        // Whoever takes evidence out leaves a line. A refusal has none: it tells nobody anything.
        let name = name_of(asked.agreement, asked.subject);
        let deed = audit_line::deed_of(&self.node, peer, FETCH_EVIDENCE, &name);
        self.audit.note(Deed { file: Some(asked.sha256.to_string()), ..deed });
        let (sender, answers) = mpsc::channel(2);
        let (store, node) = (self.store.clone(), self.node.clone());
        tokio::spawn(async move {
            let message = |content| Ok(peer::FetchEvidenceResponse { content: Some(content) });
            if sender.send(message(Content::Head(head))).await.is_err() {
                return;
            }
            let chunk = |bytes| message(Content::Chunk(bytes));
            let file = (asked.sha256, size);
            let goes_on = || !node.book().is_suspended(city);
            let read = read_out(&store, (file, asked.offset), &sender, chunk, goes_on).await;
            if let Err(error) = read {
                let _ = sender.send(Err(refused(error).status(Language::En))).await;
            }
            drop(place);
        });
        Ok(Box::pin(ReceiverStream::new(answers)))
    }

    /// What is known of a file that a city may have and that came here for the case it names: the
    /// same bytes may be here for another agreement, which is nobody else's business.
    async fn allowed(
        &self,
        city: CityCode,
        asked: Asked,
    ) -> Result<Option<(About, Listed)>, Refused> {
        let Asked { agreement, subject, sha256, .. } = asked;
        let book = self.node.book();
        let member = book.get(agreement).is_some_and(|found| found.cities().contains(&city));
        if !member || city == self.node.city() || book.is_suspended(city) {
            return Ok(None);
        }
        let reader = self.node.reader();
        let case = CaseRef { agreement, subject };
        let look = move || {
            let by = |whose| evidence::look(&reader, case, sha256, whose).found;
            let others = by(Whose::OfOthersFor(city)).map(|listed| (listed, false));
            others.or_else(|| by(Whose::OfItself(city)).map(|listed| (listed, true)))
        };
        let looked = tokio::task::spawn_blocking(look).await;
        let looked = looked.map_err(|_| Refused::new("STOPPING"))?;
        let Some((listed, is_its_own)) = looked else { return Ok(None) };
        let fits = |about: &About| {
            let is_for_it = !is_its_own || about.gives_back(case, city);
            about.came_for(case) && is_for_it && asked.offset <= about.size
        };
        match self.store.about(sha256).await {
            Ok(about) => Ok(Some((about, listed)).filter(|(about, _)| fits(about))),
            Err(EvidenceError::NotHere) => Ok(None),
            Err(error) => Err(refused(error)),
        }
    }
}

/// Why a file did not come, told of the city that was asked.
fn failed(city: CityCode, status: &Status) -> Refused {
    let reason = wire::reason_of(status);
    if reason.as_deref() == Some("NOT_FOUND") {
        return Refused::new("FILE_NOT_THERE").with("city", city);
    }
    // Its words are its own: a log has them, people have the code.
    tracing::warn!(%city, error = %status, "an evidence file did not come");
    let detail = reason.unwrap_or_else(|| format!("{:?}", status.code()));
    unreached(city, &detail)
}

fn unreached(city: CityCode, detail: &str) -> Refused {
    let failed = Refused::new("FETCH_FAILED").with("city", city);
    failed.with("detail", detail).retry_after(AGAIN)
}

impl EvidenceFileApi {
    /// Brings a file here from another city; says how far it is meanwhile.
    pub(super) async fn bring(
        &self,
        who: &str,
        asked: &pb::FetchRequest,
        said: &mpsc::Sender<Result<pb::FetchResponse, Status>>,
    ) -> Result<pb::FetchResponse, Refused> {
        let found = self.find(&asked.case_name, &asked.sha256).await?;
        if self.here(found.sha256).await?.is_some() {
            let about =
                self.store.note(found.sha256, found.case, Noted::Wanted).await.map_err(refused)?;
            return Ok(self.whole(&found, &about));
        }
        let cities = match asked.from_city {
            // Of what this city has listed itself, any other member may have a copy.
            0 if found.listed.by == self.node.city() => {
                evidence::who_may_have(&self.node, found.case, &found.listed)
            }
            // Whoever lists it has it, or knows of it only: the newest first.
            0 => found.of_each.iter().map(|one| one.by).collect(),
            code => {
                let city = CityCode::from_u32(code);
                vec![city.map_err(|_| Refused::new("CITY_CODE").at("from_city"))?]
            }
        };
        let mut last = Refused::new("FILE_NOT_THERE").with("city", self.node.city());
        let file = (found.sha256, found.listed.item.size_bytes);
        for city in self.store.begun_first(cities, file, found.case) {
            let found = found.clone().listed_by(city);
            let before = self.fetched_of(&found, city);
            match self.bring_asked(city, who, &found, said).await {
                Ok(about) => return Ok(self.whole(&found, &about)),
                Err(refused) if said.is_closed() => return Err(refused),
                // Another one would begin anew.
                Err(refused) if self.fetched_of(&found, city) >= before + WORTH_KEEPING => {
                    return Err(refused);
                }
                Err(refused) => last = refused,
            }
        }
        Err(last)
    }

    /// What another city has begun to send of a file, and which.
    pub(super) fn fetched(&self, found: &Found) -> Option<(CityCode, u64)> {
        self.store.fetched((found.sha256, found.listed.item.size_bytes), found.case)
    }

    fn fetched_of(&self, found: &Found, city: CityCode) -> u64 {
        self.fetched(found).filter(|(of, _)| *of == city).map_or(0, |(_, bytes)| bytes)
    }

    /// The same from one city, as long as somebody listens.
    async fn bring_asked(
        &self,
        city: CityCode,
        who: &str,
        found: &Found,
        said: &mpsc::Sender<Result<pb::FetchResponse, Status>>,
    ) -> Result<About, Refused> {
        if city == self.node.city() || !self.may_be_asked(city, found).await? {
            return Err(Refused::new("FILE_NOT_THERE").with("city", city));
        }
        let brought = self.bring_from(city, who, found, said);
        let limit = Duration::from_millis(EVIDENCE_UPLOAD_MS_MAX);
        tokio::select! {
            brought = tokio::time::timeout(limit, brought) => {
                brought.map_err(|_| unreached(city, "DEADLINE"))?
            }
            // Who does not listen any more does not want it: the part stays.
            () = said.closed() => Err(Refused::new("DEADLINE")),
        }
    }

    /// Brings a file here again that was here, for the node itself.
    ///
    /// # Errors
    /// Why it did not come, by the reason of the published table.
    pub async fn bring_back(
        &self,
        city: CityCode,
        case: CaseRef,
        sha256: Hash,
    ) -> Result<(), String> {
        let brought = async {
            let found = self.find_in(case, name_of(case.agreement, case.subject), sha256).await?;
            let found = found.listed_by(city);
            if !self.may_be_asked(city, &found).await? {
                return Err(Refused::new("FILE_NOT_THERE").with("city", city));
            }
            // Nobody listens how far it is.
            let (said, mut heard) = mpsc::channel(1);
            let listening = tokio::spawn(async move { while heard.recv().await.is_some() {} });
            let limit = Duration::from_millis(EVIDENCE_UPLOAD_MS_MAX);
            let brought = self.bring_from(city, ITSELF, &found, &said);
            let brought = tokio::time::timeout(limit, brought).await;
            listening.abort();
            brought.map_err(|_| unreached(city, "DEADLINE"))?
        };
        brought.await.map(|_| ()).map_err(|refused: Refused| refused.reason().to_owned())
    }

    /// Whether a city may be told that this file is wanted: one that may hold a list that names it,
    /// or wrote one. What is asked names an agreement, a case and a digest.
    async fn may_be_asked(&self, city: CityCode, found: &Found) -> Result<bool, Refused> {
        let book = self.node.book();
        let member = book.get(found.case.agreement).is_some_and(|a| a.cities().contains(&city));
        if !member || book.is_suspended(city) {
            return Ok(false);
        }
        if found.of_each.iter().any(|one| one.by == city) {
            return Ok(true);
        }
        let (reader, case, sha256) = (self.node.reader(), found.case, found.sha256);
        let look = move || evidence::look(&reader, case, sha256, Whose::OfOthersFor(city));
        let looked = tokio::task::spawn_blocking(look).await;
        Ok(looked.map_err(|_| Refused::new("STOPPING"))?.found.is_some())
    }

    fn whole(&self, found: &Found, about: &About) -> pb::FetchResponse {
        let file = Some(self.answer(found, Some(about)));
        pb::FetchResponse { offset: about.size, file }
    }

    /// Brings a file from a city, and blames that city for what it sends now only: when a part that
    /// was here before is wrong, the file is brought once more from its beginning.
    async fn bring_from(
        &self,
        city: CityCode,
        who: &str,
        found: &Found,
        said: &mpsc::Sender<Result<pb::FetchResponse, Status>>,
    ) -> Result<About, Refused> {
        // Nothing of what came from elsewhere or for another case: it is asked where it goes on.
        let file = (found.sha256, found.listed.item.size_bytes);
        let staged = || self.store.goes_on_at(file, found.case, Some(city));
        let before = staged();
        let is_wrong = |refused: &Refused| refused.reason() == "WRONG_BYTES";
        match self.bring_on((city, before), who, found, said).await {
            Err(refused) if is_wrong(&refused) && before > 0 && staged() == 0 => {
                tracing::info!(%city, "a part that was here was wrong: the file comes anew");
                self.bring_on((city, 0), who, found, said)
                    .await
                    .map_err(|refused| blame(city, refused))
            }
            done => done.map_err(|refused| blame(city, refused)),
        }
    }

    /// Brings what is missing from an offset on.
    async fn bring_on(
        &self,
        (city, offset): (CityCode, u64),
        who: &str,
        found: &Found,
        said: &mpsc::Sender<Result<pb::FetchResponse, Status>>,
    ) -> Result<About, Refused> {
        let channel = self.dialer.reach(city).await.map_err(|why| {
            tracing::debug!(%city, reason = %why, "a city that has a file cannot be reached");
            unreached(city, "UNREACHABLE")
        })?;
        let mut client = peer::peer_service_client::PeerServiceClient::new(channel)
            .max_decoding_message_size(PEER_MESSAGE_BYTES_MAX);
        let CaseRef { agreement, subject } = found.case;
        let request =
            wire::asked_to_pb(&Asked { agreement, subject, sha256: found.sha256, offset });
        let answer = tokio::time::timeout(IDLE, client.fetch_evidence(request)).await;
        let answer = answer.map_err(|_| unreached(city, "DEADLINE"))?;
        let mut answers = answer.map_err(|status| failed(city, &status))?.into_inner();
        let Some(Content::Head(head)) = next(city, &mut answers).await? else {
            return Err(unreached(city, "MALFORMED"));
        };
        let wanted = wanted(city, found, &head)?;
        let mut incoming = self.begin(who, wanted, offset).await?;
        let mut pace = Pace::new(self.node.applied());
        let mut said_at = offset;
        // Where it goes on: whoever asked can tell what came before from what comes now.
        say(said, said_at).await?;
        while let Some(content) = next(city, &mut answers).await? {
            let Content::Chunk(chunk) = content else {
                return Err(unreached(city, "MALFORMED"));
            };
            if chunk.is_empty() {
                return Err(unreached(city, "MALFORMED"));
            }
            let bytes = chunk.len();
            incoming = append(incoming, chunk).await.map_err(|refused| of(city, refused))?;
            pace.rest(bytes).await;
            if incoming.offset().saturating_sub(said_at) >= SAY_AFTER {
                said_at = incoming.offset();
                say(said, said_at).await?;
            }
        }
        incoming.finish().await.map_err(|error| of(city, refused(error)))
    }
}

/// Says how far a fetch is.
async fn say(
    said: &mpsc::Sender<Result<pb::FetchResponse, Status>>,
    offset: u64,
) -> Result<(), Refused> {
    let word = pb::FetchResponse { offset, file: None };
    let heard = tokio::time::timeout(IDLE, said.send(Ok(word))).await;
    // Who does not listen any more does not want it: the part stays.
    if matches!(heard, Ok(Ok(()))) { Ok(()) } else { Err(Refused::new("DEADLINE")) }
}

/// What goes wrong with bytes of another city is told of that city.
fn of(city: CityCode, refused: Refused) -> Refused {
    match refused.reason() {
        "HASH_MISMATCH" => Refused::new("WRONG_BYTES").with("city", city),
        "UPLOAD_SHORT" => unreached(city, "UPLOAD_SHORT"),
        _ => refused,
    }
}

/// Tells the operator of a city that sent other bytes from their beginning on.
fn blame(city: CityCode, refused: Refused) -> Refused {
    if refused.reason() == "WRONG_BYTES" {
        tracing::error!(%city, reason = refused.reason(), "a city sent other bytes");
    }
    refused
}

/// What is taken in: as the list says; only where it does not, as the other city says.
fn wanted(city: CityCode, found: &Found, head: &peer::EvidenceHead) -> Result<Wanted, Refused> {
    let item = &found.listed.item;
    let wrong = || Refused::new("WRONG_BYTES").with("city", city);
    let sm3 = wire::sm3(&head.sm3).map_err(|_| wrong())?;
    if head.size_bytes != item.size_bytes || item.sm3.is_some_and(|listed| listed != sm3) {
        return Err(wrong());
    }
    let name = FileName::parse(&head.display_name);
    let name = name.map_or_else(|_| hex(found.sha256.as_bytes()), |name| name.to_string());
    let (sha256, size, case) = (found.sha256, item.size_bytes, found.case);
    Ok(Wanted { sha256, sm3, size, name, case, from: Some(city) })
}

/// The next piece of what another city sends; none at its end.
async fn next(
    city: CityCode,
    answers: &mut Streaming<peer::FetchEvidenceResponse>,
) -> Result<Option<Content>, Refused> {
    let answer = tokio::time::timeout(IDLE, answers.message()).await;
    let answer = answer.map_err(|_| unreached(city, "DEADLINE"))?;
    let message = answer.map_err(|status| failed(city, &status))?;
    match message.map(|message| message.content) {
        None => Ok(None),
        Some(Some(content)) => Ok(Some(content)),
        Some(None) => Err(unreached(city, "MALFORMED")),
    }
}
