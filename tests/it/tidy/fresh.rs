//! A fresh machine: everything a clone needs is in it, and nothing more is asked of the machine.

use std::fs;

use super::rust::{Source, sources, tokens};
use super::{assert_none, files_under, root};

/// What product code reads at build time, by `env!`: only what the build itself sets.
const BUILD_ENV: &[&str] = &["OUT_DIR", "CARGO_PKG_VERSION"];
/// Programs that a build or a run must not call.
const PROGRAMS: &[&str] = &["protoc", "cmake", "python", "python3", "sh", "bash"];

/// Uses of the repository's own place, which an installed binary does not have, and of programs.
fn asks_for_more(source: &Source) -> Vec<String> {
    let all = tokens(&source.product);
    let mut wrong = Vec::new();
    for at in 0..all.len() {
        let is = |offset: usize, text: &str| all.get(at + offset).is_some_and(|t| t.text == text);
        let line = all[at].line;
        // Literals are blanked in the tokens: what stands there is read from the file.
        let raw = source.raw.lines().nth(line - 1).unwrap_or_default();
        let build_env = is(0, "env") && is(1, "!");
        if build_env && !BUILD_ENV.iter().any(|name| raw.contains(name)) {
            wrong.push(format!("{}:{line}: a path of the build: {}", source.path, raw.trim()));
        }
        let program = |name: &&str| raw.contains(&format!("Command::new(\"{name}\")"));
        if is(0, "Command") && is(1, "::") && is(2, "new") && PROGRAMS.iter().any(program) {
            wrong.push(format!("{}:{line}: another program: {}", source.path, raw.trim()));
        }
    }
    wrong
}

#[test]
fn an_installed_binary_needs_nothing_from_its_clone() {
    assert_none(&sources().iter().flat_map(asks_for_more).collect::<Vec<_>>());
    let planted = [
        r#"fn f() { let p = env!("CARGO_MANIFEST_DIR"); }"#,
        r#"fn f() { std::process::Command::new("protoc"); }"#,
    ];
    for code in planted {
        assert_eq!(asks_for_more(&Source::new("src/x.rs", code)).len(), 1, "{code}");
    }
    let fine = r#"fn f() { include_bytes!(concat!(env!("OUT_DIR"), "/x")); Command::new(exe); }"#;
    assert_eq!(asks_for_more(&Source::new("src/x.rs", fine)).len(), 0);
}

#[test]
fn the_manifest_names_what_a_build_needs() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let package = manifest["package"].as_table().unwrap();
    assert_eq!(package["default-run"].as_str(), Some("liandong"));
    assert_eq!(package["license"].as_str(), Some("Apache-2.0"));
    let rust = package["rust-version"].as_str().unwrap();
    assert!(rust.split('.').count() >= 2, "{rust}");
    assert_eq!(manifest["profile"]["dev"]["debug"].as_str(), Some("line-tables-only"));
    for (file, must) in [
        ("Cargo.lock", true),
        ("LICENSE", true),
        ("NOTICE", true),
        ("deny.toml", true),
        ("demo/sample-cases.json", true),
        ("packaging/liandong.service", true),
        ("rust-toolchain", false),
        ("rust-toolchain.toml", false),
    ] {
        assert_eq!(root().join(file).exists(), must, "{file}");
    }
    let config = fs::read_to_string(root().join(".cargo/config.toml")).unwrap();
    let config: toml::Table = config.parse().unwrap();
    let threads = "[env]\nRUST_TEST_THREADS = \"3\"".parse().unwrap();
    assert_eq!(config, threads, "what is built depends on the manifest alone");
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    assert!(readme.contains(&format!("Rust {rust}")), "README names another Rust than {rust}");
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for unwanted in ["openssl-sys", "native-tls", "zstd-sys", "bindgen", "webpki-roots"] {
        assert!(!lock.contains(&format!("name = \"{unwanted}\"")), "{unwanted} came in");
    }
}

#[test]
fn the_demo_carries_its_data() {
    let demo: String = files_under("src/cli/demo", "rs")
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for data in ["demo/sample-cases.json", "data/cities.geojson"] {
        assert!(demo.contains("include_str!(\"../../../") && demo.contains(data), "{data}");
    }
}
