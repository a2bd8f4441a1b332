//! Why a channel or a security definition can't be configured.
//!
//! Owns the errors of configuration. It must not know the errors of calls: those become replies, these reach whoever
//! configures the server.

use std::sync::Arc;

use zato_env::InvalidName;

use crate::{JwtKeyError, XPathError};

/// Why a channel can't be served. Whatever was configured before stays as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError {
    /// Another channel answers on this path to this SOAP action.
    #[error(
        "channel [{channel}] can't answer on [{url_path}] to SOAP action [{soap_action}]: channel [{rival}] does"
    )]
    Taken {
        /// The channel that was refused.
        channel: Arc<str>,
        /// The one that is in its way.
        rival: Arc<str>,
        /// The path of both.
        url_path: Arc<str>,
        /// The SOAP action of both; empty for plain HTTP.
        soap_action: Arc<str>,
    },
    /// The path has placeholders, and it is not clear whether it or another path is meant by some requests.
    #[error("channel [{channel}]: path [{url_path}] is ambiguous beside [{rival_path}] of channel [{rival}]")]
    Ambiguous {
        /// The channel that was refused.
        channel: Arc<str>,
        /// Its path.
        url_path: Arc<str>,
        /// A channel that is in its way.
        rival: Arc<str>,
        /// That channel's path.
        rival_path: Arc<str>,
    },
    /// The server itself answers on the path.
    #[error("channel [{channel}]: path [{url_path}] would hide [{page}], where the server itself answers")]
    Page {
        /// The channel that was refused.
        channel: Arc<str>,
        /// Its path.
        url_path: Arc<str>,
        /// The path of the server's own document.
        page: Arc<str>,
    },
    /// The path is none.
    #[error("channel [{channel}]: [{url_path}] is no path: {reason}")]
    Path {
        /// The channel that was refused.
        channel: Arc<str>,
        /// Its path.
        url_path: Arc<str>,
        /// What is wrong with it.
        reason: PathError,
    },
    /// A SOAP channel speaks XML only.
    #[error("channel [{channel}]: SOAP channels have data format xml, not {data_format}")]
    DataFormat {
        /// The channel that was refused.
        channel: Arc<str>,
        /// The data format it was given.
        data_format: &'static str,
    },
    /// The definition looks for credentials where messages of this channel have none.
    #[error("channel [{channel}]: definition [{security}] is of a type that guards {wanted} channels only")]
    Security {
        /// The channel that was refused.
        channel: Arc<str>,
        /// The security definition it was given.
        security: Arc<str>,
        /// What the channel would have to be.
        wanted: &'static str,
    },
    /// The service's elements can't be written in the channel's format.
    #[error("channel [{channel}]: service [{service}] can't answer in XML: {reason}")]
    Service {
        /// The channel that was refused.
        channel: Arc<str>,
        /// Its service.
        service: Arc<str>,
        /// What is wrong with the service's response element.
        reason: InvalidName,
    },
}

/// What is wrong with a channel's path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// Paths begin with a slash.
    #[error("it must begin with `/`")]
    Relative,
    /// What follows `?` or `#` is not part of a path, so no request would ever match.
    #[error("`{0}` can't be part of a path")]
    Character(char),
    /// A brace without its counterpart, or an empty or odd name between the two.
    #[error(
        "a placeholder is written `{{name}}`, with letters, digits, spaces or `_ $ . - | = ~ ^` as its name"
    )]
    Placeholder,
    /// Two placeholders are told apart by the slash between them.
    #[error("there can be one placeholder between two slashes")]
    Crowded,
    /// Each captured value needs a name of its own.
    #[error("the placeholder `{0}` is there twice")]
    Repeated(Arc<str>),
}

/// Why a security definition can't guard channels.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecurityError {
    /// The definition's type is for outgoing connections, or not known.
    #[error("security definition [{name}]: type {sec_type} can't guard a channel")]
    Type {
        /// The definition's name.
        name: Arc<str>,
        /// Its type.
        sec_type: String,
    },
    /// A header can't have the name of the one with the API key.
    #[error("security definition [{name}]: [{header}] can't be the name of a header")]
    Header {
        /// The definition's name.
        name: Arc<str>,
        /// The header's name.
        header: String,
    },
    /// An expression can't be compiled.
    #[error("security definition [{name}]: {reason}")]
    XPath {
        /// The definition's name.
        name: Arc<str>,
        /// What is wrong with it.
        reason: XPathError,
    },
    /// The key of tokens can't be used.
    #[error("security definition [{name}]: {reason}")]
    Jwt {
        /// The definition's name.
        name: Arc<str>,
        /// What is wrong with it.
        reason: JwtKeyError,
    },
    /// The realm is sent in a header, where control characters can't stand.
    #[error("security definition [{name}]: its realm has a control character")]
    Realm {
        /// The definition's name.
        name: Arc<str>,
    },
}
