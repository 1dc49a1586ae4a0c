//! Links between real nodes that can be cut, slowed down and left hanging.
//!
//! Each city's cards of the others name ports of this proxy, one for each ordered pair, so that
//! no two nodes reach each other in any other way.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use liandong::cli::fleet::Plan;
use liandong::trust::card::SignedCard;
use liandong::trust::keys;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};
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
    /// One byte a second arrives, in either direction: a reader and a writer that barely move.
    Drip,
    /// Half of the next piece arrives, then both connections are reset, new ones too.
    Torn,
    /// They are swallowed; neither side is told.
    Silent,
    /// Connections are ended, new ones too.
    Cut,
}

/// One proxy for each (dialling city, dialled city).
pub struct Mesh {
    modes: BTreeMap<(u32, u32), watch::Sender<Mode>>,
    done: Arc<Done>,
}

/// What was done to links: effects, not intentions.
#[derive(Default)]
struct Done {
    torn: AtomicU64,
    dripped: AtomicU64,
}

impl Mesh {
    /// Lays cities out whose every link runs through a proxy; nothing runs yet.
    pub async fn lay_out(plan: &Plan) -> (Nodes, Self) {
        let nodes = Nodes::lay_out(plan);
        let (mut modes, done) = (BTreeMap::new(), Arc::new(Done::default()));
        for viewer in &plan.cities {
            for of in plan.cities.iter().filter(|of| *of != viewer) {
                let target = nodes.fleet.city(*of).unwrap().peer;
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                let address = listener.local_addr().unwrap();
                let (mode, modes_seen) = watch::channel(Mode::Open);
                tokio::spawn(accept(listener, target, modes_seen, Arc::clone(&done)));
                modes.insert((*viewer, *of), mode);
                point(&nodes, *viewer, *of, address);
            }
        }
        (nodes, Self { modes, done })
    }

    /// Connections that were reset in the middle of what they carried.
    pub fn torn(&self) -> u64 {
        self.done.torn.load(Ordering::Relaxed)
    }

    /// Bytes that came one a second.
    pub fn dripped(&self) -> u64 {
        self.done.dripped.load(Ordering::Relaxed)
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

async fn accept(
    listener: TcpListener,
    target: SocketAddr,
    mode: watch::Receiver<Mode>,
    done: Arc<Done>,
) {
    while let Ok((near, _)) = listener.accept().await {
        tokio::spawn(join(near, target, mode.clone(), Arc::clone(&done)));
    }
}

async fn join(
    mut near: TcpStream,
    target: SocketAddr,
    mut mode: watch::Receiver<Mode>,
    done: Arc<Done>,
) {
    if *mode.borrow_and_update() == Mode::Cut {
        return;
    }
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    let _ = near.set_nodelay(true);
    let _ = far.set_nodelay(true);
    let ((near_in, near_out), (far_in, far_out)) = (near.split(), far.split());
    let torn = tokio::select! {
        end = pump(near_in, far_out, mode.clone(), &done) => end == End::Torn,
        end = pump(far_in, near_out, mode.clone(), &done) => end == End::Torn,
        () = cut(mode) => false,
    };
    if torn {
        // Dropped so, both sides see a reset and no orderly end.
        near.set_zero_linger().unwrap();
        far.set_zero_linger().unwrap();
        done.torn.fetch_add(1, Ordering::Relaxed);
    }
}

async fn cut(mut mode: watch::Receiver<Mode>) {
    // An error means that the test is over.
    let _ = mode.wait_for(|mode| *mode == Mode::Cut).await;
}

#[derive(PartialEq, Eq)]
enum End {
    Closed,
    Torn,
}

async fn pump(
    mut from: ReadHalf<'_>,
    mut to: WriteHalf<'_>,
    mode: watch::Receiver<Mode>,
    done: &Done,
) -> End {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(read) = from.read(&mut buffer).await else { return End::Closed };
        if read == 0 {
            return End::Closed;
        }
        let mut piece = &buffer[..read];
        let now = *mode.borrow();
        match now {
            Mode::Open => {}
            Mode::Slow(delay) => tokio::time::sleep(delay).await,
            Mode::Drip => {
                while let Some((byte, rest)) = piece.split_first()
                    && *mode.borrow() == Mode::Drip
                {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    if to.write_all(&[*byte]).await.is_err() {
                        return End::Closed;
                    }
                    done.dripped.fetch_add(1, Ordering::Relaxed);
                    piece = rest;
                }
            }
            Mode::Torn => {
                let _ = to.write_all(&piece[..read.div_ceil(2)]).await;
                return End::Torn;
            }
            Mode::Silent => continue,
            Mode::Cut => return End::Closed,
        }
        if to.write_all(piece).await.is_err() {
            return End::Closed;
        }
    }
}
