//! Writes that come in at a steady rate while something else is measured.
//!
//! In scope: the rate, and that the writes have not broken off. Out of scope: what is written.

use std::time::Duration;

use tokio::task::JoinHandle;
use tonic::Status;

use super::load::{Operation, refused};
use super::stage::AddNote;
use crate::cli::failure::Failure;

/// Writes a second while something is read.
const WRITES_PER_S: u32 = 200;
/// Writes under way at most: a node that is slower than the rate is not buried under calls that end
/// only after their time is up.
const UNDER_WAY_MAX: usize = 128;

/// Every second write opens something, the others are notes to cases.
#[derive(Clone)]
pub struct NotesAnd<O> {
    /// Who adds notes.
    pub notes: AddNote,
    /// Who opens something.
    pub opens: O,
}

impl<O: Operation> Operation for NotesAnd<O> {
    async fn call(&mut self, nth: u64) -> Result<(), Status> {
        if nth.is_multiple_of(2) {
            self.opens.call(nth).await
        } else {
            self.notes.add(nth).await.map(drop)
        }
    }
}

/// Writes until it is dropped.
pub struct Writing(JoinHandle<Result<(), Status>>);

impl Writing {
    /// Begins: each of these in turn.
    pub fn begin(operations: Vec<impl Operation + Clone>) -> Self {
        Self(tokio::spawn(write(operations)))
    }

    /// Whether it goes on.
    ///
    /// # Errors
    /// [`Failure`] when a write was refused: what is measured beside it is measured alone.
    pub async fn check(&mut self) -> Result<(), Failure> {
        if !self.0.is_finished() {
            return Ok(());
        }
        match (&mut self.0).await {
            Ok(Err(status)) => Err(refused("writes", &status)),
            Ok(Ok(())) | Err(_) => Err(Failure::local("the writes have broken off")),
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn write(operations: Vec<impl Operation + Clone>) -> Result<(), Status> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / WRITES_PER_S);
    let mut running = tokio::task::JoinSet::new();
    for (nth, mut operation) in (0_u64..).zip(operations.into_iter().cycle()) {
        ticks.tick().await;
        while running.len() >= UNDER_WAY_MAX
            && let Some(done) = running.join_next().await
        {
            done.unwrap_or(Ok(()))?;
        }
        while let Some(done) = running.try_join_next() {
            let done: Result<(), Status> = done.unwrap_or(Ok(()));
            done?;
        }
        running.spawn(async move { operation.call(nth).await });
    }
    Ok(())
}
