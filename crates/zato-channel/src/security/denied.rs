//! Why callers are refused.
//!
//! Owns the reasons and their short names. They are for logs and counters only: callers learn no more than that they
//! were refused. This module must not know how anything is checked.

/// A reason for which a caller was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("the security definition is inactive")]
    Inactive,
    #[error("there is no {0} header")]
    NoHeader(Box<str>),
    #[error("the Authorization header is not a {0} one")]
    Scheme(&'static str),
    #[error("the credentials are not in base64")]
    NotBase64,
    #[error("the credentials have no colon between username and password")]
    NoColon,
    #[error("the username is not the definition's")]
    Username,
    #[error("the password is wrong")]
    Password,
    #[error("the key is wrong")]
    Key,
    #[error("the body is no message to look for credentials in: {0}")]
    NoMessage(String),
    #[error("the WS-Security header can't be read: {0}")]
    Token(String),
    #[error("there is no WS-Security UsernameToken")]
    NoToken,
    #[error("the token lacks its nonce or the time of its creation")]
    Incomplete,
    #[error("the time of the token's creation is no UTC date and time")]
    Created,
    #[error("the credentials have expired, or are from the future")]
    Stale,
    #[error("the nonce was used before")]
    Replayed,
    #[error("the OAuth header can't be verified: {0}")]
    OAuth(String),
    #[error("the signature is wrong")]
    Signature,
    #[error("the signature method {0} is not the definition's")]
    Method(&'static str),
    #[error("the token is not one of the definition's")]
    UnknownToken,
    #[error("the message has no {0}")]
    NotFound(&'static str),
    #[error("the client has no certificate")]
    NoCertificate,
    #[error("the client's certificate does not satisfy the rule for {0}")]
    Certificate(String),
    #[error("the token can't be read: {0}")]
    Unreadable(String),
    #[error("the token says something else than it must: {0}")]
    Claims(String),
}

impl Denied {
    /// The reason in one word, of which there are few, so that each can have a counter.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::NoHeader(_)
            | Self::NoToken
            | Self::Incomplete
            | Self::NotFound(_)
            | Self::NoCertificate => "missing",
            Self::Scheme(_)
            | Self::NotBase64
            | Self::NoColon
            | Self::NoMessage(_)
            | Self::Token(_)
            | Self::OAuth(_)
            | Self::Unreadable(_)
            | Self::Created => "malformed",
            Self::Username | Self::UnknownToken => "username",
            Self::Password | Self::Key => "password",
            Self::Signature | Self::Method(_) => "signature",
            Self::Certificate(_) => "certificate",
            Self::Claims(_) => "claims",
            Self::Stale => "stale",
            Self::Replayed => "replayed",
        }
    }
}
