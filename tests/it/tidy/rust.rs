//! Rust text as the rules see it: without comments, literals and tests, and as paths.
//!
//! In scope: enough of a lexer to find names. Out of scope: types, macros, what a name means.

use std::fs;

use super::{files_under, relative};

/// One source file of the crate.
pub struct Source {
    /// From the top of the repository, such as `src/geo/belt.rs`.
    pub path: String,
    /// As it is on disk.
    pub raw: String,
    /// Comments and literals blanked; every line keeps its number.
    pub code: String,
    /// `code` with items under `#[cfg(test)]` blanked too.
    pub product: String,
    /// How many lines those items take.
    pub test_lines: usize,
    /// Names of files that only tests see: `#[cfg(test)] mod name;`.
    test_modules: Vec<String>,
}

impl Source {
    pub fn new(path: &str, raw: &str) -> Self {
        let code = without_comments_and_literals(raw);
        let (product, test_lines, test_modules) = without_tests(&code);
        Self { path: path.into(), raw: raw.into(), code, product, test_lines, test_modules }
    }

    /// Its module path: `["geo", "belt"]` for `src/geo/belt.rs`; empty for the crate's root.
    pub fn module(&self) -> Vec<&str> {
        let path = self.path.trim_start_matches("src/").trim_end_matches(".rs");
        let mut names: Vec<_> = path.split('/').collect();
        if matches!(names.as_slice(), [.., "mod"] | ["lib"] | ["main"]) {
            names.pop();
        }
        names
    }

    /// Whether `path` is one of this file's modules for tests.
    fn keeps_for_tests(&self, path: &str) -> bool {
        let folder: String = self.module().iter().map(|name| format!("{name}/")).collect();
        self.test_modules.iter().any(|name| {
            let base = format!("src/{folder}{name}");
            path == format!("{base}.rs") || path.starts_with(&format!("{base}/"))
        })
    }
}

/// Every file under `src/` that is part of the product.
pub fn sources() -> Vec<Source> {
    let read = |path: std::path::PathBuf| {
        Source::new(&relative(&path), &fs::read_to_string(&path).unwrap())
    };
    let all: Vec<_> = files_under("src", "rs").into_iter().map(read).collect();
    let for_tests = |path: &str| all.iter().any(|source| source.keeps_for_tests(path));
    let keep: Vec<_> = all.iter().map(|source| !for_tests(&source.path)).collect();
    all.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|(source, _)| source).collect()
}

/// A name or a mark, and the line it is on, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

pub fn tokens(code: &str) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    for (number, text) in code.lines().enumerate() {
        let line = number + 1;
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let length = if is_word(first) {
                rest.find(|c| !is_word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            let (token, behind) = rest.split_at(length);
            out.push(Token { text: token.into(), line });
            rest = behind.trim_start();
        }
    }
    out
}

/// A path as written, groups of `use` spelled out: `use a::{b, c::d};` gives `a::b`, `a::c::d`.
#[derive(Debug, PartialEq, Eq)]
pub struct NamePath {
    pub names: Vec<String>,
    pub line: usize,
}

impl NamePath {
    pub fn first(&self) -> &str {
        &self.names[0]
    }

    /// Whether these names follow each other somewhere in the path.
    pub fn has(&self, names: &[&str]) -> bool {
        self.names.windows(names.len()).any(|window| window == names)
    }

    pub fn text(&self) -> String {
        self.names.join("::")
    }
}

pub fn paths(code: &str) -> Vec<NamePath> {
    let tokens = tokens(code);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if text(at) == "use" && text(at + 1) == "{" {
            at = read_group(&tokens, at + 2, &[], &mut found);
        } else if is_name(text(at)) {
            let field = at > 0 && text(at - 1) == ".";
            let next = read_path(&tokens, at, &[], &mut found);
            if field {
                found.pop();
            }
            at = next;
        } else {
            at += 1;
        }
    }
    found
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') || text == "*"
}

/// Reads a path from `at` and returns the place behind it.
fn read_path(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<NamePath>,
) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let mut names = prefix.to_vec();
    let line = tokens[at].line;
    loop {
        names.push(text(at).to_owned());
        at += 1;
        match (text(at), text(at + 1)) {
            ("::", "{") => return read_group(tokens, at + 2, &names, found),
            ("::", name) if is_name(name) => at += 1,
            _ => break,
        }
    }
    found.push(NamePath { names, line });
    at
}

/// Reads a group of `use` from behind its brace and returns the place behind its end.
fn read_group(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    found: &mut Vec<NamePath>,
) -> usize {
    while let Some(token) = tokens.get(at) {
        match token.text.as_str() {
            "}" => return at + 1,
            "as" => at += 2,
            name if is_name(name) => at = read_path(tokens, at, prefix, found),
            _ => at += 1,
        }
    }
    at
}

