//! Suspension: what is not taken in here any more, by an operator's word or by the daily quota of
//! a log. It holds on this node only, and nobody else is told anything but "suspended".
//!
//! What a log had stored when it was suspended is applied, and no more of it is taken; a head
//! beyond that counts as met, so that all other logs go on. What rested on such a head was judged
//! without what it had seen: when a suspension is lifted, everything is folded anew from the
//! journal as if there had been none, at the next start, which comes at once.
//!
//! Invariants:
//! 1. Once a suspension is lifted and the logs are here, the views are those of a node that never
//!    suspended anybody. (`a_suspension_that_was_lifted_leaves_no_trace`)
//! 2. A replay ends in the views that were lived, also while something is suspended.
//!    (`a_replay_under_a_suspension_is_what_was_lived`)
//! 3. On one day no more is stored of one log of another city than its quota, whatever it sends.
//!    (`a_log_that_outruns_its_day_stands_still_here`)

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use crate::api::order::OrderError;
use crate::api::status::SuspensionStatus;
use crate::domain::both;
use crate::ids::{CityCode, LogId};
use crate::journal::{Disk, JournalError, RecordKind, SuspensionFact};
use crate::log::manifest::SignedManifest;
use crate::node::core::io::{Output, Ticket};
use crate::node::core::logs::Log;
use crate::node::core::rows::DayRow;
use crate::node::core::{Core, Now};
use crate::store::Store;
use crate::sync::{Action, LinkId};
use crate::wire::status::Refused;

/// A day begins at midnight in Beijing, as for everybody who reads of it; milliseconds.
const BEIJING_MS: i64 = 8 * 3_600_000;
const DAY_MS: i64 = 86_400_000;

/// A suspension in force.
#[derive(Debug)]
struct Standing {
    at_ms: i64,
    reason: String,
    by: String,
    /// Its record has its place in the journal: logs that become known stand still at once.
    placed: bool,
}

/// Records of suspensions that a later record has lifted, and those later records.
#[derive(Debug, Default, PartialEq, Eq)]
struct Lifted {
    void: BTreeSet<u64>,
    resumed: BTreeSet<u64>,
}

impl Lifted {
    /// From all suspension records of a journal, in order.
    fn of(facts: &[(u64, SuspensionFact)]) -> Self {
        let mut lifted = Self::default();
        for (number, fact) in facts {
            let SuspensionFact::Resumed { city, .. } = fact else { continue };
            lifted.resumed.insert(*number);
            let earlier = facts.iter().take_while(|(before, _)| before < number);
            let of_city = earlier.filter(|(_, fact)| match fact {
                SuspensionFact::City { city: of, .. } | SuspensionFact::Log { city: of, .. } => {
                    of == city
                }
                SuspensionFact::Resumed { .. } => false,
            });
            lifted.void.extend(of_city.map(|(before, _)| *before));
        }
        lifted
    }
}

/// What is suspended here.
#[derive(Debug, Default)]
pub(super) struct Suspensions {
    cities: BTreeMap<CityCode, Standing>,
    logs: BTreeMap<LogId, Standing>,
    /// Cities whose suspension is lifted from the next start on.
    resuming: BTreeSet<CityCode>,
    /// What the views were made with.
    lifted: Lifted,
}

impl Suspensions {
    pub(super) fn count(&self) -> usize {
        self.cities.len() + self.logs.len()
    }

    /// Whether an operator has suspended a city.
    pub(super) fn has(&self, city: CityCode) -> bool {
        self.cities.contains_key(&city)
    }
}

/// Orders of an operator.
impl<D: Disk, S: Store> Core<D, S> {
    /// `liandong suspend`: at once, and for good once it is on disk.
    pub(super) fn suspend(
        &mut self,
        now: Now,
        ticket: Ticket,
        city: CityCode,
        (reason, by): (String, String),
    ) -> Vec<Output> {
        if let Err(error) = self.check_order(city) {
            return vec![Output::Ordered(ticket, Err(error))];
        }
        let mut outputs = Vec::new();
        if !self.suspensions.has(city) || self.suspensions.resuming.remove(&city) {
            let of_city = self.logs.iter().filter(|l| l.manifest.city == city);
            // What is synced: what has only been gathered may still be lost with its group.
            let logs = of_city.map(|l| (l.id, l.durable.size)).collect();
            tracing::warn!(%city, "suspended by an operator");
            let fact = SuspensionFact::City { city, at_ms: now.wall_ms, reason, by, logs };
            outputs = self.write_suspension(now, &fact);
            for link in self.exchange.links_of(city) {
                let refused = Refused::new("CITY_SUSPENDED");
                outputs.extend(self.end_link(now, link, &refused, "suspended here"));
            }
        }
        self.group.dirty = true;
        self.group.after.push(Output::MembersChanged);
        self.group.after.push(Output::Ordered(ticket, Ok(())));
        outputs
    }

