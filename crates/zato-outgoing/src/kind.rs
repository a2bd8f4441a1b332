//! Kinds of failures.
//!
//! Owns the coarse view of failures on which decisions and counters are based: what a retry may mend, what a circuit breaker
//! blames the other side for, and what is counted together. It knows the errors of layers, and not what the layers do.

use crate::connect::ProxyError;
use crate::error::Failure;
use crate::layers::oauth::TokenError;
use crate::progress::Phase;

/// What a failure is counted as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[repr(u8)]
pub enum FailureKind {
    /// The call was not allowed, or what the caller gave cannot be sent.
    Invalid,
    /// The request could not be authenticated, because no token was issued, or the proxy does not accept the credentials that it is
    /// given. If the token endpoint could not be called at all, the failure has the kind of that one.
    Credentials,
    /// Too many calls waited for a free connection, or this one did so for too long.
    Queue,
    /// The circuit breaker did not let the call through.
    CircuitOpen,
    /// The host name has no address.
    Resolve,
    /// The connection could not be opened.
    Connect,
    /// TLS could not be established, with the other side or with the proxy.
    Tls,
    /// The other side did not take the request.
    NotSent,
    /// The request was sent and no reply came.
    NoReply,
    /// The reply broke off.
    CutOff,
    /// The call, or one of its phases, took too long.
    TimedOut,
    /// The reply is larger than this side allows, redirects to nowhere, or is not what the caller expected.
    Reply,
    /// The reply is no HTTP, or not compressed as its headers say.
    Malformed,
}

impl FailureKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 13] = [
        Self::Invalid,
        Self::Credentials,
        Self::Queue,
        Self::CircuitOpen,
        Self::Resolve,
        Self::Connect,
        Self::Tls,
        Self::NotSent,
        Self::NoReply,
        Self::CutOff,
        Self::TimedOut,
        Self::Reply,
        Self::Malformed,
    ];

    /// The kind's name, as metrics have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Credentials => "credentials",
            Self::Queue => "queue",
            Self::CircuitOpen => "circuit_open",
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::NotSent => "not_sent",
            Self::NoReply => "no_reply",
            Self::CutOff => "cut_off",
            Self::TimedOut => "timed_out",
            Self::Reply => "reply",
            Self::Malformed => "malformed",
        }
    }

    /// Whether the same request may well succeed a moment later. A certificate that is not trusted stays so.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::Resolve | Self::Connect | Self::NotSent | Self::NoReply | Self::CutOff | Self::TimedOut
        )
    }

    /// Whether the other side, or the way to it, is out of order.
    ///
    /// That is so if no reply came, or none that HTTP has: whoever the other side is at that moment, it is not what it should be. A
    /// reply of kind [`Reply`](Self::Reply) is in order, and only more than is allowed here or other than expected, which is a matter
    /// of the request or the configuration as well.
    pub fn blames_peer(self) -> bool {
        self.is_transient() || matches!(self, Self::Tls | Self::Malformed)
    }
}

/// An error which has a kind. Layers which decide by it work with every service whose error has one.
pub trait HasKind {
    /// The kind.
    fn kind(&self) -> FailureKind;
}

impl HasKind for Failure {
    fn kind(&self) -> FailureKind {
        match self {
            Self::QueueFull { .. } | Self::TimedOut { phase: Phase::Queue } => FailureKind::Queue,
            Self::CircuitOpen { .. } => FailureKind::CircuitOpen,
            Self::Token(error) => match &**error {
                // The call's own request has not been sent, and the way to the token endpoint is a part of the way to the other side.
                TokenError::Call(failure) => failure.kind(),
                _ => FailureKind::Credentials,
            },
            Self::Resolve { .. } => FailureKind::Resolve,
            Self::Refused(_) | Self::Connect(_) => FailureKind::Connect,
            Self::Proxy { source, .. } => {
                source.downcast_ref().map_or(FailureKind::Connect, |error: &ProxyError| error.kind())
            }
            Self::Tls(_) => FailureKind::Tls,
            Self::NotSent(_) => FailureKind::NotSent,
            Self::NoReply(_) => FailureKind::NoReply,
            Self::CutOff(_) => FailureKind::CutOff,
            Self::TimedOut { .. } => FailureKind::TimedOut,
            Self::InvalidReply(_) | Self::Decompress(_) => FailureKind::Malformed,
            Self::TooManyRedirects { .. }
            | Self::InvalidRedirect(_)
            | Self::TooLarge { .. }
            | Self::Status { .. }
            | Self::DecodeBody(_) => FailureKind::Reply,
            Self::Inactive
            | Self::MissingPathParameter { .. }
            | Self::InvalidRequest { .. }
            | Self::EncodeBody(_)
            | Self::RequestBody(_) => FailureKind::Invalid,
        }
    }
}

