//! `[evidence]`: where whole evidence files lie. Without the table: in the data folder.
//!
//! In scope: which store, its address and its names. Out of scope: its key, which stands in a file
//! of its own or in the environment; how much may lie there (`[limits]`).
//!
//! Invariants:
//! 1. Plain http goes to this machine only, unless `allow_http` says otherwise.
//!    (`evidence_settings_are_checked_one_by_one`)
//! 2. A store that this build does not have is refused, never replaced by the folder.
//!    (`a_store_that_was_not_built_in_is_refused`)

use std::net::IpAddr;
use std::path::PathBuf;

use serde::Deserialize;

use super::{ConfigError, Reason, Resolver};
use crate::lang::Lang;

/// Region that most stores on one's own machines are content with.
const REGION: &str = "us-east-1";
/// Of a prefix or region.
const NAME_BYTES_MAX: usize = 128;

/// Where whole evidence files lie.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum EvidencePlace {
    /// The data folder.
    #[default]
    Folder,
    /// An S3-compatible store.
    S3(S3Place),
}

/// An S3-compatible store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct S3Place {
    /// Its address, `https://host[:port]`.
    pub endpoint: String,
    /// The bucket.
    pub bucket: String,
    /// What every name begins with; may be empty.
    pub prefix: String,
    /// Region, as requests are signed for it.
    pub region: String,
    /// The bucket is a part of the address's host.
    pub virtual_hosted: bool,
    /// A file with name and secret of the key; without it they stand in the environment.
    pub key_file: Option<PathBuf>,
    /// CA certificates, PEM, in the place of the system's.
    pub ca: Option<PathBuf>,
}

impl S3Place {
    /// Whether TLS is spoken.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.endpoint.starts_with("https://")
    }
}

/// What is wrong with the place of evidence files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvidenceReason {
    /// A setting of another store than the one that is chosen.
    Stray,
    /// No address.
    Endpoint,
    /// Plain http to another machine.
    Plain,
    /// No name of a bucket.
    Bucket,
    /// No prefix or region.
    Name,
    /// CA certificates where no TLS is spoken.
    Ca,
    /// This build has no such store.
    NotBuilt,
}

impl EvidenceReason {
    /// What is wrong, and what to do.
    pub(super) fn text(self, lang: Lang) -> (String, String) {
        let (zh, zh_do, en, en_do) = match self {
            Self::Stray => (
                "只用于 store = \"s3\"",
                "删去这一行，或填写 store = \"s3\"",
                "is for store = \"s3\" only",
                "leave it out, or write store = \"s3\"",
            ),
            Self::Endpoint => (
                "不是可用的地址",
                "例如 https://oss.example.gov.cn:9000，不带路径、用户名和参数",
                "is no address that can be used",
                "write for example https://oss.example.gov.cn:9000, without path, user or query",
            ),
            Self::Plain => (
                "不是 https 地址",
                "改用 https；明文 http 只能用于本机，确需在内网使用的另填 allow_http = true",
                "is not https",
                "use https; plain http goes to this machine only, unless allow_http = true",
            ),
            Self::Bucket => (
                "不是存储桶的名称",
                "3 至 63 个小写字母、数字、点或连字符",
                "is no name of a bucket",
                "write 3 to 63 lower-case letters, digits, dots or hyphens",
            ),
            Self::Name => (
                "含有不能使用的字符",
                "只用字母、数字、点、下划线、连字符，前缀中可用 / 分段，首尾不加 /",
                "has characters that cannot be used",
                "write letters, digits, dots, underscores, hyphens; in a prefix / between them",
            ),
            Self::Ca => (
                "只用于 https 地址",
                "删去 ca，或在 endpoint 中填写 https 地址",
                "is for an https endpoint only",
                "leave ca out, or write an https endpoint",
            ),
            Self::NotBuilt => (
                "这个程序编译时没有带上 s3 存储",
                "用 cargo build --release --features s3 重新编译，或删去 [evidence]，\
                 把文件存在数据目录",
                "this program was built without the s3 store",
                "build it with cargo build --release --features s3, or leave [evidence] out to \
                 keep files in the data folder",
            ),
        };
        lang.pick((zh.to_owned(), zh_do.to_owned()), (en.to_owned(), en_do.to_owned()))
    }
}

