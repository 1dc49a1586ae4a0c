//! Emergencies that have rung at this node and whose entries are still on their way.
//!
//! An alert comes by itself, ahead of everything that is being exchanged, so that people hear of an
//! emergency at once. It proves nothing: its sender is known by its certificate only, and it is
//! forgotten as soon as the entry is applied here. The entry is the record.
//!
//! In scope: which alerts are taken, keeping them. Out of scope: ringing others
//! ([`crate::node::ringer`]).
//!
//! Invariants:
//! 1. An alert is taken only from the city whose log it names, and only where this city is among
//!    those told. (`an_alert_is_taken_from_its_own_city_only`)
//! 2. Whatever a city sends, at most [`ALERTS_PER_CITY_MAX`] of its alerts are kept, and none for
//!    longer than a day. (`a_city_that_rings_without_end_is_told_to_stop`)

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::api::request::PartContent;
use crate::domain::Event;
use crate::domain::notice::{self, Notice, NoticeRecord};
use crate::ids::{AgreementId, CityCode, LogId, SubjectId};
use crate::limits::{ALERT_KEPT_S, ALERTS_PER_CITY_MAX, ALERTS_PER_S_MAX};
use crate::log::entry::check_entry;
use crate::log::{Entry, PartSlot, SubjectKind, subject_id};
use crate::node::core::AgreementBook;
use crate::node::writer::NodeHandle;
use crate::sync::RawEntry;
use crate::view;
use crate::wire;
use crate::wire::status::Refused;

/// What has rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its agreement.
    pub agreement: AgreementId,
    /// The notice it will be.
    pub subject: SubjectId,
    /// What its header says.
    pub notice: Notice,
    /// Clock of its author, milliseconds since 1970-01-01 UTC.
    pub issued_ms: i64,
    /// What it says.
    pub record: Option<NoticeRecord>,
}

/// What is kept, and since when.
type Kept = BTreeMap<(AgreementId, SubjectId), (Alert, Instant)>;

/// Alerts of this node; clones share them.
#[derive(Clone)]
pub struct Alerts {
    kept: Arc<Mutex<Kept>>,
    /// Alerts looked at in the present second, by city.
    rate: Arc<Mutex<BTreeMap<CityCode, (Instant, u32)>>>,
    rung: Arc<watch::Sender<u64>>,
    logs: Arc<tokio::sync::Mutex<KnownLogs>>,
}

/// Whose logs are known, as of the last time somebody had to ask.
#[derive(Default)]
struct KnownLogs {
    asked: Option<Instant>,
    of: BTreeMap<LogId, (AgreementId, CityCode)>,
}

/// The writing thread is asked for logs at most this often, whatever a city sends.
const ASK_PAUSE: Duration = Duration::from_secs(1);

impl Default for Alerts {
    fn default() -> Self {
        let rung = Arc::new(watch::Sender::new(0));
        Self { kept: Arc::default(), rate: Arc::default(), rung, logs: Arc::default() }
    }
}

impl Alerts {
    /// Changes with every alert that comes.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.rung.subscribe()
    }

    /// Alerts of these agreements, those whose notice `is_here` left out for good.
    #[must_use]
    pub fn of(
        &self,
        agreements: &[AgreementId],
        is_here: impl Fn(AgreementId, SubjectId) -> bool,
    ) -> Vec<Alert> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let young = |since: &Instant| since.elapsed() < Duration::from_secs(ALERT_KEPT_S);
        kept.retain(|(agreement, subject), (_, since)| {
            young(since) && !is_here(*agreement, *subject)
        });
        let all = kept.values().map(|(alert, _)| alert);
        all.filter(|alert| agreements.contains(&alert.agreement)).cloned().collect()
    }

    /// A city may ring so often in a second.
    fn may_ring(&self, city: CityCode) -> bool {
        let mut rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, count) = rate.entry(city).or_insert((Instant::now(), 0));
        if since.elapsed() >= Duration::from_secs(1) {
            (*since, *count) = (Instant::now(), 0);
        }
        *count += 1;
        *count <= ALERTS_PER_S_MAX
    }

    /// Takes what a city rings with; true when its entry is applied here already.
    ///
    /// # Errors
    /// `RATE_LIMITED`; see [`read`] and [`Self::keep`].
    pub async fn take(
        &self,
        node: &NodeHandle,
        from: CityCode,
        (agreement, entry): (AgreementId, RawEntry),
    ) -> Result<bool, Refused> {
        if !self.may_ring(from) {
            return Err(Refused::new("RATE_LIMITED").with("limit", ALERTS_PER_S_MAX));
        }
        let parsed = wire::entry::parse_header(&entry.header).ok();
        let author = match parsed {
            Some(parsed) => self.author(node, parsed.envelope.log).await,
            None => None,
        };
        let cities = (node.city(), from);
        let alert = read(&node.book(), cities, agreement, entry, author)?;
        let reader = node.reader();
        let is_here = |agreement: AgreementId, subject: SubjectId| {
            view::notice(&reader.view(), agreement, subject).is_some()
        };
        if is_here(agreement, alert.subject) {
            return Ok(true);
        }
        // What has come meanwhile makes room.
        let _ = self.of(&[], is_here);
        self.keep(alert).map(|()| false)
    }

    /// Whose log it is, and of which agreement.
    async fn author(&self, node: &NodeHandle, log: LogId) -> Option<(AgreementId, CityCode)> {
        let mut logs = self.logs.lock().await;
        if let Some(known) = logs.of.get(&log) {
            return Some(*known);
        }
        if logs.asked.is_none_or(|asked| asked.elapsed() >= ASK_PAUSE) {
            logs.asked = Some(Instant::now());
            let known = node.status().await.map(|status| status.logs).unwrap_or_default();
            logs.of = known.iter().map(|l| (l.log, (l.agreement, l.city))).collect();
        }
        logs.of.get(&log).copied()
    }

    /// Keeps an alert, and wakes whoever watches.
    ///
    /// # Errors
    /// `BUSY` when too many of that city's are kept.
    pub fn keep(&self, alert: Alert) -> Result<(), Refused> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (alert.agreement, alert.subject);
        let issuers = kept.values().map(|(alert, _)| alert.notice.issuer);
        let of_city = issuers.filter(|issuer| *issuer == alert.notice.issuer).count();
        if of_city >= ALERTS_PER_CITY_MAX && !kept.contains_key(&key) {
            return Err(Refused::new("BUSY"));
        }
        let since = kept.get(&key).map_or_else(Instant::now, |(_, since)| *since);
        if kept.insert(key, (alert, since)).is_none() {
            self.rung.send_modify(|count| *count += 1);
        }
        Ok(())
    }
}

