//! Sizes: what does not fit on a screen is not read.

use super::assert_none;
use super::rust::{Source, sources, tokens};

const FUNCTION_LINES_MAX: usize = 70;
const LINE_COLUMNS_MAX: usize = 100;
const FILE_LINES_MAX: usize = 500;

/// Functions over the limit, tests included; counted from `fn` to the closing brace.
fn long_functions(source: &Source) -> Vec<String> {
    let tokens = tokens(&source.code);
    let mut wrong = Vec::new();
    for (at, pair) in tokens.windows(2).enumerate() {
        let named = pair[1].text.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '$');
        if pair[0].text != "fn" || !named {
            continue;
        }
        let Some(end) = body_end(tokens[at..].iter().map(|t| (t.text.as_str(), t.line))) else {
            continue;
        };
        let lines = end - pair[0].line + 1;
        if lines > FUNCTION_LINES_MAX {
            let (path, line, name) = (&source.path, pair[0].line, &pair[1].text);
            wrong.push(format!("{path}:{line}: fn {name} has {lines} lines"));
        }
    }
    wrong
}

/// The line of the brace that closes a function; `None` for one without a body.
fn body_end<'a>(tokens: impl Iterator<Item = (&'a str, usize)>) -> Option<usize> {
    let (mut depth, mut in_body) = (0_usize, false);
    for (text, line) in tokens {
        match text {
            "(" | "[" => depth += 1,
            "{" => (depth, in_body) = (depth + 1, true),
            ")" | "]" | "}" => depth = depth.saturating_sub(1),
            ";" if depth == 0 => return None,
            _ => {}
        }
        if in_body && depth == 0 {
            return Some(line);
        }
    }
    None
}

/// Lines over the limit; a Chinese character counts as one.
fn long_lines(source: &Source) -> Vec<String> {
    let long = |(_, line): &(usize, &str)| line.chars().count() > LINE_COLUMNS_MAX;
    let found = source.raw.lines().enumerate().filter(long);
    found.map(|(at, _)| format!("{}:{}: over 100 columns", source.path, at + 1)).collect()
}

/// A file that holds two ideas, tests not counted.
fn long_file(source: &Source) -> Vec<String> {
    let lines = source.raw.lines().count() - source.test_lines;
    let text = format!("{}: {lines} lines without tests: split by idea", source.path);
    if lines > FILE_LINES_MAX { vec![text] } else { Vec::new() }
}

#[test]
fn functions_fit_on_a_screen() {
    assert_none(&sources().iter().flat_map(long_functions).collect::<Vec<_>>());
}

#[test]
fn lines_fit_in_a_hundred_columns() {
    assert_none(&sources().iter().flat_map(long_lines).collect::<Vec<_>>());
}

#[test]
fn files_hold_one_idea() {
    assert_none(&sources().iter().flat_map(long_file).collect::<Vec<_>>());
}

#[test]
fn planted_lengths_are_found() {
    let source = |raw: &str| Source::new("src/x.rs", raw);
    let function = |lines: usize| format!("fn f(a: [u8; 3]) {{\n{}}}", "x();\n".repeat(lines - 2));
    assert_eq!(long_functions(&source(&function(70))), [""; 0]);
    assert_eq!(long_functions(&source(&function(71))), ["src/x.rs:1: fn f has 71 lines"]);
    let bodiless = format!("trait T {{ fn f(&self) -> [u8; 2];\n{}}}", "const A: u8;\n".repeat(80));
    assert_eq!(long_functions(&source(&bodiless)), [""; 0]);
    assert_eq!(long_functions(&source("type F = fn(u8) -> u8;")), [""; 0]);

    assert_eq!(long_lines(&source(&"联".repeat(100))), [""; 0]);
    assert_eq!(long_lines(&source(&format!("\n// {}", "x".repeat(98)))).len(), 1);

    let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "x;\n".repeat(400));
    assert_eq!(long_file(&source(&format!("{}{tests}", "x;\n".repeat(500)))), [""; 0]);
    assert_eq!(long_file(&source(&format!("{}{tests}", "x;\n".repeat(501)))).len(), 1);
}
