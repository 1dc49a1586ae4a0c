//! The fold hash: equal on all nodes with equal heads, apply numbers and arrival left out.

use serde::de::DeserializeOwned;

use super::case_view::CaseView;
use super::meeting_view::MeetingView;
use super::notice_view::NoticeView;
use super::plan_view::PlanView;
use super::plan_words;
use super::referral_view;
use super::rows::{ReadRows, bytes};
use super::site_view::SiteView;
use super::unit_view::{self, UnitView};
use super::{FOLD_VERSION, keys};
use crate::domain::EvidencePlace;
use crate::ids::{AgreementId, Hash, LogId, Position, SubjectId};
use crate::log::Head;
use crate::log::merkle::digest;

/// Cases that [`fold_hash`] covers.
#[must_use]
pub fn fold_count(rows: &(impl ReadRows + ?Sized), agreement: AgreementId) -> u32 {
    let mut count = 0;
    each_case(rows, agreement, &mut |_, view| count += u32::from(!view.needs_newer));
    count
}

/// SHA-256 over the fold version, the applied heads by log, then (record, SHA-256 of its state) by
/// case, by notice, by meeting, by site, by unit and by plan; with a case goes what was said of its
/// evidence, who took it over and its referrals, with a unit when it is busy, with a plan what was
/// said to it. What an entry of a newer kind holds is left out.
#[must_use]
pub fn fold_hash(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    applied: &[Head],
) -> Hash {
    let mut text = FOLD_VERSION.to_be_bytes().to_vec();
    let mut heads = applied.to_vec();
    heads.sort_unstable();
    for head in heads {
        text.extend_from_slice(head.log.as_bytes());
        text.extend_from_slice(&head.size.to_be_bytes());
        text.extend_from_slice(head.root.as_bytes());
    }
    each_case(rows, agreement, &mut |key, view| {
        if !view.needs_newer {
            text.extend_from_slice(key.get(17..).unwrap_or_default());
            text.extend_from_slice(state_digest(view).as_bytes());
            let subject = key.get(17..).and_then(|id| SubjectId::from_slice(id).ok());
            subject.inspect(|subject| {
                add_evidence(rows, agreement, *subject, &mut text);
                referral_view::each_row(rows, (agreement, *subject), &mut |said| {
                    text.extend_from_slice(said);
                });
            });
        }
    });
    each_notice(rows, agreement, &mut |key, view| {
        if !view.needs_newer {
            text.extend_from_slice(key.get(17..).unwrap_or_default());
            text.extend_from_slice(notice_digest(view).as_bytes());
        }
    });
    let key = |subject| keys::meeting(agreement, subject);
    each(rows, &key, &mut |key, view: &MeetingView| {
        if !view.needs_newer {
            text.extend_from_slice(key.get(17..).unwrap_or_default());
            text.extend_from_slice(meeting_digest(view).as_bytes());
        }
    });
    each(rows, &|subject| keys::site(agreement, subject), &mut |key, view: &SiteView| {
        if !view.needs_newer {
            text.extend_from_slice(key.get(17..).unwrap_or_default());
            text.extend_from_slice(site_digest(view).as_bytes());
        }
    });
    let key = |subject| keys::unit(agreement, subject);
    each(rows, &key, &mut |key, view: &UnitView| {
        let id = key.last_chunk::<16>().filter(|_| !view.needs_newer);
        id.inspect(|id| add_unit(rows, (agreement, SubjectId::new(**id)), view, &mut text));
    });
    let key = |subject| keys::plan(agreement, subject);
    each(rows, &key, &mut |key, view: &PlanView| {
        let id = key.last_chunk::<16>().filter(|_| !view.needs_newer);
        id.inspect(|id| add_plan(rows, (agreement, SubjectId::new(**id)), view, &mut text));
    });
    digest(&text)
}

