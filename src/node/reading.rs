//! A thread that reads the views of a node begins no second reading of them: the lock lets nobody
//! in behind a writer that waits, so the thread would wait for a writer that waits for its own
//! first reading, and the node with it. With debug assertions every such place trips, whether a
//! writer comes in between or not; other builds keep nothing.
//!
//! In scope: readings of one store by one thread. Two stores are read at once by whatever runs
//! several nodes. Out of scope: the lock itself ([`crate::store`]).

#[cfg(debug_assertions)]
use std::cell::RefCell;
use std::sync::Arc;

#[cfg(debug_assertions)]
thread_local! {
    /// Where the stores lie that this thread is reading.
    static READ: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// The only reading of a store by this thread, as long as it lasts.
pub(super) struct OnlyReading {
    #[cfg(debug_assertions)]
    store: usize,
}

impl OnlyReading {
    /// Begins before the lock is asked for: a thread that trips does not wait.
    #[cfg(debug_assertions)]
    pub(super) fn begin<S>(store: &Arc<S>) -> Self {
        let store = Arc::as_ptr(store).addr();
        READ.with_borrow_mut(|read| {
            assert!(
                !read.contains(&store),
                "this thread reads these views already: take what is needed from the first \
                 reading, or drop it before whatever reads again (with a writer in between both \
                 would wait for ever)"
            );
            read.push(store);
        });
        Self { store }
    }

    #[cfg(not(debug_assertions))]
    pub(super) const fn begin<S>(_: &Arc<S>) -> Self {
        Self {}
    }
}

#[cfg(debug_assertions)]
impl Drop for OnlyReading {
    fn drop(&mut self) {
        READ.with_borrow_mut(|read| read.retain(|store| *store != self.store));
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::path::Path;
    use std::sync::Arc;

    use crate::journal::{Journal, JournalOptions, RealDisk};
    use crate::node::reader::Reader;
    use crate::store::{MemStore, WriteBehind};
    use crate::trust::keys::HmacKey;
    use crate::view::ReadRows;

    fn node(folder: &Path) -> Reader<RealDisk, MemStore> {
        let disk = RealDisk::open(folder).unwrap();
        let (journal, _) = Journal::open(disk, JournalOptions::default()).unwrap();
        let rows = Arc::new(WriteBehind::synchronous(MemStore::default()));
        Reader::new(rows, journal.reader(), journal.journal_id(), HmacKey::new([1; 32]))
    }

    #[test]
    fn a_thread_reads_the_views_of_a_node_once_at_a_time() {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [one, other] = folders.each_ref().map(|folder| node(folder.path()));
        let trips = |reader: &Reader<RealDisk, MemStore>| {
            let read = catch_unwind(AssertUnwindSafe(|| drop(reader.view())));
            let why = read.err().map(|why| *why.downcast::<&'static str>().unwrap());
            why.map(|why| assert!(why.starts_with("this thread reads these views already")))
                .is_some()
        };
        let held = one.view();
        // Handles on one node share its views; those of another node and thread are free.
        assert!(trips(&one) && trips(&one.clone()) && !trips(&other));
        assert!(!std::thread::scope(|scope| scope.spawn(|| trips(&one)).join().unwrap()));
        // The first reading goes on, and the next one begins behind it.
        assert!(held.get(b"nothing").is_none() && trips(&one));
        drop(held);
        assert!(!trips(&one));
    }
}
