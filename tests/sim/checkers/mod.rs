//! The checkers: what must hold at every step, whatever goes wrong (P1 to P9).
//!
//! They look at what processes say, hold and send, and at nothing that the code under test
//! computes for its own use. The first thing found ends the run.
//!
//! | promise | where |
//! |---|---|
//! | P1, P2, P3 | [`logs`]: what was on disk stays, copies are prefixes, one entry at an index |
//! | receipts, P3 | [`receipts`]: every holder has signed, every proof is known to all |
//! | P4 | [`ending`]: equal logs and views; [`fold`]: the view folded anew from the set of entries;
//! | | [`notices`], [`meetings`], [`evidence`], [`referrals`], [`sites`], [`units`]: the same without turns; |
//! | | [`plans`]: chain, words and bookings by rules written down a second time; [`draws`] too; |
//! | | [`plan_oracle`]: the same by none of the program's functions, from [`plan_rules`] |
//! | P5 | [`audience`]: frames and disks; [`erased`]: the same of what was erased |
//! | P6, P7 | [`requests`]: one answer, one entry, a published reason |
//! | P8 | [`memory`]: what piles up; [`quotas`]: what a day may bring |
//! | P9 | [`feed`]: the order of application, never back, and causal; [`sessions`]: what one reads |
//! | turns | [`turns`]: one turn, one handling city, no two honest writers |

pub mod audience;
pub mod draws;
pub mod ending;
pub mod erased;
pub mod evidence;
pub mod feed;
pub mod fold;
pub mod logs;
pub mod meetings;
pub mod memory;
pub mod notices;
pub mod plan_oracle;
pub mod plan_rules;
pub mod plans;
pub mod quotas;
pub mod receipts;
pub mod referrals;
pub mod requests;
pub mod sessions;
pub mod sites;
pub mod turns;
pub mod units;

use std::collections::{BTreeMap, BTreeSet};

use liandong::api::request::{Request, WriteError, Written};
use liandong::ids::{Hash, LogId, SubjectId};
use liandong::sync::Frame;

use super::cast::Cast;
use super::node::Node;
use super::tally::Tally;

/// All checkers and what they remember.
pub struct Checks {
    /// The first thing that was wrong.
    pub failure: Option<String>,
    /// Cities of which two histories may exist: one lies, was copied, or came back untold.
    excused: BTreeSet<usize>,
    /// The one that lies as far as its keys let it.
    liar: Option<usize>,
    /// Cities that came back from an older copy.
    restored: BTreeSet<usize>,
    /// Processes whose disk has rotted.
    rotted: BTreeSet<usize>,
    /// Cities that a process has suspended since it last folded everything anew, and ever.
    suspended: BTreeSet<(usize, usize)>,
    ever_suspended: BTreeSet<(usize, usize)>,
    pub days: quotas::Days,
    /// Minutes that most members stood by, as a process has shown them.
    minutes_kept: BTreeMap<(usize, SubjectId), Hash>,
    /// Checks that count, of each city and agreement by enterprise and year.
    site_checks: BTreeMap<(usize, usize), BTreeMap<sites::Firm, u32>>,
    pub logs: logs::Logs,
    pub erased: erased::Erased,
    pub feeds: feed::Feeds,
    pub audience: audience::Watch,
    pub requests: requests::Answers,
    pub sessions: sessions::Sessions,
    pub turns: turns::Turns,
}

impl Checks {
    pub fn new(cities: usize) -> Self {
        let mut checks = Self {
            failure: None,
            excused: BTreeSet::new(),
            liar: None,
            restored: BTreeSet::new(),
            rotted: BTreeSet::new(),
            suspended: BTreeSet::new(),
            ever_suspended: BTreeSet::new(),
            days: quotas::Days::default(),
            minutes_kept: BTreeMap::new(),
            site_checks: BTreeMap::new(),
            logs: logs::Logs::default(),
            erased: erased::Erased::default(),
            feeds: feed::Feeds::default(),
            audience: audience::Watch::default(),
            requests: requests::Answers::default(),
            sessions: sessions::Sessions::default(),
            turns: turns::Turns::default(),
        };
        (0..cities).for_each(|_| checks.add_node());
        checks
    }

    pub fn add_node(&mut self) {
        self.logs.add_node();
        self.feeds.add_node();
    }

    pub fn fail(&mut self, what: String) {
        self.failure.get_or_insert(what);
    }

