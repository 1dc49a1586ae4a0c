//! `liandong pki init`: a folder with everything one city needs to start a node.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use clap::Args;

use super::issue::{PlaceArgs, issue, new_city_key};
use super::{Folder, Report, client, failed};
use crate::cli::failure::Failure;
use crate::cli::{Context, files};
use crate::ids::NodeId;
use crate::lang::Lang;
use crate::trust::pki;
use crate::trust::spiffe::Role;

/// The example configuration, which says what every setting means.
const EXAMPLE: &str = include_str!("../../../packaging/liandong.example.toml");
/// The people and systems everybody needs for a start: role, end of the certificate number.
const PEOPLE: [(Role, &str); 5] = [
    (Role::Coordinator, "99001"),
    (Role::Inspector, "99002"),
    (Role::System, "case-system"),
    (Role::Auditor, "99003"),
    (Role::Admin, "99004"),
];

/// Arguments.
#[derive(Args, Debug)]
pub struct InitArgs {
    /// City and folder.
    #[command(flatten)]
    pub place: PlaceArgs,
    /// 他市连接本节点的地址，写入名片 · address at which other cities reach the node
    #[arg(long, default_value = "127.0.0.1:7443", value_name = "HOST:PORT")]
    pub address: String,
    /// 市间端口监听地址 · where the peer port listens
    #[arg(long, default_value = "0.0.0.0:7443", value_name = "ADDRESS")]
    pub peer_listen: SocketAddr,
    /// 接口端口监听地址 · where the api port listens
    #[arg(long, default_value = client::API_DEFAULT, value_name = "ADDRESS")]
    pub api_listen: SocketAddr,
    /// 节点域名（另加 localhost） · DNS names of the node, besides localhost
    #[arg(long, value_name = "NAME")]
    pub dns: Vec<String>,
    /// 节点 IP（另加 127.0.0.1） · IP addresses of the node, besides 127.0.0.1
    #[arg(long, value_name = "ADDRESS")]
    pub ip: Vec<IpAddr>,
    /// 边界数据（GeoJSON） · borders, for distances
    #[arg(long, value_name = "FILE")]
    pub boundaries: Option<PathBuf>,
    /// 值班电话，写入名片 · telephone of the officer on duty
    #[arg(long, value_name = "NUMBER")]
    pub duty_phone: Option<String>,
    /// 值班联系人或值班室，写入名片 · who answers it, such as a duty desk
    #[arg(long, value_name = "NAME", requires = "duty_phone")]
    pub duty_contact: Option<String>,
}

/// Makes everything.
///
/// # Errors
/// [`Failure`]; nothing that is there is overwritten.
pub fn run(context: &Context, args: &InitArgs) -> Result<(), Failure> {
    let lang = context.lang;
    let mut report = Report::default();
    let (city, folder) = (args.place.city, args.place.folder());
    // Looked at first: half a city is worse than none.
    for name in ["city.key", "liandong.toml", "client.toml", "certs/ca.key"] {
        let path = folder.0.join(name);
        if path.exists() {
            return files::write_new(&path, b"", lang);
        }
    }
    let public = new_city_key(&folder.0.join("city.key"), &mut report, lang)?;
    let ca = pki::issue_ca(city).map_err(|e| failed(&e, lang))?;
    folder.put("ca", &ca, &mut report, lang)?;
    let id = uuid::Uuid::now_v7();
    let node = NodeId::new(*id.as_bytes());
    let (dns, ips) = names(args);
    let issued = pki::issue_node(&ca, city, node, &dns, &ips).map_err(|e| failed(&e, lang))?;
    folder.put("node", &issued, &mut report, lang)?;
    let list = pki::issue_crl(&ca, &[]).map_err(|e| failed(&e, lang))?;
    put(&folder.certs("ca.crl"), &list, &mut report, lang)?;
    for (role, id) in PEOPLE {
        let id = if role == Role::System { id.to_owned() } else { format!("{city}{id}") };
        issue(&folder, &ca, city, role, &id, role.name(), &mut report, lang)?;
        let file = match role {
            Role::Coordinator => "client.toml".to_owned(),
            Role::Inspector | Role::System | Role::Auditor | Role::Admin => {
                format!("client-{}.toml", role.name())
            }
        };
        let profile = client::profile(&args.api_listen.to_string(), role.name());
        put(&folder.0.join(file), &profile, &mut report, lang)?;
    }
    put(&folder.0.join("people.toml"), people_example(lang), &mut report, lang)?;
    put(&folder.0.join("liandong.toml"), &config(args, &id)?, &mut report, lang)?;
    card(args, node, &folder, &ca, &mut report, lang)?;
    report.fact("city_key", lang.pick("城市公钥", "public city key"), public);
    report.fact("node", lang.pick("节点编号", "node"), id.to_string());
    report.line(next_steps(args, lang));
    report.print(context);
    Ok(())
}

