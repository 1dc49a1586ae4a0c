//! One key or certificate at a time.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

use super::{Folder, Report, client, failed};
use crate::cli::failure::Failure;
use crate::cli::{Context, files};
use crate::ids::{CityCode, NodeId};
use crate::trust::spiffe::{self, Role};
use crate::trust::{keys, pki};

/// Of which city, in which folder.
#[derive(Args, Clone, Debug)]
pub struct PlaceArgs {
    /// 行政区划代码（六位） · code of the city
    #[arg(long, value_name = "CODE", value_parser = CityCode::parse)]
    pub city: CityCode,
    /// 本市文件夹，证书写入其中的 certs/ · folder of the city
    #[arg(long, default_value = ".", value_name = "DIR")]
    pub dir: PathBuf,
}

impl PlaceArgs {
    pub(super) fn folder(&self) -> Folder {
        Folder(self.dir.clone())
    }
}

/// Arguments of `ca`.
#[derive(Args, Debug)]
pub struct CaArgs {
    /// City and folder.
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Makes a CA for trying out.
///
/// # Errors
/// [`Failure`]; files that are there are left as they are.
pub fn ca(context: &Context, args: &CaArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let mut report = Report::default();
    let issued = pki::issue_ca(args.place.city).map_err(|e| failed(&e, lang))?;
    args.place.folder().put("ca", &issued, &mut report, lang)?;
    report.line(lang.pick(
        "此机构仅供试用：liandong serve --production 会拒绝它签发的证书。",
        "This CA is for trying out: liandong serve --production refuses what it issues.",
    ));
    report.print(context);
    Ok(())
}

/// Arguments of `city-key`.
#[derive(Args, Debug)]
pub struct CityKeyArgs {
    /// 写到哪里 · where to write it
    #[arg(long, default_value = "city.key", value_name = "FILE")]
    pub out: PathBuf,
    /// 只显示已有密钥的公钥 · only show the public key of one that is there
    #[arg(long, value_name = "FILE", conflicts_with = "out")]
    pub show: Option<PathBuf>,
}

/// Makes a city key, or shows the public half of one.
///
/// # Errors
/// [`Failure`]; a file that is there is left as it is.
pub fn city_key(context: &Context, args: &CityKeyArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let mut report = Report::default();
    let public = match &args.show {
        Some(path) => files::city_key(path, lang)?.verifying_key().to_string(),
        None => {
            let public = new_city_key(&args.out, &mut report, lang)?;
            report.line(lang.pick(
                "城市密钥代表本市签署协议、名片和记录申请。请存入离线介质，不要放在节点上；公钥可以公开。",
                "The city key signs agreements, cards and requests for the whole city. Keep it off \
                 the node and off the network; the public key is for everybody.",
            ));
            public
        }
    };
    report.fact("city_key", lang.pick("城市公钥", "public key"), public);
    report.print(context);
    Ok(())
}

/// Makes a city key; returns the public half in hexadecimal.
pub(super) fn new_city_key(
    path: &std::path::Path,
    report: &mut Report,
    lang: crate::lang::Lang,
) -> Result<String, Failure> {
    files::make_folder(path, lang)?;
    if path.exists() {
        return files::write_new(path, b"", lang).map(|()| String::new());
    }
    let key = keys::generate(path).map_err(|e| Failure::local(e.to_string()))?;
    report.wrote(path);
    Ok(key.verifying_key().to_string())
}

/// Arguments of `node`.
#[derive(Args, Debug)]
pub struct NodeArgs {
    /// City and folder.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// 节点编号（UUID），默认新建 · id of the node, made when absent
    #[arg(long, value_name = "UUID")]
    pub node: Option<uuid::Uuid>,
    /// 节点的域名，可多次给出 · DNS name, may be repeated
    #[arg(long, value_name = "NAME")]
    pub dns: Vec<String>,
    /// 节点的 IP 地址，可多次给出 · IP address, may be repeated
    #[arg(long, value_name = "ADDRESS")]
    pub ip: Vec<IpAddr>,
    /// 文件名 · name of the files
    #[arg(long, default_value = "node", value_name = "NAME")]
    pub name: String,
}

/// Makes a certificate for a node.
///
/// # Errors
/// [`Failure`]; files that are there are left as they are.
pub fn node(context: &Context, args: &NodeArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let mut report = Report::default();
    let id = args.node.unwrap_or_else(uuid::Uuid::now_v7);
    let node = NodeId::new(*id.as_bytes());
    let folder = args.place.folder();
    let ca = folder.ca(lang)?;
    let issued = pki::issue_node(&ca, args.place.city, node, &args.dns, &args.ip);
    let issued = issued.map_err(|e| failed(&e, lang))?;
    folder.put(&args.name, &issued, &mut report, lang)?;
    report.fact("node", lang.pick("节点编号", "node"), id.to_string());
    report.fact("identity", lang.pick("身份", "identity"), spiffe::node_uri(args.place.city, node));
    if args.dns.is_empty() && args.ip.is_empty() {
        report.line(lang.pick(
            "未给 --dns 或 --ip：liandong 自己的命令能用，但 Java、Python、C# 客户端会因名称不符拒绝连接。",
            "Without --dns or --ip, clients in Java, Python and C# refuse the node by its name; \
             the liandong command itself does not mind.",
        ));
    }
    report.print(context);
    Ok(())
}

/// Arguments of `person`.
#[derive(Args, Debug)]
pub struct PersonArgs {
    /// City and folder.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// 角色：coordinator 联络员、inspector 执法人员、auditor 审计、admin 管理员 · role
    #[arg(long, value_parser = person_role)]
    pub role: Role,
    /// 执法证号 · certificate number of the officer
    #[arg(long, value_name = "ID")]
    pub id: String,
    /// 文件名（默认同角色） · name of the files, the role when absent
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// 节点接口地址 · address of the node's api port
    #[arg(long, default_value = client::API_DEFAULT, value_name = "HOST:PORT")]
    pub api: String,
}

fn person_role(name: &str) -> Result<Role, String> {
    Role::parse(name)
        .filter(|role| *role != Role::System)
        .ok_or_else(|| "coordinator, inspector, auditor, admin".to_owned())
}

/// Makes a certificate for a person.
///
/// # Errors
/// [`Failure`]; files that are there are left as they are.
pub fn person(context: &Context, args: &PersonArgs) -> Result<(), Failure> {
    let name = args.name.clone().unwrap_or_else(|| args.role.name().to_owned());
    one(context, &args.place, args.role, &args.id, &name, &args.api)
}

/// Arguments of `system`.
#[derive(Args, Debug)]
pub struct SystemArgs {
    /// City and folder.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// 系统名称（字母、数字、.-_） · name of the system
    #[arg(long, value_name = "ID")]
    pub id: String,
    /// 文件名（默认 system） · name of the files
    #[arg(long, default_value = "system", value_name = "NAME")]
    pub name: String,
    /// 节点接口地址 · address of the node's api port
    #[arg(long, default_value = client::API_DEFAULT, value_name = "HOST:PORT")]
    pub api: String,
}

/// Makes a certificate for a system.
///
/// # Errors
/// [`Failure`]; files that are there are left as they are.
pub fn system(context: &Context, args: &SystemArgs) -> Result<(), Failure> {
    one(context, &args.place, Role::System, &args.id, &args.name, &args.api)
}

fn one(
    context: &Context,
    place: &PlaceArgs,
    role: Role,
    id: &str,
    name: &str,
    api: &str,
) -> Result<(), Failure> {
    let lang = context.lang;
    let mut report = Report::default();
    let folder = place.folder();
    let ca = folder.ca(lang)?;
    issue(&folder, &ca, place.city, role, id, name, &mut report, lang)?;
    let profile = folder.0.join(format!("client-{name}.toml"));
    files::write_new(&profile, client::profile(api, name).as_bytes(), lang)?;
    report.wrote(&profile);
    let uri = spiffe::person_uri(place.city, role, id);
    report.fact("identity", lang.pick("身份", "identity"), uri);
    report.line(lang.pick(
        format!("命令行：liandong status --profile {}", profile.display()),
        format!("command line: liandong status --profile {}", profile.display()),
    ));
    report.line(client::snippets(api, &folder.certs(""), name));
    report.print(context);
    Ok(())
}

/// Issues and writes one certificate for a person or system.
#[expect(clippy::too_many_arguments, reason = "one call of two callers, each value plain")]
pub(super) fn issue(
    folder: &Folder,
    ca: &pki::Issued,
    city: CityCode,
    role: Role,
    id: &str,
    name: &str,
    report: &mut Report,
    lang: crate::lang::Lang,
) -> Result<(), Failure> {
    let issued = pki::issue_person(ca, city, role, id).map_err(|e| failed(&e, lang))?;
    folder.put(name, &issued, report, lang)
}
