//! At which step a connection failed, why, and what to do about it.
//!
//! In scope: telling TCP, TLS and certificate failures apart. Out of scope: role, clock and
//! version, which the node answers for ([`super::check`]).

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError};

use super::failure::{Exit, Failure};
use super::verify::ServerRefused;
use crate::ids::CityCode;
use crate::lang::Lang;

mod text;

/// The steps of `liandong check`, in order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Step {
    /// Address and port.
    Tcp,
    /// TLS 1.3.
    Tls,
    /// Their certificate and ours.
    Certificate,
    /// What we may do there.
    Role,
    /// Clocks.
    Clock,
    /// Program versions.
    Version,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 6] =
        [Self::Tcp, Self::Tls, Self::Certificate, Self::Role, Self::Clock, Self::Version];

    /// Its name for people.
    #[must_use]
    pub fn word(self, lang: Lang) -> &'static str {
        match self {
            Self::Tcp => lang.pick("网络连接（TCP）", "network (TCP)"),
            Self::Tls => lang.pick("加密连接（TLS 1.3）", "encryption (TLS 1.3)"),
            Self::Certificate => lang.pick("证书", "certificates"),
            Self::Role => lang.pick("身份与权限", "role"),
            Self::Clock => lang.pick("时钟", "clock"),
            Self::Version => lang.pick("版本", "version"),
        }
    }

    /// Its name for programs.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Certificate => "certificate",
            Self::Role => "role",
            Self::Clock => "clock",
            Self::Version => "version",
        }
    }
}

/// Why a dial failed; nothing was sent to the node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DialError {
    /// The name cannot be resolved or is no address.
    #[error("the address cannot be resolved: {0}")]
    Address(String),
    /// Nobody listens there.
    #[error("nobody listens there")]
    NobodyThere,
    /// No answer at all.
    #[error("no answer")]
    Silent,
    /// Any other network failure.
    #[error("network: {0}")]
    Network(String),
    /// It answers, but not with TLS 1.3.
    #[error("not TLS 1.3: {0}")]
    NotTls(String),
    /// Its chain does not lead to the CA on file.
    #[error("the node's certificate is not from the CA on file: {0}")]
    Untrusted(String),
    /// Its certificate is expired or not yet valid by our clock.
    #[error("the node's certificate is outside its term by this machine's clock: {0}")]
    Term(String),
    /// It is no node of a city.
    #[error("the certificate is not a node's: {0}")]
    NotANode(String),
    /// A node of another city.
    #[error("expected a node of {expected}, got one of {got}")]
    WrongCity {
        /// Whom we meant.
        expected: CityCode,
        /// Who answered.
        got: CityCode,
    },
    /// It did not take our certificate.
    #[error("the node refused our certificate: {0}")]
    OursRefused(String),
}

impl DialError {
    /// No answer to the TCP dial.
    pub(super) const fn silent() -> Self {
        Self::Silent
    }

    /// No answer to the TLS handshake.
    pub(super) fn silent_tls() -> Self {
        Self::NotTls("no answer to the handshake".to_owned())
    }

