//! What happened, in order: a hash of all of it for comparing two runs, and lines for people.

/// Two runs of one seed have the same hash, or something in them depends on chance.
#[derive(Clone, Debug)]
pub struct Trace {
    hash: u64,
    lines: bool,
}

impl Trace {
    /// With `lines`, everything is printed as it happens.
    pub fn new(lines: bool) -> Self {
        Self { hash: 0xCBF2_9CE4_8422_2325, lines }
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }

    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }

    /// Something happened at a time: what, its numbers, and how to say it.
    pub fn note(&mut self, now_ms: u64, what: &str, numbers: &[u64], said: impl Fn() -> String) {
        self.take(what.as_bytes());
        self.take(&now_ms.to_le_bytes());
        for number in numbers {
            self.take(&number.to_le_bytes());
        }
        if self.lines {
            let (s, ms) = (now_ms / 1000, now_ms % 1000);
            let clock = format!("{}:{:02}:{:02}.{ms:03}", s / 3600, s / 60 % 60, s % 60);
            println!("{clock} {what:<9} {}", said());
        }
    }
}
