//! The handle by which others tell the scheduler about jobs.
//!
//! Owns the commands. It must not know when anything runs: the runner does.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};
use zato_service::Environment;

use crate::runner::Runner;
use crate::{JobConfig, Store};

/// Tells a [`Runner`] about jobs. Clones talk to the same one; none of them waits for it.
#[derive(Clone, Debug)]
pub struct Scheduler(mpsc::UnboundedSender<Command>);

/// What the runner is told.
#[derive(Debug)]
pub(crate) enum Command {
    ReplaceAll(Vec<JobConfig>),
    Put(JobConfig),
    Remove(i64),
    Execute(i64),
}

impl Scheduler {
    /// A scheduler without jobs, and what makes the runs once it is [run](Runner::run). Jobs are known on every server
    /// of a cluster; only while `leads` says so are they run.
    #[must_use]
    pub fn new(
        environment: Environment,
        store: Arc<dyn Store>,
        leads: watch::Receiver<bool>,
    ) -> (Self, Runner) {
        let (sender, commands) = mpsc::unbounded_channel();
        (Self(sender), Runner::new(environment, store, leads, commands))
    }

    /// Makes these all the jobs there are.
    pub fn replace_all(&self, jobs: Vec<JobConfig>) {
        self.tell(Command::ReplaceAll(jobs));
    }

    /// Adds a job, or replaces the one with the same id.
    pub fn put(&self, job: JobConfig) {
        self.tell(Command::Put(job));
    }

    /// Forgets a job. Runs of it that have begun go on.
    pub fn remove(&self, id: i64) {
        self.tell(Command::Remove(id));
    }

    /// Runs a job now, on this server, whether it leads or not. The job's schedule stays as it is, and the run does not
    /// count. A job that is not known, for one because it is inactive, is only logged.
    pub fn execute(&self, id: i64) {
        self.tell(Command::Execute(id));
    }

    fn tell(&self, command: Command) {
        // A runner that has ended has no jobs to change: the server is shutting down.
        drop(self.0.send(command));
    }
}
