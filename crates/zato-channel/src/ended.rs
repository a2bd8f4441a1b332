//! The end of a call: what every response carries, and what is told about it.
//!
//! Owns the headers that all responses have, the log line, and the hand-over to counters and access log. It must not
//! know how a response came about.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use tracing::Level;
use zato_cid::Cid;

use crate::access::{AccessEntry, AccessLog, caller_cid};
use crate::channel::Channel;
use crate::failure::Failure;
use crate::handle::{Pieces, ReplyHeaders};
use crate::limits::Place;
use crate::reply::ReplyBody;
use crate::statistics::InFlight;

const X_ZATO_CID: HeaderName = HeaderName::from_static("x-zato-cid");

/// What is known of a call from its first moment.
pub(crate) struct Call {
    pub(crate) cid: Cid,
    pub(crate) begun: Instant,
    /// Who made it, as far as trusted proxies tell.
    pub(crate) client: SocketAddr,
    pub(crate) in_flight: InFlight,
}

/// What happens with every response.
#[derive(Clone)]
pub(crate) struct Epilogue {
    pub(crate) server_header: Option<HeaderValue>,
    pub(crate) access_log: Option<Arc<dyn AccessLog>>,
}

impl Epilogue {
    /// Completes a response, and tells about it.
    pub(crate) fn end(
        &self,
        call: &Call,
        request: Option<&Parts>,
        channel: Option<&Channel>,
        failure: Option<&Failure>,
        mut response: Response<Full<Bytes>>,
    ) -> Response<ReplyBody> {
        let status = response.status();
        let size = usize::try_from(response.body().size_hint().lower()).unwrap_or(usize::MAX);
        self.tell(call, request, channel, failure, (status, size));
        self.complete(call, status, response.headers_mut());
        response.map(ReplyBody::from)
    }

    /// Completes the reply of a service, and tells about it. Nobody asks for the request's headers after that.
    pub(crate) fn reply(
        &self,
        call: &Call,
        request: Option<&mut Parts>,
        channel: &Channel,
        (status, headers): (StatusCode, ReplyHeaders),
        body: Bytes,
    ) -> Response<ReplyBody> {
        self.tell(call, request.as_deref(), Some(channel), None, (status, body.len()));
        let mut response = Response::new(Full::new(body).into());
        *response.status_mut() = status;
        *response.headers_mut() = headers.into_map(request.map(|request| &mut request.headers));
        self.complete(call, status, response.headers_mut());
        response
    }

    /// Completes the reply of a service whose body is yet to be made. What there is to tell is told when that has ended.
    pub(crate) fn begin(
        &self,
        call: Call,
        request: Option<Parts>,
        channel: Arc<Channel>,
        places: Places,
        (status, headers): (StatusCode, ReplyHeaders),
        pieces: Pieces,
    ) -> Response<ReplyBody> {
        let mut response = Response::new(());
        *response.status_mut() = status;
        *response.headers_mut() = headers.into_map(None);
        self.complete(&call, status, response.headers_mut());
        let access_log = self.access_log.clone();
        let end = End::CallerLeft;
        let ending = Ending { call, request, channel, status, access_log, size: 0, end, _places: places };
        response.map(|()| ReplyBody::pieces(pieces, ending))
    }

    /// Tells about a call whose body is there as a whole.
    fn tell(
        &self,
        call: &Call,
        request: Option<&Parts>,
        channel: Option<&Channel>,
        failure: Option<&Failure>,
        (status, size): (StatusCode, usize),
    ) {
        if status.is_client_error() || status.is_server_error() || tracing::enabled!(Level::DEBUG) {
            log(call, request, channel, failure, status);
        }
        if let (Some(access_log), Some(request)) = (&self.access_log, request) {
            record(&**access_log, call, request, channel, (status, size));
        }
    }

    fn complete(&self, call: &Call, status: StatusCode, headers: &mut HeaderMap) {
        // Correlation ids are letters and digits, which header values may hold, so this never fails.
        if let Ok(cid) = HeaderValue::from_str(call.cid.as_str()) {
            headers.insert(X_ZATO_CID, cid);
        }
        if let Some(server) = &self.server_header {
            headers.insert(http::header::SERVER, server.clone());
        }
        call.in_flight.replied(status);
    }
}

