//! `zato.helpers`: services for trying out channels, jobs and clients.
//!
//! Owns what of a request is logged. It must not let a secret into the log: `mask` hides them.

use http::HeaderName;
use serde_json::{Map, Value};
use zato_catalogue::RawCall;
use zato_catalogue::helpers::{echo, input_logger, sio_input_logger, tls_logger};
use zato_service::{Context, Description, Error, Raw, RawInput, Service};

use crate::handle::{Implemented, describe};
use crate::{Admin, Handle, mask};

/// `zato.helpers.echo`. Over SOAP the reply is the request's whole message.
pub(crate) struct Echo;

impl Service for Echo {
    type Input = RawInput;
    type Output = Raw;

    fn description(&self) -> Description {
        describe(echo::Raw::SERVICE)
    }

    async fn handle(&self, _: &mut Context, request: RawInput) -> Result<Raw, Error> {
        Ok(Raw::new(request.body))
    }
}

impl Implemented for echo::Raw {
    type Service = Echo;

    fn service(_: &Admin) -> Echo {
        Echo
    }
}

/// `zato.helpers.input-logger`.
pub(crate) struct InputLogger;

impl Service for InputLogger {
    type Input = RawInput;
    type Output = ();

    fn description(&self) -> Description {
        describe(input_logger::Raw::SERVICE)
    }

    async fn handle(&self, cx: &mut Context, request: RawInput) -> Result<(), Error> {
        let origin = cx.origin();
        let http = origin.request.as_ref();
        let service = cx.registry().find(cx.service_name());
        tracing::info!(
            cid = %cx.cid(),
            channel = cx.channel().as_str(),
            name = cx.service_name(),
            caller = origin.caller.as_deref(),
            peer = origin.peer.map(tracing::field::display),
            method = http.map(|http| tracing::field::display(&http.method)),
            // The query string is left out of the log: anything may stand there.
            path = http.map(|http| http.uri.path()),
            headers = http.map(|http| tracing::field::debug(mask::headers(&http.headers))),
            usage = service.as_ref().map(|service| service.statistics().snapshot().usage),
            slow_threshold = service.as_ref().map(|service| service.slow_threshold().as_millis()),
            payload = %mask::payload(&request.body),
            "input"
        );
        Ok(())
    }
}

impl Implemented for input_logger::Raw {
    type Service = InputLogger;

    fn service(_: &Admin) -> InputLogger {
        InputLogger
    }
}

/// `zato.helpers.sio-input-logger`.
pub(crate) struct SioInputLogger;

impl Service for SioInputLogger {
    type Input = Map<String, Value>;
    type Output = ();

    fn description(&self) -> Description {
        describe(sio_input_logger::Raw::SERVICE)
    }

    async fn handle(&self, cx: &mut Context, elements: Map<String, Value>) -> Result<(), Error> {
        let input = mask::value(Value::Object(elements));
        tracing::info!(cid = %cx.cid(), %input, "input");
        Ok(())
    }
}

impl Implemented for sio_input_logger::Raw {
    type Service = SioInputLogger;

    fn service(_: &Admin) -> SioInputLogger {
        SioInputLogger
    }
}

/// What a load balancer that ends TLS puts before the names of its headers about it.
const TLS_PREFIX: &str = "x-zato-tls-";

impl Handle for tls_logger::Request {
    async fn handle(self, cx: &mut Context, _: &Admin) -> Result<(), Error> {
        let headers = cx.origin().request.iter().flat_map(|request| &request.headers);
        // Both spellings of the separator are in use.
        let is_about_tls = |name: &HeaderName| name.as_str().replace('_', "-").starts_with(TLS_PREFIX);
        let mut about_tls = headers.filter(|(name, _)| is_about_tls(name)).peekable();
        if about_tls.peek().is_none() {
            tracing::warn!(cid = %cx.cid(), "there are no headers about TLS in the request");
        }
        for (name, value) in about_tls {
            tracing::info!(cid = %cx.cid(), %name, ?value, "a header about TLS");
        }
        Ok(())
    }
}
