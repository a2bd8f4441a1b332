//! Puts a server together and starts it.
//!
//! Owns the order of the start, and which part gets which other part. It must not know business rules: it only
//! introduces those who do.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zato_admin::{
    Admin, AdminSettings, Applier, Audit, AuditStatistics, AuditWriter, BootstrapError, BootstrapOptions,
    Connectors, prepare, record_deployments, record_start, register_all,
};
use zato_channel::{ChannelStatistics, Channels, Dispatcher, Settings};
use zato_cid::{Form, SystemGenerator};
use zato_kvdb::{Administration, Command, Embedded, Kvdb, KvdbError, Redis, SystemClock};
use zato_odb::{KeyFileError, Odb, OdbConfig, OdbError, SecretKey};
use zato_outgoing::InvalidComponent;
use zato_service::{Environment, EnvironmentParts, Outgoing, Registry, RegistryError, Service};

use crate::access_log::AccessLogWriter;
use crate::background::Prepared;
use crate::config::{Config, ConfigError, ErrorDetails, KvdbLocation, OdbLocation};
use crate::files::{DataDirectory, DataDirectoryError, FileError};
use crate::follower::EventFollower;
use crate::listener::Listener;
use crate::metrics::Metrics;
use crate::running::RunningServer;
use crate::signals::Signals;
use crate::tls::{Tls, TlsError};
use crate::{credentials, descriptors, host, logging, pages};

/// The cluster that a first start creates.
const CLUSTER_NAME: &str = "main";

