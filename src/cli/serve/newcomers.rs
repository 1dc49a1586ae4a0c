//! The way in for newcomers, which only the demo may open.
//!
//! In scope: refusing it to everybody else, and to any address but this machine's own. Out of
//! scope: who comes in with what ([`crate::console::ticket`]).

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::net::TcpListener;

use super::local;
use crate::cli::failure::Failure;
use crate::config::Config;
use crate::console::ticket::Tickets;
use crate::lang::Lang;
use crate::rpc::server::Newcomers;
use crate::trust::acceptor::Live;
use crate::trust::people::PeopleBook;
use crate::trust::spiffe::Identity;

/// Where the demo puts tickets for the process: other users of the machine see arguments, and not
/// this.
pub const TICKETS: &str = "LIANDONG_NEWCOMER_TICKETS";

/// Arguments that only the demo gives.
#[derive(clap::Args, Debug)]
pub struct NewcomersArgs {
    /// Where newcomers come in.
    #[arg(long, hide = true, value_name = "ADDRESS", requires = "newcomers_as")]
    pub newcomers: Option<SocketAddr>,
    /// The certificate of the person they are.
    #[arg(long, hide = true, value_name = "FILE", requires = "newcomers")]
    pub newcomers_as: Option<PathBuf>,
}

/// A door that stands open.
pub(super) struct OpenDoor {
    listener: TcpListener,
    identity: Identity,
}

impl NewcomersArgs {
    /// Opens the door, if the demo asks for it.
    ///
    /// # Errors
    /// A usage [`Failure`] when it is not the demo that asks, or the address is not this machine's
    /// own.
    pub(super) async fn listen(
        &self,
        config: &Config,
        lang: Lang,
    ) -> Result<Option<OpenDoor>, Failure> {
        let (Some(address), Some(file)) = (self.newcomers, &self.newcomers_as) else {
            return Ok(None);
        };
        if !address.ip().is_loopback() || !config.api.listen.ip().is_loopback() {
            return Err(Failure::usage(lang.pick(
                "--newcomers 只能用于本机回环地址",
                "--newcomers stands on loopback addresses only",
            )));
        }
        if !is_child_of_the_demo() {
            return Err(Failure::usage(lang.pick(
                "--newcomers 仅供 liandong demo 使用：正式节点必须凭证书访问",
                "--newcomers is for liandong demo only: a real node is reached with a certificate",
            ))
            .advise(lang.pick(
                "用浏览器持本人证书访问接口地址（api.listen）",
                "open the address of the api port with a certificate in the browser",
            )));
        }
        let wrong = |why: &dyn std::fmt::Display| {
            local("新手入口无法使用", "the door of newcomers cannot be used", why)
        };
        let leaf = CertificateDer::from_pem_file(file).map_err(|e| wrong(&e))?;
        let identity = Identity::of(&leaf, config.city).map_err(|e| wrong(&e))?;
        let listener = TcpListener::bind(address).await.map_err(|e| wrong(&e))?;
        Ok(Some(OpenDoor { listener, identity }))
    }
}

impl OpenDoor {
    /// The door with its tickets.
    pub(super) fn with(self, config: &Config, people: PeopleBook, live: &Live) -> Newcomers {
        let tickets = std::env::var(TICKETS).unwrap_or_default();
        let tickets = tickets.split(',').filter(|one| !one.is_empty()).map(str::to_owned);
        let as_whom = Arc::new(self.identity);
        let revoked = live.end_of(&as_whom);
        (self.listener, Tickets::new(config.city, as_whom, people, revoked, tickets))
    }
}

/// Whether this process was started by a `demo` of the same program.
fn is_child_of_the_demo() -> bool {
    let Some(parent) = rustix::process::getppid() else { return false };
    let of = |process: &str| Path::new("/proc").join(process);
    let parent = of(&parent.as_raw_pid().to_string());
    let same = match (std::fs::read_link(parent.join("exe")), std::fs::read_link(of("self/exe"))) {
        (Ok(its), Ok(own)) => its == own,
        (Err(_), _) | (_, Err(_)) => false,
    };
    let words = std::fs::read(parent.join("cmdline")).unwrap_or_default();
    same && words.split(|byte| *byte == 0).skip(1).any(|word| word == b"demo")
}
