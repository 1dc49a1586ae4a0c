//! A wire between a client and a node that the test can cut and mend.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards bytes to a node while it is whole.
pub struct Tunnel {
    /// Where clients connect.
    pub address: SocketAddr,
    whole: watch::Sender<bool>,
}

impl Tunnel {
    pub async fn to(node: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (whole, seen) = watch::channel(true);
        tokio::spawn(accept(listener, node.to_owned(), seen));
        Self { address, whole }
    }

    /// Ends every connection and refuses new ones.
    pub fn cut(&self) {
        self.whole.send_replace(false);
    }

    pub fn mend(&self) {
        self.whole.send_replace(true);
    }
}

async fn accept(listener: TcpListener, node: String, whole: watch::Receiver<bool>) {
    while let Ok((client, _)) = listener.accept().await {
        let mut whole = whole.clone();
        if *whole.borrow_and_update() {
            let node = node.clone();
            tokio::spawn(async move {
                tokio::select! {
                    () = forward(client, &node) => {}
                    _ = whole.wait_for(|whole| !whole) => {}
                }
            });
        }
    }
}

async fn forward(mut client: TcpStream, node: &str) {
    if let Ok(mut node) = TcpStream::connect(node).await {
        let _ = tokio::io::copy_bidirectional(&mut client, &mut node).await;
    }
}
