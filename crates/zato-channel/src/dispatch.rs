//! The way of a call from an HTTP request to an HTTP response.
//!
//! Owns the order of the checks. It must not know connections: whoever accepts those hands requests over, and gets a
//! response for each, whatever happens.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response};
use http_body::Body;
use http_body_util::Full;
use percent_encoding::percent_decode_str;
use zato_cid::Cid;
use zato_service::{ChannelKind, Environment, Origin};
use zato_soap::{Envelope, Limits, Version};

use crate::access::AccessLog;
use crate::body::BodyError;
use crate::channel::Channel;
use crate::codec::ErrorShape;
use crate::decode::{self, Payload};
use crate::ended::{Call, Epilogue};
use crate::failure::Failure;
use crate::handle::{answer, caught};
use crate::respond::{self, ErrorDetails};
use crate::routing::Found;
use crate::security::Denied;
use crate::statistics::ChannelStatistics;
use crate::{Channels, Page, Security, body, media, path};

/// The methods of a channel that is not restricted to one.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE";

/// What is the same for all channels.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The largest body that is accepted, in bytes. 10 MiB by default.
    pub max_body_bytes: usize,
    /// How long a body may take to arrive. 30 seconds by default.
    pub body_timeout: Duration,
    /// How much callers learn about errors. Everything by default.
    pub error_details: ErrorDetails,
    /// The `Server` header of responses, if there is to be one. `Zato` by default.
    pub server_header: Option<HeaderValue>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_body_bytes: 10 * 1024 * 1024,
            body_timeout: Duration::from_secs(30),
            error_details: ErrorDetails::Full,
            server_header: Some(HeaderValue::from_static("Zato")),
        }
    }
}

/// Answers requests. Clones share everything.
#[derive(Clone)]
pub struct Dispatcher(Arc<Shared>);

#[derive(Clone)]
struct Shared {
    channels: Channels,
    environment: Environment,
    body_timeout: Duration,
    error_details: ErrorDetails,
    limits: Limits,
    statistics: ChannelStatistics,
    epilogue: Epilogue,
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatcher").field("channels", &self.0.channels).finish_non_exhaustive()
    }
}

impl Dispatcher {
    /// A dispatcher over these channels, whose services run in this environment.
    pub fn new(channels: Channels, environment: Environment, settings: Settings) -> Self {
        Self(Arc::new(Shared {
            channels,
            environment,
            body_timeout: settings.body_timeout,
            error_details: settings.error_details,
            limits: Limits { max_bytes: settings.max_body_bytes, ..Limits::default() },
            statistics: ChannelStatistics::default(),
            epilogue: Epilogue { server_header: settings.server_header, access_log: None },
        }))
    }

    /// The same dispatcher, which also tells `access_log` about each finished call.
    #[must_use]
    pub fn with_access_log(self, access_log: Arc<dyn AccessLog>) -> Self {
        let mut shared = Arc::unwrap_or_clone(self.0);
        shared.epilogue.access_log = Some(access_log);
        Self(Arc::new(shared))
    }

    /// Counts calls in `statistics`, for those who need the counters before there is a dispatcher.
    #[must_use]
    pub fn with_statistics(self, statistics: ChannelStatistics) -> Self {
        let mut shared = Arc::unwrap_or_clone(self.0);
        shared.statistics = statistics;
        Self(Arc::new(shared))
    }

    /// The counters of all calls.
    pub fn statistics(&self) -> &ChannelStatistics {
        &self.0.statistics
    }

