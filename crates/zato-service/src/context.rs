//! What a running service knows of its call and can do beyond its own code.
//!
//! Owns the facts of one call and the handles that all calls share. It must not know routing, envelopes or SQL.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use time::OffsetDateTime;
use tokio_util::task::TaskTracker;
use zato_cid::{Cid, SystemGenerator};
use zato_env::Outcome;
use zato_kvdb::Kvdb;
use zato_kvdb::dictionary::{Dictionary, DictionaryError, Mapping, Term};
use zato_xml::{Document, Limits, Node};

use crate::registry::Registration;
use crate::{Error, Input, Job, Outgoing, Output, Registry};

/// How deep services may invoke one another synchronously.
const MAXIMUM_DEPTH: u8 = 32;

/// How a service was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelKind {
    /// Over an HTTP or SOAP channel.
    HttpSoap,
    /// By another service, which waits.
    Invoke,
    /// By another service, which does not wait.
    InvokeAsync,
    /// By a scheduler job.
    Scheduler,
    /// By a message of an AMQP queue.
    Amqp,
    /// By a message of a ZeroMQ socket.
    Zmq,
}

impl ChannelKind {
    /// The name that logs and the public API use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HttpSoap => "http-soap",
            Self::Invoke => "invoke",
            Self::InvokeAsync => "invoke-async",
            Self::Scheduler => "scheduler",
            Self::Amqp => "amqp",
            Self::Zmq => "zmq",
        }
    }
}

/// Where a call came from, as far as its channel knows.
#[derive(Debug, Default)]
pub struct Origin {
    /// The HTTP request's method, URL and headers, without its body.
    pub request: Option<http::request::Parts>,
    /// The peer's address.
    pub peer: Option<SocketAddr>,
    /// The name of the security definition that the caller proved to know.
    pub caller: Option<Arc<str>>,
    /// What the channel's URL pattern captured, percent-decoded, in the pattern's order.
    pub path_parameters: Vec<(Arc<str>, String)>,
    /// The run of a scheduler job that the call is.
    pub job: Option<Job>,
}

/// What a service may say about its reply besides the payload.
#[derive(Debug, Default)]
pub struct ResponseOptions {
    /// The HTTP status; 200 unless set.
    pub status: Option<StatusCode>,
    /// Headers to add. A `content-type` here wins over the one of the channel's data format.
    pub headers: HeaderMap,
    /// The `result` and `details` of the reply's `zato_env`; `ZATO_OK` and empty unless set.
    pub outcome: Option<(Outcome, String)>,
}

impl ResponseOptions {
    /// Marks the reply as `ZATO_WARNING` with these details.
    pub fn warn(&mut self, details: impl Into<String>) {
        self.outcome = Some((Outcome::Warning, details.into()));
    }

    /// Says something besides the reply, which stays `ZATO_OK`: the original's clients take `ZATO_WARNING` for a failure.
    pub fn remark(&mut self, details: impl Into<String>) {
        self.outcome = Some((Outcome::Ok, details.into()));
    }

    /// Sets a header of the reply.
    pub fn header(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers.insert(name, value);
    }
}

/// What all calls share. Made once, when the server is put together.
#[derive(Clone)]
pub struct Environment(Arc<Holder>);

/// Holds the parts for all clones of an environment, which count themselves here.
struct Holder {
    parts: Arc<EnvironmentParts>,
}

/// The parts of an [`Environment`].
#[derive(Debug)]
pub struct EnvironmentParts {
    /// The named connections to other systems.
    pub outgoing: Outgoing,
    /// The key/value store.
    pub kvdb: Kvdb,
    /// The services.
    pub registry: Registry,
    /// Where new correlation ids come from.
    pub cids: SystemGenerator,
    /// The current time, in UTC.
    pub clock: fn() -> OffsetDateTime,
    /// Background invocations that are under way, so that a shutdown can wait for them.
    pub tasks: TaskTracker,
}

impl Environment {
    /// Shares the parts.
    pub fn new(parts: EnvironmentParts) -> Self {
        Self(Arc::new(Holder { parts: Arc::new(parts) }))
    }

    /// The same parts, with a count of its own of who holds them: each call counts itself, and calls on several cores that do
    /// so in the same place wait for one another.
    #[must_use]
    pub fn counted_apart(&self) -> Self {
        Self(Arc::new(Holder { parts: Arc::clone(&self.0.parts) }))
    }

    /// The named connections to other systems.
    pub fn outgoing(&self) -> &Outgoing {
        &self.0.parts.outgoing
    }

