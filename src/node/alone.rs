//! Entries of own logs that no other city is known to hold, and since when.
//!
//! In scope: the age of the oldest, and the alarm by age. Out of scope: cosignatures themselves
//! ([`crate::node::core`]).

use crate::api::status::{LogStatus, NodeStatus};
use crate::domain::both;
use crate::ids::{CityCode, Position};
use crate::node::reader::Reader;

/// Entries that another city has cosigned.
fn held_elsewhere(log: &LogStatus, own: CityCode) -> u64 {
    let others = log.cosignatures.iter().filter(|held| held.city != own);
    others.map(|held| held.size).max().unwrap_or(0)
}

/// Adds to a status since when entries have been alone, and the warning if that is too long.
pub(super) fn tell(reader: &Reader, status: &mut NodeStatus) {
    let (own, now_ms, alone_s) = (status.city, status.shell.now_ms, status.shell.alone_s);
    for log in status.logs.iter_mut().filter(|log| log.own) {
        let held = held_elsewhere(log, own);
        if held >= log.stored {
            continue;
        }
        // One record; one that is damaged is told of elsewhere.
        let first = reader.entry(Position { log: log.log, index: held });
        log.alone_since_ms = first.ok().map(|found| found.entry.envelope.record_time_ms);
        status.warnings.extend(warning(log, held, now_ms, alone_s));
    }
}

fn warning(log: &LogStatus, held: u64, now_ms: i64, alone_s: u64) -> Option<String> {
    let age_s = now_ms.saturating_sub(log.alone_since_ms?) / 1000;
    if age_s <= i64::try_from(alone_s).unwrap_or(i64::MAX) {
        return None;
    }
    let (count, hours) = (log.stored.saturating_sub(held), age_s / 3600);
    Some(both(
        &format!(
            "有 {count} 条记录只有本市存有，最早的已 {hours} 小时：\
             请尽快恢复与任一成员城市的连接，并做一次备份"
        ),
        &format!(
            "{count} records are held by this city alone, the oldest for {hours} hours: bring back \
             the link to any member, and make a backup"
        ),
    ))
}
