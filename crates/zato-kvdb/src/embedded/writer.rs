//! The one thread that writes.
//!
//! Owns the order of writes and their durability. Operations that wait at the same time share a transaction, and with it
//! one sync of the disk, which is what a write costs. It must not know what the operations do.

use std::sync::Arc;

use redb::Database;
use tokio::sync::{mpsc, oneshot};

use super::entries::Entries;
use super::file::File;
use crate::error::KvdbError;

/// How many operations may wait before callers are held up.
const QUEUE: usize = 1024;
/// How many operations share a transaction at most.
const BATCH: usize = 256;

/// An operation. It is run within a transaction, or told why there is none, and leaves behind how to tell its caller, once it
/// is known whether the transaction was committed.
type Operation = Box<dyn FnOnce(Result<&mut Entries<'_>, KvdbError>) -> Result<Reply, KvdbError> + Send>;
type Reply = Box<dyn FnOnce(Result<(), KvdbError>) + Send>;

/// Hands operations to the thread, which ends when this is dropped and the queue is empty.
#[derive(Debug)]
pub(super) struct Writer(mpsc::Sender<Operation>);

impl Writer {
    pub(super) fn start(file: Arc<File>) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        std::thread::Builder::new().name("zato-kvdb".to_owned()).spawn(move || write(&file, receiver))?;
        Ok(Self(sender))
    }

    /// Runs an operation and returns what it returned, once that is durable. An operation that fails by itself must not
    /// have changed anything.
    pub(super) async fn run<R: Send + 'static>(
        &self,
        operation: impl FnOnce(&mut Entries<'_>) -> Result<R, KvdbError> + Send + 'static,
    ) -> Result<R, KvdbError> {
        let (sender, receiver) = oneshot::channel();
        let operation: Operation = Box::new(move |entries| {
            let result = match entries.and_then(operation) {
                // Whatever the file did not take may have been taken in part: the transaction is not to be committed.
                Err(error) if error.is_of_the_file() => {
                    // The caller may have gone meanwhile, which is its right.
                    let _ = sender.send(Err(error.clone()));
                    return Err(error);
                }
                result => result,
            };
            Ok(Box::new(move |committed| {
                let _ = sender.send(committed.and(result));
            }))
        });
        self.0.send(operation).await.map_err(|_| KvdbError::closed())?;
        receiver.await.unwrap_or_else(|_| Err(KvdbError::closed()))
    }
}

fn write(file: &File, mut queue: mpsc::Receiver<Operation>) {
    let mut batch = Vec::with_capacity(BATCH);
    // Whether nothing could be written last time, which is logged once.
    let mut is_away = false;
    while queue.blocking_recv_many(&mut batch, BATCH) > 0 {
        let mut replies = Vec::with_capacity(batch.len());
        let mut operations = batch.drain(..);
        let committed = file.with(|database| commit(database, &mut operations, &mut replies));
        if let Err(error) = &committed {
            if !is_away {
                tracing::error!(
                    error = error as &dyn std::error::Error,
                    "the key/value store could not be written to"
                );
            }
            // Those who were not run tell their callers, and have nothing else to say.
            operations.for_each(|operation| drop(operation(Err(error.clone()))));
        } else if is_away {
            tracing::info!("the key/value store is written to again");
        }
        is_away = committed.is_err();
        for reply in replies {
            reply(committed.clone());
        }
    }
}

fn commit(
    database: &Database,
    operations: &mut impl Iterator<Item = Operation>,
    replies: &mut Vec<Reply>,
) -> Result<(), KvdbError> {
    let transaction = database.begin_write().map_err(KvdbError::store)?;
    let mut entries = Entries::of(&transaction)?;
    for operation in operations {
        replies.push(operation(Ok(&mut entries))?);
    }
    drop(entries);
    transaction.commit().map_err(KvdbError::store)
}
