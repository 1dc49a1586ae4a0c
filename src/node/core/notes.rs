//! Signed notes that come in: charters, cards and manifests, by file or from a member.

use bytes::Bytes;

use crate::ids::{CityCode, LogId};
use crate::journal::{Disk, RecordKind};
use crate::limits;
use crate::log::manifest::SignedManifest;
use crate::log::note::Note;
use crate::node::core::agreements::Agreement;
use crate::node::core::io::{Output, Ticket};
use crate::node::core::logs::{Hold, Log};
use crate::node::core::{Core, Now};
use crate::store::Store;
use crate::sync::{Frame, LinkId};
use crate::trust::card::SignedCard;
use crate::trust::charter::{Charter, SignedCharter};
use crate::wire::status::Refused;

fn is_to(output: &Output, link: LinkId) -> bool {
    matches!(output, Output::Send(to, _) if *to == link)
}

/// What became of a note.
enum Taken {
    /// It is new: the frame that passes it on to the members concerned.
    News(String, Option<Frame>),
    /// It was here already.
    Known(String),
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Notes from a file or an administrator.
    pub(super) fn take_notes(
        &mut self,
        now: Now,
        ticket: Ticket,
        notes: Vec<Bytes>,
    ) -> Vec<Output> {
        let mut results = Vec::with_capacity(notes.len());
        let before = self.book.iter().count();
        for note in notes {
            let taken = self.take_note(now, &note, true);
            results.push(match taken {
                Ok(Taken::News(what, frame)) => {
                    // Others hear of it once it is on disk here.
                    let passed = frame.map(|f| self.pass_on(f)).unwrap_or_default();
                    self.group.after.extend(passed);
                    Ok(what)
                }
                Ok(Taken::Known(what)) => Ok(format!("{what} (already known)")),
                Err(why) => Err(why),
            });
        }
        let mut outputs = Vec::new();
        if self.book.iter().count() > before {
            // What members said of these agreements in their greetings was passed over.
            let partners = self.book.partners(self.settings.city);
            outputs = self.greet_anew(now, &partners);
        }
        self.group.dirty = true;
        self.group.after.push(Output::NotesDone(ticket, results));
        self.group.after.push(Output::MembersChanged);
        outputs
    }

    /// A card or charter over a link: cards travel, a first charter does not.
    pub(super) fn peer_note(&mut self, now: Now, city: CityCode, note: Bytes) -> Vec<Output> {
        if self.book.has_card(&note) {
            return Vec::new();
        }
        match self.take_note(now, &note, false) {
            Ok(Taken::News(_, frame)) => {
                let mut outputs = frame.map(|f| self.pass_on(f)).unwrap_or_default();
                outputs.push(Output::MembersChanged);
                outputs
            }
            Ok(Taken::Known(_)) => Vec::new(),
            Err(why) => {
                tracing::warn!(%city, %why, "a note was turned away");
                Vec::new()
            }
        }
    }

    /// A manifest over a link: kept if its city has signed it, and passed on.
    pub(super) fn peer_manifest(
        &mut self,
        now: Now,
        link: LinkId,
        city: CityCode,
        note: Bytes,
    ) -> Vec<Output> {
        // Every greeting names them again: what lies here byte for byte was checked when it came.
        if self.logs.iter().any(|log| log.note == note) {
            return Vec::new();
        }
        let claimed = SignedManifest::peek(&note);
        // An agreement that this city has not signed, or the sender has not: nothing is said of it.
        if claimed.as_ref().is_ok_and(|m| !self.logs.members(m.agreement).contains(&city)) {
            return Vec::new();
        }
        match self.check_manifest(&note) {
            // Keys of own logs come by file only: nobody else can make this node write a new log.
            Ok(signed) => {
                let id = signed.manifest().log_id();
                let own_city = signed.manifest().city == self.settings.city;
                if own_city && self.logs.get(id).is_none() {
                    tracing::warn!(%city, "a member shows a log of this city that is not here");
                    if self.own_keys(signed.manifest()).is_some() {
                        // It was written here and is lost: an older copy, or a new folder.
                        self.found_restored(id, 0);
                    }
                }
                let note = signed.note().clone();
                let news = self.add_manifest(now, signed);
                let mut outputs = Vec::new();
                if let Some(followed) = news {
                    outputs.extend(followed);
                    let passed_on = self.pass_on(Frame::Manifest(note)).into_iter();
                    outputs.extend(passed_on.filter(|o| !is_to(o, link)));
                }
                outputs
            }
            Err(why) => {
                tracing::warn!(%city, %why, "a manifest was turned away");
                let claimed = claimed.map(|m| m.city).ok().filter(|claimed| *claimed != city);
                let refused = match claimed {
                    Some(claimed) => {
                        Refused::new("CITY_MISMATCH").with("cert", city).with("claimed", claimed)
                    }
                    None => Refused::new("MALFORMED").with("detail", why),
                };
                self.strike(now, link, &refused, None)
            }
        }
    }

