//! Words to and of police and procuratorate, and campaign tags, as the rows hold them, and who may
//! say them.
//!
//! In scope: who handled a case as the author of a word had seen it, referrals that took effect,
//! tags. Out of scope: the rules ([`crate::domain::referral`]), cases ([`super::fold`]), terms.
//!
//! An entry is judged by what its author had seen and by nothing else. Which city handled the case
//! is read off a row for each hand-over: one that is legal on its own path of `prev`s back to the
//! opening, whether or not another path came before it in the chain. A city handled the case if a
//! hand-over it had seen gave it the case, and none it had seen took it from there. A city that
//! moved a case in two of its logs at once is the only one for whom that may differ from the chain.
//! Of one log and one `prev` the first legal hand-over counts and no other, as in the chain: a log
//! has one order. What goes on from another of them hands nothing over.
//! No word looks at the history of its case. (`referrals_are_the_same_in_every_order`,
//! `who_handled_a_case_is_read_off_what_was_seen`)

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::case_chain::{MoveRow, Step};
use super::case_view::{CaseView, HistoryEntry, dated};
use super::fold::{Effect, EntryRow, FoldEntry, What};
use super::keys;
use super::notice_view::Said;
use super::rows::{ReadRows, Rows, get, put};
use crate::domain::referral::{ReferralRefusal, Seen, fits};
use crate::domain::{Campaign, Case, Referral, ReferralAct};
use crate::ids::{AgreementId, CityCode, Position, SubjectId};

/// A move that gave the case to a city, legal on its own path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct HandOver {
    /// Who handles the case after it.
    to: CityCode,
    /// The move it goes on from.
    prev: Position,
    /// The hand-over before it on its path, or the opening.
    after: Position,
    /// How many there were before it.
    depth: u32,
}

/// What was last said of a campaign tag. The order is that in which words count: the one after
/// most hand-overs, then the latest of its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignTag {
    /// Which.
    pub campaign: Campaign,
    /// The case has it.
    pub on: bool,
    /// Hand-overs before the word.
    depth: u32,
    /// Where and when.
    pub said: Said,
}

/// What a word is judged by, and after how many hand-overs it was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReferralStanding {
    seen: Seen,
    /// Hand-overs until then.
    depth: u32,
}

impl ReferralStanding {
    /// What its author had seen.
    #[must_use]
    pub const fn seen(&self) -> Seen {
        self.seen
    }
}

/// A word that took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferralWord {
    /// Its line in the history.
    pub line: HistoryEntry,
    /// What it says.
    pub act: ReferralAct,
}

/// Remembers a move that hands the case over, if it is legal on its own path; `view` is the case
/// before it.
pub(super) fn note_hand_over<R: Rows>(
    rows: &mut R,
    entry: &FoldEntry<'_>,
    subject: SubjectId,
    view: &CaseView,
    row: &MoveRow,
) {
    let case_id = (entry.agreement, subject);
    let Some(prev) = row.prev.filter(|_| row.barred.is_none()) else { return };
    if has_handed_over(rows, case_id, row.at, prev) {
        return;
    }
    // Mostly it goes on from where the case stands.
    let before = match prev == view.last_move {
        true => Some((view.case.clone(), view.handed_at)),
        false => path_to(rows, prev),
    };
    let legal = before.filter(|(case, _)| row.moved(case).is_ok());
    let Some((_, after)) = legal else { return };
    let earlier = hand_over(rows, case_id, after).map(|earlier| earlier.depth);
    let Some(before) = earlier.or_else(|| (after == view.opened_at).then_some(0)) else { return };
    let one = HandOver { to: row.by, prev, after, depth: before + 1 };
    put(rows, keys::handed(case_id.0, case_id.1, row.at), &one);
}

/// Whether the log of an entry has handed the case over from there before it.
fn has_handed_over(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): (AgreementId, SubjectId),
    at: Position,
    prev: Position,
) -> bool {
    let key = |index| keys::handed(agreement, subject, Position { index, ..at });
    let mut found = false;
    rows.scan(&key(0), &key(at.index), false, &mut |_, value| {
        let row = postcard::from_bytes::<HandOver>(value);
        found = row.is_ok_and(|one| one.prev == prev);
        !found
    });
    found
}

fn hand_over(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): (AgreementId, SubjectId),
    at: Position,
) -> Option<HandOver> {
    get(rows, &keys::handed(agreement, subject, at))
}

/// The case as a move leaves it on its own path, and the last hand-over on it or the opening;
/// `None` when the path is not legal.
fn path_to(rows: &(impl ReadRows + ?Sized), at: Position) -> Option<(Case, Position)> {
    let mut path: Vec<MoveRow> = Vec::new();
    let mut here = at;
    let (mut case, mut handed_at) = loop {
        let row: EntryRow = get(rows, &keys::entry(here))?;
        let What::Move(row) = row.what else { return None };
        match (&row.step, row.prev) {
            (Step::Opening(case), _) => break (case.as_ref().clone(), here),
            (Step::Move(_), Some(prev)) if row.barred.is_none() => {
                path.push(row);
                here = prev;
            }
            (Step::Move(_), _) => return None,
        }
    };
    for row in path.iter().rev() {
        case = row.moved(&case).ok()?;
        if row.hands_over() {
            handed_at = row.at;
        }
    }
    Some((case, handed_at))
}

