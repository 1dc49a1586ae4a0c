//! Proto files: every item is explained, and no header can hold what somebody typed.
//!
//! In scope: messages, enums, services, fields, values and methods as text.
//! Out of scope: whether the files compile (`build.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::{assert_none, files_under, relative};

/// What may be below `EntryHeader` besides our own messages and enums: whole numbers, truth
/// values, bytes, and the two types of time. No `string`, and no float either.
const HEADER_TYPES: &[&str] = &[
    "bool",
    "bytes",
    "fixed32",
    "fixed64",
    "int32",
    "int64",
    "sfixed32",
    "sfixed64",
    "sint32",
    "sint64",
    "uint32",
    "uint64",
    "google.protobuf.Duration",
    "google.protobuf.Timestamp",
];

/// One `.proto` file, read.
#[derive(Default)]
struct Proto {
    /// Items without a comment beside or above them: line and words.
    silent: Vec<(usize, String)>,
    enums: BTreeSet<String>,
    /// Fields of each message: their types and names. Nested messages are `Outer.Inner`.
    messages: BTreeMap<String, Vec<(String, String)>>,
}

/// Where a statement stands.
#[derive(Clone, PartialEq)]
enum Place {
    File,
    Message(String),
    Enum,
    Service,
    /// Options and the like: nothing in here is an item.
    Other,
}

fn parse(text: &str) -> Proto {
    let comments: Vec<_> = text.lines().map(|line| line.trim_start().starts_with("//")).collect();
    let mut proto = Proto::default();
    let mut places = vec![Place::File];
    let mut words: Vec<(String, usize)> = Vec::new();
    let mut brackets = 0_usize;
    for (word, line) in words_of(text) {
        match word.as_str() {
            "[" => brackets += 1,
            "]" => brackets = brackets.saturating_sub(1),
            "{" | ";" | "}" if brackets == 0 => {
                let place = places.last().cloned().unwrap_or(Place::File);
                let inner = proto.statement(&place, &words);
                if let (Some(inner), Some((_, first))) = (&inner, words.first()) {
                    let above = *first > 1 && comments[first - 2];
                    let beside = text.lines().nth(line - 1).is_some_and(|l| l.contains("//"));
                    if !above && !beside && inner.is_item {
                        let said: Vec<_> = words.iter().map(|(w, _)| w.as_str()).collect();
                        proto.silent.push((*first, said.join(" ")));
                    }
                }
                match word.as_str() {
                    "{" => places.push(inner.map_or(Place::Other, |inner| inner.place)),
                    "}" => drop(places.pop()),
                    _ => {}
                }
                words.clear();
                continue;
            }
            _ => {}
        }
        words.push((word, line));
    }
    proto
}

/// Words and marks with their lines; comments and texts left out.
fn words_of(text: &str) -> Vec<(String, usize)> {
    let mut out = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            if rest.starts_with("//") {
                break;
            }
            let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
            let length = match first {
                '"' => rest[1..].find('"').map_or(rest.len(), |end| end + 2),
                c if in_word(c) => rest.find(|c| !in_word(c)).unwrap_or(rest.len()),
                c => c.len_utf8(),
            };
            let (word, behind) = rest.split_at(length);
            out.push((word.to_owned(), number + 1));
            rest = behind.trim_start();
        }
    }
    out
}

/// What a statement is, and the place that its braces open.
struct Statement {
    is_item: bool,
    place: Place,
}

impl Proto {
    /// Takes note of a statement; `None` where there is nothing to note.
    fn statement(&mut self, place: &Place, words: &[(String, usize)]) -> Option<Statement> {
        let said: Vec<_> = words.iter().map(|(word, _)| word.as_str()).collect();
        let item = |place| Some(Statement { is_item: true, place });
        let scope = match place {
            Place::Message(outer) => format!("{outer}."),
            Place::File | Place::Enum | Place::Service | Place::Other => String::new(),
        };
        match (place, said.as_slice()) {
            (_, [] | ["option" | "reserved" | "extensions" | "import" | "syntax", ..]) => None,
            (_, ["package" | "edition", ..]) | (Place::Other, _) => None,
            (_, ["message", name]) => {
                let name = format!("{scope}{name}");
                self.messages.entry(name.clone()).or_default();
                item(Place::Message(name))
            }
            (_, ["enum", name]) => {
                self.enums.insert(format!("{scope}{name}"));
                item(Place::Enum)
            }
            (Place::File, ["service", _]) => item(Place::Service),
            (Place::Service, ["rpc", ..]) => item(Place::Other),
            (Place::Enum, [_, "=", ..]) => item(Place::Other),
            // The message goes on inside.
            (Place::Message(name), ["oneof", _]) => {
                Some(Statement { is_item: false, place: Place::Message(name.clone()) })
            }
            (Place::Message(name), field) => {
                let fields = self.messages.entry(name.clone()).or_default();
                match field {
                    ["map", "<", key, ",", value, ">", field, ..] => {
                        fields.push(((*key).into(), (*field).into()));
                        fields.push(((*value).into(), (*field).into()));
                    }
                    ["repeated" | "optional" | "required", kind, field, "=", ..]
                    | [kind, field, "=", ..] => fields.push(((*kind).into(), (*field).into())),
                    _ => fields.push(("unreadable".into(), field.join(" "))),
                }
                item(Place::Other)
            }
            (Place::File | Place::Enum | Place::Service, _) => None,
        }
    }