/// What a call keeps at its channel, and at the definition that its caller proved to know.
type Places = (Place, Option<Place>);

/// A call whose reply is on its way, and which ends when this is dropped.
pub(crate) struct Ending {
    call: Call,
    request: Option<Parts>,
    channel: Arc<Channel>,
    status: StatusCode,
    access_log: Option<Arc<dyn AccessLog>>,
    /// How many bytes of the body were made so far.
    size: usize,
    end: End,
    _places: Places,
}

/// How a body ends.
enum End {
    /// Before its end, because nobody takes it any more. It is so until something else is known.
    CallerLeft,
    Whole,
    Failed(Failure),
}

impl Ending {
    /// A piece of the body was made.
    pub(crate) fn sent(&mut self, size: usize) {
        self.size += size;
    }

    /// There is no more of the body.
    pub(crate) fn completed(&mut self) {
        self.end = End::Whole;
    }

    /// The next piece could not be made.
    pub(crate) fn failed(&mut self, failure: Failure) {
        self.end = End::Failed(failure);
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let (cid, size, elapsed) = (self.call.cid, self.size, self.call.begun.elapsed());
        let (channel, service) = (&*self.channel.name, self.channel.service.name());
        match &self.end {
            End::Whole if tracing::enabled!(Level::DEBUG) => {
                log(&self.call, self.request.as_ref(), Some(&self.channel), None, self.status);
            }
            End::Whole => {}
            End::CallerLeft => {
                tracing::debug!(%cid, channel, service, size, ?elapsed, "a caller left before the end of its reply");
            }
            End::Failed(failure) => {
                let (reason, causes) = (failure.message(), failure.causes());
                tracing::error!(%cid, channel, service, size, ?elapsed, reason, causes, "a reply broke off");
            }
        }
        if let (Some(access_log), Some(request)) = (&self.access_log, &self.request) {
            record(&**access_log, &self.call, request, Some(&self.channel), (self.status, size));
        }
    }
}

fn record(
    access_log: &dyn AccessLog,
    call: &Call,
    request: &Parts,
    channel: Option<&Channel>,
    reply: (StatusCode, usize),
) {
    let channel = channel.map(|channel| &*channel.name);
    let elapsed = call.begun.elapsed();
    access_log.record(&AccessEntry::new(call.cid, call.client, request, channel, reply, elapsed));
}

/// One line: errors of the server at error, those of callers at warn, everything else at debug.
fn log(
    call: &Call,
    request: Option<&Parts>,
    channel: Option<&Channel>,
    failure: Option<&Failure>,
    status: StatusCode,
) {
    let (cid, client) = (call.cid, call.client.ip());
    let caller_cid = request.and_then(|request| caller_cid(&request.headers));
    let caller_cid = caller_cid.as_deref();
    let service = channel.map(|channel| channel.service.name());
    let channel = channel.map(|channel| &*channel.name);
    let method = request.map(|request| request.method.as_str());
    let path = request.map(|request| request.uri.path());
    let elapsed = call.begun.elapsed();
    // What is the caller's fault stays that, even if the caller's protocol wants 500 for it.
    let blamed = failure.map_or(status, |failure| failure.status);
    let status = status.as_u16();
    let reason = failure.map(Failure::message);
    let causes = failure.and_then(Failure::causes);
    let denied = failure.and_then(Failure::denied).map(ToString::to_string);
    if blamed.is_server_error() {
        tracing::error!(%cid, caller_cid, %client, channel, service, method, path, status, ?elapsed, reason, causes, "a call failed");
    } else if blamed.is_client_error() {
        tracing::warn!(%cid, caller_cid, %client, channel, service, method, path, status, ?elapsed, reason, denied, causes, "a call was refused");
    } else {
        tracing::debug!(%cid, caller_cid, %client, channel, service, method, path, status, ?elapsed, "a call");
    }
}
