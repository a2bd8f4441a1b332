//! Why something is not a SOAP message. Must not know what a service expects inside a body.

use zato_xml::Position;

/// Why a text is not a readable document, or a document not a SOAP message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The text is not well-formed XML within the limits.
    #[error(transparent)]
    Xml(#[from] zato_xml::ReadError),
    /// The root element is not called `Envelope`.
    #[error("{position}: expected a SOAP Envelope, found the element {found:?}")]
    NotAnEnvelope {
        /// The root element.
        position: Position,
        /// Its local name.
        found: String,
    },
    /// There is an `Envelope`, but in the namespace of no version of SOAP: what SOAP calls a version mismatch.
    #[error("{position}: expected the Envelope of SOAP 1.1 or 1.2, found one in the namespace {found:?}")]
    UnknownVersion {
        /// The root element.
        position: Position,
        /// Its namespace, empty for none.
        found: String,
    },
    /// The envelope has no `Body`.
    #[error("{position}: the SOAP Envelope has no Body")]
    NoBody {
        /// The envelope.
        position: Position,
    },
    /// The envelope has two of what it may have once.
    #[error("{position}: the SOAP Envelope has a second {element}")]
    Repeated {
        /// The second one.
        position: Position,
        /// `Header` or `Body`.
        element: &'static str,
    },
}
