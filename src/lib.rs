//! liandong (联动): neighbouring cities exchange boundary-area cases without a centre.

pub mod api;
pub mod audit;
pub mod cli;
pub mod config;
pub mod console;
pub mod domain;
pub mod evidence;
pub mod geo;
pub mod hj212;
pub mod ids;
pub mod import;
pub mod journal;
pub mod lang;
pub mod limits;
pub mod log;
pub mod node;
#[cfg(feature = "planted-bugs")]
pub mod planted;
pub mod rpc;
pub mod shown;
pub mod store;
pub mod sync;
pub mod telemetry;
pub mod trust;
pub mod view;
pub mod wire;
