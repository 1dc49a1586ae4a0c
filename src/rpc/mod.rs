//! Services: thin. Parse, ask the node, convert.
//!
//! In scope: who calls ([`caller`]), each service in its file. Out of scope: decisions (the node),
//! gRPC codes ([`crate::wire::status`]).

pub mod agreement_service;
mod audit_line;
pub mod caller;
mod case_assign;
mod case_basis;
mod case_command;
mod case_due;
pub mod case_filter;
mod case_history;
mod case_list;
mod case_page;
pub mod case_read;
pub mod case_service;
mod case_statistics;
mod case_walk;
mod case_watch;
mod case_write;
mod catalog_lists;
pub mod catalog_service;
mod cursor;
pub mod desk;
mod desk_each;
pub mod evidence_fetch;
pub mod evidence_files;
mod evidence_pace;
mod evidence_record;
pub mod evidence_service;
pub mod gate;
mod holdings;
mod meeting_read;
pub mod meeting_service;
pub mod node_service;
mod notice_read;
pub mod notice_service;
mod notice_watch;
pub mod page_token;
pub mod peer_service;
mod rate;
mod referral_record;
pub mod referral_service;
mod said;
mod same_act;
pub mod server;
mod site_list;
mod site_read;
pub mod site_service;
pub mod under_way;
mod unit_free;
mod unit_list;
mod unit_read;
pub mod unit_service;
mod unit_slots;
mod watch;
mod words;
