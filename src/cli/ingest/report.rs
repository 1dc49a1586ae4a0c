//! What a run came to: counts with their reasons, and the clues.
//!
//! In scope: counting, the table and JSON of the end. Out of scope: the bytes of packets, of which
//! nothing gets here.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::clue::Clue;
use crate::cli::table;
use crate::domain::Words;
use crate::hj212::{Ignored, Passed, Refusal, Refused, Verdict};
use crate::ids::hex;
use crate::lang::Lang;
use crate::limits::{HJ212_CLUES_SHOWN_MAX, HJ212_REFUSALS_SHOWN_MAX};

/// What became of a clue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The node has it as this case, and its bytes.
    Drafted(String),
    /// The node had it before; if it lists these bytes, it has them.
    AlreadyThere,
    /// The node had a clue of its time that rests on other packets; these are listed beside them.
    Added,
    /// It would be drafted.
    WouldBe,
    /// It lies in the spool folder, for this reason.
    Spooled(String),
    /// It was not drafted, or its bytes not uploaded, for this reason.
    Failed(String),
}

impl Outcome {
    /// For programs.
    const fn name(&self) -> &'static str {
        match self {
            Self::Drafted(_) => "DRAFTED",
            Self::AlreadyThere => "ALREADY_THERE",
            Self::Added => "EVIDENCE_ADDED",
            Self::WouldBe => "WOULD_BE_DRAFTED",
            Self::Spooled(_) => "SPOOLED",
            Self::Failed(_) => "FAILED",
        }
    }

    /// For people.
    fn word(&self, lang: Lang) -> &'static str {
        word(self.name(), lang)
    }

    /// The number of the case, or the reason.
    fn detail(&self) -> &str {
        match self {
            Self::Drafted(text) | Self::Spooled(text) | Self::Failed(text) => text,
            Self::AlreadyThere | Self::Added | Self::WouldBe => "",
        }
    }
}

/// One line about a clue.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    clue: Clue,
    outcome: Outcome,
}

/// Counts of one run.
#[derive(Debug, Default)]
pub struct Report {
    packets: u64,
    garbage_bytes: u64,
    connections: u64,
    refused: BTreeMap<Refusal, u64>,
    refusals: Vec<(u64, Refused)>,
    passed: BTreeMap<Passed, u64>,
    unknown: BTreeSet<String>,
    ignored: BTreeMap<Ignored, u64>,
    judged: u64,
    compared: u64,
    over: u64,
    outcomes: BTreeMap<&'static str, u64>,
    lines: Vec<Line>,
}

impl Report {
    /// A packet that was taken.
    pub fn packet(&mut self) {
        self.packets += 1;
    }

    /// A packet that was not, and where in its stream it began.
    pub fn refuse(&mut self, offset: u64, refused: Refused) {
        *self.refused.entry(refused.reason).or_default() += 1;
        if self.refusals.len() < HJ212_REFUSALS_SHOWN_MAX {
            self.refusals.push((offset, refused));
        }
    }

    /// A message of this station that does not count.
    pub fn pass(&mut self, why: Passed, mn: &str) {
        *self.passed.entry(why).or_default() += 1;
        if why == Passed::UnknownStation && self.unknown.len() < HJ212_REFUSALS_SHOWN_MAX {
            self.unknown.insert(mn.to_owned());
        }
    }

    /// Whether a clue of this number is among those shown.
    #[must_use]
    pub fn has(&self, number: &str) -> bool {
        self.lines.iter().any(|line| line.clue.number == number)
    }

    /// Whether a clue of this number is among those shown that the node has.
    #[must_use]
    pub fn was_drafted(&self, number: &str) -> bool {
        let failed = |line: &Line| matches!(line.outcome, Outcome::Failed(_));
        self.lines.iter().any(|line| line.clue.number == number && !failed(line))
    }

    /// A message that was compared with its limits.
    pub fn judge(&mut self, verdict: &Verdict) {
        self.judged += 1;
        self.compared += verdict.compared;
        self.over += u64::from(!verdict.over.is_empty());
        for why in &verdict.ignored {
            *self.ignored.entry(*why).or_default() += 1;
        }
    }

    /// What became of a clue.
    pub fn end(&mut self, clue: Clue, outcome: Outcome) {
        *self.outcomes.entry(outcome.name()).or_default() += 1;
        // What is sent again and again is shown once.
        let again = outcome == Outcome::AlreadyThere && self.has(&clue.number);
        if self.lines.len() < HJ212_CLUES_SHOWN_MAX && !again {
            self.lines.push(Line { clue, outcome });
        }
    }

    /// Bytes between packets.
    pub fn garbage(&mut self, bytes: u64) {
        self.garbage_bytes += bytes;
    }

    /// A device has connected.
    pub fn connect(&mut self) {
        self.connections += 1;
    }

