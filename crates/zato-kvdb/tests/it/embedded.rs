//! The embedded store: the suite, and what a file brings with it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use futures_util::FutureExt;
use tempfile::TempDir;
use zato_kvdb::{Clock, Embedded, Kvdb, KvdbError};

use crate::suite::{self, Subject};

/// A clock that stands still unless it is turned.
#[derive(Debug)]
struct ManualClock(Mutex<SystemTime>);

impl ManualClock {
    fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000))))
    }

    fn pass(&self, time: Duration) {
        *self.0.lock().unwrap() += time;
    }

    fn turn_back(&self, time: Duration) {
        *self.0.lock().unwrap() -= time;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        *self.0.lock().unwrap()
    }
}

async fn open(folder: &Path, clock: &Arc<ManualClock>) -> Result<Embedded, KvdbError> {
    Embedded::open(&folder.join("kvdb.redb"), Arc::<ManualClock>::clone(clock) as Arc<dyn Clock>).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_passes_the_suite() {
    let folders: Mutex<Vec<TempDir>> = Mutex::default();
    suite::run(async || {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::new();
        let kvdb = Kvdb::new(open(folder.path(), &clock).await.unwrap());
        folders.lock().unwrap().push(folder);
        let pass = move |time| {
            clock.pass(time);
            std::future::ready(()).boxed()
        };
        Subject { kvdb, pass: Box::new(pass) }
    })
    .await;
}

#[tokio::test]
async fn entries_and_their_lifetimes_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let kvdb = Kvdb::new(open(folder.path(), &clock).await.unwrap());
    kvdb.set("kept", b"1", None).await.unwrap();
    kvdb.set("brief", b"2", Some(Duration::from_secs(10))).await.unwrap();
    drop(kvdb);
    // The thread that writes closes the file a moment after the last handle is gone.
    let kvdb = loop {
        match open(folder.path(), &clock).await {
            Err(KvdbError::InUse) => tokio::task::yield_now().await,
            opened => break Kvdb::new(opened.unwrap()),
        }
    };
    assert_eq!(kvdb.keys("").await.unwrap(), ["brief", "kept"]);
    clock.pass(Duration::from_secs(10));
    assert_eq!(kvdb.keys("").await.unwrap(), ["kept"]);
}

#[tokio::test]
async fn a_file_of_values_only_is_taken_over() {
    const VALUES: redb::TableDefinition<'_, &str, (u64, &[u8])> = redb::TableDefinition::new("entries");
    const EXPIRIES: redb::TableDefinition<'_, (u64, &str), ()> = redb::TableDefinition::new("expiries");
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let soon = u64::try_from(clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis())
        .unwrap()
        + 5000;
    let database = redb::Database::create(folder.path().join("kvdb.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut values = transaction.open_table(VALUES).unwrap();
    values.insert("kept", (u64::MAX, b"1".as_slice())).unwrap();
    values.insert("brief", (soon, b"2".as_slice())).unwrap();
    drop(values);
    transaction.open_table(EXPIRIES).unwrap().insert((soon, "brief"), ()).unwrap();
    transaction.commit().unwrap();
    drop(database);

    let store = open(folder.path(), &clock).await.unwrap();
    let kvdb = Kvdb::new(store.clone());
    assert_eq!(kvdb.get("kept").await.unwrap().as_deref(), Some(b"1".as_slice()));
    assert_eq!(kvdb.get("brief").await.unwrap().as_deref(), Some(b"2".as_slice()));
    clock.pass(Duration::from_secs(5));
    assert_eq!(store.sweep().await.unwrap(), 1);
    assert_eq!(kvdb.keys("").await.unwrap(), ["kept"]);
}

#[tokio::test]
async fn a_file_is_private_and_used_by_one_store() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let _store = open(folder.path(), &clock).await.unwrap();
    let second = open(folder.path(), &clock).await;
    assert!(matches!(second, Err(KvdbError::InUse)), "{second:?}");
    let mode = fs::metadata(folder.path().join("kvdb.redb")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn what_is_no_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("kvdb.redb"), "this is something else entirely".repeat(500)).unwrap();
    for folder in [folder.path(), Path::new("/no-such-folder")] {
        let result = open(folder, &ManualClock::new()).await;
        assert!(matches!(result, Err(KvdbError::Store(_))), "{result:?}");
    }
}

#[tokio::test]
async fn a_sweep_removes_what_has_expired_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let store = open(folder.path(), &clock).await.unwrap();
    let kvdb = Kvdb::new(store.clone());
    let second = Duration::from_secs(1);
    let writes: Vec<_> = (0..1200)
        .map(|n| {
            let kvdb = kvdb.clone();
            tokio::spawn(async move { kvdb.set(&format!("brief {n}"), b"v", Some(second)).await.unwrap() })
        })
        .collect();
    for write in writes {
        write.await.unwrap();
    }
    kvdb.set("brief 0", b"v", None).await.unwrap();
    kvdb.set("brief 1", b"v", Some(2 * second)).await.unwrap();
    kvdb.delete("brief 2").await.unwrap();
    assert_eq!(store.sweep().await.unwrap(), 0);
    clock.pass(second);
    assert_eq!(store.sweep().await.unwrap(), 1197);
    assert_eq!(kvdb.keys("").await.unwrap(), ["brief 0", "brief 1"]);
    clock.pass(second);
    assert_eq!(store.sweep().await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn sweeps_happen_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let kvdb = Kvdb::new(open(folder.path(), &clock).await.unwrap());
    let second = Duration::from_secs(1);
    kvdb.set("brief", b"v", Some(second)).await.unwrap();
    // The entry is looked for with the clock turned back, which shows whether it is only expired or gone. The sweep runs
    // on a thread that does not know of paused time, so that it may be some rounds late; a round is longer than the
    // interval of sweeps, so that one falls into it.
    for _ in 0..1000 {
        clock.pass(second);
        tokio::time::sleep(Duration::from_secs(90)).await;
        clock.turn_back(second);
        if !kvdb.exists("brief").await.unwrap() {
            return;
        }
    }
    panic!("it was not swept");
}
