//! Links between real nodes that can be cut, slowed down and left hanging.
//!
//! Each city's cards of the others name ports of this proxy, one for each ordered pair, so that
//! no two nodes reach each other in any other way.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use liandong::cli::fleet::Plan;
use liandong::trust::card::SignedCard;
use liandong::trust::keys;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::nodes::Nodes;

/// What becomes of the bytes of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// They arrive.
    Open,
    /// They arrive later.
    Slow(Duration),
    /// They are swallowed; neither side is told.
    Silent,
    /// Connections are ended, new ones too.
    Cut,
}

/// One proxy for each (dialling city, dialled city).
pub struct Mesh {
    modes: BTreeMap<(u32, u32), watch::Sender<Mode>>,
}

impl Mesh {
    /// Lays cities out whose every link runs through a proxy; nothing runs yet.
    pub async fn lay_out(plan: &Plan) -> (Nodes, Self) {
        let nodes = Nodes::lay_out(plan);
        let mut modes = BTreeMap::new();
        for viewer in &plan.cities {
            for of in plan.cities.iter().filter(|of| *of != viewer) {
                let target = nodes.fleet.city(*of).unwrap().peer;
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                let (mode, modes_seen) = watch::channel(Mode::Open);
                tokio::spawn(accept(listener, target, modes_seen));
                modes.insert((*viewer, *of), mode);
                point(&nodes, *viewer, *of, address);
            }
        }
        (nodes, Self { modes })
    }

    /// Sets a link between two cities, whoever dials.
    pub fn set(&self, one: u32, other: u32, mode: Mode) {
        for pair in [(one, other), (other, one)] {
            self.set_dialled(pair.0, pair.1, mode);
        }
    }

    /// Sets the connections that `viewer` dials to `of`.
    pub fn set_dialled(&self, viewer: u32, of: u32, mode: Mode) {
        self.modes[&(viewer, of)].send_replace(mode);
    }

    /// Cuts every link of a city but those to `kept`.
    pub fn isolate(&self, city: u32, kept: &[u32]) {
        for (viewer, of) in self.modes.keys().copied() {
            let other = if viewer == city { of } else { viewer };
            if (viewer == city || of == city) && !kept.contains(&other) {
                self.set_dialled(viewer, of, Mode::Cut);
            }
        }
    }
}

/// Rewrites the card that `viewer` will find of another city, so that it names `address`.
fn point(nodes: &Nodes, viewer: u32, of: u32, address: SocketAddr) {
    let path = nodes.fleet.folder(viewer).join(format!("data/inbox/card-{of}.note"));
    let key = keys::load(&nodes.fleet.folder(of).join("city.key")).unwrap();
    let note = Bytes::from(std::fs::read(&path).unwrap());
    let mut card = SignedCard::verify(&note, &key.verifying_key()).unwrap().card().clone();
    card.addresses = vec![address.to_string()];
    std::fs::write(&path, card.sign(&key).unwrap()).unwrap();
}

async fn accept(listener: TcpListener, target: SocketAddr, mode: watch::Receiver<Mode>) {
    while let Ok((near, _)) = listener.accept().await {
        tokio::spawn(join(near, target, mode.clone()));
    }
}

async fn join(near: TcpStream, target: SocketAddr, mut mode: watch::Receiver<Mode>) {
    if *mode.borrow_and_update() == Mode::Cut {
        return;
    }
    let Ok(far) = TcpStream::connect(target).await else { return };
    let _ = near.set_nodelay(true);
    let _ = far.set_nodelay(true);
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::select! {
        () = pump(near_in, far_out, mode.clone()) => {}
        () = pump(far_in, near_out, mode.clone()) => {}
        () = cut(mode) => {}
    }
}

async fn cut(mut mode: watch::Receiver<Mode>) {
    // An error means that the test is over.
    let _ = mode.wait_for(|mode| *mode == Mode::Cut).await;
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mode: watch::Receiver<Mode>) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(read) = from.read(&mut buffer).await else { return };
        if read == 0 {
            return;
        }
        let now = *mode.borrow();
        match now {
            Mode::Open => {}
            Mode::Slow(delay) => tokio::time::sleep(delay).await,
            Mode::Silent => continue,
            Mode::Cut => return,
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}
