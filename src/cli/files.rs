//! Files an operator handles: notes, keys, the inbox of a node.
//!
//! In scope: reading, writing without ever overwriting, handing a note to a node whether it runs
//! or not. Out of scope: what stands in the files.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::failure::Failure;
use crate::config::Config;
use crate::lang::Lang;
use crate::limits;
use crate::log::SigningKey;
use crate::trust::keys;

/// A running node looks into its inbox several times a second; whoever waits longer than this
/// waits for a node that is not running.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);

/// The configuration of a node, with a failure in the reader's language.
///
/// # Errors
/// [`Failure`] naming file, setting and what to do.
pub fn config(path: &Path, lang: Lang) -> Result<Config, Failure> {
    Config::load(path).map_err(|e| Failure::local(e.text(lang)))
}

/// Reads a file of at most [`limits::NOTE_BYTES_MAX`] bytes.
///
/// # Errors
/// [`Failure`] when it cannot be read, or is too large to be what was meant.
pub fn read(path: &Path, lang: Lang) -> Result<Vec<u8>, Failure> {
    read_up_to(path, limits::NOTE_BYTES_MAX, lang)
}

/// Reads a text that people have written, without the mark that editors on Windows begin it with.
///
/// # Errors
/// [`Failure`] when it cannot be read, is longer than `most` bytes, or is not UTF-8.
pub fn read_text(path: &Path, most: usize, lang: Lang) -> Result<String, Failure> {
    let bytes = read_up_to(path, most, lang)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes).to_vec();
    let shown = path.display();
    String::from_utf8(bytes).map_err(|_| {
        Failure::local(
            lang.pick(format!("{shown}：不是 UTF-8 编码"), format!("{shown}: is not UTF-8")),
        )
        .advise(lang.pick("用编辑器另存为 UTF-8 编码后重试", "save it as UTF-8 and try again"))
    })
}

fn read_up_to(path: &Path, most: usize, lang: Lang) -> Result<Vec<u8>, Failure> {
    let shown = path.display();
    let mut bytes = Vec::new();
    // No file says beforehand how long it is: a pipe does not know, and others grow.
    let over = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let read = File::open(path).and_then(|file| file.take(over).read_to_end(&mut bytes));
    read.map_err(|error| {
        Failure::local(lang.pick(
            format!("{shown}：无法读取（{error}）"),
            format!("{shown}: cannot be read ({error})"),
        ))
        .advise(lang.pick("检查路径和读取权限", "check path and permissions"))
    })?;
    if bytes.len() > most {
        let kib = most / 1024;
        return Err(Failure::local(lang.pick(
            format!("{shown}：超过 {kib} KiB，不是所需的文件"),
            format!("{shown}: over {kib} KiB, not the file wanted"),
        )));
    }
    Ok(bytes)
}

/// Writes a file that must not exist yet; its folder is made.
///
/// # Errors
/// [`Failure`]; a file that is there is left as it is.
pub fn write_new(path: &Path, bytes: &[u8], lang: Lang) -> Result<(), Failure> {
    make_folder(path, lang)?;
    let write = || {
        let mut file = File::options().write(true).create_new(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|error| not_written(path, &error, lang))
}

/// Writes a secret that only its owner can read; it must not exist yet.
///
/// # Errors
/// [`Failure`]; a file that is there is left as it is.
pub fn write_secret(path: &Path, bytes: &[u8], lang: Lang) -> Result<(), Failure> {
    make_folder(path, lang)?;
    keys::write_secret(path, bytes).map_err(|error| match error {
        keys::KeyFileError::Io { source, .. } => not_written(path, &source, lang),
        keys::KeyFileError::Open { .. }
        | keys::KeyFileError::Form { .. }
        | keys::KeyFileError::Key { .. } => Failure::local(error.to_string()),
    })
}

/// Makes the folder a file is to lie in.
///
/// # Errors
/// [`Failure`] when the system says no.
pub fn make_folder(path: &Path, lang: Lang) -> Result<(), Failure> {
    match path.parent().filter(|p| !p.as_os_str().is_empty()) {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(|error| not_written(folder, &error, lang))
        }
        None => Ok(()),
    }
}

/// Why a file was not written.
#[must_use]
pub fn not_written(path: &Path, error: &io::Error, lang: Lang) -> Failure {
    let shown = path.display();
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Failure::local(lang.pick(
            format!("{shown} 已存在，未改动"),
            format!("{shown} is there already and was left as it is"),
        ))
        .advise(lang.pick(
            "另选文件名；确实不要旧文件时，先自行移走",
            "choose another name; move the old file away if it is really not needed",
        ));
    }
    Failure::local(lang.pick(
        format!("{shown}：无法写入（{error}）"),
        format!("{shown}: cannot be written ({error})"),
    ))
    .advise(lang.pick("检查路径、权限和磁盘空间", "check path, permissions and free space"))
}

