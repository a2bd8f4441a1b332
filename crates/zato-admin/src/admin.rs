//! What every internal service shares: the operational database, the tables it changes, and who applies changes.
//!
//! Owns the handle that services are made with and the facts about the server that some of them report. It must not
//! know any family of services.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use futures_util::future::BoxFuture;
use time::OffsetDateTime;
use tokio::sync::{Mutex, MutexGuard};
use zato_channel::Channels;
use zato_odb::{EventId, Odb};
use zato_service::Error;

use crate::Background;

/// Whoever makes this server follow the event log.
///
/// A service that changes configuration commits the change together with its event, and waits here before it replies.
/// So a caller who has the reply finds the change in effect.
pub trait Follower: Send + Sync {
    /// Resolves when this server has applied the event log up to and including `event`.
    ///
    /// # Errors
    /// The event log can't be read, or the server is shutting down. The change itself is stored.
    fn applied(&self, event: EventId) -> BoxFuture<'_, Result<(), Error>>;
}

/// Facts about the server that the services run on, and the options that decide what they show.
#[derive(Clone, Debug)]
pub struct AdminSettings {
    /// The cluster of this server. Other clusters of the same database can be managed from here as well.
    pub cluster_id: i64,
    /// This server's row; 0 if it has none.
    pub server_id: i64,
    /// The server's name when it was started, unique in its cluster.
    pub server_name: String,
    /// The machine, as `hostname/fully.qualified.name`.
    pub host: String,
    /// Where the server keeps its data.
    pub data_dir: PathBuf,
    /// The version of the program.
    pub version: String,
    /// How many threads run services.
    pub workers: usize,
    /// When the server was started, UTC.
    pub started: OffsetDateTime,
    /// Whether lists show objects whose names start with `zato`. `false` unless an operator says so.
    pub return_internal_objects: bool,
    /// What lists say of internal services: whether they may be deleted.
    pub internal_services_may_be_deleted: bool,
}

impl AdminSettings {
    /// The settings of a server with the default options. Host, data directory and the rest are for the caller to fill
    /// in; they are only reported.
    #[must_use]
    pub fn new(cluster_id: i64, server_name: impl Into<String>, started: OffsetDateTime) -> Self {
        Self {
            cluster_id,
            server_id: 0,
            server_name: server_name.into(),
            host: String::new(),
            data_dir: PathBuf::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            workers: 1,
            started,
            return_internal_objects: false,
            internal_services_may_be_deleted: false,
        }
    }
}

/// What the internal services work with. Clones share everything.
#[derive(Clone)]
pub struct Admin(Arc<Inner>);

struct Inner {
    odb: Odb,
    channels: Channels,
    follower: Arc<dyn Follower>,
    settings: AdminSettings,
    background: OnceLock<Background>,
    turn: Mutex<()>,
}

impl Admin {
    /// Puts together what the services need. `channels` is the table that calls are routed by; it is only read here.
    #[must_use]
    pub fn new(odb: Odb, channels: Channels, follower: Arc<dyn Follower>, settings: AdminSettings) -> Self {
        let (background, turn) = (OnceLock::new(), Mutex::default());
        Self(Arc::new(Inner { odb, channels, follower, settings, background, turn }))
    }

    /// Lets services talk to what this server does by itself. Only the first one of several is talked to.
    #[must_use]
    pub fn with_background(self, background: Background) -> Self {
        self.0.background.get_or_init(|| background);
        self
    }

    /// What this server does by itself.
    pub(crate) fn background(&self) -> Result<&Background, Error> {
        self.0.background.get().ok_or_else(|| Error::unavailable("This server does nothing by itself"))
    }

    /// The operational database.
    #[must_use]
    pub fn odb(&self) -> &Odb {
        &self.0.odb
    }

    /// The facts and options that the services were made with.
    #[must_use]
    pub fn settings(&self) -> &AdminSettings {
        &self.0.settings
    }

    pub(crate) fn channels(&self) -> &Channels {
        &self.0.channels
    }

    pub(crate) fn follower(&self) -> &dyn Follower {
        &*self.0.follower
    }

    /// Waits until no other change of the configuration is under way on this server.
    ///
    /// The database lets one change in at a time anyway. But whoever waits there has a connection to it, and the one
    /// change under way needs a second one to read with: enough who wait would keep it from ending.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.0.turn.lock().await
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}
