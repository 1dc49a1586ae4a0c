//! How records are told to people: the words, rows and lines that the command line and the console
//! have in common.
//!
//! In scope: from an answer of the API to labels, values and lines in one language. Out of scope:
//! terminals ([`crate::cli`]), HTML ([`crate::console`]), words of single codes
//! ([`crate::wire::words`]).

pub mod case;
pub mod draw;
pub mod evidence;
pub mod grants;
pub mod history;
pub mod link;
pub mod names;
pub mod paper;
pub mod plan;
pub mod referral;
pub mod same_act;
pub mod sheet;
pub mod site;
pub mod table;
pub mod text;
pub mod unit;
pub mod when;
