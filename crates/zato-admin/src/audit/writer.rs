//! Whoever stores audited calls.
//!
//! Owns the batches, what happens while the database is away, and how long entries are kept. It must not know what an
//! entry says.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::sync::mpsc::Receiver;
use tokio::time::{MissedTickBehavior, interval, sleep};
use zato_odb::model::{HttpSoap, HttpSoapAudit};
use zato_odb::{EventId, Odb, OdbError, Read};

use super::entry::entry;
use super::queue::{Audit, AuditStatistics, Queued, queue};
use super::rules::Rules;

/// How many calls are stored in one transaction.
const BATCH: usize = 1024;

/// The time between two batches, in which the next one gathers: the log is to cost the database few transactions.
const GATHER: Duration = Duration::from_millis(100);

/// How long to wait before the database is tried again when it was away.
const RETRY: Duration = Duration::from_secs(1);

/// The time between two looks for entries that are too old.
const TRIM: Duration = Duration::from_secs(10);

/// How many entries of one channel are kept, however young they are.
const MAXIMUM_ENTRIES: u64 = 100_000;

/// Stores the calls that an [`Audit`] is told of, and removes them when they are old.
#[derive(Debug)]
pub struct AuditWriter {
    odb: Odb,
    cluster_id: i64,
    calls: Receiver<Queued>,
    statistics: AuditStatistics,
    /// What is known of channels, as it was when the last event of the log was this one.
    rules: HashMap<i64, Option<Arc<Rules>>>,
    rules_of: EventId,
}

impl AuditWriter {
    /// An audit log of a cluster's channels: where calls are told, and whoever stores them, whose [`run`](Self::run) has to
    /// be spawned. `statistics` count those that are lost.
    #[must_use]
    pub fn new(odb: Odb, cluster_id: i64, statistics: AuditStatistics) -> (Audit, Self) {
        let (audit, calls) = queue(statistics.clone());
        let (rules, rules_of) = (HashMap::new(), EventId::START);
        (audit, Self { odb, cluster_id, calls, statistics, rules, rules_of })
    }

    /// Stores calls until every [`Audit`] is dropped and nothing is left.
    pub async fn run(mut self) {
        let mut trim = interval(TRIM);
        trim.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                // What is too old goes first, whatever comes.
                biased;
                _ = trim.tick() => {
                    if let Err(error) = self.trim().await {
                        tracing::warn!(error = &error as &dyn StdError, "old audit entries are not removed");
                    }
                }
                count = self.calls.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    self.keep(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))).await;
                    if !self.calls.is_closed() {
                        sleep(GATHER).await;
                    }
                }
            }
        }
    }

    /// Stores a batch. While the database is away it is kept, and calls beyond the queue are dropped.
    async fn keep(&mut self, batch: Vec<Queued>) {
        let count = batch.len();
        let mut batch = Waiting::Calls(batch);
        loop {
            let (stored, rest) = self.store(batch).await;
            let error = match stored {
                Ok(()) => return,
                Err(error) => error,
            };
            if matches!(error, OdbError::Unavailable(_)) && !self.calls.is_closed() {
                tracing::warn!(
                    error = &error as &dyn StdError,
                    count,
                    "audited calls wait for the operational database"
                );
                sleep(RETRY).await;
            } else {
                tracing::error!(error = &error as &dyn StdError, count, "audited calls can't be stored");
                self.statistics.drop_calls(count);
                return;
            }
            batch = rest;
        }
    }

    /// Stores a batch, or gives back what is left of the work.
    async fn store(&mut self, batch: Waiting) -> (Result<(), OdbError>, Waiting) {
        let entries = match batch {
            Waiting::Entries(entries) => entries,
            Waiting::Calls(calls) => match self.known(&calls).await {
                Ok(rules) => self.entries(calls, rules).await,
                Err(error) => return (Err(error), Waiting::Calls(calls)),
            },
        };
        (self.insert(&entries).await, Waiting::Entries(entries))
    }

    /// The rules of the channels of some calls. They are read anew after any change of the configuration.
    async fn known(&mut self, calls: &[Queued]) -> Result<HashMap<i64, Arc<Rules>>, OdbError> {
        let last = self.odb.last_event(self.cluster_id).await?;
        if last != self.rules_of {
            self.rules.clear();
            self.rules_of = last;
        }
        let mut known = HashMap::new();
        for id in calls.iter().map(|queued| queued.call.channel_id).collect::<BTreeSet<_>>() {
            let rules = match self.rules.entry(id) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => entry.insert(Rules::load(&self.odb, id).await?.map(Arc::new)),
            };
            known.extend(rules.clone().map(|rules| (id, rules)));
        }
        Ok(known)
    }

    /// The entries of calls. Messages may be large, and are searched where that keeps no other task waiting.
    async fn entries(&self, calls: Vec<Queued>, rules: HashMap<i64, Arc<Rules>>) -> Vec<HttpSoapAudit> {
        let (cluster_id, count) = (self.cluster_id, calls.len());
        let made = tokio::task::spawn_blocking(move || {
            let of = |queued: &Queued| {
                rules.get(&queued.call.channel_id).map(|rules| entry(cluster_id, &queued.call, rules))
            };
            calls.iter().filter_map(of).collect()
        });
        made.await.unwrap_or_else(|error| {
            tracing::error!(%error, "audited calls can't be searched");
            self.statistics.drop_calls(count);
            Vec::new()
        })
    }

    /// Calls of a channel that is gone by now went with it.
    async fn insert(&self, entries: &[HttpSoapAudit]) -> Result<(), OdbError> {
        let transaction = self.odb.begin().await?;
        let ids = entries.iter().map(|entry| entry.conn_id).collect();
        let channels = transaction.names::<HttpSoap>(ids).await?;
        if entries.iter().all(|entry| channels.contains_key(&entry.conn_id)) {
            transaction.insert_audit(entries).await?;
        } else {
            let is_there = |entry: &&HttpSoapAudit| channels.contains_key(&entry.conn_id);
            let left: Vec<HttpSoapAudit> = entries.iter().filter(is_there).cloned().collect();
            transaction.insert_audit(&left).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    async fn trim(&self) -> Result<(), OdbError> {
        let channels = self.odb.audited_channels(self.cluster_id).await?;
        if channels.is_empty() {
            return Ok(());
        }
        let now = OffsetDateTime::now_utc();
        let transaction = self.odb.begin().await?;
        for id in channels {
            let Some(object) = transaction.find::<HttpSoap>(id).await? else { continue };
            let before = now.checked_sub(time::Duration::minutes(object.audit_back_log.into()));
            let before = before.unwrap_or(OffsetDateTime::UNIX_EPOCH);
            transaction.trim_audit(id, before, MAXIMUM_ENTRIES).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// A batch on its way.
enum Waiting {
    Calls(Vec<Queued>),
    Entries(Vec<HttpSoapAudit>),
}
