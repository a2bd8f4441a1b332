//! A call that is being put together, and its future.
//!
//! Owns the way from what a caller says to the request which enters the stack, and from what leaves the stack to the
//! response or the error the caller gets.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use pin_project_lite::pin_project;
use serde::Serialize;
use tower_service::Service;
use zato_cid::Cid;

use crate::body::{Body, Content, IntoBody, Json};
use crate::connection::Conn;
use crate::error::{CallError, Failure, Source};
use crate::form::{Form, Multipart};
use crate::kind::HasKind;
use crate::layers::breaker::Unjudged;
use crate::layers::prefetch::Streamed;
use crate::layers::redirect::Redirects;
use crate::layers::retry::Retries;
use crate::layers::soap::Unwrapped;
use crate::layers::timeout::CallTimeout;
use crate::metrics::Ending;
use crate::params::{IntoParams, Params};
use crate::pool::DescribePeer;
use crate::progress::Progress;
use crate::response::Response;
use crate::stack::Stack;

/// The headers which the layers add, and a few of the caller's, fit in without growing.
const HEADERS: usize = 12;

/// A call that is being put together. Awaiting it makes it.
///
/// What cannot be part of a request, such as a header with a line break, makes the call fail before anything is sent.
#[must_use = "a call is only made when it is awaited"]
pub struct Call {
    conn: Conn,
    cid: Cid,
    method: Method,
    place: Place,
    params: Params,
    headers: HeaderMap,
    content: Content,
    timeout: Option<Duration>,
    prefetch: bool,
    redirects: Option<Redirects>,
    retries: Option<Retries>,
    /// The first thing that cannot be part of a request.
    failure: Option<Failure>,
}

impl std::fmt::Debug for Call {
    /// Neither parameters nor headers, nor another URL than the connection's: they may have secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("connection", &self.conn.0.name)
            .field("cid", &self.cid)
            .field("method", &self.method)
            .field("body", &self.content.body)
            .finish_non_exhaustive()
    }
}

/// Where a call goes.
pub(crate) enum Place {
    /// To the connection's own URL.
    Configured,
    /// To another path, or a whole URL.
    Other(String),
    /// To the connection's own URL, without a body and without regard to whether the connection is active.
    Ping,
}

impl Call {
    pub(crate) fn new(conn: Conn, cid: Cid, method: Method, place: Place) -> Self {
        Self {
            conn,
            cid,
            method,
            place,
            params: Params::new(),
            headers: HeaderMap::with_capacity(HEADERS),
            content: Content::default(),
            timeout: None,
            prefetch: true,
            redirects: None,
            retries: None,
            failure: None,
        }
    }

    /// Adds a header. If it is one of those which are sent anyway, this one is sent instead. `Content-Length` and
    /// `Transfer-Encoding` always follow from the body, so that they are not taken from here.
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName, Error: Into<Source>>,
        V: TryInto<HeaderValue, Error: Into<Source>>,
    {
        let name = name.try_into().map_err(|error| Failure::invalid_request("header name", error));
        let value = value.try_into().map_err(|error| Failure::invalid_request("header value", error));
        match (name, value) {
            (Ok(CONTENT_LENGTH | TRANSFER_ENCODING), Ok(_)) => {}
            (Ok(name), Ok(value)) => {
                self.headers.append(name, value);
            }
            (Err(failure), _) | (_, Err(failure)) => self.fail(failure),
        }
        self
    }

    /// Adds parameters. They fill the placeholders of the URL path; the others become the query string.
    #[inline]
    pub fn params(mut self, params: impl IntoParams) -> Self {
        let mut params = params.into_params();
        if self.params.is_empty() {
            self.params = params;
        } else {
            self.params.append(&mut params);
        }
        self
    }

    /// Sets the body.
    #[inline]
    pub fn body(mut self, body: impl IntoBody) -> Self {
        match body.into_content() {
            Ok(content) => self.content = content,
            Err(failure) => self.fail(failure),
        }
        self
    }

    /// Sets the body to the JSON form of `value`.
    pub fn json<T: Serialize>(self, value: &T) -> Self {
        self.body(Json(value))
    }

    /// Sets the body to a form of `fields`, as [`Form`] has it.
    pub fn form(self, fields: impl IntoParams) -> Self {
        self.body(Form(fields))
    }

    /// Sets the body to a form with files.
    pub fn multipart(self, form: Multipart) -> Self {
        self.body(form)
    }

    /// Gives this call `timeout` instead of the connection's own one. With [`prefetch(false)`](Self::prefetch) it is the time
    /// until the head of the reply is there, and then that of each wait for a piece of the body.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Whether the reply's body is read before the response is handed out. It is, unless this is set to `false`: then the
    /// body is read as the caller asks for it, and no faster.
    pub fn prefetch(mut self, prefetch: bool) -> Self {
        self.prefetch = prefetch;
        self
    }

    /// Whether redirects are followed, instead of all but those of HEAD. On a connection that follows none it makes no
    /// difference.
    pub fn redirects(mut self, redirects: Redirects) -> Self {
        self.redirects = Some(redirects);
        self
    }

