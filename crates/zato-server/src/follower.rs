//! Brings this server's run-time state up to date with the event log.
//!
//! Owns the position in the log: what was applied, and that events are applied one after the other; and how long the log is kept. It
//! must not know what an event changes: the applier does.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use time::OffsetDateTime;
use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use zato_admin::{Applier, Follower};
use zato_odb::{EventId, Odb, OdbError};
use zato_service::Error;

/// How often other servers' changes are looked for.
const INTERVAL: Duration = Duration::from_millis(500);

/// How long the log is kept. A server that was away for longer loads the whole configuration.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How often events are looked for that are older than that.
const TRIM_INTERVAL: Duration = Duration::from_secs(60 * 60);

/// How many events are read at once.
const BATCH: u32 = 200;

/// Applies the event log of one cluster in order.
pub(crate) struct EventFollower {
    odb: Odb,
    applier: Applier,
    cluster_id: i64,
    applied: Mutex<EventId>,
}

impl EventFollower {
    /// A follower that has applied nothing yet.
    pub(crate) fn new(odb: Odb, applier: Applier, cluster_id: i64) -> Self {
        Self { odb, applier, cluster_id, applied: Mutex::new(EventId::START) }
    }

    /// Loads the whole configuration and goes on from the event that it includes.
    ///
    /// # Errors
    /// The operational database can't be read.
    pub(crate) async fn load(&self) -> Result<(), Error> {
        let mut applied = self.applied.lock().await;
        *applied = self.applier.load_all().await?;
        Ok(())
    }

    /// Applies what was not applied yet, up to the event that is wanted or to the end of the log.
    async fn catch_up(&self, wanted: Option<EventId>) -> Result<(), Error> {
        let mut applied = self.applied.lock().await;
        while wanted.is_none_or(|wanted| *applied < wanted) {
            let events = match self.odb.events_after(self.cluster_id, *applied, BATCH).await {
                Ok(events) => events,
                // This server was cut off for longer than the log is kept, so only the whole configuration will do.
                Err(OdbError::EventsTrimmed { .. }) => {
                    *applied = self.applier.load_all().await?;
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if events.is_empty() {
                break;
            }
            for event in events {
                self.applier.apply(&event).await?;
                *applied = event.id;
            }
        }
        Ok(())
    }

    /// Looks for other servers' changes until `stop` is cancelled.
    pub(crate) async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut is_away = false;
        let mut trim = tokio::time::interval(TRIM_INTERVAL);
        trim.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(tokio::time::sleep(INTERVAL)).await.is_some() {
            match self.catch_up(None).await {
                Ok(()) if is_away => {
                    is_away = false;
                    tracing::info!("the operational database is back");
                }
                Ok(()) => {}
                Err(error) if !is_away => {
                    is_away = true;
                    tracing::error!(%error, "can't read the event log; calls go on with the configuration known so far");
                }
                Err(_) => {}
            }
            if !is_away && trim.tick().now_or_never().is_some() {
                self.trim().await;
            }
        }
    }

    /// Removes what nobody needs any more. Every server of the cluster may do it.
    async fn trim(&self) {
        match self.odb.trim_events(OffsetDateTime::now_utc() - KEPT).await {
            Ok(0) => {}
            Ok(removed) => tracing::debug!(removed, "old events are removed"),
            Err(error) => tracing::warn!(error = &error as &dyn StdError, "old events are not removed"),
        }
    }
}

impl Follower for EventFollower {
    fn applied(&self, event: EventId) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            self.catch_up(Some(event)).await.map_err(|error| {
                tracing::error!(%error, "a change is stored but could not be applied yet");
                Error::unavailable(
                    "The change is stored but could not be applied yet; it will be as soon as the operational database answers",
                )
            })
        })
    }
}
