//! `docs/formats.md`: its examples are the golden files.