/// Reads what rings: an entry of `from`, about an emergency that is for `own`.
///
/// `author` is the agreement and city of its log, where that is known here.
///
/// # Errors
/// `NOT_FOUND` where the two cities share no such agreement, or its log is not known here yet;
/// `CITY_SUSPENDED`; `CITY_MISMATCH` for another city's log; `ALERT_INVALID` for anything that is
/// no emergency for this city.
pub fn read(
    book: &AgreementBook,
    (own, from): (CityCode, CityCode),
    agreement: AgreementId,
    RawEntry { header, parts }: RawEntry,
    author: Option<(AgreementId, CityCode)>,
) -> Result<Alert, Refused> {
    let members = book.get(agreement).map(|a| a.cities()).unwrap_or_default();
    if !members.contains(&own) || !members.contains(&from) || own == from {
        return Err(Refused::new("NOT_FOUND"));
    }
    if book.is_suspended(from) {
        return Err(Refused::new("CITY_SUSPENDED"));
    }
    let invalid = || Refused::new("ALERT_INVALID");
    let parsed = wire::entry::parse_header(&header).map_err(|_| invalid())?;
    let entry = Entry { header, envelope: parsed.envelope, parts };
    check_entry(&entry).map_err(|_| invalid())?;
    // A log of another agreement is nothing that the two need to talk about.
    let author = author.filter(|(of, _)| *of == agreement);
    let (_, author) = author.ok_or(Refused::new("NOT_FOUND"))?;
    if author != from {
        let refused = Refused::new("CITY_MISMATCH");
        return Err(refused.with("cert", from).with("claimed", author));
    }
    let opens =
        entry.envelope.subject.kind == SubjectKind::Notice && entry.envelope.subject.id.is_none();
    let Event::NoticeIssued { kind, level, addressees } = parsed.event else {
        return Err(invalid());
    };
    let notice = Notice { kind, level, issuer: from, addressees };
    let fits = notice::opens(&notice, &members).is_ok();
    if !opens || !fits || !kind.rings() || !notice.addressees.contains(&own) {
        return Err(invalid());
    }
    Ok(Alert {
        agreement,
        subject: subject_id(entry.envelope.position()),
        notice,
        issued_ms: entry.envelope.record_time_ms,
        record: record(&entry),
    })
}

fn record(entry: &Entry) -> Option<NoticeRecord> {
    entry.parts.iter().find_map(|slot| {
        let PartSlot::Bytes(bytes) = slot else { return None };
        match wire::part::parse_part(bytes) {
            Ok(PartContent::Notice(record)) => Some(*record),
            Ok(_) | Err(_) => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notice::{NoticeKind, NoticeLevel};
    use crate::ids::Position;

    fn city(code: u32) -> CityCode {
        CityCode::from_u32(code).unwrap()
    }

    fn alert(nth: u64) -> Alert {
        let log = LogId::new([1; 32]);
        let notice = Notice {
            kind: NoticeKind::Emergency,
            level: Some(NoticeLevel::One),
            issuer: city(130_400),
            addressees: vec![city(371_500)],
        };
        Alert {
            agreement: AgreementId::new([2; 16]),
            subject: subject_id(Position { log, index: nth }),
            notice,
            issued_ms: 0,
            record: None,
        }
    }

    #[test]
    fn a_city_that_rings_without_end_is_told_to_stop() {
        let alerts = Alerts::default();
        let mut changes = alerts.changes();
        changes.mark_unchanged();
        for nth in 0..ALERTS_PER_CITY_MAX as u64 {
            alerts.keep(alert(nth)).unwrap();
        }
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        assert_eq!(alerts.keep(alert(1_000)).unwrap_err().reason(), "BUSY");
        // What is kept already rings once, however often it is offered.
        alerts.keep(alert(0)).unwrap();
        assert!(!changes.has_changed().unwrap());
        // Another city's, and this one's after an entry has come.
        let notice = Notice { issuer: city(410_900), ..alert(2_000).notice };
        alerts.keep(Alert { notice, ..alert(2_000) }).unwrap();
        let here = alert(3).subject;
        let kept = alerts.of(&[alert(0).agreement], |_, subject| subject == here);
        assert_eq!(kept.len(), ALERTS_PER_CITY_MAX);
        assert!(kept.iter().all(|alert| alert.subject != here));
        alerts.keep(alert(1_000)).unwrap();
        assert!(alerts.of(&[], |_, _| false).is_empty(), "only of agreements asked for");
        let looked_at = (0..100).filter(|_| alerts.may_ring(city(130_400))).count();
        assert!((8..100).contains(&looked_at), "{looked_at}");
        assert!(alerts.may_ring(city(410_900)));
    }
}
