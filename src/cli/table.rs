//! Tables and plain lines for people.
//!
//! In scope: columns that line up also with Chinese text. Out of scope: what stands in them.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{ContentArrangement, Table};

pub use crate::shown::sheet::Sheet;
pub use crate::shown::text::{clean, clean_lines, width};

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
}
