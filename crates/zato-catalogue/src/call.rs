//! The traits that tie a typed request to its response and its descriptor. They must not know who handles a call.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Service;

/// A typed request of the public API; its response type and its descriptor come with it.
///
/// Implemented by the `Request` of every built service that has typed input and output, and by nothing else.
pub trait Call: Serialize + DeserializeOwned + Send + 'static {
    /// What the service answers: a struct, a `Vec` of items, or `()` if there is nothing but the envelope.
    type Response: Serialize + DeserializeOwned + Send + 'static;

    /// What the catalogue says about the service.
    const SERVICE: &'static Service;
}

/// A built service whose request or response is not made of elements: its handler takes or returns the message as
/// it is on the wire.
///
/// Implemented by the marker `Raw` of each such service, so that a handler can be demanded for it as for any other.
pub trait RawCall: Send + 'static {
    /// What the catalogue says about the service.
    const SERVICE: &'static Service;
}
