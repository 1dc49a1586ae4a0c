//! Chance: a small generator, so that the same seed gives the same numbers everywhere.

use liandong::node::core::Entropy;

/// xorshift64*, good enough to choose faults by.
#[derive(Clone)]
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        ((self.next() >> 33) as usize) % bound.max(1)
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// From `low` up to, and not including, `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + (self.next() >> 33) % (high - low).max(1)
    }

    /// One of them.
    pub fn pick<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }

    /// Another generator, so that one consumer more does not change what the others draw.
    pub fn fork(&mut self) -> Self {
        Self::new(self.next())
    }
}

impl Entropy for Rng {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer {
            *byte = (self.next() >> 24) as u8;
        }
    }
}