    fn take_note(&mut self, now: Now, note: &Bytes, by_file: bool) -> Result<Taken, String> {
        if note.len() > limits::NOTE_BYTES_MAX {
            return Err(format!("larger than {} bytes", limits::NOTE_BYTES_MAX));
        }
        let parsed = Note::parse(note).map_err(|e| e.to_string())?;
        let first_line = parsed.text().lines().next().unwrap_or_default();
        match first_line {
            "liandong/charter/v1" if by_file => self.take_charter(note),
            "liandong/charter/v1" => Err("a first charter comes by file".to_owned()),
            "liandong/card/v1" => self.take_card(note.clone()),
            // Over a link a manifest comes in its own frame, where own logs are looked at twice.
            "liandong/manifest/v1" if !by_file => Err("a manifest in another's frame".to_owned()),
            "liandong/manifest/v1" => {
                let signed = self.check_manifest(note)?;
                let what = format!("log {}", signed.manifest().log_id());
                let known = self.logs.get(signed.manifest().log_id()).is_some();
                let frame = Frame::Manifest(signed.note().clone());
                let outputs = self.add_manifest(now, signed);
                self.group.after.extend(outputs.unwrap_or_default());
                if known { Ok(Taken::Known(what)) } else { Ok(Taken::News(what, Some(frame))) }
            }
            other => Err(format!("unknown kind of note: {other:.40}")),
        }
    }

    fn take_charter(&mut self, note: &Bytes) -> Result<Taken, String> {
        let signed = SignedCharter::parse(note).map_err(|e| e.to_string())?;
        signed.check_complete().map_err(|e| e.to_string())?;
        let charter = signed.charter().clone();
        let what = format!("agreement {}", charter.agreement);
        if !charter.members.iter().any(|m| m.city == self.settings.city) {
            return Err("this city is no member".to_owned());
        }
        if let Some(known) = self.book.get(charter.agreement) {
            return match known.hash == charter.hash() {
                true => Ok(Taken::Known(what)),
                false => Err("another charter of this agreement is in force here".to_owned()),
            };
        }
        let note = signed.note().clone();
        self.group.small.push((RecordKind::Charter, note.clone()));
        self.add_charter(charter, note);
        Ok(Taken::News(what, None))
    }

    pub(super) fn add_charter(&mut self, charter: Charter, note: Bytes) {
        let agreement = Agreement::new(charter, note);
        self.logs.set_members(agreement.charter.agreement, agreement.cities());
        self.book.insert(agreement);
    }

    fn take_card(&mut self, note: Bytes) -> Result<Taken, String> {
        let signed = self.check_card(&note)?;
        let (card, note) = (signed.card().clone(), signed.note().clone());
        let what = format!("card {} of {}", card.number, card.city);
        if self.book.offer_card(card, note.clone()) {
            self.group.small.push((RecordKind::Card, note.clone()));
            self.group.dirty = true;
            Ok(Taken::News(what, Some(Frame::Card(note))))
        } else {
            Ok(Taken::Known(what))
        }
    }

    pub(super) fn check_card(&self, note: &Bytes) -> Result<SignedCard, String> {
        let claimed = SignedCard::peek_city(note).map_err(|e| e.to_string())?;
        let keys = self.book.keys_of(claimed);
        if keys.is_empty() {
            return Err(format!("no agreement here names a key of {claimed}"));
        }
        SignedCard::verify_any(note, &keys).map_err(|_| "bad signature".to_owned())
    }

