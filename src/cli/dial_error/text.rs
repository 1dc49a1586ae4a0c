//! What happened at a failed dial and what to do about it, in both languages.

use super::DialError;
use crate::lang::Lang;

impl DialError {
    /// What happened and what to do.
    #[must_use]
    pub fn text(&self, api: &str, lang: Lang) -> (String, &'static str) {
        match lang {
            Lang::Zh => self.zh(api),
            Lang::En => self.en(api),
        }
    }

    /// 中文.
    fn zh(&self, api: &str) -> (String, &'static str) {
        match self {
            Self::Address(why) => {
                (format!("地址 {api} 无法解析（{why}）"), "检查地址的写法：主机:端口")
            }
            Self::NobodyThere => (
                format!("{api} 没有程序在监听"),
                "确认节点已启动（liandong serve），端口为 [api] 的端口",
            ),
            Self::Silent => (format!("{api} 没有应答"), "检查防火墙与网络；节点可能已关机"),
            Self::Network(why) => {
                (format!("连接 {api} 时网络出错（{why}）"), "稍后再试；若持续，请网络管理员检查")
            }
            Self::NotTls(why) => (
                format!("{api} 不能建立 TLS 1.3 连接（{why}）"),
                "确认端口是节点的接口端口，中间没有改写流量的代理",
            ),
            Self::Untrusted(why) => (
                format!("{api} 的证书不是由所指定的证书机构签发（{why}）"),
                "检查 --ca 是否为该节点所属城市的证书机构",
            ),
            Self::Term(why) => (
                format!("按本机时钟，{api} 的证书不在有效期内（{why}）"),
                "先核对本机时间；时间无误则请节点管理员换证",
            ),
            Self::NotANode(found) => (
                format!("{api} 出示的不是节点证书（{found}）"),
                "确认地址；节点证书带有 spiffe://<市>/node/<编号>",
            ),
            Self::WrongCity { expected, got } => (
                format!("{api} 是 {got} 的节点，不是 {expected} 的"),
                "确认地址，或用 --node-city 指明要连的城市",
            ),
            Self::OursRefused(why) => (
                format!("{api} 没有接受本人证书（{why}）"),
                "证书可能过期、被吊销、不属于本市或未登记；\
                 节点日志写明原因，可请管理员查看（liandong people list）",
            ),
        }
    }

    /// English.
    fn en(&self, api: &str) -> (String, &'static str) {
        match self {
            Self::Address(why) => {
                (format!("{api} cannot be resolved ({why})"), "check the address: host:port")
            }
            Self::NobodyThere => (
                format!("nobody listens at {api}"),
                "start the node (liandong serve); the port is that of [api]",
            ),
            Self::Silent => {
                (format!("no answer from {api}"), "check firewall and network; the node may be off")
            }
            Self::Network(why) => (
                format!("network failure while dialling {api} ({why})"),
                "try again; if it lasts, have the network checked",
            ),
            Self::NotTls(why) => (
                format!("{api} does not speak TLS 1.3 ({why})"),
                "check that it is the node's api port and no proxy rewrites traffic",
            ),
            Self::Untrusted(why) => (
                format!("the certificate of {api} is not from the CA on file ({why})"),
                "check that --ca is the CA of that node's city",
            ),
            Self::Term(why) => (
                format!(
                    "by this machine's clock the certificate of {api} is not valid now ({why})"
                ),
                "check this machine's clock first, then have the node's certificate renewed",
            ),
            Self::NotANode(found) => (
                format!("{api} did not show a node certificate ({found})"),
                "check the address; a node certificate has spiffe://<city>/node/<id>",
            ),
            Self::WrongCity { expected, got } => (
                format!("{api} is a node of {got}, not of {expected}"),
                "check the address, or name the city with --node-city",
            ),
            Self::OursRefused(why) => (
                format!("{api} did not take our certificate ({why})"),
                "it may be expired, revoked, of another city or not enrolled; the node's \
                 log names the reason (liandong people list)",
            ),
        }
    }
}
