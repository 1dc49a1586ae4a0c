//! Counts the elements of a message before anything of it is decoded.
//!
//! Two bytes on the wire can become a struct of two hundred in memory, and the decoder has no
//! limit on how many. So every message is walked first, along its descriptor and without copying
//! anything, and refused if its lists hold more elements in all than any honest message has.
#![expect(clippy::wildcard_enum_match_arm, reason = "a foreign enum; leaves")]

use std::collections::HashMap;
use std::sync::LazyLock;

use bytes::Buf;
use prost::Message;
use prost::encoding::{WireType, decode_key, decode_varint};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FileDescriptorSet};

use super::error::WireError;
use crate::limits::{MESSAGE_DEPTH_MAX, MESSAGE_ELEMENTS_MAX};

/// A field that may hold many values, or values that hold fields.
#[derive(Clone, Copy)]
struct Field {
    number: u32,
    repeated: bool,
    /// Place of its message in [`Shapes::messages`].
    message: Option<usize>,
}

struct Shapes {
    messages: Vec<Vec<Field>>,
    by_name: HashMap<String, usize>,
}

static SHAPES: LazyLock<Shapes> = LazyLock::new(|| {
    let files = FileDescriptorSet::decode(super::DESCRIPTORS).unwrap_or_default();
    Shapes::read(&files)
});

impl Shapes {
    fn read(files: &FileDescriptorSet) -> Self {
        let mut all: Vec<(String, &DescriptorProto)> = Vec::new();
        for file in &files.file {
            for message in &file.message_type {
                gather(file.package(), message, &mut all);
            }
        }
        let by_name: HashMap<String, usize> =
            all.iter().enumerate().map(|(place, (name, _))| (name.clone(), place)).collect();
        let field = |field: &prost_types::FieldDescriptorProto| {
            let message = match field.r#type() {
                Type::Message => by_name.get(field.type_name().trim_start_matches('.')).copied(),
                _ => None,
            };
            let repeated = field.label() == Label::Repeated;
            let number = u32::try_from(field.number()).unwrap_or(0);
            (repeated || message.is_some()).then_some(Field { number, repeated, message })
        };
        let messages =
            all.iter().map(|(_, message)| message.field.iter().filter_map(field).collect());
        Self { messages: messages.collect(), by_name }
    }
}

fn gather<'a>(
    outer: &str,
    message: &'a DescriptorProto,
    all: &mut Vec<(String, &'a DescriptorProto)>,
) {
    let name = format!("{outer}.{}", message.name());
    for inner in &message.nested_type {
        gather(&name, inner, all);
    }
    all.push((name, message));
}

/// Walks a message of this full name and counts the elements of all its lists.
///
/// # Errors
/// [`WireError::TooMany`], or [`WireError::Unreadable`] when it is no message at all.
pub(super) fn check_elements(
    what: &'static str,
    name: &str,
    bytes: &[u8],
) -> Result<(), WireError> {
    let Some(shape) = SHAPES.by_name.get(name) else { return Ok(()) };
    let mut walk = Walk { what, left: MESSAGE_ELEMENTS_MAX };
    walk.message(*shape, bytes, MESSAGE_DEPTH_MAX)
}

/// Tells every field of a message, but not what lies within it: its number, and its value as a
/// number or as bytes.
///
/// # Errors
/// [`WireError::Unreadable`] when it is no message at all.
pub(super) fn each_field<'a>(
    what: &'static str,
    mut rest: &'a [u8],
    f: &mut dyn FnMut(u32, u64, &'a [u8]),
) -> Result<(), WireError> {
    let walk = Walk { what, left: 0 };
    while rest.has_remaining() {
        let (field, wire_type) = decode_key(&mut rest).map_err(walk.unreadable())?;
        let (number, bytes) = walk.value(wire_type, &mut rest)?;
        f(field, number, bytes);
    }
    Ok(())
}

struct Walk {
    what: &'static str,
    left: usize,
}

