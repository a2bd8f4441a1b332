//! The embedded store: one file, used by one process.
//!
//! Owns the lives of the file, its writer and its sweep. It must not know how entries are laid out.

mod entries;
mod writer;

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use redb::{Database, ReadableDatabase};
use tokio::time::MissedTickBehavior;

use crate::clock::Clock;
use crate::error::KvdbError;
use crate::key_value::{KeyValue, Lifetime, Outcome};
use entries::{Entries, Moment, Snapshot};
use writer::Writer;

/// How often expired entries are removed from the file.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
/// How many of them are removed at a time, so that others' writes are not held up for long.
const SWEEP_PORTION: usize = 500;
/// How much of the file is kept in memory, in bytes.
const CACHE: usize = 4 * 1024 * 1024;

/// A key/value store in a file. Clones share it; when the last one is dropped, the writes that are waiting are finished
/// and the file is closed.
#[derive(Clone, Debug)]
pub struct Embedded(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: Arc<Database>,
    writer: Writer,
    clock: Arc<dyn Clock>,
}

impl Embedded {
    /// Opens a store, and creates it if there is no such file. Expired entries are swept by a task of the current tokio
    /// runtime.
    ///
    /// # Errors
    /// [`KvdbError::InUse`] if another process has it open, [`KvdbError::Store`].
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, KvdbError> {
        let path = path.to_owned();
        let database = blocking(move || open_file(&path)).await?;
        let database = Arc::new(database);
        let writer = Writer::start(Arc::clone(&database)).map_err(KvdbError::store)?;
        let inner = Arc::new(Inner { database, writer, clock });
        tokio::spawn(sweep_regularly(Arc::downgrade(&inner)));
        Ok(Self(inner))
    }

    /// Removes what has expired from the file and returns how many entries these were. Nobody has to call it: it happens
    /// once a minute.
    ///
    /// # Errors
    /// [`KvdbError::Store`], [`KvdbError::Closed`].
    pub async fn sweep(&self) -> Result<usize, KvdbError> {
        self.0.sweep().await
    }

    fn now(&self) -> Moment {
        Moment::of(self.0.clock.now())
    }

    async fn read<R: Send + 'static>(
        &self,
        operation: impl FnOnce(&Snapshot) -> Result<R, KvdbError> + Send + 'static,
    ) -> Result<R, KvdbError> {
        let database = Arc::clone(&self.0.database);
        blocking(move || operation(&Snapshot::of(&database.begin_read().map_err(KvdbError::store)?)?)).await
    }

    async fn write<R: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Entries<'_>) -> Result<R, KvdbError> + Send + 'static,
    ) -> Result<R, KvdbError> {
        self.0.writer.run(operation).await
    }
}

impl Inner {
    async fn sweep(&self) -> Result<usize, KvdbError> {
        let mut total = 0;
        loop {
            let now = Moment::of(self.clock.now());
            let removed = self.writer.run(move |entries| entries.sweep(now, SWEEP_PORTION)).await?;
            total += removed;
            if removed < SWEEP_PORTION {
                return Ok(total);
            }
        }
    }
}

impl KeyValue for Embedded {
    fn get<'a>(&'a self, key: &'a str) -> Outcome<'a, Option<Vec<u8>>> {
        let (key, now) = (key.to_owned(), self.now());
        Box::pin(self.read(move |snapshot| snapshot.get(&key, now)))
    }

