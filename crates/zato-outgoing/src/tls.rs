//! What TLS needs: whom to trust and how to say so.
//!
//! Owns the rustls configurations, each made once and shared by all connections which need the same. It opens nothing.

use std::fmt;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::sync::OnceCell;

use crate::error::Source;

/// TLS of one outgoing connection.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Tls {
    /// Which servers are trusted.
    pub verify: Verify,
}

/// Which servers are trusted.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Verify {
    /// Those whose certificate comes from an authority that the operating system trusts.
    #[default]
    OperatingSystem,
    /// Those whose certificate comes from one of these authorities: certificates in PEM form.
    CaBundle(Arc<[u8]>),
    /// All of them. Whoever sits in between can read and change everything, which is logged as a warning whenever such
    /// a connection is configured.
    Nothing,
}

impl fmt::Debug for Verify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OperatingSystem => f.write_str("OperatingSystem"),
            Self::CaBundle(pem) => write!(f, "CaBundle({} bytes)", pem.len()),
            Self::Nothing => f.write_str("Nothing"),
        }
    }
}

/// A PEM text that is no bundle of authorities.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CaBundleError {
    /// It is not PEM.
    #[error("it is not in PEM form")]
    Pem(#[source] Source),
    /// There is no certificate in it.
    #[error("there is no certificate in it")]
    Empty,
    /// One of its certificates cannot be used.
    #[error("one of its certificates cannot be an authority")]
    Certificate(#[source] Source),
    /// TLS itself could not be set up with it.
    #[error("TLS cannot be set up with it")]
    Setup(#[source] Source),
}

/// The TLS configurations which all connections of an environment share. Neither is made before it is needed.
#[derive(Debug, Default)]
pub(crate) struct SharedTls {
    operating_system: OnceCell<Arc<ClientConfig>>,
    nothing: OnceCell<Arc<ClientConfig>>,
}

/// Where a connector takes its TLS configuration from.
#[derive(Clone, Debug)]
pub(crate) enum TlsSource {
    /// The authorities of the operating system.
    OperatingSystem(Arc<SharedTls>),
    /// No verification.
    Nothing(Arc<SharedTls>),
    /// Made for one connection.
    Own(Arc<ClientConfig>),
}

impl TlsSource {
    pub(crate) fn new(tls: &Tls, shared: &Arc<SharedTls>) -> Result<Self, CaBundleError> {
        Ok(match &tls.verify {
            Verify::OperatingSystem => Self::OperatingSystem(Arc::clone(shared)),
            Verify::Nothing => Self::Nothing(Arc::clone(shared)),
            Verify::CaBundle(pem) => Self::Own(with_ca_bundle(pem)?),
        })
    }

    /// The configuration, made now if this is the first connection that needs it.
    pub(crate) async fn get(&self) -> Result<Arc<ClientConfig>, Source> {
        match self {
            Self::Own(config) => Ok(Arc::clone(config)),
            Self::OperatingSystem(shared) => {
                // The certificates are hundreds of files, which must not hold up the calls of other connections.
                let load = || async { tokio::task::spawn_blocking(with_native_roots).await? };
                shared.operating_system.get_or_try_init(load).await.cloned()
            }
            Self::Nothing(shared) => {
                shared.nothing.get_or_try_init(|| async { without_verification() }).await.cloned()
            }
        }
    }
}

fn with_ca_bundle(pem: &[u8]) -> Result<Arc<ClientConfig>, CaBundleError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| CaBundleError::Pem(error.into()))?;
        roots.add(certificate).map_err(|error| CaBundleError::Certificate(error.into()))?;
    }
    if roots.is_empty() {
        return Err(CaBundleError::Empty);
    }
    trusting(roots).map_err(CaBundleError::Setup)
}

fn with_native_roots() -> Result<Arc<ClientConfig>, Source> {
    let loaded = rustls_native_certs::load_native_certs();
    for error in &loaded.errors {
        tracing::warn!(%error, "a certificate authority of the operating system could not be loaded");
    }
    let mut roots = RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(loaded.certs);
    tracing::debug!(added, ignored, "loaded the certificate authorities of the operating system");
    trusting(roots)
}

fn trusting(roots: RootCertStore) -> Result<Arc<ClientConfig>, Source> {
    let provider = Arc::new(ring::default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build()?;
    verified_by(verifier, provider)
}

fn without_verification() -> Result<Arc<ClientConfig>, Source> {
    let provider = Arc::new(ring::default_provider());
    verified_by(Arc::new(TrustEverybody(Arc::clone(&provider))), provider)
}

fn verified_by(
    verifier: Arc<dyn ServerCertVerifier>,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<ClientConfig>, Source> {
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Accepts any certificate. The handshake's signatures are still checked, because a server that cannot sign is broken
/// rather than untrusted.
#[derive(Debug)]
struct TrustEverybody(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustEverybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate() -> String {
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert.pem()
    }

    #[track_caller]
    fn check(pem: &str, expected: Option<&str>) {
        let result = with_ca_bundle(pem.as_bytes());
        assert_eq!(result.err().map(|error| error.to_string()).as_deref(), expected);
    }

    #[test]
    fn bundles() {
        check(&certificate(), None);
        check(&(certificate() + &certificate()), None);
        check("", Some("there is no certificate in it"));
        check("-----BEGIN CERTIFICATE-----\nMIIB", Some("it is not in PEM form"));
        let not_a_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        check(not_a_certificate, Some("one of its certificates cannot be an authority"));
    }

    #[tokio::test]
    async fn the_shared_configurations_are_made_once() {
        let shared = Arc::new(SharedTls::default());
        for verify in [Verify::OperatingSystem, Verify::Nothing] {
            let source = TlsSource::new(&Tls { verify }, &shared).unwrap();
            let (first, second) = (source.get().await, source.get().await);
            // A machine without any authority is one on which no server can be verified: an error, not a panic.
            if let (Ok(first), Ok(second)) = (first, second) {
                assert!(Arc::ptr_eq(&first, &second));
            }
        }
    }
}
