//! `liandong card`: what one city may change alone, signed by its city key.
//!
//! In scope: making, showing and handing in cards. Out of scope: what is in one
//! ([`crate::trust::card`]).

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use super::agreement::add;
use super::agreement::paper::{Paper, chain};
use super::failure::{Exit, Failure};
use super::profile::ProfileArgs;
use super::table::Sheet;
use super::{Context, files};
use crate::ids::{CityCode, NodeId};
use crate::lang::Lang;
use crate::log::merkle::digest;
use crate::trust::card::{Card, SignedCard, duty_line};

/// `liandong card`.
#[derive(Args, Debug)]
pub struct CardArgs {
    /// Which node to call.
    #[command(flatten)]
    pub profile: ProfileArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: CardCommand,
}

/// What can be done with cards.
#[derive(Subcommand, Debug)]
pub enum CardCommand {
    /// 签发名片：地址、节点、证书机构、值班联系人和电话 · sign a card
    New(Box<NewArgs>),
    /// 把名片交给节点（也可用 agreement add） · hand cards to the node
    Add(add::AddArgs),
    /// 查看名片，可用协议核对签名 · show a card, and check its signature
    Show(ShowArgs),
}

/// Arguments of `new`.
#[derive(Args, Debug)]
pub struct NewArgs {
    /// 从节点配置取城市、节点编号和证书机构 · city, node and CAs from this configuration
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// 上一张名片：编号加一，未另给的内容沿用 · the card before: its values, its number plus one
    #[arg(long, value_name = "CARD")]
    pub after: Option<PathBuf>,
    /// 行政区划代码 · code of the city
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse)]
    pub city: Option<CityCode>,
    /// 名片编号，从 1 起，大者有效 · number; the highest is in force
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub number: Option<u64>,
    /// 节点编号，可多次 · node id, may be repeated
    #[arg(long, value_name = "UUID")]
    pub node: Vec<uuid::Uuid>,
    /// 他市连接的地址，按先后尝试，可多次 · address of the peer port, in order of trial
    #[arg(long, value_name = "HOST:PORT")]
    pub address: Vec<String>,
    /// 证书机构（PEM），可多次 · CA certificates
    #[arg(long, value_name = "FILE")]
    pub ca: Vec<PathBuf>,
    /// 值班电话 · telephone of the officer on duty
    #[arg(long, value_name = "NUMBER")]
    pub duty_phone: Option<String>,
    /// 值班联系人或值班室 · who answers it, such as a duty desk
    #[arg(long, value_name = "NAME")]
    pub duty_contact: Option<String>,
    /// 城市密钥 · city key
    #[arg(long, default_value = "city.key", value_name = "FILE")]
    pub city_key: PathBuf,
    /// 写到哪里（默认 card-代码-编号.note） · where to write it
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// Arguments of `show`.
#[derive(Args, Debug)]
pub struct ShowArgs {
    /// 名片文件 · the card
    #[arg(value_name = "CARD")]
    pub card: PathBuf,
    /// 用此协议中的城市公钥核对签名 · check the signature against the key in this agreement
    #[arg(long, value_name = "FILE")]
    pub charter: Option<PathBuf>,
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] that says what happened and what to do.
pub async fn run(context: &Context, command: CardCommand) -> Result<(), Failure> {
    match command {
        CardCommand::New(args) => new(context, &args),
        CardCommand::Add(args) => add::run(context, &args).await,
        CardCommand::Show(args) => show(context, &args),
    }
}

