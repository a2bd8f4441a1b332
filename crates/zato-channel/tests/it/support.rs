//! A small house with channels, and requests for it.

use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::macros::datetime;
use tokio::runtime::Runtime;
use zato_channel::{
    CallLimits, ChannelConfig, Channels, DataFormat, Dispatcher, Pages, Password, Security, SecurityKind,
    Settings, Transport, UrlParameters, Version,
};
use zato_cid::{Form, SystemGenerator};
use zato_kvdb::{Embedded, Kvdb, SystemClock};
use zato_service::{
    Context, Description, Environment, EnvironmentParts, Error, FromInput, Outgoing, Output, Registration,
    Registry, Service,
};

pub(crate) const ZATO: &str = "https://zato.io/ns/20130518";

/// The time in the house.
pub(crate) const NOW: OffsetDateTime = datetime!(2026-05-04 12:00 UTC);

fn now() -> OffsetDateTime {
    NOW
}

/// Channels, services and a dispatcher.
pub(crate) struct House {
    pub(crate) registry: Registry,
    pub(crate) channels: Channels,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) runtime: Runtime,
    _folder: tempfile::TempDir,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(Pages::new(), Settings::default())
    }

    pub(crate) fn with(pages: Pages, settings: Settings) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("kvdb.redb");
        let store = runtime.block_on(Embedded::open(&file, Arc::new(SystemClock))).unwrap();
        let registry = Registry::new();
        let environment = Environment::new(EnvironmentParts {
            outgoing: Outgoing::new(zato_outgoing::Outgoing::new(
                zato_outgoing::Environment::new("test").unwrap(),
            )),
            kvdb: Kvdb::new(store),
            registry: registry.clone(),
            cids: SystemGenerator::new(Form::default()),
            clock: now,
            tasks: Default::default(),
        });
        let channels = Channels::new(pages);
        let dispatcher = Dispatcher::new(channels.clone(), environment, settings);
        Self { registry, channels, dispatcher, runtime, _folder: folder }
    }

    /// Registers a service made of a function.
    pub(crate) fn service<I, O, F>(&self, description: Description, function: F) -> Arc<Registration>
    where
        I: FromInput + Send + 'static,
        O: Output + 'static,
        F: Fn(&mut Context, I) -> Result<O, Error> + Send + Sync + 'static,
    {
        self.registry.register(Function { description, function, types: PhantomData }).unwrap()
    }

    /// A public service that greets.
    pub(crate) fn greeter(&self) -> Arc<Registration> {
        self.service(greeter(), |_, input: Greet| Ok(greeting(&input)))
    }

    pub(crate) fn put(&self, config: ChannelConfig) {
        self.channels.put(config).unwrap();
    }

    pub(crate) fn call(&self, request: Request<Full<Bytes>>) -> Reply {
        self.runtime.block_on(call(&self.dispatcher, request))
    }
}

pub(crate) async fn call<B>(dispatcher: &Dispatcher, request: Request<B>) -> Reply
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    call_from(dispatcher, "192.0.2.1", request).await
}

/// A call from a client's address.
pub(crate) async fn call_from<B>(dispatcher: &Dispatcher, client: &str, request: Request<B>) -> Reply
where
    B: http_body::Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let response = dispatcher.dispatch(request, SocketAddr::new(client.parse().unwrap(), 50_000)).await;
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let cid = parts.headers["x-zato-cid"].to_str().unwrap().to_owned();
    cid.parse::<zato_cid::Cid>().expect("every response has a correlation id of ours");
    // The correlation id differs each time, so it is replaced where it is expected.
    let body = String::from_utf8(body.to_vec()).unwrap().replace(&cid, "CID");
    Reply { status: parts.status, headers: parts.headers, body, cid }
}

/// A response.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// With `CID` in place of the correlation id.
    pub(crate) body: String,
    pub(crate) cid: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn content_type(&self) -> &str {
        self.header("content-type")
    }

    /// The `details` of the reply's `zato_env`.
    pub(crate) fn details(&self) -> String {
        let reply: serde_json::Value = serde_json::from_str(&self.body).expect("a JSON reply");
        assert_eq!(reply["zato_env"]["result"], "ZATO_ERROR", "{self:?}");
        assert_eq!(reply["zato_env"]["cid"], "CID", "{self:?}");
        reply["zato_env"]["details"].as_str().unwrap().to_owned()
    }
}

