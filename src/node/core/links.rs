//! What is shown of the links to member cities.

use std::collections::BTreeMap;

use crate::api::status::LinkStatus;
use crate::ids::CityCode;
use crate::node::core::Now;
use crate::sync::LinkId;

#[derive(Debug)]
struct Shown {
    link: Option<LinkId>,
    status: LinkStatus,
}

/// One line for each city with which there is, or was, or should be a link.
#[derive(Debug, Default)]
pub struct LinkBook(BTreeMap<CityCode, Shown>);

impl LinkBook {
    /// All lines, by city.
    pub fn statuses(&self) -> Vec<LinkStatus> {
        self.0.values().map(|shown| shown.status.clone()).collect()
    }

    fn line(&mut self, now: Now, city: CityCode) -> &mut Shown {
        self.0.entry(city).or_insert_with(|| Shown {
            link: None,
            status: LinkStatus {
                city,
                up: false,
                dialled_by_us: false,
                address: String::new(),
                since_ms: now.wall_ms,
                reason: String::new(),
                heard_ms: 0,
                strikes: 0,
                duplicates: 0,
            },
        })
    }

    /// A connection stands; a link that is up stays on the page until it is replaced.
    pub fn connected(
        &mut self,
        now: Now,
        link: LinkId,
        city: CityCode,
        by_us: bool,
        address: String,
    ) {
        let shown = self.line(now, city);
        if shown.status.up {
            return;
        }
        shown.link = Some(link);
        shown.status.dialled_by_us = by_us;
        shown.status.address = address;
        shown.status.since_ms = now.wall_ms;
        shown.status.heard_ms = now.wall_ms;
        shown.status.reason = "waiting for its greeting".to_owned();
    }

    /// Its greeting was taken.
    pub fn greeted(&mut self, now: Now, link: LinkId, city: CityCode, by_us: bool) {
        let shown = self.line(now, city);
        shown.link = Some(link);
        shown.status.up = true;
        shown.status.dialled_by_us = by_us;
        shown.status.since_ms = now.wall_ms;
        shown.status.heard_ms = now.wall_ms;
        shown.status.reason = String::new();
    }

    /// A link ended; nothing changes for a city that has another one.
    pub fn down(&mut self, now: Now, link: LinkId, reason: &str) {
        if let Some(shown) = self.0.values_mut().find(|shown| shown.link == Some(link)) {
            shown.link = None;
            shown.status.up = false;
            shown.status.since_ms = now.wall_ms;
            shown.status.reason = reason.to_owned();
        }
    }

    /// A dial did not succeed.
    pub fn failed(&mut self, now: Now, city: CityCode, address: Option<&String>, reason: String) {
        let shown = self.line(now, city);
        if shown.link.is_some() {
            return;
        }
        shown.status.dialled_by_us = true;
        shown.status.address = address.cloned().unwrap_or_default();
        shown.status.reason = reason;
    }

    /// Something came.
    pub fn heard(&mut self, now: Now, city: CityCode) {
        self.line(now, city).status.heard_ms = now.wall_ms;
    }

    /// Something wrong came.
    pub fn strike(&mut self, now: Now, city: CityCode) {
        self.line(now, city).status.strikes += 1;
    }

    /// Something came that was here already.
    pub fn duplicate(&mut self, now: Now, city: CityCode) {
        self.line(now, city).status.duplicates += 1;
    }
}
