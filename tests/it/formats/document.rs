//! `docs/formats.md`: its examples are the golden files, whole and unchanged.
//!
//! An example is a fenced block below a comment `<!-- golden: FILE -->` (a whole file) or
//! `<!-- golden: FILE LINE -->` (one line of it). In a `hex` block, white space and what follows a
//! `#` are for people.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use liandong::ids::hex;

use super::golden;

/// Files that need no example: lists that are explained in the text.
const UNSHOWN: [&str; 5] =
    ["checkpoint.note", "codes.txt", "journal", "manifest-130400.note", "refused-keys.txt"];

struct Example {
    /// File, and the line in it.
    file: String,
    line: Option<String>,
    kind: String,
    text: String,
}

fn examples(document: &str) -> Vec<Example> {
    let mut found = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        let marker = line.strip_prefix("<!-- golden: ").and_then(|m| m.strip_suffix(" -->"));
        let Some(marker) = marker else { continue };
        let (file, line) = match marker.split_once(' ') {
            Some((file, line)) => (file, Some(line.to_owned())),
            None => (marker, None),
        };
        let fence = lines.next().unwrap_or_default();
        let kind = fence.strip_prefix("```").unwrap_or_else(|| panic!("{marker}: no block"));
        let block = lines.by_ref().take_while(|line| *line != "```");
        let text = block.map(|line| format!("{line}\n")).collect();
        let (file, kind) = (file.to_owned(), kind.to_owned());
        found.push(Example { file, line, kind, text });
    }
    found
}

fn check(example: &Example) -> Result<(), String> {
    let Example { file, line, kind, text } = example;
    let name = format!("{file} {}", line.as_deref().unwrap_or_default());
    let code = |line: &str| line.split('#').next().unwrap_or_default().to_owned();
    let said: String = match kind.as_str() {
        "hex" => text.lines().map(code).collect::<String>().split_whitespace().collect(),
        "text" => text.clone(),
        other => return Err(format!("{name}: unknown kind of block {other:?}")),
    };
    let golden = match line {
        Some(line) => golden::line(file, line),
        None if kind == "hex" => hex(&golden::file(file)),
        None => String::from_utf8(golden::file(file)).unwrap(),
    };
    if said == golden { Ok(()) } else { Err(format!("{name} says\n{said}\nnot\n{golden}")) }
}

fn document() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md")).unwrap()
}

#[test]
fn every_example_is_golden() {
    let examples = examples(&document());
    assert!(examples.len() > 20, "{} examples", examples.len());
    for example in &examples {
        check(example).unwrap();
    }
}

#[test]
fn every_golden_file_has_an_example() {
    let shown: BTreeSet<String> = examples(&document()).into_iter().map(|e| e.file).collect();
    for entry in fs::read_dir(golden::path("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = shown.contains(&name) || UNSHOWN.contains(&name.as_str());
        // Parts are shown from the log.
        assert!(known || name == "parts.txt", "{name} is not explained");
    }
}

#[test]
fn a_planted_slip_is_found() {
    let slip = |text: &str| check(&examples(text)[0]).is_err();
    let right = "<!-- golden: headers.txt bare -->\n```hex\n";
    let bare = golden::line("headers.txt", "bare");
    assert!(!slip(&format!("{right}{bare} # all of it\n```\n")));
    assert!(slip(&format!("{right}{bare}00\n```\n")));
    assert!(slip(&format!("{right}{}\n```\n", &bare[2..])));
    assert!(slip("<!-- golden: card.note -->\n```text\nliandong/card/v1\n```\n"));
}
