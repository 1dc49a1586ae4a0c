//! See `bodies::hj212`.
#![no_main]

#[path = "../bodies.rs"]
#[allow(dead_code, reason = "the other targets")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    bodies::hj212(data);
});
