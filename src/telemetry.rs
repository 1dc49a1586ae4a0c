//! Log output: one set-up, one list of field names.
//!
//! In scope: format, filter, the names that log lines may use. Out of scope: what is logged where.
//!
//! Log lines never hold what people typed, names, credit codes or certificate numbers; a record is
//! named by its id, a person by the opaque actor id.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::TryInitError;
use tracing_subscriber::{Layer, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::{Log, LogFormat};

/// Every field a log line may carry, and what it means. New fields are added here first.
pub const FIELDS: &[(&str, &str)] = &[
    ("address", "socket address, own or the peer's"),
    ("agreement", "agreement id, 32 hexadecimal digits"),
    ("all", "records in all, of a long work"),
    ("api", "address of the api port"),
    ("by", "log of the entry that says so"),
    ("bytes", "a size in bytes"),
    ("city", "division code of the other city, or the author's of a log"),
    ("config", "path of the configuration"),
    ("connections", "a number of connections"),
    ("damaged", "a number of damaged journal records"),
    ("detail", "words of the other side, cut to 1 KiB"),
    ("done", "records done, of a long work"),
    ("elsewhere", "number of entries that somebody else holds of a log"),
    ("entries", "a number of entries"),
    ("entry", "position of an entry: log id, colon, index"),
    ("epoch", "epoch of a log"),
    ("error", "chain of causes, outermost first"),
    ("expected", "the index or size that was expected"),
    ("facts", "what the table of reasons says of a refusal"),
    ("file", "a path"),
    ("from", "first index or record number of a stretch"),
    ("here", "number of entries that this node holds of a log"),
    ("index", "place in a log, from 0"),
    ("issuer", "SHA-256 of the name of a certificate's issuer"),
    ("link", "number of a connection to another node, from 1 in this process"),
    ("log", "log id, 64 hexadecimal digits"),
    ("method", "gRPC method"),
    ("node", "node id"),
    ("part", "which part of an entry, from 0"),
    ("peer", "address of the peer port"),
    ("reason", "reason of the published table"),
    ("record", "number of a journal record"),
    ("reference", "four hexadecimal digits that the caller was told too"),
    ("role", "role of the caller"),
    ("segment", "journal segment number"),
    ("serial", "serial of a certificate, hexadecimal"),
    ("sha256", "SHA-256 of an evidence file, hexadecimal"),
    ("size", "number of entries of a log"),
    ("subject", "id of a record, 32 hexadecimal digits"),
    ("task", "name of a periodic task of the node"),
    ("unsaid", "how many such lines were left out since the last one"),
    ("version", "version of this program"),
    ("wait_ms", "a duration in milliseconds"),
    ("why", "why something was turned away, in words"),
];

/// Why log output could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter is not understood; nothing was set up.
    #[error("the log filter {filter:?} is not understood")]
    Filter {
        /// The filter.
        filter: String,
        /// Why.
        source: tracing_subscriber::filter::ParseError,
    },
    /// Set up twice; the first one stays.
    #[error("log output is already set up")]
    Twice(#[source] TryInitError),
}

/// Sends log lines to standard error. `RUST_LOG` wins over the configured filter.
///
/// # Errors
/// [`TelemetryError`] on a filter that is not understood, or a second call.
pub fn init(log: &Log) -> Result<(), TelemetryError> {
    let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| log.filter.clone());
    let filter = EnvFilter::try_new(&filter)
        .map_err(|source| TelemetryError::Filter { filter: filter.clone(), source })?;
    let layer = fmt::layer().with_writer(std::io::stderr);
    let layer = match log.format {
        LogFormat::Text => layer.with_target(false).with_ansi(false).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(layer)
        .with(filter)
        .try_init()
        .map_err(TelemetryError::Twice)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_sorted_and_named_once() {
        assert!(FIELDS.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }

    #[test]
    fn a_bad_filter_is_named() {
        let log = Log { format: LogFormat::Text, filter: "liandong=loudly=x".to_owned() };
        if std::env::var("RUST_LOG").is_err() {
            assert!(matches!(init(&log), Err(TelemetryError::Filter { .. })));
        }
    }
}