    /// The key/value store.
    pub fn kvdb(&self) -> &Kvdb {
        &self.0.parts.kvdb
    }

    /// The services.
    pub fn registry(&self) -> &Registry {
        &self.0.parts.registry
    }

    /// A new correlation id.
    pub fn new_cid(&self) -> Cid {
        self.0.parts.cids.generate()
    }

    /// The current time, in UTC.
    pub fn now(&self) -> OffsetDateTime {
        (self.0.parts.clock)()
    }

    /// Background invocations that are under way.
    pub fn tasks(&self) -> &TaskTracker {
        &self.0.parts.tasks
    }

    /// The context of a call that comes from outside.
    #[inline]
    pub fn context(&self, cid: Cid, channel: ChannelKind, origin: Origin) -> Context {
        Context { cid, channel, origin, environment: self.clone(), service: None, depth: 0, response: None }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").finish_non_exhaustive()
    }
}

/// One call's view of the house; handlers get it as `cx`.
#[derive(Debug)]
pub struct Context {
    cid: Cid,
    channel: ChannelKind,
    origin: Origin,
    environment: Environment,
    service: Option<Arc<Registration>>,
    depth: u8,
    /// None until the service says something. In a box, because contexts are moved about and few services do.
    response: Option<Box<ResponseOptions>>,
}

impl Context {
    /// The correlation id of this call.
    pub fn cid(&self) -> Cid {
        self.cid
    }

    /// How the service was reached.
    pub fn channel(&self) -> ChannelKind {
        self.channel
    }

    /// Where the call came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The run of a scheduler job that this call is; none if something else invoked the service.
    pub fn job(&self) -> Option<&Job> {
        self.origin.job.as_ref()
    }

    /// The name of the running service; empty before one runs.
    pub fn service_name(&self) -> &str {
        self.service.as_deref().map_or("", Registration::name)
    }

    /// The named connections to other systems.
    pub fn outgoing(&self) -> &Outgoing {
        &self.environment.0.parts.outgoing
    }

    /// The key/value store.
    pub fn kvdb(&self) -> &Kvdb {
        &self.environment.0.parts.kvdb
    }

    /// What the key of another system calls a value, according to the data dictionary; none if that does not say.
    ///
    /// One look-up in the key/value store.
    ///
    /// # Errors
    /// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable) if the store can't be reached,
    /// [`ErrorKind::Internal`](crate::ErrorKind::Internal) if it fails.
    pub async fn translate(
        &self,
        system1: &str,
        key1: &str,
        value1: &str,
        system2: &str,
        key2: &str,
    ) -> Result<Option<String>, Error> {
        let mapping = Mapping {
            from: Term::new(system1, key1, value1),
            system2: system2.to_owned(),
            key2: key2.to_owned(),
        };
        match Dictionary::new(self.kvdb().clone()).translate(&mapping).await {
            Err(DictionaryError::Kvdb(error)) => Err(error.into()),
            result => Ok(result?),
        }
    }

    /// The services, and how each of them fares.
    pub fn registry(&self) -> &Registry {
        &self.environment.0.parts.registry
    }

    /// The current time, in UTC.
    pub fn now(&self) -> OffsetDateTime {
        (self.environment.0.parts.clock)()
    }

    /// What can be said about the reply besides its payload.
    pub fn response(&mut self) -> &mut ResponseOptions {
        self.response.get_or_insert_default()
    }

    /// Where the call came from, once it is over.
    #[inline]
    pub fn into_origin(self) -> Origin {
        self.origin
    }

    /// Takes what the service said about its reply.
    pub fn take_response(&mut self) -> ResponseOptions {
        self.response.take().map(|response| *response).unwrap_or_default()
    }

    /// Invokes another service and waits for its reply, under the same correlation id.
    ///
    /// The reply is the payload itself, without the response element that a channel would put around it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown or inactive service, whatever the service
    /// itself fails with, and [`ErrorKind::Internal`](crate::ErrorKind::Internal) for a service that invokes itself,
    /// for a chain of more than 32 services, and for a reply that is no `O`.
    pub async fn invoke<I, O>(&self, name: &str, input: &I) -> Result<O, Error>
    where
        I: Serialize + Sync + ?Sized,
        O: DeserializeOwned,
    {
        let input = serde_json::to_value(input)?;
        let output = self.invoke_with(name, Input::Value(&input)).await?;
        zato_sio::from_value(&output.to_value()?).map_err(|error| {
            // Not of what this service was called with, which whoever called it could mend.
            let text = format!("The reply of service [{name}] is not what was expected: {error}");
            Error::internal(text).with_source(error)
        })
    }

