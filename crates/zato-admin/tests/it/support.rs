//! A server without sockets, and how tests call it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Request, header};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use time::OffsetDateTime;
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;
use zato_admin::{
    Admin, AdminSettings, Applier, AuditStatistics, AuditWriter, Background, BootstrapOptions, Connectors,
    Follower, JobStore, Leadership, LeaseTimes, bootstrap, register_all, without_secrets,
};
use zato_channel::{Channels, Dispatcher, Page, Pages, Settings};
use zato_cid::{Form, SystemGenerator};
use zato_kvdb::{Embedded, Kvdb, SystemClock};
use zato_odb::{EventId, Odb, OdbConfig, Secret, SecretKey};
use zato_scheduler::Scheduler;
use zato_service::{
    Context, Description, Environment, EnvironmentParts, Error, Outgoing, Raw, RawInput, Registry, Service,
};
use zato_stats::Stats;

/// The passwords of the two definitions that every cluster begins with.
pub(crate) const PUBAPI_PASSWORD: &str = "pubapi-S3cret";
pub(crate) const ADMIN_INVOKE_PASSWORD: &str = "admin-invoke-S3cret";

const NAMESPACE: &str = "https://zato.io/ns/20130518";

/// A server: its parts, put together as `zato-server` does.
pub(crate) struct House {
    pub(crate) odb: Odb,
    pub(crate) cluster_id: i64,
    pub(crate) server_id: i64,
    pub(crate) leadership: Leadership,
    pub(crate) environment: Environment,
    pub(crate) applier: Applier,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) folder: tempfile::TempDir,
}

/// Applies the event log as soon as it is asked to.
struct Log {
    odb: Odb,
    applier: Applier,
    cluster_id: i64,
    applied: Mutex<EventId>,
}

impl Follower for Log {
    fn applied(&self, wanted: EventId) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let mut applied = self.applied.lock().await;
            if *applied < wanted {
                for event in self.odb.events_after(self.cluster_id, *applied, 1000).await? {
                    self.applier.apply(&event).await?;
                    *applied = event.id;
                }
            }
            assert!(*applied >= wanted, "the event log ends before event {wanted}");
            Ok(())
        })
    }
}

/// One of the server's own documents.
struct Health;

