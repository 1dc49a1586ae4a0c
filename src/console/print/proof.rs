//! The foot of a paper: by which entry it can be looked up, also as a code to scan.
//!
//! The code holds plain text: the record's name and number, the position of the entry the paper
//! rests on, and how long its log was and which root it had when the paper was printed. Whoever
//! doubts a paper compares that with any member's node. A code proves nothing by itself, and the
//! foot says so.
//!
//! In scope: the text, the picture of it. Out of scope: the logs.

use std::fmt::Write as _;

use maud::{Markup, html};
use qrcode::{Color, EcLevel, QrCode};

use crate::console::layout::Desk;
use crate::shown::when;
use crate::wire::pb::v1 as pb;

/// Light modules around a code, as ISO/IEC 18004 asks.
const QUIET: usize = 4;

/// What a paper can be looked up by.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// The record's number.
    pub number: String,
    /// Its name.
    pub name: String,
    /// `<log>:<index>`; empty where the API does not tell it.
    pub entry: String,
    /// Of that log, when the paper was printed.
    pub log: Option<pb::Log>,
    /// When that was, in Beijing.
    pub printed: String,
}

impl Proof {
    /// Asks the node for the log of an entry or, where none is known, that of a city in the
    /// record's agreement. Without an answer the foot does without it.
    pub async fn of(desk: &Desk, number: &str, name: &str, entry: &str, city: u32) -> Self {
        let asked = desk.client.nodes().get_status(pb::GetStatusRequest {}).await;
        let status = asked.ok().and_then(|answer| answer.into_inner().status).unwrap_or_default();
        let agreement = crate::console::parts::agreement_of(name);
        let id = entry.split(':').next().unwrap_or_default();
        let is_it = |log: &pb::Log| match id {
            "" => log.agreement == agreement && log.city == city,
            id => log.log_id == id,
        };
        let newest = status.logs.iter().filter(|log| is_it(log)).max_by_key(|log| log.epoch);
        Self {
            number: number.to_owned(),
            name: name.to_owned(),
            entry: entry.to_owned(),
            log: newest.cloned(),
            printed: when::time(status.server_time.as_ref()),
        }
    }

    /// What the code says.
    fn text(&self) -> String {
        let mut text = format!("liandong paper 1\n{}\n{}\n", self.number, self.name);
        // Writing to a string does not fail.
        if !self.entry.is_empty() {
            let _ = writeln!(text, "entry {}", self.entry);
        }
        if let Some(log) = &self.log {
            let named = if self.entry.is_empty() { log.log_id.as_str() } else { "its log" };
            let _ = writeln!(text, "{named} size {} root {}", log.stored_size, log.root);
        }
        let _ = write!(text, "printed {}", self.printed);
        text
    }

    /// The foot.
    pub fn foot(&self) -> Markup {
        html! {
            footer .proof {
                (code(&self.text()))
                div {
                    p {
                        "本件由联动系统根据电子记录生成，不是法定文书式样；文号、印章、签名由发文单位办理。"
                        "打印时间：" (self.printed) "。"
                    }
                    p {
                        "二维码内为文字，不是网址，也不是电子签章：记录编号、所依据记录的位置，以及打印时该市日志的条数和根哈希。"
                        "如有疑问，可请任一成员市的节点管理员核对（"
                        code { "liandong status --json" }
                        "，同一日志在同一条数时根哈希应一致）；仅凭扫码不能认定真伪。"
                    }
                    p .hash {
                        @if !self.entry.is_empty() { "记录位置 " (self.entry) " " }
                        @if let Some(log) = &self.log {
                            "日志条数 " (log.stored_size) " 根哈希 " (log.root)
                        }
                    }
                }
            }
        }
    }
}

/// A code as a picture; empty for a text that no code has room for.
fn code(text: &str) -> Markup {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else { return html! {} };
    let (width, colours) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (row, colours) in colours.chunks(width.max(1)).enumerate() {
        for (column, colour) in colours.iter().enumerate() {
            if *colour == Color::Dark {
                let _ = write!(path, "M{} {}h1v1h-1z", column + QUIET, row + QUIET);
            }
        }
    }
    let side = width + 2 * QUIET;
    html! {
        svg .code viewBox={ "0 0 " (side) " " (side) } role="img" aria-label="二维码" {
            rect width=(side) height=(side) fill="#ffffff" {}
            path d=(path) fill="#000000" shape-rendering="crispEdges" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof() -> Proof {
        let log = pb::Log {
            log_id: "ab".repeat(32),
            stored_size: 1_234_567,
            root: "cd".repeat(32),
            ..pb::Log::default()
        };
        Proof {
            number: "LD-聊邯濮-2026-37150000001".to_owned(),
            name: format!("agreements/{}/cases/{}", "0".repeat(32), "1".repeat(32)),
            entry: format!("{}:1234567", log.log_id),
            log: Some(log),
            printed: "2026-11-20 14:05".to_owned(),
        }
    }

    #[test]
    fn a_code_says_where_to_look_and_a_telephone_can_read_it() {
        let proof = proof();
        let text = proof.text();
        for part in [&proof.number, &proof.name, &proof.entry, &proof.log.clone().unwrap().root] {
            assert!(text.contains(part.as_str()), "{text}");
        }
        assert!(!text.contains("://"), "nobody is sent anywhere: {text}");
        let code = QrCode::with_error_correction_level(&text, EcLevel::M).unwrap();
        assert!(code.width() <= 81, "{} modules in 36 mm", code.width());
    }

    #[test]
    fn without_an_entry_the_log_is_named_and_without_a_node_nothing() {
        let mut proof = proof();
        proof.entry.clear();
        assert!(proof.text().contains(&format!("{} size 1234567", "ab".repeat(32))));
        proof.log = None;
        assert!(!proof.text().contains("root"), "{}", proof.text());
        let foot = proof.foot().into_string();
        assert!(foot.contains("不是电子签章") && foot.contains("<svg"), "{foot}");
        assert_eq!(code(&"长".repeat(4_000)).into_string(), "");
    }
}
