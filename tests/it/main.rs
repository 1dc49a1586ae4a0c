//! The one integration binary: every file of `tests/it` is listed here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may unwrap: a panic is how they fail, their helpers too"
)]

mod api;
mod api_input;
mod api_leaks;
mod api_limits;
mod api_lists;
mod api_node;
mod api_raw;
mod api_watch;
mod api_writes;
mod assignments;
mod bench;
mod borders;
mod calendar_feed;
mod catalog;
mod certs;
mod console;
mod console_cases;
mod console_correct;
mod console_drafts;
mod console_forms;
mod console_forms_plans;
mod console_import;
mod console_inbox;
mod console_links;
mod console_new;
mod console_plans;
mod console_shifts;
mod console_visits;
mod console_walk;
mod copies;
mod corpora;
mod crash_points;
mod deadlines;
mod demo;
mod deploy;
mod disk;
mod doctor;
mod draws;
mod epochs;
mod erasure;
mod evidence_files;
mod evidence_kept;
mod evidence_levels;
mod evidence_record;
mod exchange;
mod foreign;
mod forks;
mod formats;
mod full_disk;
mod geo_oracle;
mod grants;
mod hostile;
mod ingest;
mod kills;
mod knocks;
mod log_oracles;
mod meetings;
mod model;
mod month_checks;
mod nodes;
mod notices;
mod notices_held;
mod nudges;
mod operator;
mod papers;
mod people;
mod plan_arrivals;
mod plan_caps;
mod plan_cli;
mod plan_cli_draw;
mod plan_drafts;
mod plan_recusals;
mod plan_rules;
mod plan_visits;
mod plans;
mod plans_listed;
mod power;
mod proxy;
mod rebuild;
mod referrals;
mod refused_fields;
mod restore;
mod rogue;
mod roles;
#[cfg(feature = "s3")]
mod s3;
mod same_acts;
mod scrub;
mod search;
mod sharing;
mod sheets;
mod shim;
mod sites;
mod stage;
mod statistics;
mod storm;
mod suspension;
mod tidy;
mod tls;
mod true_disk;
mod two_cities;
mod units;
mod units_each;
mod watchdog;
mod world;
mod world_calendar;
mod world_clocks;
mod world_cosign;
mod world_damage;
mod world_early;
mod world_ended;
mod world_erase;
mod world_five;
mod world_forks;
mod world_frames;
mod world_groups;
mod world_lost_notes;
mod world_members;
mod world_restore;
mod world_sites;
mod world_standing;
mod world_suspension;
mod wrong_clock;

#[path = "../sim/mod.rs"]
#[allow(dead_code, reason = "the example uses more of it")]
mod sim;
mod simulated;
use sim::notes;
