//! PURE: folds events into records, waiting and misfits.
//!
//! The view of an agreement is a pure function of the *set* of its entries: per record the chain
//! from the opening, where of the moves that name its last move as `prev`, were seen, whose city
//! has the turn and which [`crate::domain::next`] allows (for a plan
//! [`crate::domain::plan::next`]), the one lowest by (epoch, log, index) comes next. What is
//! applied later may take an earlier choice back; then the record is folded again.
//!
//! In scope: what becomes of each entry, who may hold a part, the feed. Out of scope: the order in
//! which entries are applied ([`crate::node`]), signatures and roots ([`crate::log`]).
//!
//! Invariants:
//! 1. Any causal order of the same entries gives the same records and fold hash.
//!    (`every_causal_order_gives_the_same_view`)
//! 2. The incremental fold equals the fold of the set. (the same test)

mod audience;
mod case_chain;
mod case_view;
mod chain;
mod evidence_view;
mod fold;
mod happened;
mod hash;
mod keys;
mod meeting_view;
mod notice_view;
mod plan_books;
mod plan_chain;
mod plan_view;
mod plan_words;
mod record;
mod referral_view;
mod rows;
mod site_view;
#[cfg(test)]
mod tests;
mod unit_view;

pub use audience::{may_hold, may_hold_as, narrow_entries};
pub use case_view::{
    AppliedEntry, CaseView, EntryRole, FeedEntry, HistoryEntry, RecordRef, applied_entry, case,
    cases_newest_first, dated, feed, history, history_newest_first, openings,
};
pub use evidence_view::{
    EvidenceView, HandedOver, Judged, evidence, evidence_lists, evidence_standing,
};
pub use fold::{Applied, Effect, FoldEntry, apply, named};
pub use happened::{acknowledged, awaited, happened, milestone_stands, moved};
pub use hash::{fold_count, fold_hash};
pub use meeting_view::{MeetingView, Minutes, last_sitting, meeting, meetings_newest_first};
pub use notice_view::{NoticeView, Said, notice, notices_newest_first};
pub use plan_books::{Booked, UnitBooked, booked, bookings_of, unit_bookings};
pub use plan_view::{Heard, PlanView, plan, plan_facts_at, plans_newest_first};
pub use plan_words::{
    CaseFinding, Spoken, WordSort, case_findings, plan_takes_more, plan_word_at, plan_words,
};
pub use referral_view::{
    CampaignTag, ReferralStanding, ReferralWord, referral_standing, referral_words,
};
pub use rows::{MemRows, ReadRows, Rows};
pub use site_view::{SiteView, site, sites_newest_first};
pub use unit_view::{Place, UnitView, unit, unit_busy, unit_busy_in, units, whole_city};

/// Changes with every change of what the fold makes of entries; a new one rebuilds the rows.
pub const FOLD_VERSION: u32 = 12;
