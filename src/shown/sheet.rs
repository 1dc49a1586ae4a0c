//! Labels and values, one under the other.

use std::fmt::Write as _;

use super::text::{clean_lines, width};

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

    /// All lines: label and value.
    #[must_use]
    pub fn rows(&self) -> &[(String, String)] {
        &self.rows
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_line_up_and_leave_out_what_is_empty() {
        let mut sheet = Sheet::default();
        sheet.row("办理权", "现由 邯郸 处理").row("空", "").row("id", "a\nb");
        assert_eq!(sheet.text(), "办理权  现由 邯郸 处理\nid      a\n        b\n");
    }
}
