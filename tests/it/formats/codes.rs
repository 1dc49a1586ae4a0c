//! Numbers: every field and every code below what is signed, stored or sent.
//!
//! A number that is given is never given to anything else. Renaming, retyping or renumbering any
//! of these fails here, long before an old log cannot be read.

use std::collections::BTreeSet;

use liandong::wire::DESCRIPTORS;
use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FileDescriptorSet};

use super::golden;

const FILE: &str = "codes.txt";
/// What is signed, stored or sent between nodes.
const FROZEN: [&str; 4] = [
    ".liandong.v1.EntryHeader",
    ".liandong.v1.Part",
    ".liandong.v1.Batch",
    ".liandong.peer.v1.Frame",
];

struct Shapes {
    files: FileDescriptorSet,
}

impl Shapes {
    fn message(&self, name: &str) -> &DescriptorProto {
        let all = self.files.file.iter().flat_map(|f| f.message_type.iter().map(move |m| (f, m)));
        all.into_iter()
            .find(|(file, m)| format!(".{}.{}", file.package(), m.name()) == name)
            .unwrap_or_else(|| panic!("{name} is not described"))
            .1
    }

    fn code_list(&self, name: &str) -> &EnumDescriptorProto {
        let all = self.files.file.iter().flat_map(|f| f.enum_type.iter().map(move |e| (f, e)));
        all.into_iter()
            .find(|(file, e)| format!(".{}.{}", file.package(), e.name()) == name)
            .unwrap_or_else(|| panic!("{name} is not described"))
            .1
    }

    /// One line for each field and code below a message.
    fn below(&self, name: &str, seen: &mut BTreeSet<String>, out: &mut Vec<(String, String)>) {
        if !seen.insert(name.to_owned()) {
            return;
        }
        for field in &self.message(name).field {
            let is_code = field.r#type() == Type::Enum;
            let is_message = field.r#type() == Type::Message;
            let kind = if is_code || is_message {
                field.type_name().trim_start_matches('.').to_owned()
            } else {
                format!("{:?}", field.r#type()).to_lowercase()
            };
            let list = if field.label() == Label::Repeated { "repeated " } else { "" };
            let path = format!("{}.{}", name.trim_start_matches('.'), field.name());
            out.push((path, format!("{} {list}{kind}", field.number())));
            if is_message {
                self.below(field.type_name(), seen, out);
            } else if is_code && seen.insert(field.type_name().to_owned()) {
                let codes = &self.code_list(field.type_name()).value;
                let list = field.type_name().trim_start_matches('.');
                out.extend(
                    codes
                        .iter()
                        .map(|code| (format!("{list}.{}", code.name()), code.number().to_string())),
                );
            }
        }
    }
}

#[test]
fn numbers_of_fields_and_codes_stay_as_they_are() {
    let shapes = Shapes { files: FileDescriptorSet::decode(DESCRIPTORS).unwrap() };
    let (mut seen, mut made) = (BTreeSet::new(), Vec::new());
    for name in FROZEN {
        shapes.below(name, &mut seen, &mut made);
    }
    assert!(made.len() > 300, "{} lines: the walk is too short", made.len());
    golden::assert_lines(FILE, "field: number and type; code: number", &made);
    let made: BTreeSet<_> = made.into_iter().collect();
    for (name, value) in golden::lines(FILE) {
        assert!(made.contains(&(name.clone(), value.clone())), "{name} {value} is gone");
    }
}
