//! PURE: what records mean. No bytes, no trees, no network, no clock, no floats.
//!
//! In scope: cases, who may move them, the values of which records are made, the words people
//! see. Out of scope: logs and their order ([`crate::log`]), how any of this is encoded.
//!
//! [`open`] and [`next`] are the transition table that every node applies to every event;
//! [`decide`] and its sisters are asked only by the city that wants to write.

pub mod awaited;
pub mod calendar;
pub mod case;
pub mod catalogue;
pub mod code;
pub mod date;
pub mod deadline;
pub mod decide;
pub mod department;
pub mod division;
pub mod draw;
pub mod event;
pub mod evidence;
pub mod evidence_act;
pub mod facts;
pub mod file_name;
pub mod half_day;
pub mod invalid;
pub mod kind;
pub mod law;
pub mod meeting;
pub mod notice;
pub mod officer;
pub mod party;
pub mod party_search;
pub mod person;
pub mod place;
pub mod plan;
pub mod pollutant;
pub mod quantity;
pub mod record;
pub mod referral;
pub mod refusal;
pub mod same_act;
pub mod site;
pub mod slots;
pub mod statistics;
pub mod text;
pub mod transition;
pub mod unit;
pub mod unit_kind;
pub mod uscc;
pub mod violation;
pub mod words;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod tests;

pub use case::{AuthorityLevel, Case, CaseContribution, CaseMove, CaseState, CaseStep, Transfer};
pub use code::{BETWEEN, Language, Words, both};
pub use date::Date;
pub use decide::{decide, decide_contribution, decide_open};
pub use department::Department;
pub use division::CountyCode;
pub use event::{ErasureReason, Event};
pub use evidence::Evidence;
pub use evidence_act::{CustodyRecord, DeclineGround, EvidenceAct, EvidencePlace};
pub use facts::{BorderDistance, CaseFacts, DataLevel, Medium, Source};
pub use file_name::FileName;
pub use half_day::{Half, HalfDay, Period};
pub use invalid::{Invalid, InvalidReason};
pub use kind::MoveKind;
pub use meeting::{Meeting, MeetingAct, MeetingRecord, MeetingState};
pub use notice::{Notice, NoticeAct, NoticeKind, NoticeLevel, NoticeRecord};
pub use person::PersonRecord;
pub use record::{CaseDraft, CaseRecord, ExternalRef};
pub use referral::{
    Campaign, CopiedPaper, PoliceAnswer, ProcuratorateOpinion, Referral, ReferralAct, ReferralKind,
    ReferralPaper, ReferralRecord,
};
pub use refusal::{Misfit, Refusal};
pub use site::{Listing, SiteAct, SiteCheck, SiteFacts, SiteRecord};
pub use transition::{allowed_moves, next, open, steps_from};
pub use unit::{UnitAct, UnitFacts, UnitRecord};
pub use unit_kind::UnitKind;
pub use uscc::Uscc;
pub use violation::Violation;
