//! What can go wrong with a call, and how far it had got.
//!
//! Owns the error type of the layers ([`Failure`]) and the one that callers see ([`CallError`]). No text in here contains
//! a secret, a query value or a body. Only the cause of [`Failure::DecodeBody`], which is the JSON library's, may show the value
//! of a reply that is not of the type it should have.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use zato_cid::Cid;

use crate::layers::oauth::TokenError;
use crate::progress::{Phase, Progress, Timing};

/// An error of a library below this crate, kept as a cause only, so that no other crate's version is part of this
/// crate's interface.
pub type Source = Box<dyn Error + Send + Sync>;

/// Why a call failed. It is the error of every layer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The connection is switched off in its configuration. Nothing was sent.
    #[error("the connection is inactive")]
    Inactive,
    /// The connection's URL path has a placeholder which the call's parameters give no value for. Nothing was sent.
    #[error("there is no value for the path parameter `{name}`")]
    MissingPathParameter {
        /// The placeholder's name.
        name: String,
    },
    /// The caller gave something that cannot be part of an HTTP request. Nothing was sent.
    #[error("the {part} of the request is invalid")]
    InvalidRequest {
        /// The part in question, for instance `header value`.
        part: &'static str,
        /// What is wrong with it.
        #[source]
        source: Source,
    },
    /// The request's body could not be written as JSON. Nothing was sent.
    #[error("the request could not be written as JSON")]
    EncodeBody(#[source] serde_json::Error),
    /// The caller's stream of the request's body failed, or has another length than announced. A part of it was sent.
    #[error("the body of the request could not be read to its end")]
    RequestBody(#[source] Source),
    /// The connection authenticates by OAuth 2.0 and no access token could be had. The request itself was not sent. The error is
    /// that of all calls which waited for the same token.
    #[error("there is no access token for the request")]
    Token(#[source] Arc<TokenError>),
    /// The host name could not be resolved. Nothing was sent.
    #[error("the host name `{host}` could not be resolved")]
    Resolve {
        /// The host name.
        host: String,
        /// What the resolver says.
        source: io::Error,
    },
    /// The connection's proxy gave no connection. Nothing was sent to the other side.
    #[error("the proxy {proxy} gave no connection")]
    Proxy {
        /// The proxy's address.
        proxy: String,
        /// Why not: a [`ProxyError`](crate::connect::ProxyError), or the `Failure` of connecting to it.
        source: Source,
    },
    /// Nobody listens at the address. Nothing was sent.
    #[error("the connection was refused")]
    Refused(#[source] io::Error),
    /// The TCP connection could not be opened, or ended before TLS was established. Nothing was sent.
    #[error("the connection could not be opened")]
    Connect(#[source] io::Error),
    /// TLS could not be established, for instance because the certificate is not trusted. Nothing was sent.
    #[error("TLS could not be established")]
    Tls(#[source] Source),
    /// A new connection was closed before it took the request, or the other side says that it has not looked at it. Nothing has
    /// happened.
    #[error("the other side did not take the request")]
    NotSent(#[source] Source),
    /// The request was sent, wholly or in part, and no reply came. The other side may have acted on it.
    #[error("the request was sent but no reply came")]
    NoReply(#[source] Source),
    /// What came is no HTTP reply, or one whose head is too large: of more than 100 header lines, or of more than 400 KB.
    #[error("the reply is not valid HTTP")]
    InvalidReply(#[source] Source),
    /// The reply began and did not end.
    #[error("the reply was cut off")]
    CutOff(#[source] Source),
    /// The time the call was given is over.
    #[error("timed out while {phase}")]
    TimedOut {
        /// What the call was doing at that moment.
        phase: Phase,
    },
    /// As many calls as are allowed wait for a free connection. Nothing was sent.
    #[error("{limit} calls wait for a free connection already")]
    QueueFull {
        /// How many calls may wait.
        limit: usize,
    },
    /// Too many calls have failed of late, so that this one was not tried. Nothing was sent.
    #[error("too many calls have failed; the next one is tried in {retry_in:?}")]
    CircuitOpen {
        /// After what time a call will be tried again; zero if the calls which try it are under way.
        retry_in: Duration,
    },
    /// The other side redirects again and again.
    #[error("there were more than {limit} redirects")]
    TooManyRedirects {
        /// How many are followed.
        limit: usize,
    },
    /// The other side redirects to what is no URL, or one of another kind than http and https.
    #[error("the reply redirects to an invalid URL")]
    InvalidRedirect(#[source] Source),
    /// The reply's body is not compressed as its headers say.
    #[error("the reply could not be decompressed")]
    Decompress(#[source] Source),
    /// The reply's body is larger than the connection's configuration allows.
    #[error("the reply is larger than {limit} bytes")]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The reply's status is 4xx or 5xx and the caller asked for that to be an error.
    #[error("the reply's status is {status}")]
    Status {
        /// The status.
        status: http::StatusCode,
    },
    /// The reply's body is not the JSON which the caller expected.
    #[error("the reply is not the expected JSON")]
    DecodeBody(#[source] serde_json::Error),
}

impl Failure {
    pub(crate) fn invalid_request(part: &'static str, source: impl Into<Source>) -> Self {
        Self::InvalidRequest { part, source: source.into() }
    }
}

/// A call that failed: on which connection, for which correlation id, after what time, and how far it had got.
///
/// `Display` is one line without causes; they follow by [`Error::source`].
pub struct CallError(Box<Details>);

struct Details {
    connection: Arc<str>,
    cid: Cid,
    timing: Timing,
    sent: bool,
    attempts: u32,
    phase: Phase,
    failure: Failure,
    /// Present if the call was a ping.
    report: Option<String>,
}

impl CallError {
    pub(crate) fn new(connection: &Arc<str>, cid: Cid, progress: &Progress, failure: Failure) -> Self {
        Self(Box::new(Details {
            connection: Arc::clone(connection),
            cid,
            timing: progress.timing(),
            sent: progress.sent(),
            attempts: progress.attempts(),
            phase: progress.phase(),
            failure,
            report: None,
        }))
    }

    pub(crate) fn with_report(mut self, report: String) -> Self {
        self.0.report = Some(report);
        self
    }

    /// The report on a ping that failed: what was sent and when, in which phase it failed and why, and the time it took.
    /// Other calls have none.
    pub fn report(&self) -> Option<&str> {
        self.0.report.as_deref()
    }

    /// What the call was doing when it failed.
    pub fn phase(&self) -> Phase {
        self.0.phase
    }

    /// Why the call failed.
    pub fn kind(&self) -> &Failure {
        &self.0.failure
    }

    /// The name of the outgoing connection.
    pub fn connection(&self) -> &str {
        &self.0.connection
    }

    /// The correlation id the call was made with.
    pub fn cid(&self) -> Cid {
        self.0.cid
    }

    /// How long the call took until it failed.
    pub fn elapsed(&self) -> Duration {
        self.0.timing.total()
    }

    /// How long each phase of the call took until it failed.
    pub fn timing(&self) -> Timing {
        self.0.timing
    }

    /// Whether the other side may have seen the request, or a part of it. If it is `false`, the call can be made again
    /// whatever its method.
    pub fn may_have_been_sent(&self) -> bool {
        self.0.sent
    }

    /// How many attempts were made; 1 if the call was not made again.
    pub fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// Whether the time given to the call was not enough.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.failure, Failure::TimedOut { .. })
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.failure {
            Failure::Inactive => write!(f, "`{}` is inactive", self.0.connection),
            // That of a time-out names the phase itself.
            failure if self.0.report.is_some() && !self.is_timeout() => {
                write!(f, "`{}`: the ping failed while {}: {failure}", self.0.connection, self.0.phase)
            }
            failure => write!(f, "`{}`: {failure}", self.0.connection),
        }
    }
}

impl fmt::Debug for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallError")
            .field("connection", &self.0.connection)
            .field("cid", &self.0.cid)
            .field("elapsed", &self.elapsed())
            .field("may_have_been_sent", &self.0.sent)
            .field("attempts", &self.0.attempts)
            .field("failure", &self.0.failure)
            .finish()
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.failure.source()
    }
}