    /// Answers a request. Whatever goes wrong becomes a response, the panic of a service included.
    ///
    /// Every response carries `X-Zato-CID`. If the future is dropped, because the client went away for instance, the
    /// call ends wherever it is waiting.
    pub async fn dispatch<B>(&self, request: Request<B>, peer: SocketAddr) -> Response<Full<Bytes>>
    where
        B: Body,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let shared = &*self.0;
        let cid = shared.environment.new_cid();
        let call = Call { cid, begun: Instant::now(), peer, in_flight: shared.statistics.begin() };
        let (request, body) = request.into_parts();
        match shared.route(&request) {
            Route::Channel(found) => shared.through_channel(&call, found, request, body).await,
            Route::Page(page) => shared.page(&call, page, &request, body).await,
            Route::Unknown => {
                body::discard(pin!(body), &request.headers, shared.body_timeout).await;
                let failure = unknown_url(cid, &request);
                let response = shared.error(&failure, cid, shape_of(request.uri.path()), None);
                shared.epilogue.end(&call, Some(&request), None, Some(&failure), response)
            }
        }
    }
}

/// Where a request goes.
enum Route<'a> {
    Channel(Found),
    Page(&'a dyn Page),
    Unknown,
}

impl Shared {
    fn route(&self, request: &Parts) -> Route<'_> {
        let Some(path) = path::decode(request.uri.path()) else { return Route::Unknown };
        let found = self.channels.find(&path, &media::soap_action(&request.headers)).or_else(|| {
            // Looked at last, because hardly a request needs it.
            self.channels.find(&path, &media::action_parameter(&request.headers)?)
        });
        match found {
            Some(found) => Route::Channel(found),
            None => self.channels.page(&path).map_or(Route::Unknown, Route::Page),
        }
    }

    async fn through_channel<B>(
        &self,
        call: &Call<'_>,
        Found { channel, captures }: Found,
        request: Parts,
        body: B,
    ) -> Response<Full<Bytes>>
    where
        B: Body,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let failed = |request: Option<&Parts>, failure: &Failure| {
            let (shape, service) = (channel.codec.error_shape(), channel.service.name());
            let response = self.error(failure, call.cid, shape, Some(service));
            self.epilogue.end(call, request, Some(&channel), Some(failure), response)
        };
        let mut body = pin!(body);
        if let Err(failure) = self.admit(call.cid, &channel, &request) {
            // Whoever may not call is not asked for the body.
            body::discard(body, &request.headers, self.body_timeout).await;
            return failed(Some(&request), &failure);
        }
        let body = match self.receive(&request, body.as_mut()).await {
            Ok(body) => body,
            Err(failure) => return failed(Some(&request), &failure),
        };
        let payload = match self.open(call.cid, &channel, &request, &body) {
            Ok(payload) => payload,
            Err(failure) => return failed(Some(&request), &failure),
        };
        let origin = Origin {
            request: Some(request),
            peer: Some(call.peer),
            caller: channel.security.as_ref().map(|security| Arc::clone(security.name())),
            path_parameters: captures,
        };
        let mut context = self.environment.context(call.cid, ChannelKind::HttpSoap, origin);
        let answered = caught(call.cid, answer(&channel, &mut context, &payload, &body)).await;
        let request = context.origin().request.as_ref();
        match answered {
            Ok(response) => self.epilogue.end(call, request, Some(&channel), None, response),
            Err(failure) => failed(request, &failure),
        }
    }

    /// What is checked before the body is asked for.
    fn admit(&self, cid: Cid, channel: &Channel, request: &Parts) -> Result<(), Failure> {
        if !channel.is_active {
            return Err(Failure::inactive_channel());
        }
        match &channel.method {
            Some((allowed, allow)) if *allowed != request.method => {
                return Err(Failure::method_not_allowed(&request.method, allow.clone()));
            }
            // An answer to this method would open a tunnel, and there is none.
            None if request.method == Method::CONNECT => {
                return Err(Failure::method_not_allowed(&request.method, HeaderValue::from_static(METHODS)));
            }
            _ => {}
        }
        let Some(security) = &channel.security else { return Ok(()) };
        security
            .check_headers(&request.headers)
            .map_err(|denied| self.unauthorized(cid, request, security, denied))
    }

    async fn receive<B>(&self, request: &Parts, mut body: Pin<&mut B>) -> Result<Bytes, Failure>
    where
        B: Body,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        let limit = self.limits.max_bytes;
        match body::read(body.as_mut(), limit, self.body_timeout).await {
            Ok(body) => Ok(body),
            Err(error) => {
                if matches!(error, BodyError::TooLarge) {
                    body::discard(body, &request.headers, self.body_timeout).await;
                }
                Err(Failure::body(&error, limit))
            }
        }
    }

    /// Looks into the body: for the caller's proof, if it is there, and for what the service is called with.
    fn open<'b>(
        &self,
        cid: Cid,
        channel: &Channel,
        request: &Parts,
        body: &'b Bytes,
    ) -> Result<Payload<'b>, Failure> {
        let proven = match &channel.security {
            Some(security) if security.is_in_envelope() => {
                let checked = self.check_token(security, body);
                Some(checked.map_err(|denied| self.unauthorized(cid, request, security, denied))?)
            }
            _ => None,
        };
        if !channel.service.is_active() {
            return Err(unknown_url(cid, request));
        }
        match proven {
            Some(payload) => Ok(payload),
            None => Ok(Payload::read(&channel.codec, &request.headers, body, &self.limits)?),
        }
    }

    /// Looks for the caller's proof in the message, which therefore is read first. One that can't be read proves
    /// nothing, so its sender learns no more than that.
    fn check_token<'b>(&self, security: &Security, body: &'b Bytes) -> Result<Payload<'b>, Denied> {
        let document = decode::document(body, &self.limits)
            .map_err(|error| Denied::NoMessage(error.message().to_owned()))?;
        let token = Envelope::of(&document)
            .map_err(|error| Denied::NoMessage(error.to_string()))?
            .username_token()
            .map_err(|error| Denied::Token(error.to_string()))?
            .ok_or(Denied::NoToken)?;
        security.check_token(&token, self.environment.now())?;
        Ok(Payload::Soap(document))
    }

    /// The answer to a caller who proved nothing, whatever it was that was wrong.
    fn unauthorized(&self, cid: Cid, request: &Parts, security: &Security, denied: Denied) -> Failure {
        self.statistics.denied(security.name(), security.security_type(), denied.reason());
        Failure::unauthorized(cid, &shown_path(request), security.challenge(), denied)
    }

    async fn page<B>(
        &self,
        call: &Call<'_>,
        page: &dyn Page,
        request: &Parts,
        body: B,
    ) -> Response<Full<Bytes>>
    where
        B: Body,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        body::discard(pin!(body), &request.headers, self.body_timeout).await;
        let answered = if request.method == Method::GET || request.method == Method::HEAD {
            caught(call.cid, async { Ok(page.get(request).await) }).await
        } else {
            Err(Failure::method_not_allowed(&request.method, HeaderValue::from_static("GET, HEAD")))
        };
        let (response, failure) = match answered {
            Ok(response) => (response, None),
            Err(failure) => (self.error(&failure, call.cid, ErrorShape::Text, None), Some(failure)),
        };
        self.epilogue.end(call, Some(request), None, failure.as_ref(), response)
    }

    fn error(
        &self,
        failure: &Failure,
        cid: Cid,
        shape: ErrorShape,
        service: Option<&str>,
    ) -> Response<Full<Bytes>> {
        respond::error(failure, cid, shape, service, self.error_details)
    }
}

/// The answer to a request without a channel, and to one whose service is inactive.
fn unknown_url(cid: Cid, request: &Parts) -> Failure {
    Failure::unknown_url(cid, &shown_path(request), &media::soap_action(&request.headers))
}

/// The path in a message: what isn't text in it is replaced.
fn shown_path(request: &Parts) -> Cow<'_, str> {
    percent_decode_str(request.uri.path()).decode_utf8_lossy()
}

/// Without a channel nothing says what its caller reads, except on the paths of the public API.
fn shape_of(path: &str) -> ErrorShape {
    let is_under =
        |root: &str| path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if ["/zato/json", "/zato/api", "/zato/admin"].into_iter().any(is_under) {
        ErrorShape::Json
    } else if is_under("/zato/soap") {
        ErrorShape::Soap(Version::V11)
    } else {
        ErrorShape::Text
    }
}