impl HasKind for ProxyError {
    fn kind(&self) -> FailureKind {
        match self {
            Self::Method | Self::Credentials | Self::Refused { status: 407, .. } => FailureKind::Credentials,
            Self::Tls(_) => FailureKind::Tls,
            Self::TooLong => FailureKind::Invalid,
            Self::Io(_) | Self::Refused { .. } | Self::Reply | Self::Socks { .. } => FailureKind::Connect,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use http::StatusCode;

    use super::*;

    #[test]
    fn numbers_are_places() {
        for (number, kind) in FailureKind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, number, "{}", kind.name());
        }
    }

    #[test]
    fn what_may_be_tried_again() {
        let refused = Failure::Refused(io::ErrorKind::ConnectionRefused.into()).kind();
        assert!(refused.is_transient() && refused.blames_peer());
        let tls = Failure::Tls("not trusted".into()).kind();
        assert!(!tls.is_transient() && tls.blames_peer());
        let queue = Failure::TimedOut { phase: Phase::Queue }.kind();
        assert!(!queue.is_transient() && !queue.blames_peer());
        assert!(!Failure::Inactive.kind().blames_peer());
        for malformed in [Failure::InvalidReply("no HTTP".into()), Failure::Decompress("no gzip".into())] {
            assert!(!malformed.kind().is_transient() && malformed.kind().blames_peer(), "{malformed:?}");
        }
        for reply in [Failure::TooLarge { limit: 1 }, Failure::TooManyRedirects { limit: 1 }] {
            assert!(!reply.kind().is_transient() && !reply.kind().blames_peer(), "{reply:?}");
        }
        for phase in [Phase::FirstByte, Phase::Opening] {
            assert!(Failure::TimedOut { phase }.kind().is_transient());
        }
    }

    #[test]
    fn what_a_proxy_does_not_do() {
        let refused = |status| ProxyError::Refused { status, status_line: String::new() };
        for (error, kind) in [
            (refused(407), FailureKind::Credentials),
            (ProxyError::Method, FailureKind::Credentials),
            (ProxyError::Credentials, FailureKind::Credentials),
            (ProxyError::Tls("not trusted".into()), FailureKind::Tls),
            (ProxyError::TooLong, FailureKind::Invalid),
            (refused(502), FailureKind::Connect),
            (ProxyError::Socks { reason: "the host cannot be reached" }, FailureKind::Connect),
            (io::Error::from(io::ErrorKind::ConnectionReset).into(), FailureKind::Connect),
        ] {
            let failure = Failure::Proxy { proxy: "proxy:3128".to_owned(), source: error.into() };
            assert_eq!(failure.kind(), kind, "{failure:?}");
            assert_eq!(failure.kind().is_transient(), kind == FailureKind::Connect, "{failure:?}");
        }
    }

    #[test]
    fn what_keeps_a_token_from_being_issued() {
        let token = |error: TokenError| Failure::Token(error.into()).kind();
        let call = |failure| token(TokenError::Call(Box::new(failure)));
        assert_eq!(call(Failure::Refused(io::ErrorKind::ConnectionRefused.into())), FailureKind::Connect);
        assert_eq!(call(Failure::TimedOut { phase: Phase::Queue }), FailureKind::Queue);
        for status in
            [StatusCode::BAD_REQUEST, StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE]
        {
            let refused = token(TokenError::Refused { status, said: String::new() });
            assert_eq!(refused, FailureKind::Credentials, "{status}");
        }
    }
}
