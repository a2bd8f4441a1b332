//! The embedded store: one file, used by one process.
//!
//! Owns the lives of the writer and the sweep. It must not know how entries are laid out.

mod administration;
mod dump;
mod entries;
mod file;
mod lists;
mod moment;
mod read;
mod rows;
mod tables;
mod write;
mod writer;

use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::UNIX_EPOCH;

use redb::ReadableDatabase;

use crate::clock::Clock;
use crate::command::{Administration, Read, Write};
use crate::error::{KvdbError, StoreError};
use crate::key_value::{Condition, KeyValue, Outcome, Written};
use crate::reply::Reply;
use administration::{Administrator, Population};
use entries::Entries;
use file::File;
use moment::Moment;
use tables::Snapshot;
use writer::Writer;

/// How many of them are removed at a time, so that others' writes are not held up for long.
const SWEEP_PORTION: usize = 500;

/// A key/value store in a file. After a failure of the disk, such as a full one, it goes on once the disk does. Clones share
/// it; when the last one is dropped, the writes that are waiting are finished and the file is closed.
#[derive(Clone, Debug)]
pub struct Embedded(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: Arc<File>,
    writer: Writer,
    clock: Arc<dyn Clock>,
    administrator: Administrator,
}

impl Embedded {
    /// Opens a store, and creates it if there is no such file. Expired entries are swept by a task of the current tokio
    /// runtime.
    ///
    /// # Errors
    /// [`KvdbError::InUse`] if another process has it open, [`KvdbError::Store`].
    pub async fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, KvdbError> {
        let administrator = Administrator::new(path);
        let path = path.to_owned();
        let opened = blocking(move || File::open(path)).await;
        let file = Arc::new(opened.map_err(|error| match error {
            // Nothing tries again: without the file there is no store.
            KvdbError::Unavailable(cause) => KvdbError::Store(cause),
            error => error,
        })?);
        let writer =
            Writer::start(Arc::clone(&file)).map_err(|error| KvdbError::Store(StoreError::new(error)))?;
        let inner = Arc::new(Inner { file, writer, clock, administrator });
        tokio::spawn(sweep_regularly(Arc::downgrade(&inner)));
        Ok(Self(inner))
    }

    /// Removes what has expired from the file and returns how many entries these were. Nobody has to call it: it happens
    /// once a minute.
    ///
    /// # Errors
    /// [`KvdbError::Store`], [`KvdbError::Unavailable`].
    pub async fn sweep(&self) -> Result<usize, KvdbError> {
        self.0.sweep().await
    }

    fn now(&self) -> Moment {
        Moment::of(self.0.clock.now())
    }

    async fn look<R: Send + 'static>(
        &self,
        operation: impl FnOnce(&Snapshot) -> Result<R, KvdbError> + Send + 'static,
    ) -> Result<R, KvdbError> {
        let file = Arc::clone(&self.0.file);
        let look = move || {
            file.with(|database| operation(&Snapshot::of(&database.begin_read().map_err(KvdbError::store)?)?))
        };
        blocking(look).await
    }

    async fn change<R: Send + 'static>(
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
            self.administrator.count_expired(removed);
            if removed < SWEEP_PORTION {
                return Ok(total);
            }
        }
    }
}

impl KeyValue for Embedded {
    fn read(&self, command: Read) -> Outcome<'_, Reply> {
        self.0.administrator.count_commands(1);
        let now = self.now();
        Box::pin(async move {
            let random = if command == Read::RandomKey { random()? } else { 0 };
            self.look(move |snapshot| snapshot.read(command, now, random)).await
        })
    }

    fn write(&self, command: Write) -> Outcome<'_, Reply> {
        self.0.administrator.count_commands(1);
        let now = self.now();
        Box::pin(self.change(move |entries| entries.write(command, now)))
    }

    fn transact(&self, conditions: Vec<Condition>, writes: Vec<Write>) -> Outcome<'_, Written> {
        self.0.administrator.count_commands(writes.len());
        let now = self.now();
        Box::pin(self.change(move |entries| {
            for condition in &conditions {
                if !entries.holds(condition, now)? {
                    return Ok(None);
                }
            }
            let run = |write| match entries.write(write, now) {
                // The file has failed, and with it the whole transaction.
                Err(error) if error.is_of_the_file() => Err(error),
                result => Ok(result),
            };
            writes.into_iter().map(run).collect::<Result<_, _>>().map(Some)
        }))
    }

    fn administer(&self, command: Administration) -> Outcome<'_, Reply> {
        let administrator = &self.0.administrator;
        administrator.count_commands(1);
        Box::pin(async move {
            Ok(match command {
                Administration::Ping(None) => Reply::Status("PONG".to_owned()),
                Administration::Ping(Some(value)) | Administration::Echo(value) => Reply::Value(value),
                Administration::Time => {
                    let since = self.0.clock.now().duration_since(UNIX_EPOCH).unwrap_or_default();
                    let parts = [since.as_secs().to_string(), since.subsec_micros().to_string()];
                    Reply::values(parts.map(String::into_bytes))
                }
                Administration::Info(sections) => {
                    let now = self.now();
                    let population = move |snapshot: &Snapshot| {
                        Ok(Population { keys: snapshot.count(now)?, expiring: snapshot.expiring(now)? })
                    };
                    let population = self.look(population).await?;
                    administrator.info(&sections, &population)
                }
                Administration::ConfigGet(patterns) => administrator.settings(&patterns),
                Administration::ConfigSet(settings) => {
                    administrator.change(&settings)?;
                    Reply::Done
                }
                Administration::ConfigResetStatistics => {
                    administrator.reset_counters();
                    Reply::Done
                }
                Administration::ConfigRewrite => {
                    return Err(KvdbError::Refused("there is no file of settings".to_owned()));
                }
            })
        })
    }
}

fn random() -> Result<u64, KvdbError> {
    getrandom::u64().map_err(|error| KvdbError::Store(StoreError::new(error)))
}

/// Sweeps until the store is dropped: at once, and whenever the interval is over that is configured by then.
async fn sweep_regularly(store: Weak<Inner>) {
    let Some(mut interval) = store.upgrade().map(|store| store.administrator.sweep_interval()) else {
        return;
    };
    loop {
        match store.upgrade() {
            Some(store) => {
                if let Err(error) = store.sweep().await {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "expired entries could not be removed");
                }
            }
            None => return,
        }
        let wait = *interval.borrow_and_update();
        // A change of the interval ends the wait, and so does the end of the store, which `upgrade` then sees.
        let _ = tokio::time::timeout(wait, interval.changed()).await;
    }
}

/// Runs what waits for the disk where it holds nobody up.
async fn blocking<R: Send + 'static>(
    operation: impl FnOnce() -> Result<R, KvdbError> + Send + 'static,
) -> Result<R, KvdbError> {
    tokio::task::spawn_blocking(operation).await.unwrap_or_else(|_| Err(KvdbError::closed()))
}