fn put(path: &std::path::Path, text: &str, report: &mut Report, lang: Lang) -> Result<(), Failure> {
    files::write_new(path, text.as_bytes(), lang)?;
    report.wrote(path);
    Ok(())
}

fn names(args: &InitArgs) -> (Vec<String>, Vec<IpAddr>) {
    let mut dns = vec!["localhost".to_owned()];
    dns.extend(args.dns.iter().cloned());
    let mut ips = vec![IpAddr::from([127, 0, 0, 1])];
    ips.extend(args.ip.iter().copied().filter(|ip| !ip.is_loopback()));
    (dns, ips)
}

/// The example with this city's values in it.
fn config(args: &InitArgs, node: &uuid::Uuid) -> Result<String, Failure> {
    let mut text = EXAMPLE.to_owned();
    let mut replace = |from: &str, to: String| {
        let found = text.contains(from);
        text = text.replacen(from, &to, 1);
        found.then_some(()).ok_or_else(|| Failure::local(format!("example: {from}")))
    };
    replace("city = \"371500\"", format!("city = \"{}\"", args.place.city))?;
    replace("node = \"0198f3c2-6d1e-7a40-8f55-3b1c9a2e7d10\"", format!("node = \"{node}\""))?;
    replace("\"0.0.0.0:7443\"", format!("\"{}\"", args.peer_listen))?;
    replace("\"127.0.0.1:7444\"", format!("\"{}\"", args.api_listen))?;
    // One list for both ports, so that a certificate can be revoked at any time.
    replace("crl = []", "crl = [\"certs/ca.crl\"]".to_owned())?;
    replace("crl = []", "crl = [\"certs/ca.crl\"]".to_owned())?;
    if let Some(path) = &args.boundaries {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let line = format!("boundaries_file = {}", toml::Value::String(path.display().to_string()));
        replace("# boundaries_file = \"cities.geojson\"", line)?;
    }
    Ok(text)
}

fn people_example(lang: Lang) -> &'static str {
    lang.pick(
        "# 现有证书（如 USB Key）的登记名册，由 liandong people 维护；改动后几秒内生效。\n",
        "# Certificates of other issuers; kept by `liandong people`, read while running.\n",
    )
}

/// The first card, so that the other cities can reach and verify this one.
fn card(
    args: &InitArgs,
    node: NodeId,
    folder: &Folder,
    ca: &pki::Issued,
    report: &mut Report,
    lang: Lang,
) -> Result<(), Failure> {
    let given = (args.duty_phone.as_deref(), args.duty_contact.as_deref());
    let card = crate::trust::card::Card {
        city: args.place.city,
        number: 1,
        nodes: vec![node],
        addresses: vec![args.address.clone()],
        cas: vec![ca.cert_der.clone()],
        duty_phone: crate::cli::card::duty(given, None, lang)?,
    };
    // Read back before it is signed: a text that does not parse is nobody's card.
    crate::trust::card::Card::parse(&card.text()).map_err(|e| failed(&e, lang))?;
    let key = files::city_key(&folder.0.join("city.key"), lang)?;
    let note = card.sign(&key).map_err(|e| failed(&e, lang))?;
    let path = folder.0.join(format!("card-{}.note", args.place.city));
    files::write_new(&path, &note, lang)?;
    report.wrote(&path);
    Ok(())
}

fn next_steps(args: &InitArgs, lang: Lang) -> String {
    let (city, dir) = (args.place.city, args.place.dir.display());
    lang.pick(
        format!(
            "下一步：\n\
             1. 把城市公钥告诉其他市（当面或电话核对），由一方起草协议：liandong agreement draft\n\
             2. 签署：liandong agreement sign 协议 --city-key {dir}/city.key\n\
             3. 交换名片 {dir}/card-{city}.note，连同签齐的协议交给本节点：\n   \
             liandong agreement add 各份协议副本 card-*.note --config {dir}/liandong.toml\n\
             4. 开始记录：liandong epoch new --config {dir}/liandong.toml --agreement 简称 \\\n   \
             --city-key {dir}/city.key\n\
             5. 启动：liandong serve --config {dir}/liandong.toml\n\
             之后把 city.key 移到离线介质。证书仅供试用。"
        ),
        format!(
            "next:\n\
             1. tell the other cities the public city key (compare it by telephone); one city\n   \
             drafts the agreement: liandong agreement draft\n\
             2. sign: liandong agreement sign FILE --city-key {dir}/city.key\n\
             3. exchange cards ({dir}/card-{city}.note) and hand everything to the node:\n   \
             liandong agreement add COPIES card-*.note --config {dir}/liandong.toml\n\
             4. begin the records: liandong epoch new --config {dir}/liandong.toml \\\n   \
             --agreement NAME --city-key {dir}/city.key\n\
             5. start: liandong serve --config {dir}/liandong.toml\n\
             then take city.key off this machine. The certificates are for trying out."
        ),
    )
}
