//! Watching notices: changes from the feed, and rings as they come.
//!
//! In scope: which changes a watcher of notices is sent, when it rings. Out of scope: following
//! ([`super::watch`]).

use std::collections::BTreeSet;

use tokio::sync::watch::Receiver;

use super::audit_line::AuditLine;
use super::caller::Called;
use super::cursor;
use super::holdings::Witnesses;
use super::notice_service::NoticeApi;
use super::watch::{self, Look, Source};
use crate::ids::{AgreementId, SubjectId};
use crate::limits::{NOTICES_LOOKED_THROUGH_MAX, RINGS_AT_BEGIN_MAX};
use crate::log::SubjectKind;
use crate::node::reader::Reader;
use crate::view::{self, FeedEntry, NoticeView};
use crate::wire::pb::v1 as pb;
use crate::wire::status::Refused;

/// Notices read at a time.
const CHUNK: usize = 256;

/// Changes of notices.
pub type NoticeChanges = watch::Changes<pb::WatchNoticesResponse>;

impl NoticeApi {
    /// Starts a watch.
    pub(super) fn watch(
        &self,
        who: Called,
        asked: &pb::WatchNoticesRequest,
    ) -> Result<NoticeChanges, Refused> {
        let method = "/liandong.v1.NoticeService/WatchNotices";
        let line = AuditLine::new(self.desk.door(), &who, method, &asked.parent);
        let node = self.desk.node.clone();
        let begun = self.agreements(&asked.parent);
        match begun.and_then(|only| Ok((only, cursor::read(&node, &asked.cursor)?))) {
            Ok((only, from)) => {
                let rung = self.alerts.changes();
                let first = asked.cursor.is_empty();
                let notices =
                    Notices { api: self.clone(), only, rung, told: BTreeSet::new(), first };
                Ok(watch::start(node, who, line, notices, from))
            }
            Err(refused) => {
                line.end::<()>(&Err(refused.clone()));
                Err(refused)
            }
        }
    }
}

/// Notices of some agreements.
struct Notices {
    api: NoticeApi,
    only: Vec<AgreementId>,
    rung: Receiver<u64>,
    /// What has rung for this watcher before its entry was here.
    told: BTreeSet<SubjectId>,
    /// Nothing has been read yet, and the watch begins at the present.
    first: bool,
}

impl Source for Notices {
    type Change = pb::WatchNoticesResponse;

    /// Rings come first and wait for nothing; only what is read from the views needs to know who
    /// holds it.
    async fn look(&mut self, last: u64) -> Option<Look<Self::Change>> {
        self.rung.mark_unchanged();
        let (api, only) = (self.api.clone(), self.only.clone());
        let mut told = std::mem::take(&mut self.told);
        let looked = tokio::task::spawn_blocking(move || {
            let rings = api.rings(&api.desk.node.reader(), &only, last, &mut told);
            let entries = watch::entries(&api.desk.node, last);
            (rings, entries, told)
        });
        let (rings, mut entries, told) = looked.await.ok()?;
        self.told = told;
        if !rings.is_empty() {
            return Some(Look { changes: rings, looked: 1, last: None });
        }
        let (looked, last_of) = (entries.len(), entries.last().map(|entry| entry.apply));
        let only = &self.only;
        entries
            .retain(|e| e.record_of(SubjectKind::Notice).is_some() && only.contains(&e.agreement));
        if entries.is_empty() && !self.first {
            return Some(Look { changes: Vec::new(), looked, last: last_of });
        }
        let status = self.api.desk.node.status().await?;
        let witnesses = Witnesses::of(&status, None);
        let (api, only, first) = (self.api.clone(), self.only.clone(), self.first);
        self.first = false;
        let changes = tokio::task::spawn_blocking(move || {
            let reader = api.desk.node.reader();
            let mut changes = Vec::new();
            if first {
                changes.extend(api.awaiting(&reader, &only, last, &witnesses));
            }
            changes.extend(entries.iter().filter_map(|e| api.change(&reader, e, &witnesses)));
            changes
        });
        Some(Look { changes: changes.await.ok()?, looked, last: last_of })
    }

