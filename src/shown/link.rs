//! Why a link to another city is not up, as people read it.
//!
//! In scope: what is said of it, and what to do. Out of scope: whether it is up
//! ([`crate::wire::words`]).

use super::text::{clean, in_language};
use crate::lang::Lang;
use crate::wire::pb::v1 as pb;

/// What nodes say in one language: how it begins or ends, in Chinese, and what to do about it.
const KNOWN: [(&str, &str, Todo); 15] = [
    ("waiting for its greeting", "已接通，等待该市节点应答", Todo::Wait),
    ("closed by the other side", "该市节点断开了连接", Todo::Wait),
    ("reads too slowly", "该市接收过慢，连接已断开", Todo::Line),
    ("did not answer within 5 s", "5 秒内没有应答", Todo::Line),
    ("silent for 30 s", "30 秒没有任何消息，连接已断开", Todo::Line),
    ("silent, and called again", "没有任何消息，由该市重新接通", Todo::Wait),
    ("no agreement with this city", "与该市没有联动协议", Todo::Ask),
    ("its card is not here", "本机没有该市的名片", Todo::Card),
    ("its card names no address", "该市名片上没有地址", Todo::Card),
    ("its greeting cannot be read", "该市节点的应答无法识别", Todo::Version),
    ("spoke before its greeting", "该市节点的应答不合规定", Todo::Version),
    ("greeted twice", "该市节点的应答不合规定", Todo::Version),
    ("no protocol in common", "两市节点的版本不能互通", Todo::Version),
    ("another copy of this node is linked", "有两份相同的节点同时运行", Todo::Copies),
    ("suspended here", "本机已暂停该市", Todo::Suspended),
];

/// What to do.
#[derive(Clone, Copy)]
enum Todo {
    Wait,
    Line,
    Card,
    Version,
    Copies,
    Suspended,
    Ask,
}

impl Todo {
    const fn words(self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            Self::Wait => (
                "会自动重连；持续如此请联系该市",
                "it dials again by itself; if it stays, call them",
            ),
            Self::Line => {
                ("检查两市之间的网络，再联系该市", "check the network to that city, then call them")
            }
            Self::Card => ("请向该市索取新的名片", "ask that city for a new card"),
            Self::Version => ("请两市管理员核对节点版本", "compare the versions of both nodes"),
            Self::Copies => ("请立即停掉其中一份", "stop one of them at once"),
            Self::Suspended => {
                ("问题解决后由管理员恢复", "the administrator resumes it when all is well")
            }
            Self::Ask => {
                ("请本市管理员运行 liandong doctor 查看", "the administrator runs liandong doctor")
            }
        };
        match lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }
}

/// Why a link is not up; empty when it is, or when nothing is known of it.
#[must_use]
pub fn why(link: &pb::Link, lang: Lang) -> String {
    let said = if link.dial_error.is_empty() { &link.reason } else { &link.dial_error };
    if link.state() == pb::LinkState::Up || said.is_empty() {
        return String::new();
    }
    let (said, end) = (clean(said), lang.pick("。", ". "));
    let told = in_language(&said, lang);
    let known = KNOWN.iter().find(|(en, ..)| said.starts_with(en) || said.ends_with(en));
    let (what, todo) = match known {
        Some((_, zh, todo)) => (lang.pick((*zh).to_owned(), told), *todo),
        // In both languages it says what to do as well.
        None if told != said => return told,
        None => (lang.pick(format!("连接不上：{said}"), told), Todo::Ask),
    };
    format!("{what}{end}{}", todo.words(lang))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(reason: &str, dial_error: &str) -> [String; 2] {
        let (reason, dial_error) = (reason.to_owned(), dial_error.to_owned());
        let state = pb::LinkState::Down.into();
        let link = pb::Link { state, reason, dial_error, ..pb::Link::default() };
        [why(&link, Lang::Zh), why(&link, Lang::En)]
    }

    #[test]
    fn why_a_link_is_down_is_told_in_the_language_of_the_page_with_what_to_do() {
        let [zh, en] = said("closed by the other side", "");
        assert_eq!(zh, "该市节点断开了连接。会自动重连；持续如此请联系该市");
        assert!(en.starts_with("closed by the other side. it dials again"), "{en}");
        let [zh, _] = said("closed by the other side", "10.0.0.9:7443 did not answer within 5 s");
        assert_eq!(zh, "5 秒内没有应答。检查两市之间的网络，再联系该市");
        let both = "10.0.0.9:7443: 对方证书已过期，请对方更换 · expired (PEER_CERT_EXPIRED): x";
        let [zh, en] = said("", both);
        assert_eq!(zh, "10.0.0.9:7443: 对方证书已过期，请对方更换");
        assert_eq!(en, "expired (PEER_CERT_EXPIRED): x");
        let [zh, en] = said("", "10.0.0.9:7443: tcp connect error: Connection refused");
        assert!(zh.starts_with("连接不上：10.0.0.9:7443: tcp") && zh.contains("doctor"), "{zh}");
        assert!(en.starts_with("10.0.0.9:7443: tcp connect") && en.contains("doctor"), "{en}");
        assert_eq!(said("", ""), ["", ""]);
    }

    #[test]
    fn every_reason_that_is_known_has_chinese_words() {
        for (en, zh, _) in KNOWN {
            assert!(said(en, "")[0].starts_with(zh), "{en}");
            assert!(said(en, "")[1].starts_with(en), "{en}");
        }
    }
}
