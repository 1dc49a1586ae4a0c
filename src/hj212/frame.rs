//! Packets out of a stream of bytes: `##`, four digits of length, segment, four digits of CRC,
//! CR LF (HJ 212-2017 6.2).
//!
//! In scope: packets over several reads and several in one, bytes between packets, finding the next
//! packet after a wrong one, and packets that are sent. Out of scope: what a segment says.
//!
//! Invariants:
//! 1. However the bytes are cut into reads, the same packets come out.
//!    (`however_the_bytes_are_cut_the_same_comes_out`)
//! 2. Between two reads at most one packet is kept. (`the_buffer_is_bounded`)
//! 3. After a wrong packet the next right one is found. (`a_wrong_packet_hides_no_other`)

use std::fmt;

use super::crc::crc16;
use super::packet::Packet;
use super::refused::{Refusal, Refused};
use crate::limits::HJ212_SEGMENT_BYTES_MAX;

/// `##` and the length.
const HEAD_BYTES: usize = 6;
/// The CRC in hexadecimal. CR LF is not waited for: a device that waits for an answer sends nothing
/// more, and files often end their lines with LF alone.
const CRC_BYTES: usize = 4;

/// Bytes of a stream that are not yet a packet.
#[derive(Default)]
pub struct Framer {
    kept: Vec<u8>,
    offset: u64,
    garbage: u64,
}

/// A packet, or what was wrong with one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where its `##` stands, in bytes from the beginning of the stream.
    pub offset: u64,
    /// The packet.
    pub packet: Result<Packet, Refused>,
}

/// What stands at the beginning of some bytes.
struct Step {
    bytes: usize,
    packet: Option<Result<Packet, Refused>>,
}

impl Framer {
    /// Takes what was read and gives the packets that are whole now.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Found> {
        self.kept.extend_from_slice(bytes);
        self.take(false)
    }

    /// The stream has ended: what is kept is a packet that was cut off, and what it has swallowed.
    pub fn finish(&mut self) -> Vec<Found> {
        self.take(true)
    }

    /// Whether a packet has begun and is not whole.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        !self.kept.is_empty()
    }

    /// Bytes between packets so far, line ends not counted.
    #[must_use]
    pub const fn garbage_bytes(&self) -> u64 {
        self.garbage
    }

    fn take(&mut self, ended: bool) -> Vec<Found> {
        let kept = std::mem::take(&mut self.kept);
        let (mut rest, mut found) = (kept.as_slice(), Vec::new());
        while let Some(step) = next(rest, ended) {
            let (taken, behind) = rest.split_at_checked(step.bytes).unwrap_or((rest, &[]));
            match step.packet {
                Some(packet) => found.push(Found { offset: self.offset, packet }),
                None => {
                    let line_ends = taken.iter().filter(|b| matches!(b, b'\r' | b'\n')).count();
                    self.garbage += (taken.len() - line_ends) as u64;
                }
            }
            self.offset += taken.len() as u64;
            rest = behind;
        }
        self.kept = rest.to_vec();
        found
    }
}

/// Says how much is kept, and not what: there may be a password in it.
impl fmt::Debug for Framer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Framer({} bytes kept at {})", self.kept.len(), self.offset)
    }
}

/// What the bytes begin with; `None` when more are needed to tell.
fn next(rest: &[u8], ended: bool) -> Option<Step> {
    let refuse = |refused: Refused| Some(Step { bytes: 2, packet: Some(Err(refused)) });
    let wait = || if ended { refuse(Refusal::Truncated.into()) } else { None };
    let behind = match rest {
        [] => return None,
        [b'#', b'#', b'#', ..] => return Some(Step { bytes: 1, packet: None }),
        [b'#', b'#', behind @ ..] => behind,
        [b'#'] if !ended => return None,
        [_, others @ ..] => {
            let bytes = 1 + others.iter().take_while(|b| **b != b'#').count();
            return Some(Step { bytes, packet: None });
        }
    };
    let Some((digits, behind)) = behind.split_first_chunk::<4>() else { return wait() };
    let Some(length) = decimal(digits) else { return refuse(Refusal::Length.into()) };
    if length > HJ212_SEGMENT_BYTES_MAX {
        return refuse(Refused::over(Refusal::TooLong, HJ212_SEGMENT_BYTES_MAX));
    }
    let Some((segment, behind)) = behind.split_at_checked(length) else { return wait() };
    let Some((crc, _)) = behind.split_first_chunk::<CRC_BYTES>() else { return wait() };
    // The standard writes capitals; devices in the field write both, and it is the same number.
    if hexadecimal(*crc) != Some(crc16(segment)) {
        return refuse(Refusal::Crc.into());
    }
    Some(Step { bytes: HEAD_BYTES + length + CRC_BYTES, packet: Some(Packet::parse(segment)) })
}

fn decimal(digits: &[u8; 4]) -> Option<usize> {
    let all = digits.iter().all(u8::is_ascii_digit);
    all.then(|| digits.iter().fold(0, |sum, digit| sum * 10 + usize::from(*digit - b'0')))
}

fn hexadecimal(digits: [u8; 4]) -> Option<u16> {
    let mut number = 0_u16;
    for digit in digits {
        let value = char::from(digit).to_digit(16)?;
        number = number << 4 | u16::try_from(value).ok()?;
    }
    Some(number)
}

/// A segment of at most [`HJ212_SEGMENT_BYTES_MAX`] bytes as it goes over the wire.
#[must_use]
pub fn wrap(segment: &str) -> Vec<u8> {
    let crc = crc16(segment.as_bytes());
    format!("##{:04}{segment}{crc:04X}\r\n", segment.len()).into_bytes()
}

