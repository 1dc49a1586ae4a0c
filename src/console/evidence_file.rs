//! The bytes of an evidence file, to a browser: photographs to look at, everything else to keep.
//!
//! In scope: what the browser is told of them. Out of scope: who may have them, which the service
//! decides.

use axum::body::Body;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header;
use tokio_stream::StreamExt;

use super::layout::Desk;
use super::parts;
use crate::wire::pb::v1 as pb;
use crate::wire::pb::v1::download_response::Content as Down;

/// Kinds of picture that browsers draw and that hold no script. Everything else is downloaded.
pub const PICTURES: [&str; 4] = ["image/jpeg", "image/png", "image/webp", "image/gif"];

/// Sends a file's bytes to the browser: pictures to look at, everything else to keep.
pub async fn file(
    desk: Desk,
    Path((agreement, id, sha256)): Path<(String, String, String)>,
) -> Response {
    let case_name = parts::name_of("cases", &Path((agreement, id)));
    let Some(sha256) = unhex(&sha256) else {
        return desk.no(&desk.refuse("NOT_FOUND"));
    };
    let request = pb::DownloadRequest { case_name, sha256: sha256.into(), offset: 0 };
    let mut stream = match desk.client.files().download(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return desk.no(&status),
    };
    let first = match stream.next().await {
        Some(Ok(pb::DownloadResponse { content: Some(Down::File(file)) })) => file,
        Some(Err(status)) => return desk.no(&status),
        Some(Ok(_)) | None => return desk.no(&desk.refuse("NOT_FOUND")),
    };
    let picture = PICTURES.contains(&first.mime.as_str());
    let kind = if picture { first.mime.as_str() } else { "application/octet-stream" };
    // RFC 6266 with the name in UTF-8; what the browser is to do with it is ours to say.
    let name: String = form_urlencoded::byte_serialize(first.display_name.as_bytes()).collect();
    let how = if picture { "inline" } else { "attachment" };
    let shown = format!("{how}; filename*=UTF-8''{}", name.replace('+', "%20"));
    let bytes = stream.map(|next| match next {
        Ok(pb::DownloadResponse { content: Some(Down::Chunk(bytes)) }) => Ok(bytes),
        Ok(_) => Ok(bytes::Bytes::new()),
        Err(status) => Err(std::io::Error::other(status)),
    });
    let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, shown)];
    (headers, Body::from_stream(bytes)).into_response()
}

/// Bytes written as hexadecimal digits.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let byte = |at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_read_and_nothing_else() {
        assert_eq!(unhex("00ff"), Some(vec![0, 255]));
        for bad in ["0", "0g", "é", "+1"] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }
}
