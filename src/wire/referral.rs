//! Referrals, what police and procuratorate said of them, and campaign tags as messages.
//!
//! In scope: events of headers, parts, fields of requests. Out of scope: deciding anything.

use super::case::wrong;
use super::code::{Code, Read};
use super::error::{WireError, check_count};
use super::facts::{
    Reading, date, date_to_pb, optional_date, position as position_of, position_to_pb,
};
use super::pb::v1 as pb;
use super::pb::v1::entry_header::Event as E;
use super::status::{Refused, bad_fields};
use crate::domain::text::{Line, Text};
use crate::domain::{
    Campaign, CaseContribution, CopiedPaper, Invalid, InvalidReason, PoliceAnswer,
    ProcuratorateOpinion, Referral, ReferralAct, ReferralKind, ReferralPaper, ReferralRecord,
};
use crate::ids::Position;
use crate::limits::REFERRAL_PAPERS_MAX;

/// Reads what is said of police, procuratorate or a campaign; `None` for any other event.
#[expect(clippy::wildcard_enum_match_arm, reason = "generated enum; the caller lists every event")]
pub(super) fn read(
    reading: &mut Reading,
    event: &E,
) -> Result<Option<CaseContribution>, WireError> {
    let named = |at: Option<&pb::EntryPosition>| position_of("referral", at);
    let act = match event {
        E::CaseReferred(e) => {
            check_count("papers", e.papers.len(), REFERRAL_PAPERS_MAX)?;
            let papers = e.papers.iter();
            let papers = papers.map(|one| reading.code("papers", *one, ReferralPaper::Other));
            let papers = papers.collect::<Result<_, _>>()?;
            let referral = Referral {
                kind: reading.code("kind", e.kind, ReferralKind::Crime)?,
                decided_on: date("decided_on", e.decided_on.as_ref())?,
                handed_over_on: optional_date("handed_over_on", e.handed_over_on.as_ref())?,
            };
            ReferralAct::Referred { referral, papers }
        }
        E::PoliceAnswered(e) => ReferralAct::Answered {
            referral: named(e.referral.as_ref())?,
            answer: reading.code("answer", e.answer, PoliceAnswer::Other)?,
            on: date("answered_on", e.answered_on.as_ref())?,
        },
        E::ProcuratorateCopied(e) => ReferralAct::Copied {
            referral: named(e.referral.as_ref())?,
            paper: reading.code("paper", e.paper, CopiedPaper::Other)?,
            on: date("copied_on", e.copied_on.as_ref())?,
        },
        E::ProcuratorateOpined(e) => ReferralAct::Opined {
            referral: e.referral.as_ref().map(|at| named(Some(at))).transpose()?,
            opinion: reading.code("opinion", e.opinion, ProcuratorateOpinion::Other)?,
            on: date("opined_on", e.opined_on.as_ref())?,
        },
        E::CampaignTagged(e) => ReferralAct::Tagged {
            campaign: Campaign::from_number(e.campaign)
                .ok_or(WireError::BadHeader { field: "campaign" })?,
            on: !e.removed,
        },
        _ => return Ok(None),
    };
    Ok(Some(CaseContribution::Referral(act)))
}

/// The event of a header.
pub(super) fn to_pb(act: &ReferralAct) -> E {
    match act {
        ReferralAct::Referred { referral, papers } => E::CaseReferred(pb::CaseReferred {
            kind: referral.kind.number(),
            papers: papers.iter().map(|paper| paper.number()).collect(),
            decided_on: Some(date_to_pb(referral.decided_on)),
            handed_over_on: referral.handed_over_on.map(date_to_pb),
        }),
        ReferralAct::Answered { referral, answer, on } => E::PoliceAnswered(pb::PoliceAnswered {
            referral: Some(position_to_pb(*referral)),
            answer: answer.number(),
            answered_on: Some(date_to_pb(*on)),
        }),
        ReferralAct::Copied { referral, paper, on } => {
            E::ProcuratorateCopied(pb::ProcuratorateCopied {
                referral: Some(position_to_pb(*referral)),
                paper: paper.number(),
                copied_on: Some(date_to_pb(*on)),
            })
        }
        ReferralAct::Opined { referral, opinion, on } => {
            E::ProcuratorateOpined(pb::ProcuratorateOpined {
                referral: referral.map(position_to_pb),
                opinion: opinion.number(),
                opined_on: Some(date_to_pb(*on)),
            })
        }
        ReferralAct::Tagged { campaign, on } => E::CampaignTagged(pb::CampaignTagged {
            campaign: u32::from(campaign.number()),
            removed: !on,
        }),
    }
}

