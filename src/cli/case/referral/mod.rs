//! `liandong case referral`: police and procuratorate (行刑衔接).
//!
//! In scope: arguments, which call they become. Out of scope: what is allowed, which the node
//! decides; how words are shown ([`words`]).

use clap::{Args, Subcommand};

use super::write::{AddArgs, Prepared, send};
use super::{Session, name};
use crate::cli::failure::Failure;
use crate::cli::{when, words as codes};
use crate::wire::pb::v1 as pb;
use pb::referral_word::Said;

pub mod words;

/// What can be said of police and procuratorate.
#[derive(Subcommand, Debug)]
pub enum ReferralCommand {
    /// 移送公安：登记决定，或决定并移交 · the case is referred: decided, or decided and handed over
    Refer(Box<ReferArgs>),
    /// 登记公安机关的答复 · what the police answered
    Answer(Box<AnswerArgs>),
    /// 登记抄送检察院 · something was copied to the procuratorate
    Copy(Box<CopyArgs>),
    /// 登记检察机关的意见 · what the procuratorate said
    Opinion(Box<OpinionArgs>),
}

/// Case, organ and document, and what all writes have in common.
#[derive(Args, Debug, Clone)]
pub struct RecordArgs {
    /// Case, text, request id and officer.
    #[command(flatten)]
    pub add: AddArgs,
    /// 机关名称 · the organ it went to or came from
    #[arg(long, default_value = "", hide_default_value = true)]
    pub organ: String,
    /// 文书编号 · number of the document
    #[arg(long, default_value = "", hide_default_value = true)]
    pub document: String,
}

/// Arguments of a referral.
#[derive(Args, Debug)]
pub struct ReferArgs {
    /// Case and record.
    #[command(flatten)]
    pub record: RecordArgs,
    /// 种类：CRIME 涉嫌犯罪移送，DETENTION 行政拘留移送 · why
    #[arg(long, value_parser = kind)]
    pub kind: pb::ReferralKind,
    /// 移送材料，可多个，见 liandong catalog referral-papers · a paper, by code or word
    #[arg(long, value_parser = paper)]
    pub paper: Vec<pb::ReferralPaper>,
    /// 决定日期。不填时为今天；填了移交日期的，取最近一次尚未移交的同类移送的决定日期，没有则取移交日期
    /// · the day it was decided; when absent today, or with a hand-over the day of the newest
    /// decision of the kind that waits for it, else the day of the hand-over
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub decided: Option<pb::Date>,
    /// 移交日期；还没有移交的不填 · the day it was handed over; absent while it is only decided
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub handed_over: Option<pb::Date>,
}

/// Arguments of an answer.
#[derive(Args, Debug)]
pub struct AnswerArgs {
    /// Case and record.
    #[command(flatten)]
    pub record: RecordArgs,
    /// 答复：代码或名称，见 liandong catalog police-answers · what, by code or word
    #[arg(long, value_parser = answer)]
    pub answer: pb::PoliceAnswer,
    /// 答复哪次移送，默认最近移交的一次 · entry of the referral; the last one handed over when absent
    #[arg(long, value_name = "ENTRY")]
    pub referral: Option<String>,
    /// 答复日期，默认今天 · the day, today when absent
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub on: Option<pb::Date>,
}

/// Arguments of a copy.
#[derive(Args, Debug)]
pub struct CopyArgs {
    /// Case and record.
    #[command(flatten)]
    pub record: RecordArgs,
    /// 抄送的材料，默认移送书 · what, by code or word; the letter of referral when absent
    #[arg(long, value_parser = copied, default_value = "LETTER")]
    pub paper: pb::CopiedPaper,
    /// 哪次移送，默认最近一次 · entry of the referral; the last one when absent
    #[arg(long, value_name = "ENTRY")]
    pub referral: Option<String>,
    /// 抄送日期，默认今天 · the day, today when absent
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub on: Option<pb::Date>,
}

/// Arguments of an opinion.
#[derive(Args, Debug)]
pub struct OpinionArgs {
    /// Case and record.
    #[command(flatten)]
    pub record: RecordArgs,
    /// 意见：代码或名称，见 liandong catalog procuratorate-opinions · what, by code or word
    #[arg(long, value_parser = opinion)]
    pub opinion: pb::ProcuratorateOpinion,
    /// 针对哪次移送，没有的不填 · entry of the referral it is about, if any
    #[arg(long, value_name = "ENTRY", default_value = "", hide_default_value = true)]
    pub referral: String,
    /// 意见日期，默认今天 · the day, today when absent
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub on: Option<pb::Date>,
}

fn kind(text: &str) -> Result<pb::ReferralKind, String> {
    codes::parse_referral_kind(text).ok_or_else(|| none("referral-kinds"))
}

fn paper(text: &str) -> Result<pb::ReferralPaper, String> {
    codes::parse_referral_paper(text).ok_or_else(|| none("referral-papers"))
}

fn answer(text: &str) -> Result<pb::PoliceAnswer, String> {
    codes::parse_police_answer(text).ok_or_else(|| none("police-answers"))
}

fn copied(text: &str) -> Result<pb::CopiedPaper, String> {
    codes::parse_copied_paper(text).ok_or_else(|| none("copied-papers"))
}

