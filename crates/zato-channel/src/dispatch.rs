//! The way of a call from an HTTP request to an HTTP response.
//!
//! Owns the order of the checks. It must not know connections: whoever accepts those hands requests over, and gets a
//! response for each, whatever happens.

use std::fmt;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::Either;
use http::header::ORIGIN;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body::Body;
use http_body_util::{BodyExt as _, Full};
use zato_cid::Cid;
use zato_service::{ChannelKind, Environment, Origin};
use zato_soap::Limits;

use crate::access::AccessLog;
use crate::audit::{AuditLog, Witness};
use crate::body::{BodyError, BoxError};
use crate::budget::{Budget, Exhausted, Memory, Share};
use crate::channel::{Allowed, Channel};
use crate::codec::ErrorShape;
use crate::decode::Payload;
use crate::ended::{Call, Epilogue};
use crate::failure::Failure;
use crate::gate::{self, Arrival, Gate, Refusal};
use crate::handle::{Body as Answer, Reply, answer, caught};
use crate::limits::Place;
use crate::reply::ReplyBody;
use crate::respond::{self, ErrorDetails};
use crate::routing::Found;
use crate::statistics::ChannelStatistics;
use crate::throttle::{FailureDelays, Throttle};
use crate::turns::Turns;
use crate::{Channels, Origins, Page, TrustedProxies, body, cors, framing, media, path};

/// What is the same for all channels.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The largest body that is accepted, in bytes. 10 MiB by default.
    pub max_body_bytes: usize,
    /// How many bytes the bodies of all calls may take up together, requests as well as replies that are there as a whole, those of
    /// up to 16 KiB not counted. Further requests are answered with 503 until there is room: those with a larger body, and all
    /// while clients leave more replies unread than that. Documents of the server's own that are made for a request are while more
    /// than half is taken. 512 MiB by default.
    pub max_buffered_bytes: usize,
    /// How long a body may take to arrive. 30 seconds by default.
    pub body_timeout: Duration,
    /// How much callers learn about errors. Everything by default.
    pub error_details: ErrorDetails,
    /// The `Server` header of responses, if there is to be one. `Zato` by default.
    pub server_header: Option<HeaderValue>,
    /// How guessing credentials is slowed down.
    pub failure_delays: FailureDelays,
    /// Whose word about the address of a caller counts. Nobody's by default: then it is that of the connection.
    pub trusted_proxies: TrustedProxies,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_body_bytes: 10 * 1024 * 1024,
            max_buffered_bytes: 512 * 1024 * 1024,
            body_timeout: Duration::from_secs(30),
            error_details: ErrorDetails::Full,
            server_header: Some(HeaderValue::from_static("Zato")),
            failure_delays: FailureDelays::default(),
            trusted_proxies: TrustedProxies::default(),
        }
    }
}

/// Answers requests. Clones share everything.
#[derive(Clone)]
pub struct Dispatcher(Arc<Shared>);

#[derive(Clone)]
struct Shared {
    channels: Channels,
    gate: Gate,
    body_timeout: Duration,
    error_details: ErrorDetails,
    budget: Budget,
    /// Taken to look for proofs in large bodies.
    turns: Turns,
    epilogue: Epilogue,
    audit_log: Option<Arc<dyn AuditLog>>,
    trusted_proxies: TrustedProxies,
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatcher").field("channels", &self.0.channels).finish_non_exhaustive()
    }
}

impl Dispatcher {
    /// A dispatcher over these channels, whose services run in this environment.
    pub fn new(channels: Channels, environment: Environment, settings: Settings) -> Self {
        let limits = Limits { max_bytes: settings.max_body_bytes, ..Limits::default() };
        let throttle = Arc::new(Throttle::new(settings.failure_delays));
        Self(Arc::new(Shared {
            channels,
            gate: Gate { environment, limits, statistics: ChannelStatistics::default(), throttle },
            body_timeout: settings.body_timeout,
            error_details: settings.error_details,
            budget: Budget::new(settings.max_buffered_bytes),
            turns: Turns::default(),
            epilogue: Epilogue { server_header: settings.server_header, access_log: None },
            audit_log: None,
            trusted_proxies: settings.trusted_proxies,
        }))
    }

