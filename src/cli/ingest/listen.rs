//! Devices that connect: HJ 212-2017 over TCP.
//!
//! In scope: bounded connections, time-outs, answers, an end in order. Out of scope: what is said.
//!
//! HJ 212 is plain text and knows no identity but the station's own MN, so the default is loopback:
//! devices come in through the bureau's own gateway or tunnel.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::desk::Desk;
use super::intake::Intake;
use crate::cli::failure::Failure;
use crate::limits::{
    HJ212_CONNECTIONS_MAX, HJ212_NOISE_BYTES_MAX, HJ212_PACKET_MS_MAX, HJ212_REFUSALS_MAX,
    HJ212_RETRY_MS,
};

/// Bytes of one read: a few packets.
const READ_BYTES: usize = 4 * 1024;
/// When the system has no more connections, a moment later it may.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// Takes what devices send until the process is told to stop; what has been read is finished.
///
/// # Errors
/// [`Failure`] when the address cannot be bound.
pub async fn run(desk: Arc<Desk>, at: SocketAddr, idle: Duration) -> Result<(), Failure> {
    let lang = desk.lang;
    let failed = |error: std::io::Error| {
        Failure::local(lang.pick(
            format!("{at}：无法监听（{error}）"),
            format!("{at}: cannot be listened on ({error})"),
        ))
    };
    let listener = TcpListener::bind(at).await.map_err(failed)?;
    let at = listener.local_addr().map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    eprintln!("{}", lang.pick(format!("正在监听 {at}"), format!("listening on {at}")));
    if !at.ip().is_loopback() {
        eprintln!(
            "{}",
            lang.pick(
                "HJ 212 为明文，不验证对方身份：请只在受控网络上这样监听",
                "HJ 212 is plain text and proves no identity: do this in a guarded network only",
            )
        );
    }
    let (stop, places) =
        (CancellationToken::new(), Arc::new(Semaphore::new(HJ212_CONNECTIONS_MAX)));
    let mut devices = JoinSet::new();
    let mut again = JoinSet::new();
    let mut ticks = tokio::time::interval(Duration::from_millis(HJ212_RETRY_MS));
    loop {
        tokio::select! {
            biased;
            _ = interrupt.recv() => break,
            _ = terminate.recv() => break,
            _ = ticks.tick() => {
                // One round at a time; it ends by itself when the node cannot be reached.
                if again.try_join_next().is_some() || again.is_empty() {
                    let desk = Arc::clone(&desk);
                    again.spawn(async move { desk.try_again().await });
                }
            }
            Some(_) = devices.join_next() => {}
            (stream, place) = accept(&listener, &places) => {
                desk.report().connect();
                let (desk, stop) = (Arc::clone(&desk), stop.clone());
                devices.spawn(async move {
                    serve(&desk, stream, idle, &stop).await;
                    drop(place);
                });
            }
        }
    }
    drop(listener);
    stop.cancel();
    while devices.join_next().await.is_some() {}
    again.shutdown().await;
    Ok(())
}

/// The next device, once there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (TcpStream, Option<OwnedSemaphorePermit>) {
    // The semaphore is never closed.
    let place = Arc::clone(places).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, place),
            Err(_) => tokio::time::sleep(ACCEPT_AGAIN).await,
        }
    }
}

/// Takes what one device sends until it leaves, is silent for too long, sends only noise, or its
/// clue can neither be drafted nor kept: then it finds no answer and sends again.
async fn serve(desk: &Desk, mut stream: TcpStream, idle: Duration, stop: &CancellationToken) {
    let mut intake = Intake::of_device();
    let (mut buffer, mut answers) = (vec![0; READ_BYTES], Vec::new());
    let whole_within = Duration::from_millis(HJ212_PACKET_MS_MAX);
    let mut begun: Option<Instant> = None;
    loop {
        let until = match begun {
            Some(begun) => begun + whole_within,
            None => Instant::now() + idle,
        };
        let read = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            read = timeout_at(until, stream.read(&mut buffer)) => read,
        };
        let Ok(Ok(bytes @ 1..)) = read else { break };
        let taken = intake.feed(desk, buffer.get(..bytes).unwrap_or_default(), &mut answers).await;
        let written = timeout(whole_within, stream.write_all(&answers)).await;
        answers.clear();
        let noise =
            intake.garbage_bytes() > HJ212_NOISE_BYTES_MAX || intake.refused() > HJ212_REFUSALS_MAX;
        if taken.is_err() || noise || !matches!(written, Ok(Ok(()))) {
            break;
        }
        begun = if intake.has_begun() { begun.or_else(|| Some(Instant::now())) } else { None };
    }
    // Said already where it happened.
    let _ = intake.finish(desk).await;
    let _ = stream.shutdown().await;
}