fn new(context: &Context, args: &NewArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let card = card(args, lang)?;
    // Read back: a text that does not parse would be refused everywhere.
    Card::parse(&card.text()).map_err(|error| {
        Failure::usage(lang.pick(
            format!("名片内容不成立（{}）", chain(&error)),
            format!("these values make no card ({})", chain(&error)),
        ))
        .advise(lang.pick("地址写作 主机:端口", "an address is HOST:PORT"))
    })?;
    let key = files::city_key(&args.city_key, lang)?;
    let note = card.sign(&key).map_err(|e| Failure::local(chain(&e)))?;
    let name = format!("card-{}-{}.note", card.city, card.number);
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from(name));
    files::write_new(&out, &note, lang)?;
    if context.json {
        let mut shape = shape(&card);
        if let Some(object) = shape.as_object_mut() {
            object.insert("file".to_owned(), json!(out.display().to_string()));
        }
        context.print_json(&shape);
    } else {
        print!("{}", text(&card, lang));
        println!("{} {}", lang.pick("已写入", "wrote"), out.display());
    }
    Ok(())
}

fn card(args: &NewArgs, lang: Lang) -> Result<Card, Failure> {
    let config = args.config.as_ref().map(|path| files::config(path, lang)).transpose()?;
    let before = args.after.as_ref().map(|path| read(path, lang).map(|(c, _)| c)).transpose()?;
    let city = args.city.or(config.as_ref().map(|c| c.city)).or(before.as_ref().map(|b| b.city));
    let nodes: Vec<NodeId> = args.node.iter().map(|id| NodeId::new(*id.as_bytes())).collect();
    let nodes = first_not_empty([
        nodes,
        config.as_ref().map(|c| vec![c.node]).unwrap_or_default(),
        before.as_ref().map(|b| b.nodes.clone()).unwrap_or_default(),
    ]);
    let config_cas = config.as_ref().map(|c| cas(&c.peer.ca, lang)).transpose()?;
    let cas = first_not_empty([
        cas(&args.ca, lang)?,
        config_cas.unwrap_or_default(),
        before.as_ref().map(|b| b.cas.clone()).unwrap_or_default(),
    ]);
    let addresses = first_not_empty([
        args.address.clone(),
        before.as_ref().map(|b| b.addresses.clone()).unwrap_or_default(),
    ]);
    let empty = |flag: &str| {
        Failure::usage(lang.pick(format!("没有给 {flag}"), format!("{flag} is missing"))).advise(
            lang.pick(
                "也可用 --config 或 --after 取现有的值",
                "--config or --after take values that are there",
            ),
        )
    };
    if addresses.is_empty() {
        return Err(empty("--address"));
    }
    if cas.is_empty() {
        return Err(empty("--ca"));
    }
    let given = (args.duty_phone.as_deref(), args.duty_contact.as_deref());
    let duty_phone = duty(given, before.as_ref(), lang)?;
    let number = args.number.unwrap_or(before.as_ref().map_or(1, |b| b.number.saturating_add(1)));
    Ok(Card {
        city: city.ok_or_else(|| empty("--city"))?,
        number,
        nodes,
        addresses,
        cas,
        duty_phone,
    })
}

/// Who is on duty, as a card has it in one line: what is not given is as on the card before.
///
/// # Errors
/// [`Failure`] when there is a name without a number, or brackets in either.
pub fn duty(
    (phone, contact): (Option<&str>, Option<&str>),
    before: Option<&Card>,
    lang: Lang,
) -> Result<Option<String>, Failure> {
    let (phone_before, contact_before) = before.map(Card::duty).unwrap_or_default();
    let (phone, contact) = (phone.unwrap_or(phone_before), contact.unwrap_or(contact_before));
    if phone.is_empty() && !contact.is_empty() {
        return Err(Failure::usage(lang.pick(
            "有值班联系人而没有值班电话，请加 --duty-phone",
            "there is a contact and no telephone: add --duty-phone",
        )));
    }
    if !contact.is_empty() && [phone, contact].iter().any(|one| one.contains(['（', '）'])) {
        return Err(Failure::usage(lang.pick(
            "值班电话和值班联系人中不能有全角括号",
            "neither the telephone nor the contact can have full-width brackets",
        )));
    }
    Ok(Some(duty_line(phone, contact)).filter(|line| !line.is_empty()))
}

fn first_not_empty<T>(lists: impl IntoIterator<Item = Vec<T>>) -> Vec<T> {
    lists.into_iter().find(|list| !list.is_empty()).unwrap_or_default()
}