impl Page for Health {
    fn get<'a>(&'a self, _: &'a http::request::Parts) -> BoxFuture<'a, http::Response<Full<Bytes>>> {
        Box::pin(std::future::ready(http::Response::new(Full::default())))
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut AdminSettings)) -> Self {
        Self::in_folder(tempfile::tempdir().unwrap(), change).await
    }

    /// Stops the server and starts it again on the same data.
    pub(crate) async fn restarted(self) -> Self {
        let Self { folder, .. } = self;
        Self::in_folder(folder, |_| {}).await
    }

    async fn in_folder(folder: tempfile::TempDir, change: impl FnOnce(&mut AdminSettings)) -> Self {
        let odb = open_odb(folder.path()).await;
        let registry = Registry::new();
        registry.register(Add).unwrap();
        registry.register(Free).unwrap();
        registry.register(Fail).unwrap();
        let cluster = bootstrap(&odb, &registry, &options()).await.unwrap();
        let store = tempfile::NamedTempFile::new_in(folder.path()).unwrap().into_temp_path();
        std::fs::remove_file(&store).unwrap();
        let kvdb = Embedded::open(&store, Arc::new(SystemClock)).await.unwrap();
        let environment = Environment::new(EnvironmentParts {
            outgoing: Outgoing::new(zato_outgoing::Outgoing::new(
                zato_outgoing::Environment::new("test").unwrap(),
            )),
            kvdb: Kvdb::new(kvdb),
            registry: registry.clone(),
            cids: SystemGenerator::new(Form::default()),
            clock: OffsetDateTime::now_utc,
            tasks: TaskTracker::new(),
        });
        let channels = Channels::new(Pages::new().with("/zato/health", Health));
        let connectors = Connectors::new(environment.clone(), "esb1/esb1.example.com", Duration::ZERO);
        let (cluster_id, routes) = (cluster.cluster_id, channels.clone());
        let applier = Applier::new(odb.clone(), cluster_id, routes, environment.clone(), connectors.clone());
        let applied = Mutex::new(EventId::START);
        let log = Arc::new(Log {
            odb: odb.clone(),
            applier: applier.clone(),
            cluster_id: cluster.cluster_id,
            applied,
        });
        let mut settings = AdminSettings::new(cluster.cluster_id, "server1", OffsetDateTime::now_utc());
        settings.server_id = cluster.server_id;
        change(&mut settings);
        let times = LeaseTimes::default();
        let leadership = Leadership::new(odb.clone(), cluster.cluster_id, cluster.server_id, times);
        let store = Arc::new(JobStore::new(odb.clone(), cluster.cluster_id, cluster.server_id));
        let (scheduler, _) = Scheduler::new(environment.clone(), store, leadership.subscribe());
        let stats = Stats::new(&environment, without_secrets);
        let background = Background { leadership: leadership.clone(), scheduler, stats, connectors };
        let admin =
            Admin::new(odb.clone(), channels.clone(), log.clone(), settings).with_background(background);
        register_all(&registry, &admin).unwrap();
        *log.applied.lock().await = log.applier.load_all().await.unwrap();
        let dispatcher = Dispatcher::new(channels, environment.clone(), Settings::default());
        let (cluster_id, server_id) = (cluster.cluster_id, cluster.server_id);
        Self { odb, cluster_id, server_id, leadership, environment, applier, dispatcher, folder }
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Reply {
        let peer = SocketAddr::from(([127, 0, 0, 1], 1234));
        let (parts, body) = self.dispatcher.dispatch(request, peer).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        assert!(parts.headers.contains_key("x-zato-cid"));
        Reply { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// Does something while calls are audited, and stores what was told of them.
    pub(crate) async fn audited(&mut self, work: impl AsyncFnOnce(&Self)) -> AuditStatistics {
        let statistics = AuditStatistics::default();
        let (audit, writer) = AuditWriter::new(self.odb.clone(), self.cluster_id, statistics.clone());
        let former = self.dispatcher.clone();
        self.dispatcher = former.clone().with_audit_log(Arc::new(audit));
        work(self).await;
        self.dispatcher = former;
        writer.run().await;
        statistics
    }

    /// A call of a service that has no channel of its own, and succeeds; its payload.
    pub(crate) async fn invoke(&self, service: &str, body: Value) -> Value {
        let payload = BASE64_STANDARD.encode(body.to_string());
        let request = json!({"name": service, "data_format": "json", "payload": payload});
        let reply = self.ok("zato.service.invoke", request).await;
        let reply =
            BASE64_STANDARD.decode(reply["response"].as_str().unwrap().replace(['\r', '\n'], "")).unwrap();
        let reply: Value = serde_json::from_slice(&reply).unwrap_or_default();
        reply.as_object().and_then(|reply| reply.values().next()).cloned().unwrap_or_default()
    }

    /// A request to any path.
    pub(crate) async fn post(
        &self,
        path: &str,
        login: Option<(&str, &str)>,
        body: impl Into<Bytes>,
    ) -> Reply {
        self.send(request("POST", path, login, body)).await
    }

    /// A JSON call of the public API.
    pub(crate) async fn json(&self, service: &str, body: Value) -> Reply {
        let path = format!("/zato/json/{service}");
        self.post(&path, Some(("pubapi", PUBAPI_PASSWORD)), body.to_string()).await
    }

    /// A JSON call that succeeds; its payload.
    #[track_caller]
    pub(crate) fn ok(&self, service: &str, body: Value) -> impl Future<Output = Value> + use<'_> {
        let caller = std::panic::Location::caller();
        let service = service.to_owned();
        async move {
            let reply = self.json(&service, body.clone()).await;
            assert_eq!(reply.status, 200, "{caller}: {service} {body}: {}", reply.text());
            let document = reply.document();
            assert_eq!(document["zato_env"]["result"], "ZATO_OK", "{caller}: {document}");
            let payload = document.as_object().unwrap().iter().find(|(name, _)| *name != "zato_env");
            payload.map_or(Value::Null, |(_, payload)| payload.clone())
        }
    }

    /// A JSON call that fails with this status and with this text at the end of its message.
    #[track_caller]
    pub(crate) fn fails(
        &self,
        service: &str,
        body: Value,
        status: u16,
        message: &str,
    ) -> impl Future<Output = ()> + use<'_> {
        let caller = std::panic::Location::caller();
        let (service, message) = (service.to_owned(), message.to_owned());
        async move {
            let reply = self.json(&service, body.clone()).await;
            let document = reply.document();
            assert_eq!(
                document["zato_env"]["result"], "ZATO_ERROR",
                "{caller}: {service} {body}: {document}"
            );
            let details = document["zato_env"]["details"].as_str().unwrap().trim_end();
            assert!(details.ends_with(&message), "{caller}: {service} {body}: {details}");
            assert_eq!(reply.status, status, "{caller}: {details}");
        }
    }

    /// A SOAP call of the public API. `elements` stand in the request's element.
    pub(crate) async fn soap(&self, service: &str, elements: &str) -> Reply {
        let root = zato_catalogue::by_name(service).unwrap().request_element;
        let payload = format!("<z:{root} xmlns:z=\"{NAMESPACE}\">{elements}</z:{root}>");
        self.soap_payload(service, &payload).await
    }

    /// A SOAP call with any payload.
    pub(crate) async fn soap_payload(&self, action: &str, payload: &str) -> Reply {
        let body = envelope(payload);
        let mut request = request("POST", "/zato/soap", Some(("pubapi", PUBAPI_PASSWORD)), body);
        request.headers_mut().insert("soapaction", format!("\"{action}\"").parse().unwrap());
        self.send(request).await
    }

    /// A request for a channel, invoking `test.add`, and everything else that http-soap.create requires.
    pub(crate) fn channel(&self, name: &str, path: &str) -> Value {
        json!({
            "cluster_id": self.cluster_id, "name": name, "is_active": true, "connection": "channel",
            "transport": "plain_http", "is_internal": false, "url_path": path, "service": "test.add",
            "data_format": "json",
        })
    }

    /// A request for an outgoing plain HTTP connection.
    pub(crate) fn outgoing(&self, name: &str) -> Value {
        json!({
            "cluster_id": self.cluster_id, "name": name, "is_active": true, "connection": "outgoing",
            "transport": "plain_http", "is_internal": false, "url_path": "/path", "host": "http://127.0.0.1:9",
        })
    }

    /// A request for an HTTP Basic Auth definition.
    pub(crate) fn definition(&self, name: &str) -> Value {
        json!({
            "cluster_id": self.cluster_id, "name": name, "is_active": true, "username": format!("{name}-user"),
            "realm": "A realm",
        })
    }

    /// Creates an object and returns its id.
    pub(crate) async fn create(&self, family: &str, request: Value) -> i64 {
        self.ok(&format!("zato.{family}.create"), request).await["id"].as_i64().unwrap()
    }

    /// Gives a definition a password.
    pub(crate) async fn set_password(&self, id: i64, password: &str) {
        let body = json!({"id": id, "password1": password, "password2": password});
        self.ok("zato.security.basic-auth.change-password", body).await;
    }
}

