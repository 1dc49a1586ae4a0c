//! What the descriptors promise.

use prost::Message;
use prost_types::FileDescriptorSet;
use prost_types::field_descriptor_proto::Type;

use crate::domain::case::{AuthorityLevel, CaseState, CaseStep};
use crate::domain::evidence::EvidenceKind;
use crate::domain::evidence_act::DeclineGround;
use crate::domain::facts::{DataLevel, Medium, Source};
use crate::domain::pollutant::Statistic;
use crate::domain::record::PenaltyKind;
use crate::domain::{
    CopiedPaper, ErasureReason, PoliceAnswer, ProcuratorateOpinion, ReferralKind, ReferralPaper,
    Violation,
};
use crate::wire::DESCRIPTORS;
use crate::wire::code::Code;

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

/// Names and numbers of an enum's values, the unset one left out, or of a message's one-of.
pub(super) fn numbers_of(list: &str) -> Vec<(String, i32)> {
    let files = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let ours = files.file.iter().filter(|file| file.package() == "liandong.v1");
    let mut numbers: Vec<(String, i32)> = Vec::new();
    for file in ours {
        for found in file.enum_type.iter().filter(|e| e.name() == list) {
            let values = found.value.iter().filter(|v| v.number() != 0);
            numbers.extend(values.map(|v| (v.name().to_owned(), v.number())));
        }
        for found in file.message_type.iter().filter(|m| m.name() == list) {
            let choices = found.field.iter().filter(|f| f.oneof_index.is_some());
            numbers.extend(choices.map(|f| (f.name().to_owned(), f.number())));
        }
    }
    assert!(numbers.len() > 1, "{list} is not described");
    numbers
}

/// A code of ours has in messages the name that `codes.txt` freezes with its number.
#[test]
fn codes_carry_their_own_names() {
    fn check<T: Code + 'static>(list: &str, prefix: &str, all: &[T], code: fn(T) -> &'static str) {
        let mut numbers = numbers_of(list);
        assert_eq!(numbers.len(), all.len(), "{list}");
        for value in all {
            let named = (format!("{prefix}_{}", code(*value)), value.number());
            let place = numbers.iter().position(|n| *n == named);
            numbers.remove(place.unwrap_or_else(|| panic!("{named:?} is not in {list}")));
        }
    }
    check("CaseState", "CASE_STATE", CaseState::ALL, CaseState::code);
    check("CaseStep", "CASE_STEP", CaseStep::ALL, CaseStep::code);
    check("Source", "SOURCE", Source::ALL, Source::code);
    check("Medium", "MEDIUM", Medium::ALL, Medium::code);
    check("Violation", "VIOLATION", Violation::ALL, Violation::code);
    check("DataLevel", "DATA_LEVEL", DataLevel::ALL, DataLevel::code);
    check("AuthorityLevel", "AUTHORITY_LEVEL", AuthorityLevel::ALL, AuthorityLevel::code);
    check("ErasureReason", "ERASURE_REASON", ErasureReason::ALL, ErasureReason::code);
    check("EvidenceKind", "EVIDENCE_KIND", EvidenceKind::ALL, EvidenceKind::code);
    let ground = ("EvidenceDeclineGround", "EVIDENCE_DECLINE_GROUND");
    check(ground.0, ground.1, DeclineGround::ALL, DeclineGround::code);
    check("ReferralKind", "REFERRAL_KIND", ReferralKind::ALL, ReferralKind::code);
    check("ReferralPaper", "REFERRAL_PAPER", ReferralPaper::ALL, ReferralPaper::code);
    check("PoliceAnswer", "POLICE_ANSWER", PoliceAnswer::ALL, PoliceAnswer::code);
    check("CopiedPaper", "COPIED_PAPER", CopiedPaper::ALL, CopiedPaper::code);
    let opinions = ("ProcuratorateOpinion", "PROCURATORATE_OPINION");
    check(opinions.0, opinions.1, ProcuratorateOpinion::ALL, ProcuratorateOpinion::code);
    check("PenaltyKind", "PENALTY_KIND", PenaltyKind::ALL, PenaltyKind::code);
    check("PollutantStatistic", "POLLUTANT_STATISTIC", Statistic::ALL, Statistic::code);
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
    const FIXED: [&str; 20] = [
        "log_id",
        "root",
        "id",
        "digest",
        "request_tag",
        "request_body_tag",
        "charter_hash",
        "minutes_hash",
        "agreement_id",
        "subject_id",
        "plan_id",
        "site_id",
        "unit_id",
        "officer_id",
        "case_id",
        "officer_ids",
        "guest_ids",
        "pool_hash",
        "commitment",
        "random",
    ];
    for (message, field) in below(".liandong.v1.EntryHeader") {
        if field.r#type() == Type::Bytes {
            assert!(FIXED.contains(&field.name()), "{message}.{}", field.name());
        }
    }
}