    pub(super) fn check_manifest(&self, note: &Bytes) -> Result<SignedManifest, String> {
        let claimed = SignedManifest::peek(note).map_err(|e| e.to_string())?;
        let agreement = self.book.get(claimed.agreement).ok_or("no such agreement here")?;
        let key = agreement.city_key(claimed.city).ok_or("its city is no member")?;
        if claimed.charter != agreement.hash {
            return Err("it was signed under another charter".to_owned());
        }
        let logs = self.logs.of_agreement(claimed.agreement);
        let others = logs.filter(|l| l.manifest.city == claimed.city && l.id != claimed.log_id());
        if others.count() >= limits::CITY_LOGS_MAX {
            return Err(format!("its city has {} logs here already", limits::CITY_LOGS_MAX));
        }
        SignedManifest::verify(note, claimed.city, &key).map_err(|e| e.to_string())
    }

    /// Adds a log whose manifest was checked; nothing if it is here already.
    fn add_manifest(&mut self, now: Now, signed: SignedManifest) -> Option<Vec<Output>> {
        let id = signed.manifest().log_id();
        if self.logs.get(id).is_some() {
            return None;
        }
        self.group.small.push((RecordKind::Manifest, signed.note().clone()));
        self.group.dirty = true;
        let (agreement, city) = (signed.manifest().agreement, signed.manifest().city);
        self.insert_log(signed);
        // Of a log whose manifest was damaged there are rows already.
        // (`a_log_whose_manifest_comes_again_has_its_cosignatures`)
        self.load_cosignatures_around(id);
        self.read_what_lay_here(id);
        if city == self.settings.city {
            self.look_for_old_logs(agreement);
        }
        let actions = self.exchange.log_known(now.mono_ms, &self.logs, id);
        Some(self.perform(actions))
    }

    /// Its batches are in the journal already, from before its manifest was damaged: everything is
    /// folded anew with them. Until then an own log is not written, and nothing is taken of another
    /// one: it might be another history.
    /// (`what_lay_here_before_a_manifest_was_lost_is_read_again`)
    fn read_what_lay_here(&mut self, id: LogId) {
        if !self.is_unread(id) {
            return;
        }
        if let Some(log) = self.logs.get_mut(id) {
            log.shut = true;
            if log.own.is_some() {
                log.hold = Hold::Restored;
            }
        }
        self.group.after.push(Output::StartAnew);
    }

    /// Adds the log to the table. Of the own city's logs in an agreement only the newest epoch is
    /// written; an older one, and one that came back from an older copy, never again.
    pub(super) fn insert_log(&mut self, signed: SignedManifest) {
        let manifest = signed.manifest().clone();
        let own = self.own_keys(&manifest);
        let (agreement, city, epoch) = (manifest.agreement, manifest.city, manifest.epoch);
        let mut log = Log::new(manifest, signed.note().clone(), own);
        let newer = |l: &Log| l.manifest.city == city && l.manifest.epoch > epoch;
        let superseded = self.logs.of_agreement(agreement).any(newer);
        if log.own.is_some() && (superseded || self.is_restored(log.id)) {
            log.hold = Hold::Restored;
        }
        log.shut = self.suspensions.has(city);
        let id = log.id;
        if self.logs.get(id).is_some() {
            return;
        }
        self.logs.insert(log);
        for older in self.logs.iter_mut().filter(|l| l.id != id) {
            let m = &older.manifest;
            if older.own.is_some() && m.agreement == agreement && m.city == city && m.epoch < epoch
            {
                older.hold = Hold::Restored;
            }
        }
        self.save_growth(id);
    }

    /// Sends a note to every connected member it concerns.
    fn pass_on(&self, frame: Frame) -> Vec<Output> {
        let concerns = |city: CityCode| {
            if let Frame::Manifest(note) = &frame {
                let claimed = SignedManifest::peek(note);
                return claimed.is_ok_and(|m| self.logs.members(m.agreement).contains(&city));
            }
            let Frame::Card(note) = &frame else { return false };
            SignedCard::peek_city(note).is_ok_and(|of| {
                self.logs.shared_agreements(city).any(|a| self.logs.members(a).contains(&of))
            })
        };
        let targets = self.exchange.greeted().filter(|(_, city)| concerns(*city));
        targets.map(|(link, _)| Output::Send(link, frame.clone())).collect()
    }
}