    /// Invokes another service with a payload that is not decoded yet, and returns its reply unencoded and whole.
    ///
    /// # Errors
    /// As [`invoke`](Self::invoke).
    pub async fn invoke_with(&self, name: &str, input: Input<'_>) -> Result<Box<dyn Output>, Error> {
        let service = self.find(name)?;
        if self.service.as_ref().is_some_and(|running| Arc::ptr_eq(running, &service)) {
            return Err(Error::internal(format!("A service cannot invoke itself, name:[{name}]")));
        }
        if self.depth >= MAXIMUM_DEPTH {
            return Err(Error::internal(format!(
                "More than {MAXIMUM_DEPTH} services invoke one another; the last one would be [{name}]"
            )));
        }
        let mut context = self.environment.context(self.cid, ChannelKind::Invoke, Origin::default());
        context.origin.caller.clone_from(&self.origin.caller);
        context.depth = self.depth + 1;
        // Boxed because services may invoke one another in circles, which no future can hold by value.
        let mut output = Box::pin(service.call(&mut context, input)).await?;
        if let Some(batches) = output.batches() {
            batches.complete().await?;
        }
        Ok(output)
    }

    /// Invokes another service in the background and returns the correlation id that its run has.
    ///
    /// A failure of that run is logged under the id. A server that shuts down waits for such runs.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown or inactive service; the input has no JSON
    /// form.
    pub fn invoke_async<I: Serialize + ?Sized>(&self, name: &str, input: &I) -> Result<Cid, Error> {
        self.invoke_in_background(name, Background::Value(serde_json::to_value(input)?))
    }

    /// Invokes another service in the background with a body that has no data format.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown or inactive service.
    pub fn invoke_async_raw(&self, name: &str, body: Bytes) -> Result<Cid, Error> {
        self.invoke_in_background(name, Background::Raw(body))
    }

    /// Invokes another service in the background with an XML message, which the caller has parsed before and found to
    /// be within its limits. `payload` finds in it the root of what the service is to get.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for an unknown or inactive service.
    pub fn invoke_async_xml(&self, name: &str, message: Bytes, payload: FindPayload) -> Result<Cid, Error> {
        self.invoke_in_background(name, Background::Xml { message, payload })
    }

    fn invoke_in_background(&self, name: &str, input: Background) -> Result<Cid, Error> {
        let service = self.find(name)?;
        let cid = self.environment.new_cid();
        let mut context = self.environment.context(cid, ChannelKind::InvokeAsync, Origin::default());
        context.origin.caller.clone_from(&self.origin.caller);
        tracing::debug!(%cid, service = service.name(), caused_by = %self.cid, "invoked in the background");
        self.environment.0.parts.tasks.spawn(async move {
            if let Err(error) = input.give_to(&service, &mut context).await {
                let causes = error.causes_in_line();
                tracing::error!(%cid, service = service.name(), %error, causes, "a background invocation failed");
            }
        });
        Ok(cid)
    }

    fn find(&self, name: &str) -> Result<Arc<Registration>, Error> {
        let unknown = || Error::not_found(format!("There is no service of the name [{name}]"));
        let service = self.environment.registry().find(name).ok_or_else(unknown)?;
        if service.is_active() { Ok(service) } else { Err(service.inactive()) }
    }

    pub(crate) fn enter(&mut self, service: &Arc<Registration>) {
        self.service = Some(Arc::clone(service));
    }
}

/// The input of an invocation which outlives the call that made it.
enum Background {
    Value(Value),
    Raw(Bytes),
    Xml { message: Bytes, payload: FindPayload },
}

/// Finds the root of a service's payload in a parsed message; none if it has no payload.
pub type FindPayload = for<'d> fn(&'d Document<'d>) -> Option<Node<'d, 'd>>;

impl Background {
    async fn give_to(
        &self,
        service: &Arc<Registration>,
        context: &mut Context,
    ) -> Result<Box<dyn Output>, Error> {
        match self {
            Self::Value(value) => service.call(context, Input::Value(value)).await,
            Self::Raw(body) if body.is_empty() => service.call(context, Input::Empty).await,
            Self::Raw(body) => service.call(context, Input::Raw(body)).await,
            Self::Xml { message, payload } => {
                let document = zato_xml::parse(std::str::from_utf8(message)?, &Limits::default())?;
                let root = payload(&document);
                let input = root.map_or(Input::Empty, |root| Input::Xml { root, raw: message });
                service.call(context, input).await
            }
        }
    }
}
