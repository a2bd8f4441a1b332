//! Why a call failed, in terms that a caller, an operator and a log can each use.
//!
//! Owns the kinds of failure and the trail that leads to one: message, place in the source, chain of causes. It must
//! not know status codes' wire forms or envelopes: one place in the inbound layer turns a kind into those.

use std::any::Any;
use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::panic::Location;

use zato_amqp::SendError;
use zato_connections::LookupError;
use zato_kvdb::KvdbError;
use zato_outgoing::{CallError, Failure};
use zato_sio::DecodeError;

/// How many bytes of a message are kept. Messages repeat what callers sent, who could otherwise fill logs.
const LONGEST_MESSAGE: usize = 16 * 1024;

fn shortened(mut message: Cow<'static, str>) -> Cow<'static, str> {
    if message.len() > LONGEST_MESSAGE {
        let message = message.to_mut();
        message.truncate(message.floor_char_boundary(LONGEST_MESSAGE));
        message.push_str(" ...");
    }
    message
}

/// What a caller can do about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is wrong; sending it again changes nothing.
    BadRequest,
    /// Who calls is not known.
    Unauthorized,
    /// Who calls is known and may not.
    Forbidden,
    /// There is no such URL, service or object, or it is inactive.
    NotFound,
    /// The URL exists but not for this method.
    MethodNotAllowed,
    /// The object exists already, or others refer to it.
    Conflict,
    /// The request is larger than the channel takes.
    PayloadTooLarge,
    /// The request is in a form that is not read here.
    UnsupportedMediaType,
    /// The caller should slow down.
    TooManyRequests,
    /// Anything unexpected.
    Internal,
    /// Another system could not be reached or answered nonsense, or the connection to it is inactive.
    BadGateway,
    /// Another system did not answer in time.
    GatewayTimeout,
    /// The server can't do it now, the operational database being away for instance, or too many calls waiting for another system.
    Unavailable,
}

impl ErrorKind {
    /// Whether the caller can mend it by sending something else.
    pub fn is_callers(self) -> bool {
        !matches!(self, Self::Internal | Self::BadGateway | Self::GatewayTimeout | Self::Unavailable)
    }
}

/// The failure of a call.
///
/// It deliberately does not implement `std::error::Error`, so that `?` can turn every error into one.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: Cow<'static, str>,
    service: Option<Box<str>>,
    location: &'static Location<'static>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

macro_rules! constructors {
    ($($(#[$documentation:meta])* $name:ident => $kind:ident;)*) => {
        $(
            $(#[$documentation])*
            #[track_caller]
            pub fn $name(message: impl Into<Cow<'static, str>>) -> Self {
                Self::new(ErrorKind::$kind, message)
            }
        )*
    };
}

impl Error {
    /// A failure of this kind; the place where it is made is remembered.
    #[track_caller]
    pub fn new(kind: ErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Inner {
            kind,
            message: shortened(message.into()),
            service: None,
            location: Location::caller(),
            source: None,
        }))
    }

    constructors! {
        /// The request is wrong.
        bad_request => BadRequest;
        /// The caller may not do this.
        forbidden => Forbidden;
        /// There is no such object, or it is inactive.
        not_found => NotFound;
        /// The object exists already or is still referred to.
        conflict => Conflict;
        /// Something unexpected happened.
        internal => Internal;
        /// The server can't do it now.
        unavailable => Unavailable;
    }

    /// Adds the error that led to this one.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Says the same in other words, which may be several lines.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.0.message = shortened(message.into());
        self
    }

    /// Names the service that failed, unless an inner one has been named already.
    #[must_use]
    pub(crate) fn in_service(mut self, service: &str) -> Self {
        self.0.service.get_or_insert_with(|| service.into());
        self
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What went wrong, in a sentence; never a secret.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The service that failed; none if no service was reached.
    pub fn service(&self) -> Option<&str> {
        self.0.service.as_deref()
    }

    /// Where in the source the error was made.
    pub fn location(&self) -> &'static Location<'static> {
        self.0.location
    }

    /// The error that led to this one.
    pub fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }

    /// The causes, nearest first, without this error itself.
    pub fn causes(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        std::iter::successors(self.source(), |error| (*error).source())
    }

    /// The causes in one line, for a log; none if there are none.
    pub fn causes_in_line(&self) -> Option<String> {
        self.source().map(chain)
    }
}