/// What came back.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    #[track_caller]
    pub(crate) fn document(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }
}

/// A value with one member replaced or added.
pub(crate) fn with(mut value: Value, name: &str, member: impl Into<Value>) -> Value {
    value[name] = member.into();
    value
}

/// A value without one member.
pub(crate) fn without(mut value: Value, name: &str) -> Value {
    value.as_object_mut().unwrap().remove(name);
    value
}

pub(crate) fn request(
    method: &str,
    path: &str,
    login: Option<(&str, &str)>,
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
    if let Some((username, password)) = login {
        let credentials = BASE64_STANDARD.encode(format!("{username}:{password}"));
        request = request.header(header::AUTHORIZATION, format!("Basic {credentials}"));
    }
    request.body(Full::new(body.into())).unwrap()
}

pub(crate) fn envelope(payload: &str) -> String {
    format!(
        "<e:Envelope xmlns:e=\"http://schemas.xmlsoap.org/soap/envelope/\"><e:Body>{payload}</e:Body></e:Envelope>"
    )
}

pub(crate) async fn open_odb(folder: &std::path::Path) -> Odb {
    let key = SecretKey::load_or_create(&folder.join("secret.key")).unwrap();
    Odb::open(&OdbConfig::sqlite(folder.join("odb.sqlite3"), Arc::new(key))).await.unwrap()
}

pub(crate) fn options() -> BootstrapOptions {
    BootstrapOptions {
        cluster_name: "main".to_owned(),
        server_name: "server1".to_owned(),
        host: "esb1/esb1.example.com".to_owned(),
        pubapi_password: Some(Secret::new(PUBAPI_PASSWORD)),
        admin_invoke_password: Some(Secret::new(ADMIN_INVOKE_PASSWORD)),
    }
}

/// Adds two numbers.
struct Add;

#[derive(serde::Deserialize)]
pub(crate) struct Summands {
    a: i64,
    #[serde(default)]
    b: Option<i64>,
}

impl Service for Add {
    type Input = Summands;
    type Output = Value;

    fn description(&self) -> Description {
        Description::new("test.add").request_element(Some("add"))
    }

    async fn handle(&self, _: &mut Context, Summands { a, b }: Summands) -> Result<Value, Error> {
        Ok(json!({"sum": a + b.unwrap_or_default()}))
    }
}

/// Answers free text with free text.
struct Free;

impl Service for Free {
    type Input = RawInput;
    type Output = Raw;

    fn description(&self) -> Description {
        Description::new("test.free")
    }

    async fn handle(&self, _: &mut Context, request: RawInput) -> Result<Raw, Error> {
        Ok(Raw::new([b"got: ", &*request.body].concat()))
    }
}

/// Refuses every call.
struct Fail;

impl Service for Fail {
    type Input = RawInput;
    type Output = ();

    fn description(&self) -> Description {
        Description::new("test.fail")
    }

    async fn handle(&self, _: &mut Context, _: RawInput) -> Result<(), Error> {
        Err(Error::forbidden("Nobody may call this"))
    }
}
