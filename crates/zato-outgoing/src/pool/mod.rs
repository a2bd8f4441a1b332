//! Keeps connections open between calls and sends requests on them.
//!
//! Owns the innermost service of the stack: how many connections there may be, which one a request goes to, and what
//! happens if that one has been closed in the meantime. It knows HTTP/1.1 and HTTP/2 through hyper's connections, and
//! nothing of names, credentials or bodies.

mod body;
mod http1;
mod http2;
mod idle;
mod sender;
#[cfg(test)]
mod tests;

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::{CONTENT_LENGTH, HOST, PROXY_AUTHORIZATION, TRANSFER_ENCODING};
use http::uri::Authority;
use http::{Extensions, HeaderMap, HeaderValue, Method, Request, Response, Uri};
use hyper::body::Incoming;
use pin_project_lite::pin_project;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

pub use self::body::PooledBody;
use self::http1::SHORT_REQUEST_BYTES;
use self::idle::{Permit, Shared, Turn};
use self::sender::{Lease, Open, Reply, SendError};
use crate::body::Body;
use crate::connect::{Connect, Connected};
use crate::error::Failure;
use crate::layers::replay::Kept;
use crate::origin::Origin;
use crate::progress::{Phase, Progress};
use crate::timer::LONGEST;

/// Marks a call whose response is to have the [`Peer`](crate::connect::Peer) in its extensions, if the connection has TLS. It
/// travels in the request's extensions.
#[derive(Clone, Copy, Debug, Default)]
pub struct DescribePeer;

/// The limits of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolOptions {
    /// How many calls may be under way at once, each with a connection of its own unless it is HTTP/2. Further calls wait
    /// in the order in which they came.
    pub size: usize,
    /// How many calls may wait. Further ones fail at once.
    pub queue_size: usize,
    /// How long a call may wait, if that is limited here.
    pub queue_timeout: Option<Duration>,
    /// How long a connection may lie unused.
    pub idle_timeout: Duration,
    /// How long after it was opened a connection may be used for another call. `None` is for ever.
    pub max_lifetime: Option<Duration>,
}

/// Makes [`Pool`] services of services that open connections.
#[derive(Clone, Copy, Debug)]
pub struct PoolLayer {
    options: PoolOptions,
}

impl PoolLayer {
    /// Keeps connections within the limits of `options`.
    pub fn within(options: PoolOptions) -> Self {
        Self { options }
    }
}

impl<C> Layer<C> for PoolLayer {
    type Service = Pool<C>;

    fn layer(&self, connector: C) -> Pool<C> {
        Pool(Arc::new(Inner { shared: Shared::new(self.options), connector }))
    }
}

/// Sends requests on pooled connections which `C` opens. Nothing is opened before the first request.
///
/// A connection goes back into the pool when the reply's body has been read to its end, and is closed when the body or the
/// call is dropped before that. A request that is accepted by a reply before all of it has been written is still written to its
/// end, if that takes no more than ten seconds after the reply. A request is sent again, on a new connection, if a pooled one
/// turns out to have been closed before it accepted the request, or the other side says that it has not looked at it: whatever the
/// method, because nothing has happened. So it is if the other side wants HTTP/1.1 instead of HTTP/2, which the pool remembers.
///
/// ```no_run
/// use std::time::Duration;
///
/// use http::Request;
/// use tower::ServiceExt;
/// use tower_layer::Layer;
/// use zato_outgoing::connect::Connector;
/// use zato_outgoing::pool::{PoolLayer, PoolOptions};
/// use zato_outgoing::{Body, Config, Environment};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // What the configuration says of TLS and proxies is what matters here.
/// let config = Config::new(1, "CRM", "https://crm.example.com", "/");
/// let connector = Connector::new(&config, &Environment::new("example")?)?;
/// let options = PoolOptions {
///     size: 10,
///     queue_size: 100,
///     queue_timeout: None,
///     idle_timeout: Duration::from_secs(30),
///     max_lifetime: None,
/// };
/// let pool = PoolLayer::within(options).layer(connector);
/// let request = Request::get("https://crm.example.com/customers").body(Body::empty())?;
/// println!("{}", pool.oneshot(request).await?.status());
/// # Ok(())
/// # }
/// ```
///
/// Reads: [`Progress`], [`DescribePeer`]. Writes: all extensions of the request into the response.
#[derive(Debug)]
pub struct Pool<C>(Arc<Inner<C>>);

