//! Why a handshake between two nodes failed: whose certificate, and what is wrong with it.
//!
//! In scope: finding that in an error chain. Out of scope: verifying ([`super::tls`]), the words
//! for people.

use std::error::Error;
use std::io;

use rustls::{AlertDescription, CertificateError};

/// What is wrong with a certificate. Times are seconds since 1970-01-01 UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CertFailure {
    /// The other side's has expired.
    TheirsExpired {
        /// Last moment of its term.
        not_after_s: u64,
        /// This machine's clock.
        now_s: u64,
    },
    /// The other side's is not valid yet.
    TheirsNotYet {
        /// First moment of its term.
        not_before_s: u64,
        /// This machine's clock.
        now_s: u64,
    },
    /// The other side's is of another city, of an unknown CA, revoked, or no certificate of a node.
    Theirs(String),
    /// The other side refused ours.
    Ours(String),
}

/// The certificate failure in an error's chain of causes, if it is one.
#[must_use]
pub fn find(error: &(dyn Error + 'static)) -> Option<CertFailure> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<rustls::Error>() {
            return of(found);
        }
        // An io::Error passes over what it wraps when asked for its source.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        if let Some(found) = wrapped.and_then(|e| e.downcast_ref::<rustls::Error>()) {
            return of(found);
        }
        next = error.source();
    }
    None
}

#[expect(clippy::wildcard_enum_match_arm, reason = "foreign enums; the rest is shown as it is")]
fn of(error: &rustls::Error) -> Option<CertFailure> {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { time, not_after }) => {
            Some(CertFailure::TheirsExpired {
                not_after_s: not_after.as_secs(),
                now_s: time.as_secs(),
            })
        }
        rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext {
            time,
            not_before,
        }) => Some(CertFailure::TheirsNotYet {
            not_before_s: not_before.as_secs(),
            now_s: time.as_secs(),
        }),
        rustls::Error::InvalidCertificate(reason) => Some(CertFailure::Theirs(reason.to_string())),
        rustls::Error::AlertReceived(alert) if is_about_certificate(*alert) => {
            Some(CertFailure::Ours(format!("{alert:?}")))
        }
        _ => None,
    }
}

fn is_about_certificate(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::NoCertificate
            | AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::CertificateRequired
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::UnixTime;
    use std::time::Duration;

    #[test]
    fn a_failure_is_found_below_wrappers() {
        let at = |s| UnixTime::since_unix_epoch(Duration::from_secs(s));
        let expired = CertificateError::ExpiredContext { time: at(9), not_after: at(5) };
        let wrapped = io::Error::other(rustls::Error::InvalidCertificate(expired));
        let want = CertFailure::TheirsExpired { not_after_s: 5, now_s: 9 };
        assert_eq!(find(&wrapped), Some(want));
        let alert = rustls::Error::AlertReceived(AlertDescription::CertificateExpired);
        assert_eq!(find(&alert), Some(CertFailure::Ours("CertificateExpired".to_owned())));
        assert_eq!(find(&io::Error::other("refused")), None);
    }
}