    /// Whether this call may be made again if it fails, instead of what the connection's `retry` says. On a connection without
    /// `retry` it makes no difference.
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = Some(retries);
        self
    }

    /// The first failure counts: what follows may be its consequence.
    fn fail(&mut self, failure: Failure) {
        self.failure.get_or_insert(failure);
    }

    /// The request, as it enters the stack.
    fn build(&mut self, progress: &Progress) -> Result<Request<Body>, Failure> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let inner = &*self.conn.0;
        if !inner.is_active && !matches!(self.place, Place::Ping) {
            return Err(Failure::Inactive);
        }
        if self.method == Method::CONNECT {
            return Err(Failure::invalid_request("method", "CONNECT asks for a tunnel, not for a reply"));
        }
        let url = match &self.place {
            Place::Configured => inner.target.with_params(&self.params)?,
            Place::Other(path_or_url) => inner.target.resolve(path_or_url, &self.params)?,
            Place::Ping => inner.target.unfilled().clone(),
        };
        let content = std::mem::take(&mut self.content);
        let mut request = Request::new(content.body);
        *request.uri_mut() = url;
        *request.method_mut() = std::mem::take(&mut self.method);
        *request.headers_mut() = std::mem::take(&mut self.headers);
        let extensions = request.extensions_mut();
        // It has the correlation id, too.
        extensions.insert(progress.clone());
        if let Some(timeout) = self.timeout {
            extensions.insert(CallTimeout(timeout));
        }
        if !self.prefetch {
            extensions.insert(Streamed);
        }
        if let Some(redirects) = self.redirects {
            extensions.insert(redirects);
        }
        if let Some(retries) = self.retries {
            extensions.insert(retries);
        }
        if matches!(self.place, Place::Ping) {
            extensions.insert(DescribePeer);
            extensions.insert(Unjudged);
        }
        let unwrapped = !matches!(self.place, Place::Configured);
        if unwrapped {
            extensions.insert(Unwrapped);
        }
        // A body inside an envelope does not decide what the message as a whole is.
        if let Some(media_type) = content.media_type
            && (unwrapped || !inner.is_soap)
        {
            request.headers_mut().entry(CONTENT_TYPE).or_insert(media_type);
        }
        Ok(request)
    }
}

impl IntoFuture for Call {
    type Output = Result<Response, CallError>;
    type IntoFuture = CallFuture;

    fn into_future(mut self) -> CallFuture {
        let progress = Progress::start_of(self.cid);
        let timeout = self.timeout.unwrap_or(self.conn.0.timeout);
        let request = self.build(&progress);
        let is_own = self.params.is_empty() && !matches!(self.place, Place::Other(_));
        let url = request.as_ref().ok().filter(|_| !is_own).map(|request| Box::new(request.uri().clone()));
        let outcome = Outcome { conn: self.conn, cid: self.cid, url, timeout, progress };
        CallFuture { state: State::Entering { request: Some(request) }, outcome: Some(outcome) }
    }
}

/// What a response and an error need to know of the call.
pub(crate) struct Outcome {
    pub(crate) conn: Conn,
    pub(crate) cid: Cid,
    /// Where the call goes, if it is not the connection's own URL. Boxed because most calls go there.
    url: Option<Box<Uri>>,
    pub(crate) timeout: Duration,
    pub(crate) progress: Progress,
}

impl Outcome {
    pub(crate) fn url(&self) -> &Uri {
        self.url.as_deref().unwrap_or_else(|| self.conn.0.target.unfilled())
    }

    pub(crate) fn error(&self, failure: Failure) -> CallError {
        CallError::new(&self.conn.0.name, self.cid, &self.progress, failure)
    }
}

type StackFuture = <Stack as Service<Request<Body>>>::Future;

pin_project! {
    /// A call under way. Dropping it ends the call: its connection is closed, unless it is free already.
    #[must_use = "futures do nothing unless awaited"]
    pub struct CallFuture {
        #[pin]
        state: State,
        // Taken when the result is handed out.
        outcome: Option<Outcome>,
    }
}

pin_project! {
    #[project = Projected]
    enum State {
        // The request on its way into the stack, or why there is none.
        Entering {
            request: Option<Result<Request<Body>, Failure>>,
        },
        Running {
            #[pin]
            future: StackFuture,
        },
    }
}

impl std::fmt::Debug for CallFuture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cid = self.outcome.as_ref().map(|outcome| &outcome.cid);
        f.debug_struct("CallFuture").field("cid", &cid).finish_non_exhaustive()
    }
}

impl Future for CallFuture {
    type Output = Result<Response, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        // A future that is polled after it has ended has nothing more to say.
        let Some(outcome) = this.outcome.as_ref() else { return Poll::Pending };
        let result = loop {
            match this.state.as_mut().project() {
                Projected::Entering { request } => {
                    let mut stack = outcome.conn.0.stack.clone();
                    // It is always ready, so that this clone does not have to be kept.
                    if let Err(timed) = ready!(stack.poll_ready(cx)) {
                        break Err(timed.error);
                    }
                    match request.take() {
                        Some(Ok(request)) => {
                            let future = stack.call(request);
                            this.state.set(State::Running { future });
                        }
                        Some(Err(failure)) => {
                            // It does not come to the layer that counts calls.
                            let metrics = &outcome.conn.0.metrics;
                            metrics.begin();
                            let elapsed = outcome.progress.timing().total();
                            metrics.end(Ending::Failure(failure.kind()), elapsed, Duration::ZERO, 0);
                            break Err(failure);
                        }
                        None => return Poll::Pending,
                    }
                }
                Projected::Running { future } => break ready!(future.poll(cx)).map_err(|timed| timed.error),
            }
        };
        let Some(outcome) = this.outcome.take() else { return Poll::Pending };
        Poll::Ready(match result {
            Ok(response) => Ok(Response::new(response, outcome)),
            Err(failure) => Err(outcome.error(failure)),
        })
    }
}
