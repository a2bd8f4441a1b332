//! Which servers are trusted where the library's own verifier is not enough.
//!
//! Owns what is asked of a server's certificate. It must not know where authorities come from.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};

/// Whom to trust.
#[derive(Debug)]
pub(super) enum Trust {
    /// The authorities of a bundle, and also a server which is in the bundle itself.
    ///
    /// `openssl req -x509` makes certificates which are authorities and belong to a server at once. The library verifies no server
    /// by such a one, and whoever has only this certificate to give has nothing better.
    Bundle {
        /// The library's verifier.
        authorities: Arc<dyn ServerCertVerifier>,
        /// All certificates of the bundle.
        certificates: Vec<CertificateDer<'static>>,
    },
    /// Whoever answers.
    Everybody,
}

/// Verifies servers. The handshake's signatures are always checked, because a server that cannot sign is broken rather than
/// untrusted.
#[derive(Debug)]
pub(super) struct Verifier {
    provider: CryptoProvider,
    trust: Trust,
}

impl Verifier {
    pub(super) fn of(trust: Trust) -> Arc<Self> {
        Arc::new(Self { provider: ring::default_provider(), trust })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Trust::Bundle { authorities, certificates } = &self.trust else {
            return Ok(ServerCertVerified::assertion());
        };
        match authorities.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now) {
            Err(error) if is_authority(&error) && certificates.contains(end_entity) => {
                verify_validity(end_entity, now)?;
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, cert, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, cert, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Whether a certificate was refused for no other reason than that it is one of an authority.
fn is_authority(error: &rustls::Error) -> bool {
    // The type of the cause is that of a library below rustls, whose text is the cause's name.
    matches!(error, rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause)))
        if cause.to_string() == "CaUsedAsEndEntity")
}

fn verify_validity(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), rustls::Error> {
    let (_, parsed) =
        x509_parser::parse_x509_certificate(certificate).map_err(|_| CertificateError::BadEncoding)?;
    let validity = parsed.validity();
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    if now < validity.not_before.timestamp() {
        return Err(CertificateError::NotValidYet.into());
    }
    if now > validity.not_after.timestamp() {
        return Err(CertificateError::Expired.into());
    }
    Ok(())
}
