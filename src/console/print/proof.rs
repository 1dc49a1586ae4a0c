//! The foot of a paper: by which entry it can be looked up, also as a code to scan.
//!
//! The code holds plain text: the record's name and number, position and hash of the entry the
//! paper rests on, and how long its log was and which root it had when the paper was printed.
//! Whoever doubts a paper compares that with any member's node (`liandong verify paper`). A code
//! proves nothing by itself, and the foot says so.
//!
//! In scope: the foot, the picture of the text. Out of scope: the text ([`PaperText`]), the logs.

use std::fmt::Write as _;

use maud::{Markup, html};
use qrcode::{Color, EcLevel, QrCode};

use crate::console::layout::Desk;
use crate::ids::hex;
use crate::shown::paper::PaperText;
use crate::shown::when;
use crate::wire::pb::v1 as pb;

/// Light modules around a code, as ISO/IEC 18004 asks.
const QUIET: usize = 4;

/// What a paper can be looked up by.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    paper: PaperText,
}

impl Proof {
    /// Of a record with its number and name, resting on an entry with its hash. Asks the node for
    /// the log of the entry; without an answer the foot does without it.
    pub async fn of(
        desk: &Desk,
        (number, name): (&str, &str),
        (entry, hash): (&str, &[u8]),
    ) -> Self {
        let asked = desk.client.nodes().get_status(pb::GetStatusRequest {}).await;
        let status = asked.ok().and_then(|answer| answer.into_inner().status).unwrap_or_default();
        let id = entry.split(':').next().unwrap_or_default();
        let log = status.logs.iter().find(|log| log.log_id == id);
        let paper = PaperText {
            number: number.to_owned(),
            name: name.to_owned(),
            entry: entry.to_owned(),
            hash: hex(hash),
            log: log.map(|log| (log.stored_size, log.root.clone())),
            printed: when::time(status.server_time.as_ref()),
        };
        Self { paper }
    }

    /// What the code says.
    fn text(&self) -> String {
        self.paper.text()
    }

    /// The foot; on a page that has it already, the code is that one once more.
    pub fn foot(&self, again: bool) -> Markup {
        html! {
            footer .proof {
                @if again { (drawn(&html! {})) } @else { (code(&self.text())) }
                div {
                    p {
                        "本件由联动系统根据电子记录生成，不是法定文书式样；文号、印章、签名由发文单位办理。"
                        "打印时间：" (self.paper.printed) "。"
                    }
                    p {
                        "二维码内为文字，不是网址，也不是电子签章：记录编号、所依据条目的位置和哈希，以及打印时该市签名记录的条数和根哈希。"
                        "如有疑问，可请任一成员市的节点管理员用扫得的文字核对（"
                        code { "liandong verify paper" }
                        "）；仅凭扫码不能认定真伪。"
                    }
                    p .hash {
                        @if !self.paper.entry.is_empty() { "条目 " (self.paper.entry) " " }
                        @if !self.paper.hash.is_empty() { "哈希 " (self.paper.hash) " " }
                        @if let Some((size, root)) = &self.paper.log {
                            "签名记录条数 " (size) " 根哈希 " (root)
                        }
                    }
                }
            }
        }
    }
}

/// A code as a picture, by the runs of its dark modules; empty for a text that has no room in one.
fn code(text: &str) -> Markup {
    let Ok(code) = QrCode::with_error_correction_level(text, EcLevel::M) else { return html! {} };
    let (width, colours) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (row, colours) in colours.chunks(width.max(1)).enumerate() {
        let mut column = QUIET;
        for run in colours.chunk_by(|one, next| one == next) {
            if run.first() == Some(&Color::Dark) {
                // The middle of the row: a stroke is one module wide.
                let _ = write!(path, "M{column} {}.5h{}", row + QUIET, run.len());
            }
            column += run.len();
        }
    }
    let side = width + 2 * QUIET;
    drawn(&html! {
        symbol #proof-code viewBox={ "0 0 " (side) " " (side) } {
            rect width=(side) height=(side) fill="#ffffff" {}
            path d=(path) stroke="#000000" shape-rendering="crispEdges" {}
        }
    })
}

/// The code of a page, where it is told what that looks like or anywhere behind.
fn drawn(told: &Markup) -> Markup {
    html! {
        svg .code role="img" aria-label="二维码" { (told) use href="#proof-code" {} }
    }
}

#[cfg(test)]
impl Proof {
    /// One of the longest that there are.
    pub(super) fn sample() -> Self {
        let paper = PaperText {
            number: "LD-聊邯濮-2026-37150000001".to_owned(),
            name: format!("agreements/{}/cases/{}", "0".repeat(32), "1".repeat(32)),
            entry: format!("{}:1234567", "ab".repeat(32)),
            hash: "ef".repeat(32),
            log: Some((1_234_567, "cd".repeat(32))),
            printed: "2026-11-20 14:05".to_owned(),
        };
        Self { paper }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_says_where_to_look_and_a_telephone_can_read_it() {
        let proof = Proof::sample();
        let text = proof.text();
        for part in [&proof.paper.number, &proof.paper.entry, &proof.paper.hash] {
            assert!(text.contains(part.as_str()), "{text}");
        }
        assert!(!text.contains("://"), "nobody is sent anywhere: {text}");
        let code = QrCode::with_error_correction_level(&text, EcLevel::M).unwrap();
        assert!(code.width() <= 85, "{} modules in 36 mm", code.width());
    }

    #[test]
    fn a_text_that_no_code_has_room_for_has_no_picture() {
        let foot = Proof::sample().foot(false).into_string();
        assert!(foot.contains("不是电子签章") && foot.contains("<path"), "{foot}");
        let again = Proof::sample().foot(true).into_string();
        assert!(again.contains("#proof-code") && !again.contains("<path"), "{again}");
        assert_eq!(code(&"长".repeat(4_000)).into_string(), "");
    }
}
