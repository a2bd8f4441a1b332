//! The end of a call: what every response carries, and what is told about it.
//!
//! Owns the headers that all responses have, the log line, and the hand-over to counters and access log. It must not
//! know how a response came about.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderName, HeaderValue, Response};
use http_body::Body;
use http_body_util::Full;
use tracing::Level;
use zato_cid::Cid;

use crate::access::{AccessEntry, AccessLog, caller_cid};
use crate::channel::Channel;
use crate::failure::Failure;
use crate::statistics::InFlight;

const X_ZATO_CID: HeaderName = HeaderName::from_static("x-zato-cid");

/// What is known of a call from its first moment.
pub(crate) struct Call<'a> {
    pub(crate) cid: Cid,
    pub(crate) begun: Instant,
    pub(crate) peer: SocketAddr,
    pub(crate) in_flight: InFlight<'a>,
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
        call: &Call<'_>,
        request: Option<&Parts>,
        channel: Option<&Channel>,
        failure: Option<&Failure>,
        mut response: Response<Full<Bytes>>,
    ) -> Response<Full<Bytes>> {
        let headers = response.headers_mut();
        // Correlation ids are letters and digits, which header values may hold, so this never fails.
        if let Ok(cid) = HeaderValue::from_str(call.cid.as_str()) {
            headers.insert(X_ZATO_CID, cid);
        }
        if let Some(server) = &self.server_header {
            headers.insert(http::header::SERVER, server.clone());
        }
        let status = response.status();
        call.in_flight.replied(status);
        if status.is_client_error() || status.is_server_error() || tracing::enabled!(Level::DEBUG) {
            log(call, request, channel, failure, &response);
        }
        if let (Some(access_log), Some(request)) = (&self.access_log, request) {
            let size = usize::try_from(response.body().size_hint().lower()).unwrap_or(usize::MAX);
            let channel = channel.map(|channel| &*channel.name);
            let elapsed = call.begun.elapsed();
            access_log.record(&AccessEntry::new(
                call.cid,
                call.peer,
                request,
                channel,
                (status, size),
                elapsed,
            ));
        }
        response
    }
}

/// One line: errors of the server at error, those of callers at warn, everything else at debug.
fn log(
    call: &Call<'_>,
    request: Option<&Parts>,
    channel: Option<&Channel>,
    failure: Option<&Failure>,
    response: &Response<Full<Bytes>>,
) {
    let cid = call.cid;
    let caller_cid = request.and_then(|request| caller_cid(&request.headers));
    let caller_cid = caller_cid.as_deref();
    let service = channel.map(|channel| channel.service.name());
    let channel = channel.map(|channel| &*channel.name);
    let method = request.map(|request| request.method.as_str());
    let path = request.map(|request| request.uri.path());
    let elapsed = call.begun.elapsed();
    let status = response.status();
    // What is the caller's fault stays that, even if the caller's protocol wants 500 for it.
    let blamed = failure.map_or(status, |failure| failure.status);
    let status = status.as_u16();
    let reason = failure.map(Failure::message);
    let causes = failure.and_then(Failure::causes);
    let denied = failure.and_then(Failure::denied).map(ToString::to_string);
    if blamed.is_server_error() {
        tracing::error!(%cid, caller_cid, channel, service, method, path, status, ?elapsed, reason, causes, "a call failed");
    } else if blamed.is_client_error() {
        tracing::warn!(%cid, caller_cid, channel, service, method, path, status, ?elapsed, reason, denied, causes, "a call was refused");
    } else {
        tracing::debug!(%cid, caller_cid, channel, service, method, path, status, ?elapsed, "a call");
    }
}
