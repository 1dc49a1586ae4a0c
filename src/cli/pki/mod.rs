//! `liandong pki`: keys and certificates for trying out, and the city key for real use.
//!
//! In scope: which files are written where, and what a client needs to use them. Out of scope:
//! how certificates are made ([`crate::trust::pki`]).
//!
//! A city's files lie in one folder: `city.key`, `certs/ca.pem`, `certs/node.pem`,
//! `certs/<name>.pem`, each key beside its certificate as `.key`. Nothing is ever overwritten but
//! the revocation list, which grows.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::json;

use super::Context;
use super::failure::Failure;
use crate::lang::Lang;
use crate::trust::pki::Issued;

pub mod client;
pub mod init;
pub mod issue;
pub mod revoke;

/// `liandong pki`.
#[derive(clap::Args, Debug)]
pub struct PkiArgs {
    /// What to make.
    #[command(subcommand)]
    pub command: PkiCommand,
}

/// What can be made.
#[derive(Subcommand, Debug)]
pub enum PkiCommand {
    /// 一次备齐一个市的全部文件：机构、城市密钥、节点与人员证书、配置 · everything one city needs
    Init(Box<init::InitArgs>),
    /// 试用证书机构 · a CA for trying out
    Ca(issue::CaArgs),
    /// 城市密钥（正式使用也用它，平时离线保管） · the city key, for real use too
    CityKey(issue::CityKeyArgs),
    /// 节点证书 · a certificate for a node
    Node(issue::NodeArgs),
    /// 人员证书 · a certificate for a person
    #[command(alias = "officer")]
    Person(issue::PersonArgs),
    /// 业务系统证书 · a certificate for a system
    System(issue::SystemArgs),
    /// 吊销证书（写入吊销列表） · revoke certificates
    Revoke(revoke::RevokeArgs),
}

/// Runs one command.
///
/// # Errors
/// [`Failure`] that says what happened and what to do.
pub fn run(context: &Context, args: PkiArgs) -> Result<(), Failure> {
    match args.command {
        PkiCommand::Init(args) => init::run(context, &args),
        PkiCommand::Ca(args) => issue::ca(context, &args),
        PkiCommand::CityKey(args) => issue::city_key(context, &args),
        PkiCommand::Node(args) => issue::node(context, &args),
        PkiCommand::Person(args) => issue::person(context, &args),
        PkiCommand::System(args) => issue::system(context, &args),
        PkiCommand::Revoke(args) => revoke::run(context, &args),
    }
}

/// What a command has written, for people and programs.
#[derive(Debug, Default)]
pub(super) struct Report {
    written: Vec<PathBuf>,
    facts: Vec<(&'static str, String, String)>,
    lines: Vec<String>,
}

impl Report {
    /// A file was written.
    fn wrote(&mut self, path: &Path) {
        self.written.push(path.to_owned());
    }

    /// Something to know: key for programs, label and value for people.
    fn fact(&mut self, key: &'static str, label: &str, value: impl Into<String>) {
        self.facts.push((key, label.to_owned(), value.into()));
    }

    /// A paragraph for people only.
    fn line(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Prints it.
    fn print(&self, context: &Context) {
        let lang = context.lang;
        if context.json {
            let mut shape = serde_json::Map::new();
            let written = self.written.iter().map(|p| p.display().to_string());
            shape.insert("written".to_owned(), json!(written.collect::<Vec<_>>()));
            for (key, _, value) in &self.facts {
                shape.insert((*key).to_owned(), json!(value));
            }
            context.print_json(&shape.into());
            return;
        }
        for path in &self.written {
            println!("{} {}", lang.pick("已写入", "wrote"), path.display());
        }
        for (_, label, value) in &self.facts {
            println!("{label}{}{value}", lang.pick("：", ": "));
        }
        for line in &self.lines {
            println!("\n{line}");
        }
    }
}

/// Where the files of one city lie.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    fn certs(&self, name: &str) -> PathBuf {
        self.0.join("certs").join(name)
    }

    /// Writes a certificate and its key.
    fn put(
        &self,
        name: &str,
        issued: &Issued,
        report: &mut Report,
        lang: Lang,
    ) -> Result<(), Failure> {
        let (cert, key) = (self.certs(&format!("{name}.pem")), self.certs(&format!("{name}.key")));
        super::files::write_secret(&key, issued.key_pem.as_bytes(), lang)?;
        super::files::write_new(&cert, issued.cert_pem.as_bytes(), lang)?;
        report.wrote(&cert);
        report.wrote(&key);
        Ok(())
    }

    /// The trial CA that lies here.
    fn ca(&self, lang: Lang) -> Result<Issued, Failure> {
        let no_ca = |failure: Failure| {
            failure.advise(lang.pick(
                "先用 liandong pki ca 建立证书机构",
                "first make the CA with liandong pki ca",
            ))
        };
        let read = |path: PathBuf| -> Result<String, Failure> {
            let bytes = super::files::read(&path, lang).map_err(no_ca)?;
            String::from_utf8(bytes).map_err(|_| Failure::local(path.display().to_string()))
        };
        let (cert_pem, key_pem) = (read(self.certs("ca.pem"))?, read(self.certs("ca.key"))?);
        Ok(Issued { cert_der: Vec::new(), cert_pem, key_pem })
    }
}

fn failed(error: &dyn std::fmt::Display, lang: Lang) -> Failure {
    Failure::local(lang.pick(
        format!("无法生成证书（{error}）"),
        format!("the certificate could not be made ({error})"),
    ))
}
