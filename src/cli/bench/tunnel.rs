//! A wire between two nodes that counts what goes over it.
//!
//! In scope: bytes of TCP payload, both directions, TLS and HTTP/2 included. Out of scope: speed;
//! nothing is timed through it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Bytes that have gone over it so far.
#[derive(Clone, Debug, Default)]
pub struct Counted(Arc<AtomicU64>);

impl Counted {
    /// The count.
    pub fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Listens at `at` and forwards to `node` for as long as this program runs.
///
/// # Errors
/// When nobody can listen there.
pub async fn open(at: SocketAddr, node: SocketAddr, counted: Counted) -> std::io::Result<()> {
    let listener = TcpListener::bind(at).await?;
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(forward(client, node, counted.clone()));
        }
    });
    Ok(())
}

async fn forward(client: TcpStream, node: SocketAddr, counted: Counted) {
    let Ok(node) = TcpStream::connect(node).await else { return };
    let (client_in, client_out) = client.into_split();
    let (node_in, node_out) = node.into_split();
    // One direction's end is the connection's.
    tokio::select! {
        () = copy(client_in, node_out, &counted) => {}
        () = copy(node_in, client_out, &counted) => {}
    }
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    counted: &Counted,
) {
    let mut piece = vec![0; 64 * 1024];
    while let Ok(got) = from.read(&mut piece).await {
        let Some(bytes) = piece.get(..got).filter(|bytes| !bytes.is_empty()) else { return };
        counted.0.fetch_add(u64::try_from(got).unwrap_or(0), Ordering::Relaxed);
        if to.write_all(bytes).await.is_err() {
            return;
        }
    }
}
