//! What is said of police, procuratorate and campaigns: requests into commands, and what was said,
//! as answers show it.
//!
//! In scope: fields of requests, who may hold the texts. Out of scope: who may say what
//! ([`crate::domain::referral`]), writing ([`super::referral_service`]).
//!
//! Organ, document number and text go to cities that handle the case or did: what the police of one
//! city do is not for every member. The name of a campaign is for all.

use super::referral_service::ReferralApi;
use crate::api::request::{Command, NewPart, PartContent};
use crate::domain::{
    Campaign, CaseContribution, CopiedPaper, Date, InvalidReason, PoliceAnswer,
    ProcuratorateOpinion, Referral, ReferralAct, ReferralKind, ReferralRecord,
};
use crate::ids::CaseKey;
use crate::limits::REFERRAL_WORDS_SHOWN_MAX;
use crate::log::Audience;
use crate::node::reader::{LoadedEntry, Reader};
use crate::view::{self, ReferralWord};
use crate::wire::case as read;
use crate::wire::pb::v1 as pb;
use crate::wire::referral as wire;
use crate::wire::status::Refused;

impl ReferralApi {
    pub(super) fn referred(&self, asked: &pb::ReferCaseRequest) -> Result<Command, Refused> {
        let case = read::case_name(&asked.name)?;
        let kind = wire::kind(asked.kind)?;
        let handed_over_on = read::date("handed_over_on", asked.handed_over_on.as_ref())?;
        let decided_on = match (asked.decided_on.as_ref(), handed_over_on) {
            (None, Some(on)) => {
                let words = view::referral_words(&self.desk.node.reader().view(), case.0, case.1);
                waiting_since(&words, kind, on).unwrap_or(on)
            }
            (given, _) => self.date_or_today("decided_on", given)?,
        };
        let referral = Referral { kind, decided_on, handed_over_on };
        let papers = wire::papers(&asked.papers)?;
        let record = wire::record(asked.record.as_ref())?;
        Ok(said(case, ReferralAct::Referred { referral, papers }, record))
    }

    pub(super) fn answered(
        &self,
        asked: &pb::RecordPoliceAnswerRequest,
    ) -> Result<Command, Refused> {
        let case = read::case_name(&asked.name)?;
        let referral = read::position("referral", &asked.referral)?;
        let answer = wire::answer(asked.answer)?;
        let on = self.date_or_today("answered_on", asked.answered_on.as_ref())?;
        let record = wire::record(asked.record.as_ref())?;
        let in_words = matches!(answer, PoliceAnswer::Other | PoliceAnswer::Forwarded);
        let record = required(record, in_words)?;
        Ok(said(case, ReferralAct::Answered { referral, answer, on }, record))
    }

    pub(super) fn copied(
        &self,
        asked: &pb::RecordProcuratorateCopyRequest,
    ) -> Result<Command, Refused> {
        let case = read::case_name(&asked.name)?;
        let referral = read::position("referral", &asked.referral)?;
        let paper = wire::copied(asked.paper)?;
        let on = self.date_or_today("copied_on", asked.copied_on.as_ref())?;
        let record = wire::record(asked.record.as_ref())?;
        let record = required(record, paper == CopiedPaper::Other)?;
        Ok(said(case, ReferralAct::Copied { referral, paper, on }, record))
    }

    pub(super) fn opined(
        &self,
        asked: &pb::RecordProcuratorateOpinionRequest,
    ) -> Result<Command, Refused> {
        let case = read::case_name(&asked.name)?;
        let referral = match asked.referral.as_str() {
            "" => None,
            entry => Some(read::position("referral", entry)?),
        };
        let opinion = wire::opinion(asked.opinion)?;
        let on = self.date_or_today("opined_on", asked.opined_on.as_ref())?;
        let record = wire::record(asked.record.as_ref())?;
        let record = required(record, opinion == ProcuratorateOpinion::Other)?;
        Ok(said(case, ReferralAct::Opined { referral, opinion, on }, record))
    }

    pub(super) fn tagged(&self, asked: &pb::TagCampaignRequest) -> Result<Command, Refused> {
        let (agreement, subject) = read::case_name(&asked.name)?;
        let campaign = wire::campaign(asked.campaign)?;
        // One that only other members know can still be taken off.
        if !asked.remove && !self.catalogue.has_campaign(campaign) {
            return Err(Refused::new("CAMPAIGN_UNKNOWN").at("campaign"));
        }
        let text = read::text("text", &asked.text)?;
        if campaign == Campaign::OTHER && !asked.remove && text.is_none() {
            return Err(read::wrong("text", InvalidReason::Required));
        }
        let part =
            |text| NewPart { audience: Audience::AllMembers, content: PartContent::Text(text) };
        let parts = text.map(part).into_iter().collect();
        let act = ReferralAct::Tagged { campaign, on: !asked.remove };
        let contribution = CaseContribution::Referral(act);
        Ok(Command::Contribute { agreement, subject, contribution, parts })
    }

