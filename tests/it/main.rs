//! The one integration binary; every file beside this one is named here.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests may unwrap: a panic is how they fail"
)]

mod geo_oracle;
