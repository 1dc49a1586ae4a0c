//! Starting the calendar feed, where one is configured.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::local;
use crate::cli::failure::Failure;
use crate::config::Config;
use crate::node::writer::NodeHandle;
use crate::rpc::calendar_feed::CalendarFeed;
use crate::trust::feed_secret::{FEED_SECRET_FILE, FeedSecret};

/// A listener and where it is.
type Listening = (TcpListener, SocketAddr);

/// Listens, if `[calendar_feed]` says so, and on nothing otherwise. Called before the node starts:
/// an address that cannot be had is told like that of any other port, and nothing is left half
/// begun.
pub(super) async fn listen(config: &Config) -> Result<Option<Listening>, Failure> {
    let Some(feed) = config.calendar_feed else { return Ok(None) };
    let failed = |error| {
        let at = feed.listen;
        local(&format!("无法在 {at} 上监听"), &format!("cannot listen on {at}"), error)
    };
    let listener = TcpListener::bind(feed.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Some((listener, address)))
}

/// Serves the feed from now on.
pub(super) fn start(
    listening: Option<Listening>,
    config: &Config,
    node: &NodeHandle,
    stop: &CancellationToken,
) {
    let Some((listener, address)) = listening else { return };
    tracing::info!(%address, "the calendar feed listens");
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "the calendar feed is plain http and leaves this machine");
    }
    let file = config.keys_dir.join(FEED_SECRET_FILE);
    if let Err(error) = FeedSecret::read(&file) {
        // An office's calendar is no reason to keep a node from its work.
        tracing::warn!(%error, "the feed has no usable address: liandong plan feed-address");
    }
    let feed = Arc::new(CalendarFeed::new(node.clone(), file, config.lang));
    tokio::spawn(feed.serve(listener, stop.clone()));
}