/// As it is written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    #[serde(default)]
    store: Kind,
    endpoint: Option<String>,
    bucket: Option<String>,
    prefix: Option<String>,
    region: Option<String>,
    virtual_hosted: Option<bool>,
    key_file: Option<PathBuf>,
    ca: Option<PathBuf>,
    allow_http: Option<bool>,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    #[default]
    Folder,
    S3,
}

impl Raw {
    pub(super) fn check(self, at: &Resolver<'_>) -> Result<EvidencePlace, ConfigError> {
        let bad =
            |field: &str, reason| at.bad(&format!("evidence.{field}"), Reason::Evidence(reason));
        if self.store == Kind::Folder {
            return match self.stray() {
                Some(field) => Err(bad(field, EvidenceReason::Stray)),
                None => Ok(EvidencePlace::Folder),
            };
        }
        let endpoint = self.endpoint.unwrap_or_default();
        let endpoint = endpoint.trim_end_matches('/').to_owned();
        check_endpoint(&endpoint, self.allow_http.unwrap_or(false))
            .map_err(|reason| bad("endpoint", reason))?;
        let bucket = self.bucket.unwrap_or_default();
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
        if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(fits) {
            return Err(bad("bucket", EvidenceReason::Bucket));
        }
        let prefix = self.prefix.unwrap_or_default();
        if !prefix.is_empty() && !prefix.split('/').all(is_name) || prefix.len() > NAME_BYTES_MAX {
            return Err(bad("prefix", EvidenceReason::Name));
        }
        let region = self.region.unwrap_or_else(|| REGION.to_owned());
        if !is_name(&region) || region.len() > NAME_BYTES_MAX {
            return Err(bad("region", EvidenceReason::Name));
        }
        let path = |field: &str, given: Option<PathBuf>| {
            given.map(|path| at.path(&format!("evidence.{field}"), &path)).transpose()
        };
        let (key_file, ca) = (path("key_file", self.key_file)?, path("ca", self.ca)?);
        let virtual_hosted = self.virtual_hosted.unwrap_or(false);
        let place = S3Place { endpoint, bucket, prefix, region, virtual_hosted, key_file, ca };
        if place.ca.is_some() && !place.is_https() {
            return Err(bad("ca", EvidenceReason::Ca));
        }
        if cfg!(not(feature = "s3")) {
            return Err(bad("store", EvidenceReason::NotBuilt));
        }
        Ok(EvidencePlace::S3(place))
    }

    /// A setting that no folder has.
    fn stray(&self) -> Option<&'static str> {
        let set = [
            ("endpoint", self.endpoint.is_some()),
            ("bucket", self.bucket.is_some()),
            ("prefix", self.prefix.is_some()),
            ("region", self.region.is_some()),
            ("virtual_hosted", self.virtual_hosted.is_some()),
            ("key_file", self.key_file.is_some()),
            ("ca", self.ca.is_some()),
            ("allow_http", self.allow_http.is_some()),
        ];
        set.into_iter().find(|(_, is_set)| *is_set).map(|(name, _)| name)
    }
}

/// A name that means the same in an address and in a store.
fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    !name.is_empty() && name.bytes().all(fits) && name.bytes().any(|b| b != b'.')
}

fn check_endpoint(endpoint: &str, allow_http: bool) -> Result<(), EvidenceReason> {
    let uri: http::Uri = endpoint.parse().map_err(|_| EvidenceReason::Endpoint)?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    // A path would be taken for the bucket, and a user for a key.
    let plain = uri.authority().is_some_and(|all| !all.as_str().contains('@'));
    let bare = matches!(uri.path_and_query().map(|path| path.as_str()), None | Some("/"));
    if host.is_empty() || !plain || !bare || endpoint.contains(['#', '?']) {
        return Err(EvidenceReason::Endpoint);
    }
    let is_here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match uri.scheme_str() {
        Some("https") => Ok(()),
        Some("http") if allow_http || is_here => Ok(()),
        Some("http") => Err(EvidenceReason::Plain),
        Some(_) | None => Err(EvidenceReason::Endpoint),
    }
}
