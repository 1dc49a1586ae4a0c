//! Other people's text, made harmless, how wide a text is, and sizes.
//!
//! In scope: what could steer a terminal or turn a line around. Out of scope: HTML, which the
//! templates of the console escape.

use indicatif::HumanBytes;

use crate::domain::BETWEEN;
use crate::lang::Lang;

/// Of a text in both languages the one that is asked for; one in a single language stays whole.
#[must_use]
pub fn in_language(text: &str, lang: Lang) -> String {
    let (zh, en) = text.split_once(BETWEEN).unwrap_or((text, text));
    lang.pick(zh, en).to_owned()
}

/// A size as people read it, such as `50.00 MiB`.
#[must_use]
pub fn size(bytes: u64) -> String {
    HumanBytes(bytes).to_string()
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
    fn a_text_in_both_languages_is_taken_apart_where_it_was_put_together() {
        let text = crate::domain::both("已暂停（甲 · 乙）", "suspended (甲 · 乙)");
        assert_eq!(in_language(&text, Lang::Zh), "已暂停（甲·乙）");
        assert_eq!(in_language(&text, Lang::En), "suspended (甲·乙)");
        assert_eq!(in_language("a single one", Lang::Zh), "a single one");
    }

    #[test]
    fn other_peoples_text_cannot_steer_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\u{202e}c\nd"), "a\u{fffd}[2Jb\u{fffd}c d");
        assert_eq!(clean_lines("a\r\nb"), "a\u{fffd}\nb");
    }
}