/// What a word of a city that has seen so much is judged by.
#[must_use]
pub fn referral_standing(
    rows: &(impl ReadRows + ?Sized),
    case_id: (AgreementId, SubjectId),
    view: &CaseView,
    (city, act): (CityCode, &ReferralAct),
    seen: &dyn Fn(Position) -> bool,
) -> ReferralStanding {
    let mut handings: Vec<(Position, HandOver)> = Vec::new();
    each(rows, &|at| keys::handed(case_id.0, case_id.1, at), &mut |at, one: HandOver| {
        if seen(at) {
            handings.push((at, one));
        }
    });
    let afters: BTreeSet<Position> = handings.iter().map(|(_, later)| later.after).collect();
    let ended = |at: Position| afters.contains(&at);
    let last = handings.iter().filter(|(at, _)| !ended(*at));
    let of_city = last.filter(|(_, one)| one.to == city).map(|(_, one)| one.depth).max();
    let opened = view.case.originating == city && !ended(view.opened_at);
    let depth = of_city.or_else(|| opened.then_some(0));
    let named = act.names().filter(|at| seen(*at));
    let referral = named.and_then(|at| get(rows, &keys::referral(case_id.0, case_id.1, at)));
    let seen = Seen { handles: depth.is_some(), referral };
    ReferralStanding { seen, depth: depth.unwrap_or(0) }
}

/// Adds what an entry says, if its author may say it.
pub(super) fn add<R: Rows>(
    rows: &mut R,
    entry: &FoldEntry<'_>,
    subject: SubjectId,
    view: &mut CaseView,
    act: &ReferralAct,
) -> Result<(), ReferralRefusal> {
    let case_id = (entry.agreement, subject);
    let seen = |at| entry.has_seen(rows, at);
    let standing = referral_standing(rows, case_id, view, (entry.city, act), &seen);
    fits(standing.seen, act)?;
    let (at, record_time_ms) = (entry.envelope.position(), entry.envelope.record_time_ms);
    match act {
        ReferralAct::Referred { referral, .. } => {
            put(rows, keys::referral(case_id.0, case_id.1, at), referral);
        }
        ReferralAct::Tagged { campaign, on } => {
            let said = Said { epoch: entry.epoch, at, record_time_ms };
            let (campaign, on, depth) = (*campaign, *on, standing.depth);
            tag(&mut view.campaigns, CampaignTag { campaign, on, depth, said });
        }
        ReferralAct::Answered { .. } | ReferralAct::Copied { .. } | ReferralAct::Opined { .. } => {}
    }
    Ok(())
}

/// Takes in a word, ascending by campaign.
fn tag(tags: &mut Vec<CampaignTag>, word: CampaignTag) {
    let order = |tag: &CampaignTag| (tag.depth, tag.said);
    match tags.binary_search_by_key(&word.campaign, |tag| tag.campaign) {
        Ok(place) => {
            let last = tags.get_mut(place).filter(|last| order(last) < order(&word));
            if let Some(last) = last {
                *last = word;
            }
        }
        Err(place) => tags.insert(place, word),
    }
}

impl CaseView {
    /// The campaigns of the case, ascending by number.
    pub fn campaigns(&self) -> impl Iterator<Item = Campaign> + '_ {
        self.campaigns.iter().filter(|tag| tag.on).map(|tag| tag.campaign)
    }
}

/// What was said of police and procuratorate and took effect, in the order of the history.
#[must_use]
pub fn referral_words(
    rows: &(impl ReadRows + ?Sized),
    agreement: AgreementId,
    subject: SubjectId,
) -> Vec<ReferralWord> {
    let mut lines: Vec<HistoryEntry> = Vec::new();
    dated(rows, agreement, subject, &mut |line| {
        if line.effect == Effect::Contribution {
            lines.push(line);
        }
        true
    });
    let word = |line: HistoryEntry| {
        let row: EntryRow = get(rows, &keys::entry(line.position))?;
        let What::Referral(act) = row.what else { return None };
        Some(ReferralWord { line, act })
    };
    lines.into_iter().filter_map(word).collect()
}

/// Hand-overs and referrals of a case that took effect, for the fold hash: keys and rows.
pub(super) fn each_row(
    rows: &(impl ReadRows + ?Sized),
    (agreement, subject): (AgreementId, SubjectId),
    f: &mut dyn FnMut(&[u8]),
) {
    let mut say = |at: Position, row: Vec<u8>| {
        f(&domain_key(at));
        f(&row);
    };
    each(rows, &|at| keys::handed(agreement, subject, at), &mut |at, one: HandOver| {
        say(at, super::rows::bytes(&one));
    });
    each(rows, &|at| keys::referral(agreement, subject, at), &mut |at, one: Referral| {
        say(at, super::rows::bytes(&one));
    });
}

fn domain_key(at: Position) -> Vec<u8> {
    [at.log.as_bytes().as_slice(), &at.index.to_be_bytes()].concat()
}

/// Reads all rows of a case with a place at the end of their key.
fn each<T: serde::de::DeserializeOwned>(
    rows: &(impl ReadRows + ?Sized),
    key: &dyn Fn(Position) -> Vec<u8>,
    f: &mut dyn FnMut(Position, T),
) {
    let place = |byte, index| Position { log: crate::ids::LogId::new([byte; 32]), index };
    let mut to = key(place(255, u64::MAX));
    to.push(0);
    rows.scan(&key(place(0, 0)), &to, false, &mut |key, value| {
        let row = postcard::from_bytes::<T>(value).ok();
        if let Some((at, row)) = keys::last_place(key).zip(row) {
            f(at, row);
        }
        true
    });
}
