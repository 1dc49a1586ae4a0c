//! The published table: every reason a refusal can carry, its gRPC code and what people are told.
//!
//! `{key}` in a text is replaced by the metadata of that name. Reasons and codes never change.
//! One file a theme; what several share stands where it was first needed.

mod beside;
mod cases;
mod node;
mod plans;
mod sites;
mod units;

use tonic::Code;

use crate::domain::{InvalidReason, Words};

/// One line of the table: reason, code, Chinese, English.
pub type Line = (&'static str, Code, &'static str, &'static str);

/// The tables by theme. No reason stands in two of them.
const TABLES: &[&[Line]] = &[
    node::REASONS,
    cases::REASONS,
    beside::NOTICES,
    beside::MEETINGS,
    beside::EVIDENCE,
    beside::REFERRALS,
    sites::SITES,
    units::UNITS,
    plans::PLANS,
    plans::FACTS,
    plans::FINDINGS,
];

/// The whole table, each reason once.
pub fn all() -> impl Iterator<Item = Line> {
    let lines = || TABLES.iter().copied().flatten().copied();
    let field = move |reason: &InvalidReason| {
        let told = lines().any(|(name, ..)| name == reason.code());
        (!told).then(|| (reason.code(), Code::InvalidArgument, reason.zh(), reason.en()))
    };
    lines().chain(InvalidReason::ALL.iter().filter_map(field))
}

/// The line of a reason.
#[must_use]
pub fn find(reason: &str) -> Option<Line> {
    all().find(|(name, ..)| *name == reason)
}
