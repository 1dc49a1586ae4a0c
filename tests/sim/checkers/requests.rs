//! P6 and P7: one request, one result and one set of entries; every call answered, every refusal
//! with a reason of the published table.

use std::collections::BTreeMap;

use liandong::api::request::{Request, WriteError, Written};
use liandong::domain::Language;
use liandong::ids::{LogId, Position, Tag};
use liandong::sync::Frame;
use liandong::view;
use liandong::wire::reasons;
use liandong::wire::status::{Told, of_write};

use super::Checks;
use super::logs::Truth;
use crate::sim::cast::Cast;
use crate::sim::node::Node;

#[derive(Default)]
pub struct Answers {
    /// What each request of a city led to, and its body.
    first: BTreeMap<(usize, String), (Position, Vec<u8>)>,
    /// The last entry of each request of a city.
    tags: BTreeMap<(usize, Tag), (LogId, u64)>,
}

impl Answers {
    /// A city came back from an older copy: what it said since may be forgotten.
    pub fn forget_city(&mut self, city: usize) {
        self.first.retain(|(of, _), _| *of != city);
        self.tags.retain(|(of, _), _| *of != city);
    }
}

impl Checks {
    /// An entry of a city: no request is written twice.
    pub(super) fn learn_request(&mut self, city: usize, truth: &Truth) {
        let Some(tags) = truth.envelope.request else { return };
        let at = truth.envelope.position();
        let before = self.requests.tags.insert((city, tags.request), (at.log, at.index));
        let Some((log, index)) = before else { return };
        // Whoever has lost entries cannot know what they answered.
        let lost = self.restored.contains(&city) || self.rotted.contains(&city);
        if (log != at.log && !lost) || (log == at.log && index + 1 != at.index) {
            self.fail(format!("P6 one request of {city} at {log}:{index} and again at {at}"));
        }
    }

    pub(super) fn check_answer(
        &mut self,
        cast: &Cast,
        at: usize,
        node: &Node,
        request: &Request,
        result: &Result<Written, WriteError>,
    ) {
        let city = node.city;
        match result {
            Ok(written) => {
                if self.rotted.contains(&at) {
                    self.logs.acked.insert((city, written.position));
                } else if !self.is_excused(city) {
                    self.logs.acked.insert((city, written.position));
                    self.check_same(city, request, written);
                }
                self.check_readable(cast, at, node, written);
            }
            Err(error) => {
                let name = |code: liandong::ids::CityCode| code.to_string();
                let told = Told {
                    language: Language::En,
                    city: &name,
                    record: &liandong::wire::status::short_id,
                    allowed: &[],
                };
                let reason = of_write(error, &told).reason();
                if reasons::find(reason).is_none() {
                    self.fail(format!("P7 {at} refuses with {reason}, which no table has"));
                }
            }
        }
    }

    fn check_same(&mut self, city: usize, request: &Request, written: &Written) {
        let key = (city, request.request_id.clone());
        let fresh = (written.position, request.body.clone());
        let (position, body) = self.requests.first.entry(key).or_insert(fresh).clone();
        if position != written.position || body != request.body {
            let id = &request.request_id;
            let got = written.position;
            self.fail(format!("P6 request {id} of {city} led to {position}, then to {got}"));
        }
    }

    /// Whoever has written reads it.
    fn check_readable(&mut self, cast: &Cast, at: usize, node: &Node, written: &Written) {
        if node.core.as_ref().is_some_and(|core| core.is_poisoned()) || self.rotted.contains(&at) {
            return;
        }
        let held = self.logs.held[at].get(&written.position.log).copied().unwrap_or(0);
        if held <= written.position.index {
            return self
                .fail(format!("P1 {at} acknowledged {} and holds {held}", written.position));
        }
        let reader = node.reader.as_ref().unwrap();
        // A repetition may name an entry of an older log that is still being fetched back.
        let known = view::applied_entry(&reader.view(), written.position).is_some();
        if !known && !written.replayed {
            self.fail(format!("P9 {at} acknowledged {} and does not show it", written.position));
        }
        let _ = cast;
    }

    /// What was turned away carries a published reason.
    pub(super) fn check_reason(&mut self, at: usize, frame: &Frame) {
        let Frame::Refuse { reason, .. } = frame else { return };
        if reasons::find(reason).is_none() {
            self.fail(format!("P7 {at} turns a frame away with {reason}, which no table has"));
        }
    }
}
