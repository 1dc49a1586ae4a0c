//! Sheets as text: UTF-8 with or without a mark, or GB18030 (GBK is a part of it).
//!
//! In scope: which of both a sheet is, said by somebody or proved by every byte of it; reading it
//! as UTF-8 piece by piece. Out of scope: where it lies, what it says.
//!
//! A sheet is read twice, once to know and once to use it, so that a wrong byte at its end leaves
//! nothing half done.

use std::io::{self, Read, Seek};

use encoding_rs::{DecoderResult, GB18030, UTF_8};

use super::{unread, unusable};
use crate::lang::Lang;
use crate::shown::table::Wrong;

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;

/// How a file is written.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Told from its bytes.
    Auto,
    /// UTF-8.
    #[value(name = "utf-8")]
    Utf8,
    /// GB18030, GBK, GB2312.
    Gb18030,
}

impl Encoding {
    /// For people and programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Utf8 => "UTF-8",
            Self::Gb18030 => "GB18030",
        }
    }

    fn decoder(self) -> encoding_rs::Decoder {
        match self {
            Self::Auto | Self::Utf8 => UTF_8.new_decoder_with_bom_removal(),
            Self::Gb18030 => GB18030.new_decoder_without_bom_handling(),
        }
    }
}

/// A sheet read as UTF-8.
pub struct Text<R> {
    source: R,
    decoder: encoding_rs::Decoder,
    raw: Vec<u8>,
    ready: Vec<u8>,
    at: usize,
    ended: bool,
    done: u64,
    /// How it is written.
    pub encoding: Encoding,
    /// Nobody said so and the bytes do not prove it: a reader must find Chinese words it knows.
    pub in_doubt: bool,
}

/// Finds out how a sheet is written.
///
/// # Errors
/// [`Wrong`] when it cannot be read, is a workbook, or no such text.
pub fn open<R: Read + Seek>(mut source: R, asked: Encoding, lang: Lang) -> Result<Text<R>, Wrong> {
    let unread = |error: io::Error| unread(&error, lang);
    check_kind(&mut source, lang)?;
    let mut bad = |encoding| first_bad_byte(&mut source, encoding).map_err(unread);
    let (encoding, in_doubt) = match asked {
        Encoding::Utf8 | Encoding::Gb18030 => {
            bad(asked)?.map_or(Ok(()), |at| Err(not_text(at, asked, lang)))?;
            (asked, false)
        }
        Encoding::Auto if bad(Encoding::Utf8)?.is_none() => (Encoding::Utf8, false),
        Encoding::Auto => {
            bad(Encoding::Gb18030)?.map_or(Ok(()), |at| Err(not_text(at, asked, lang)))?;
            (Encoding::Gb18030, true)
        }
    };
    source.rewind().map_err(unread)?;
    Ok(Text {
        source,
        decoder: encoding.decoder(),
        raw: vec![0; CHUNK],
        ready: Vec::new(),
        at: 0,
        ended: false,
        done: 0,
        encoding,
        in_doubt,
    })
}

/// Workbooks and UTF-16 are told by how they begin.
fn check_kind(source: &mut (impl Read + Seek), lang: Lang) -> Result<(), Wrong> {
    let mut begin = Vec::new();
    source.take(4).read_to_end(&mut begin).map_err(|error| unread(&error, lang))?;
    let kind = match begin.as_slice() {
        [b'P', b'K', ..] | [0xd0, 0xcf, 0x11, 0xe0] => {
            lang.pick("是 Excel/WPS 工作簿", "is a workbook of Excel or WPS")
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => lang.pick("是 UTF-16 文本", "is UTF-16"),
        _ => return Ok(()),
    };
    let what = lang.pick(format!("{kind}，不是 CSV"), format!("{kind}, not CSV"));
    Err(unusable(what, save_as(lang)))
}

fn save_as(lang: Lang) -> &'static str {
    lang.pick(
        "在表格软件中另存为“CSV UTF-8（逗号分隔）”",
        "save it from the spreadsheet as \"CSV UTF-8 (comma delimited)\"",
    )
}

