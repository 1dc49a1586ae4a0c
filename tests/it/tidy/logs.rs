//! Log lines carry only the fields that `telemetry::FIELDS` explains, so that an operator can search
//! for one name and find everything, and nothing that people typed slips in under a new name.
//!
//! In scope: fields in the macros of `tracing`. Out of scope: what their values are.

use liandong::telemetry::FIELDS;

use super::assert_none;
use super::rust::{Source, Token, sources, tokens};

const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace", "event"];
/// Settings of an event that are no fields.
const SETTINGS: &[&str] = &["target", "parent", "name"];

/// The fields of every log line of a file, with their lines.
fn fields(source: &Source) -> Vec<Token> {
    let all = tokens(&source.product);
    let text = |at: usize| all.get(at).map_or("", |token| token.text.as_str());
    let mut found = Vec::new();
    for at in 0..all.len() {
        let macro_call = LEVELS.contains(&text(at)) && text(at + 1) == "!" && text(at + 2) == "(";
        // `tracing::warn!`, or `warn!` in a file that imports it; no other macro has these names.
        if macro_call {
            arguments(&all[at + 3..]).into_iter().for_each(|a| found.extend(field(a)));
        }
    }
    found
}

/// The arguments of a call, split at its own commas.
fn arguments(behind: &[Token]) -> Vec<&[Token]> {
    let (mut found, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, token) in behind.iter().enumerate() {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth > 0 => depth -= 1,
            ")" | "]" | "}" => {
                found.push(&behind[start..at]);
                break;
            }
            "," if depth == 0 => {
                found.push(&behind[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    found
}

/// The field that an argument is: `%city`, `?log`, `size = head.size`, `part`, `cosign.log`.
fn field(argument: &[Token]) -> Option<Token> {
    let bare = match argument {
        [sign, rest @ ..] if sign.text == "%" || sign.text == "?" => rest,
        all => all,
    };
    let is_word = |token: &Token| token.text.chars().all(|c| c.is_alphanumeric() || c == '_');
    let first = bare.first().filter(|token| is_word(token))?;
    let alone = bare.len() == 1;
    let set = bare.get(1).is_some_and(|token| token.text == "=" || token.text == ".");
    let setting = bare.get(1).is_some_and(|token| token.text == ":");
    if setting && SETTINGS.contains(&first.text.as_str()) {
        return None;
    }
    (alone || set).then(|| first.clone())
}

fn unexplained(source: &Source) -> Vec<String> {
    let unknown = |token: &Token| FIELDS.iter().all(|(name, _)| *name != token.text);
    let found = fields(source).into_iter().filter(unknown);
    found.map(|t| format!("{}:{}: field {} of a log line", source.path, t.line, t.text)).collect()
}

#[test]
fn log_lines_carry_explained_fields() {
    let sources = sources();
    let seen: usize = sources.iter().map(|source| fields(source).len()).sum();
    assert!(seen > 20, "{seen} fields: the reader of macros reads nothing");
    assert_none(&sources.iter().flat_map(unexplained).collect::<Vec<_>>());
}

#[test]
fn a_planted_field_is_found() {
    let found = |code: &str| unexplained(&Source::new("src/x.rs", code)).len();
    assert_eq!(found(r#"fn f() { tracing::warn!(%city, size = h.size(a, b), "{x}", x); }"#), 1);
    assert_eq!(found(r#"fn f() { tracing::error!(party_name, "said"); }"#), 1);
    assert_eq!(found(r#"fn f() { warn!(?title, %city, "said"); }"#), 1);
    assert_eq!(found(r#"fn f() { info!(target: "audit", log = %c.log, phone = 1, "x"); }"#), 1);
    assert_eq!(found(r#"fn f() { tracing::warn!(%city, ?log, index, %error, "title"); }"#), 0);
}
