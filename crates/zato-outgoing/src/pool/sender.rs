//! One open HTTP connection, of either version.
//!
//! Owns the difference between HTTP/1.1 and HTTP/2 as far as sending a request goes, and the moment at which a connection goes back
//! to its pool.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::Either;
use http::{HeaderValue, Request, Response, Uri};
use http_body::{Body as _, Frame};
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::http1::Http1;
use super::http2::Http2;
use super::idle::{Opening, Permit};
use crate::body::Body;
use crate::connect::{Connected, Forwarded, Peer, Protocol};
use crate::error::Failure;
use crate::origin::Origin;

/// How long the rest of a request may take whose reply is over, however much time its call has left.
///
/// Nobody waits for that rest, but there may be calls which wait for its place in the pool: another side that does not read on, or a
/// caller's stream that does not end, must not keep it from them for as long as a call may take.
const REST_OF_REQUEST: Duration = Duration::from_secs(10);

/// An open connection and where it leads.
#[derive(Debug)]
pub(super) struct Open {
    sender: Sender,
    origin: Arc<Origin>,
    host: HeaderValue,
    pub(super) opened: Instant,
    forwarded: Option<Forwarded>,
    peer: Option<Peer>,
}

#[derive(Debug)]
enum Sender {
    Http1(Http1),
    Http2(Http2),
}

/// The reply to a request, as hyper has it: one of HTTP/1.1 comes only while its connection is polled.
pub(super) trait Reply:
    Future<Output = Result<Response<Incoming>, TrySendError<Request<Body>>>> + Send
{
}

impl<F> Reply for F where F: Future<Output = Result<Response<Incoming>, TrySendError<Request<Body>>>> + Send {}

/// Why a request got no reply.
pub(super) enum SendError {
    /// The connection never took the request, which is here again. It is boxed because it is large and rare.
    Returned(Box<Request<Body>>, hyper::Error),
    /// The request's own body failed, so that only a part of it was sent.
    RequestBody(hyper::Error),
    /// The request was sent, and the other side says that it has not looked at it.
    Unprocessed(hyper::Error),
    /// The request was sent, and the other side says that it wants it by HTTP/1.1. It has not looked at it.
    Http1Required,
    /// The request was sent, and what came is no reply.
    Invalid(hyper::Error),
    /// The request was sent, at least in part.
    NoReply(hyper::Error),
}

impl From<TrySendError<Request<Body>>> for SendError {
    fn from(mut error: TrySendError<Request<Body>>) -> Self {
        match error.take_message() {
            Some(request) => Self::Returned(Box::new(request), error.into_error()),
            None => match error.into_error() {
                error if error.is_user() => Self::RequestBody(error),
                error if error.is_parse() => Self::Invalid(error),
                error if is_http1_required(&error) => Self::Http1Required,
                error if is_unprocessed(&error) => Self::Unprocessed(error),
                error => Self::NoReply(error),
            },
        }
    }
}

