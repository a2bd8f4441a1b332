//! The file, over failures of the disk.
//!
//! Owns that it is open. A database that the disk has failed refuses everything from then on, also when the disk is well
//! again: it is opened anew, once somebody needs it. It must not know what is in the file, nor who needs it.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use redb::{Builder, Database};

use super::entries::Entries;
use crate::error::{KvdbError, StoreError};

/// How much of the file is kept in memory, in bytes.
const CACHE: usize = 4 * 1024 * 1024;
/// How long after it was opened the file is opened anew at the earliest: all of it is read then.
const REOPENING: Duration = Duration::from_secs(1);

/// A file that is open, or will be.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    /// The file, or why it is not open.
    database: Result<Database, KvdbError>,
    /// When it was opened, or could not be.
    tried: Instant,
}

impl State {
    fn is_to_be_opened(&self) -> bool {
        self.database.is_err() && self.tried.elapsed() >= REOPENING
    }
}

impl File {
    pub(super) fn open(path: PathBuf) -> Result<Self, KvdbError> {
        let database = create(&path)?;
        let state = RwLock::new(State { database: Ok(database), tried: Instant::now() });
        Ok(Self { path, state })
    }

    /// Runs an operation, beside others.
    pub(super) fn with<R>(
        &self,
        operation: impl FnOnce(&Database) -> Result<R, KvdbError>,
    ) -> Result<R, KvdbError> {
        self.reopen();
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let result = operation(state.database.as_ref().map_err(Clone::clone)?);
        let tried = state.tried;
        drop(state);
        if let Err(error @ KvdbError::Unavailable(_)) = &result {
            self.close(tried, error);
        }
        result
    }

    /// Closes what was opened at that time, once all others are done with it.
    fn close(&self, tried: Instant, error: &KvdbError) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if state.tried == tried {
            state.database = Err(error.clone());
        }
    }

    fn reopen(&self) {
        if !self.state.read().unwrap_or_else(PoisonError::into_inner).is_to_be_opened() {
            return;
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        // Of several who need it, one opens it.
        if state.is_to_be_opened() {
            // What is not there is not created: a file system that is gone must not come back as an empty store.
            let opened = builder().open(&self.path).map_err(KvdbError::store);
            state.database = opened.map_err(|error| match error {
                KvdbError::Unavailable(_) => error,
                error => KvdbError::Unavailable(StoreError::new(error)),
            });
            state.tried = Instant::now();
        }
    }
}

fn builder() -> Builder {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE);
    builder
}

/// Opens the file; one that is created is accessible to its owner only.
fn create(path: &Path) -> Result<Database, KvdbError> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(KvdbError::store(redb::StorageError::Io(error)));
        }
        _ => {}
    }
    let database = builder().create(path).map_err(KvdbError::store)?;
    let transaction = database.begin_write().map_err(KvdbError::store)?;
    Entries::upgrade(&transaction)?;
    transaction.commit().map_err(KvdbError::store)?;
    Ok(database)
}
