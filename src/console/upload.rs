//! Forms with a file.
//!
//! In scope: reading them within their limits; what was typed is kept, whatever becomes of the
//! file. Out of scope: what the file is for.
//!
//! A form takes its place before the first byte of it is read: a part whose head never ends fills
//! memory as well as a file does. So a form that finds no place in time is not read at all.

use std::time::Duration;

use axum::extract::Multipart;
use axum::extract::multipart::Field;
use bytes::{Bytes, BytesMut};
use tokio::sync::{Semaphore, SemaphorePermit};

use super::form::Form;
use super::layout::Desk;
use super::refusal::Refusal;
use crate::limits::CONSOLE_FIELD_BYTES;

/// How long such a form may take to come: 32 MiB over a slow line.
const WITHIN: Duration = Duration::from_secs(180);

/// How long a form waits for its place: what was typed is lost when there is none.
const PLACE_WITHIN: Duration = Duration::from_secs(5);

/// How much a form may hold, and how many such forms are in memory at a time.
#[derive(Debug)]
pub struct Room {
    /// Bytes of all its fields.
    pub fields: usize,
    /// Bytes of its file.
    pub file: usize,
    /// Places for forms of this kind.
    pub places: Semaphore,
}

/// A form with a file.
pub struct Upload {
    /// What was typed.
    pub form: Form,
    /// The file, if one was chosen, or why it was not taken.
    pub file: Result<Option<Sent>, Refusal>,
    /// Its place in memory, kept until the form is done with.
    pub place: Option<SemaphorePermit<'static>>,
}

/// A file as the browser sent it.
pub struct Sent {
    /// What it is called there.
    pub name: String,
    /// Its type, as the browser says.
    pub mime: String,
    /// What is in it.
    pub bytes: Bytes,
}

/// Why a form was not read to its end.
enum Why {
    /// Others send such forms just now.
    Busy,
    /// A field holds too much.
    TooLong(String),
    /// The rest did not come.
    Cut,
}

/// Reads a form whose file is called `file`.
pub async fn read(mut multipart: Multipart, room: &'static Room, desk: &Desk) -> Upload {
    let (mut fields, mut file) = (Vec::new(), None);
    let place = tokio::time::timeout(PLACE_WITHIN, room.places.acquire()).await;
    let place = place.ok().and_then(Result::ok);
    let read = if place.is_some() {
        let whole = all(&mut multipart, room, &mut fields, &mut file);
        tokio::time::timeout(WITHIN, whole).await.unwrap_or(Err(Why::Cut))
    } else {
        Err(Why::Busy)
    };
    let file = read.map(|()| file).map_err(|why| refusal(&why, room, desk));
    Upload { form: Form::of(fields), file, place }
}

async fn all(
    multipart: &mut Multipart,
    room: &Room,
    fields: &mut Vec<(String, String)>,
    file: &mut Option<Sent>,
) -> Result<(), Why> {
    let mut left = room.fields;
    while let Some(mut field) = multipart.next_field().await.map_err(|_| Why::Cut)? {
        let key = field.name().unwrap_or_default().to_owned();
        let head = key.len().saturating_add(CONSOLE_FIELD_BYTES);
        left = left.checked_sub(head).ok_or_else(|| Why::TooLong(String::new()))?;
        let first = field.chunk().await.map_err(|_| Why::Cut)?;
        if key != "file" {
            let first = first.unwrap_or_default();
            let text = rest(first, &mut field, left).await?.ok_or(Why::TooLong(key.clone()))?;
            left = left.saturating_sub(text.len());
            fields.push((key, String::from_utf8_lossy(&text).into_owned()));
        } else if let Some(first) = first {
            let name = field.file_name().unwrap_or_default().to_owned();
            let mime = field.content_type().unwrap_or("application/octet-stream").to_owned();
            let bytes = rest(first, &mut field, room.file).await?.ok_or(Why::TooLong(key))?;
            *file = Some(Sent { name, mime, bytes }).filter(|file| !file.bytes.is_empty());
        }
    }
    Ok(())
}

/// What a field holds; none when that is more than it may.
async fn rest(first: Bytes, field: &mut Field<'_>, most: usize) -> Result<Option<Bytes>, Why> {
    let mut all = BytesMut::from(first);
    while all.len() <= most {
        match field.chunk().await.map_err(|_| Why::Cut)? {
            Some(chunk) => all.extend_from_slice(&chunk),
            None => return Ok(Some(all.freeze())),
        }
    }
    Ok(None)
}

fn refusal(why: &Why, room: &Room, desk: &Desk) -> Refusal {
    let lang = desk.lang();
    match why {
        Why::Busy => {
            let refusal = Refusal::of(&desk.refuse("BUSY"), lang).about(&[("BUSY", "file")]);
            let advice = lang.pick(
                "这次提交没有收下，填写的内容也未保存；稍候重新填写、选择文件再提交",
                "nothing of it was taken, nor is what was typed kept; send it anew in a moment",
            );
            Refusal { advice: advice.to_owned(), ..refusal }
        }
        Why::TooLong(field) if field == "file" => {
            let most = room.file >> 20;
            let what =
                lang.pick(format!("文件超过 {most} MiB"), format!("the file has over {most} MiB"));
            Refusal::field(field, what)
        }
        Why::TooLong(field) => {
            let most = room.fields >> 10;
            let what = lang.pick(
                format!("填写的内容超过 {most} KiB"),
                format!("there is more than {most} KiB of text"),
            );
            Refusal::field(field, what)
        }
        Why::Cut => {
            let what = lang.pick("传送中断，请重新选择文件", "it was cut; choose the file again");
            Refusal::field("file", what.to_owned())
        }
    }
}
