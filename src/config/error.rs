//! Why a configuration was turned away, in both languages, with what to do about it.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::calendar_feed;
use super::console;
use super::evidence::EvidenceReason;
use crate::lang::Lang;
use crate::limits;

/// Why a configuration was turned away; nothing was started or written.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{file}: cannot be read", file = file.display())]
    Unread {
        /// Which file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is too large to be a configuration.
    #[error("{file}: {size} bytes is no configuration", file = file.display())]
    TooLarge {
        /// Which file.
        file: PathBuf,
        /// Its size.
        size: u64,
    },
    /// Not TOML, a missing or an unknown setting.
    #[error("{file}: is not understood", file = file.display())]
    Syntax {
        /// Which file.
        file: PathBuf,
        /// Where and why.
        source: toml::de::Error,
    },
    /// One setting is wrong.
    #[error("{file}: {field}: {reason}", file = file.display(), reason = reason.text(Lang::En).0)]
    Setting {
        /// Which file.
        file: PathBuf,
        /// Which setting.
        field: String,
        /// Why.
        reason: Reason,
    },
}

/// What is wrong with one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Not a city-level division code.
    City(String),
    /// Not a UUID.
    Node(String),
    /// Not an address with a port.
    Address(String),
    /// Nothing given.
    Empty,
    /// The guard lies inside the data folder.
    GuardInData,
    /// The keys lie inside the data folder.
    KeysInData,
    /// Both ports listen at one address.
    SamePort(SocketAddr),
    /// A number outside its range.
    Range {
        /// What was given.
        got: u64,
        /// Least allowed.
        least: u64,
        /// Most allowed.
        most: u64,
    },
    /// The hook has no target, or two.
    HookTarget,
    /// No address; it is not repeated, since it may hold a key.
    HookUrl,
    /// Plain http to another machine.
    HookPlain,
    /// No command as the hook takes it.
    HookCommand,
    /// CA certificates where no TLS is spoken.
    HookCa,
    /// The calendar feed leaves this machine, and nobody has said that it may.
    FeedLeaves,
    /// No text as a map approval number is.
    MapApproval,
    /// The place of evidence files.
    Evidence(EvidenceReason),
    /// A file it names cannot be opened.
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
}

impl Reason {
    /// What is wrong, and what to do.
    #[must_use]
    pub fn text(&self, lang: Lang) -> (String, String) {
        let (zh, zh_do, en, en_do) = match self {
            Self::HookTarget
            | Self::HookUrl
            | Self::HookPlain
            | Self::HookCommand
            | Self::HookCa => return self.of_the_hook(lang),
            Self::Evidence(reason) => return reason.text(lang),
            Self::MapApproval => return console::no_approval(lang),
            Self::FeedLeaves => return calendar_feed::leaves(lang),
            Self::City(got) => (
                format!("“{got}”不是市级行政区划代码"),
                "填写六位市级代码，如 371500".to_owned(),
                format!("{got:?} is not a city-level division code"),
                "write six digits such as 371500".to_owned(),
            ),
            Self::Node(got) => (
                format!("“{got}”不是 UUID"),
                "填写节点证书中 spiffe://<市>/node/ 之后的编号".to_owned(),
                format!("{got:?} is not a UUID"),
                "write what follows spiffe://<city>/node/ in the node certificate".to_owned(),
            ),
            Self::Address(got) => (
                format!("“{got}”不是“地址:端口”"),
                "例如 0.0.0.0:7443 或 [::]:7443".to_owned(),
                format!("{got:?} is not an address with a port"),
                "write for example 0.0.0.0:7443 or [::]:7443".to_owned(),
            ),
            Self::Empty => (
                "没有填写".to_owned(),
                "填写一个路径（证书机构至少一个）".to_owned(),
                "is empty".to_owned(),
                "name a path (for ca at least one)".to_owned(),
            ),
            Self::GuardInData => (
                "位于数据目录之内".to_owned(),
                "放到另一个路径，并排除在备份之外；否则旧备份恢复后无法识别".to_owned(),
                "lies inside data_dir".to_owned(),
                "put it on another path, outside backups; a restored copy could not be told \
                 otherwise"
                    .to_owned(),
            ),
            Self::KeysInData => (
                "位于数据目录之内".to_owned(),
                "把密钥放到另一个路径，以免随数据备份外流".to_owned(),
                "lies inside data_dir".to_owned(),
                "keep keys elsewhere, so that they do not travel with backups".to_owned(),
            ),
            Self::SamePort(address) => (
                format!("两个端口都监听 {address}"),
                "两个端口使用不同的端口号".to_owned(),
                format!("both ports listen at {address}"),
                "give them two addresses or port numbers".to_owned(),
            ),
            Self::Range { got, least, most } => (
                format!("{got} 超出范围 {least} 至 {most}"),
                "改为范围内的数，或删去该行使用默认值".to_owned(),
                format!("{got} is outside {least} to {most}"),
                "choose a number inside, or leave the line out for the default".to_owned(),
            ),
            Self::Unreadable { path, why } => (
                format!("无法打开 {}（{why}）", path.display()),
                "检查路径和读取权限；证书可用 liandong pki 生成（仅供试用）".to_owned(),
                format!("cannot open {} ({why})", path.display()),
                "check path and permissions; liandong pki makes certificates for trying out"
                    .to_owned(),
            ),
        };
        lang.pick((zh, zh_do), (en, en_do))
    }

