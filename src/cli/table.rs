//! Tables and plain lines for people.
//!
//! In scope: columns that line up also with Chinese text, and text of other people made harmless
//! for a terminal. Out of scope: what stands in them.

use std::fmt::Write as _;

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{ContentArrangement, Table};

/// An empty table. Columns line up by display width: a Chinese character takes two places. Long
/// cells are wrapped when `COLUMNS` says how wide the screen is.
#[must_use]
pub fn table(headers: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN);
    match std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()) {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table.set_header(headers.iter().copied());
    table
}

/// One line without anything that could steer a terminal or turn the text around: control
/// characters and bidirectional marks of other people's text become `�`, line breaks a space.
#[must_use]
pub fn clean(text: &str) -> String {
    text.chars().map(|c| if c == '\n' || c == '\t' { ' ' } else { harmless(c) }).collect()
}

/// The same for text of several lines.
#[must_use]
pub fn clean_lines(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { harmless(c) }).collect()
}

fn harmless(c: char) -> char {
    let bidi = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' | '\u{061c}' | '\u{2028}' | '\u{2029}');
    if c.is_control() || bidi { '\u{fffd}' } else { c }
}

/// `label：value` lines with labels of one width.
#[derive(Default)]
pub struct Sheet {
    rows: Vec<(String, String)>,
}

impl Sheet {
    /// Adds a line; an empty value leaves it out.
    pub fn row(&mut self, label: &str, value: impl Into<String>) -> &mut Self {
        let value = value.into();
        if !value.is_empty() {
            self.rows.push((label.to_owned(), value));
        }
        self
    }

    /// All lines, each ending in a line break.
    #[must_use]
    pub fn text(&self) -> String {
        let widest = self.rows.iter().map(|(label, _)| width(label)).max().unwrap_or(0);
        let mut out = String::new();
        for (label, value) in &self.rows {
            let gap = " ".repeat(widest.saturating_sub(width(label)) + 2);
            let indent = format!("\n{}", " ".repeat(widest + 2));
            let _ = writeln!(out, "{label}{gap}{}", clean_lines(value).replace('\n', &indent));
        }
        out
    }
}

/// How many places a text takes on a terminal; wide for CJK and full-width forms.
#[must_use]
pub fn width(text: &str) -> usize {
    let wide = |c: char| {
        matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{303e}' | '\u{3041}'..='\u{a4cf}'
            | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{fe30}'..='\u{fe6f}'
            | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{20000}'..='\u{3fffd}')
    };
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_columns_line_up() {
        let mut table = Table::new();
        table.load_style(ASCII_MARKDOWN).set_header(["编号", "status"]);
        table.add_row(["LD-聊邯-2026-聊0005", "核查中"]).add_row(["a", "已作出处罚决定"]);
        let text = table.to_string();
        let widths: Vec<_> = text.lines().map(width).collect();
        assert!(widths.windows(2).all(|pair| pair[0] == pair[1]), "{text}\n{widths:?}");
        let places: Vec<Vec<usize>> = text
            .lines()
            .map(|line| {
                line.char_indices()
                    .filter(|(_, c)| *c == '|')
                    .map(|(at, _)| width(&line[..at]))
                    .collect()
            })
            .collect();
        assert!(places.windows(2).all(|pair| pair[0] == pair[1]), "{text}\n{places:?}");
    }

    #[test]
    fn sheets_line_up_and_leave_out_what_is_empty() {
        let mut sheet = Sheet::default();
        sheet.row("办理权", "现由 邯郸 处理").row("空", "").row("id", "a\nb");
        assert_eq!(sheet.text(), "办理权  现由 邯郸 处理\nid      a\n        b\n");
    }

    #[test]
    fn other_peoples_text_cannot_steer_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\u{202e}c\nd"), "a\u{fffd}[2Jb\u{fffd}c d");
        assert_eq!(clean_lines("a\r\nb"), "a\u{fffd}\nb");
    }
}