/// What the greeter reads.
#[derive(Deserialize)]
pub(crate) struct Greet {
    pub(crate) name: String,
    pub(crate) times: Option<i64>,
}

/// What the greeter writes.
#[derive(Serialize)]
pub(crate) struct Greeting {
    pub(crate) text: String,
    pub(crate) times: i64,
}

pub(crate) fn greeting(input: &Greet) -> Greeting {
    Greeting { text: format!("Hello {}", input.name), times: input.times.unwrap_or(1) }
}

/// The description of the greeter as a service of the public API.
pub(crate) fn greeter() -> Description {
    Description::internal("demo.greet")
        .request_element(Some("demo_greet_request"))
        .response_element(Some("demo_greet_response"))
        .namespace(ZATO)
}

struct Function<I, O, F> {
    description: Description,
    function: F,
    types: PhantomData<fn(I) -> O>,
}

impl<I, O, F> Service for Function<I, O, F>
where
    I: FromInput + Send + 'static,
    O: Output + 'static,
    F: Fn(&mut Context, I) -> Result<O, Error> + Send + Sync + 'static,
{
    type Input = I;
    type Output = O;

    fn description(&self) -> Description {
        self.description.clone()
    }

    /// A request may say that the service doesn't want it.
    fn accept(&self, cx: &Context) -> bool {
        let request = cx.origin().request.as_ref().unwrap();
        !request.headers.contains_key("x-unwanted")
    }

    async fn handle(&self, cx: &mut Context, input: I) -> Result<O, Error> {
        (self.function)(cx, input)
    }
}

/// An active JSON channel without security.
pub(crate) fn json(id: i64, path: &str, service: &Arc<Registration>) -> ChannelConfig {
    ChannelConfig {
        id,
        name: format!("channel {id}"),
        is_active: true,
        transport: Transport::PlainHttp,
        data_format: Some(DataFormat::Json),
        url_path: path.to_owned(),
        soap_action: String::new(),
        method: None,
        security: None,
        has_rbac: false,
        limits: CallLimits::default(),
        cors: None,
        is_audited: false,
        url_parameters: UrlParameters::default(),
        service: Arc::clone(service),
    }
}

/// An active channel without security and data format.
pub(crate) fn raw(id: i64, path: &str, service: &Arc<Registration>) -> ChannelConfig {
    ChannelConfig { data_format: None, ..json(id, path, service) }
}

/// An active plain XML channel without security.
pub(crate) fn xml(id: i64, path: &str, service: &Arc<Registration>) -> ChannelConfig {
    ChannelConfig { data_format: Some(DataFormat::Xml), ..json(id, path, service) }
}

/// An active SOAP channel without security.
pub(crate) fn soap(
    id: i64,
    path: &str,
    action: &str,
    version: Version,
    service: &Arc<Registration>,
) -> ChannelConfig {
    let transport = Transport::Soap(version);
    ChannelConfig { transport, soap_action: action.to_owned(), ..xml(id, path, service) }
}

pub(crate) fn basic_auth(id: i64, username: &str, password: &str) -> Arc<Security> {
    let (realm, username, password) = ("Test".to_owned(), username.to_owned(), Password::from(password));
    let kind = SecurityKind::BasicAuth { realm, username, password };
    Arc::new(Security::new(id, format!("definition {id}"), true, kind).unwrap())
}

pub(crate) fn post(path: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::post(path).header("host", "localhost").body(Full::new(body.into())).unwrap()
}

pub(crate) fn get(path: &str) -> Request<Full<Bytes>> {
    Request::get(path).header("host", "localhost").body(Full::default()).unwrap()
}

/// The same request with a further header.
pub(crate) fn with(
    mut request: Request<Full<Bytes>>,
    name: &'static str,
    value: &str,
) -> Request<Full<Bytes>> {
    request.headers_mut().append(name, value.parse().unwrap());
    request
}

/// The same request for another host.
pub(crate) fn for_host(mut request: Request<Full<Bytes>>, host: &'static str) -> Request<Full<Bytes>> {
    request.headers_mut().insert("host", HeaderValue::from_static(host));
    request
}

/// A SOAP request.
pub(crate) fn soap_request(path: &str, action: &str, body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    with(post(path, body), "soapaction", action)
}

/// A SOAP 1.1 message around a body.
pub(crate) fn envelope(body: &str) -> String {
    let namespace = Version::V11.namespace();
    format!("<s:Envelope xmlns:s=\"{namespace}\"><s:Body>{body}</s:Body></s:Envelope>")
}
