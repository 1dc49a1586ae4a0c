//! Messages: packets that came whole, and split packets joined once all have come.
//!
//! In scope: PNUM and PNO, how many wait and for how long. Out of scope: the bytes of packets.
//!
//! Invariant: at most [`HJ212_PENDING_MAX`] split packets wait at a time, each for at most
//! [`HJ212_PENDING_PACKETS_MAX`] further packets. (`what_does_not_come_is_given_up`)

use std::collections::BTreeMap;

use super::field::Field;
use super::packet::Packet;
use super::refused::{Refusal, Refused};
use super::time::DataTime;
use crate::limits::{HJ212_PENDING_MAX, HJ212_PENDING_PACKETS_MAX};

/// The fields of one pollutant: `Avg`, `Flag` and so on, by name.
pub type Reading = BTreeMap<String, String>;

/// Everything a device said at once: one packet, or all parts of a split one in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    first: Packet,
    rest: Vec<Packet>,
}

impl Message {
    /// The first packet, whose header is that of all.
    #[must_use]
    pub const fn first(&self) -> &Packet {
        &self.first
    }

    /// Passwords left out: one line a packet, each with LF at its end.
    #[must_use]
    pub fn evidence(&self) -> String {
        let packets = std::iter::once(&self.first).chain(&self.rest);
        packets.map(|packet| packet.line() + "\n").collect()
    }

    fn fields(&self) -> impl Iterator<Item = &Field> {
        std::iter::once(&self.first).chain(&self.rest).flat_map(Packet::fields)
    }

    /// When it was measured.
    ///
    /// # Errors
    /// `DATA_TIME` when there is none or no such second, `SPLIT_DIFFERS` when parts disagree.
    pub fn data_time(&self) -> Result<DataTime, Refused> {
        let mut times = self.fields().filter(|f| f.name() == "DataTime").map(Field::value);
        let first = times.next().ok_or(Refusal::DataTime)?;
        if times.any(|other| other != first) {
            return Err(Refusal::SplitDiffers.into());
        }
        DataTime::parse(first).ok_or_else(|| Refusal::DataTime.into())
    }

    /// What was measured, by code.
    ///
    /// # Errors
    /// `FIELD_TWICE` when one value is given twice and differs.
    pub fn readings(&self) -> Result<BTreeMap<String, Reading>, Refused> {
        let mut readings: BTreeMap<String, Reading> = BTreeMap::new();
        for field in self.fields() {
            let Some((code, name)) = field.name().split_once('-') else { continue };
            let reading = readings.entry(code.to_owned()).or_default();
            let before = reading.insert(name.to_owned(), field.value().to_owned());
            if before.is_some_and(|before| before != field.value()) {
                return Err(Refusal::FieldTwice.into());
            }
        }
        Ok(readings)
    }
}

/// What became of a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joined {
    /// With it all is here.
    Whole(Message),
    /// Other parts are still to come.
    Waiting,
}

/// A split packet that is not whole.
#[derive(Debug)]
struct Pending {
    parts: Vec<Option<Packet>>,
    waited: u32,
}

impl Pending {
    /// Whether a packet is one of these parts.
    fn is_of(&self, packet: &Packet, of: usize) -> bool {
        let same = |p: &Packet| {
            (&p.qn, &p.mn, p.cn, p.st) == (&packet.qn, &packet.mn, packet.cn, packet.st)
        };
        self.parts.len() == of && self.parts.iter().flatten().next().is_some_and(same)
    }
}

/// Split packets of one stream that are not whole.
#[derive(Debug, Default)]
pub struct Joiner {
    pending: Vec<Pending>,
    given_up: u64,
}

impl Joiner {
    /// Takes a packet.
    ///
    /// # Errors
    /// `SPLIT_DIFFERS` when the same part came before and said something else; that one stays.
    pub fn take(&mut self, packet: Packet) -> Result<Joined, Refused> {
        self.age();
        let Some(part) = packet.part else {
            return Ok(Joined::Whole(Message { first: packet, rest: Vec::new() }));
        };
        let at = match self.pending.iter().position(|one| one.is_of(&packet, part.of)) {
            Some(at) => at,
            None => self.begin(part.of),
        };
        let Some(pending) = self.pending.get_mut(at) else { return Ok(Joined::Waiting) };
        let Some(slot) = pending.parts.get_mut(part.number.saturating_sub(1)) else {
            return Err(Refusal::Split.into());
        };
        match slot {
            Some(before) if !before.says_the_same(&packet) => {
                return Err(Refusal::SplitDiffers.into());
            }
            Some(_) => {}
            None => *slot = Some(packet),
        }
        if pending.parts.iter().any(Option::is_none) {
            return Ok(Joined::Waiting);
        }
        let mut parts = self.pending.remove(at).parts.into_iter().flatten();
        let first = parts.next().ok_or(Refusal::Split)?;
        Ok(Joined::Whole(Message { first, rest: parts.collect() }))
    }