#[derive(Debug)]
struct Inner<C> {
    shared: Arc<Shared>,
    connector: C,
}

impl<C> Clone for Pool<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> Pool<C> {
    /// Closes all unused connections, and from now on every other one when its call ends.
    pub fn retire(&self) {
        self.0.shared.retire();
    }

    /// How many connections lie unused.
    pub fn idle_connections(&self) -> usize {
        self.0.shared.idle_connections()
    }

    /// How many calls may be under way at once.
    pub fn size(&self) -> usize {
        self.0.shared.size()
    }

    /// How many calls wait for their turn.
    pub fn waiting(&self) -> usize {
        self.0.shared.waiting()
    }
}

impl<C, T> Service<Request<Body>> for Pool<C>
where
    C: Service<Connect, Response = Connected<T>, Error = Failure> + Clone + Send + Sync + 'static,
    C::Future: Send,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Response = Response<PooledBody>;
    type Error = Failure;
    type Future = Boxed;

    /// Always ready: a call waits for its turn inside its future, where the time-out and the measurements see it.
    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let errand = Errand::of(&mut request, Arc::clone(&self.0));
        // The usual call finds everything in place, so that only what waits for the reply has to be boxed.
        match errand.connection_at_once() {
            Some((open, permit, now)) => {
                let sent = errand.send(open, true, permit, request, now);
                Box::pin(Replying::First { errand: Some(errand), sent })
            }
            None => Box::pin(errand.wait_and_send(request)),
        }
    }
}

/// A call under way: what it needs apart from its request.
struct Errand<C> {
    inner: Arc<Inner<C>>,
    /// The request's, which gets the form that a connection wants.
    url: Uri,
    progress: Progress,
    /// The request's, of no use on the way to the other side; those who get the reply may want them.
    extensions: Extensions,
    describe: bool,
}

pin_project! {
    /// A request that has been given to a connection, and the head of its reply to come.
    struct Sent<F> {
        #[pin]
        reply: F,
        // Handed out with the head.
        held: Option<Held>,
    }
}

/// What a call holds while it waits for the head of a reply.
struct Held {
    lease: Lease,
    reused: bool,
    /// Whether the reply may come while the request is still being written.
    is_long: bool,
    /// The request once more, if it may be sent once more.
    again: Option<Box<Kept<Body>>>,
}

impl<F: Reply> Sent<F> {
    /// Waits for the head of the reply, and tells what follows from how that ended.
    fn poll<C>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        errand: &mut Errand<C>,
    ) -> Poll<Result<Ended, Failure>> {
        let this = self.project();
        // One that is polled after it has ended has nothing more to say.
        let Some(held) = this.held else { return Poll::Pending };
        let replied = ready!(held.lease.poll_reply(this.reply, cx));
        match this.held.take() {
            Some(held) => Poll::Ready(errand.ended(replied, held)),
            None => Poll::Pending,
        }
    }
}

/// The pool's future, behind which hyper's own ones are hidden.
type Boxed = Pin<Box<dyn Future<Output = Result<Response<PooledBody>, Failure>> + Send>>;

pin_project! {
    /// The usual call. It is written by hand because an async function would hold the request sent several times over.
    #[project = Projected]
    enum Replying<C, F> {
        // Waiting for the head of the reply.
        First {
            // Taken when the request has to be sent again.
            errand: Option<Errand<C>>,
            #[pin]
            sent: Sent<F>,
        },
        // The request is sent again, on another connection.
        Again { rest: Boxed },
    }
}

