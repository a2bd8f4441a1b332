//! The connection that all callers share.
//!
//! Owns its making, its loss, and every time-out. It must not know commands.
//!
//! There is at most one connection. It is used until something says that it is gone: the connection itself, when the other
//! side closes it, or a command that fails because of it or is not answered in time. The next command makes a new one,
//! and those that come meanwhile wait for that; if it fails, it has failed for all of them.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, PushInfo, PushKind, RedisError};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::RedisLocation;

/// How long it may take to connect, with TLS and authentication.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long an answer may take.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

/// Makes connections, one after the other.
#[derive(Clone)]
pub(super) struct Connections(Arc<Inner>);

struct Inner {
    client: Client,
    current: ArcSwapOption<Current>,
    /// Held while connecting; when that failed last, and why.
    connecting: Mutex<Option<(Instant, RedisError)>>,
}

struct Current {
    connection: MultiplexedConnection,
    lost: Arc<AtomicBool>,
}

impl Connections {
    pub(super) fn new(location: &RedisLocation) -> Result<Self, RedisError> {
        let client = Client::open((*location.0).clone())?;
        let (current, connecting) = (ArcSwapOption::empty(), Mutex::new(None));
        Ok(Self(Arc::new(Inner { client, current, connecting })))
    }

    /// Does something with the connection.
    pub(super) async fn with<R>(
        &self,
        act: impl AsyncFnOnce(MultiplexedConnection) -> Result<R, RedisError>,
    ) -> Result<R, RedisError> {
        let current = match self.usable() {
            Some(current) => current,
            None => self.connect().await?,
        };
        let result = act(current.connection.clone()).await;
        if let Err(error) = &result
            && (error.is_io_error() || error.is_unrecoverable_error())
        {
            current.lost.store(true, Ordering::Relaxed);
        }
        result
    }

    fn usable(&self) -> Option<Arc<Current>> {
        self.0.current.load_full().filter(|current| !current.lost.load(Ordering::Relaxed))
    }

    async fn connect(&self) -> Result<Arc<Current>, RedisError> {
        let asked = Instant::now();
        let mut last_failure = self.0.connecting.lock().await;
        if let Some(current) = self.usable() {
            return Ok(current);
        }
        if let Some((when, error)) = &*last_failure
            && *when >= asked
        {
            return Err(error.clone());
        }
        let lost = Arc::new(AtomicBool::new(false));
        match self.open(Arc::clone(&lost)).await {
            Ok(connection) => {
                let current = Arc::new(Current { connection, lost });
                self.0.current.store(Some(Arc::clone(&current)));
                Ok(current)
            }
            Err(error) => {
                *last_failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    async fn open(&self, lost: Arc<AtomicBool>) -> Result<MultiplexedConnection, RedisError> {
        let notice = move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                lost.store(true, Ordering::Relaxed);
            }
            Ok::<(), redis::aio::SendError>(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_push_sender(notice);
        self.0.client.get_multiplexed_async_connection_with_config(&config).await
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("connected", &self.usable().is_some()).finish_non_exhaustive()
    }
}
