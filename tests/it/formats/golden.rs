//! Golden files: lines of a name and a value, or whole files.

use std::fs;
use std::path::PathBuf;

pub fn path(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/v1").join(file)
}

fn bless() -> bool {
    std::env::var_os("LIANDONG_BLESS").is_some()
}

/// The lines of a file: name and value. Lines that begin with `#` are for people.
pub fn lines(file: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(path(file)).unwrap_or_default();
    let line = |line: &str| {
        let (name, value) = line.split_once(' ').unwrap();
        (name.to_owned(), value.to_owned())
    };
    text.lines().filter(|line| !line.starts_with('#')).map(line).collect()
}

/// The value of one line.
#[track_caller]
pub fn line(file: &str, name: &str) -> String {
    let found = lines(file).into_iter().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("{file} has no {name}")).1
}

/// Compares with the lines of a file, and adds those that are missing when asked to.
#[track_caller]
pub fn assert_lines(file: &str, about: &str, made: &[(String, String)]) {
    let known = lines(file);
    let mut added = String::new();
    for (name, value) in made {
        match known.iter().find(|(known, _)| known == name) {
            Some((_, golden)) => assert_eq!(value, golden, "{file}: {name}"),
            None if bless() => added += &format!("{name} {value}\n"),
            None => panic!("{file} has no {name}; add it with LIANDONG_BLESS=1"),
        }
    }
    if !added.is_empty() {
        let text = fs::read_to_string(path(file)).unwrap_or_else(|_| format!("# {about}\n"));
        fs::write(path(file), text + &added).unwrap();
    }
}

/// Compares with a whole file, and writes it when it is missing and we were asked to.
#[track_caller]
pub fn assert_file(file: &str, made: &[u8]) {
    match fs::read(path(file)) {
        Ok(known) => assert!(known == made, "{file} is written in another way now"),
        Err(_) if bless() => {
            fs::create_dir_all(path(file).parent().unwrap()).unwrap();
            fs::write(path(file), made).unwrap();
        }
        Err(_) => panic!("there is no {file}; make it with LIANDONG_BLESS=1"),
    }
}

/// A whole file.
#[track_caller]
pub fn file(file: &str) -> Vec<u8> {
    fs::read(path(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}