/// Blanks comments, strings and characters; quotes and line ends stay.
fn without_comments_and_literals(raw: &str) -> String {
    let chars: Vec<char> = raw.chars().collect();
    let mut out = String::with_capacity(raw.len());
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let (end, keep) = match literal_length(rest, at.checked_sub(1).map(|i| chars[i])) {
            Some(length) => (at + length, false),
            None => (at + 1, true),
        };
        for c in &chars[at..end] {
            out.push(if keep || *c == '\n' { *c } else { ' ' });
        }
        at = end;
    }
    out
}

/// How long the comment or literal is that starts here, if one does.
fn literal_length(rest: &[char], before: Option<char>) -> Option<usize> {
    let in_word = before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    match rest {
        ['/', '/', ..] => Some(rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())),
        ['/', '*', ..] => Some(block_comment_length(rest)),
        ['b' | 'c', 'r', '"' | '#', ..] if !in_word => raw_string_length(rest, 2),
        ['r', '"' | '#', ..] if !in_word => raw_string_length(rest, 1),
        ['"', ..] => Some(quoted_length(rest, '"')),
        ['\'', '\\', ..] => Some(quoted_length(rest, '\'')),
        ['\'', _, '\'', ..] => Some(3),
        _ => None, // Everything else is code, also the ' of a lifetime.
    }
}

fn block_comment_length(rest: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        match &rest[at..] {
            ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
            ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// `None` for a raw identifier such as `r#type`.
fn raw_string_length(rest: &[char], prefix: usize) -> Option<usize> {
    let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
    let open = prefix + hashes;
    if rest.get(open) != Some(&'"') {
        return None;
    }
    let closing: Vec<char> = std::iter::once('"').chain(vec!['#'; hashes]).collect();
    let body = &rest[open + 1..];
    let end = body.windows(closing.len()).position(|window| window == closing);
    Some(end.map_or(rest.len(), |end| open + 1 + end + closing.len()))
}

fn quoted_length(rest: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// Blanks items under `#[cfg(test)]`; also how many lines they take, and files they name.
fn without_tests(code: &str) -> (String, usize, Vec<String>) {
    const MARK: &str = "#[cfg(test)]";
    let (mut out, mut lines, mut modules) = (code.to_owned(), 0, Vec::new());
    if code.trim_start().starts_with("#![cfg(test)]") {
        return (String::new(), code.lines().count(), modules);
    }
    while let Some(start) = out.find(MARK) {
        let end = start + MARK.len() + item_length(&out[start + MARK.len()..]);
        let item = &out[start + MARK.len()..end];
        lines += out[start..end].lines().count();
        if let Some((head, _)) = item.rsplit_once(';')
            && let Some(name) = head.split_whitespace().skip_while(|w| *w != "mod").nth(1)
        {
            modules.push(name.to_owned());
        }
        let blank = |c: char| if c == '\n' { '\n' } else { ' ' };
        let blanked: String = out[start..end].chars().map(blank).collect();
        out.replace_range(start..end, &blanked);
    }
    (out, lines, modules)
}

/// How many bytes an item takes: to its `;`, or to the end of its braces.
fn item_length(text: &str) -> usize {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            ';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn comments_literals_and_tests_are_not_code() {
    let raw = r##"
        //! tokio
        fn a<'x>(s: &'x str) -> char { /* sled /* nested */ */ let _ = "tonic \" tonic"; '"' }
        const R: &str = r#"prost " prost"#; const C: char = '\''; fn keep() {}
        #[cfg(test)]
        mod tests { fn b() { HashMap::new(); } }
        fn also_kept() {}
        #[cfg(test)]
        #[path = "x.rs"]
        mod oracle;
    "##;
    let source = Source::new("src/log/mod.rs", raw);
    for gone in ["tokio", "sled", "nested", "tonic", "prost"] {
        assert!(!source.code.contains(gone), "{gone}");
    }
    assert!(source.code.contains("HashMap") && !source.product.contains("HashMap"));
    assert!(source.product.contains("keep") && source.product.contains("also_kept"));
    assert_eq!(source.code.lines().count(), raw.lines().count());
    assert_eq!(source.test_lines, 5);
    assert!(source.keeps_for_tests("src/log/oracle.rs"));
    assert!(!source.keeps_for_tests("src/log/note.rs"));
}

#[test]
fn groups_are_spelled_out() {
    let code = "use a::{b as x, c::{d, self}, e::*}; x.tokio; <T as U>::v(); std::fs::read(p)";
    let texts: Vec<_> = paths(code).iter().map(NamePath::text).collect();
    for want in ["a::b", "a::c::d", "a::c::self", "a::e::*", "std::fs::read"] {
        assert!(texts.iter().any(|text| text == want), "{want} in {texts:?}");
    }
    assert!(!texts.iter().any(|text| text == "tokio"), "a field is not a crate");
}