/// A server that is not started yet. Programs that bring services of their own add them here.
pub struct Server {
    config: Config,
    registry: Registry,
    registered: Result<(), RegistryError>,
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// A setting is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory can't be used.
    #[error(transparent)]
    DataDirectory(#[from] DataDirectoryError),
    /// A file of the data directory can't be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The key that secrets are encrypted with can't be used.
    #[error("can't use the key in {}", path.display())]
    SecretKey {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: KeyFileError,
    },
    /// The operational database can't be used.
    #[error("can't use the operational database")]
    Odb(#[from] OdbError),
    /// The key/value store can't be used.
    #[error("can't use the key/value store at {location}")]
    Kvdb {
        /// Its file or, without a password, its URL.
        location: String,
        /// Why.
        source: KvdbError,
    },
    /// The objects of a new cluster could not be created.
    #[error("can't prepare the cluster")]
    Bootstrap(#[from] BootstrapError),
    /// A service can't be registered.
    #[error("can't register a service")]
    Registry(#[from] RegistryError),
    /// The address can't be listened at.
    #[error("can't listen at {address}; is another server running there? --http chooses another address")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The certificates of the listener can't be used.
    #[error("can't listen for TLS connections")]
    Tls(#[from] TlsError),
    /// The host's name can't stand in a header.
    #[error("can't make a component name of the host's name")]
    Component(#[from] InvalidComponent),
    /// The configuration can't be loaded.
    #[error("can't load the configuration: {0}")]
    Load(Box<str>),
    /// The signals that stop the server can't be waited for.
    #[error("can't wait for signals")]
    Signals(#[source] io::Error),
}

impl Server {
    /// A server with these settings and its own services only.
    pub fn new(config: Config) -> Self {
        Self { config, registry: Registry::new(), registered: Ok(()) }
    }

    /// Adds a service. A name that is taken is reported when the server is started.
    #[must_use]
    pub fn with_service<S: Service>(mut self, service: S) -> Self {
        if self.registered.is_ok() {
            self.registered = self.registry.register(service).map(drop);
        }
        self
    }

    /// Starts the server and runs it until SIGTERM or SIGINT, then stops it gracefully.
    ///
    /// # Errors
    /// The server could not start.
    pub async fn run(self) -> Result<(), StartError> {
        self.start().await?.run_until_signal().await;
        Ok(())
    }

    /// Starts the server: when this returns, it accepts calls.
    ///
    /// # Errors
    /// Something that it needs can't be used; the error says what.
    pub async fn start(self) -> Result<RunningServer, StartError> {
        let Self { config, registry, registered } = self;
        logging::start(&config)?;
        descriptors::raise_limit();
        registered?;
        // From here on a signal means an orderly stop, however early it comes.
        let signals = Signals::new().map_err(StartError::Signals)?;
        // Listening comes first, so that a port in use is found before anything is created.
        let socket = listen(config.http).await?;
        let address = local_address(&socket, config.http)?;
        let tls = match &config.tls {
            None => None,
            Some(tls) => {
                let socket = listen(tls.address).await?;
                Some((local_address(&socket, tls.address)?, socket, Tls::new(tls.clone())?))
            }
        };
        let files = DataDirectory::open(&config.data_dir)?;
        let odb = open_odb(&config, &files).await?;
        let kvdb = open_kvdb(&config, &files).await?;
        let host = host::names();
        let outgoing =
            Outgoing::new(zato_outgoing::Outgoing::new(zato_outgoing::Environment::new(&component(&host))?));
        let tasks = TaskTracker::new();
        let environment = Environment::new(EnvironmentParts {
            outgoing,
            kvdb,
            registry: registry.clone(),
            cids: SystemGenerator::new(Form::default()),
            clock: OffsetDateTime::now_utc,
            tasks: tasks.clone(),
        });
        let statistics = ChannelStatistics::default();
        let audited = AuditStatistics::default();
        let (services, around) = (registry.clone(), environment.clone());
        let metrics = Arc::new(Metrics::new(services, statistics.clone(), around, audited.clone()));
        let channels = Channels::new(pages::pages(odb.clone(), metrics));

        let prepared = prepare(&odb, &registry, &bootstrap_options(&config, &host)).await?;
        credentials::keep(&files, prepared.bootstrap())?;
        let cluster = prepared.commit().await?;
        credentials::settle(&files, &cluster)?;
        let tells_credentials = credentials::check(&files, &cluster, &config);
        let connectors = Connectors::new(environment.clone(), &host, config.shutdown_timeout);
        let background = Prepared::new(&odb, &cluster, &environment, connectors.clone());
        let (cluster_id, routes) = (cluster.cluster_id, channels.clone());
        let applier = Applier::new(odb.clone(), cluster_id, routes, environment.clone(), connectors)
            .with_scheduler(background.background().scheduler.clone());
        let follower = Arc::new(EventFollower::new(odb.clone(), applier, cluster.cluster_id));
        let settings = AdminSettings {
            server_id: cluster.server_id,
            host,
            data_dir: config.data_dir.clone(),
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            return_internal_objects: config.return_internal_objects,
            internal_services_may_be_deleted: config.internal_services_may_be_deleted,
            ..AdminSettings::new(cluster.cluster_id, config.server_name.as_str(), OffsetDateTime::now_utc())
        };
        let admin = Admin::new(odb.clone(), channels.clone(), follower.clone(), settings)
            .with_background(background.background().clone());
        register_all(&registry, &admin)?;
        follower.load().await.map_err(|error| StartError::Load(error.to_string().into()))?;

        let (access_log, access_log_task) = match &config.access_log {
            Some(path) => {
                let (writer, task) = AccessLogWriter::open(path).await?;
                (Some(writer), Some(task))
            }
            None => (None, None),
        };
        let (audit, audit_writer) = AuditWriter::new(odb.clone(), cluster_id, audited);
        let audit_task = tokio::spawn(audit_writer.run());
        let dispatcher = dispatcher(&config, channels, environment, statistics, access_log, audit);
        let stop = CancellationToken::new();
        let https = tls.as_ref().map(|(address, ..)| *address);
        let (mut listening, connections) = (JoinSet::new(), TaskTracker::new());
        if let Some((_, socket, (tls, files))) = tls {
            listening.spawn(tls.clone().follow(files, stop.clone()));
            let listener = Listener::new(socket, dispatcher.clone()).with_tls(tls);
            listening.spawn(listener.run(stop.clone(), connections.clone()));
        }
        listening.spawn(Listener::new(socket, dispatcher).run(stop.clone(), connections.clone()));
        let following = tokio::spawn(follower.run(stop.clone()));
        let stats = background.background().stats.clone();
        let background = background.start(&stop);
        let now = OffsetDateTime::now_utc();
        record_start(&odb, cluster.server_id, address, now).await?;
        record_deployments(&odb, cluster.cluster_id, cluster.server_id, &registry, now).await?;
        files.write_server(address, https)?;
        tracing::info!(
            %address,
            https = https.map(|address| address.to_string()),
            pid = std::process::id(),
            server = config.server_name,
            odb = ?config.odb,
            services = registry.services().len(),
            version = env!("CARGO_PKG_VERSION"),
            "started"
        );
        Ok(RunningServer {
            address,
            files,
            tells_credentials,
            stop,
            listening,
            connections,
            following,
            background,
            stats,
            access_log_task,
            audit_task,
            tasks,
            shutdown_timeout: config.shutdown_timeout,
            odb,
            server_id: cluster.server_id,
            signals,
        })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("config", &self.config).field("registry", &self.registry).finish()
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| StartError::Listen { address, source })
}

fn local_address(socket: &TcpListener, wanted: SocketAddr) -> Result<SocketAddr, StartError> {
    socket.local_addr().map_err(|source| StartError::Listen { address: wanted, source })
}

async fn open_odb(config: &Config, files: &DataDirectory) -> Result<Odb, StartError> {
    let path = files.secret_key();
    let key = match SecretKey::load_or_create(&path) {
        Ok(key) => Arc::new(key),
        Err(source) => return Err(StartError::SecretKey { path, source }),
    };
    let mut odb = match &config.odb {
        OdbLocation::Sqlite => OdbConfig::sqlite(files.odb(), key),
        OdbLocation::Postgres(url) => OdbConfig::postgres(url.as_str(), key),
    };
    odb.application_name = format!("zato-server {}", config.server_name);
    Ok(Odb::open(&odb).await?)
}

/// A Redis server that is away keeps nobody from starting: what needs it fails until it is there, all else works.
async fn open_kvdb(config: &Config, files: &DataDirectory) -> Result<Kvdb, StartError> {
    let location = match &config.kvdb {
        KvdbLocation::Embedded => {
            let path = files.kvdb();
            return match Embedded::open(&path, Arc::new(SystemClock)).await {
                Ok(store) => Ok(Kvdb::new(store)),
                Err(source) => Err(StartError::Kvdb { location: path.display().to_string(), source }),
            };
        }
        KvdbLocation::Redis(location) => location,
    };
    let kvdb = match Redis::new(location) {
        Ok(store) => Kvdb::new(store),
        Err(source) => return Err(StartError::Kvdb { location: location.to_string(), source }),
    };
    if let Err(error) = kvdb.run(Command::Administration(Administration::Ping(None))).await {
        let error = &error as &dyn std::error::Error;
        tracing::warn!(error, %location, "the key/value store does not answer; what needs it fails until it does");
    }
    Ok(kvdb)
}

/// What outgoing calls name as their sender: server process and host, as the original does.
fn component(host: &str) -> String {
    format!("parallel/{host}/{}/main", std::process::id())
}

fn bootstrap_options(config: &Config, host: &str) -> BootstrapOptions {
    BootstrapOptions {
        cluster_name: CLUSTER_NAME.to_owned(),
        server_name: config.server_name.clone(),
        host: host.to_owned(),
        pubapi_password: config.pubapi_password.clone(),
        admin_invoke_password: config.admin_invoke_password.clone(),
    }
}

fn dispatcher(
    config: &Config,
    channels: Channels,
    environment: Environment,
    statistics: ChannelStatistics,
    access_log: Option<AccessLogWriter>,
    audit: Audit,
) -> Dispatcher {
    let settings = Settings {
        max_body_bytes: config.max_body_bytes,
        error_details: match config.error_details {
            ErrorDetails::Full => zato_channel::ErrorDetails::Full,
            ErrorDetails::Message => zato_channel::ErrorDetails::Message,
        },
        trusted_proxies: config.trusted_proxies.clone(),
        ..Settings::default()
    };
    let dispatcher = Dispatcher::new(channels, environment, settings)
        .with_statistics(statistics)
        .with_audit_log(Arc::new(audit));
    match access_log {
        Some(log) => dispatcher.with_access_log(Arc::new(log)),
        None => dispatcher,
    }
}