/// Loads a city key.
///
/// # Errors
/// [`Failure`] naming what is wrong with the file.
pub fn city_key(path: &Path, lang: Lang) -> Result<SigningKey, Failure> {
    keys::load(path).map_err(|error| {
        let shown = path.display();
        let (what, todo) = match error {
            keys::KeyFileError::Io { source, .. } => (
                lang.pick(
                    format!("{shown}：无法读取城市密钥（{source}）"),
                    format!("{shown}: the city key cannot be read ({source})"),
                ),
                lang.pick(
                    "用 --city-key 指明文件；第一次使用先执行 liandong pki city-key",
                    "name the file with --city-key; liandong pki city-key makes the first one",
                ),
            ),
            keys::KeyFileError::Open { .. } => (
                lang.pick(
                    format!("{shown}：其他用户也能读取城市密钥"),
                    format!("{shown}: others can read the city key"),
                ),
                lang.pick("执行 chmod 600 后重试", "run chmod 600 on it and try again"),
            ),
            keys::KeyFileError::Form { .. } | keys::KeyFileError::Key { .. } => (
                lang.pick(
                    format!("{shown}：不是 Ed25519 城市密钥（PKCS#8 PEM）"),
                    format!("{shown}: is not an Ed25519 city key in PKCS#8 PEM"),
                ),
                lang.pick("检查是否选错文件", "check the file name"),
            ),
        };
        Failure::local(what).advise(todo)
    })
}

/// What became of a note put into a node's inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The running node has taken it.
    Taken,
    /// It lies there until the node starts.
    Waiting,
}

impl Delivery {
    /// For programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Waiting => "waiting",
        }
    }

    /// For people.
    #[must_use]
    pub fn text(self, lang: Lang) -> &'static str {
        match self {
            Self::Taken => lang.pick("节点已采用", "the node has taken it"),
            Self::Waiting => {
                lang.pick("节点启动后自动采用", "the node takes it when it starts next")
            }
        }
    }
}

/// The folder a node takes notes from.
#[must_use]
pub fn inbox(config: &Config) -> PathBuf {
    config.data_dir.join("inbox")
}

/// Puts a note into a node's inbox, whole or not at all.
///
/// # Errors
/// [`Failure`] when it cannot be written.
pub fn put_in_inbox(
    config: &Config,
    name: &str,
    note: &[u8],
    lang: Lang,
) -> Result<PathBuf, Failure> {
    let path = inbox(config).join(name);
    // Written beside the inbox and moved in, so that the node never reads half of it.
    let draft = config.data_dir.join(format!(".{name}.{}", std::process::id()));
    make_folder(&path, lang)?;
    write_new(&draft, note, lang)?;
    std::fs::rename(&draft, &path).map_err(|error| not_written(&path, &error, lang))?;
    Ok(path)
}

/// Waits until a running node has taken or refused what was put into its inbox.
///
/// # Errors
/// [`Failure`] with the node's reason when it has refused it.
pub async fn await_inbox(path: &Path, running: bool, lang: Lang) -> Result<Delivery, Failure> {
    let begun = Instant::now();
    while running && path.exists() && begun.elapsed() < TAKEN_WITHIN {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    if path.exists() {
        return Ok(Delivery::Waiting);
    }
    let name = path.file_name().map(PathBuf::from).unwrap_or_default();
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    if folder.join("done").join(&name).exists() {
        return Ok(Delivery::Taken);
    }
    let why = std::fs::read_to_string(folder.join("refused").join(name.with_extension("why")));
    let why = why.unwrap_or_default();
    Err(Failure::new(
        super::failure::Exit::Refused,
        "NOTE_REFUSED",
        lang.pick("节点没有采用该文件", "the node has refused the file"),
    )
    .detail(super::table::clean(why.trim()))
    .advise(
        lang.pick(
            "按上面的原因处理后重新提交",
            "put right what it says above and hand it in again",
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.note");
        write_new(&path, b"one", Lang::Zh).unwrap();
        let failure = write_new(&path, b"two", Lang::Zh).unwrap_err();
        assert!(failure.what.contains("已存在"), "{failure:?}");
        assert!(write_secret(&path, b"two", Lang::En).is_err());
        assert_eq!(read(&path, Lang::Zh).unwrap(), b"one");
    }

    #[test]
    fn texts_are_utf_8_and_not_too_long() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("draft.toml");
        std::fs::write(&path, b"\xef\xbb\xbf\xe8\x81\x8a").unwrap();
        assert_eq!(read_text(&path, 6, Lang::Zh).unwrap(), "聊");
        let failure = read_text(&path, 5, Lang::Zh).unwrap_err();
        assert!(failure.what.contains("超过"), "{failure:?}");
        // As GBK has it, which older editors save.
        std::fs::write(&path, b"\xc1\xc4").unwrap();
        let failure = read_text(&path, 6, Lang::Zh).unwrap_err();
        assert!(failure.what.contains("UTF-8"), "{failure:?}");
    }
}
