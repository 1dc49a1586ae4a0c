//! What rests on a log that stands still: one with two histories, or one that is suspended.
//!
//! Nothing more of such a log is taken. A head on it counts as met, else whoever has seen the other
//! history, or more than is here, would never be heard again; but only when nothing more of it can
//! be applied. What is here of it may be what the entry that names it rests on: an author that
//! has seen both names everything they rest on, so both are free at the same moment, and the one
//! below goes first. (`what_is_here_of_a_log_that_stands_goes_before_what_rests_on_it`)
//!
//! A replay comes to some entries later than they were written: damage was fetched again, further
//! on in the journal. They are waited for until its end.
//! (`what_comes_again_of_a_log_that_stands_is_waited_for`)
//!
//! Out of scope: when a log begins to stand still ([`super::commit`], [`super::suspension`]), and
//! what a replay still comes to ([`super::ahead`]).

use crate::ids::LogId;
use crate::journal::Disk;
use crate::node::core::Core;
use crate::node::core::logs::Log;
use crate::store::Store;

/// How a head is taken that is missing on a log that stands still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is met once nothing more of the logs that stand still can be applied.
    #[default]
    LastOfAll,
    /// It is missing: these logs go on among themselves.
    Missing,
    /// It is met: they hold one another.
    Met,
}

impl Log {
    /// It stands still and something of it can still be applied.
    fn stands_unfinished(&self) -> bool {
        (self.stands || self.stands_at.is_some()) && self.can_go_on()
    }
}

impl<D: Disk, S: Store> Core<D, S> {
    /// Whether a head that is missing on a log that stands still may be taken as met. Applies what
    /// is still to be applied of such logs.
    pub(super) fn standing_is_met(&mut self, log: LogId) -> bool {
        if self.comes_again(log) {
            return false;
        }
        match self.standing {
            Standing::Met => true,
            Standing::Missing => false,
            Standing::LastOfAll => {
                self.let_standing_go_on();
                true
            }
        }
    }

    /// Logs that stand still are applied as far as they go: first without one another, then, one
    /// at a time, those that hold each other.
    fn let_standing_go_on(&mut self) {
        loop {
            let before = self.apply_number;
            for how in [Standing::Missing, Standing::Met] {
                let unfinished = self.logs.iter().filter(|l| l.stands_unfinished());
                let unfinished: Vec<LogId> = unfinished.map(|l| l.id).collect();
                self.standing = how;
                for log in unfinished {
                    self.apply_from_journal(log);
                    if how == Standing::Met && self.apply_number != before {
                        break;
                    }
                }
                if self.apply_number != before {
                    break;
                }
            }
            self.standing = Standing::LastOfAll;
            if self.apply_number == before {
                return;
            }
        }
    }
}