    /// Reads a TCP failure.
    #[expect(clippy::wildcard_enum_match_arm, reason = "io::ErrorKind is foreign and grows")]
    #[expect(clippy::needless_pass_by_value, reason = "used with map_err")]
    pub(super) fn tcp(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::NobodyThere,
            io::ErrorKind::TimedOut
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable => Self::Silent,
            _ => Self::Network(error.to_string()),
        }
    }

    /// Reads a failure of the handshake.
    pub(super) fn tls(error: &io::Error) -> Self {
        match find::<rustls::Error>(error) {
            Some(rustls::Error::InvalidCertificate(reason)) => Self::theirs(reason),
            Some(rustls::Error::AlertReceived(alert)) if is_about_certificate(*alert) => {
                Self::OursRefused(format!("{alert:?}"))
            }
            Some(other) => Self::NotTls(other.to_string()),
            None => Self::NotTls(error.to_string()),
        }
    }

    /// Reads a failure right after the handshake: in TLS 1.3 the node looks at our certificate
    /// only then, and often simply hangs up.
    pub(super) fn after_tls(error: &(dyn Error + 'static)) -> Self {
        match find::<rustls::Error>(error) {
            Some(rustls::Error::AlertReceived(alert)) => Self::OursRefused(format!("{alert:?}")),
            Some(_) | None => Self::OursRefused("connection closed".to_owned()),
        }
    }

    fn theirs(reason: &CertificateError) -> Self {
        let refused = if let CertificateError::Other(other) = reason {
            other.0.downcast_ref::<ServerRefused>()
        } else {
            None // Not from our verifier, which always uses `Other`.
        };
        match refused {
            Some(ServerRefused::Chain(
                error @ (webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. }),
            )) => Self::Term(error.to_string()),
            Some(ServerRefused::Chain(error)) => Self::Untrusted(error.to_string()),
            Some(ServerRefused::NotANode { found }) => Self::NotANode(found.join(", ")),
            Some(&ServerRefused::WrongCity { expected, got }) => Self::WrongCity { expected, got },
            None => Self::Untrusted(format!("{reason:?}")),
        }
    }

    /// The step that failed.
    #[must_use]
    pub const fn step(&self) -> Step {
        match self {
            Self::Address(_) | Self::NobodyThere | Self::Silent | Self::Network(_) => Step::Tcp,
            Self::NotTls(_) => Step::Tls,
            Self::Untrusted(_)
            | Self::Term(_)
            | Self::NotANode(_)
            | Self::WrongCity { .. }
            | Self::OursRefused(_) => Step::Certificate,
        }
    }

    /// The failure of a command that needed the connection.
    #[must_use]
    pub fn failure(&self, api: &str, lang: Lang) -> Failure {
        let (what, advice) = self.text(api, lang);
        let reason = format!("CONNECT_{}", self.step().key().to_uppercase());
        Failure::new(Exit::Unreachable, &reason, what).advise(advice).advise(lang.pick(
            format!("逐步检查：liandong check {api}"),
            format!("check step by step: liandong check {api}"),
        ))
    }
}

fn is_about_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateRequired
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
    )
}

/// The first error of type `T` in a chain, also inside an `io::Error` made from another error.
pub(super) fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let inner = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_told_apart() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(DialError::tcp(refused).step(), Step::Tcp);
        let alert = rustls::Error::AlertReceived(AlertDescription::CertificateRevoked);
        let error = io::Error::new(io::ErrorKind::InvalidData, alert);
        assert!(matches!(DialError::tls(&error), DialError::OursRefused(why)
            if why == "CertificateRevoked"));
        let alert = rustls::Error::AlertReceived(AlertDescription::ProtocolVersion);
        let error = io::Error::new(io::ErrorKind::InvalidData, alert);
        assert_eq!(DialError::tls(&error).step(), Step::Tls);
    }

    #[test]
    fn every_failure_says_what_to_do_in_both_languages() {
        let city = |code| CityCode::parse(code).unwrap();
        let all = [
            DialError::Address("x".to_owned()),
            DialError::NobodyThere,
            DialError::Silent,
            DialError::Network("x".to_owned()),
            DialError::NotTls("x".to_owned()),
            DialError::Untrusted("x".to_owned()),
            DialError::Term("x".to_owned()),
            DialError::NotANode("x".to_owned()),
            DialError::WrongCity { expected: city("371500"), got: city("130400") },
            DialError::OursRefused("x".to_owned()),
        ];
        for error in all {
            for lang in [Lang::Zh, Lang::En] {
                let failure = error.failure("127.0.0.1:1", lang);
                assert_eq!(failure.exit, Exit::Unreachable);
                assert!(failure.what.contains("127.0.0.1:1"), "{failure:?}");
                assert_eq!(failure.advice.len(), 2);
            }
        }
    }
}
