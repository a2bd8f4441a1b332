//! Whether a call may go on to its service.
//!
//! Owns the order of the checks on the way there, and what becomes of a caller who fails one. It must not know how
//! credentials are compared, nor how a refusal is written.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method};
use percent_encoding::percent_decode_str;
use zato_cid::Cid;
use zato_service::{Environment, Error};
use zato_soap::{Envelope, Limits};

use crate::budget::{Exhausted, Share};
use crate::channel::Channel;
use crate::codec::ErrorShape;
use crate::decode::{self, Payload};
use crate::ended::Call;
use crate::failure::Failure;
use crate::limits::Place;
use crate::media;
use crate::routing::{Definition, Found};
use crate::security::{Denied, Proof};
use crate::statistics::ChannelStatistics;
use crate::throttle::Throttle;

/// The methods of a channel that is not restricted to one.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE";

/// The largest body, in bytes, in which a proof is looked for where other calls wait for the end of that: a few milliseconds.
const AT_ONCE: usize = 256 * 1024;

/// About how many bytes each node takes up while expressions of XPath look at a message.
const XPATH_BYTES: usize = 512;

/// Stands before all channels.
#[derive(Clone)]
pub(crate) struct Gate {
    pub(crate) environment: Environment,
    pub(crate) limits: Limits,
    pub(crate) statistics: ChannelStatistics,
    pub(crate) throttle: Arc<Throttle>,
}

/// Why a call does not go on.
pub(crate) enum Refusal {
    /// To be told to the caller.
    Failed(Failure),
    /// To be told to the caller, but not at once.
    Held(Failure, Duration),
    /// The caller asked for no more than which methods there are.
    Options(HeaderValue),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// A call before its body is known.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub(crate) call: &'a Call,
    pub(crate) request: &'a Parts,
    pub(crate) found: &'a Found,
}

impl Arrival<'_> {
    /// Whether [`Gate::open`] takes so long, for a caller who may be anybody, that other calls should not wait for it.
    pub(crate) fn is_laborious(&self, body: &Bytes) -> bool {
        let is_proof =
            |definition: &Arc<Definition>| definition.security.proof(self.request) != Proof::Request;
        body.len() > AT_ONCE && self.found.definition.as_ref().is_some_and(is_proof)
    }

    /// Counts the call for its channel. The place is kept until the call is over.
    pub(crate) fn count_call(&self) -> Result<Place, Failure> {
        let channel = &self.found.channel;
        channel.limiter.admit().map_err(|too_many| Failure::too_many("channel", &channel.name, too_many))
    }

    /// Counts the call of a caller who was believed. The place is kept until the call is over.
    pub(crate) fn count_caller(&self) -> Result<Option<Place>, Failure> {
        let Some(definition) = &self.found.definition else { return Ok(None) };
        let counted = definition.limiter.admit().map(Some);
        counted.map_err(|too_many| {
            Failure::too_many("security definition", definition.security.name(), too_many)
        })
    }
}

impl Gate {
    /// The checks that need no body. Says whether the caller may be counted: who has yet to prove something by the body may not, since
    /// anybody could use up what others may do.
    pub(crate) fn admit(&self, arrival: Arrival<'_>) -> Result<bool, Refusal> {
        let Arrival { request, found, .. } = arrival;
        if !found.channel.is_active {
            return Err(Failure::inactive_channel().into());
        }
        check_method(&found.channel, &request.method)?;
        let Some(definition) = &found.definition else { return Ok(true) };
        self.check_throttle(arrival, definition)?;
        if definition.security.proof(request) != Proof::Request {
            return Ok(false);
        }
        let checked =
            definition.security.check_request(request, None, || self.environment.now(), &definition.nonces);
        checked.map_err(|denied| self.unauthorized(arrival, definition, denied))?;
        self.check_roles(arrival, definition)?;
        Ok(true)
    }

