//! liandong (联动): neighbouring cities exchange boundary-area cases without a centre.

pub mod domain;
pub mod cli;
pub mod config;
pub mod geo;
pub mod ids;
pub mod lang;
pub mod limits;
pub mod log;
pub mod telemetry;
pub mod wire;