    /// The same dispatcher, which also tells `access_log` about each finished call.
    #[must_use]
    pub fn with_access_log(self, access_log: Arc<dyn AccessLog>) -> Self {
        let mut shared = Arc::unwrap_or_clone(self.0);
        shared.epilogue.access_log = Some(access_log);
        Self(Arc::new(shared))
    }

    /// The same dispatcher, which also tells `audit_log` about each call of the channels that are audited.
    #[must_use]
    pub fn with_audit_log(self, audit_log: Arc<dyn AuditLog>) -> Self {
        let mut shared = Arc::unwrap_or_clone(self.0);
        shared.audit_log = Some(audit_log);
        Self(Arc::new(shared))
    }

    /// Counts calls in `statistics`, for those who need the counters before there is a dispatcher.
    #[must_use]
    pub fn with_statistics(self, statistics: ChannelStatistics) -> Self {
        let mut shared = Arc::unwrap_or_clone(self.0);
        shared.gate.statistics = statistics;
        Self(Arc::new(shared))
    }

    /// A dispatcher that shares everything with this one, too, but counts its own clones: one for each connection.
    ///
    /// Each call takes a clone along. Connections on several cores that count the clones of the same dispatcher up and down wait
    /// for one another.
    #[must_use]
    pub fn for_connection(&self) -> Self {
        let mut shared = Shared::clone(&self.0);
        shared.gate.environment = shared.gate.environment.counted_apart();
        Self(Arc::new(shared))
    }

    /// The counters of all calls.
    pub fn statistics(&self) -> &ChannelStatistics {
        &self.0.gate.statistics
    }

    /// Takes memory for what becomes of a reply from what all bodies share ([`Settings::max_buffered_bytes`]), or none if more than
    /// half of it is taken.
    pub fn take_memory(&self, bytes: usize) -> Option<Memory> {
        self.0.budget.take(bytes)
    }

    /// Whether bodies take up more than half of the memory that they may. Clients that let their replies lie should then be parted
    /// with: the others will need the rest.
    pub fn is_short_of_memory(&self) -> bool {
        self.0.budget.is_short()
    }

    /// Answers a request that came from `peer`, which is the caller or a trusted proxy before it. Whatever goes wrong
    /// becomes a response, the panic of a service included.
    ///
    /// Every response carries `X-Zato-CID`. If the future is dropped, because the client went away for instance, the
    /// call ends wherever it is waiting. A call whose reply is a long list ends with the body of its response, which makes
    /// the list while it is read, and fails if that can't go on.
    ///
    /// Connections move the future of each call about, so it is kept small: whatever few calls need is in a box of its own.
    #[inline]
    pub fn dispatch<B>(
        &self,
        request: Request<B>,
        peer: SocketAddr,
    ) -> impl Future<Output = Response<ReplyBody>> + use<B>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let shared = Arc::clone(&self.0);
        let cid = shared.gate.environment.new_cid();
        let begun = Instant::now();
        let (request, body) = request.into_parts();
        let client = shared.trusted_proxies.client(peer, &request.headers);
        let call = Call { cid, begun, client, in_flight: shared.gate.statistics.begin() };
        match shared.route(cid, &request) {
            Route::Channel(found) if found.channel.is_plain() => {
                Either::Left(shared.serve(call, None, found, request, body))
            }
            route => Either::Right(Box::pin(shared.detour(call, route, request, body))),
        }
    }
}

/// What a service is called with, and the places that its call takes.
type Opened<'b> = (Payload<'b>, (Place, Option<Place>));

/// Where a request goes.
enum Route {
    Channel(Found),
    Page(Arc<dyn Page>),
    /// To none of its resources: `OPTIONS *` of RFC 9110, section 9.3.7.
    Server,
    Nowhere(Failure),
}

