//! What a cluster begins with: its definitions, its services and their default channels.
//!
//! Owns which objects those are. It adds what a new version brings along, and never touches what is there: a default
//! channel is made together with its service's row only, so that one which an operator deleted stays deleted. It must
//! not know how any of these objects is put in effect.

use std::collections::{HashMap, HashSet};

use time::OffsetDateTime;
use zato_odb::model::{
    Cluster, Connection, DeletedService, Everything, HttpSoap, Job, JobType, RbacPermission, RbacRole,
    RbacRoleFilter, SecurityDefinition, SecurityFilter, SecurityKind, Server, Service, Transport,
};
use zato_odb::{Action, Change, Object, Odb, OdbError, Read, Secret, Transaction};
use zato_service::Registry;

use crate::jobs::STARTUP_JOBS;
use crate::password;
use crate::services::invoke_by_path;

/// The definition that guards the public API.
const PUBAPI: &str = "pubapi";
/// The definition that guards `/zato/admin/invoke`.
const ADMIN_INVOKE: &str = "admin.invoke";
const PING_BASIC_AUTH: &str = "zato.ping.plain_http.basic_auth";
const PING_SOAP_BASIC_AUTH: &str = "zato.ping.soap.basic_auth";
const PING_SOAP_WSS: &str = "zato.ping.soap.wss.clear_text";

/// The role that all others inherit from.
pub(crate) const ROOT_ROLE: &str = "Root";
/// What roles may be permitted to do to services.
const PERMISSIONS: [&str; 4] = ["Create", "Read", "Update", "Delete"];

/// In seconds: how old a token of the default WS-Security definition may be.
const TOKEN_LIFETIME: i32 = 3600;

/// Who made a change, in events.
const ACTOR: &str = "bootstrap";

/// What is to be found, or made.
#[derive(Debug)]
pub struct BootstrapOptions {
    /// The cluster.
    pub cluster_name: String,
    /// This server, in the cluster.
    pub server_name: String,
    /// The machine, as `hostname/fully.qualified.name`.
    pub host: String,
    /// The password of `pubapi`. Without one a new cluster has a random one, and an old one stays as it is.
    pub pubapi_password: Option<Secret>,
    /// The password of `admin.invoke`; as that of `pubapi`.
    pub admin_invoke_password: Option<Secret>,
}

/// What there is now.
#[derive(Debug)]
pub struct Bootstrap {
    /// The cluster.
    pub cluster_id: i64,
    /// This server's row.
    pub server_id: i64,
    /// Whether the cluster was made just now.
    pub created: bool,
    /// Whether the password of one of the two definitions that the public API is reached with was set just now.
    pub is_password_set: bool,
    /// The passwords of the two definitions.
    pub credentials: Credentials,
}

/// A cluster that is ready, and not stored yet. Dropping it changes nothing.
#[must_use]
#[derive(Debug)]
pub struct Prepared {
    tx: Transaction,
    bootstrap: Bootstrap,
}

impl Prepared {
    /// What there is once it is stored.
    pub fn bootstrap(&self) -> &Bootstrap {
        &self.bootstrap
    }

    /// Stores it.
    ///
    /// # Errors
    /// The operational database failed. If the connection to it broke, it may have been stored all the same.
    pub async fn commit(self) -> Result<Bootstrap, BootstrapError> {
        self.tx.commit().await?;
        Ok(self.bootstrap)
    }
}

/// The passwords that the public API is reached with, each unless its definition is gone. The user names are those of the
/// definitions.
#[derive(Debug)]
pub struct Credentials {
    /// That of `pubapi`.
    pub pubapi: Option<Secret>,
    /// That of `admin.invoke`.
    pub admin_invoke: Option<Secret>,
}

