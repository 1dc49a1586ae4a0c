//! PURE: what records mean. No bytes, no trees, no network, no clock, no floats.
//!
//! In scope: cases, who may move them, the values of which records are made, the words people
//! see. Out of scope: logs and their order ([`crate::log`]), how any of this is encoded.

pub mod code;
pub mod date;
pub mod division;
pub mod invalid;
pub mod law;
pub mod officer;
pub mod party;
pub mod place;
pub mod pollutant;
pub mod quantity;
pub mod text;
pub mod uscc;

pub use code::{Language, Words};
pub use date::Date;
pub use division::CountyCode;
pub use invalid::{Invalid, InvalidReason};
pub use uscc::Uscc;
