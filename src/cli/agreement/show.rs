//! `liandong agreement show` and `verify`: a file, or what the node holds.

use std::path::Path;

use clap::Args;
use serde_json::{Value, json};

use super::paper::Paper;
use crate::cli::connect::Client;
use crate::cli::failure::{Exit, Failure};
use crate::cli::{Context, table};
use crate::domain::Date;
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// Arguments.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// 协议文件，或节点上协议的简称、编号；不给则列出全部 · file, short name or id; all when absent
    #[arg(value_name = "FILE|AGREEMENT")]
    pub which: Option<String>,
}

/// Shows.
///
/// # Errors
/// [`Failure`] when the file or agreement is not there.
pub async fn run(context: &Context, args: &ShowArgs) -> Result<(), Failure> {
    let lang = context.lang;
    if let Some(path) = file(args) {
        let paper = Paper::read(path, lang)?;
        match context.json {
            true => context.print_json(&paper.json()),
            false => print!("{}", paper.text(lang)),
        }
        return Ok(());
    }
    let client = context.connect().await?;
    let agreements = wanted(&client, args, lang).await?;
    if context.json {
        let shape: Vec<Value> = agreements.iter().map(shape).collect();
        context.print_json(&json!({ "agreements": shape }));
        return Ok(());
    }
    if args.which.is_none() {
        println!("{}", list(&agreements, lang));
        return Ok(());
    }
    for agreement in &agreements {
        let paper = Paper::parse(&agreement.charter_note).map_err(Failure::local)?;
        print!("{}", paper.text(lang));
        println!("{}", writable(agreement.writable, lang));
    }
    Ok(())
}

/// Checks.
///
/// # Errors
/// [`Failure`] with one line for everything that is missing.
pub async fn verify(context: &Context, args: &ShowArgs) -> Result<(), Failure> {
    let lang = context.lang;
    if let Some(path) = file(args) {
        let paper = Paper::read(path, lang)?;
        return verdict(context, &paper.charter.short_name, findings(&paper, lang));
    }
    let client = context.connect().await?;
    for agreement in wanted(&client, args, lang).await? {
        let request = pb::VerifyAgreementRequest { name: agreement.name.clone() };
        let answer = client.agreements().verify_agreement(request).await;
        let answer = answer.map_err(|status| client.failure(&status))?.into_inner();
        verdict(context, &agreement.short_name, answer.findings)?;
    }
    Ok(())
}

fn file(args: &ShowArgs) -> Option<&Path> {
    args.which.as_deref().map(Path::new).filter(|path| path.is_file())
}

fn findings(paper: &Paper, lang: Lang) -> Vec<String> {
    let mut findings = Vec::new();
    for city in paper.missing() {
        findings.push(lang.pick(format!("{city} 尚未签署"), format!("{city} has not signed")));
    }
    let today = Date::beijing(crate::node::clock::wall_ms());
    let (begin, end) = (paper.charter.begin_on, paper.charter.end_on);
    if today.is_none_or(|today| today < begin || end < today) {
        findings.push(lang.pick(
            format!("今日不在协议有效期内（{begin}—{end}）"),
            format!("today is outside the term ({begin} to {end})"),
        ));
    }
    findings
}

fn verdict(context: &Context, name: &str, findings: Vec<String>) -> Result<(), Failure> {
    let lang = context.lang;
    if findings.is_empty() {
        match context.json {
            true => context.print_json(&json!({ "agreement": name, "valid": true })),
            false => println!("{}{}", table::clean(name), lang.pick("：无误", ": in order")),
        }
        return Ok(());
    }
    let what = lang.pick(format!("协议「{name}」尚不完备"), format!("{name} is not in order yet"));
    let failure = Failure::new(Exit::Refused, "AGREEMENT_NOT_VALID", what);
    Err(findings.iter().fold(failure, |f, line| f.detail(table::clean(line))))
}

async fn wanted(
    client: &Client,
    args: &ShowArgs,
    lang: Lang,
) -> Result<Vec<pb::Agreement>, Failure> {
    let request = pb::ListAgreementsRequest { page_size: 200, page_token: String::new() };
    let answer = client.agreements().list_agreements(request).await;
    let mut all = answer.map_err(|status| client.failure(&status))?.into_inner().agreements;
    let Some(which) = &args.which else { return Ok(all) };
    let bare = which.trim_start_matches("agreements/").replace('-', "");
    all.retain(|a| a.short_name == *which || a.name == format!("agreements/{bare}"));
    if all.is_empty() {
        return Err(Failure::new(
            Exit::Refused,
            "NOT_FOUND",
            lang.pick(
                format!("没有文件“{which}”，节点上也没有这份协议"),
                format!("there is no file {which:?}, and the node knows no such agreement"),
            ),
        )
        .advise(lang.pick("liandong agreement show 列出全部", "agreement show lists them all")));
    }
    Ok(all)
}

fn writable(writable: bool, lang: Lang) -> &'static str {
    if writable {
        lang.pick("本节点可在此协议中登记和办理", "this node writes in it")
    } else {
        lang.pick(
            "本节点尚不能在此协议中办理：执行 liandong epoch new",
            "this node cannot write in it yet: run liandong epoch new",
        )
    }
}

fn shape(agreement: &pb::Agreement) -> Value {
    let charter = Paper::parse(&agreement.charter_note).map_or(Value::Null, |p| p.json());
    let unknown = agreement.members.iter().filter(|m| !m.card_known);
    json!({
        "name": agreement.name,
        "charter": charter,
        "writable": agreement.writable,
        "cards_missing": unknown.map(|m| m.city.to_string()).collect::<Vec<_>>(),
    })
}

fn list(agreements: &[pb::Agreement], lang: Lang) -> comfy_table::Table {
    let headers = lang.pick(
        ["简称", "协议", "成员", "缺名片", "可办理", "编号"],
        ["short", "title", "members", "no card of", "writable", "id"],
    );
    let mut table = table::table(&headers);
    let join = |names: Vec<String>| table::clean(&names.join(lang.pick("、", ", ")));
    for agreement in agreements {
        let names = |known: bool| {
            let members = agreement.members.iter().filter(|m| known || !m.card_known);
            join(members.map(|m| m.display_name.clone()).collect())
        };
        table.add_row([
            table::clean(&agreement.short_name),
            table::clean(&agreement.display_name),
            names(true),
            names(false),
            if agreement.writable { lang.pick("是", "yes") } else { lang.pick("否", "no") }
                .to_owned(),
            agreement.name.trim_start_matches("agreements/").to_owned(),
        ]);
    }
    table
}
