//! What the descriptors promise.

use prost::Message;
use prost_types::FileDescriptorSet;
use prost_types::field_descriptor_proto::Type;

use crate::wire::DESCRIPTORS;

/// Every field below a message, with the message it is in.
fn below(name: &str) -> Vec<(String, prost_types::FieldDescriptorProto)> {
    let files = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let mut left = vec![name.to_owned()];
    let mut seen = Vec::new();
    let mut fields = Vec::new();
    while let Some(name) = left.pop() {
        if seen.contains(&name) {
            continue;
        }
        let message = files
            .file
            .iter()
            .flat_map(|file| file.message_type.iter().map(move |m| (file.package(), m)))
            .find(|(package, message)| format!(".{package}.{}", message.name()) == name)
            .unwrap_or_else(|| panic!("{name} is not described"));
        for field in &message.1.field {
            if field.r#type() == Type::Message {
                left.push(field.type_name().to_owned());
            }
            fields.push((name.clone(), field.clone()));
        }
        seen.push(name);
    }
    fields
}

#[test]
fn no_text_below_a_header() {
    let fields = below(".liandong.v1.EntryHeader");
    assert!(fields.len() > 80, "the walk must reach the events");
    for (message, field) in &fields {
        let text =
            matches!(field.r#type(), Type::String | Type::Float | Type::Double | Type::Group);
        assert!(!text, "{message}.{} may hold what somebody typed", field.name());
    }
    // The walk finds text where there is some.
    let parts = below(".liandong.v1.Part");
    assert!(parts.iter().any(|(_, field)| field.r#type() == Type::String));
}

#[test]
fn bytes_below_a_header_are_ids_and_digests() {
    const FIXED: [&str; 9] = [
        "log_id",
        "root",
        "id",
        "digest",
        "request_tag",
        "request_body_tag",
        "charter_hash",
        "agreement_id",
        "subject_id",
    ];
    for (message, field) in below(".liandong.v1.EntryHeader") {
        if field.r#type() == Type::Bytes {
            assert!(FIXED.contains(&field.name()), "{message}.{}", field.name());
        }
    }
}