    fn of_the_hook(&self, lang: Lang) -> (String, String) {
        let (zh, zh_do, en, en_do) = match self {
            Self::HookTarget => (
                "须在 url 与 command 中填写一项",
                "填写其中一项；不需要提醒时删去整个 [hook]",
                "needs a url or a command, and not both",
                "write one of them, or leave [hook] out to be nudged nowhere",
            ),
            Self::HookPlain => (
                "不是 https 地址",
                "改用 https；明文 http 只能用于本机 http://127.0.0.1",
                "is not https",
                "use https; plain http goes to http://127.0.0.1 only",
            ),
            Self::HookCommand => (
                "不能作为命令",
                "写成列表，第一项是程序的绝对路径，如 [\"/usr/bin/python3\", \"/etc/liandong/mail.py\"]，\
                 至多 32 项",
                "is no command",
                "write a list of up to 32 words that begins with the absolute path of a program, \
                 such as [\"/usr/bin/python3\", \"/etc/liandong/mail.py\"]",
            ),
            Self::HookCa => (
                "只用于 https 地址",
                "删去 ca，或在 url 中填写 https 地址",
                "is for an https url only",
                "leave ca out, or write an https url",
            ),
            Self::HookUrl
            | Self::City(_)
            | Self::Node(_)
            | Self::Address(_)
            | Self::Empty
            | Self::GuardInData
            | Self::KeysInData
            | Self::SamePort(_)
            | Self::Range { .. }
            | Self::FeedLeaves
            | Self::MapApproval
            | Self::Evidence(_)
            | Self::Unreadable { .. } => (
                "不是可用的地址",
                "例如 https://hook.example.gov.cn/liandong，不带用户名、密码和 #",
                "is no address that can be used",
                "write for example https://hook.example.gov.cn/liandong, without user or #",
            ),
        };
        lang.pick((zh.to_owned(), zh_do.to_owned()), (en.to_owned(), en_do.to_owned()))
    }
}

impl ConfigError {
    /// File, setting, reason and what to do, on two lines.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let todo = lang.pick("怎么办：", "what to do: ");
        match self {
            Self::Unread { file, source } => {
                let file = file.display();
                lang.pick(
                    format!(
                        "{file}：无法读取（{source}）\n{todo}用 --config 指明设置文件，样例见 \
                         packaging/liandong.example.toml"
                    ),
                    format!(
                        "{file}: cannot be read ({source})\n{todo}name the file with --config; \
                         packaging/liandong.example.toml is an example"
                    ),
                )
            }
            Self::TooLarge { file, size } => {
                let (file, most) = (file.display(), limits::CONFIG_BYTES_MAX);
                lang.pick(
                    format!("{file}：{size} 字节，超过 {most}\n{todo}确认这是设置文件"),
                    format!("{file}: {size} bytes, more than {most}\n{todo}check the file name"),
                )
            }
            Self::Syntax { file, source } => {
                let (file, shown) = (file.display(), source.to_string());
                // The line it shows may hold an address with a key.
                let shown = if shown.contains("://") { source.message() } else { &shown };
                let source = shown.trim_end();
                lang.pick(
                    format!("{file}：看不懂\n{source}\n{todo}改正所指的一行，设置项见样例文件"),
                    format!(
                        "{file}: is not understood\n{source}\n{todo}mend the line shown; the \
                         example file lists every setting"
                    ),
                )
            }
            Self::Setting { file, field, reason } => {
                let (what, advice) = reason.text(lang);
                let file = file.display();
                lang.pick(
                    format!("{file}：{field}：{what}\n{todo}{advice}"),
                    format!("{file}: {field}: {what}\n{todo}{advice}"),
                )
            }
        }
    }
}