    /// How many split packets were given up since this was asked last; each is one refusal.
    pub fn take_given_up(&mut self) -> u64 {
        std::mem::take(&mut self.given_up)
    }

    /// The stream has ended: what is not whole never will be.
    pub fn finish(&mut self) -> u64 {
        self.given_up += self.pending.len() as u64;
        self.pending.clear();
        self.take_given_up()
    }

    fn begin(&mut self, of: usize) -> usize {
        if self.pending.len() >= HJ212_PENDING_MAX {
            self.pending.remove(0);
            self.given_up += 1;
        }
        self.pending.push(Pending { parts: vec![None; of], waited: 0 });
        self.pending.len() - 1
    }

    fn age(&mut self) {
        let before = self.pending.len();
        self.pending.iter_mut().for_each(|one| one.waited += 1);
        self.pending.retain(|one| one.waited <= HJ212_PENDING_PACKETS_MAX);
        self.given_up += (before - self.pending.len()) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(qn: u32, of: usize, number: usize, body: &str) -> Packet {
        let text = format!(
            "QN=202611021000{qn:05};ST=32;CN=2061;PW=1;MN=A;Flag=7;PNUM={of};PNO={number};\
             CP=&&{body}&&"
        );
        Packet::parse(text.as_bytes()).unwrap()
    }

    fn whole(joined: Result<Joined, Refused>) -> Message {
        match joined {
            Ok(Joined::Whole(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn parts_are_joined_in_their_order_whenever_they_come() {
        let mut joiner = Joiner::default();
        let (one, two) = ("DataTime=20261102090000;w01018-Avg=1", "w01018-Flag=N;w21003-Avg=2");
        assert_eq!(joiner.take(part(1, 2, 2, two)), Ok(Joined::Waiting));
        assert_eq!(joiner.take(part(1, 2, 2, two)), Ok(Joined::Waiting), "sent again");
        let other = joiner.take(part(1, 2, 2, "w01018-Flag=D"));
        assert_eq!(other, Err(Refusal::SplitDiffers.into()));
        let message = whole(joiner.take(part(1, 2, 1, one)));
        assert_eq!(message.data_time().unwrap().digits(), "20261102090000");
        let readings = message.readings().unwrap();
        assert_eq!((readings["w01018"]["Avg"].as_str(), &*readings["w01018"]["Flag"]), ("1", "N"));
        assert_eq!(message.evidence().lines().count(), 2);
        assert!(message.evidence().find("PNO=1") < message.evidence().find("PNO=2"));
        assert_eq!((joiner.pending.len(), joiner.finish()), (0, 0));
    }

    #[test]
    fn parts_that_contradict_are_refused() {
        let join = |one, two| {
            let mut joiner = Joiner::default();
            joiner.take(part(1, 2, 1, one)).unwrap();
            whole(joiner.take(part(1, 2, 2, two)))
        };
        let times = join("DataTime=20261102090000", "DataTime=20261102100000");
        assert_eq!(times.data_time(), Err(Refusal::SplitDiffers.into()));
        assert_eq!(join("a=1", "b=1").data_time(), Err(Refusal::DataTime.into()));
        assert_eq!(join("w1-Avg=1", "w1-Avg=2").readings(), Err(Refusal::FieldTwice.into()));
    }

    #[test]
    fn what_does_not_come_is_given_up() {
        let mut joiner = Joiner::default();
        for qn in 0..=HJ212_PENDING_MAX {
            joiner.take(part(qn as u32, 2, 1, "a=1")).unwrap();
        }
        assert_eq!((joiner.pending.len(), joiner.take_given_up()), (HJ212_PENDING_MAX, 1));
        let single = "QN=20261102100000123;ST=32;CN=2011;MN=A;Flag=4;CP=&&&&";
        for _ in 0..=HJ212_PENDING_PACKETS_MAX {
            whole(joiner.take(Packet::parse(single.as_bytes()).unwrap()));
        }
        assert_eq!(joiner.take_given_up(), HJ212_PENDING_MAX as u64);
        joiner.take(part(1, 2, 1, "a=1")).unwrap();
        assert_eq!(joiner.finish(), 1);
    }
}