    /// The checks that need the body, which is read as far as the channel's format goes. What they take up besides is added to `share`.
    pub(crate) fn open<'b>(
        &self,
        arrival: Arrival<'_>,
        body: &'b Bytes,
        share: &mut Share<'_>,
    ) -> Result<Payload<'b>, Refusal> {
        let Arrival { request, found, .. } = arrival;
        let mut read = None;
        if let Some(definition) = &found.definition {
            let proof = definition.security.proof(request);
            if proof != Proof::Request {
                // Whoever has sent many heads before any body was let in with all of them.
                self.check_throttle(arrival, definition)?;
                read = self.check_body(arrival, proof, definition, body, share)?;
                self.check_roles(arrival, definition)?;
            }
        }
        if !found.channel.service.is_active() {
            return Err(unknown_url(arrival.call.cid, request).into());
        }
        match read {
            Some(payload) => Ok(payload),
            None => Payload::read(found.channel.codec.reading(), &request.headers, body, &self.limits)
                .map_err(|error| Failure::from(error).into()),
        }
    }

    /// Looks for the caller's proof in the message, which therefore is read first. One that can't be read proves nothing,
    /// so its sender learns no more than that.
    fn check_body<'b>(
        &self,
        arrival: Arrival<'_>,
        proof: Proof,
        definition: &Definition,
        body: &'b Bytes,
        share: &mut Share<'_>,
    ) -> Result<Option<Payload<'b>>, Refusal> {
        let (Arrival { request, found, .. }, Definition { security, nonces, .. }) = (arrival, definition);
        let now = || self.environment.now();
        let deny = |denied| self.unauthorized(arrival, definition, denied);
        let unreadable = |error: Error| deny(Denied::NoMessage(error.message().to_owned()));
        match proof {
            Proof::Request => Ok(None),
            Proof::Form => {
                let form =
                    std::str::from_utf8(body).map_err(|error| deny(Denied::NoMessage(error.to_string())))?;
                security.check_request(request, Some(form), now, nonces).map_err(deny)?;
                Ok(None)
            }
            Proof::Message => {
                let is_soap = matches!(found.channel.codec.error_shape(), ErrorShape::Soap(_));
                let document = decode::document(body, &self.limits).map_err(unreadable)?;
                let bytes = body.len().saturating_add(document.size().saturating_mul(XPATH_BYTES));
                share.grow_to(bytes).map_err(|Exhausted| Failure::overloaded())?;
                security.check_message(document.input_text(), is_soap).map_err(deny)?;
                Ok(Some(if is_soap { Payload::Soap(document) } else { Payload::Xml(document) }))
            }
            Proof::Envelope => {
                let document = decode::document(body, &self.limits).map_err(unreadable)?;
                let token = Envelope::of(&document)
                    .map_err(|error| deny(Denied::NoMessage(error.to_string())))?
                    .username_token()
                    .map_err(|error| deny(Denied::Token(error.to_string())))?
                    .ok_or_else(|| deny(Denied::NoToken))?;
                security.check_token(&token, now(), nonces).map_err(deny)?;
                Ok(Some(Payload::Soap(document)))
            }
        }
    }

    /// Whether the caller's address may have credentials checked now.
    fn check_throttle(&self, arrival: Arrival<'_>, definition: &Definition) -> Result<(), Refusal> {
        self.throttle.admit(arrival.call.client.ip()).map_err(|retry_after| {
            let security = &definition.security;
            self.statistics.denied(security.name(), security.security_type(), "throttled");
            Failure::too_many_failures(retry_after).into()
        })
    }

    fn check_roles(&self, arrival: Arrival<'_>, definition: &Definition) -> Result<(), Refusal> {
        let Arrival { request, found, .. } = arrival;
        match &found.rbac {
            Some(rbac)
                if !rbac.allows(
                    definition.security.client(),
                    found.channel.service.id(),
                    &request.method,
                ) =>
            {
                let security = &definition.security;
                self.statistics.denied(security.name(), security.security_type(), "role");
                Err(Failure::forbidden().into())
            }
            _ => Ok(()),
        }
    }

    /// The answer to a caller who proved nothing, whatever it was that was wrong.
    fn unauthorized(&self, arrival: Arrival<'_>, definition: &Definition, denied: Denied) -> Refusal {
        let Arrival { call, request, .. } = arrival;
        let security = &definition.security;
        self.statistics.denied(security.name(), security.security_type(), denied.reason());
        let failure = Failure::unauthorized(call.cid, &shown_path(request), security.challenge(), denied);
        Refusal::Held(failure, self.throttle.failed(arrival.call.client.ip(), security.id()))
    }
}

fn check_method(channel: &Channel, method: &Method) -> Result<(), Refusal> {
    match &channel.method {
        Some(allowed) if allowed.includes(method) => Ok(()),
        Some(allowed) if *method == Method::OPTIONS => Err(Refusal::Options(allowed.header().clone())),
        Some(allowed) => Err(Failure::method_not_allowed(method, allowed.header().clone()).into()),
        // An answer to this method would open a tunnel, and there is none.
        None if *method == Method::CONNECT => Err(Failure::method_not_allowed(method, methods()).into()),
        None => Ok(()),
    }
}

/// The `Allow` header of what isn't restricted.
pub(crate) fn methods() -> HeaderValue {
    HeaderValue::from_static(METHODS)
}

/// The answer to a request without a channel, and to one whose service is inactive.
pub(crate) fn unknown_url(cid: Cid, request: &Parts) -> Failure {
    Failure::unknown_url(cid, &shown_path(request), &media::soap_action(&request.headers))
}

/// The path in a message: what isn't text in it is replaced.
fn shown_path(request: &Parts) -> Cow<'_, str> {
    percent_decode_str(request.uri.path()).decode_utf8_lossy()
}
