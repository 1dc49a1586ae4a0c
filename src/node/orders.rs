//! What an operator orders a running node to do: to take signed notes, to suspend a city, and to go
//! on with it.

use bytes::Bytes;
use tokio::sync::{oneshot, watch};

use crate::api::order::OrderError;
use crate::ids::CityCode;
use crate::node::core::{Input, Ticket};
use crate::node::writer::{Answer, NodeHandle};

impl NodeHandle {
    /// Hands in signed charters, cards and manifests; one line of outcome each.
    pub async fn add_notes(&self, notes: Vec<Bytes>) -> Vec<Result<String, String>> {
        let (answer, wait) = oneshot::channel();
        let ask = Box::new(|ticket| Input::Notes(ticket, notes));
        self.ask(ask, Answer::Notes(answer)).await;
        wait.await.unwrap_or_default()
    }

    /// Suspends a city here; returns once it is on disk.
    ///
    /// # Errors
    /// [`OrderError`]: nothing has changed.
    pub async fn suspend(
        &self,
        city: CityCode,
        reason: String,
        by: String,
    ) -> Result<(), OrderError> {
        self.order(Box::new(move |ticket| Input::Suspend { ticket, city, reason, by })).await
    }

    /// Lifts what is suspended of a city here; returns once it is on disk. It takes effect with the
    /// next start, which [`Self::start_anew`] asks for.
    ///
    /// # Errors
    /// [`OrderError`]: nothing has changed.
    pub async fn resume(&self, city: CityCode, by: String) -> Result<(), OrderError> {
        self.order(Box::new(move |ticket| Input::Resume { ticket, city, by })).await
    }

    pub(super) async fn order(
        &self,
        ask: Box<dyn FnOnce(Ticket) -> Input + Send>,
    ) -> Result<(), OrderError> {
        let (answer, wait) = oneshot::channel();
        self.ask(ask, Answer::Order(answer)).await;
        let stopping = || OrderError::StorageFailed { detail: "the node is stopping".to_owned() };
        wait.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// True once the node is to stop and start again, so that everything is folded anew.
    #[must_use]
    pub fn start_anew(&self) -> watch::Receiver<bool> {
        self.start_anew.clone()
    }
}