impl Walk {
    fn message(&mut self, shape: usize, mut rest: &[u8], depth: usize) -> Result<(), WireError> {
        let fields = SHAPES.messages.get(shape).map_or(&[][..], Vec::as_slice);
        while rest.has_remaining() {
            let (number, wire_type) = decode_key(&mut rest).map_err(self.unreadable())?;
            let field = fields.iter().find(|field| field.number == number);
            let (_, value) = self.value(wire_type, &mut rest)?;
            let Some(field) = field else { continue };
            if field.repeated {
                // A packed list may hold one number in each byte; numbers take eight at most.
                let packed = if field.message.is_none() { value.len() / 8 } else { 0 };
                self.count(1 + packed)?;
            }
            if let Some(inner) = field.message {
                let depth = depth.checked_sub(1).ok_or_else(|| self.broken("nested too deeply"))?;
                self.message(inner, value, depth)?;
            }
        }
        Ok(())
    }

    /// Takes one value off: a varint, or else bytes.
    fn value<'a>(
        &self,
        wire_type: WireType,
        rest: &mut &'a [u8],
    ) -> Result<(u64, &'a [u8]), WireError> {
        let length = match wire_type {
            WireType::Varint => {
                return Ok((decode_varint(rest).map_err(self.unreadable())?, &[]));
            }
            WireType::SixtyFourBit => 8,
            WireType::ThirtyTwoBit => 4,
            WireType::LengthDelimited => {
                let length = decode_varint(rest).map_err(self.unreadable())?;
                usize::try_from(length).map_err(|_| self.broken("a length is out of range"))?
            }
            WireType::StartGroup | WireType::EndGroup => return Err(self.broken("has a group")),
        };
        let (value, after) =
            rest.split_at_checked(length).ok_or_else(|| self.broken("ends too early"))?;
        *rest = after;
        Ok((0, value))
    }

    fn count(&mut self, elements: usize) -> Result<(), WireError> {
        let limit = MESSAGE_ELEMENTS_MAX;
        self.left = self.left.checked_sub(elements).ok_or(WireError::TooMany {
            what: "elements of the message",
            limit,
            got: limit + elements,
        })?;
        Ok(())
    }

    fn unreadable(&self) -> impl Fn(prost::DecodeError) -> WireError {
        WireError::unreadable(self.what)
    }

    fn broken(&self, reason: &str) -> WireError {
        WireError::Unreadable { what: self.what, reason: reason.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::pb::v1 as pb;
    use super::*;
    use proptest::prelude::*;
    use prost::Name;

    #[test]
    fn many_empty_elements_are_refused_before_they_are_decoded() {
        // Field 3 of a batch, length 0: two bytes an entry.
        let bytes = [0x1a, 0x00].repeat(MESSAGE_ELEMENTS_MAX + 1);
        let error = check_elements("batch", &pb::Batch::full_name(), &bytes).unwrap_err();
        assert!(matches!(error, WireError::TooMany { .. }), "{error}");
        let few = [0x1a, 0x00].repeat(MESSAGE_ELEMENTS_MAX);
        check_elements("batch", &pb::Batch::full_name(), &few).unwrap();
    }

    #[test]
    fn elements_are_counted_all_the_way_down() {
        let entry =
            pb::Entry { parts: vec![pb::PartSlot::default(); 30_000], ..Default::default() };
        let batch = pb::Batch { entries: vec![entry.clone(), entry], ..Default::default() };
        let bytes = batch.encode_to_vec();
        assert!(check_elements("batch", &pb::Batch::full_name(), &bytes).is_err());
    }

    #[test]
    fn every_message_of_ours_has_a_shape() {
        for name in [pb::Batch::full_name(), pb::Case::full_name(), pb::EntryHeader::full_name()] {
            assert!(SHAPES.by_name.contains_key(&name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn walking_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = check_elements("batch", &pb::Batch::full_name(), &bytes);
            let _ = check_elements("case", &pb::Case::full_name(), &bytes);
        }
    }
}