    /// `liandong resume`: lifts everything that stands of a city, from the next start on.
    pub(super) fn resume(
        &mut self,
        now: Now,
        ticket: Ticket,
        city: CityCode,
        by: String,
    ) -> Vec<Output> {
        let mut logs = self.suspensions.logs.keys();
        let of_city = |id: &LogId| self.logs.get(*id).is_some_and(|l| l.manifest.city == city);
        let stands = self.suspensions.has(city) || logs.any(of_city);
        let checked = self.check_order(city);
        let checked = checked.and_then(|()| stands.then_some(()).ok_or(OrderError::NotSuspended));
        if let Err(error) = checked {
            return vec![Output::Ordered(ticket, Err(error))];
        }
        if self.suspensions.resuming.insert(city) {
            tracing::warn!(%city, "resumed by an operator; everything is folded anew");
            let fact = SuspensionFact::Resumed { city, at_ms: now.wall_ms, by };
            self.group.small.push((RecordKind::Suspension, fact.encode().into()));
        }
        self.group.dirty = true;
        self.group.after.push(Output::Ordered(ticket, Ok(())));
        self.group.after.push(Output::StartAnew);
        Vec::new()
    }

    fn check_order(&self, city: CityCode) -> Result<(), OrderError> {
        if let Some(detail) = &self.poisoned {
            return Err(OrderError::StorageFailed { detail: detail.clone() });
        }
        if city == self.settings.city {
            return Err(OrderError::OwnCity);
        }
        match self.book.partners(self.settings.city).contains(&city) {
            true => Ok(()),
            false => Err(OrderError::NotFound),
        }
    }

    /// A city that is suspended here calls, or is called: it hears so, and no more.
    pub(super) fn refuse_suspended(&self, link: LinkId) -> Vec<Output> {
        let refused = Refused::new("CITY_SUSPENDED");
        vec![super::follow::refuse(link, &refused, None), Output::Close(link, "suspended here")]
    }

    /// What is suspended, for people.
    pub(super) fn suspension_statuses(&self) -> Vec<SuspensionStatus> {
        let cities = self.suspensions.cities.iter().map(|(city, s)| (*city, None, s));
        let logs = self.suspensions.logs.iter().filter_map(|(id, s)| {
            let city = self.logs.get(*id)?.manifest.city;
            Some((city, Some(*id), s))
        });
        let shown = |(city, log, standing): (CityCode, Option<LogId>, &Standing)| {
            let resuming = self.suspensions.resuming.contains(&city);
            let Standing { at_ms, reason, by, .. } = standing;
            let (reason, by) = (reason.clone(), by.clone());
            SuspensionStatus { city, log, at_ms: *at_ms, reason, by, resuming }
        };
        cities.chain(logs).map(shown).collect()
    }

    pub(super) fn suspension_warnings(&self) -> impl Iterator<Item = String> {
        self.suspension_statuses().into_iter().map(|one| {
            let city = one.city;
            match one.log {
                _ if one.resuming => both(
                    &format!("{city} 已恢复，本市节点重启后生效：请重启节点"),
                    &format!("{city} is taken back once this node is started anew: restart it"),
                ),
                None => both(
                    &format!(
                        "{city} 已在本机暂停（{}）：不与其连接，其此后的记录在本机不生效；\
                         问题解决后运行 liandong resume {city}",
                        one.reason
                    ),
                    &format!(
                        "{city} is suspended here ({}): it is not linked, and what it writes from \
                         then on does not take effect here; once all is well run liandong resume \
                         {city}",
                        one.reason
                    ),
                ),
                Some(log) => both(
                    &format!(
                        "{city} 的签名记录 {log} 一日内来量超过限额，已在本机暂停，不再接收：\
                         请与该市核实，属实再运行 liandong resume {city}"
                    ),
                    &format!(
                        "more came of {log} of {city} in a day than may, so it is suspended here: \
                         ask that city, and if all is well run liandong resume {city}"
                    ),
                ),
            }
        })
    }
}