impl Open {
    /// Begins to speak HTTP on a new connection.
    ///
    /// An HTTP/1.1 connection wakes `owner` when something happens on it while no call uses it. HTTP/2 has a task for that, and up to
    /// so many `calls` at once.
    pub(super) async fn handshake<T>(
        connected: Connected<T>,
        origin: Arc<Origin>,
        owner: Waker,
        calls: usize,
    ) -> Result<Self, Failure>
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let host = origin
            .host_header()
            .ok_or_else(|| Failure::invalid_request("URL", "its host cannot be a header value"))?;
        let Connected { stream, protocol, forwarded, peer } = connected;
        let failed = |error: hyper::Error| Failure::NotSent(error.into());
        let sender = match protocol {
            Protocol::Http1 => Sender::Http1(Http1::handshake(stream, owner).await.map_err(failed)?),
            Protocol::Http2 => Sender::Http2(Http2::handshake(stream, calls).await.map_err(failed)?),
        };
        Ok(Self { sender, origin, host, opened: Instant::now(), forwarded, peer })
    }

    pub(super) fn leads_to(&self, url: &Uri) -> bool {
        self.origin.matches(url)
    }

    pub(super) fn is_closed(&self) -> bool {
        match &self.sender {
            Sender::Http1(http1) => http1.is_closed(),
            Sender::Http2(http2) => http2.is_closed(),
        }
    }

    /// Whether the connection can take a request, as far as is known without waiting.
    pub(super) fn is_ready(&mut self) -> bool {
        match &mut self.sender {
            Sender::Http1(http1) => http1.is_ready(),
            Sender::Http2(http2) => http2.is_ready(),
        }
    }

    /// Ends the use of this connection by a call.
    pub(super) fn leave(&self) {
        if let Sender::Http1(http1) = &self.sender {
            http1.leave();
        }
    }

    /// Whether something has happened on this connection that nobody has looked at.
    pub(super) fn is_woken(&self) -> bool {
        matches!(&self.sender, Sender::Http1(http1) if http1.is_woken())
    }

    /// Where this connection leads, and whether it is an HTTP/1.1 one.
    pub(super) fn leads_by_http1_to(&self) -> (&Arc<Origin>, bool) {
        (&self.origin, matches!(self.sender, Sender::Http1(_)))
    }

    /// Whether this connection can carry the calls of `other`, so that the pool need not keep both.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        let has_room = match &self.sender {
            Sender::Http1(_) => false,
            // Several which are opened at once have no need to be kept, though it is not known yet how many calls each can carry.
            Sender::Http2(http2) => http2.has_room().unwrap_or(true),
        };
        has_room && self.origin == other.origin && !self.is_closed()
    }

    /// Whether this connection, which lies in the pool, has room for another call, as far as is known.
    pub(super) fn has_room(&self) -> bool {
        match &self.sender {
            Sender::Http1(_) => true,
            Sender::Http2(http2) => http2.has_room().unwrap_or(false),
        }
    }

    /// Whether this is one of HTTP/2 to `origin`.
    pub(super) fn leads_by_http2_to(&self, origin: &Origin) -> bool {
        matches!(self.sender, Sender::Http2(_)) && *self.origin == *origin
    }

    /// Whether calls use this connection, which lies in the pool.
    pub(super) fn is_used(&self) -> bool {
        matches!(&self.sender, Sender::Http2(http2) if http2.is_used())
    }

    /// Ends the attempt to open this connection, as soon as it is known what it can do.
    pub(super) fn end(&self, opening: Opening) {
        match &self.sender {
            Sender::Http1(_) => opening.succeeded(),
            Sender::Http2(http2) => http2.end(opening),
        }
    }

    /// A second handle to the same connection, if it can carry several calls.
    pub(super) fn share(&self) -> Option<Box<Self>> {
        match &self.sender {
            Sender::Http1(_) => None,
            Sender::Http2(http2) => Some(Box::new(Self {
                sender: Sender::Http2(http2.share()),
                origin: Arc::clone(&self.origin),
                host: self.host.clone(),
                opened: self.opened,
                forwarded: self.forwarded.clone(),
                peer: self.peer,
            })),
        }
    }
}

/// Whether the connection ended before a reply began, rather than with a reply that is none.
pub(super) fn is_end_of_connection(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error);
    error.is_incomplete_message()
        || error.is_closed()
        // Nobody has answered a ping.
        || error.is_timeout()
        || source.is_some_and(|source| source.is::<io::Error>())
}

/// Whether the other side says that it has not looked at a request (RFC 9113, 8.7): it refused the stream, or it said at the end of the
/// connection that an earlier stream was the last one.
fn is_unprocessed(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<h2::Error>());
    source.is_some_and(|error| {
        let is_refused = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        error.is_remote() && (is_refused || error.is_go_away())
    })
}

/// Whether the other side wants requests by HTTP/1.1 (RFC 9113, 7).
fn is_http1_required(error: &hyper::Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<h2::Error>());
    source.is_some_and(|error| error.is_remote() && error.reason() == Some(h2::Reason::HTTP_1_1_REQUIRED))
}

/// A connection used by one call, with the right to do so. Dropping it closes an HTTP/1.1 connection or abandons an HTTP/2 stream.
#[derive(Debug)]
pub(super) struct Lease {
    open: Box<Open>,
    permit: Permit,
    /// Until when the rest of the request is still to be written if its reply is over before; absent if it is not.
    request_ends: Option<Instant>,
}

