//! Files as text: UTF-8 with or without a mark, or GB18030 (GBK is a part of it).
//!
//! In scope: which of both a file is, said in the file or proved by every byte of it; reading it
//! as UTF-8 piece by piece. Out of scope: what it says.
//!
//! A file is read twice, once to know and once to use it, so that a wrong byte at its end leaves
//! nothing half done.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use encoding_rs::{DecoderResult, GB18030, UTF_8};

use crate::cli::failure::Failure;
use crate::lang::Lang;
use crate::limits::IMPORT_BYTES_MAX;

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

/// A file read as UTF-8.
pub struct Text {
    file: File,
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
    /// Its size in bytes.
    pub bytes: u64,
}

/// Opens a file and finds out how it is written.
///
/// # Errors
/// [`Failure`] when it is no plain file, too large, a workbook, or no such text.
pub fn open(path: &Path, asked: Encoding, lang: Lang) -> Result<Text, Failure> {
    let shown = path.display();
    let unreadable = |error: io::Error| {
        Failure::local(lang.pick(
            format!("{shown}：无法读取（{error}）"),
            format!("{shown}: cannot be read ({error})"),
        ))
    };
    // Looked at before it is opened: opening a pipe would wait for somebody to write into it.
    let about = std::fs::metadata(path).map_err(unreadable)?;
    if !about.is_file() {
        return Err(Failure::local(
            lang.pick(format!("{shown}：不是普通文件"), format!("{shown}: is not a plain file")),
        ));
    }
    if about.len() > IMPORT_BYTES_MAX {
        return Err(Failure::local(lang.pick(
            format!("{shown}：{} 字节，上限 {IMPORT_BYTES_MAX}", about.len()),
            format!("{shown}: {} bytes, the limit is {IMPORT_BYTES_MAX}", about.len()),
        ))
        .advise(lang.pick("分成几个文件导入", "split it into several files")));
    }
    let mut file = File::open(path).map_err(unreadable)?;
    check_kind(&mut file, path, lang, &unreadable)?;
    let (encoding, in_doubt) = match asked {
        Encoding::Utf8 | Encoding::Gb18030 => {
            let bad = first_bad_byte(&mut file, asked).map_err(unreadable)?;
            bad.map_or(Ok(()), |at| Err(not_text(path, at, asked, lang)))?;
            (asked, false)
        }
        Encoding::Auto => match first_bad_byte(&mut file, Encoding::Utf8).map_err(unreadable)? {
            None => (Encoding::Utf8, false),
            Some(_) => {
                let bad = first_bad_byte(&mut file, Encoding::Gb18030).map_err(unreadable)?;
                bad.map_or(Ok(()), |at| Err(not_text(path, at, Encoding::Auto, lang)))?;
                (Encoding::Gb18030, true)
            }
        },
    };
    file.rewind().map_err(unreadable)?;
    Ok(Text {
        file,
        decoder: encoding.decoder(),
        raw: vec![0; CHUNK],
        ready: Vec::new(),
        at: 0,
        ended: false,
        done: 0,
        encoding,
        in_doubt,
        bytes: about.len(),
    })
}

/// Workbooks and UTF-16 are told by how they begin.
fn check_kind(
    file: &mut File,
    path: &Path,
    lang: Lang,
    unreadable: &dyn Fn(io::Error) -> Failure,
) -> Result<(), Failure> {
    let mut begin = Vec::new();
    file.by_ref().take(4).read_to_end(&mut begin).map_err(unreadable)?;
    let kind = match begin.as_slice() {
        [b'P', b'K', ..] | [0xd0, 0xcf, 0x11, 0xe0] => {
            lang.pick("是 Excel/WPS 工作簿", "is a workbook of Excel or WPS")
        }
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => lang.pick("是 UTF-16 文本", "is UTF-16"),
        _ => return Ok(()),
    };
    let shown = path.display();
    let what = lang.pick(format!("{shown}：{kind}，不是 CSV"), format!("{shown}: {kind}, not CSV"));
    Err(Failure::local(what).advise(lang.pick(
        "在表格软件中另存为“CSV UTF-8（逗号分隔）”",
        "save it from the spreadsheet as \"CSV UTF-8 (comma delimited)\"",
    )))
}

fn not_text(path: &Path, at: u64, asked: Encoding, lang: Lang) -> Failure {
    let (shown, name) = (path.display(), asked.name());
    let what = match asked {
        Encoding::Auto => lang.pick(
            format!("{shown}：既不是 UTF-8 也不是 GB18030（第 {at} 字节起不成文字）"),
            format!("{shown}: is neither UTF-8 nor GB18030 (byte {at} begins no character)"),
        ),
        Encoding::Utf8 | Encoding::Gb18030 => lang.pick(
            format!("{shown}：不是 {name}（第 {at} 字节起不成文字）"),
            format!("{shown}: is not {name} (byte {at} begins no character)"),
        ),
    };
    Failure::local(what).advise(lang.pick(
        "在表格软件中另存为“CSV UTF-8（逗号分隔）”",
        "save it from the spreadsheet as \"CSV UTF-8 (comma delimited)\"",
    ))
}

/// Where, counted from 0, the first byte lies that is no character; `None` when all are.
fn first_bad_byte(file: &mut File, encoding: Encoding) -> io::Result<Option<u64>> {
    file.rewind()?;
    let mut decoder = encoding.decoder();
    let (mut raw, mut out) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut done: u64 = 0;
    loop {
        let got = file.read(&mut raw)?;
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

impl Text {
    /// Bytes of the file read so far.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.done
    }
}

impl Read for Text {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at >= self.ready.len() && !self.ended {
            let got = self.file.read(&mut self.raw)?;
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

    fn read(bytes: &[u8], asked: Encoding) -> Result<(String, Encoding, bool), Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, bytes).unwrap();
        let mut text = open(&path, asked, Lang::En)?;
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
        let folder = tempfile::tempdir().unwrap();
        assert!(open(folder.path(), Encoding::Auto, Lang::En).is_err());
    }
}