    fn beat(&self, cursor: String) -> Self::Change {
        pb::WatchNoticesResponse { cursor, heartbeat: true, ..pb::WatchNoticesResponse::default() }
    }

    fn count(&self, change: &Self::Change, line: &mut AuditLine) {
        if let Some(notice) = &change.notice {
            line.shown_of(notice.issuing_city);
        }
    }

    async fn woken(&mut self) {
        // The sender lives as long as the service.
        if self.rung.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl NoticeApi {
    /// What has rung and this watcher was not told of.
    fn rings(
        &self,
        reader: &Reader,
        only: &[AgreementId],
        last: u64,
        told: &mut BTreeSet<SubjectId>,
    ) -> Vec<pb::WatchNoticesResponse> {
        let is_here =
            |agreement, subject| view::notice(&reader.view(), agreement, subject).is_some();
        let all = self.ringing(only, is_here);
        told.retain(|subject| all.iter().any(|alert| alert.subject == *subject));
        let new = all.iter().filter(|alert| told.insert(alert.subject));
        let ring = new.map(|alert| pb::WatchNoticesResponse {
            cursor: cursor::at(&self.desk.node, last),
            notice: Some(self.arriving(alert)),
            entry: String::new(),
            ring: true,
            heartbeat: false,
        });
        ring.collect()
    }

    /// Emergencies that wait for this city when a watch begins, the newest first.
    fn awaiting(
        &self,
        reader: &Reader,
        only: &[AgreementId],
        last: u64,
        witnesses: &Witnesses,
    ) -> Vec<pb::WatchNoticesResponse> {
        let mut found: Vec<((AgreementId, SubjectId), NoticeView)> = Vec::new();
        for agreement in only {
            self.waiting(reader, *agreement, &mut found);
        }
        let ring = found.iter().map(|(key, view)| pb::WatchNoticesResponse {
            cursor: cursor::at(&self.desk.node, last),
            notice: Some(self.written(reader, *key, view, witnesses)),
            entry: view.opened_at.to_string(),
            ring: true,
            heartbeat: false,
        });
        ring.collect()
    }

    /// Emergencies of an agreement that wait for this city, read in pieces, because a reading keeps
    /// the writer waiting.
    fn waiting(
        &self,
        reader: &Reader,
        agreement: AgreementId,
        found: &mut Vec<((AgreementId, SubjectId), NoticeView)>,
    ) {
        let own = self.desk.node.city();
        let (mut looked, mut below) = (0, None);
        while looked < NOTICES_LOOKED_THROUGH_MAX {
            let before = looked;
            view::notices_newest_first(&reader.view(), agreement, below, &mut |subject, view| {
                looked += 1;
                below = Some(view.opened_apply);
                if view.notice.kind.rings() && view.awaits(own) {
                    found.push(((agreement, subject), view));
                }
                looked < before + CHUNK && found.len() < RINGS_AT_BEGIN_MAX
            });
            if looked < before + CHUNK || found.len() >= RINGS_AT_BEGIN_MAX {
                return;
            }
        }
    }

    fn change(
        &self,
        reader: &Reader,
        entry: &FeedEntry,
        witnesses: &Witnesses,
    ) -> Option<pb::WatchNoticesResponse> {
        let key = (entry.agreement, entry.record_of(SubjectKind::Notice)?);
        let found = view::notice(&reader.view(), key.0, key.1)?;
        let opens = found.opened_at == entry.position;
        let rings = opens && found.notice.kind.rings() && found.awaits(self.desk.node.city());
        Some(pb::WatchNoticesResponse {
            cursor: cursor::at(&self.desk.node, entry.apply),
            notice: Some(self.written(reader, key, &found, witnesses)),
            entry: entry.position.to_string(),
            ring: rings,
            heartbeat: false,
        })
    }
}
