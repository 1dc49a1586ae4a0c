//! What is kept in the repository: nothing from a developer's machine, no secret, and a reason
//! beside every dependency and every limit.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::{assert_none, relative, root};

/// Paths of one machine. Put together here so that this file does not contain them.
const MACHINE_PATHS: [&str; 2] = [concat!("../", "shared"), concat!("/wo", "rk/")];

/// A line that names a place on a developer's machine or begins a private key.
fn unfit_to_keep(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let key = line.split_once(concat!("BEG", "IN ")).map_or("", |(_, behind)| behind);
        if key.contains(concat!("PRIVATE", " KEY")) {
            wrong.push(format!("{path}:{}: a private key", at + 1));
        }
        if let Some(found) = MACHINE_PATHS.iter().find(|found| line.contains(**found)) {
            wrong.push(format!("{path}:{}: a path of one machine: {found}", at + 1));
        }
    }
    wrong
}

/// What git tracks; without git, every file but what a build leaves behind.
fn kept_files() -> Vec<PathBuf> {
    let listed = Command::new("git").arg("-C").arg(root()).args(["ls-files", "-z"]).output();
    match listed {
        Ok(listed) if listed.status.success() && !listed.stdout.is_empty() => {
            let names = String::from_utf8(listed.stdout).unwrap();
            names.split_terminator('\0').map(|name| root().join(name)).collect()
        }
        Ok(_) | Err(_) => all_files(),
    }
}

fn all_files() -> Vec<PathBuf> {
    let (mut found, mut folders) = (Vec::new(), vec![root().to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let left_out = [".git", "target", "demo-data"].iter().any(|n| entry.file_name() == *n);
            if entry.file_type().unwrap().is_dir() && !left_out {
                folders.push(entry.path());
            } else if entry.file_type().unwrap().is_file() && !left_out {
                found.push(entry.path());
            }
        }
    }
    found
}

/// Dependencies without a reason: entries of any `dependencies` section without a comment.
fn unexplained_dependencies(manifest: &str) -> Vec<String> {
    let (mut wrong, mut in_section) = (Vec::new(), false);
    // An entry may take several lines: its name, and how many brackets are open.
    let (mut name, mut explained, mut open) = ("", false, 0_isize);
    for line in manifest.lines().map(str::trim) {
        let (code, comment) = split_comment(line);
        if open == 0 && code.starts_with('[') {
            let header = code.trim_matches(['[', ']']);
            in_section = header.ends_with("dependencies");
            let own_table = header.split_once("dependencies.").map(|(_, name)| name);
            if let Some(dependency) = own_table.filter(|_| comment.is_empty()) {
                wrong.push(dependency.to_owned());
            }
            continue;
        }
        if !in_section || code.is_empty() {
            continue;
        }
        if open == 0 {
            (name, explained) = (code.split(['=', ' ', '.']).next().unwrap_or(code), false);
        }
        explained |= !comment.is_empty();
        let count = |marks: [char; 2]| code.matches(marks).count() as isize;
        open += count(['[', '{']) - count([']', '}']);
        if open == 0 && !explained {
            wrong.push(name.to_owned());
        }
    }
    wrong
}

/// A line of TOML before its comment, and the comment's text.
fn split_comment(line: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        quoted ^= c == '"';
        if c == '#' && !quoted {
            return (line[..at].trim(), line[at + 1..].trim());
        }
    }
    (line, "")
}

/// Limits without a reason: `*_MAX` constants without a doc comment that says something.
fn unexplained_limits(text: &str) -> Vec<String> {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let mut wrong = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((_, rest)) = line.split_once("const ") else { continue };
        let name = rest.split(':').next().unwrap_or(rest).trim();
        let above = lines[..at].iter().rev().find(|line| !line.starts_with("#["));
        let said = above.and_then(|line| line.strip_prefix("///")).is_some_and(|s| s.len() > 10);
        if name.ends_with("_MAX") && !line.starts_with("//") && !said {
            wrong.push(name.to_owned());
        }
    }
    wrong
}

#[test]
fn nothing_from_a_machine_and_no_key_is_kept() {
    let files = kept_files();
    assert!(files.len() > 10, "{} files: the list is not to be trusted", files.len());
    let mut wrong = Vec::new();
    for path in files {
        // A file may be deleted here and not yet in the index.
        let bytes = fs::read(&path).unwrap_or_default();
        wrong.extend(unfit_to_keep(&relative(&path), &String::from_utf8_lossy(&bytes)));
    }
    assert_none(&wrong);
}

#[test]
fn every_dependency_has_a_reason() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("[dependencies]"));
    assert_none(&unexplained_dependencies(&manifest));
}

#[test]
fn every_limit_has_a_reason() {
    for file in ["src/limits.rs", "src/limits/console.rs"] {
        let limits = fs::read_to_string(root().join(file)).unwrap();
        assert!(limits.contains("_MAX"));
        assert_none(&unexplained_limits(&limits));
    }
}

#[test]
fn planted_paths_and_keys_are_found() {
    for bad in [
        concat!("see /wo", "rk/notes.md"),
        concat!("include!(\"../", "shared/x\")"),
        concat!("-----BEG", "IN PRIVATE", " KEY-----"),
        concat!("-----BEG", "IN EC PRIVATE", " KEY-----\nMHcCAQEE"),
    ] {
        assert_eq!(unfit_to_keep("x", bad).len(), 1, "{bad}");
    }
    assert_eq!(unfit_to_keep("x", "our work/life, PUBLIC KEY, a private key").len(), 0);
    assert!(all_files().contains(&root().join("Cargo.toml")), "the way without git");
}

#[test]
fn a_planted_dependency_is_found() {
    let manifest = r##"
        [package]
        name = "x"
        [dependencies]
        # A heading explains no dependency.
        silent = "1"
        said = "1" # why
        mark = { git = "https://x/#y" }
        long = { version = "1", features = [
            "a", # first
        ] }
        longer = { features = [
            "a",
        ] }
        [dependencies.table]
        version = "1"
        [target.'cfg(unix)'.dev-dependencies]
        dotted.workspace = true
        [profile.dev]
        debug = 1
    "##;
    let found = unexplained_dependencies(manifest);
    assert_eq!(found, ["silent", "mark", "longer", "table", "dotted"]);
}

#[test]
fn a_planted_limit_is_found() {
    let text = "/// Fits a page of text.\npub const A_MAX: usize = 1;\n\
                pub const B_MAX: usize = 2;\n///\n#[rustfmt::skip]\npub(crate) const C_MAX: u8 = 3;\nconst D: u8 = 4;";
    assert_eq!(unexplained_limits(text), ["B_MAX", "C_MAX"]);
}