/// The answer to a packet of data (CN 9014, 数据应答), with its QN and station.
///
/// It has no `PW`, which is not kept; a device that insists on one sends its packet again, and the
/// clue is drafted once all the same.
#[must_use]
pub fn acknowledgement(packet: &Packet) -> Vec<u8> {
    let Packet { qn, mn, flag, .. } = packet;
    let flag = u32::from(flag.version) << 2;
    wrap(&format!("QN={qn};ST=91;CN=9014;MN={mn};Flag={flag};CP=&&&&"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hj212::samples::{AIR, WATER};
    use proptest::prelude::*;

    fn read(stream: &[u8]) -> Vec<Result<Packet, Refused>> {
        let mut framer = Framer::default();
        let found = [framer.feed(stream), framer.finish()].concat();
        found.into_iter().map(|found| found.packet).collect()
    }

    fn refusals(stream: &[u8]) -> Vec<Refusal> {
        read(stream).into_iter().filter_map(|one| Some(one.err()?.reason)).collect()
    }

    #[test]
    fn the_samples_are_read_in_both_cases_of_their_crc() {
        for line in [WATER, AIR] {
            assert_eq!(read(line.as_bytes()).len(), 1);
            let (packet, crc) = line.split_at(line.len() - 4);
            let lower = format!("{packet}{}\n", crc.to_ascii_lowercase());
            assert_eq!(read(lower.as_bytes()), read(line.as_bytes()));
            assert!(read(lower.as_bytes()).iter().all(Result::is_ok));
        }
    }

    #[test]
    fn a_wrong_packet_hides_no_other() {
        let good = format!("{WATER}\r\n");
        let flipped = good.replace("83.2", "83.3");
        let longer = good.replacen("##0296", "##1020", 1);
        let shorter = good.replacen("##0296", "##0010", 1);
        let rows: [(&str, &[Refusal]); 8] = [
            (&flipped, &[Refusal::Crc]),
            (&longer, &[Refusal::Crc]),
            (&shorter, &[Refusal::Crc]),
            ("##12x4", &[Refusal::Length]),
            ("##1025", &[Refusal::TooLong]),
            ("garbage # # #1 \r\n", &[]),
            ("########", &[]),
            (good.split_at(100).0, &[Refusal::Crc]),
        ];
        for (bad, want) in rows {
            let stream = format!("{bad}{good}{AIR}{good}{good}{good}{good}");
            let all = read(stream.as_bytes());
            let found = all.iter().filter(|one| one.is_ok()).count();
            assert_eq!((found, refusals(stream.as_bytes()).as_slice()), (6, want), "{bad}");
        }
        assert_eq!(refusals(&good.as_bytes()[..50]), [Refusal::Truncated]);
        assert_eq!(refusals(b"##00"), [Refusal::Truncated]);
        // A length that swallows what follows, at the end of the stream.
        let stream = format!("##1000{good}");
        assert_eq!(read(stream.as_bytes()).iter().filter(|one| one.is_ok()).count(), 1);
    }

    #[test]
    fn the_buffer_is_bounded() {
        let mut framer = Framer::default();
        let noise: Vec<u8> = (0..30_000).map(|at| b"##0999 xyz# "[at % 12]).collect();
        for piece in noise.chunks(700) {
            framer.feed(piece);
            assert!(framer.kept.len() < HEAD_BYTES + HJ212_SEGMENT_BYTES_MAX + CRC_BYTES);
        }
        assert!(framer.garbage_bytes() > 0 && framer.has_begun());
        assert!(!format!("{framer:?}").contains('#'));
    }

    #[test]
    fn an_answer_is_a_packet_of_its_own() {
        let packet = read(AIR.as_bytes()).remove(0).unwrap();
        let answer = read(&acknowledgement(&packet)).remove(0).unwrap();
        assert_eq!((answer.cn, answer.st, &answer.qn), (9014, 91, &packet.qn));
        assert_eq!((answer.flag.version, answer.flag.ack), (1, false));
    }

    #[test]
    fn text_in_gbk_is_refused_with_the_reason() {
        let mut segment = b"QN=20261102100000123;ST=32;CN=2061;MN=A;Flag=5;CP=&&Name=".to_vec();
        segment.extend_from_slice(&[0xc1, 0xc4, 0xb3, 0xc7]); // 聊城 in GBK.
        segment.extend_from_slice(b"&&");
        let mut stream = format!("##{:04}", segment.len()).into_bytes();
        stream.extend_from_slice(&segment);
        stream.extend_from_slice(format!("{:04X}", crc16(&segment)).as_bytes());
        assert_eq!(refusals(&stream), [Refusal::NotAscii]);
    }

    proptest! {
        #[test]
        fn however_the_bytes_are_cut_the_same_comes_out(
            pieces in proptest::collection::vec(0..8_usize, 1..6),
            cut in 1..400_usize,
            flip in 0..900_usize,
        ) {
            let parts = [WATER, AIR, "\r\n", "##", "##9", "x#", "##0004abcd1234", "##1024"];
            let mut stream: Vec<u8> = pieces.iter().flat_map(|at| parts[*at].bytes()).collect();
            if let Some(byte) = stream.get_mut(flip) {
                *byte ^= 1;
            }
            let mut framer = Framer::default();
            let whole = [framer.feed(&stream), framer.finish()].concat();
            let mut framer = Framer::default();
            let mut found: Vec<_> = stream.chunks(cut).flat_map(|c| framer.feed(c)).collect();
            found.extend(framer.finish());
            prop_assert_eq!(found, whole);
        }
    }
}
