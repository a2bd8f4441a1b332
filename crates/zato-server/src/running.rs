//! A server that runs, and how it ends.
//!
//! Owns the order in which its parts stop, and how long each of them is waited for. It must not know what they do.

use std::net::SocketAddr;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zato_admin::record_stop;
use zato_odb::Odb;
use zato_stats::Stats;

use crate::files::DataDirectory;
use crate::signals::Signals;

/// How long what there is to write about the last calls may take at least, however long the calls took.
const LAST_WRITES: Duration = Duration::from_secs(5);

/// A server that accepts calls.
#[derive(Debug)]
pub struct RunningServer {
    pub(crate) address: SocketAddr,
    pub(crate) files: DataDirectory,
    /// Whether `credentials.json` holds the passwords that count.
    pub(crate) tells_credentials: bool,
    pub(crate) stop: CancellationToken,
    /// The listeners, with which their connections end.
    pub(crate) listening: JoinSet<()>,
    /// Counts the connections of all listeners.
    pub(crate) connections: TaskTracker,
    pub(crate) following: JoinHandle<()>,
    pub(crate) background: TaskTracker,
    pub(crate) stats: Stats,
    pub(crate) access_log_task: Option<JoinHandle<()>>,
    pub(crate) audit_task: JoinHandle<()>,
    pub(crate) tasks: TaskTracker,
    pub(crate) shutdown_timeout: Duration,
    pub(crate) odb: Odb,
    pub(crate) server_id: i64,
    pub(crate) signals: Signals,
}

impl RunningServer {
    /// The address that it listens at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The files of its data directory.
    pub fn files(&self) -> &DataDirectory {
        &self.files
    }

    /// Says on standard output that the server is ready, and runs it until SIGTERM or SIGINT.
    pub async fn run_until_signal(mut self) {
        let Self { address, files, .. } = &self;
        let credentials = if self.tells_credentials {
            format!(" credentials are in {},", files.credentials().display())
        } else {
            String::new()
        };
        println!(
            "zato-server is ready at http://{address},{credentials} try: curl http://{address}/zato/ping"
        );
        let signal = self.signals.stop().await;
        tracing::info!(signal, "stopping; calls in flight are finished first");
        self.stop().await;
    }

    /// Stops accepting calls, and finishes those in flight and the background invocations within the time that the settings
    /// give. What is still there then is dropped; only what there is to write about the last calls has five
    /// seconds more.
    pub async fn stop(mut self) {
        let begun = Instant::now();
        self.stop.cancel();
        let calls = async {
            while self.listening.join_next().await.is_some() {}
            self.background.wait().await;
            self.tasks.close();
            self.tasks.wait().await;
        };
        if timeout(self.shutdown_timeout, calls).await.is_err() {
            tracing::warn!(
                connections = self.connections.len(),
                background_invocations = self.tasks.len(),
                grace = ?self.shutdown_timeout,
                "the time to stop is over; what is still in flight is dropped"
            );
            self.listening.shutdown().await;
        }
        let rest = self.shutdown_timeout.saturating_sub(begun.elapsed()).max(LAST_WRITES);
        let state = async {
            self.background.wait().await;
            // The calls that ended since everything was told to stop.
            if let Err(error) = self.stats.flush().await {
                tracing::warn!(%error, "the last calls are missing in the statistics");
            }
            drop(self.following.await);
            let recorded = record_stop(&self.odb, self.server_id, OffsetDateTime::now_utc());
            if let Err(error) = recorded.await {
                tracing::warn!(%error, "the operational database could not be told that the server stops");
            }
        };
        let access_log = async {
            if let Some(task) = self.access_log_task {
                drop(task.await);
            }
        };
        let audit_log = async { drop(self.audit_task.await) };
        tokio::join!(
            within(rest, state, "the statistics and the operational database"),
            within(rest, access_log, "the access log"),
            within(rest, audit_log, "the audit log"),
        );
        self.files.remove_server();
        tracing::info!("stopped");
    }
}

/// Waits for what is written of the last calls, but no longer than `rest`.
async fn within(rest: Duration, writing: impl Future<Output = ()>, to: &str) {
    if timeout(rest, writing).await.is_err() {
        tracing::warn!(to, "the last calls, or that the server stops, could not be written in time");
    }
}