    /// Whether a clue or its bytes are not at the node and kept nowhere, or there were packets and
    /// all were refused.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        self.outcomes.contains_key("FAILED") || (self.packets == 0 && !self.refused.is_empty())
    }

    /// For programs.
    #[must_use]
    pub fn json(&self) -> Value {
        let count = |name: &str| self.outcomes.get(name).copied().unwrap_or(0);
        let clue = |line: &Line| {
            let Line { clue, outcome } = line;
            json!({
                "number": clue.number,
                "title": clue.record.title,
                "summary": clue.record.summary,
                "evidence_sha256": hex(clue.sha256.as_bytes()),
                "evidence_file": clue.file_name(),
                "outcome": outcome.name(),
                "detail": outcome.detail(),
            })
        };
        let refusal = |(offset, refused): &(u64, Refused)| {
            json!({
                "offset": offset,
                "reason": refused.reason.code(),
                "field": refused.field,
                "limit": refused.limit,
            })
        };
        json!({
            "connections": self.connections,
            "packets": { "accepted": self.packets, "refused": codes(&self.refused) },
            "garbage_bytes": self.garbage_bytes,
            "refusals": self.refusals.iter().map(refusal).collect::<Vec<_>>(),
            "not_judged": codes(&self.passed),
            "unknown_stations": self.unknown,
            "judged": self.judged,
            "values": { "compared": self.compared, "ignored": codes(&self.ignored) },
            "over_limit": self.over,
            "drafted": count("DRAFTED"),
            "already_there": count("ALREADY_THERE"),
            "evidence_added": count("EVIDENCE_ADDED"),
            "would_be_drafted": count("WOULD_BE_DRAFTED"),
            "spooled": count("SPOOLED"),
            "failed": count("FAILED"),
            "clues": self.lines.iter().map(clue).collect::<Vec<_>>(),
        })
    }

    /// For people, each line ending in a line break.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let number = |n: u64| if n == 0 { String::new() } else { n.to_string() };
        let unknown: Vec<&str> = self.unknown.iter().map(String::as_str).collect();
        let mut sheet = table::Sheet::default();
        sheet
            .row(lang.pick("连接", "connections"), number(self.connections))
            .row(lang.pick("收下的报文", "packets accepted"), self.packets.to_string())
            .row(lang.pick("未收的报文", "packets refused"), sum(&self.refused).to_string())
            .row("", reasons(&self.refused, lang))
            .row(lang.pick("报文之外的字节", "bytes between packets"), number(self.garbage_bytes))
            .row(
                lang.pick("不参与比对的数据", "data that does not count"),
                reasons(&self.passed, lang),
            )
            .row(lang.pick("限值文件中没有的 MN", "unknown stations"), unknown.join(" "))
            .row(lang.pick("已比对的数据", "messages compared"), self.judged.to_string())
            .row(lang.pick("已比对的值", "values compared"), self.compared.to_string())
            .row(lang.pick("未比对的值", "values ignored"), reasons(&self.ignored, lang))
            .row(lang.pick("超标", "over the limit"), self.over.to_string());
        for (name, count) in &self.outcomes {
            sheet.row(word(name, lang), count.to_string());
        }
        let mut out = sheet.text();
        if !self.refusals.is_empty() {
            let headers = lang.pick(["位置（字节）", "原因"], ["at byte", "reason"]);
            let mut rows = table::table(&headers);
            for (offset, refused) in &self.refusals {
                rows.add_row([offset.to_string(), refused.to_string()]);
            }
            out.push_str(&format!("\n{rows}\n"));
        }
        if !self.lines.is_empty() {
            let headers =
                lang.pick(["编号", "案由", "结果", ""], ["number", "title", "outcome", ""]);
            let mut rows = table::table(&headers);
            for Line { clue, outcome } in &self.lines {
                rows.add_row([
                    table::clean(&clue.number),
                    table::clean(&clue.record.title),
                    outcome.word(lang).to_owned(),
                    table::clean(outcome.detail()),
                ]);
            }
            out.push_str(&format!("\n{rows}\n"));
        }
        out
    }
}

/// The word for the name of an [`Outcome`].
fn word(name: &str, lang: Lang) -> &'static str {
    match name {
        "DRAFTED" => lang.pick("已登记线索", "clues drafted"),
        "ALREADY_THERE" => lang.pick("先前已登记", "already there"),
        "EVIDENCE_ADDED" => lang.pick("已补入原线索的证据", "added to the evidence of their clue"),
        "WOULD_BE_DRAFTED" => lang.pick("将登记（未执行）", "would be drafted"),
        "SPOOLED" => lang.pick("已暂存，待补办", "kept to be tried again"),
        _ => lang.pick("未办成", "not done"),
    }
}

fn sum<K>(counts: &BTreeMap<K, u64>) -> u64 {
    counts.values().sum()
}

fn codes<K: ToString>(counts: &BTreeMap<K, u64>) -> Value {
    counts.iter().map(|(why, count)| (why.to_string(), json!(count))).collect::<Value>()
}

/// One line a reason.
fn reasons<K: Words>(counts: &BTreeMap<K, u64>, lang: Lang) -> String {
    let line = |(why, count): (&K, &u64)| format!("{count}  {}", lang.pick(why.zh(), why.en()));
    counts.iter().map(line).collect::<Vec<_>>().join("\n")
}