/// Reads the organ, document number and text of a part.
///
/// # Errors
/// Every wrong field, by its name in the message.
pub fn record_from_pb(record: &pb::ReferralRecord) -> Result<ReferralRecord, Vec<Invalid>> {
    ReferralRecord::parse(&record.organ, &record.document_number, &record.text)
}

/// Writes organ, document number and text.
#[must_use]
pub fn record_to_pb(record: &ReferralRecord) -> pb::ReferralRecord {
    let line = |line: Option<&Line>| line.map_or("", Line::as_str).to_owned();
    pb::ReferralRecord {
        organ: line(record.organ.as_ref()),
        document_number: line(record.document_number.as_ref()),
        text: record.text.as_ref().map_or("", Text::as_str).to_owned(),
    }
}

/// Reads the record that a request carries; none when it is empty.
///
/// # Errors
/// [`Refused`] naming every wrong field.
pub fn record(given: Option<&pb::ReferralRecord>) -> Result<Option<ReferralRecord>, Refused> {
    let Some(given) = given.filter(|given| **given != pb::ReferralRecord::default()) else {
        return Ok(None);
    };
    let at_record =
        |wrong: Vec<Invalid>| bad_fields(wrong.into_iter().map(|one| one.at("record")).collect());
    record_from_pb(given).map(Some).map_err(at_record)
}

/// Reads a code of a request.
fn code<T: Code>(field: &'static str, number: i32) -> Result<T, Refused> {
    match T::read(number) {
        Read::Known(code) => Ok(code),
        Read::Unset => Err(wrong(field, InvalidReason::Required)),
        Read::Newer => Err(wrong(field, InvalidReason::CodeUnknown)),
    }
}

/// Reads why a case goes to the police.
///
/// # Errors
/// [`Refused`] when it is not set, or no kind that is known here; likewise below.
pub fn kind(number: i32) -> Result<ReferralKind, Refused> {
    code("kind", number)
}

/// Reads papers, in any order; each counts once.
///
/// # Errors
/// [`Refused`], as above.
pub fn papers(numbers: &[i32]) -> Result<Vec<ReferralPaper>, Refused> {
    let read = numbers.iter().map(|number| code("papers", *number));
    let mut papers: Vec<ReferralPaper> = read.collect::<Result<_, _>>()?;
    papers.sort_unstable();
    papers.dedup();
    Ok(papers)
}

/// Reads what the police answered.
///
/// # Errors
/// [`Refused`], as above.
pub fn answer(number: i32) -> Result<PoliceAnswer, Refused> {
    code("answer", number)
}

/// Reads what was copied.
///
/// # Errors
/// [`Refused`], as above.
pub fn copied(number: i32) -> Result<CopiedPaper, Refused> {
    code("paper", number)
}

/// Reads what the procuratorate said.
///
/// # Errors
/// [`Refused`], as above.
pub fn opinion(number: i32) -> Result<ProcuratorateOpinion, Refused> {
    code("opinion", number)
}

/// Reads the number of a campaign.
///
/// # Errors
/// `REQUIRED`, or `CAMPAIGN_UNKNOWN` of a number that no campaign has.
pub fn campaign(number: u32) -> Result<Campaign, Refused> {
    if number == 0 {
        return Err(wrong("campaign", InvalidReason::Required));
    }
    Campaign::from_number(number).ok_or_else(|| Refused::new("CAMPAIGN_UNKNOWN").at("campaign"))
}

/// A word as an answer shows it, without what its part says; `None` of a campaign tag.
#[must_use]
#[expect(clippy::wildcard_enum_match_arm, reason = "generated enum; to_pb makes five of it")]
pub fn word_out(at: Position, city: u32, act: &ReferralAct) -> Option<pb::ReferralWord> {
    use pb::referral_word::Said;
    let said = match to_pb(act) {
        E::CaseReferred(said) => Said::Referred(said),
        E::PoliceAnswered(said) => Said::Answered(said),
        E::ProcuratorateCopied(said) => Said::Copied(said),
        E::ProcuratorateOpined(said) => Said::Opined(said),
        _ => return None,
    };
    let (entry, said) = (at.to_string(), Some(said));
    Some(pb::ReferralWord { entry, city, said, ..pb::ReferralWord::default() })
}