fn cas(paths: &[PathBuf], lang: Lang) -> Result<Vec<Vec<u8>>, Failure> {
    let mut all = Vec::new();
    for path in paths {
        let bad = || {
            let shown = path.display();
            Failure::local(lang.pick(
                format!("{shown}：不是 PEM 证书"),
                format!("{shown}: is no certificate in PEM"),
            ))
        };
        for cert in CertificateDer::pem_file_iter(path).map_err(|_| bad())? {
            all.push(cert.map_err(|_| bad())?.to_vec());
        }
    }
    Ok(all)
}

fn read(path: &Path, lang: Lang) -> Result<(Card, bytes::Bytes), Failure> {
    let note = bytes::Bytes::from(files::read(path, lang)?);
    let card = SignedCard::peek(&note).map_err(|error| {
        Failure::local(lang.pick(
            format!("{}：不是名片（{}）", path.display(), chain(&error)),
            format!("{}: is not a card ({})", path.display(), chain(&error)),
        ))
    })?;
    Ok((card, note))
}

fn show(context: &Context, args: &ShowArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let (card, note) = read(&args.card, lang)?;
    let checked = match &args.charter {
        Some(path) => {
            let paper = Paper::read(path, lang)?;
            let member = paper.charter.members.iter().find(|m| m.city == card.city);
            let right = member.is_some_and(|m| SignedCard::verify(&note, &m.city_key).is_ok());
            if !right {
                return Err(Failure::new(
                    Exit::Refused,
                    "SIGNATURE_INVALID",
                    lang.pick(
                        format!("名片不是由协议中 {} 的城市密钥签发", card.city),
                        format!("it is not signed by the city key of {} in that text", card.city),
                    ),
                )
                .advise(lang.pick("向该市索取新的名片", "ask that city for a new card")));
            }
            true
        }
        None => false,
    };
    if context.json {
        let mut shape = shape(&card);
        if let Some(object) = shape.as_object_mut() {
            object.insert("signature_checked".to_owned(), json!(checked));
        }
        context.print_json(&shape);
        return Ok(());
    }
    print!("{}", text(&card, lang));
    let line = match checked {
        true => lang.pick("签名与协议相符", "the signature is right"),
        false => lang.pick("未核对签名（用 --charter 核对）", "signature not checked (--charter)"),
    };
    println!("{line}");
    Ok(())
}

fn uuid_text(node: &NodeId) -> String {
    uuid::Uuid::from_bytes(*node.as_bytes()).to_string()
}

fn text(card: &Card, lang: Lang) -> String {
    let mut sheet = Sheet::default();
    let (phone, contact) = card.duty();
    let nodes: Vec<String> = card.nodes.iter().map(uuid_text).collect();
    let cas: Vec<String> = card.cas.iter().map(|der| digest(der).to_string()).collect();
    sheet
        .row(lang.pick("城市", "city"), card.city.to_string())
        .row(lang.pick("编号", "number"), card.number.to_string())
        .row(lang.pick("节点", "nodes"), nodes.join("\n"))
        .row(lang.pick("地址", "addresses"), card.addresses.join("\n"))
        .row(lang.pick("证书机构", "CA certificates"), cas.join("\n"))
        .row(lang.pick("值班电话", "duty telephone"), phone)
        .row(lang.pick("值班联系人", "on duty"), contact);
    sheet.text()
}

fn shape(card: &Card) -> Value {
    let (phone, contact) = card.duty();
    json!({
        "city": card.city.to_string(),
        "number": card.number,
        "nodes": card.nodes.iter().map(uuid_text).collect::<Vec<_>>(),
        "addresses": card.addresses,
        "ca_hashes": card.cas.iter().map(|d| digest(d).to_string()).collect::<Vec<_>>(),
        "duty_phone": Some(phone).filter(|one| !one.is_empty()),
        "duty_contact": Some(contact).filter(|one| !one.is_empty()),
    })
}