/// The daily quota.
impl<D: Disk, S: Store> Core<D, S> {
    /// What a log has brought today, if so much more is taken of it.
    ///
    /// Counted by the own clock in the log's row. A replay does not count: what is not in a row yet
    /// when the process dies is left out, and views that are made anew begin at nothing, so that a
    /// log brings at most its quota once more.
    pub(super) fn day_with(&self, id: LogId, entries: u64, bytes: u64) -> Option<DayRow> {
        let log = self.logs.get(id)?;
        let day = self.now.wall_ms.saturating_add(BEIJING_MS).div_euclid(DAY_MS);
        let before = Some(log.grown.day).filter(|d| d.day == day);
        let before = before.unwrap_or(DayRow { day, entries: 0, bytes: 0 });
        let entries = before.entries.saturating_add(entries);
        let bytes = before.bytes.saturating_add(bytes);
        // What an own log has lost comes back all at once.
        let own = log.manifest.city == self.settings.city;
        let fits = entries <= self.settings.log_entries_per_day_max
            && bytes <= self.settings.log_bytes_per_day_max;
        #[cfg(feature = "planted-bugs")]
        let fits = fits || crate::planted::is_on("beyond-the-quota");
        (own || fits).then_some(DayRow { day, entries, bytes })
    }

    /// A log has outrun its day: it stands still here until an operator has looked.
    pub(super) fn suspend_log(&mut self, now: Now, log: LogId) -> Vec<Output> {
        let Some(found) = self.logs.get(log).filter(|l| !l.shut) else { return Vec::new() };
        let (city, size) = (found.manifest.city, found.durable.size);
        tracing::error!(%log, %city, size, "a log has outrun its daily quota; it stands still");
        let at_ms = now.wall_ms;
        self.write_suspension(now, &SuspensionFact::Log { city, at_ms, log, size })
    }
}

/// Records.
impl<D: Disk, S: Store> Core<D, S> {
    fn write_suspension(&mut self, now: Now, fact: &SuspensionFact) -> Vec<Output> {
        self.shut(fact);
        self.group.small.push((RecordKind::Suspension, fact.encode().into()));
        self.group.dirty = true;
        let shut: Vec<LogId> = self.logs.iter().filter(|l| l.shut).map(|l| l.id).collect();
        let drop = |log| self.exchange.log_known(now.mono_ms, &self.logs, log);
        let actions: Vec<Action> = shut.into_iter().flat_map(drop).collect();
        self.perform(actions)
    }

    /// From now on nothing more is taken.
    fn shut(&mut self, fact: &SuspensionFact) {
        match fact {
            SuspensionFact::City { city, at_ms, reason, by, .. } => {
                let (reason, by) = (reason.clone(), by.clone());
                let standing = Standing { at_ms: *at_ms, reason, by, placed: false };
                self.suspensions.cities.insert(*city, standing);
                self.book.suspend(*city);
                let of_city = self.logs.iter_mut().filter(|l| l.manifest.city == *city);
                of_city.for_each(|log| log.shut = true);
            }
            SuspensionFact::Log { at_ms, log, .. } => {
                let (reason, by) = (String::new(), String::new());
                let standing = Standing { at_ms: *at_ms, reason, by, placed: true };
                self.suspensions.logs.insert(*log, standing);
                if let Some(log) = self.logs.get_mut(*log) {
                    log.shut = true;
                }
            }
            SuspensionFact::Resumed { .. } => {}
        }
    }

    /// From this place in the journal on its logs stand still.
    fn stand(&mut self, fact: &SuspensionFact) {
        let one;
        let standing: &[(LogId, u64)] = match fact {
            SuspensionFact::City { city, logs, .. } => {
                if let Some(standing) = self.suspensions.cities.get_mut(city) {
                    standing.placed = true;
                }
                logs
            }
            SuspensionFact::Log { log, size, .. } => {
                one = [(*log, *size)];
                &one
            }
            SuspensionFact::Resumed { .. } => &[],
        };
        for (log, size) in standing {
            if let Some(log) = self.logs.get_mut(*log) {
                log.stands_at.get_or_insert(*size);
            }
        }
    }

