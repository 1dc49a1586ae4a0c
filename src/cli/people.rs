//! `liandong people`: who may call the own node with a certificate of another issuer, and who may
//! not call any more.
//!
//! In scope: changing `people.toml` whole or not at all. Out of scope: what it means
//! ([`crate::trust::people`]); a running node reads the file by itself.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use x509_parser::prelude::{FromDer, X509Certificate};

use super::failure::{Exit, Failure};
use super::{Context, files, roles, table};
use crate::domain::Date;
use crate::ids::hex;
use crate::lang::Lang;
use crate::log::merkle::digest;
use crate::trust::people::{DisabledRow, People, PeopleFile, PersonRow, plain_serial};
use crate::trust::spiffe::{self, Role, Subject};

/// `liandong people`.
#[derive(Args, Debug)]
pub struct PeopleArgs {
    /// 节点配置文件，从中取 people_file · configuration of the node
    #[arg(long, global = true, default_value = "liandong.toml", value_name = "FILE")]
    pub config: PathBuf,
    /// 直接指明名册文件 · the list itself
    #[arg(long, global = true, value_name = "FILE")]
    pub people: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: PeopleCommand,
}

/// What can be done with people.
#[derive(Subcommand, Debug)]
pub enum PeopleCommand {
    /// 登记现有证书（如 USB Key，无 SPIFFE 编号） · enrol an existing certificate
    Add(AddArgs),
    /// 停用一个身份或证书，几秒内断开其连接 · let an identity or certificate in no more
    Disable(DisableArgs),
    /// 恢复已停用的身份或证书 · let it in again
    Enable(WhomArgs),
    /// 列出名册 · list
    List,
}

/// Arguments of `add`.
#[derive(Args, Debug)]
pub struct AddArgs {
    /// 证书（PEM） · the certificate
    #[arg(value_name = "CERT")]
    pub cert: PathBuf,
    /// 角色 coordinator、inspector、system、auditor、admin · role
    #[arg(long, value_parser = role)]
    pub role: Role,
    /// 执法证号或系统名称 · certificate number of the officer, or the system's name
    #[arg(long, value_name = "ID")]
    pub id: String,
    /// 姓名，供人查看 · name, for people
    #[arg(long, default_value = "", hide_default_value = true, value_name = "NAME")]
    pub name: String,
}

/// Whom it is about.
#[derive(Args, Debug, Clone)]
#[group(required = true, multiple = false)]
pub struct WhomArgs {
    /// 身份，如 coordinator/37150099001 或 node/编号 · identity
    #[arg(value_name = "IDENTITY")]
    pub identity: Option<String>,
    /// 证书序列号 · serial number of a certificate
    #[arg(long, value_name = "HEX")]
    pub serial: Option<String>,
    /// 证书（PEM），取其序列号 · a certificate, for its serial number
    #[arg(long, value_name = "CERT")]
    pub cert: Option<PathBuf>,
}

/// Arguments of `disable`.
#[derive(Args, Debug)]
pub struct DisableArgs {
    /// Whom.
    #[command(flatten)]
    pub whom: WhomArgs,
    /// 原因，供人查看 · why, for people
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    pub reason: String,
}

fn role(name: &str) -> Result<Role, String> {
    Role::parse(name).ok_or_else(|| "coordinator, inspector, system, auditor, admin".to_owned())
}

