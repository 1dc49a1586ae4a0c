//! One nudge to where it goes: an HTTPS POST, or a command with the message on standard input.
//!
//! In scope: sockets, TLS, the child process, time limits. Out of scope: when.
//!
//! TLS is that of the exchange, 1.3 only, but with the CAs of the configuration or the system: a
//! robot's address is no member's. No redirect is followed, and of an answer only its status
//! counts. A command gets no shell, `PATH` and `LANG` alone, and the root folder; when its time is
//! over it is killed with its process group.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustix::process::{Pid, Signal, kill_process_group};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;

use crate::config::Hook;
use crate::config::hook::{HookTarget, HookUrl};
use crate::limits::NUDGE_ANSWER_BYTES_MAX;
use crate::trust::{tls, web};

/// Sends a message; what a command says on standard error is shown if `show`.
///
/// # Errors
/// Why it did not arrive, without path, query or arguments.
pub async fn send(hook: &Hook, message: Vec<u8>, show: bool) -> Result<String, String> {
    let limit = Duration::from_secs(hook.timeout_s);
    let sent = async {
        match &hook.target {
            HookTarget::Post { url, ca } => post(url, ca.clone(), message).await,
            HookTarget::Command(words) => command(words, &message, show).await,
        }
    };
    let late = || Err(format!("no end within {} s", hook.timeout_s));
    tokio::time::timeout(limit, sent).await.unwrap_or_else(|_| late())
}

async fn post(url: &HookUrl, ca: Option<PathBuf>, message: Vec<u8>) -> Result<String, String> {
    let stream = TcpStream::connect((url.host.as_str(), url.port)).await;
    let stream = stream.map_err(|e| format!("cannot connect: {e}"))?;
    if !url.is_https {
        return speak(stream, url, message).await;
    }
    let cas = tokio::task::spawn_blocking(move || web::cas(ca.as_deref(), "hook.ca"));
    let cas = cas.await.map_err(|e| e.to_string())??;
    let config = tls::client_of_the_web(cas).map_err(|e| format!("no TLS: {e}"))?;
    let name = ServerName::try_from(url.host.clone()).map_err(|e| e.to_string())?;
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    speak(stream.map_err(|e| format!("no TLS connection: {e}"))?, url, message).await
}

async fn speak<S>(stream: S, url: &HookUrl, message: Vec<u8>) -> Result<String, String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(NUDGE_ANSWER_BYTES_MAX);
    let hands = builder.handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = hands.map_err(|e| format!("no HTTP: {e}"))?;
    // It ends with this call: what the body of the answer says is not read.
    let _driver = AbortOnDropHandle::new(tokio::spawn(connection));
    let host = match url.host.contains(':') {
        true => format!("[{}]:{}", url.host, url.port),
        false => format!("{}:{}", url.host, url.port),
    };
    let request = Request::post(url.path.as_str())
        .header(header::HOST, host)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("liandong/", env!("CARGO_PKG_VERSION")))
        .header(header::CONNECTION, "close")
        .body(Full::new(Bytes::from(message)));
    let request = request.map_err(|e| format!("no HTTP request: {e}"))?;
    let answer = sender.send_request(request).await.map_err(|e| format!("no HTTP answer: {e}"))?;
    let status = answer.status();
    if status.is_success() {
        Ok(format!("answered {}", status.as_u16()))
    } else {
        Err(format!("answered {}", status.as_u16()))
    }
}

/// Kills a process group that nobody waited for.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // One that has just ended needs none.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

async fn command(words: &[String], message: &[u8], show: bool) -> Result<String, String> {
    let (program, args) = words.split_first().ok_or("no program")?;
    let mut command = tokio::process::Command::new(program);
    command.args(args).env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin");
    command.env("LANG", "C.UTF-8").current_dir("/").process_group(0).kill_on_drop(true);
    let said = if show { Stdio::inherit() } else { Stdio::null() };
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(said);
    let mut child = command.spawn().map_err(|e| format!("cannot be started: {e}"))?;
    let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let mut group = Group(pid);
    if let Some(mut input) = child.stdin.take() {
        // A program may do with less than it is told.
        let _ = input.write_all(message).await;
    }
    let ended = child.wait().await.map_err(|e| e.to_string())?;
    // Its id may be somebody else's from here on.
    group.0 = None;
    if ended.success() { Ok("ended with 0".to_owned()) } else { Err(format!("ended: {ended}")) }
}
