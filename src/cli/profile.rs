//! The client profile: which node to call and with which certificate.
//!
//! In scope: `client.toml`, the flags and variables that win over it. Out of scope: connecting.
//!
//! Each setting is taken from the flag, else from the environment, else from the file.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::failure::Failure;
use crate::ids::CityCode;
use crate::lang::Lang;

/// Flags of every command that calls a node.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "连接 · connection")]
pub struct ProfileArgs {
    /// 客户端设置文件（默认 ./client.toml，其次 ~/.config/liandong/client.toml） · client profile
    #[arg(long, global = true, env = "LIANDONG_PROFILE", value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// 节点接口地址，如 127.0.0.1:7444 · address of the node's api port
    #[arg(long, global = true, env = "LIANDONG_API", value_name = "HOST:PORT")]
    pub api: Option<String>,
    /// 本人或本系统的证书（PEM） · client certificate
    #[arg(long, global = true, env = "LIANDONG_CERT", value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// 证书私钥（PKCS#8 PEM） · its key
    #[arg(long, global = true, env = "LIANDONG_KEY", value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// 本市证书机构（PEM） · CA certificates of the own city
    #[arg(long, global = true, env = "LIANDONG_CA", value_name = "FILE")]
    pub ca: Option<PathBuf>,
    /// 所连节点应属的城市（默认取自本人证书） · city the node must belong to
    #[arg(long, global = true, env = "LIANDONG_CITY", value_name = "CODE")]
    pub node_city: Option<String>,
    /// 每次调用最多等待的秒数 · seconds to wait for an answer
    #[arg(long, global = true, value_name = "SECONDS", value_parser = seconds())]
    pub timeout: Option<u64>,
}

fn seconds() -> clap::builder::RangedU64ValueParser<u64> {
    clap::value_parser!(u64).range(1..=600)
}

/// `client.toml`; relative paths are taken from its folder.
#[derive(Deserialize, Default, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
struct File {
    api: Option<String>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    ca: Option<PathBuf>,
    city: Option<String>,
    timeout: Option<u64>,
}

/// Which node to call and with which certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `host:port`.
    pub api: String,
    /// Certificate chain, PEM.
    pub cert: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// CA certificates, PEM.
    pub ca: PathBuf,
    /// The node's city; the city of the own certificate when absent.
    pub city: Option<CityCode>,
    /// Seconds to wait for an answer.
    pub timeout_s: u64,
}

/// Waiting longer than this for one answer helps nobody at a terminal.
const TIMEOUT_S_DEFAULT: u64 = 30;

impl Profile {
    /// Puts flags, environment and file together.
    ///
    /// # Errors
    /// [`Failure`] naming the missing setting, or the file that cannot be read.
    pub fn load(args: &ProfileArgs, lang: Lang) -> Result<Self, Failure> {
        let found = match &args.profile {
            Some(path) => Some(path.clone()),
            None => usual_places().into_iter().find(|path| path.exists()),
        };
        let file = match &found {
            Some(path) => read(path, lang)?,
            None => File::default(),
        };
        let missing = |flag: &str| missing(flag, found.as_deref(), lang);
        let city = args.node_city.clone().or(file.city);
        let city = city
            .map(|code| CityCode::parse(&code).map_err(|_| bad_city(&code, lang)))
            .transpose()?;
        Ok(Self {
            api: args.api.clone().or(file.api).ok_or_else(|| missing("api"))?,
            cert: args.cert.clone().or(file.cert).ok_or_else(|| missing("cert"))?,
            key: args.key.clone().or(file.key).ok_or_else(|| missing("key"))?,
            ca: args.ca.clone().or(file.ca).ok_or_else(|| missing("ca"))?,
            city,
            timeout_s: args.timeout.or(file.timeout).unwrap_or(TIMEOUT_S_DEFAULT),
        })
    }

    /// The profile as a file that [`Profile::load`] reads; paths as they are.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut table = toml::Table::new();
        let path = |path: &Path| toml::Value::String(path.display().to_string());
        table.insert("api".to_owned(), toml::Value::String(self.api.clone()));
        table.insert("cert".to_owned(), path(&self.cert));
        table.insert("key".to_owned(), path(&self.key));
        table.insert("ca".to_owned(), path(&self.ca));
        if let Some(city) = self.city {
            table.insert("city".to_owned(), toml::Value::String(city.to_string()));
        }
        table.to_string()
    }
}