/// An error and its causes, nearest first, in one line, for a log. Some errors tell their causes themselves, which are not told
/// again then.
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut line = error.to_string();
    for cause in std::iter::successors(error.source(), |error| (*error).source()) {
        let cause = cause.to_string();
        if !line.ends_with(&cause) {
            line.push_str(": ");
            line.push_str(&cause);
        }
    }
    line
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.0.message)
            .field("service", &self.0.service)
            .field("location", &format_args!("{}", self.0.location))
            .field("source", &self.0.source)
            .finish()
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    #[track_caller]
    fn from(error: E) -> Self {
        let kind = kind_of(&error);
        let message = error.to_string();
        Self::new(kind, message).with_source_of(error)
    }
}

impl Error {
    /// Keeps the causes of `error`; its own text has become the message and would only be repeated.
    fn with_source_of<E: StdError + Send + Sync + 'static>(mut self, error: E) -> Self {
        if error.source().is_some() {
            self.0.source = Some(Box::new(Causes(Box::new(error))));
        }
        self
    }
}

/// An error reduced to its causes: shows, and leads to, what is below it.
struct Causes(Box<dyn StdError + Send + Sync>);

impl Causes {
    fn first(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source()
    }
}

impl fmt::Display for Causes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.first().map_or(Ok(()), |cause| fmt::Display::fmt(cause, f))
    }
}

impl fmt::Debug for Causes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl StdError for Causes {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.first().and_then(StdError::source)
    }
}