/// Runs one command.
///
/// # Errors
/// [`Failure`]; the list is as it was.
pub fn run(context: &Context, args: PeopleArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let path = match args.people {
        Some(path) => path,
        None => files::config(&args.config, lang)?.people_file,
    };
    let mut file = load(&path, lang)?;
    let (done, who) = match args.command {
        PeopleCommand::List => {
            list(context, &file);
            return Ok(());
        }
        PeopleCommand::Add(args) => add(&mut file, args, lang)?,
        PeopleCommand::Disable(args) => disable(&mut file, args, lang)?,
        PeopleCommand::Enable(args) => enable(&mut file, &args, lang)?,
    };
    save(&path, &file, lang)?;
    if context.json {
        context
            .print_json(&json!({ "done": done, "who": who, "file": path.display().to_string() }));
    } else {
        let word = match done {
            "added" => lang.pick("已登记", "enrolled"),
            "disabled" => lang.pick("已停用", "disabled"),
            _ => lang.pick("已恢复", "enabled"),
        };
        println!("{word}{}{}", lang.pick("：", ": "), table::clean(&who));
        println!(
            "{}",
            lang.pick("运行中的节点几秒内生效", "a running node follows within seconds")
        );
    }
    Ok(())
}

fn load(path: &Path, lang: Lang) -> Result<PeopleFile, Failure> {
    if !path.exists() {
        return Ok(PeopleFile::default());
    }
    let bytes = std::fs::read_to_string(path);
    let text = bytes.map_err(|e| Failure::local(format!("{}: {e}", path.display())))?;
    let parsed = PeopleFile::parse(&text).and_then(|file| People::check(&file).map(|_| file));
    parsed.map_err(|error| {
        Failure::local(lang.pick(
            format!("{}：看不懂（{error}）", path.display()),
            format!("{}: is not understood ({error})", path.display()),
        ))
        .advise(lang.pick("先改正文件中所指的一行", "mend the row it names first"))
    })
}

/// A node that reads meanwhile finds the old list or the new one, never half of it.
fn save(path: &Path, file: &PeopleFile, lang: Lang) -> Result<(), Failure> {
    let wrong = |error: &dyn std::fmt::Display| {
        Failure::usage(lang.pick(
            format!("名册内容不成立（{error}），未改动"),
            format!("this makes no list ({error}); nothing was changed"),
        ))
    };
    People::check(file).map_err(|e| wrong(&e))?;
    let text = file.render().map_err(|e| wrong(&e))?;
    let draft = path.with_extension(format!("toml.{}", std::process::id()));
    files::write_new(&draft, text.as_bytes(), lang)?;
    std::fs::rename(&draft, path).map_err(|e| wrong(&e))
}

fn read_cert(path: &Path, lang: Lang) -> Result<CertificateDer<'static>, Failure> {
    CertificateDer::from_pem_file(path).map_err(|error| {
        Failure::local(lang.pick(
            format!("{}：不是 PEM 证书（{error}）", path.display()),
            format!("{}: is no certificate in PEM ({error})", path.display()),
        ))
    })
}

fn add(
    file: &mut PeopleFile,
    args: AddArgs,
    lang: Lang,
) -> Result<(&'static str, String), Failure> {
    let der = read_cert(&args.cert, lang)?;
    let (_, cert) = X509Certificate::from_der(&der).map_err(|e| Failure::local(e.to_string()))?;
    let named = webpki::EndEntityCert::try_from(&der)
        .is_ok_and(|end| end.valid_uri_names().any(|uri| uri.starts_with("spiffe://")));
    if named {
        return Err(Failure::usage(lang.pick(
            "这张证书自带 SPIFFE 编号，不需要登记",
            "this certificate carries a SPIFFE id and needs no enrolment",
        )));
    }
    let row = PersonRow {
        issuer: digest(cert.issuer().as_raw()).to_string(),
        issuer_name: table::clean(&cert.issuer().to_string()),
        serial: plain_serial(&hex(cert.raw_serial())),
        role: args.role.name().to_owned(),
        id: args.id,
        name: args.name,
    };
    let who = format!("{}/{}", row.role, row.id);
    // The same certificate again: the newer row counts.
    file.person
        .retain(|p| (&p.issuer, plain_serial(&p.serial)) != (&row.issuer, row.serial.clone()));
    file.person.push(row);
    Ok(("added", who))
}