    fn absorb(&mut self, other: Self) {
        self.enums.extend(other.enums);
        self.messages.extend(other.messages);
    }

    /// Our own message or enum that a type names inside `scope`, innermost first.
    fn resolve(&self, scope: &str, kind: &str) -> Option<String> {
        let kind = kind.trim_start_matches('.').trim_start_matches("liandong.v1.");
        let mut scope = Some(scope);
        while let Some(outer) = scope {
            let name = format!("{outer}.{kind}");
            if self.messages.contains_key(&name) || self.enums.contains(&name) {
                return Some(name);
            }
            scope = outer.rsplit_once('.').map(|(outer, _)| outer);
        }
        let known = self.messages.contains_key(kind) || self.enums.contains(kind);
        known.then(|| kind.to_owned())
    }

    /// Fields below `top` whose type is not fit for a header.
    fn unfit_below(&self, top: &str) -> Vec<String> {
        let (mut unfit, mut seen) = (Vec::new(), BTreeSet::new());
        let mut todo = vec![top.to_owned()];
        while let Some(message) = todo.pop() {
            if !seen.insert(message.clone()) || self.enums.contains(&message) {
                continue;
            }
            for (kind, field) in self.messages.get(&message).into_iter().flatten() {
                if HEADER_TYPES.contains(&kind.trim_start_matches('.')) {
                    continue;
                }
                match self.resolve(&message, kind) {
                    Some(inner) => todo.push(inner),
                    None => unfit.push(format!("{message}.{field} is a {kind}")),
                }
            }
        }
        unfit
    }
}

#[test]
fn every_proto_item_is_explained() {
    let mut wrong = Vec::new();
    for path in files_under("proto/liandong", "proto") {
        let proto = parse(&fs::read_to_string(&path).unwrap());
        let silent = proto.silent.iter();
        wrong.extend(silent.map(|(line, said)| format!("{}:{line}: {said}", relative(&path))));
    }
    assert_none(&wrong);
}

#[test]
fn a_header_holds_nothing_that_anybody_typed() {
    let mut all = Proto::default();
    for path in files_under("proto/liandong/v1", "proto") {
        all.absorb(parse(&fs::read_to_string(&path).unwrap()));
    }
    let fields = all.messages.get("EntryHeader").map_or(0, Vec::len);
    assert!(fields > 5, "EntryHeader has {fields} fields: renamed, or not read");
    assert_none(&all.unfit_below("EntryHeader"));
}

const PLANTED: &str = r#"
syntax = "proto3";
package liandong.v1;
// A header.
message EntryHeader {
  // Inner.
  message Inner {
    repeated string names = 1;
    bytes id = 2; // Beside.
  }
  // Kinds.
  enum Kind {
    // None.
    KIND_UNSPECIFIED = 0;
    KIND_ONE = 1;
  }
  // Its inner.
  .liandong.v1.EntryHeader.Inner inner = 1 [deprecated = true, (x) = { a: "string y = 3;" }];
  // Kind.
  Kind kind = 2;
  oneof event {
    // Other.
    Other other = 3;
    google.protobuf.Timestamp time = 4;
  }
  // Texts.
  map<string, uint32> counts = 5;
  // Far.
  google.protobuf.Any any = 6;
  reserved 7, 8;
  reserved "string";
}
// Not touching.

message Other {
  // Up again.
  EntryHeader up = 1;
  // A share.
  double share = 2;
}
// Not below the header.
message Elsewhere {
  // A text.
  string text = 1;
}
service S {
  rpc A(Other)
      returns (Other) {
    option (google.api.http) = { get: "/v1" };
  }
  // Said.
  rpc B(Other) returns (Other);
}
"#;

#[test]
fn planted_silence_is_found() {
    let silent: Vec<_> = parse(PLANTED).silent.into_iter().map(|(_, said)| said).collect();
    assert_eq!(
        silent,
        [
            "repeated string names = 1",
            "KIND_ONE = 1",
            "google.protobuf.Timestamp time = 4",
            "message Other",
            "service S",
            "rpc A ( Other ) returns ( Other )",
        ]
    );
}

#[test]
fn a_planted_text_below_the_header_is_found() {
    let mut unfit = parse(PLANTED).unfit_below("EntryHeader");
    unfit.sort();
    assert_eq!(
        unfit,
        [
            "EntryHeader.Inner.names is a string",
            "EntryHeader.any is a google.protobuf.Any",
            "EntryHeader.counts is a string",
            "Other.share is a double",
        ]
    );
}
