//! `liandong case`: boundary-area cases from the command line.
//!
//! In scope: arguments, which call they become, what is printed. Out of scope: what is allowed,
//! which the node decides.

use clap::Subcommand;

use super::Context;
use super::connect::Client;
use super::failure::Failure;
use super::names::Names;
use super::profile::ProfileArgs;
pub use crate::wire::patience::patient;

pub mod assign;
pub mod campaign;
pub mod contribute;
pub mod due;
pub mod duplicates;
pub mod export;
pub mod grant;
pub mod history;
pub mod import;
pub mod list;
pub mod moves;
pub mod name;
pub mod new;
pub mod referral;
pub mod show;
pub mod stats;
pub mod steps;
pub mod transfer;
pub mod write;

/// `liandong case`.
#[derive(clap::Args, Debug)]
pub struct CaseArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: CaseCommand,
}

/// What can be done with cases.
#[derive(Subcommand, Debug)]
pub enum CaseCommand {
    /// 登记线索（新建案件） · open a case
    New(Box<new::NewArgs>),
    /// 从文件批量登记 · open cases from a file
    Import(import::ImportArgs),
    /// 导出为 CSV 或 NDJSON 文件 · write cases to a file
    Export(Box<export::ExportArgs>),
    /// 查询案件 · list cases
    List(Box<list::ListArgs>),
    /// 查看一件案件 · show one case
    Show(show::ShowArgs),
    /// 办理一步，如 立案、结案 · make a plain move, such as file or close
    Move(steps::StepArgs),
    /// 移送给另一市 · offer the case to another city
    Transfer(transfer::OfferArgs),
    /// 同意接收 · accept an offered transfer
    Accept(write::MoveArgs),
    /// 退回 · return an offered transfer
    Return(write::MoveArgs),
    /// 管辖争议（提请指定管辖） · dispute competence
    Dispute(write::MoveArgs),
    /// 记录指定管辖 · record a designation by the superior
    Designate(transfer::DesignateArgs),
    /// 指定本市经办人、写本市备注，只存本市 · who of the own city works on it, and a remark
    Assign(assign::AssignArgs),
    /// 授权他市查看受限材料 · let another city have content that not all members may have
    Grant(grant::GrantArgs),
    /// 补充说明 · add a note
    Note(contribute::NoteArgs),
    /// 向承办市提出修改建议 · propose a change
    Propose(contribute::ProposeArgs),
    /// 采纳建议 · adopt a proposal
    Adopt(transfer::AdoptArgs),
    /// 不采纳建议（须说明理由） · refuse a proposal, with a reason
    Refuse(transfer::RefuseArgs),
    /// 办理经过与系统送达 · history, and which city holds it since when
    History(history::HistoryArgs),
    /// 时限：哪些事该在何时前办 · what is due, and when
    Due(due::DueArgs),
    /// 疑似同一违法行为：本市案件与哪些案件可能重复 · cases that may be of one act
    Duplicates(duplicates::DuplicatesArgs),
    /// 月度统计：非现场占比、联合检查、移送、结案率 · statistics of a month
    Stats(stats::StatsArgs),
    /// 记录影响时限的事项，如 送达、检测、责令改正 · record what begins, stops or ends a term
    Milestone(due::MilestoneArgs),
    /// 行刑衔接：移送公安、公安答复、抄送检察院、检察意见 · police and procuratorate
    #[command(subcommand)]
    Referral(referral::ReferralCommand),
    /// 专项行动标记 · campaign tags
    #[command(subcommand)]
    Campaign(campaign::CampaignCommand),
    /// 签收移送（由人签收） · acknowledge an offered transfer
    Ack(write::AddArgs),
    /// 请求退还已移送的案件 · ask for an offered case back
    Recall(write::AddArgs),
}

/// An open connection with what every command about cases needs.
pub struct Session {
    /// Language and form of output.
    pub context: Context,
    /// The connection.
    pub client: Client,
    /// What cities are called.
    pub names: Names,
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] that says what happened and what to do.
pub async fn run(context: &Context, command: CaseCommand) -> Result<(), Failure> {
    if let CaseCommand::Import(args) = &command
        && args.template
    {
        print!("{}", crate::import::template(context.lang));
        return Ok(());
    }
    let client = context.connect().await?;
    let names = client.names(context.lang).await;
    let session = Session { context: context.clone(), client, names };
    match command {
        CaseCommand::New(args) => new::run(&session, *args).await,
        CaseCommand::Import(args) => import::run(&session, args).await,
        CaseCommand::Export(args) => export::run(&session, *args).await,
        CaseCommand::List(args) => list::run(&session, *args).await,
        CaseCommand::Show(args) => show::run(&session, args).await,
        CaseCommand::Move(args) => steps::run(&session, args).await,
        CaseCommand::Transfer(args) => transfer::offer(&session, args).await,
        CaseCommand::Accept(args) => moves::accept(&session, args).await,
        CaseCommand::Return(args) => moves::give_back(&session, args).await,
        CaseCommand::Dispute(args) => moves::dispute(&session, args).await,
        CaseCommand::Designate(args) => transfer::designate(&session, args).await,
        CaseCommand::Grant(args) => grant::run(&session, args).await,
        CaseCommand::Note(args) => contribute::note(&session, args).await,
        CaseCommand::Propose(args) => contribute::propose(&session, args).await,
        CaseCommand::Adopt(args) => transfer::adopt(&session, args).await,
        CaseCommand::Refuse(args) => transfer::refuse(&session, args).await,
        CaseCommand::History(args) => history::run(&session, args).await,
        CaseCommand::Assign(args) => assign::run(&session, args).await,
        CaseCommand::Due(args) => due::run(&session, args).await,
        CaseCommand::Duplicates(args) => duplicates::run(&session, args).await,
        CaseCommand::Stats(args) => stats::run(&session, args).await,
        CaseCommand::Milestone(args) => due::record(&session, args).await,
        CaseCommand::Referral(command) => referral::run(&session, command).await,
        CaseCommand::Campaign(command) => campaign::run(&session, command).await,
        CaseCommand::Ack(args) => contribute::acknowledge(&session, args).await,
        CaseCommand::Recall(args) => contribute::recall(&session, args).await,
    }
}
