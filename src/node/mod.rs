//! The shell around the pure parts.

pub use crate::api::{request, status};
