//! `liandong site`: sites, positive lists, checks and the yearly cap from the command line.
//!
//! In scope: arguments, which call they become, finding a site by its credit code or the beginning
//! of its id. Out of scope: what is allowed, which the node decides.

use clap::Subcommand;
use tonic::Response;

use super::Context;
use super::case::Session;
use super::failure::Failure;
use super::profile::ProfileArgs;
use super::short_id::{self, short};
use super::written::{self, Shown};
use crate::domain::Uscc;
use crate::lang::Lang;
use crate::shown::table::columns::Codes;
use crate::wire::pb::v1 as pb;

pub mod act;
pub mod export;
pub mod import;
pub mod list;
pub mod new;
pub mod shape;
pub mod sheet;
pub mod show;
pub mod visit;

/// What people call one.
const KIND: short_id::Kind = short_id::Kind {
    list: "liandong site list",
    zh: "检查对象",
    several_zh: "多个检查对象",
    en: "site",
};

/// `liandong site`.
#[derive(clap::Args, Debug)]
pub struct SiteArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: SiteCommand,
}

/// What can be done with sites.
#[derive(Subcommand, Debug)]
pub enum SiteCommand {
    /// 登记检查对象（由所在地的市登记） · register a site in the own area
    New(Box<new::NewArgs>),
    /// 从 CSV 文件批量登记 · register sites from a file, row by row
    Import(import::ImportArgs),
    /// 导出为 CSV 文件 · write sites to a file
    Export(export::ExportArgs),
    /// 检查对象一览 · list sites
    List(list::ListArgs),
    /// 查看一个检查对象、正面清单和检查记录 · show one, its listing and its checks
    Show(show::ShowArgs),
    /// 修改登记内容 · change what is registered
    Change(Box<new::ChangeArgs>),
    /// 列入、暂停、移出正面清单 · put it on the positive list, suspend it, take it off
    Listing(Box<act::ListingArgs>),
    /// 登记一次检查（现场或非现场） · record a check, on site or off site
    Check(act::CheckArgs),
    /// 某日能否安排现场检查：正面清单、年度上限、例外情形 · may it be visited on a day
    Visit(visit::VisitArgs),
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] that says what happened and what to do.
pub async fn run(context: &Context, command: SiteCommand) -> Result<(), Failure> {
    if let SiteCommand::Import(args) = &command
        && args.template
    {
        sheet::template(context.lang);
        return Ok(());
    }
    let client = context.connect().await?;
    let names = client.names(context.lang).await;
    let session = Session { context: context.clone(), client, names };
    match command {
        SiteCommand::New(args) => new::run(&session, *args).await,
        SiteCommand::Import(args) => import::run(&session, args).await,
        SiteCommand::Export(args) => export::run(&session, args).await,
        SiteCommand::List(args) => list::run(&session, args).await,
        SiteCommand::Show(args) => show::run(&session, args).await,
        SiteCommand::Change(args) => new::change(&session, *args).await,
        SiteCommand::Listing(args) => act::listing(&session, *args).await,
        SiteCommand::Check(args) => act::check(&session, args).await,
        SiteCommand::Visit(args) => visit::run(&session, args).await,
    }
}

/// Pages of a list that count as one to whoever looks for the beginning of an id: ten of these are
/// all sites that the node looks at.
const PAGES_AT_ONCE: usize = 50;

/// The name of a site given as such, by its credit code, or by the beginning of its id.
async fn name(session: &Session, given: &str) -> Result<String, Failure> {
    let lang = session.context.lang;
    let page = async |uscc: &str, page_token| {
        let request = pb::ListSitesRequest {
            parent: "agreements/-".to_owned(),
            page_size: 200,
            page_token,
            uscc: uscc.to_owned(),
            ..pb::ListSitesRequest::default()
        };
        let answer = session.client.sites().list_sites(request).await;
        answer.map(Response::into_inner).map_err(|status| session.client.failure(&status))
    };
    // The beginning of an id may look like a credit code, and hardly ever is one.
    if let Ok(uscc) = Uscc::parse(given) {
        let sites = page(uscc.as_str(), String::new()).await?.sites;
        if !sites.is_empty() || given.chars().any(|c| !c.is_ascii_hexdigit()) {
            return of_code(&sites, session.client.me.node_city, lang);
        }
    }
    let pages = async |mut page_token| {
        let mut names = Vec::new();
        for _ in 0..PAGES_AT_ONCE {
            let found = page("", page_token).await?;
            names.extend(found.sites.into_iter().map(|one| one.name));
            page_token = found.next_page_token;
            if page_token.is_empty() {
                break;
            }
        }
        Ok((names, page_token))
    };
    short_id::name(given, &KIND, lang, pages).await
}