impl Lease {
    pub(super) fn new(open: Box<Open>, permit: Permit) -> Self {
        Self { open, permit, request_ends: None }
    }

    /// Has the request written to its end, by `end` at the latest and within [`REST_OF_REQUEST`], even if its reply is over before.
    pub(super) fn finish_request(&mut self, end: Instant) {
        self.request_ends = Some(end);
    }

    pub(super) fn is_http2(&self) -> bool {
        matches!(self.open.sender, Sender::Http2(_))
    }

    pub(super) fn host_header(&self) -> HeaderValue {
        self.open.host.clone()
    }

    /// What stands in the request line: HTTP/1.1 has the path and query only, except with a proxy that forwards the request
    /// (RFC 9112, 3.2.1 and 3.2.2).
    pub(super) fn request_target(&self, url: &Uri) -> Uri {
        match (&self.open.sender, url.path_and_query()) {
            (Sender::Http1(_), Some(path)) if self.open.forwarded.is_none() => Uri::from(path.clone()),
            _ => url.clone(),
        }
    }

    /// What the proxy that forwards the request wants to see.
    pub(super) fn proxy_authorization(&self) -> Option<HeaderValue> {
        self.open.forwarded.as_ref()?.authorization.clone()
    }

    /// Where the connection leads.
    pub(super) fn origin(&self) -> &Arc<Origin> {
        &self.open.origin
    }

    /// What TLS says of the other side.
    pub(super) fn peer(&self) -> Option<Peer> {
        self.open.peer
    }

    /// Polls the body of the reply to the request that was sent.
    pub(super) fn poll_frame(
        &mut self,
        body: &mut Incoming,
        cx: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        match &mut self.open.sender {
            Sender::Http1(http1) => http1.poll_body(cx, |cx| Pin::new(&mut *body).poll_frame(cx)),
            Sender::Http2(_) => Pin::new(body).poll_frame(cx),
        }
    }

    /// Gives a request to the connection.
    pub(super) fn send(&mut self, request: Request<Body>) -> impl Reply + use<> {
        match &mut self.open.sender {
            Sender::Http1(http1) => Either::Left(http1.send(request)),
            Sender::Http2(http2) => Either::Right(http2.send(request)),
        }
    }

    /// Polls the reply to the request that was sent.
    pub(super) fn poll_reply(
        &mut self,
        mut reply: Pin<&mut impl Reply>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Response<Incoming>, SendError>> {
        // It is put where it belongs as soon as it is there: handing it on would copy it each time.
        let mut replied = None;
        let mut poll = |cx: &mut Context<'_>| {
            reply.as_mut().poll(cx).map(|result| replied = Some(result.map_err(SendError::from)))
        };
        ready!(match &mut self.open.sender {
            Sender::Http1(http1) => http1.poll_reply(cx, poll),
            Sender::Http2(_) => poll(cx),
        });
        replied.map_or(Poll::Pending, Poll::Ready)
    }

    /// Gives the connection back, for the next call. It has been of no use to the present one since `since`.
    pub(super) fn give_back(mut self, since: Instant) {
        if let Some(end) = self.request_ends.take()
            && let Sender::Http1(http1) = &mut self.open.sender
            && !http1.is_ready()
            && !http1.is_closed()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let end = end.min(Instant::now() + REST_OF_REQUEST);
            runtime.spawn(self.give_back_after_request(end));
            return;
        }
        let Self { open, permit, .. } = self;
        // An HTTP/2 connection has been in the pool all the time.
        if matches!(open.sender, Sender::Http1(_)) {
            permit.pool().put(open, since);
        }
        // Whoever gets the right next finds the connection.
        drop(permit);
    }

    /// Gives the connection back when all of the request has been written. The call is over, so that nobody else sees to that.
    async fn give_back_after_request(mut self, end: Instant) {
        let Sender::Http1(http1) = &mut self.open.sender else { return };
        let written = poll_fn(|cx| http1.poll_request_end(cx));
        if tokio::time::timeout_at(end, written).await.is_ok() {
            self.give_back(Instant::now());
        }
    }

    /// The right to use another connection instead of this one, which is closed.
    pub(super) fn into_permit(self) -> Permit {
        self.permit
    }
}
