//! What a server does by itself, without being called.
//!
//! Owns which parts these are, so that services can tell them something. It must not know how they work.

use zato_scheduler::Scheduler;
use zato_stats::Stats;

use crate::{Connectors, Leadership};

/// The parts of a server that work by themselves. Whoever puts the server together starts them.
#[derive(Clone, Debug)]
pub struct Background {
    /// The server's part in the election of the cluster's leader.
    pub leadership: Leadership,
    /// The channels of message brokers and sockets, which the leader runs.
    pub connectors: Connectors,
    /// Runs jobs while the server leads.
    pub scheduler: Scheduler,
    /// Notes how services fare.
    pub stats: Stats,
}
