//! Why a call gets no reply from its service.
//!
//! Owns the texts and statuses of what the channel itself refuses, and the status of each kind of error. It must not
//! know how an error is written: `respond` does that.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use zato_cid::Cid;
use zato_service::{Error, ErrorKind};

use crate::body::BodyError;
use crate::codec::Dialect;
use crate::limits::TooMany;
use crate::media::shortened;
use crate::security::Denied;

/// The end of a call without a service's reply.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The status before an envelope imposes its own.
    pub(crate) status: StatusCode,
    pub(crate) cause: Cause,
    pub(crate) remedy: Option<Remedy>,
    pub(crate) dialect: Dialect,
}

/// What a header tells the caller to do about it.
#[derive(Debug)]
pub(crate) enum Remedy {
    /// Use another method.
    Allow(HeaderValue),
    /// Come back after as many seconds.
    RetryAfter(HeaderValue),
    /// Open another connection: this one ends with the reply.
    Close(HeaderValue),
    /// Prove who is calling. Why that was in doubt is for the log only.
    Authenticate { challenge: HeaderValue, denied: Denied },
}

#[derive(Debug)]
pub(crate) enum Cause {
    /// The channel refused the request before a service saw it: one sentence says all there is to say.
    Refused(Cow<'static, str>),
    /// The service failed, or the decoding of its input, or the encoding of its output.
    Failed(Trail),
}

/// An error of a service as one of the standard library, which reports are made of.
#[derive(Debug)]
pub(crate) struct Trail(pub(crate) Error);

impl fmt::Display for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.message())
    }
}

impl std::error::Error for Trail {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}

impl Failure {
    pub(crate) fn refused(status: StatusCode, text: impl Into<Cow<'static, str>>) -> Self {
        Self { status, cause: Cause::Refused(text.into()), remedy: None, dialect: Dialect::Documented }
    }

    /// A request after which nothing on its connection can be relied on.
    pub(crate) fn unreadable(status: StatusCode, text: &'static str) -> Self {
        Self { remedy: Some(Remedy::Close(HeaderValue::from_static("close"))), ..Self::refused(status, text) }
    }

    /// No channel, or one whose service is inactive.
    pub(crate) fn unknown_url(cid: Cid, path: &str, action: &str) -> Self {
        let (path, action) = (shortened(path), shortened(action));
        let text = format!("CID:`{cid}` Unknown URL:`{path}` or SOAP action:`{action}`");
        Self::refused(StatusCode::NOT_FOUND, text)
    }

    pub(crate) fn inactive_channel() -> Self {
        Self::refused(StatusCode::NOT_FOUND, "Channel inactive")
    }

    pub(crate) fn method_not_allowed(method: &Method, allowed: HeaderValue) -> Self {
        let text = format!("Method `{}` is not allowed here", shortened(method.as_str()));
        Self { remedy: Some(Remedy::Allow(allowed)), ..Self::refused(StatusCode::METHOD_NOT_ALLOWED, text) }
    }

    /// Bodies take up all the memory that they may.
    pub(crate) fn overloaded() -> Self {
        let text = "The server has no memory left for this call at the moment";
        Self {
            remedy: Some(Remedy::RetryAfter(HeaderValue::from_static("1"))),
            ..Self::refused(StatusCode::SERVICE_UNAVAILABLE, text)
        }
    }

    pub(crate) fn body(error: &BodyError, limit: usize) -> Self {
        match error {
            BodyError::TooLarge => Self::refused(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("The body is larger than the {limit} bytes that are accepted"),
            ),
            BodyError::Overloaded => Self::overloaded(),
            BodyError::TooSlow => {
                Self::refused(StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time")
            }
            BodyError::Broken(error) => {
                Self::refused(StatusCode::BAD_REQUEST, format!("The body did not arrive as a whole: {error}"))
            }
        }
    }

    /// Whatever the reason is, the caller reads the same.
    pub(crate) fn unauthorized(cid: Cid, path: &str, challenge: HeaderValue, denied: Denied) -> Self {
        let text = format!("UNAUTHORIZED path_info:`{}`, cid:`{cid}`", shortened(path));
        Self {
            remedy: Some(Remedy::Authenticate { challenge, denied }),
            ..Self::refused(StatusCode::UNAUTHORIZED, text)
        }
    }

    /// The caller's roles don't allow the call.
    pub(crate) fn forbidden() -> Self {
        Self::refused(StatusCode::FORBIDDEN, "You are not allowed to access this URL")
    }

    /// Too many answers to this client are held back already.
    pub(crate) fn too_many_failures(retry_after: Duration) -> Self {
        let seconds = retry_after.as_secs().saturating_add(1);
        Self {
            remedy: Some(Remedy::RetryAfter(seconds.into())),
            ..Self::refused(StatusCode::TOO_MANY_REQUESTS, "Too many calls from this address were refused")
        }
    }

    /// A channel or a definition that lets no further call through at the moment.
    pub(crate) fn too_many(what: &str, name: &str, too_many: TooMany) -> Self {
        let wait = too_many.retry_after;
        let seconds = (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1);
        let text = format!("Too many calls for {what} [{name}], the next one may come in {seconds} s");
        Self {
            remedy: Some(Remedy::RetryAfter(seconds.into())),
            ..Self::refused(StatusCode::TOO_MANY_REQUESTS, text)
        }
    }

    /// A service, or a page, that panicked.
    pub(crate) fn panicked() -> Self {
        Self::from(Error::internal(
            "The service failed unexpectedly; the server's log says more under this CID",
        ))
    }

    pub(crate) fn in_dialect(self, dialect: Dialect) -> Self {
        Self { dialect, ..self }
    }

    /// The header that belongs to the status.
    pub(crate) fn header(&self) -> Option<(HeaderName, &HeaderValue)> {
        match self.remedy.as_ref()? {
            Remedy::Allow(allowed) => Some((header::ALLOW, allowed)),
            Remedy::RetryAfter(seconds) => Some((header::RETRY_AFTER, seconds)),
            Remedy::Close(close) => Some((header::CONNECTION, close)),
            Remedy::Authenticate { challenge, .. } => Some((header::WWW_AUTHENTICATE, challenge)),
        }
    }

    /// Why the caller was not believed.
    pub(crate) fn denied(&self) -> Option<&Denied> {
        match self.remedy.as_ref()? {
            Remedy::Allow(_) | Remedy::RetryAfter(_) | Remedy::Close(_) => None,
            Remedy::Authenticate { denied, .. } => Some(denied),
        }
    }

    /// The errors that led to it, nearest first, in one line.
    pub(crate) fn causes(&self) -> Option<String> {
        let Cause::Failed(trail) = &self.cause else { return None };
        trail.0.causes_in_line()
    }

    /// What went wrong, in a sentence.
    pub(crate) fn message(&self) -> &str {
        match &self.cause {
            Cause::Refused(text) => text,
            Cause::Failed(trail) => trail.0.message(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            status: status_of(error.kind()),
            cause: Cause::Failed(Trail(error)),
            remedy: None,
            dialect: Dialect::Documented,
        }
    }
}

fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::BadRequest => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorKind::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::BadGateway => StatusCode::BAD_GATEWAY,
        ErrorKind::GatewayTimeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        // A kind that is added later is unexpected here until it has a status of its own.
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
