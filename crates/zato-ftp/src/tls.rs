//! Whom FTPS trusts.
//!
//! Owns the check of certificates, by authorities of the operating system and those that a definition adds, and the TLS
//! sessions that connections resume. It must not know sessions of FTP.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::version::TLS12;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio_rustls::TlsConnector;

use crate::ConfigError;

/// Servers want each data connection to resume the TLS session of the control connection, so that nobody else can take its
/// place. A session of TLS 1.2 can be resumed any number of times. One of TLS 1.3 needs a new ticket each time, and
/// after a few transfers there are none left: servers send few, and uploads end before those of their own are read.
const VERSIONS: &[&SupportedProtocolVersion] = &[&TLS12];

/// Made once for each definition.
pub(crate) fn connector(connection: &str, authorities: Option<&[u8]>) -> Result<TlsConnector, ConfigError> {
    let unusable = || ConfigError::Authorities { connection: connection.to_owned() };
    let mut roots = RootCertStore::empty();
    // Single certificates of the operating system that can't be read are of no interest here.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(pem) = authorities {
        let mut added = 0;
        for certificate in CertificateDer::pem_slice_iter(pem) {
            roots.add(certificate.map_err(|_| unusable())?).map_err(|_| unusable())?;
            added += 1;
        }
        if added == 0 {
            return Err(unusable());
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(VERSIONS)
        .map_err(|_| unusable())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
