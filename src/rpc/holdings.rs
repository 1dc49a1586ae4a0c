//! Which other cities hold an entry, and since when.

use std::collections::BTreeMap;

use crate::api::status::{LogStatus, NodeStatus};
use crate::ids::{AgreementId, CityCode, LogId, Position};
use crate::node::reader::Reader;
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;

/// A log that cosigns others, and one that may be cosigned: its newest cosignatures as (city,
/// size, seconds since 1970-01-01 UTC), which are seen here before they are in the rows.
struct Witness {
    log: LogId,
    city: CityCode,
    newest: Vec<(CityCode, u64, u64)>,
}

impl Witness {
    fn of(log: &LogStatus) -> Self {
        let newest = log.cosignatures.iter().map(|c| (c.city, c.size, c.time_s)).collect();
        Self { log: log.log, city: log.city, newest }
    }
}

/// The logs of an agreement as witnesses of each other.
pub(super) struct Witnesses(Vec<Witness>);

impl Witnesses {
    /// Those of an agreement, or of all.
    pub(super) fn of(status: &NodeStatus, agreement: Option<AgreementId>) -> Self {
        let logs = status.logs.iter().filter(|log| agreement.is_none_or(|id| id == log.agreement));
        Self(logs.map(Witness::of).collect())
    }

    /// Cities that hold an entry, each since its earliest cosignature over it, in milliseconds
    /// since 1970-01-01 UTC by its own clock.
    pub(super) fn holding(&self, reader: &Reader, at: Position) -> BTreeMap<CityCode, i64> {
        let logs: Vec<_> = self.0.iter().map(|witness| witness.log).collect();
        let in_rows = reader.holdings(at, &logs).into_iter().filter_map(|(log, time_s)| {
            let witness = self.0.iter().find(|witness| witness.log == log)?;
            Some((witness.city, time_s))
        });
        let cosigned = self.0.iter().filter(|witness| witness.log == at.log);
        let newest = cosigned.flat_map(|witness| &witness.newest);
        let covering = newest.filter(|(_, size, _)| *size > at.index);
        let in_memory = covering.map(|(city, _, time_s)| (*city, *time_s));
        let mut held: BTreeMap<CityCode, i64> = BTreeMap::new();
        for (city, time_s) in in_rows.chain(in_memory) {
            let time_ms = i64::try_from(time_s).unwrap_or(0).saturating_mul(1000);
            let since = held.entry(city).or_insert(time_ms);
            *since = time_ms.min(*since);
        }
        held
    }

    /// The same for an answer, without the own city.
    pub(super) fn others(&self, reader: &Reader, at: Position, own: CityCode) -> Vec<pb::Holding> {
        let held = self.holding(reader, at).into_iter().filter(|(city, _)| *city != own);
        held.map(|(city, time_ms)| pb::Holding {
            city: city.as_u32(),
            hold_time: Some(read::timestamp(time_ms)),
        })
        .collect()
    }
}