    /// From now on two histories of a city may exist.
    pub fn excuse_city(&mut self, city: usize) {
        self.excused.insert(city);
    }

    /// A city that lies: what its own node holds and shows is nobody's business. It may lack what
    /// was made up with its keys, and wait for that.
    pub fn lies(&mut self, city: usize) {
        self.excuse_city(city);
        self.liar = Some(city);
    }

    pub fn is_liar(&self, city: usize) -> bool {
        self.liar == Some(city)
    }

    pub fn is_excused(&self, city: usize) -> bool {
        self.excused.contains(&city)
    }

    /// Whether two histories of a log may exist.
    pub fn may_fork(&self, cast: &Cast, log: LogId) -> bool {
        cast.logs.get(&log).is_none_or(|l| self.excused.contains(&l.city))
    }

    /// A process has done a commit.
    pub fn committed(&mut self, cast: &Cast, at: usize, node: &Node, tally: &mut Tally) {
        self.grow(cast, at, node, tally);
        self.follow_feed(cast, at, node, tally);
    }

    /// A process has started on what its disk holds, and has been given nothing yet.
    pub fn found(&mut self, cast: &Cast, at: usize, node: &Node) {
        self.look_back(cast, at, node);
    }

    /// It goes on, if power was not lost again.
    pub fn started(&mut self, cast: &Cast, at: usize, node: &Node, tally: &mut Tally) {
        self.grow(cast, at, node, tally);
        self.feed_after_start(cast, at, node, tally);
    }

    /// A process goes on from an older copy of its disk; `told` when its guard knows better.
    pub fn restored(&mut self, cast: &Cast, at: usize, told: bool) {
        let city = at;
        self.restored.insert(city);
        if !told {
            self.excused.insert(city);
        }
        self.requests.forget_city(city);
        self.forget_copy(cast, at);
        if !told {
            self.feeds.forget(at);
        }
        self.sessions.forget(at);
        // What was suspended when the copy was made is so again.
        let again = self.ever_suspended.iter().filter(|(node, _)| *node == at);
        self.suspended.extend(again);
    }

    /// A process does not take in what a city writes from now on.
    pub fn suspends(&mut self, at: usize, city: usize) {
        self.suspended.insert((at, city));
        self.ever_suspended.insert((at, city));
    }

    /// A node goes on with another key: what it remembers of requests it finds no more.
    pub fn another_key(&mut self, at: usize) {
        self.requests.forget_city(at);
        self.sessions.forget(at);
    }

    /// A process goes on from a copy of another one's disk.
    pub fn copied(&mut self, from: usize, to: usize) {
        let cities = self.ever_suspended.iter().filter(|(at, _)| *at == from);
        let copied: Vec<_> = cities.map(|(_, city)| (to, *city)).collect();
        self.suspended.extend(copied);
    }

    /// A process starts anew, as if it had never suspended anybody but those cities.
    pub fn folded_anew(&mut self, at: usize, but: &[usize]) {
        self.suspended.retain(|(node, city)| *node != at || but.contains(city));
        self.sessions.forget(at);
    }

    /// Whether a log may stand still at a process because its city is suspended there. Where the
    /// word that lifts a suspension has rotted, the suspension stands again.
    pub fn may_stand(&self, cast: &Cast, at: usize, log: LogId) -> bool {
        cast.logs.get(&log).is_some_and(|l| {
            let suspended = (at, l.city);
            self.suspended.contains(&suspended)
                || (self.has_rotted(at) && self.ever_suspended.contains(&suspended))
        })
    }

    pub fn has_rotted(&self, at: usize) -> bool {
        self.rotted.contains(&at)
    }

    /// Something on a disk is not what was written.
    pub fn rotted(&mut self, at: usize) {
        self.rotted.insert(at);
    }

    /// A process sends a frame to a city.
    pub fn sent(
        &mut self,
        cast: &Cast,
        at: usize,
        node: &Node,
        to: usize,
        frame: &Frame,
        tally: &mut Tally,
    ) {
        self.check_promise(cast, at, node, frame);
        self.check_audience(cast, node.city, to, frame, tally);
        self.check_erased(cast, at, frame);
        self.check_reason(at, frame);
    }

    /// A process answers a call.
    pub fn answered(
        &mut self,
        cast: &Cast,
        at: usize,
        node: &Node,
        request: &Request,
        result: &Result<Written, WriteError>,
    ) {
        self.check_answer(cast, at, node, request, result);
    }
}