    /// The record of a suspension has its place in the journal: whoever waited for its logs goes
    /// on, in a replay as when it was written.
    pub(super) fn place_suspension(&mut self, payload: &[u8]) {
        if let Some(fact) = SuspensionFact::decode(payload) {
            self.stand(&fact);
            self.apply_released();
        }
    }

    /// A manifest has its place in the journal: its log stands still if its city is suspended.
    pub(super) fn place_manifest(&mut self, note: &Bytes) {
        let Ok(manifest) = SignedManifest::peek(note) else { return };
        let suspended = self.suspensions.cities.get(&manifest.city).is_some_and(|s| s.placed);
        if let Some(log) = self.logs.get_mut(manifest.log_id()).filter(|_| suspended) {
            log.stand_somewhere();
            self.apply_released();
        }
    }

    /// A record that a replay comes to; one that was lifted later never was.
    pub(super) fn replay_suspension(&mut self, number: u64, payload: &[u8]) {
        let Some(fact) = SuspensionFact::decode(payload) else {
            tracing::warn!("a suspension of a later version is left alone");
            return;
        };
        if !self.suspensions.lifted.void.contains(&number) {
            self.shut(&fact);
            self.place_suspension(payload);
        }
    }

    /// Takes the suspensions that stand beside views that were made before. False when one of them
    /// was lifted since: then the views are made anew.
    pub(super) fn take_suspensions(&mut self, records: &[(u64, Bytes)]) -> bool {
        let known = |(number, payload): &(u64, Bytes)| {
            SuspensionFact::decode(payload).map(|fact| (*number, fact))
        };
        let facts: Vec<_> = records.iter().filter_map(known).collect();
        self.suspensions.lifted = Lifted::of(&facts);
        let outdated = self.suspensions.lifted.resumed.len() as u64 != self.made_over.lifted;
        #[cfg(feature = "planted-bugs")]
        let outdated = outdated && !crate::planted::is_on("resume-without-folding");
        if outdated {
            return false;
        }
        for (number, fact) in &facts {
            if self.suspensions.lifted.void.contains(number) {
                continue;
            }
            self.shut(fact);
            self.stand(fact);
        }
        // Those that became known after their city was suspended.
        self.logs.iter_mut().filter(|l| l.shut).for_each(Log::stand_somewhere);
        true
    }

    /// Whether a record lifts a suspension that the views do not know to be lifted.
    pub(super) fn lifts_more(&self, number: u64, kind: RecordKind, payload: &[u8]) -> bool {
        kind == RecordKind::Suspension
            && !self.suspensions.lifted.resumed.contains(&number)
            && matches!(SuspensionFact::decode(payload), Some(SuspensionFact::Resumed { .. }))
    }

    /// Reads in the whole journal which suspensions were lifted, for views that are made anew.
    pub(super) fn read_lifted(&mut self) -> Result<(), JournalError> {
        let mut facts = Vec::new();
        self.journal.reader().scan(0, &mut |record, kind, payload| {
            let fact = Some(payload).filter(|_| kind == RecordKind::Suspension);
            let fact = fact.and_then(SuspensionFact::decode);
            facts.extend(fact.map(|fact| (record.number, fact)));
            true
        })?;
        self.suspensions.lifted = Lifted::of(&facts);
        self.made_over.lifted = self.suspensions.lifted.resumed.len() as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn city(code: u32) -> CityCode {
        CityCode::from_u32(code).unwrap()
    }

    fn stops(code: u32) -> SuspensionFact {
        let (reason, by) = (String::new(), String::new());
        SuspensionFact::City { city: city(code), at_ms: 0, reason, by, logs: Vec::new() }
    }

    fn resumes(code: u32) -> SuspensionFact {
        SuspensionFact::Resumed { city: city(code), at_ms: 0, by: String::new() }
    }

    #[test]
    fn a_resumption_lifts_what_stood_of_its_city_before_it_and_nothing_else() {
        let log = LogId::new([1; 32]);
        let full = SuspensionFact::Log { city: city(371_500), at_ms: 0, log, size: 4 };
        let facts = [
            (1, stops(371_500)),
            (3, stops(130_400)),
            (4, full),
            (7, resumes(371_500)),
            (9, stops(371_500)),
        ];
        let lifted = Lifted::of(&facts);
        assert_eq!(lifted.void, BTreeSet::from([1, 4]));
        assert_eq!(lifted.resumed, BTreeSet::from([7]));
    }
}
