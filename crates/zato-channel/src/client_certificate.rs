//! What a listener knows of a client beyond its address.
//!
//! Owns how a certificate reaches the channels. It must not know how certificates are checked: whoever accepts TLS
//! connections has done that.

use std::sync::Arc;

/// The certificate that a client proved to own when it connected. The listener puts it into the extensions of each of
/// the connection's requests; requests without one came without.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate(Arc<[u8]>);

impl ClientCertificate {
    /// Takes the certificate as it was sent, in DER.
    #[must_use]
    pub fn new(der: &[u8]) -> Self {
        Self(Arc::from(der))
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0
    }
}
