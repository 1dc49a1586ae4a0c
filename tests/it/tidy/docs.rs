//! Documents: links lead somewhere, both languages say the same commands, and every command that is
//! shown is one that the program understands.
//!
//! In scope: Markdown files that git would keep, outside of `target`. Out of scope: style.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clap::Parser;
use liandong::cli::Cli;

use super::{assert_none, files_under, relative, root};

/// Every Markdown file at the top and in the folders people read.
fn documents() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "md") {
            found.push(path);
        }
    }
    for folder in ["bench", "certs", "data", "docs", "examples", "packaging", "proto"] {
        found.extend(files_under(folder, "md"));
    }
    found.push(root().join("tests/fixtures/README.md"));
    found.sort();
    // What tools unpack beside the examples is not ours.
    found.retain(|path| !path.iter().any(|name| name == ".venv" || name == "node_modules"));
    let read = |path: std::path::PathBuf| (relative(&path), fs::read_to_string(&path).unwrap());
    found.into_iter().map(read).collect()
}

/// Files that a document links to or names in backticks as a path, and that are not there.
fn dead_links(path: &str, text: &str, is_there: &dyn Fn(&Path) -> bool) -> Vec<String> {
    let folder = Path::new(path).parent().unwrap_or(Path::new(""));
    let mut dead = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for piece in line.split("](").skip(1) {
            let target = piece.split([')', '#']).next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !is_there(&folder.join(target)) {
                dead.push(format!("{path}:{}: {target} is not there", at + 1));
            }
        }
    }
    dead
}

/// The commands in `sh` blocks: lines that begin with `liandong`, continued ones joined, what
/// follows a `#` left out.
fn commands(text: &str) -> Vec<String> {
    let (mut found, mut shell, mut open) = (Vec::new(), false, String::new());
    for line in text.lines() {
        if line.starts_with("```") {
            shell = line == "```sh";
            continue;
        }
        if !shell {
            continue;
        }
        let code = line.split(" #").next().unwrap_or_default().trim();
        match code.strip_suffix('\\') {
            Some(begun) => open.push_str(begun),
            None => {
                found.push(format!("{open}{code}"));
                open.clear();
            }
        }
    }
    let ours = |line: &String| line.starts_with("liandong ");
    let tidy = |line: String| line.split_whitespace().collect::<Vec<_>>().join(" ");
    found.into_iter().filter(ours).map(tidy).collect()
}

fn read(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap()
}

#[test]
fn links_lead_somewhere() {
    let documents = documents();
    assert!(documents.len() > 8, "{} documents", documents.len());
    let is_there = |path: &Path| root().join(path).exists();
    let dead = documents.iter().flat_map(|(path, text)| dead_links(path, text, &is_there));
    assert_none(&dead.collect::<Vec<_>>());
}

#[test]
fn every_command_shown_is_understood() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (path, text) in documents() {
        for line in commands(&text) {
            count += 1;
            if let Err(error) = Cli::try_parse_from(line.split(' ')) {
                wrong.push(format!("{path}: {line}\n{error}"));
            }
        }
    }
    assert!(count > 20, "{count} commands");
    assert_none(&wrong);
}

#[test]
fn both_languages_show_the_same() {
    let (en, zh) = (read("README.md"), read("README.zh-CN.md"));
    assert_eq!(commands(&en), commands(&zh));
    let headings = |text: &str| text.lines().filter(|line| line.starts_with("## ")).count();
    assert_eq!(headings(&en), headings(&zh));
    let reasons = |text: &str| -> BTreeSet<String> {
        let code =
            |word: &str| word.len() > 4 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        words.filter(|word| code(word) && word.contains('_')).map(str::to_owned).collect()
    };
    assert_eq!(reasons(&en), reasons(&zh));
    let known = liandong::wire::reasons::all().map(|(name, ..)| name).collect::<BTreeSet<_>>();
    for reason in reasons(&en).iter().filter(|r| !r.starts_with("KEY_OF") && *r != "RUST_LOG") {
        assert!(known.contains(reason.as_str()), "{reason} is in no table");
    }
}

#[test]
fn planted_slips_are_found() {
    let text = "[a](here.md) [b](gone.md#x) [c](https://x/y) [d](#top)";
    let dead = dead_links("docs/x.md", text, &|path| path == Path::new("docs/here.md"));
    assert_eq!(dead, ["docs/x.md:1: gone.md is not there"]);
    let text = "```sh\nliandong a \\\n  --b   # note\nls\n```\n```text\nliandong no\n```\n";
    assert_eq!(commands(text), ["liandong a --b"]);
}
