//! What is told about the calls of a channel that is audited.
//!
//! Owns the facts of such a call, and that they are told whatever becomes of it. It must not know where they are kept, nor
//! what of them has to be hidden first, apart from the header of an API key, whose name only its definition knows.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, Method, Response, StatusCode, Uri};
use time::OffsetDateTime;
use zato_cid::Cid;
use zato_service::Environment;

use crate::codec::ErrorShape;
use crate::reply::ReplyBody;
use crate::routing::Found;

/// How much is kept of a reply that is made while it is sent, in bytes.
const BEGINNING: usize = 64 * 1024;

/// A sink for the calls of channels that are audited.
pub trait AuditLog: Send + Sync {
    /// Takes a call over. Runs on the call path, before the reply leaves: it should queue the call and return.
    fn record(&self, call: AuditedCall);
}

/// A call of a channel that is audited, as it came in and as it was answered: secrets and all.
#[non_exhaustive]
pub struct AuditedCall {
    /// The call's correlation id.
    pub cid: Cid,
    /// The channel's id.
    pub channel_id: i64,
    /// The channel's name.
    pub channel: Arc<str>,
    /// Whether the channel is one of SOAP.
    pub is_soap: bool,
    /// The address that the call came from, as far as trusted proxies tell.
    pub address: String,
    /// When the request's headers had come, UTC.
    pub begun: OffsetDateTime,
    /// The request's method.
    pub method: Method,
    /// The request's path and query as they were sent.
    pub uri: Uri,
    /// The request's headers. What is known to be a key is marked as sensitive.
    pub headers: HeaderMap,
    /// The request's body; empty if the call was over before it had come.
    pub payload: Bytes,
    /// The name of the security definition that the caller proved to know.
    pub caller: Option<Arc<str>>,
    /// Whether the caller was let through; none if the call was over before that was asked.
    pub was_let_through: Option<bool>,
    /// What was answered; none if the caller went away before there was an answer.
    pub reply: Option<AuditedReply>,
}

/// What a call that is audited was answered.
#[non_exhaustive]
pub struct AuditedReply {
    /// When, UTC.
    pub time: OffsetDateTime,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, or the first 64 KiB of one that was made while it was sent.
    pub payload: Bytes,
    /// Whether `payload` may be no more than the beginning.
    pub is_beginning: bool,
}

impl fmt::Debug for AuditedCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditedCall")
            .field("cid", &self.cid)
            .field("channel", &self.channel)
            .field("reply", &self.reply)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AuditedReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuditedReply").field("status", &self.status).finish_non_exhaustive()
    }
}

impl AuditedCall {
    /// About how much memory the call takes up, in bytes.
    pub fn size(&self) -> usize {
        let headers = |headers: &HeaderMap| -> usize {
            headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
        };
        let reply = self.reply.as_ref().map_or(0, |reply| headers(&reply.headers) + reply.payload.len());
        size_of::<Self>() + headers(&self.headers) + self.payload.len() + reply
    }
}

/// Whoever watches one call. The call is told of when this is dropped at the latest.
pub(crate) struct Witness {
    log: Arc<dyn AuditLog>,
    environment: Environment,
    /// Taken when the call is told of.
    call: Option<AuditedCall>,
}

impl Witness {
    pub(crate) fn new(
        log: Arc<dyn AuditLog>,
        environment: Environment,
        (cid, client): (Cid, SocketAddr),
        found: &Found,
        request: &Parts,
    ) -> Self {
        let mut headers = request.headers.clone();
        if let Some(definition) = &found.definition {
            definition.security.mark_keys(&mut headers);
        }
        let call = AuditedCall {
            cid,
            channel_id: found.channel.id,
            channel: Arc::clone(&found.channel.name),
            is_soap: matches!(found.channel.codec.error_shape(), ErrorShape::Soap(_)),
            address: client.ip().to_string(),
            begun: environment.now(),
            method: request.method.clone(),
            uri: request.uri.clone(),
            headers,
            payload: Bytes::new(),
            caller: None,
            was_let_through: None,
            reply: None,
        };
        Self { log, environment, call: Some(call) }
    }

    /// The body has come.
    pub(crate) fn received(&mut self, body: &Bytes) {
        if let Some(call) = &mut self.call {
            call.payload = body.clone();
        }
    }

    /// The caller may call.
    pub(crate) fn let_through(&mut self, caller: Option<&Arc<str>>) {
        if let Some(call) = &mut self.call {
            call.was_let_through = Some(true);
            call.caller = caller.cloned();
        }
    }

    /// The call has its answer. It is told of when the body is there, or was sent, as a whole.
    pub(crate) fn replied(mut self, response: Response<ReplyBody>) -> Response<ReplyBody> {
        let Some(call) = &mut self.call else { return response };
        let status = response.status();
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            // Services answer with these as well, to callers who were let through.
            call.was_let_through.get_or_insert(false);
        }
        let whole = response.body().whole();
        call.reply = Some(AuditedReply {
            time: self.environment.now(),
            status,
            headers: response.headers().clone(),
            is_beginning: whole.is_none(),
            payload: whole.unwrap_or_default(),
        });
        response.map(|body| body.watched_by(self))
    }

    /// A piece of the body is on its way.
    pub(crate) fn sent(&mut self, piece: &[u8]) {
        if let Some(reply) = self.call.as_mut().and_then(|call| call.reply.as_mut()) {
            let room = BEGINNING.saturating_sub(reply.payload.len()).min(piece.len());
            if room > 0 {
                reply.payload = [&reply.payload, &piece[..room]].concat().into();
            }
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            self.log.record(call);
        }
    }
}
