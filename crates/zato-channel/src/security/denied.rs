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
}

impl Denied {
    /// The reason in one word, of which there are few, so that each can have a counter.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::NoHeader(_) | Self::NoToken | Self::Incomplete => "missing",
            Self::Scheme(_)
            | Self::NotBase64
            | Self::NoColon
            | Self::NoMessage(_)
            | Self::Token(_)
            | Self::Created => "malformed",
            Self::Username => "username",
            Self::Password | Self::Key => "password",
            Self::Stale => "stale",
            Self::Replayed => "replayed",
        }
    }
}
