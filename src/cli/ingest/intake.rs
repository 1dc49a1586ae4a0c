//! One stream of bytes: a file, standard input, or a device's connection.
//!
//! In scope: packets out of bytes, parts joined, answers in the order of the packets. Parts that a
//! device sends lie in the spool before they are answered; a file is there to be read again.
//! Out of scope: what is done with a message ([`super::desk`]).

use super::desk::{Desk, Taken};
use crate::cli::failure::{Exit, Failure};
use crate::hj212::{Found, Framer, Joined, Joiner, Packet, Refusal, acknowledgement};

/// Data that is answered with 9014: everything a device uploads (HJ 212-2017 table 5).
const UPLOADS: std::ops::RangeInclusive<u16> = 2_000..=2_999;

/// A stream and what of it is not whole yet.
#[derive(Debug, Default)]
pub struct Intake {
    framer: Framer,
    joiner: Joiner,
    garbage: u64,
    refused: u64,
    is_device: bool,
}

impl Intake {
    /// Of a device, which forgets what was answered.
    #[must_use]
    pub fn of_device() -> Self {
        Self { is_device: true, ..Self::default() }
    }

    /// Takes what was read; gives the bytes to answer with.
    ///
    /// # Errors
    /// [`Failure`] when the node cannot be reached and nothing could be kept: what follows was not
    /// taken, and the answers before it are in `answers`.
    pub async fn feed(
        &mut self,
        desk: &Desk,
        bytes: &[u8],
        answers: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let found = self.framer.feed(bytes);
        self.take(desk, found, answers).await
    }

    /// The stream has ended.
    ///
    /// # Errors
    /// As [`Intake::feed`].
    pub async fn finish(&mut self, desk: &Desk) -> Result<(), Failure> {
        let found = self.framer.finish();
        let taken = self.take(desk, found, &mut Vec::new()).await;
        for _ in 0..self.joiner.finish() {
            desk.report().refuse(0, Refusal::SplitIncomplete.into());
        }
        taken
    }

    /// Whether a packet has begun and is not whole.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        self.framer.has_begun()
    }

    /// Bytes between packets.
    #[must_use]
    pub const fn garbage_bytes(&self) -> u64 {
        self.garbage
    }

    /// Packets that were refused.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    async fn take(
        &mut self,
        desk: &Desk,
        found: Vec<Found>,
        answers: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let garbage = self.framer.garbage_bytes();
        desk.report().garbage(garbage - self.garbage);
        self.garbage = garbage;
        for Found { offset, packet } in found {
            match packet {
                Ok(packet) => self.packet(desk, offset, packet, answers).await?,
                Err(refused) => {
                    self.refused += 1;
                    desk.report().refuse(offset, refused);
                }
            }
        }
        Ok(())
    }

    async fn packet(
        &mut self,
        desk: &Desk,
        offset: u64,
        packet: Packet,
        answers: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let wanted = packet.flag.ack && UPLOADS.contains(&packet.cn);
        let answer = wanted.then(|| acknowledgement(&packet));
        let kept = if self.is_device { desk.join(&packet) } else { None };
        let joined = kept.unwrap_or_else(|| Ok(self.joiner.take(packet.clone())));
        for _ in 0..self.joiner.take_given_up() {
            desk.report().refuse(offset, Refusal::SplitIncomplete.into());
        }
        let taken = match joined {
            Err(failure) => Taken::Failed(failure),
            Ok(Ok(Joined::Waiting)) => Taken::Done,
            Ok(Ok(Joined::Whole(message))) => {
                let taken = desk.take(offset, &message).await;
                // Otherwise the last part comes again, and finds the others.
                if matches!(taken, Taken::Done) && self.is_device {
                    desk.drop_parts(&packet);
                }
                taken
            }
            Ok(Err(refused)) => {
                desk.report().refuse(offset, refused);
                Taken::Refused
            }
        };
        match taken {
            Taken::Done => {
                desk.report().packet();
                answers.extend(answer.into_iter().flatten());
                Ok(())
            }
            Taken::Refused => {
                self.refused += 1;
                Ok(())
            }
            Taken::Failed(failure) => {
                desk.report().packet();
                // A refusal of the node is about this clue; anything else is about all of them.
                if failure.exit == Exit::Refused { Ok(()) } else { Err(failure) }
            }
        }
    }
}