impl<C, T, F> Future for Replying<C, F>
where
    C: Service<Connect, Response = Connected<T>, Error = Failure> + Clone + Send + Sync + 'static,
    C::Future: Send,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Reply,
{
    type Output = Result<Response<PooledBody>, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let rest: Boxed = match self.as_mut().project() {
                Projected::First { errand, sent } => {
                    let Some(present) = errand else { return Poll::Pending };
                    match ready!(sent.poll(cx, present))? {
                        Ended::Reply(response) => return Poll::Ready(Ok(response)),
                        Ended::Again(again) => {
                            let Some(errand) = errand.take() else { return Poll::Pending };
                            let (request, permit) = *again;
                            Box::pin(errand.send_until_taken(request, permit, false))
                        }
                    }
                }
                Projected::Again { rest } => return rest.as_mut().poll(cx),
            };
            self.set(Self::Again { rest });
        }
    }
}

/// How sending a request ended, unless that failed for good.
enum Ended {
    Reply(Response<PooledBody>),
    /// The connection had been closed, so that the request has to be sent on another one.
    Again(Box<(Request<Body>, Permit)>),
}

impl<C, T> Errand<C>
where
    C: Service<Connect, Response = Connected<T>, Error = Failure> + Clone,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// Takes out of `request` what is of no use to a connection, or not in this form.
    fn of(request: &mut Request<Body>, inner: Arc<Inner<C>>) -> Self {
        let progress = request.extensions_mut().get_or_insert_with(Progress::start).clone();
        let describe = request.extensions().get::<DescribePeer>().is_some();
        let extensions = std::mem::take(request.extensions_mut());
        // A call may come here again, after a redirect.
        if progress.phase() != Phase::Queue {
            progress.enter(Phase::Queue);
        }
        // Some servers refuse a request without a length whose method is expected to have a body (RFC 9110, 8.6).
        if request.body().is_empty()
            && matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH)
        {
            request.headers_mut().entry(CONTENT_LENGTH).or_insert(HeaderValue::from_static("0"));
        }
        let url = std::mem::take(request.uri_mut());
        Self { inner, url, progress, extensions, describe }
    }

    /// A pooled connection, and the time, if that takes no waiting.
    fn connection_at_once(&self) -> Option<(Box<Open>, Permit, Instant)> {
        let shared = &self.inner.shared;
        let permit = shared.permit_at_once()?;
        let now = Instant::now();
        Some((shared.take(&self.url, now)?, permit, now))
    }

    async fn wait_and_send(self, request: Request<Body>) -> Result<Response<PooledBody>, Failure> {
        let permit = self.inner.shared.permit().await?;
        self.send_until_taken(request, permit, true).await
    }

    async fn send_until_taken(
        mut self,
        mut request: Request<Body>,
        mut permit: Permit,
        mut may_reuse: bool,
    ) -> Result<Response<PooledBody>, Failure> {
        loop {
            let pooled = if may_reuse { self.inner.shared.take(&self.url, Instant::now()) } else { None };
            let (open, reused) = match pooled {
                Some(open) => (open, true),
                None => self.inner.open(&self.url, &self.progress, may_reuse).await?,
            };
            let mut sent = pin!(self.send(open, reused, permit, request, Instant::now()));
            match poll_fn(|cx| sent.as_mut().poll(cx, &mut self)).await? {
                Ended::Reply(response) => return Ok(response),
                Ended::Again(again) => (request, permit) = *again,
            }
            may_reuse = false;
        }
    }

    /// Puts the request into the form which a connection wants, and gives it to that.
    fn send(
        &self,
        open: Box<Open>,
        reused: bool,
        permit: Permit,
        mut request: Request<Body>,
        now: Instant,
    ) -> Sent<impl Reply + use<C, T>> {
        self.progress.enter_at(Phase::FirstByte, now);
        let mut lease = Lease::new(open, permit);
        // The other side may close a connection at the very moment at which it is used again. A call that may happen twice
        // is made again then (RFC 9112, 9.3.1), and with HTTP/2, which tells whether it was looked at, every other one as well.
        // There the first answer to any request may be that it is to come by HTTP/1.1.
        let may_repeat = lease.is_http2() || (reused && request.method().is_idempotent());
        let again = may_repeat.then(|| Box::new(Kept::without_extensions(&request)));
        let target = lease.request_target(&self.url);
        *request.uri_mut() = if lease.is_http2() {
            naming_host(target, request.headers_mut())
        } else {
            request.headers_mut().entry(HOST).or_insert_with(|| lease.host_header());
            // The library leaves such bodies out of GET and HEAD unless it is told that there is one.
            if request.body().len().is_none() {
                request.headers_mut().insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
            }
            target
        };
        if let Some(authorization) = lease.proxy_authorization() {
            request.headers_mut().insert(PROXY_AUTHORIZATION, authorization);
        }
        // A short one is written at once.
        let is_long = request.body().len().is_none_or(|length| length > SHORT_REQUEST_BYTES as u64);
        self.progress.set_sent(true);
        Sent { reply: lease.send(request), held: Some(Held { lease, reused, is_long, again }) }
    }
}

