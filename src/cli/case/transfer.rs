//! Moves that need more than a date: offer, designate, adopt and refuse proposals.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::write::{MoveArgs, Prepared, move_request, send};
use super::{Session, new};
use crate::cli::failure::Failure;
use crate::cli::when;
use crate::ids::CityCode;
use crate::wire::pb::v1 as pb;

/// Arguments of an offer.
#[derive(Args, Debug)]
pub struct OfferArgs {
    /// The case and what every move has.
    #[command(flatten)]
    pub movement: MoveArgs,
    /// 接收城市的行政区划代码 · code of the receiving city
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse)]
    pub to: CityCode,
}

/// Offers the case to another city (移送).
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn offer(session: &Session, args: OfferArgs) -> Result<(), Failure> {
    let prepared = Prepared::movement(session, args.movement).await?;
    let request = move_request!(OfferTransferRequest, prepared, to_city: args.to.as_u32());
    send(session, &prepared, session.client.cases().offer_transfer(request)).await
}

/// Who designated.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Authority {
    /// 省级生态环境主管部门
    ProvincialDepartment,
    /// 国务院生态环境主管部门
    Ministry,
    /// 共同的上一级机关
    JointSuperior,
    /// 人民政府
    PeoplesGovernment,
}

impl From<Authority> for pb::AuthorityLevel {
    fn from(authority: Authority) -> Self {
        match authority {
            Authority::ProvincialDepartment => Self::ProvincialDepartment,
            Authority::Ministry => Self::Ministry,
            Authority::JointSuperior => Self::JointSuperior,
            Authority::PeoplesGovernment => Self::PeoplesGovernment,
        }
    }
}

/// Arguments of a designation.
#[derive(Args, Debug)]
pub struct DesignateArgs {
    /// The case and what every move has.
    #[command(flatten)]
    pub movement: MoveArgs,
    /// 被指定的城市 · the designated city
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse)]
    pub city: CityCode,
    /// 指定机关 · who designated
    #[arg(long, value_enum)]
    pub authority: Authority,
    /// 文书日期 · date of the document
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = when::parse_date)]
    pub designated_on: pb::Date,
    /// 文书编号 · number of the document
    #[arg(long, value_name = "NUMBER")]
    pub document: String,
}

/// Records a designation (指定管辖).
///
/// # Errors
/// [`Failure`] when the node refuses.
pub async fn designate(session: &Session, args: DesignateArgs) -> Result<(), Failure> {
    let prepared = Prepared::movement(session, args.movement).await?;
    let request = move_request!(
        DesignateJurisdictionRequest, prepared,
        city: args.city.as_u32(),
        authority: pb::AuthorityLevel::from(args.authority).into(),
        designated_on: Some(args.designated_on),
        document_number: args.document,
    );
    send(session, &prepared, session.client.cases().designate_jurisdiction(request)).await
}

/// Arguments of an adoption.
#[derive(Args, Debug)]
pub struct AdoptArgs {
    /// The case and what every move has.
    #[command(flatten)]
    pub movement: MoveArgs,
    /// 建议所在记录（见 case history） · entry of the proposal, from case history
    #[arg(value_name = "ENTRY")]
    pub proposal: String,
    /// 采纳后的案件内容 · the case after the change
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
}

/// Adopts a proposal (采纳建议).
///
/// # Errors
/// [`Failure`] when the file is wrong or the node refuses.
pub async fn adopt(session: &Session, args: AdoptArgs) -> Result<(), Failure> {
    let draft =
        args.from.map(|path| new::read_draft(&path, None, session.context.lang)).transpose()?;
    let prepared = Prepared::movement(session, args.movement).await?;
    let (facts, record) = draft.map(|draft| (draft.facts, draft.record)).unzip();
    let request = move_request!(
        AdoptProposalRequest, prepared,
        proposal: args.proposal,
        facts: facts,
        record: record,
    );
    send(session, &prepared, session.client.cases().adopt_proposal(request)).await
}

/// Arguments of a refusal.
#[derive(Args, Debug)]
pub struct RefuseArgs {
    /// The case and what every move has.
    #[command(flatten)]
    pub movement: MoveArgs,
    /// 建议所在记录（见 case history） · entry of the proposal, from case history
    #[arg(value_name = "ENTRY")]
    pub proposal: String,
}

/// Refuses a proposal (不采纳建议).
///
/// # Errors
/// [`Failure`] when no reason is given or the node refuses.
pub async fn refuse(session: &Session, args: RefuseArgs) -> Result<(), Failure> {
    let lang = session.context.lang;
    if args.movement.text.trim().is_empty() {
        return Err(Failure::usage(lang.pick("没有写理由", "no reason was given"))
            .advise(lang.pick("加 --text 理由", "use --text REASON")));
    }
    let prepared = Prepared::movement(session, args.movement).await?;
    let request = move_request!(RefuseProposalRequest, prepared, proposal: args.proposal);
    send(session, &prepared, session.client.cases().refuse_proposal(request)).await
}
