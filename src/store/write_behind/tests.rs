//! Reads like a map; bounded; failures are told.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use proptest::prelude::*;

use super::super::MemStore;
use super::*;

/// A store that fails or waits when it is told to.
#[derive(Default)]
struct Moody {
    rows: MemStore,
    fails: Arc<AtomicBool>,
    waits: Arc<AtomicBool>,
}

impl Moody {
    fn mood<T>(&self, ok: Result<T, StoreError>) -> Result<T, StoreError> {
        while self.waits.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        if self.fails.load(Ordering::SeqCst) { Err(StoreError("planted".into())) } else { ok }
    }
}

impl Store for Moody {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError("planted".into()));
        }
        self.rows.get(key)
    }
    fn scan(
        &self,
        from: &[u8],
        to: &[u8],
        reverse: bool,
        f: &mut dyn FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<(), StoreError> {
        self.rows.scan(from, to, reverse, f)
    }
    fn apply(&self, batch: &[(Vec<u8>, Option<Vec<u8>>)]) -> Result<(), StoreError> {
        self.mood(Ok(())).and_then(|()| self.rows.apply(batch))
    }
    fn clear(&self) -> Result<(), StoreError> {
        self.rows.clear()
    }
    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[test]
fn the_queue_is_bounded_and_what_waits_is_read() {
    let store = Moody::default();
    let waits = Arc::clone(&store.waits);
    waits.store(true, Ordering::SeqCst);
    let behind = Arc::new(WriteBehind::start(store).unwrap());
    let done = Arc::new(AtomicUsize::new(0));
    let (writer, counter) = (Arc::clone(&behind), Arc::clone(&done));
    let group = |n: usize| (0..1_000).map(|k| (key(n, k), Some(vec![1]))).collect::<Batch>();
    let thread = std::thread::spawn(move || {
        let mut most = 0;
        for n in 0..200 {
            writer.commit(group(n)).unwrap();
            most = most.max(writer.shared.queue.lock().unwrap().rows);
            counter.store(n + 1, Ordering::SeqCst);
        }
        most
    });
    while done.load(Ordering::SeqCst) < QUEUE_ROWS_MAX / 1_000 {
        std::thread::yield_now();
    }
    assert_eq!(behind.read().get(&key(0, 999)).unwrap(), Some(vec![1]), "before it is written");
    assert_eq!(behind.shared.store.rows.get(&key(0, 999)).unwrap(), None);
    waits.store(false, Ordering::SeqCst);
    let most = thread.join().unwrap();
    assert!(most <= QUEUE_ROWS_MAX + 1_000, "{most} rows waited");
    behind.flush().unwrap();
    assert_eq!(behind.shared.store.rows.get(&key(199, 999)).unwrap(), Some(vec![1]));
    assert!(behind.shared.overlay.read().unwrap().is_empty());
}

fn key(group: usize, row: usize) -> Vec<u8> {
    [group.to_be_bytes(), row.to_be_bytes()].concat()
}

#[test]
fn a_failed_write_leaves_everything_readable_and_is_told() {
    let store = Moody::default();
    let fails = Arc::clone(&store.fails);
    let behind = WriteBehind::start(store).unwrap();
    behind.commit(vec![(vec![1], Some(vec![1]))]).unwrap();
    behind.flush().unwrap();
    assert_eq!(behind.failure(), None);
    fails.store(true, Ordering::SeqCst);
    behind.commit(vec![(vec![1], Some(vec![2]))]).unwrap();
    assert!(behind.flush().is_err());
    assert!(behind.failure().is_some());
    fails.store(false, Ordering::SeqCst);
    assert_eq!(behind.read().get(&[1]).unwrap(), Some(vec![2]));
    assert!(behind.commit(vec![(vec![3], Some(vec![3]))]).is_err());
    assert_eq!(behind.read().get(&[3]).unwrap(), Some(vec![3]));
}

#[test]
fn a_failed_read_is_told() {
    let store = Moody::default();
    store.fails.store(true, Ordering::SeqCst);
    let behind = WriteBehind::start(store).unwrap();
    assert!(behind.read().get(&[1]).is_err());
    assert_eq!(behind.failure(), Some(StoreError("planted".into())));
}

fn rows(behind: &WriteBehind<MemStore>, reverse: bool) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    behind
        .read()
        .scan(&[], &[255], reverse, &mut |k, v| {
            found.push((k.to_vec(), v.to_vec()));
            true
        })
        .unwrap();
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn it_reads_like_a_map_whether_written_or_not(
        groups in prop::collection::vec(
            prop::collection::vec((0u8..20, prop::option::of(0u8..9)), 1..6), 1..20),
    ) {
        let behind = WriteBehind::start(MemStore::default()).unwrap();
        let mut model = BTreeMap::new();
        for (n, group) in groups.into_iter().enumerate() {
            let mut batch: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
            for (key, value) in group {
                batch.insert(vec![key], value.map(|v| vec![v]));
            }
            for (key, value) in &batch {
                match value {
                    Some(value) => model.insert(key.clone(), value.clone()),
                    None => model.remove(key),
                };
            }
            behind.commit(batch.into_iter().collect()).unwrap();
            let want: Vec<_> = model.clone().into_iter().collect();
            prop_assert_eq!(rows(&behind, false), want.clone());
            let mut backwards = rows(&behind, true);
            backwards.reverse();
            prop_assert_eq!(backwards, want);
            if n % 3 == 0 {
                behind.flush().unwrap();
            }
        }
        behind.flush().unwrap();
        let want: Vec<_> = model.into_iter().collect();
        prop_assert_eq!(rows(&behind, false), want);
    }
}

#[test]
fn a_walk_ends_where_it_is_told() {
    let behind = WriteBehind::start(MemStore::default()).unwrap();
    behind.commit((0..9).map(|k| (vec![k], Some(vec![k]))).collect()).unwrap();
    let mut seen = 0;
    behind
        .read()
        .scan(&[2], &[7], false, &mut |_, _| {
            seen += 1;
            seen < 3
        })
        .unwrap();
    assert_eq!(seen, 3);
}
