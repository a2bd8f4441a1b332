//! Puts together and starts what the server does by itself, and ends it.
//!
//! Owns the tasks of it. It must not know what they do.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zato_admin::{Background, Bootstrap, Connectors, JobStore, Leadership, LeaseTimes, without_secrets};
use zato_odb::Odb;
use zato_scheduler::{Runner, Scheduler};
use zato_service::Environment;
use zato_stats::Stats;

/// What the server is going to do by itself.
pub(crate) struct Prepared {
    background: Background,
    runner: Runner,
}

impl Prepared {
    /// Everything for the server that `cluster` says.
    pub(crate) fn new(
        odb: &Odb,
        cluster: &Bootstrap,
        environment: &Environment,
        connectors: Connectors,
    ) -> Self {
        let Bootstrap { cluster_id, server_id, .. } = *cluster;
        let leadership = Leadership::new(odb.clone(), cluster_id, server_id, LeaseTimes::default());
        let store = Arc::new(JobStore::new(odb.clone(), cluster_id, server_id));
        let (scheduler, runner) = Scheduler::new(environment.clone(), store, leadership.subscribe());
        let stats = Stats::new(environment, without_secrets);
        Self { background: Background { leadership, connectors, scheduler, stats }, runner }
    }

    /// How services talk to it.
    pub(crate) fn background(&self) -> &Background {
        &self.background
    }

    /// Starts everything. All of it ends soon after `stop` is cancelled, and then so do the tasks.
    pub(crate) fn start(self, stop: &CancellationToken) -> TaskTracker {
        let tasks = TaskTracker::new();
        tasks.spawn(self.runner.run(stop.clone()));
        let leads = self.background.leadership.subscribe();
        tasks.spawn(self.background.connectors.run(leads, stop.clone()));
        tasks.spawn(self.background.leadership.run(stop.clone()));
        tasks.spawn(self.background.stats.run(stop.clone()));
        tasks.close();
        tasks
    }
}