impl Shared {
    fn route(&self, cid: Cid, request: &Parts) -> Route {
        if let Some(failure) = framing::ambiguity(request) {
            return Route::Nowhere(failure);
        }
        if request.uri.path() == "*" && request.method == Method::OPTIONS {
            return Route::Server;
        }
        let unknown = || Route::Nowhere(gate::unknown_url(cid, request));
        let Some(path) = path::decode(request.uri.path()) else { return unknown() };
        // The question names no action, and the call that may follow does.
        if let Some(origin) = cors::asking(request)
            && let Some(found) = self.channels.find_any(&path, |channel| {
                channel.cors.as_ref().is_some_and(|origins| origins.include(origin))
            })
        {
            return Route::Channel(found);
        }
        let headers = &request.headers;
        let action = media::soap_action(headers);
        let parameter = || media::action_parameter(headers);
        // SOAP 1.2 names the action in its own place, and what names one is not meant for a channel without.
        let found = match action.is_empty() {
            true => parameter()
                .and_then(|parameter| self.channels.find(&path, &parameter))
                .or_else(|| self.channels.find(&path, "")),
            false => self
                .channels
                .find(&path, &action)
                .or_else(|| parameter().and_then(|parameter| self.channels.find(&path, &parameter))),
        };
        match found {
            Some(found) => Route::Channel(found),
            None => self.channels.page(&path).map_or_else(unknown, Route::Page),
        }
    }

    /// The ways of all requests but those that go straight through a channel.
    async fn detour<B>(
        self: Arc<Self>,
        call: Call,
        route: Route,
        request: Parts,
        body: B,
    ) -> Response<ReplyBody>
    where
        B: Body<Error: Into<BoxError>>,
    {
        match route {
            Route::Channel(found) => match found.channel.cors.clone() {
                None => self.watched(call, found, request, body).await,
                Some(origins) => self.of_a_page(call, &origins, found, request, body).await,
            },
            Route::Page(page) => self.page(&call, &*page, &request, body).await,
            Route::Server => {
                body::discard(pin!(body), &request.headers, self.body_timeout).await;
                self.epilogue.end(&call, Some(&request), None, None, respond::options(gate::methods()))
            }
            Route::Nowhere(failure) => {
                body::discard(pin!(body), &request.headers, self.body_timeout).await;
                let response = self.error(&failure, call.cid, ErrorShape::of_path(request.uri.path()), None);
                self.epilogue.end(&call, Some(&request), None, Some(&failure), response)
            }
        }
    }