/// What was said of a case's evidence, item by item.
fn add_evidence(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    subject: SubjectId,
    text: &mut Vec<u8>,
) {
    let key = |byte, number, index| {
        let entry = Position { log: LogId::new([byte; 32]), index };
        keys::evidence(agreement, subject, EvidencePlace { entry, part: number, item: number })
    };
    let mut to = key(255, u32::MAX, u64::MAX);
    to.push(0);
    rows.scan(&key(0, 0, 0), &to, false, &mut |key, value| {
        text.extend_from_slice(key.get(33..).unwrap_or_default());
        text.extend_from_slice(digest(value).as_bytes());
        true
    });
}

/// A unit and its years.
fn add_unit(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): (AgreementId, SubjectId),
    view: &UnitView,
    text: &mut Vec<u8>,
) {
    text.extend_from_slice(subject.as_bytes());
    text.extend_from_slice(unit_digest(view).as_bytes());
    unit_view::each_year_row(rows, (agreement, subject), view, &mut |year, row| {
        text.extend_from_slice(year);
        text.extend_from_slice(digest(row).as_bytes());
    });
}

/// A plan and what was said to it.
fn add_plan(
    rows: &(impl ReadRows + ?Sized),
    record: (AgreementId, SubjectId),
    view: &PlanView,
    text: &mut Vec<u8>,
) {
    text.extend_from_slice(record.1.as_bytes());
    text.extend_from_slice(plan_digest(view).as_bytes());
    plan_words::each_word_row(rows, record, &mut |place, row| {
        text.extend_from_slice(place);
        text.extend_from_slice(digest(row).as_bytes());
    });
}

fn each_case(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    f: &mut dyn FnMut(&[u8], &CaseView),
) {
    each(rows, &|subject| keys::case(agreement, subject), f);
}

fn each_notice(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    f: &mut dyn FnMut(&[u8], &NoticeView),
) {
    each(rows, &|subject| keys::notice(agreement, subject), f);
}

fn each<T: DeserializeOwned>(
    rows: &(impl ReadRows + ?Sized),
    key: &dyn Fn(SubjectId) -> Vec<u8>,
    f: &mut dyn FnMut(&[u8], &T),
) {
    let from = key(SubjectId::new([0; 16]));
    let mut to = key(SubjectId::new([255; 16]));
    to.push(0);
    rows.scan(&from, &to, false, &mut |key, value| {
        if let Ok(view) = postcard::from_bytes::<T>(value) {
            f(key, &view);
        }
        true
    });
}

/// What of a notice must be equal everywhere.
fn notice_digest(view: &NoticeView) -> Hash {
    digest(&bytes(&(
        &view.notice,
        view.opened_at,
        &view.acknowledged,
        view.ended,
        view.report_count,
        view.misfit_count,
    )))
}

/// What of a meeting must be equal everywhere.
fn meeting_digest(view: &MeetingView) -> Hash {
    digest(&bytes(&(
        &view.meeting,
        view.opened_at,
        &view.recorded,
        view.minutes,
        &view.words,
        &view.confirmed,
        view.cancelled,
        view.misfit_count,
    )))
}

/// What of a site must be equal everywhere.
fn site_digest(view: &SiteView) -> Hash {
    digest(&bytes(&(view.city, &view.facts, &view.listing, &view.years, view.misfit_count)))
}

/// What of a unit must be equal everywhere.
fn unit_digest(view: &UnitView) -> Hash {
    digest(&bytes(&(
        &view.unit,
        &view.facts,
        view.facts_at,
        view.record_at,
        view.opened_at,
        view.misfit_count,
    )))
}

/// What of a plan must be equal everywhere.
fn plan_digest(view: &PlanView) -> Hash {
    digest(&bytes(&(
        &view.plan,
        view.opened_at,
        view.last_move,
        view.record_at,
        view.pool_at,
        &view.heard,
        view.move_count,
        view.contribution_count,
        view.misfit_count,
    )))
}

/// What of a case must be equal everywhere.
fn state_digest(view: &CaseView) -> Hash {
    digest(&bytes(&(
        &view.case,
        view.opened_at,
        view.last_move,
        view.record_at,
        view.person_at,
        view.move_count,
        view.contribution_count,
        view.misfit_count,
        &view.parts_received_by,
        &view.campaigns,
    )))
}