impl<C> Errand<C> {
    /// What follows from how the wait for the head of the reply ended.
    fn ended(
        &mut self,
        replied: Result<Response<Incoming>, SendError>,
        held: Held,
    ) -> Result<Ended, Failure> {
        let Held { mut lease, reused, is_long, again } = held;
        match replied {
            Ok(mut response) => {
                let now = Instant::now();
                // Whoever accepts a request before it is complete relies on the rest of it; who refuses it does not want that.
                if is_long && response.status().as_u16() < 400 {
                    lease.finish_request(self.progress.ends().unwrap_or(now + LONGEST));
                }
                self.progress.enter_at(Phase::Body, now);
                let extensions = std::mem::take(&mut self.extensions);
                let own = std::mem::replace(response.extensions_mut(), extensions);
                if !own.is_empty() {
                    response.extensions_mut().extend(own);
                }
                if self.describe
                    && let Some(peer) = lease.peer()
                {
                    response.extensions_mut().insert(peer);
                }
                Ok(Ended::Reply(response.map(|body| PooledBody::new(body, lease, now))))
            }
            Err(SendError::Returned(mut request, error)) => {
                self.progress.set_sent(false);
                if reused {
                    if lease.is_http2() {
                        give_host_back(&mut request, &self.url);
                    }
                    Ok(Ended::Again(Box::new((*request, lease.into_permit()))))
                } else {
                    Err(Failure::NotSent(error.into()))
                }
            }
            Err(SendError::Invalid(error)) => Err(Failure::InvalidReply(error.into())),
            Err(SendError::RequestBody(error)) => Err(Failure::RequestBody(error.into())),
            Err(SendError::Unprocessed(error)) => {
                self.progress.set_sent(false);
                match again.filter(|_| reused).and_then(|kept| kept.request()) {
                    Some(request) => Ok(Ended::Again(Box::new((request, lease.into_permit())))),
                    None => Err(Failure::NotSent(error.into())),
                }
            }
            Err(SendError::Http1Required) => {
                self.progress.set_sent(false);
                self.inner.shared.require_http1(lease.origin());
                match again.and_then(|kept| kept.request()) {
                    Some(request) => Ok(Ended::Again(Box::new((request, lease.into_permit())))),
                    None => Err(Failure::NotSent(
                        "it wants HTTP/1.1, and the body of the request cannot be sent again".into(),
                    )),
                }
            }
            Err(SendError::NoReply(error)) => {
                let may_repeat = |kept: &Kept<Body>| {
                    reused && kept.method.is_idempotent() && sender::is_end_of_connection(&error)
                };
                let again = again.filter(|kept| may_repeat(kept));
                match again.and_then(|kept| kept.request()) {
                    Some(request) => Ok(Ended::Again(Box::new((request, lease.into_permit())))),
                    None => Err(Failure::NoReply(error.into())),
                }
            }
        }
    }
}

