//! Planted bugs prove the checkers only if no checker knows them.

use std::fs;

use super::{assert_none, files_under, relative, root};

/// Names in the list of planted bugs.
fn names(list: &str) -> Vec<String> {
    let quoted = list.lines().map(str::trim).filter(|line| line.starts_with('"'));
    quoted.map(|line| line.trim_matches([',', '"']).to_owned()).collect()
}

fn named_in(path: &str, text: &str, names: &[String]) -> Vec<String> {
    let spoken = |name: &&String| text.contains(name.as_str()) || text.contains("planted::");
    names.iter().filter(spoken).map(|name| format!("{path} knows {name}")).collect()
}

#[test]
fn no_checker_names_a_planted_bug() {
    let names = names(&fs::read_to_string(root().join("src/planted.rs")).unwrap());
    assert!(names.len() >= 15, "{names:?}: the list is not read");
    let mut wrong = Vec::new();
    for path in files_under("tests/sim/checkers", "rs") {
        let text = fs::read_to_string(&path).unwrap();
        wrong.extend(named_in(&relative(&path), &text, &names));
    }
    assert_none(&wrong);
    let planted = named_in("x", "if bug == \"accept-a-gap\" {", &names);
    assert_eq!(planted.len(), 1);
}

#[test]
fn every_name_is_planted_once() {
    let names = names(&fs::read_to_string(root().join("src/planted.rs")).unwrap());
    let texts: Vec<String> =
        files_under("src", "rs").iter().map(|p| fs::read_to_string(p).unwrap()).collect();
    let planted = |name: &String| {
        let call = format!("is_on(\"{name}\")");
        texts.iter().any(|text| text.contains(&call))
    };
    assert_none(&names.into_iter().filter(|name| !planted(name)).collect::<Vec<_>>());
}