fn opinion(text: &str) -> Result<pb::ProcuratorateOpinion, String> {
    codes::parse_procuratorate_opinion(text).ok_or_else(|| none("procuratorate-opinions"))
}

fn none(list: &str) -> String {
    format!("没有这个代码，见 liandong catalog {list} · no such code, see that list")
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] when the case or the referral is not found, or the node refuses.
pub async fn run(session: &Session, command: ReferralCommand) -> Result<(), Failure> {
    match command {
        ReferralCommand::Refer(args) => refer(session, *args).await,
        ReferralCommand::Answer(args) => answered(session, *args).await,
        ReferralCommand::Copy(args) => copy(session, *args).await,
        ReferralCommand::Opinion(args) => opined(session, *args).await,
    }
}

/// The common fields of a write, and its record.
async fn prepared(
    session: &Session,
    args: RecordArgs,
) -> Result<(Prepared, Option<pb::ReferralRecord>), Failure> {
    let (organ, document_number) = (args.organ, args.document);
    let prepared = Prepared::addition(session, args.add).await?;
    let record = pb::ReferralRecord { organ, document_number, text: prepared.text.clone() };
    Ok((prepared, Some(record).filter(|record| *record != pb::ReferralRecord::default())))
}

async fn refer(session: &Session, args: ReferArgs) -> Result<(), Failure> {
    let (prepared, record) = prepared(session, args.record).await?;
    let request = pb::ReferCaseRequest {
        name: prepared.name.clone(),
        kind: args.kind.into(),
        papers: args.paper.into_iter().map(i32::from).collect(),
        decided_on: args.decided,
        handed_over_on: args.handed_over,
        record,
        request_id: prepared.request_id.clone(),
        acting_for: prepared.acting_for.clone(),
        validate_only: false,
    };
    send(session, &prepared, session.client.referrals().refer_case(request)).await
}

async fn answered(session: &Session, args: AnswerArgs) -> Result<(), Failure> {
    let (prepared, record) = prepared(session, args.record).await?;
    let handed = |said: &pb::CaseReferred| said.handed_over_on.is_some();
    let request = pb::RecordPoliceAnswerRequest {
        name: prepared.name.clone(),
        referral: referral(session, &prepared.name, args.referral, &handed).await?,
        answer: args.answer.into(),
        answered_on: args.on,
        record,
        request_id: prepared.request_id.clone(),
        acting_for: prepared.acting_for.clone(),
        validate_only: false,
    };
    send(session, &prepared, session.client.referrals().record_police_answer(request)).await
}

async fn copy(session: &Session, args: CopyArgs) -> Result<(), Failure> {
    let (prepared, record) = prepared(session, args.record).await?;
    let request = pb::RecordProcuratorateCopyRequest {
        name: prepared.name.clone(),
        referral: referral(session, &prepared.name, args.referral, &|_| true).await?,
        paper: args.paper.into(),
        copied_on: args.on,
        record,
        request_id: prepared.request_id.clone(),
        acting_for: prepared.acting_for.clone(),
        validate_only: false,
    };
    send(session, &prepared, session.client.referrals().record_procuratorate_copy(request)).await
}

async fn opined(session: &Session, args: OpinionArgs) -> Result<(), Failure> {
    let (prepared, record) = prepared(session, args.record).await?;
    let request = pb::RecordProcuratorateOpinionRequest {
        name: prepared.name.clone(),
        referral: args.referral,
        opinion: args.opinion.into(),
        opined_on: args.on,
        record,
        request_id: prepared.request_id.clone(),
        acting_for: prepared.acting_for.clone(),
        validate_only: false,
    };
    let mut client = session.client.referrals();
    send(session, &prepared, client.record_procuratorate_opinion(request)).await
}

/// The referral given, or the last one of the case that fits.
async fn referral(
    session: &Session,
    case: &str,
    given: Option<String>,
    fits: &dyn Fn(&pb::CaseReferred) -> bool,
) -> Result<String, Failure> {
    if let Some(given) = given {
        return Ok(given);
    }
    let request = pb::GetCaseRequest { name: name::case(session, case).await?.name };
    let answer = session.client.cases().get_case(request).await;
    let shown = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    let found = shown.referral_words.into_iter().rev().find(|word| match &word.said {
        Some(Said::Referred(said)) => fits(said),
        Some(Said::Answered(_) | Said::Copied(_) | Said::Opined(_)) | None => false,
    });
    found.map(|word| word.entry).ok_or_else(|| {
        let lang = session.context.lang;
        let none = lang.pick("案件没有相应的移送记录", "the case has no such referral");
        let todo =
            lang.pick("先用 liandong case referral refer 登记移送", "record the referral first");
        Failure::usage(none).advise(todo)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_read_by_either_name() {
        assert_eq!(kind("行政拘留移送"), Ok(pb::ReferralKind::Detention));
        assert_eq!(kind("crime"), Ok(pb::ReferralKind::Crime));
        assert_eq!(paper("案件移送书"), Ok(pb::ReferralPaper::Letter));
        assert_eq!(answer("not-filed"), Ok(pb::PoliceAnswer::NotFiled));
        assert_eq!(copied("案件移送书"), Ok(pb::CopiedPaper::Letter));
        assert_eq!(opinion("检察建议"), Ok(pb::ProcuratorateOpinion::Suggestion));
        assert!(answer("maybe").unwrap_err().contains("police-answers"));
    }
}
