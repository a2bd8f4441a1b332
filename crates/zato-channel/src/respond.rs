//! The one place where an error becomes a response.
//!
//! Owns the form of errors: envelope, status on the wire, content type. It must not know why a call failed beyond what
//! [`Failure`] says, nor which headers all responses have.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use zato_cid::Cid;
use zato_env::{Report, ZatoEnv, write_json_error};
use zato_soap::{Fault, FaultCode, Version};

use crate::codec::{Dialect, ErrorShape};
use crate::failure::{Cause, Failure};

/// How much callers learn about the failure of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorDetails {
    /// The service, the place in its source, the chain of causes and the message.
    #[default]
    Full,
    /// The message alone.
    Message,
}

/// Writes an error in the shape that its caller reads.
pub(crate) fn error(
    failure: &Failure,
    cid: Cid,
    shape: ErrorShape,
    service: Option<&str>,
    details: ErrorDetails,
) -> Response<Full<Bytes>> {
    let text = text(failure, service, details);
    let (status, content_type, body) = match shape {
        ErrorShape::Json => {
            let mut body = Vec::with_capacity(text.len() + 128);
            write_json_error(&mut body, &ZatoEnv::error(cid.as_str(), text));
            (failure.status, "application/json", body)
        }
        ErrorShape::Soap(version) => {
            let body = fault(failure, version, &format!("cid [{cid}], faultstring [{text}]"));
            (fault_status(failure.status, version), version.content_type(), body)
        }
        ErrorShape::Text => (failure.status, "text/plain; charset=utf-8", printable(text).into_bytes()),
    };
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some((name, value)) = failure.header() {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

/// JSON escapes control characters and XML does without them. In a text, what a caller sent could end it, or do something
/// to the terminal that shows it.
fn printable(text: String) -> String {
    let is_harmful = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if text.contains(is_harmful) { text.replace(is_harmful, "\u{FFFD}") } else { text }
}

/// The answer to `OPTIONS` where no service gives one.
pub(crate) fn options(allowed: HeaderValue) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::ALLOW, allowed);
    response
}

fn text(failure: &Failure, service: Option<&str>, details: ErrorDetails) -> String {
    match &failure.cause {
        Cause::Refused(text) => text.clone().into_owned(),
        Cause::Failed(trail) if details == ErrorDetails::Full => {
            let location = trail.0.location();
            let report = Report::new(trail).at(location.file(), location.line());
            match trail.0.service().or(service) {
                Some(service) => report.service(service).to_string(),
                None => report.to_string(),
            }
        }
        Cause::Failed(trail) => trail.0.message().to_owned(),
    }
}

/// SOAP 1.1, section 6.2, has faults go out with 500, and SOAP 1.2, part 2, section 7.5.2.2, those which the sender can mend with 400.
/// Statuses that say who may call what are kept, because intermediaries act on them.
fn fault_status(status: StatusCode, version: Version) -> StatusCode {
    match status {
        StatusCode::UNAUTHORIZED
        | StatusCode::FORBIDDEN
        | StatusCode::NOT_FOUND
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::TOO_MANY_REQUESTS => status,
        status if version == Version::V12 && status.is_client_error() => StatusCode::BAD_REQUEST,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn fault(failure: &Failure, version: Version, text: &str) -> Vec<u8> {
    let code = if failure.status.is_client_error() { FaultCode::Client } else { FaultCode::Server };
    let fault = Fault::new(code, text);
    let mut body = Vec::with_capacity(text.len() + 512);
    match version {
        Version::V11 => fault.write(&mut body),
        Version::V12 => fault.write_v12(&mut body),
    }
    if failure.dialect == Dialect::V1
        && let Some(end) = body.windows(2).position(|bytes| bytes == b"?>")
    {
        body.drain(..end + 2);
    }
    body
}
