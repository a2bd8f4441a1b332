//! TLS of the listener.
//!
//! Owns the certificates: reading them at the start, and again when their files change, so that renewed ones are in use
//! without a restart. It must not know what is sent over a connection.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ServerConfig, VerifierBuilderError, WebPkiClientVerifier};
use rustls::{RootCertStore, crypto};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::config::TlsConfig;

/// How long a client may take to agree on a connection.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// How often the files are looked at.
const CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Why certificates can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file can't be read.
    #[error("can't read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file does not hold what it has to.
    #[error("{} does not hold {wanted} in PEM", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What it has to hold.
        wanted: &'static str,
        /// What is wrong.
        source: pem::Error,
    },
    /// A file holds no certificate at all.
    #[error("{} holds no certificate", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// The certificate and the key don't belong together, or can't be used.
    #[error("can't use the certificate with its key")]
    Unusable(#[from] rustls::Error),
    /// The authorities of clients can't be used.
    #[error("can't use the authorities of clients' certificates")]
    ClientAuthorities(#[from] VerifierBuilderError),
}

/// What certificates are made of. Equal files need not be taken up again.
#[derive(PartialEq, Eq)]
pub(crate) struct Files {
    certificate: Vec<u8>,
    key: Vec<u8>,
    client_authorities: Option<Vec<u8>>,
}

/// Marks requests that came over TLS. It is in their extensions.
#[derive(Clone, Copy)]
pub(crate) struct OverTls;

/// Agrees with clients on TLS connections.
#[derive(Clone)]
pub(crate) struct Tls {
    files: TlsConfig,
    current: Arc<ArcSwap<ServerConfig>>,
}

impl Tls {
    /// Reads the certificates. What was read is what [`follow`](Self::follow) compares the files with.
    pub(crate) fn new(files: TlsConfig) -> Result<(Self, Files), TlsError> {
        let read = read(&files)?;
        let config = server_config(&files, &read)?;
        Ok((Self { files, current: Arc::new(ArcSwap::from_pointee(config)) }, read))
    }

    /// Makes a connection secure, with the certificates of this moment.
    pub(crate) async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(self.current.load_full());
        timeout(HANDSHAKE_TIMEOUT, acceptor.accept(stream)).await?
    }

    /// Takes up changed files until `stop` is cancelled. What can't be used is logged, and the certificates stay as they
    /// were.
    pub(crate) async fn follow(self, known: Files, stop: CancellationToken) {
        let mut known = Some(known);
        while stop.run_until_cancelled(tokio::time::sleep(CHECK_INTERVAL)).await.is_some() {
            let this = self.clone();
            // Certificates may live on a network file system.
            let Ok(found) = tokio::task::spawn_blocking(move || read(&this.files)).await else { continue };
            let found = match found {
                Ok(found) if known.as_ref() != Some(&found) => found,
                Ok(_) => continue,
                Err(error) => {
                    if known.take().is_some() {
                        tracing::error!(%error, cause = cause(&error), "the certificates stay as they were");
                    }
                    continue;
                }
            };
            match server_config(&self.files, &found) {
                Ok(config) => {
                    self.current.store(Arc::new(config));
                    tracing::info!(file = %self.files.certificate.display(), "took up changed certificates");
                }
                Err(error) => {
                    tracing::error!(%error, cause = cause(&error), "the certificates stay as they were");
                }
            }
            known = Some(found);
        }
    }
}

fn cause(error: &TlsError) -> String {
    std::error::Error::source(error).map(ToString::to_string).unwrap_or_default()
}

fn read(files: &TlsConfig) -> Result<Files, TlsError> {
    let read =
        |path: &PathBuf| std::fs::read(path).map_err(|source| TlsError::Read { path: path.clone(), source });
    Ok(Files {
        certificate: read(&files.certificate)?,
        key: read(&files.key)?,
        client_authorities: files.client_authorities.as_ref().map(read).transpose()?,
    })
}

fn server_config(files: &TlsConfig, content: &Files) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(crypto::ring::default_provider());
    let chain = certificates(&files.certificate, &content.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&content.key).map_err(|source| TlsError::Content {
        path: files.key.clone(),
        wanted: "a private key",
        source,
    })?;
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let builder = match files.client_authorities.as_ref().zip(content.client_authorities.as_ref()) {
        None => builder.with_no_client_auth(),
        Some((path, content)) => {
            let mut authorities = RootCertStore::empty();
            for certificate in certificates(path, content)? {
                authorities.add(certificate)?;
            }
            // Which channels want a certificate is the channels' business: a client without one is let in here.
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(authorities), provider)
                .allow_unauthenticated()
                .build()?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path, content: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(content)
        .collect::<Result<_, _>>()
        .map_err(|source| TlsError::Content { path: path.to_owned(), wanted: "certificates", source })?;
    if certificates.is_empty() {
        return Err(TlsError::NoCertificate { path: path.to_owned() });
    }
    Ok(certificates)
}
