//! Units as people read them: what a city has free on a half day.
//!
//! In scope: words. Out of scope: counting, which the node does.

use crate::lang::Lang;
use crate::wire::pb::v1 as pb;
use crate::wire::words;

/// One half day of one city, each kind as free/valid.
#[must_use]
pub fn free(counts: &pb::HalfDayCounts, lang: Lang) -> String {
    if counts.whole_city_busy {
        return lang.pick("全市占用", "whole city busy").to_owned();
    }
    let one = |count: &pb::KindCount| {
        let kind = words::unit_kind(count.kind(), lang);
        format!("{kind} {}/{}", count.valid.saturating_sub(count.busy), count.valid)
    };
    let all: Vec<String> = counts.counts.iter().map(one).collect();
    if all.is_empty() { "-".to_owned() } else { all.join(lang.pick("，", ", ")) }
}