/// Why a cluster can't be prepared. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BootstrapError {
    /// The operational database failed.
    #[error("the operational database failed")]
    Odb(#[from] OdbError),
    /// There are no random numbers to make passwords of.
    #[error("the operating system gave no random numbers")]
    NoEntropy(#[from] getrandom::Error),
}

/// Finds the cluster and the server, makes them if this is the first start, and adds what is new: rows for the services
/// of the catalogue that are built and for those in `registry`, and the default channels of the former.
///
/// All of it is one transaction, which is yet to be committed: new passwords can be kept elsewhere before they count. Servers
/// that start at the same time wait for one another.
///
/// # Errors
/// The operational database or the source of random numbers failed.
pub async fn prepare(
    odb: &Odb,
    registry: &Registry,
    options: &BootstrapOptions,
) -> Result<Prepared, BootstrapError> {
    let mut tx = odb.begin().await?;
    let (cluster, created) = match tx.find_cluster(&options.cluster_name).await? {
        Some(cluster) => (cluster, false),
        None => (create_cluster(&mut tx, options).await?, true),
    };
    let mut work = Work { tx, cluster_id: cluster.id, is_new: created };
    let server_id = work.add_server(options).await?;
    work.add_roles().await?;
    let is_password_set = if created {
        work.create_definitions(options).await?;
        true
    } else {
        let pubapi = work.set_password(PUBAPI, options.pubapi_password.as_ref()).await?;
        let admin_invoke = work.set_password(ADMIN_INVOKE, options.admin_invoke_password.as_ref()).await?;
        pubapi || admin_invoke
    };
    work.add_services(registry).await?;
    work.add_jobs().await?;
    let credentials = Credentials {
        pubapi: work.password(PUBAPI).await?,
        admin_invoke: work.password(ADMIN_INVOKE).await?,
    };
    let bootstrap = Bootstrap { cluster_id: cluster.id, server_id, created, is_password_set, credentials };
    Ok(Prepared { tx: work.tx, bootstrap })
}

/// The same for those who need not keep the passwords: what is prepared is stored at once.
///
/// # Errors
/// As those of [`prepare`].
pub async fn bootstrap(
    odb: &Odb,
    registry: &Registry,
    options: &BootstrapOptions,
) -> Result<Bootstrap, BootstrapError> {
    prepare(odb, registry, options).await?.commit().await
}

async fn create_cluster(tx: &mut Transaction, options: &BootstrapOptions) -> Result<Cluster, OdbError> {
    let mut cluster = Cluster::new(options.cluster_name.as_str());
    cluster.description = Some(format!("Created on {}", options.host));
    tx.insert(&cluster).await
}

/// A bootstrap under way.
struct Work {
    tx: Transaction,
    cluster_id: i64,
    /// Nobody follows the events of a cluster that did not exist yet.
    is_new: bool,
}

impl Work {
    /// Returns the id of the server's row.
    async fn add_server(&mut self, options: &BootstrapOptions) -> Result<i64, BootstrapError> {
        if let Some(server) = self.tx.find_by_name::<Server>(self.cluster_id, &options.server_name).await? {
            return Ok(server.id);
        }
        let token = password::random()?;
        let mut server = Server::new(self.cluster_id, options.server_name.as_str(), token.expose());
        server.host = Some(options.host.clone());
        server.last_join_mod_date = Some(OffsetDateTime::now_utc());
        server.last_join_mod_by = Some(options.host.chars().take(200).collect());
        Ok(self.tx.insert(&server).await?.id)
    }

    async fn create_definitions(&mut self, options: &BootstrapOptions) -> Result<(), BootstrapError> {
        let basic_auth = |realm: &str| SecurityKind::BasicAuth { realm: realm.to_owned() };
        let wss = SecurityKind::WsSecurity {
            password_type: "clear_text".to_owned(),
            reject_empty_nonce_creat: false,
            reject_stale_tokens: Some(true),
            reject_expiry_limit: TOKEN_LIFETIME,
            nonce_freshness_time: Some(TOKEN_LIFETIME),
        };
        let definitions = [
            (PUBAPI, basic_auth("Zato public API"), options.pubapi_password.clone()),
            (ADMIN_INVOKE, basic_auth("Zato admin invoke"), options.admin_invoke_password.clone()),
            (PING_BASIC_AUTH, basic_auth("Zato ping"), None),
            (PING_SOAP_BASIC_AUTH, basic_auth("Zato ping"), None),
            (PING_SOAP_WSS, wss, None),
        ];
        for (name, kind, password) in definitions {
            let mut definition = SecurityDefinition::new(self.cluster_id, name, name, kind);
            definition.password = Some(match password {
                Some(password) => password,
                None => password::random()?,
            });
            self.insert(&definition).await?;
        }
        Ok(())
    }

    /// Adds the root of all roles and the permissions of the methods of HTTP, to clusters that have no role at all: what an
    /// operator deleted stays deleted as long as one is left.
    async fn add_roles(&mut self) -> Result<(), BootstrapError> {
        if self.tx.count::<RbacRole>(self.cluster_id, &RbacRoleFilter::default()).await? > 0 {
            return Ok(());
        }
        let cluster_id = self.cluster_id;
        self.insert(&RbacRole { id: 0, cluster_id, name: ROOT_ROLE.to_owned(), parent_id: None }).await?;
        for name in PERMISSIONS {
            if self.tx.find_by_name::<RbacPermission>(cluster_id, name).await?.is_none() {
                self.insert(&RbacPermission { id: 0, cluster_id, name: name.to_owned() }).await?;
            }
        }
        Ok(())
    }

    /// Gives a definition the password that the server was started with. Says whether that made a difference.
    async fn set_password(&mut self, name: &str, password: Option<&Secret>) -> Result<bool, BootstrapError> {
        let Some(password) = password else { return Ok(false) };
        let Some(mut definition) = self.tx.find_by_name::<SecurityDefinition>(self.cluster_id, name).await?
        else {
            tracing::warn!(name, "there is no security definition to give the password to");
            return Ok(false);
        };
        if definition.password.as_ref() == Some(password) {
            return Ok(false);
        }
        definition.password = Some(password.clone());
        self.tx.update(&definition).await?;
        self.record(&definition, Action::PasswordChanged).await?;
        tracing::info!(name, "the password was changed to the one that the server was started with");
        Ok(true)
    }

    async fn password(&self, name: &str) -> Result<Option<Secret>, BootstrapError> {
        let definition = self.tx.find_by_name::<SecurityDefinition>(self.cluster_id, name).await?;
        Ok(definition.and_then(|definition| definition.password))
    }

    async fn add_services(&mut self, registry: &Registry) -> Result<(), BootstrapError> {
        let stored = self.tx.list::<Service>(self.cluster_id, &Everything).await?;
        let deleted = self.tx.list::<DeletedService>(self.cluster_id, &Everything).await?;
        let deleted = deleted.into_iter().map(|service| service.name);
        let stored: HashSet<String> = stored.into_iter().map(|service| service.name).chain(deleted).collect();
        let definitions =
            self.tx.list::<SecurityDefinition>(self.cluster_id, &SecurityFilter::default()).await?;
        let definitions: HashMap<String, i64> =
            definitions.into_iter().map(|definition| (definition.name, definition.id)).collect();

        let built = zato_catalogue::services().iter().filter(|service| service.is_built());
        let built = built.map(|service| service.name).chain([invoke_by_path::NAME]);
        for name in built.filter(|name| !stored.contains(*name)) {
            let mut service = Service::new(self.cluster_id, name, name);
            service.is_internal = true;
            let service = self.insert(&service).await?;
            for channel in default_channels(name) {
                self.add_channel(channel, service.id, &definitions).await?;
            }
        }
        for service in registry.services() {
            let name = service.name();
            if !service.is_internal() && !stored.contains(name) {
                self.insert(&Service::new(self.cluster_id, name, name)).await?;
            }
        }
        Ok(())
    }

    /// The jobs that every cluster has begin now.
    async fn add_jobs(&mut self) -> Result<(), BootstrapError> {
        for startup in STARTUP_JOBS {
            if self.tx.find_by_name::<Job>(self.cluster_id, startup.service).await?.is_some() {
                continue;
            }
            let Some(service) = self.tx.find_by_name::<Service>(self.cluster_id, startup.service).await?
            else {
                continue;
            };
            let job = Job {
                id: 0,
                cluster_id: self.cluster_id,
                name: service.name,
                is_active: true,
                job_type: JobType::IntervalBased,
                start_date: OffsetDateTime::now_utc(),
                extra: startup.extra.map(str::to_owned),
                service_id: service.id,
                weeks: None,
                days: None,
                hours: None,
                minutes: startup.minutes,
                seconds: startup.seconds,
                repeats: None,
                cron_definition: None,
            };
            self.insert(&job).await?;
        }
        Ok(())
    }

    async fn add_channel(
        &mut self,
        default: DefaultChannel,
        service_id: i64,
        definitions: &HashMap<String, i64>,
    ) -> Result<(), BootstrapError> {
        let transport = default.soap_action.as_ref().map_or(Transport::PlainHttp, |_| Transport::Soap);
        let mut channel =
            HttpSoap::new(self.cluster_id, Connection::Channel, transport, default.name, default.url_path);
        channel.is_internal = true;
        channel.service_id = Some(service_id);
        channel.data_format = Some(if transport == Transport::Soap { "xml" } else { "json" }.to_owned());
        if let Some(soap_action) = default.soap_action {
            channel.soap_action = soap_action;
            channel.soap_version = Some("1.1".to_owned());
        }
        if let Some(name) = default.security {
            let Some(id) = definitions.get(name) else {
                // Without it the channel would let everyone in.
                tracing::warn!(
                    channel = channel.name,
                    name,
                    "no default channel: its security definition is gone"
                );
                return Ok(());
            };
            channel.security_id = Some(*id);
        }
        let namesake = self.tx.find_namesake(&channel).await?;
        if let Some(rival) = namesake.or(self.tx.find_http_soap_at(&channel).await?) {
            tracing::warn!(
                channel = channel.name,
                rival = rival.name,
                "no default channel: another one is in its way"
            );
            return Ok(());
        }
        self.insert(&channel).await?;
        Ok(())
    }

    async fn insert<T: Object>(&mut self, object: &T) -> Result<T, BootstrapError> {
        let stored = self.tx.insert(object).await?;
        self.record(&stored, Action::Created).await?;
        Ok(stored)
    }

    async fn record<T: Object>(&mut self, object: &T, action: Action) -> Result<(), BootstrapError> {
        if self.is_new {
            return Ok(());
        }
        let change = Change {
            cluster_id: self.cluster_id,
            object: T::KIND,
            object_id: object.id(),
            action,
            name: object.name(),
            cid: "",
            actor: ACTOR,
        };
        self.tx.record(change).await?;
        Ok(())
    }
}

/// A channel that comes along with a service. One with a SOAP action speaks SOAP 1.1, the others JSON over plain HTTP.
#[derive(Debug, PartialEq, Eq)]
struct DefaultChannel {
    name: String,
    url_path: String,
    soap_action: Option<String>,
    security: Option<&'static str>,
}

impl DefaultChannel {
    fn json(name: impl Into<String>, url_path: impl Into<String>, security: Option<&'static str>) -> Self {
        Self { name: name.into(), url_path: url_path.into(), soap_action: None, security }
    }

    fn soap(
        name: impl Into<String>,
        url_path: impl Into<String>,
        soap_action: impl Into<String>,
        security: &'static str,
    ) -> Self {
        let soap_action = Some(soap_action.into());
        Self { name: name.into(), url_path: url_path.into(), soap_action, security: Some(security) }
    }
}

/// Every public service has a JSON and a SOAP channel, under each of its names; some services have more.
fn default_channels(service: &str) -> Vec<DefaultChannel> {
    let mut channels = Vec::new();
    if let Some(public) = zato_catalogue::by_name(service).filter(|service| service.public) {
        for name in std::iter::once(&public.name).chain(public.aliases) {
            channels.push(DefaultChannel::soap(*name, "/zato/soap", *name, PUBAPI));
            channels.push(DefaultChannel::json(
                format!("{name}.json"),
                format!("/zato/json/{name}"),
                Some(PUBAPI),
            ));
        }
    }
    match service {
        "zato.ping" => channels.extend([
            DefaultChannel::json("zato.ping", "/zato/ping", None),
            DefaultChannel::json(PING_BASIC_AUTH, path_of(PING_BASIC_AUTH), Some(PING_BASIC_AUTH)),
            DefaultChannel::soap(
                PING_SOAP_BASIC_AUTH,
                path_of(PING_SOAP_BASIC_AUTH),
                PING_SOAP_BASIC_AUTH,
                PING_SOAP_BASIC_AUTH,
            ),
            // It has the SOAP action of the channel before.
            DefaultChannel::soap(PING_SOAP_WSS, path_of(PING_SOAP_WSS), PING_SOAP_BASIC_AUTH, PING_SOAP_WSS),
        ]),
        "zato.ping2" => channels.push(DefaultChannel::json("zato.ping2", "/zato/ping2", None)),
        "zato.service.invoke" => {
            channels.push(DefaultChannel::json(
                "admin.invoke.json",
                "/zato/admin/invoke",
                Some(ADMIN_INVOKE),
            ));
        }
        invoke_by_path::NAME => {
            let path = format!("/zato/api/invoke/{{{}}}", invoke_by_path::PLACEHOLDER);
            channels.push(DefaultChannel::json("zato.api.invoke.json", path, Some(PUBAPI)));
        }
        _ => {}
    }
    channels
}

/// `zato.ping.soap.basic_auth` answers on `/zato/ping.soap.basic_auth`.
fn path_of(name: &str) -> String {
    format!("/{}", name.replacen('.', "/", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pings_have_channels_of_their_own() {
        let channels = default_channels("zato.ping");
        let paths: Vec<&str> = channels.iter().map(|channel| &*channel.url_path).collect();
        assert_eq!(
            paths,
            [
                "/zato/soap",
                "/zato/json/zato.ping",
                "/zato/ping",
                "/zato/ping.plain_http.basic_auth",
                "/zato/ping.soap.basic_auth",
                "/zato/ping.soap.wss.clear_text",
            ]
        );
        assert_eq!(channels[2].security, None);
        assert_eq!(channels[5].soap_action.as_deref(), Some("zato.ping.soap.basic_auth"));
    }

    #[test]
    fn a_service_that_is_not_public_has_no_channel() {
        assert_eq!(default_channels("zato.helpers.tls-logger"), []);
    }
}