/// The identity or serial number that is meant.
fn whom(args: &WhomArgs, lang: Lang) -> Result<(Option<String>, Option<String>), Failure> {
    if let Some(path) = &args.cert {
        let der = read_cert(path, lang)?;
        let (_, cert) =
            X509Certificate::from_der(&der).map_err(|e| Failure::local(e.to_string()))?;
        return Ok((None, Some(plain_serial(&hex(cert.raw_serial())))));
    }
    if let Some(serial) = &args.serial {
        return Ok((None, Some(plain_serial(serial))));
    }
    let given = args.identity.clone().unwrap_or_default();
    // Whole SPIFFE ids are understood too.
    let name = match spiffe::parse_uri(&given) {
        Ok((_, Subject::Person(role, id))) => format!("{}/{id}", role.name()),
        Ok((_, Subject::Node(node))) => format!("node/{node}"),
        Ok((_, Subject::Unnamed)) | Err(_) => match given.split_once('/') {
            Some(("node", id)) => match uuid::Uuid::parse_str(id) {
                Ok(id) => format!("node/{}", hex(id.as_bytes())),
                Err(_) => given,
            },
            Some(_) | None => given,
        },
    };
    Ok((Some(name), None))
}

fn disable(
    file: &mut PeopleFile,
    args: DisableArgs,
    lang: Lang,
) -> Result<(&'static str, String), Failure> {
    let (identity, serial) = whom(&args.whom, lang)?;
    let who = identity.clone().or(serial.clone()).unwrap_or_default();
    if file.disabled.iter().any(|d| d.identity == identity && d.serial == serial) {
        return Ok(("disabled", who));
    }
    let today = Date::beijing(crate::node::clock::wall_ms());
    let since = today.map_or_else(String::new, |d| d.to_string());
    file.disabled.push(DisabledRow { identity, serial, since, reason: args.reason });
    Ok(("disabled", who))
}

fn enable(
    file: &mut PeopleFile,
    args: &WhomArgs,
    lang: Lang,
) -> Result<(&'static str, String), Failure> {
    let (identity, serial) = whom(args, lang)?;
    let who = identity.clone().or(serial.clone()).unwrap_or_default();
    let before = file.disabled.len();
    let plain = |s: &Option<String>| s.as_deref().map(plain_serial);
    file.disabled.retain(|d| d.identity != identity || plain(&d.serial) != serial);
    if file.disabled.len() == before {
        return Err(Failure::new(
            Exit::Refused,
            "NOT_DISABLED",
            lang.pick(format!("{who} 没有被停用"), format!("{who} is not disabled")),
        )
        .advise(lang.pick("liandong people list 列出名册", "liandong people list shows all")));
    }
    Ok(("enabled", who))
}

fn list(context: &Context, file: &PeopleFile) {
    let lang = context.lang;
    if context.json {
        context.print_json(&json!({ "person": file.person, "disabled": file.disabled }));
        return;
    }
    let headers = lang.pick(
        ["角色", "证号", "姓名", "颁发者", "序列号"],
        ["role", "id", "name", "issuer", "serial"],
    );
    let mut people = table::table(&headers);
    for row in &file.person {
        let role = Role::parse(&row.role).map_or("", |role| roles::word(role, lang));
        people.add_row([
            role.to_owned(),
            table::clean(&row.id),
            table::clean(&row.name),
            table::clean(&row.issuer_name),
            row.serial.clone(),
        ]);
    }
    println!("{}\n{people}", lang.pick("已登记的证书", "enrolled certificates"));
    let headers = lang.pick(["停用的身份或序列号", "自", "原因"], ["disabled", "since", "why"]);
    let mut disabled = table::table(&headers);
    for row in &file.disabled {
        disabled.add_row([
            table::clean(row.identity.as_deref().or(row.serial.as_deref()).unwrap_or_default()),
            table::clean(&row.since),
            table::clean(&row.reason),
        ]);
    }
    println!("\n{}\n{disabled}", lang.pick("停用", "disabled"));
}