    fn date_or_today(&self, field: &'static str, date: Option<&pb::Date>) -> Result<Date, Refused> {
        let today = || self.desk.node.today().ok_or(Refused::new("OUTSIDE_TERM"));
        read::date(field, date)?.map_or_else(today, Ok)
    }
}

/// When the newest referral of a kind was decided until a day, if no hand-over has followed it yet.
fn waiting_since(words: &[ReferralWord], kind: ReferralKind, until: Date) -> Option<Date> {
    let referral = |word: &ReferralWord| match word.act {
        ReferralAct::Referred { referral, .. } => Some(referral),
        ReferralAct::Answered { .. }
        | ReferralAct::Copied { .. }
        | ReferralAct::Opined { .. }
        | ReferralAct::Tagged { .. } => None,
    };
    let of_kind = |one: &Referral| one.kind == kind && one.decided_on <= until;
    let all: Vec<Referral> = words.iter().filter_map(referral).filter(of_kind).collect();
    let last = |handed: bool| {
        let found = all.iter().filter(|one| one.handed_over_on.is_some() == handed);
        found.map(|one| one.decided_on).max()
    };
    // A hand-over names the day of its decision.
    last(false).filter(|decided| last(true).is_none_or(|handed| handed < *decided))
}

/// What a code does not say must be said in words.
fn required(
    record: Option<ReferralRecord>,
    in_words: bool,
) -> Result<Option<ReferralRecord>, Refused> {
    match record {
        None if in_words => Err(read::wrong("record", InvalidReason::Required)),
        record => Ok(record),
    }
}

fn said(
    (agreement, subject): CaseKey,
    act: ReferralAct,
    record: Option<ReferralRecord>,
) -> Command {
    let part = |record| NewPart {
        audience: Audience::HandlingCity,
        content: PartContent::Referral(Box::new(record)),
    };
    let contribution = CaseContribution::Referral(act);
    let parts = record.map(part).into_iter().collect();
    Command::Contribute { agreement, subject, contribution, parts }
}

/// What was said of police and procuratorate, the newest words, oldest first.
pub(super) fn words(reader: &Reader, (agreement, subject): CaseKey) -> Vec<pb::ReferralWord> {
    let words = view::referral_words(&reader.view(), agreement, subject);
    let before = words.len().saturating_sub(REFERRAL_WORDS_SHOWN_MAX);
    words.into_iter().skip(before).filter_map(|word| word_out(reader, &word)).collect()
}

fn word_out(reader: &Reader, word: &ReferralWord) -> Option<pb::ReferralWord> {
    let line = &word.line;
    let written = wire::word_out(line.position, line.city.as_u32(), &word.act)?;
    let loaded = reader.entry(line.position).ok();
    Some(pb::ReferralWord {
        record_time: Some(read::timestamp(line.record_time_ms)),
        record: loaded.and_then(|loaded| record(reader, &loaded)),
        ..written
    })
}

/// Organ, document number and text of an entry, if it has them and they are here.
pub(super) fn record(reader: &Reader, loaded: &LoadedEntry) -> Option<pb::ReferralRecord> {
    (0..loaded.entry.parts.len()).find_map(|part| match reader.part(&loaded.entry, part) {
        Ok(Some(PartContent::Referral(record))) => Some(wire::record_to_pb(&record)),
        Ok(_) | Err(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{CityCode, LogId, Position};
    use crate::view::{Effect, HistoryEntry};
    use ReferralKind::{Crime, Detention};

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    fn word(kind: ReferralKind, decided: &str, handed: Option<&str>) -> ReferralWord {
        let (decided_on, handed_over_on) = (date(decided), handed.map(date));
        let referral = Referral { kind, decided_on, handed_over_on };
        let line = HistoryEntry {
            apply: 1,
            position: Position { log: LogId::new([7; 32]), index: 3 },
            city: CityCode::from_u32(371_500).unwrap(),
            effect: Effect::Contribution,
            state: None,
            record_time_ms: 0,
        };
        ReferralWord { line, act: ReferralAct::Referred { referral, papers: Vec::new() } }
    }

    #[test]
    fn a_hand_over_follows_the_decision_that_waits_for_it() {
        let decided = word(Crime, "2026-11-10", None);
        let handed = word(Crime, "2026-11-10", Some("2026-11-11"));
        let again = word(Crime, "2026-11-11", None);
        let detained = word(Detention, "2026-11-12", None);
        let later = word(Crime, "2026-11-20", None);
        let rows: [(&[&ReferralWord], Option<&str>); 8] = [
            (&[], None),
            (&[&decided, &later], Some("2026-11-10")),
            (&[&detained], None),
            (&[&decided, &detained], Some("2026-11-10")),
            (&[&decided, &handed], None),
            (&[&handed, &decided], None),
            (&[&decided, &handed, &again], Some("2026-11-11")),
            (&[&again, &decided], Some("2026-11-11")),
        ];
        for (row, (words, want)) in rows.into_iter().enumerate() {
            let words: Vec<_> = words.iter().map(|word| (*word).clone()).collect();
            assert_eq!(
                waiting_since(&words, Crime, date("2026-11-12")),
                want.map(date),
                "row {row}"
            );
        }
    }
}