    fn set<'a>(&'a self, key: &'a str, value: &'a [u8], time_to_live: Option<Duration>) -> Outcome<'a, ()> {
        let (key, value, expiry) = (key.to_owned(), value.to_owned(), self.now().expiry(time_to_live));
        Box::pin(self.write(move |entries| entries.set(&key, &value, expiry)))
    }

    fn set_if_absent<'a>(
        &'a self,
        key: &'a str,
        value: &'a [u8],
        time_to_live: Option<Duration>,
    ) -> Outcome<'a, bool> {
        let now = self.now();
        let (key, value, expiry) = (key.to_owned(), value.to_owned(), now.expiry(time_to_live));
        Box::pin(self.write(move |entries| {
            if entries.get(&key, now)?.is_some() {
                return Ok(false);
            }
            entries.set(&key, &value, expiry)?;
            Ok(true)
        }))
    }

    fn delete<'a>(&'a self, key: &'a str) -> Outcome<'a, bool> {
        let (key, now) = (key.to_owned(), self.now());
        Box::pin(self.write(move |entries| entries.delete(&key, now)))
    }

    fn increment<'a>(&'a self, key: &'a str, by: i64) -> Outcome<'a, i64> {
        let (key, now) = (key.to_owned(), self.now());
        Box::pin(self.write(move |entries| {
            let (old, expiry) = match entries.get(&key, now)? {
                Some(entry) => (integer(&entry.value)?, entry.expiry),
                None => (0, Moment::NEVER),
            };
            let sum = old.checked_add(by).ok_or(KvdbError::Overflow)?;
            entries.set(&key, sum.to_string().as_bytes(), expiry)?;
            Ok(sum)
        }))
    }

    fn expire<'a>(&'a self, key: &'a str, time_to_live: Duration) -> Outcome<'a, bool> {
        let (key, now) = (key.to_owned(), self.now());
        Box::pin(self.write(move |entries| {
            let Some(entry) = entries.get(&key, now)? else { return Ok(false) };
            entries.set(&key, &entry.value, now.expiry(Some(time_to_live)))?;
            Ok(true)
        }))
    }

    fn persist<'a>(&'a self, key: &'a str) -> Outcome<'a, bool> {
        let (key, now) = (key.to_owned(), self.now());
        Box::pin(self.write(move |entries| match entries.get(&key, now)? {
            Some(entry) if entry.expiry != Moment::NEVER => {
                entries.set(&key, &entry.value, Moment::NEVER)?;
                Ok(true)
            }
            _ => Ok(false),
        }))
    }

    fn lifetime<'a>(&'a self, key: &'a str) -> Outcome<'a, Lifetime> {
        let (key, now) = (key.to_owned(), self.now());
        Box::pin(self.read(move |snapshot| snapshot.lifetime(&key, now)))
    }

    fn keys<'a>(&'a self, prefix: &'a str) -> Outcome<'a, Vec<String>> {
        let (prefix, now) = (prefix.to_owned(), self.now());
        Box::pin(self.read(move |snapshot| snapshot.keys(&prefix, now)))
    }
}

/// The integer of a decimal text, if it is in the form in which an increment writes it.
fn integer(value: &[u8]) -> Result<i64, KvdbError> {
    let text = std::str::from_utf8(value).map_err(|_| KvdbError::NotAnInteger)?;
    let integer: i64 = text.parse().map_err(|_| KvdbError::NotAnInteger)?;
    if integer.to_string() == text { Ok(integer) } else { Err(KvdbError::NotAnInteger) }
}

async fn sweep_regularly(store: Weak<Inner>) {
    let mut ticks = tokio::time::interval(SWEEP_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let Some(store) = store.upgrade() else { return };
        if let Err(error) = store.sweep().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "expired entries could not be removed");
        }
    }
}

/// Opens the file; one that is created is accessible to its owner only.
fn open_file(path: &Path) -> Result<Database, KvdbError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(KvdbError::store(redb::StorageError::Io(error)));
        }
        _ => {}
    }
    let database = Database::builder().set_cache_size(CACHE).create(path).map_err(KvdbError::store)?;
    let transaction = database.begin_write().map_err(KvdbError::store)?;
    Entries::of(&transaction)?;
    transaction.commit().map_err(KvdbError::store)?;
    Ok(database)
}

/// Runs what waits for the disk where it holds nobody up.
async fn blocking<R: Send + 'static>(
    operation: impl FnOnce() -> Result<R, KvdbError> + Send + 'static,
) -> Result<R, KvdbError> {
    tokio::task::spawn_blocking(operation).await.unwrap_or(Err(KvdbError::Closed))
}