fn not_text(at: u64, asked: Encoding, lang: Lang) -> Wrong {
    let name = asked.name();
    let what = match asked {
        Encoding::Auto => lang.pick(
            format!("既不是 UTF-8 也不是 GB18030（第 {at} 字节起不成文字）"),
            format!("is neither UTF-8 nor GB18030 (byte {at} begins no character)"),
        ),
        Encoding::Utf8 | Encoding::Gb18030 => lang.pick(
            format!("不是 {name}（第 {at} 字节起不成文字）"),
            format!("is not {name} (byte {at} begins no character)"),
        ),
    };
    unusable(what, save_as(lang))
}

/// Where, counted from 0, the first byte lies that is no character; `None` when all are.
fn first_bad_byte<R: Read + Seek>(source: &mut R, encoding: Encoding) -> io::Result<Option<u64>> {
    source.rewind()?;
    let mut decoder = encoding.decoder();
    let (mut raw, mut out) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut done: u64 = 0;
    loop {
        let got = source.read(&mut raw)?;
        let mut rest = raw.get(..got).unwrap_or_default();
        loop {
            let (result, read, _) =
                decoder.decode_to_utf8_without_replacement(rest, &mut out, got == 0);
            rest = rest.get(read..).unwrap_or_default();
            done += read as u64;
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(length, after) => {
                    return Ok(Some(done.saturating_sub(u64::from(length) + u64::from(after))));
                }
            }
        }
        if got == 0 {
            return Ok(None);
        }
    }
}

impl<R> Text<R> {
    /// Bytes of the sheet read so far.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.done
    }
}

impl<R: Read> Read for Text<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.ready.len() && !self.ended {
            let got = self.source.read(&mut self.raw)?;
            (self.ended, self.done) = (got == 0, self.done + got as u64);
            let rest = self.raw.get(..got).unwrap_or_default();
            let room = self.decoder.max_utf8_buffer_length_without_replacement(got);
            self.ready.resize(room.unwrap_or(4 * CHUNK), 0);
            let (result, _, written) =
                self.decoder.decode_to_utf8_without_replacement(rest, &mut self.ready, self.ended);
            if result != DecoderResult::InputEmpty {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "changed while it was read",
                ));
            }
            self.ready.truncate(written);
            self.at = 0;
        }
        let ready = self.ready.get(self.at..).unwrap_or_default();
        let count = ready.len().min(out.len());
        if let (Some(out), Some(ready)) = (out.get_mut(..count), ready.get(..count)) {
            out.copy_from_slice(ready);
        }
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], asked: Encoding) -> Result<(String, Encoding, bool), Wrong> {
        let mut text = open(io::Cursor::new(bytes), asked, Lang::En)?;
        let mut out = String::new();
        text.read_to_string(&mut out).unwrap();
        Ok((out, text.encoding, text.in_doubt))
    }

    #[test]
    fn both_encodings_are_told_apart() {
        let text = "案由,线索来源\r\n".repeat(20_000) + "示例㐀𠀀";
        let (gb, _, _) = GB18030.encode(&text);
        assert_eq!(read(&gb, Encoding::Auto).unwrap(), (text.clone(), Encoding::Gb18030, true));
        assert!(!read(&gb, Encoding::Gb18030).unwrap().2);
        let want = (text.clone(), Encoding::Utf8, false);
        assert_eq!(read(text.as_bytes(), Encoding::Auto).unwrap(), want);
        let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        assert_eq!(read(&marked, Encoding::Utf8).unwrap(), want);
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_place() {
        let refused = |bytes: &[u8], asked| read(bytes, asked).unwrap_err().what;
        assert!(refused(b"ab\xff", Encoding::Auto).contains("byte 2"));
        let late = ["好".repeat(30_000).as_bytes(), b"\xc3"].concat();
        assert!(refused(&late, Encoding::Utf8).contains("byte 90000"), "cut in a character");
        assert!(refused(b"PK\x03\x04", Encoding::Auto).contains("workbook"));
        assert!(refused(b"\xff\xfea\0", Encoding::Auto).contains("UTF-16"));
    }
}
