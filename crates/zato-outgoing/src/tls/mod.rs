//! What TLS needs: whom to trust and how to say so.
//!
//! Owns the rustls configurations, each made once and shared by all connections which need the same. It opens nothing.

mod verifier;

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::client::{ResolvesClientCert, Resumption, WebPkiServerVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore, SignatureScheme};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use self::verifier::{Trust, Verifier};
use crate::error::Source;

/// TLS of one outgoing connection.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Tls {
    /// Which servers are trusted.
    pub verify: Verify,
    /// What this side says who it is, to servers that ask for a certificate.
    pub identity: Option<Identity>,
}

/// A client certificate and its key.
#[derive(Clone)]
pub struct Identity(Arc<Zeroizing<Vec<u8>>>);

impl Identity {
    /// A text in PEM form which has a private key and, in this order, its certificate and the certificates of the
    /// authorities in between, if there are any. It is looked at when the connection is configured.
    pub fn from_pem(pem: impl Into<Vec<u8>>) -> Self {
        Self(Arc::new(Zeroizing::new(pem.into())))
    }

    fn read(&self) -> Result<Arc<dyn ResolvesClientCert>, IdentityError> {
        let pem = |error: pem::Error| IdentityError::Pem(error.into());
        let certificates =
            CertificateDer::pem_slice_iter(&self.0).collect::<Result<Vec<_>, _>>().map_err(pem)?;
        if certificates.is_empty() {
            return Err(IdentityError::NoCertificate);
        }
        let key = match PrivateKeyDer::from_pem_slice(&self.0) {
            Ok(key) => key,
            Err(pem::Error::NoItemsFound) => return Err(IdentityError::NoKey),
            Err(error) => return Err(pem(error)),
        };
        let certified = CertifiedKey::from_der(certificates, key, &ring::default_provider())
            .map_err(|error| IdentityError::Mismatch(error.into()))?;
        Ok(Arc::new(SingleCertAndKey::from(certified)))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

/// A PEM text that is no client certificate with its key.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// It is not PEM.
    #[error("it is not in PEM form")]
    Pem(#[source] Source),
    /// There is no certificate in it.
    #[error("there is no certificate in it")]
    NoCertificate,
    /// There is no private key in it.
    #[error("there is no private key in it")]
    NoKey,
    /// The key is of a kind that cannot be used, or is not that of the certificate.
    #[error("its key cannot be used, or does not belong to its certificate")]
    Mismatch(#[source] Source),
    /// TLS itself could not be set up with it.
    #[error("TLS cannot be set up with it")]
    Setup(#[source] Source),
}

/// Why a connection's TLS cannot be set up.
pub(crate) enum TlsProblem {
    CaBundle(CaBundleError),
    Identity(IdentityError),
}

/// Which servers are trusted.
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Verify {
    /// Those whose certificate comes from an authority that the operating system trusts.
    #[default]
    OperatingSystem,
    /// Those whose certificate comes from one of these authorities, or is one of these certificates: certificates in PEM form.
    CaBundle(Arc<[u8]>),
    /// All of them. Whoever sits in between can read and change everything, which is logged as a warning whenever such
    /// a connection is configured, and when it first opens a TCP connection.
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

/// What the TLS of all connections of an environment shares. Nothing is made before it is needed.
#[derive(Debug, Default)]
pub(crate) struct SharedTls {
    roots: OnceCell<Arc<dyn ServerCertVerifier>>,
    operating_system: OnceCell<Arc<ClientConfig>>,
    nothing: OnceCell<Arc<ClientConfig>>,
}

impl SharedTls {
    /// The verifier with the authorities of the operating system.
    async fn roots(&self) -> Result<Arc<dyn ServerCertVerifier>, Source> {
        // The certificates are hundreds of files, which must not hold up the calls of other connections.
        let load = || async { tokio::task::spawn_blocking(native_roots).await? };
        self.roots.get_or_try_init(load).await.cloned()
    }
}

/// Where a connector takes its TLS configuration from.
#[derive(Clone, Debug)]
pub(crate) enum TlsSource {
    /// The authorities of the operating system.
    OperatingSystem(Arc<SharedTls>),
    /// The same, with a client certificate.
    Identified(Arc<SharedTls>, Arc<Identified>),
    /// No verification.
    Nothing(Arc<SharedTls>),
    /// No verification, with a client certificate.
    IdentifiedNothing(Arc<ClientConfig>),
    /// Made for one connection.
    Own(Arc<ClientConfig>),
}

/// The configuration of one connection, which is made when the authorities of the operating system have been loaded.
#[derive(Debug)]
pub(crate) struct Identified {
    identity: Arc<dyn ResolvesClientCert>,
    config: OnceCell<Arc<ClientConfig>>,
}

impl TlsSource {
    pub(crate) fn new(tls: &Tls, shared: &Arc<SharedTls>) -> Result<Self, TlsProblem> {
        let identity = tls.identity.as_ref().map(Identity::read).transpose().map_err(TlsProblem::Identity)?;
        Ok(match (&tls.verify, identity) {
            (Verify::OperatingSystem, None) => Self::OperatingSystem(Arc::clone(shared)),
            (Verify::OperatingSystem, Some(identity)) => {
                let identified = Identified { identity, config: OnceCell::new() };
                Self::Identified(Arc::clone(shared), Arc::new(identified))
            }
            (Verify::Nothing, None) => Self::Nothing(Arc::clone(shared)),
            (Verify::Nothing, Some(identity)) => {
                let setup = |error| TlsProblem::Identity(IdentityError::Setup(error));
                Self::IdentifiedNothing(without_verification(Some(identity)).map_err(setup)?)
            }
            (Verify::CaBundle(pem), identity) => {
                Self::Own(with_ca_bundle(pem, identity).map_err(TlsProblem::CaBundle)?)
            }
        })
    }

    /// Whether nothing is verified.
    pub(crate) fn trusts_everybody(&self) -> bool {
        matches!(self, Self::Nothing(_) | Self::IdentifiedNothing(_))
    }

    /// The configuration, made now if this is the first connection that needs it.
    pub(crate) async fn get(&self) -> Result<Arc<ClientConfig>, Source> {
        match self {
            Self::Own(config) | Self::IdentifiedNothing(config) => Ok(Arc::clone(config)),
            Self::OperatingSystem(shared) => {
                let make = || async { verified_by(shared.roots().await?, None) };
                shared.operating_system.get_or_try_init(make).await.cloned()
            }
            Self::Identified(shared, own) => {
                let make = || async { verified_by(shared.roots().await?, Some(Arc::clone(&own.identity))) };
                own.config.get_or_try_init(make).await.cloned()
            }
            Self::Nothing(shared) => {
                shared.nothing.get_or_try_init(|| async { without_verification(None) }).await.cloned()
            }
        }
    }
}

fn with_ca_bundle(
    pem: &[u8],
    identity: Option<Arc<dyn ResolvesClientCert>>,
) -> Result<Arc<ClientConfig>, CaBundleError> {
    let mut roots = RootCertStore::empty();
    let mut certificates = Vec::new();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| CaBundleError::Pem(error.into()))?;
        roots.add(certificate.clone()).map_err(|error| CaBundleError::Certificate(error.into()))?;
        certificates.push(certificate);
    }
    if roots.is_empty() {
        return Err(CaBundleError::Empty);
    }
    trusting(roots)
        .and_then(|authorities| {
            verified_by(Verifier::of(Trust::Bundle { authorities, certificates }), identity)
        })
        .map_err(CaBundleError::Setup)
}

fn native_roots() -> Result<Arc<dyn ServerCertVerifier>, Source> {
    let loaded = rustls_native_certs::load_native_certs();
    for error in &loaded.errors {
        tracing::warn!(%error, "a certificate authority of the operating system could not be loaded");
    }
    let mut roots = RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(loaded.certs);
    tracing::debug!(added, ignored, "loaded the certificate authorities of the operating system");
    trusting(roots)
}

fn trusting(roots: RootCertStore) -> Result<Arc<dyn ServerCertVerifier>, Source> {
    let provider = Arc::new(ring::default_provider());
    Ok(WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?)
}

fn without_verification(identity: Option<Arc<dyn ResolvesClientCert>>) -> Result<Arc<ClientConfig>, Source> {
    verified_by(Verifier::of(Trust::Everybody), identity)
}

fn verified_by(
    verifier: Arc<dyn ServerCertVerifier>,
    identity: Option<Arc<dyn ResolvesClientCert>>,
) -> Result<Arc<ClientConfig>, Source> {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match identity {
        Some(identity) => builder.with_client_cert_resolver(identity),
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The same TLS for those who speak HTTP/1.1 only.
pub(crate) fn of_http1(config: &ClientConfig) -> ClientConfig {
    let mut config = config.clone();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// TLS with a proxy, on the way to a server for which `config` is made: with the same authorities, but this side does not say who it
/// is, and HTTP/1.1 is spoken.
pub(crate) fn of_proxies(config: &ClientConfig) -> ClientConfig {
    let mut config = of_http1(config);
    config.client_auth_cert_resolver = Arc::new(Anonymous);
    // A session with the server, which may have the same name, is none with the proxy.
    config.resumption = Resumption::in_memory_sessions(16);
    config
}

/// Has no certificate to show.
#[derive(Debug)]
struct Anonymous;

impl ResolvesClientCert for Anonymous {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        None
    }

    fn has_certs(&self) -> bool {
        false
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
        let result = with_ca_bundle(pem.as_bytes(), None);
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

    #[track_caller]
    fn check_identity(pem: &str, expected: Option<&str>) {
        let result = Identity::from_pem(pem).read();
        assert_eq!(result.err().map(|error| error.to_string()).as_deref(), expected);
    }

    #[test]
    fn identities() {
        let made = || rcgen::generate_simple_self_signed(["client".to_owned()]).unwrap();
        let (own, another) = (made(), made());
        let (certificate, key) = (own.cert.pem(), own.signing_key.serialize_pem());
        check_identity(&(certificate.clone() + &key), None);
        check_identity(&(key.clone() + &certificate), None);
        check_identity(&key, Some("there is no certificate in it"));
        check_identity(&certificate, Some("there is no private key in it"));
        check_identity("-----BEGIN CERTIFICATE-----\nMIIB", Some("it is not in PEM form"));
        let mismatch = "its key cannot be used, or does not belong to its certificate";
        check_identity(&(certificate + &another.signing_key.serialize_pem()), Some(mismatch));
        assert_eq!(format!("{:?}", Identity::from_pem(key)), "Identity(..)");
    }

    #[tokio::test]
    async fn the_shared_configurations_are_made_once() {
        let shared = Arc::new(SharedTls::default());
        for verify in [Verify::OperatingSystem, Verify::Nothing] {
            let source = TlsSource::new(&Tls { verify, identity: None }, &shared).ok().unwrap();
            let (first, second) = (source.get().await, source.get().await);
            // A machine without any authority is one on which no server can be verified: an error, not a panic.
            if let (Ok(first), Ok(second)) = (first, second) {
                assert!(Arc::ptr_eq(&first, &second));
            }
        }
    }
}