/// The one site of a credit code: the own one, where other cities have some as well.
fn of_code(sites: &[pb::Site], own: u32, lang: Lang) -> Result<String, Failure> {
    let is_own = |site: &&pb::Site| site.city == own;
    let mut found: Vec<&pb::Site> = sites.iter().filter(is_own).collect();
    if found.is_empty() {
        found = sites.iter().collect();
    }
    let what = match found.as_slice() {
        [one] => return Ok(one.name.clone()),
        [] => lang.pick("没有这一信用代码的检查对象", "no site has this credit code"),
        _ => lang.pick("这一信用代码有多个检查对象", "several sites have this credit code"),
    };
    let mut failure = Failure::new(super::failure::Exit::Refused, "NOT_FOUND", what);
    failure.details.extend(found.into_iter().map(|site| site.name.clone()));
    Err(failure.advise(lang.pick(
        "用 liandong site list 中的编号或全名",
        "give a number of liandong site list, or a full name",
    )))
}

/// One site as it is now.
async fn read(session: &Session, name: &str) -> Result<pb::Site, Failure> {
    let request = pb::GetSiteRequest { name: name.to_owned() };
    let answer = session.client.sites().get_site(request).await;
    let answer = answer.map_err(|status| session.client.failure(&status))?.into_inner();
    Ok(answer.site.unwrap_or_default())
}

/// Prints what a write came to.
fn done(
    session: &Session,
    request_id: &str,
    answer: Result<(Option<pb::Site>, Option<pb::WriteReceipt>), tonic::Status>,
) -> Result<(), Failure> {
    let shown = Shown { key: "site", shape: shape::site, text: show::text };
    written::done(session, request_id, answer, &shown)
}

/// Reads a code list's value, or says where the list is.
fn code<T, E>(read: Result<T, E>, list: &str) -> Result<T, String> {
    read.map_err(|_| {
        format!(
            "没有这一项，见 liandong catalog {list} · no such code, see liandong catalog {list}"
        )
    })
}

fn tier(text: &str) -> Result<pb::SiteTier, String> {
    code(super::words::parse_tier(text), "site-tiers")
}

fn permit(text: &str) -> Result<pb::PermitKind, String> {
    code(super::words::parse_permit(text), "permit-kinds")
}

pub(super) fn exception(text: &str) -> Result<pb::VisitException, String> {
    code(super::words::parse_exception(text), "visit-exceptions")
}

pub(super) fn medium(text: &str) -> Result<pb::Medium, String> {
    let known = Codes::Medium.code(text).map(|code| format!("MEDIUM_{code}"));
    code(known.and_then(|name| pb::Medium::from_str_name(&name)).ok_or(()), "media")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credit_code_is_the_own_site_before_that_of_another_city() {
        let site = |name: &str, city| pb::Site { name: name.into(), city, ..pb::Site::default() };
        let (own, other) = (site("a", 371_500), site("b", 130_400));
        let named = |sites: &[pb::Site]| {
            of_code(sites, 371_500, Lang::En).map_err(|failure| failure.details.len())
        };
        assert_eq!(named(&[other.clone(), own.clone()]), Ok("a".to_owned()));
        assert_eq!(named(std::slice::from_ref(&other)), Ok("b".to_owned()));
        assert_eq!(named(&[own.clone(), site("c", 371_500), other]), Err(2));
        assert_eq!(named(&[]), Err(0));
    }

    #[test]
    fn codes_are_read_and_a_wrong_one_names_its_list() {
        assert_eq!(medium("废水").is_ok(), medium("WATER").is_err());
        assert_eq!(medium("WATER"), Ok(pb::Medium::Water));
        assert_eq!(tier("重点"), Ok(pb::SiteTier::Key));
        assert!(exception("随便看看").unwrap_err().contains("visit-exceptions"));
        assert!(permit("x").unwrap_err().contains("permit-kinds"));
    }
}
