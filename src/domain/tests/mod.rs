//! Tests of the domain that need more than one file of it.

mod decide;
mod record;
mod samples;
mod table;