/// Errors of the layers below that mean more than "unexpected".
fn kind_of(error: &(dyn Any + 'static)) -> ErrorKind {
    if error.is::<DecodeError>() {
        ErrorKind::BadRequest
    } else if let Some(error) = error.downcast_ref::<CallError>() {
        kind_of_call(error)
    } else if let Some(error) = error.downcast_ref::<SendError>() {
        match error {
            SendError::TooLong { .. } => ErrorKind::Internal,
            SendError::Unconfirmed { .. } => ErrorKind::GatewayTimeout,
            _ => ErrorKind::BadGateway,
        }
    } else if let Some(LookupError::Inactive { .. }) = error.downcast_ref() {
        ErrorKind::BadGateway
    } else if let Some(KvdbError::Unavailable(_)) = error.downcast_ref() {
        ErrorKind::Unavailable
    } else if error.is::<zato_zmq::SendError>() {
        ErrorKind::BadGateway
    } else if let Some(error) = error.downcast_ref::<zato_ftp::Error>() {
        if error.is_timeout() { ErrorKind::GatewayTimeout } else { ErrorKind::BadGateway }
    } else if let Some(error) = error.downcast_ref::<zato_sql::Error>() {
        match error {
            zato_sql::Error::Exhausted { .. } => ErrorKind::Unavailable,
            error if error.is_timeout() => ErrorKind::GatewayTimeout,
            error if error.is_connection() => ErrorKind::BadGateway,
            // What the database refused is the service's mistake, or what it should have seen coming.
            _ => ErrorKind::Internal,
        }
    } else {
        ErrorKind::Internal
    }
}

fn kind_of_call(error: &CallError) -> ErrorKind {
    match error.kind() {
        Failure::TimedOut { .. } => ErrorKind::GatewayTimeout,
        Failure::QueueFull { .. } | Failure::CircuitOpen { .. } => ErrorKind::Unavailable,
        // The service gave what cannot be sent: no other system has had a part in that.
        Failure::MissingPathParameter { .. }
        | Failure::InvalidRequest { .. }
        | Failure::EncodeBody(_)
        | Failure::RequestBody(_) => ErrorKind::Internal,
        _ => ErrorKind::BadGateway,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] Middle);
    #[derive(Debug, thiserror::Error)]
    #[error("middle")]
    struct Middle(#[source] fmt::Error);

    fn fails() -> Result<(), Error> {
        Err(Outer(Middle(fmt::Error)))?
    }

    #[test]
    fn a_line_tells_each_cause_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("telling: {0}")]
        struct Telling(#[source] Middle);
        assert_eq!(chain(&Outer(Middle(fmt::Error))), format!("outer: middle: {}", fmt::Error));
        assert_eq!(chain(&Telling(Middle(fmt::Error))), format!("telling: middle: {}", fmt::Error));
    }

    #[test]
    fn a_message_is_no_longer_than_a_log_takes() {
        let long = "\u{17c}".repeat(LONGEST_MESSAGE);
        for error in [Error::bad_request(long.clone()), Error::internal("short").with_message(long)] {
            assert_eq!(error.message().len(), LONGEST_MESSAGE + " ...".len());
        }
        assert_eq!(Error::not_found("short").message(), "short");
    }

    #[test]
    fn a_question_mark_keeps_the_causes_and_the_place() {
        let error = fails().unwrap_err().in_service("crm.get").in_service("outer.service");
        assert_eq!(
            (error.kind(), error.message(), error.service()),
            (ErrorKind::Internal, "outer", Some("crm.get"))
        );
        let causes: Vec<String> = error.causes().map(ToString::to_string).collect();
        assert_eq!(causes, ["middle", &fmt::Error.to_string()]);
        assert!(error.location().file().ends_with("error.rs"));
    }

    #[track_caller]
    fn check(error: impl StdError + Send + Sync + 'static, kind: ErrorKind) {
        assert_eq!(Error::from(error).kind(), kind);
    }

    #[tokio::test]
    async fn failed_calls() {
        use zato_outgoing::{CircuitBreaker, Config, Connection, Environment, Proxy, Trip};

        // Nobody listens on the first port, and nobody says anything on the second.
        let port = zato_test_port::Port::reserve();
        let gone = port.address();
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let connection = |address: std::net::SocketAddr, change: fn(&mut Config)| {
            let mut config = Config::new(1, "CRM", format!("http://{address}"), "/customers/{id}");
            config.proxy = Proxy::Direct;
            change(&mut config);
            Connection::new(config, &Environment::new("tests").unwrap()).unwrap()
        };
        let cid: zato_cid::Cid = "K21353002988419985838198535608".parse().unwrap();
        let call = |connection: &Connection| connection.conn().get(cid, [("id", 1)]);
        let fragile = connection(gone, |config| {
            let trip = Trip::Consecutive { failures: 1 };
            config.circuit_breaker = Some(CircuitBreaker { trip, ..CircuitBreaker::default() });
        });
        let waiting = connection(silent.local_addr().unwrap(), |_| {});
        let inactive = connection(gone, |config| config.is_active = false);
        for (call, kind) in [
            (waiting.conn().get(cid, ()), ErrorKind::Internal),
            (call(&waiting).header("a", "\n"), ErrorKind::Internal),
            (call(&waiting).timeout(std::time::Duration::from_millis(1)), ErrorKind::GatewayTimeout),
            (call(&fragile), ErrorKind::BadGateway),
            (call(&fragile), ErrorKind::Unavailable),
            (call(&inactive), ErrorKind::BadGateway),
        ] {
            check(call.await.unwrap_err(), kind);
        }
    }

    #[test]
    fn what_other_systems_did_not_take_is_their_fault() {
        let refused = SendError::Refused { connection: "Orders".into(), reason: "no exchange".into() };
        check(refused, ErrorKind::BadGateway);
        let unconfirmed = SendError::Unconfirmed { connection: "Orders".into(), reason: "no answer".into() };
        check(unconfirmed, ErrorKind::GatewayTimeout);
        check(SendError::TooLong { field: "the exchange".into() }, ErrorKind::Internal);
        let gone = zato_zmq::SendError::Unavailable { connection: "Orders".into(), reason: "gone".into() };
        check(gone, ErrorKind::BadGateway);
    }

    #[test]
    fn connections_that_are_switched_off_are_like_systems_that_are_away() {
        let (kind, name) = ("outgoing FTP connection", "Exports".to_owned());
        check(LookupError::Inactive { kind, name: name.clone() }, ErrorKind::BadGateway);
        check(LookupError::UnknownName { kind, name }, ErrorKind::Internal);
    }

    #[test]
    fn bad_input_is_the_callers_fault() {
        let error =
            Error::from(zato_sio::from_json::<std::collections::BTreeMap<String, i64>>(b"[").unwrap_err());
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert!(error.kind().is_callers());
    }
}
