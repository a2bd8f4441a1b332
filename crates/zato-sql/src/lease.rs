//! Connections: made when they are needed, kept while they are good, closed when they are not.
//!
//! Owns when a connection may be used again. It must not know statements.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{
    self, Manager, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult, TimeoutType, Timeouts,
};
use sqlx::{ConnectOptions, Connection};
use tokio::runtime::Handle;

use crate::config::Config;
use crate::dialect::Dialect;
use crate::pool::Status;
use crate::{Engine, Error};

/// A connection that was not used for longer is tried before it is used again, because the database or something between
/// may have closed it meanwhile. Under load connections hardly rest, and nothing is added to a statement.
const TRY_AFTER: Duration = Duration::from_millis(100);

/// How long the try of a kept connection may take.
const TRY_TIMEOUT: Duration = Duration::from_secs(3);

/// How old connections become unless a definition says otherwise. MySQL ends sessions by itself after some time.
const MYSQL_LIFETIME: Duration = Duration::from_secs(600);
const POSTGRESQL_LIFETIME: Duration = Duration::from_secs(3600);

/// How many connections without a pool may be under way to the database at the same time.
const UNPOOLED: usize = 64;

/// Makes and tries connections of one definition.
struct Maker<D: Dialect> {
    options: <D::Connection as Connection>::Options,
    lifetime: Duration,
    made: Instant,
    /// When a connection was last closed in the middle, in microseconds since `made`.
    doubted: AtomicU64,
}

impl<D: Dialect> Maker<D> {
    fn new(options: <D::Connection as Connection>::Options, lifetime: Duration) -> Self {
        Self { options, lifetime, made: Instant::now(), doubted: AtomicU64::new(0) }
    }

    fn since_made(&self, at: Instant) -> u64 {
        u64::try_from(at.saturating_duration_since(self.made).as_micros()).unwrap_or(u64::MAX)
    }

    /// What broke one connection, such as the end of the database, may have broken those beside it.
    fn doubt_all(&self) {
        self.doubted.fetch_max(self.since_made(Instant::now()), Relaxed);
    }

    /// Whether a connection has not been tried since one beside it was closed in the middle.
    fn is_in_doubt(&self, tried: Instant) -> bool {
        self.since_made(tried) < self.doubted.load(Relaxed)
    }
}

impl<D: Dialect> Manager for Maker<D> {
    type Type = D::Connection;
    type Error = sqlx::Error;

    async fn create(&self) -> Result<D::Connection, sqlx::Error> {
        self.options.connect().await
    }

    async fn recycle(&self, connection: &mut D::Connection, metrics: &Metrics) -> RecycleResult<sqlx::Error> {
        if metrics.age() > self.lifetime {
            return Err(RecycleError::message("it is too old"));
        }
        let tried = metrics.recycled.unwrap_or(metrics.created);
        if tried.elapsed() > TRY_AFTER || self.is_in_doubt(tried) {
            connection.ping().await?;
        }
        Ok(())
    }
}

/// Where the connections of one definition come from.
pub(crate) struct Source<D: Dialect> {
    name: Arc<str>,
    pool: managed::Pool<Maker<D>>,
    is_pooled: bool,
}

impl<D: Dialect> Source<D> {
    pub(crate) fn new(config: &Config, name: Arc<str>) -> Self {
        let extra = &config.extra;
        let lifetime = extra.pool_recycle.unwrap_or(match config.engine {
            Engine::MySql => MYSQL_LIFETIME,
            Engine::PostgreSql => POSTGRESQL_LIFETIME,
            Engine::Sqlite => Duration::MAX,
        });
        let is_pooled = config.pool_size > 0;
        let size = if is_pooled { (config.pool_size + extra.max_overflow) as usize } else { UNPOOLED };
        let pool = managed::Pool::builder(Maker::new(D::options(config), lifetime))
            .max_size(size)
            .timeouts(Timeouts {
                wait: Some(extra.pool_timeout),
                create: Some(extra.connect_timeout),
                recycle: Some(TRY_TIMEOUT),
            })
            // The one used last is the least likely to have been closed by the other side.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build();
        #[expect(clippy::expect_used, reason = "all that can be missing is the runtime, and it is given")]
        let pool = pool.expect("a pool with a runtime");
        Self { name, pool, is_pooled }
    }

    /// A connection that nobody else uses.
    pub(crate) async fn lease(&self) -> Result<Lease<D>, Error> {
        let object = self.pool.get().await.map_err(|error| self.error(error))?;
        if self.is_pooled {
            Ok(Lease(Some(Held::Pooled(object))))
        } else {
            Ok(Lease(Some(Held::Single(Object::take(object)))))
        }
    }

    pub(crate) fn status(&self) -> Status {
        Status::new(self.pool.status())
    }

    fn error(&self, error: PoolError<sqlx::Error>) -> Error {
        let connection = Arc::clone(&self.name);
        let timeouts = self.pool.timeouts();
        match error {
            PoolError::Backend(source) => Error::connecting(connection, source),
            PoolError::Timeout(TimeoutType::Wait) => Error::Exhausted {
                connection,
                size: self.pool.status().max_size,
                after: timeouts.wait.unwrap_or_default(),
            },
            PoolError::Timeout(_) => {
                Error::ConnectTimeout { connection, after: timeouts.create.unwrap_or_default() }
            }
            // A pool is closed when nobody has it any longer, and it has no hooks.
            PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                Error::connecting(connection, sqlx::Error::PoolClosed)
            }
        }
    }
}

impl<D: Dialect> Drop for Source<D> {
    /// Says goodbye to the database. Nothing is under way: whatever is has a share in the pool.
    fn drop(&mut self) {
        let resting = self.pool.retain(|_, _| false).removed;
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(async move {
                for connection in resting {
                    close(connection).await;
                }
            });
        }
    }
}

/// A connection on loan. Dropping it closes the connection, which ends whatever the database was doing for it, and has
/// those of its pool tried before they are used again; a connection that is good goes back with
/// [`give_back`](Self::give_back).
pub(crate) struct Lease<D: Dialect>(Option<Held<D>>);

enum Held<D: Dialect> {
    Pooled(Object<Maker<D>>),
    Single(D::Connection),
}

impl<D: Dialect> Lease<D> {
    pub(crate) fn connection(&mut self) -> &mut D::Connection {
        #[expect(
            clippy::expect_used,
            reason = "only giving the lease back takes the connection, and that consumes it"
        )]
        match self.0.as_mut().expect("a lease has a connection") {
            Held::Pooled(object) => object,
            Held::Single(connection) => connection,
        }
    }

    /// Puts a connection that has nothing under way back into its pool, or closes it if it has none.
    pub(crate) async fn give_back(mut self) {
        match self.0.take() {
            Some(Held::Pooled(object)) => drop(object),
            Some(Held::Single(connection)) => close(connection).await,
            None => {}
        }
    }
}

impl<D: Dialect> Drop for Lease<D> {
    fn drop(&mut self) {
        if let Some(Held::Pooled(object)) = self.0.take() {
            if let Some(pool) = Object::pool(&object) {
                pool.manager().doubt_all();
            }
            drop(Object::take(object));
        }
    }
}

async fn close(connection: impl Connection) {
    if let Err(error) = connection.close().await {
        tracing::debug!(%error, "an SQL connection was not closed in an orderly way");
    }
}