    /// The way of a call that a web page may have sent.
    async fn of_a_page<B>(
        self: Arc<Self>,
        call: Call,
        origins: &Origins,
        found: Found,
        request: Parts,
        body: B,
    ) -> Response<ReplyBody>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let allow = found.channel.method.as_ref().map(Allowed::header);
        if let Some(answer) = origins.preflight(&request, allow) {
            return self.epilogue.end(&call, Some(&request), Some(&found.channel), None, answer);
        }
        let origin: HeaderMap =
            request.headers.get(ORIGIN).map(|origin| (ORIGIN, origin.clone())).into_iter().collect();
        let mut response = self.watched(call, found, request, body).await;
        origins.allow(&origin, response.headers_mut());
        response
    }

    /// The way of a call that may be audited.
    async fn watched<B>(
        self: Arc<Self>,
        call: Call,
        found: Found,
        request: Parts,
        body: B,
    ) -> Response<ReplyBody>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let audit_log = self.audit_log.as_ref().filter(|_| found.channel.is_audited);
        let mut witness = audit_log.map(|log| {
            let environment = self.gate.environment.clone();
            Witness::new(Arc::clone(log), environment, (call.cid, call.client), &found, &request)
        });
        let response = self.serve(call, witness.as_mut(), found, request, body).await;
        match witness {
            None => response,
            Some(witness) => witness.replied(response),
        }
    }

    /// The way of a call through its channel.
    #[expect(
        clippy::manual_async_fn,
        reason = "it would keep its arguments twice, and connections move the future of each call about"
    )]
    fn serve<'a, B>(
        self: Arc<Self>,
        call: Call,
        witness: Option<&'a mut Witness>,
        found: Found,
        request: Parts,
        body: B,
    ) -> impl Future<Output = Response<ReplyBody>> + use<'a, B>
    where
        B: Body<Error: Into<BoxError>>,
    {
        async move {
            let mut body = pin!(body);
            let mut share = self.budget.share();
            let arrival = Arrival { call: &call, request: &request, found: &found };
            let (body, place) = match self.admit(arrival, body.as_mut(), &mut share).await {
                Ok(admitted) => admitted,
                // Boxed, because few calls need it.
                Err(refusal) => return Box::pin(self.refuse(&call, &request, &found.channel, refusal)).await,
            };
            let opened = if arrival.is_laborious(&body) {
                // Boxed for the same reason.
                Box::pin(self.open_in_turn(arrival, place, witness, &body, &mut share)).await
            } else {
                self.open(arrival, place, witness, &body, &mut share)
            };
            let (payload, places) = match opened {
                Ok(opened) => opened,
                Err(refusal) => {
                    // The answer may be held back, in which time others may use what the call took.
                    drop((body, share));
                    return Box::pin(self.refuse(&call, &request, &found.channel, refusal)).await;
                }
            };
            let Found { channel, captures, definition, .. } = found;
            let origin = Origin {
                request: Some(request),
                peer: Some(call.client),
                caller: definition.map(|definition| Arc::clone(definition.security.name())),
                path_parameters: captures,
                job: None,
            };
            let mut context = self.gate.environment.context(call.cid, ChannelKind::HttpSoap, origin);
            let answered = caught(call.cid, pin!(answer(&channel, &mut context, &payload, &body))).await;
            let Reply { status, headers, body } = match answered {
                Ok(reply) => reply,
                Err(failure) => {
                    return self.failed(&call, context.origin().request.as_ref(), &channel, &failure);
                }
            };
            let mut request = context.into_origin().request;
            match body {
                Answer::Whole(body) => {
                    let body = self.budget.hold(body);
                    self.epilogue.reply(&call, request.as_mut(), &channel, (status, headers), body)
                }
                Answer::Pieces(pieces) => {
                    self.epilogue.begin(call, request, channel, places, (status, headers), pieces)
                }
            }
        }
    }

    /// Lets a call in as far as its body, which is read.
    async fn admit<B>(
        &self,
        arrival: Arrival<'_>,
        mut body: Pin<&mut B>,
        share: &mut Share<'_>,
    ) -> Result<(Bytes, Option<Place>), Refusal>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let request = arrival.request;
        let admitted = self.gate.admit(arrival).and_then(|may_be_counted| {
            may_be_counted.then(|| arrival.count_call()).transpose().map_err(Refusal::from)
        });
        match admitted {
            Ok(place) => Ok((self.receive(request, body.as_mut(), share).await?, place)),
            Err(refusal) => {
                // Whoever may not call is not asked for the body.
                body::discard(body, &request.headers, self.body_timeout).await;
                Err(refusal)
            }
        }
    }

    /// Lets a call through to its service, and counts it for its caller; for its channel, too, if it has no place yet.
    fn open<'b>(
        &self,
        arrival: Arrival<'_>,
        place: Option<Place>,
        mut witness: Option<&mut Witness>,
        body: &'b Bytes,
        share: &mut Share<'_>,
    ) -> Result<Opened<'b>, Refusal> {
        if let Some(witness) = &mut witness {
            witness.received(body);
        }
        let payload = self.gate.open(arrival, body, share)?;
        if let Some(witness) = witness {
            let definition = arrival.found.definition.as_ref();
            witness.let_through(definition.map(|definition| definition.security.name()));
        }
        let place = place.map_or_else(|| arrival.count_call(), Ok)?;
        Ok((payload, (place, arrival.count_caller()?)))
    }

    /// Does the same for a body that takes long to look at, when it is its turn. Whoever waits for longer than a body may take is
    /// told to come back.
    async fn open_in_turn<'b>(
        &self,
        arrival: Arrival<'_>,
        place: Option<Place>,
        witness: Option<&mut Witness>,
        body: &'b Bytes,
        share: &mut Share<'_>,
    ) -> Result<Opened<'b>, Refusal> {
        let opened =
            self.turns.run(self.body_timeout, || self.open(arrival, place, witness, body, share)).await;
        opened.unwrap_or_else(|| Err(Failure::overloaded().into()))
    }

    async fn receive<B>(
        &self,
        request: &Parts,
        mut body: Pin<&mut B>,
        share: &mut Share<'_>,
    ) -> Result<Bytes, Failure>
    where
        B: Body<Error: Into<BoxError>>,
    {
        let limit = self.gate.limits.max_bytes;
        let read = if self.budget.is_overdrawn() {
            Err(BodyError::Overloaded)
        } else {
            body::read(body.as_mut(), limit, self.body_timeout, share).await
        };
        match read {
            Ok(body) => Ok(body),
            Err(error) => {
                if matches!(error, BodyError::TooLarge | BodyError::Overloaded) {
                    body::discard(body, &request.headers, self.body_timeout).await;
                }
                Err(Failure::body(&error, limit))
            }
        }
    }

    async fn refuse(
        &self,
        call: &Call,
        request: &Parts,
        channel: &Channel,
        refusal: Refusal,
    ) -> Response<ReplyBody> {
        match refusal {
            Refusal::Failed(failure) => self.failed(call, Some(request), channel, &failure),
            Refusal::Held(failure, delay) => {
                if !delay.is_zero() {
                    Box::pin(tokio::time::sleep(delay)).await;
                }
                self.failed(call, Some(request), channel, &failure)
            }
            Refusal::Options(allowed) => {
                self.epilogue.end(call, Some(request), Some(channel), None, respond::options(allowed))
            }
        }
    }

    fn failed(
        &self,
        call: &Call,
        request: Option<&Parts>,
        channel: &Channel,
        failure: &Failure,
    ) -> Response<ReplyBody> {
        let (shape, service) = (channel.codec.error_shape(), channel.service.name());
        let response = self.error(failure, call.cid, shape, Some(service));
        self.epilogue.end(call, request, Some(channel), Some(failure), response)
    }

    async fn page<B>(&self, call: &Call, page: &dyn Page, request: &Parts, body: B) -> Response<ReplyBody>
    where
        B: Body<Error: Into<BoxError>>,
    {
        body::discard(pin!(body), &request.headers, self.body_timeout).await;
        let allowed = HeaderValue::from_static("GET, HEAD, OPTIONS");
        let answered = match request.method {
            Method::GET | Method::HEAD => caught(call.cid, pin!(self.document(page, request))).await,
            Method::OPTIONS => Ok(respond::options(allowed)),
            ref other => Err(Failure::method_not_allowed(other, allowed)),
        };
        let (response, failure) = match answered {
            Ok(response) => (response, None),
            Err(failure) => (self.error(&failure, call.cid, ErrorShape::Text, None), Some(failure)),
        };
        self.epilogue.end(call, Some(request), None, failure.as_ref(), response)
    }

    /// A page that is made for this request counts like the reply of a service, but it is refused when memory is short.
    async fn document(&self, page: &dyn Page, request: &Parts) -> Result<Response<Full<Bytes>>, Failure> {
        let (head, body) = page.get(request).await.into_parts();
        let Ok(body) = body.collect().await;
        let body =
            self.budget.hold_unless_short(body.to_bytes()).map_err(|Exhausted| Failure::overloaded())?;
        Ok(Response::from_parts(head, Full::new(body)))
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