/// HTTP/2 names the host in its `:authority`, and a request whose `Host` header names another one is malformed (RFC 9113, 8.3.1).
/// So the caller's own header becomes the authority of `target`, unless it is none.
fn naming_host(target: Uri, headers: &mut HeaderMap) -> Uri {
    let host = headers.get(HOST).and_then(|host| Authority::try_from(host.as_bytes()).ok());
    // An authority with a username is none that a header may have.
    let Some(host) = host.filter(|host| !host.as_str().contains('@')) else { return target };
    headers.remove(HOST);
    let mut parts = target.into_parts();
    parts.authority = Some(host);
    #[expect(clippy::expect_used, reason = "a URL with an authority stays complete with another one")]
    Uri::from_parts(parts).expect("only the authority differs")
}

/// Makes the authority which stood for the caller's own `Host` header that header again, because the next connection may be one of
/// HTTP/1.1.
fn give_host_back(request: &mut Request<Body>, url: &Uri) {
    let own = request.uri().authority().filter(|own| Some(*own) != url.authority());
    let own = own.and_then(|own| HeaderValue::from_str(own.as_str()).ok());
    if let Some(own) = own {
        request.headers_mut().insert(HOST, own);
    }
}

impl<C, T> Inner<C>
where
    C: Service<Connect, Response = Connected<T>, Error = Failure> + Clone,
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    /// A new connection, or one that was opened for another call while this one waited for its turn to open one; and whether
    /// it is the latter.
    async fn open(
        &self,
        url: &Uri,
        progress: &Progress,
        may_reuse: bool,
    ) -> Result<(Box<Open>, bool), Failure> {
        let origin = Origin::of(url)
            .ok_or_else(|| Failure::invalid_request("URL", "it is not an absolute http or https URL"))?;
        let origin = Arc::new(origin);
        // One that is to replace another one is needed whatever others open.
        while may_reuse && self.shared.may_be_http2(&origin) {
            match self.shared.turn_to_open(&origin) {
                Turn::Own(opening) => {
                    // The one before may have come to its end between the look into the pool and now.
                    if let Some(open) = self.shared.take(url, Instant::now()) {
                        opening.succeeded();
                        return Ok((open, true));
                    }
                    let open = self.connect(origin, progress).await?;
                    open.end(opening);
                    return Ok((open, false));
                }
                Turn::Other(awaited) => {
                    progress.enter(Phase::Opening);
                    let has_succeeded = awaited.has_succeeded().await;
                    if let Some(open) = self.shared.take(url, Instant::now()) {
                        return Ok((open, true));
                    }
                    // What went wrong may take as long each time, so that nobody waits for the next attempt, too.
                    if !has_succeeded {
                        break;
                    }
                }
            }
        }
        Ok((self.connect(origin, progress).await?, false))
    }

    async fn connect(&self, origin: Arc<Origin>, progress: &Progress) -> Result<Box<Open>, Failure> {
        self.shared.make_room();
        let mut connector = self.connector.clone();
        poll_fn(|cx| connector.poll_ready(cx)).await?;
        let http1_only = self.shared.is_http1_required(&origin);
        let order = Connect { origin: Arc::clone(&origin), progress: progress.clone(), http1_only };
        let connected = connector.call(order).await?;
        let (owner, calls) = (self.shared.watcher(), self.shared.size());
        let open = Box::new(Open::handshake(connected, origin, owner, calls).await?);
        self.shared.learn(&open);
        self.shared.share(&open);
        Ok(open)
    }
}