fn usual_places() -> Vec<PathBuf> {
    let mut places = vec![PathBuf::from("client.toml")];
    if let Some(home) = std::env::var_os("HOME") {
        places.push(Path::new(&home).join(".config/liandong/client.toml"));
    }
    places
}

fn read(path: &Path, lang: Lang) -> Result<File, Failure> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::local(lang.pick(
            format!("{shown}：无法读取（{error}）"),
            format!("{shown}: cannot be read ({error})"),
        ))
        .advise(lang.pick("用 --profile 指明客户端设置文件", "name the profile with --profile"))
    })?;
    let mut file: File = toml::from_str(&text).map_err(|error| {
        Failure::local(lang.pick(
            format!("{shown}：看不懂\n{}", error.to_string().trim_end()),
            format!("{shown}: is not understood\n{}", error.to_string().trim_end()),
        ))
        .advise(lang.pick(
            "可用的设置：api、cert、key、ca、city、timeout",
            "settings are: api, cert, key, ca, city, timeout",
        ))
    })?;
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    for entry in [&mut file.cert, &mut file.key, &mut file.ca].into_iter().flatten() {
        *entry = folder.join(&*entry);
    }
    Ok(file)
}

fn missing(flag: &str, file: Option<&Path>, lang: Lang) -> Failure {
    let what = lang.pick(
        format!("不知道连接哪个节点：缺少 {flag}"),
        format!("which node to call is not known: {flag} is missing"),
    );
    let advice = match file {
        Some(path) => lang.pick(
            format!("在 {} 中加一行 {flag} = \"…\"，或加 --{flag}", path.display()),
            format!("add {flag} = \"...\" to {}, or use --{flag}", path.display()),
        ),
        None => lang.pick(
            format!("建一个 client.toml（api、cert、key、ca），或加 --{flag}"),
            format!("write a client.toml (api, cert, key, ca), or use --{flag}"),
        ),
    };
    Failure::local(what).advise(advice)
}

fn bad_city(code: &str, lang: Lang) -> Failure {
    Failure::local(lang.pick(
        format!("city：“{code}”不是市级行政区划代码"),
        format!("city: {code:?} is not a city-level division code"),
    ))
    .advise(lang.pick("填写六位市级代码，如 371500", "write six digits such as 371500"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(profile: &Path) -> ProfileArgs {
        ProfileArgs { profile: Some(profile.to_owned()), ..ProfileArgs::default() }
    }

    #[test]
    fn a_profile_is_read_from_its_folder_and_flags_win() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client.toml");
        std::fs::write(
            &path,
            "api = \"127.0.0.1:1\"\ncert = \"a.pem\"\nkey = \"/k.pem\"\nca = \"ca.pem\"\n",
        )
        .unwrap();
        let profile = Profile::load(&args(&path), Lang::Zh).unwrap();
        assert_eq!(profile.cert, folder.path().join("a.pem"));
        assert_eq!(profile.key, Path::new("/k.pem"));
        assert_eq!((profile.timeout_s, profile.city), (TIMEOUT_S_DEFAULT, None));
        let flags = ProfileArgs { api: Some("[::1]:2".to_owned()), ..args(&path) };
        assert_eq!(Profile::load(&flags, Lang::Zh).unwrap().api, "[::1]:2");
        std::fs::write(&path, profile.to_toml()).unwrap();
        assert_eq!(Profile::load(&args(&path), Lang::Zh).unwrap(), profile);
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client.toml");
        std::fs::write(&path, "api = \"127.0.0.1:1\"\n").unwrap();
        let failure = Profile::load(&args(&path), Lang::Zh).unwrap_err();
        assert!(failure.text(Lang::Zh).contains("缺少 cert"), "{failure:?}");
        std::fs::write(&path, "apt = 1\n").unwrap();
        let failure = Profile::load(&args(&path), Lang::En).unwrap_err();
        assert!(failure.text(Lang::En).contains("apt"), "{failure:?}");
    }
}
