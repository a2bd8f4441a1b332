//! What lists and replies say of a certificate.
//!
//! Owns that text. It must not know who is to be verified with the certificate, and never has a key in it.

use x509_parser::oid_registry::OidRegistry;
use x509_parser::pem::Pem;
use x509_parser::prelude::X509Certificate;
use x509_parser::public_key::PublicKey;
use zato_service::Error;

/// The subject of the first certificate in a PEM text, its parts sorted by their keys: `C=DE; CN=My CA; O=Example`.
///
/// # Errors
/// There is no certificate in it, or one that can't be read.
pub(crate) fn subject(pem: &str) -> Result<String, Error> {
    with_certificate(pem, |certificate| parts(certificate).join("; "))
}

/// What [`subject`] says, after the type and the size of the certificate's key: `RSA; 2048 bits; CN=x`.
///
/// # Errors
/// Those of [`subject`].
pub(crate) fn key_and_subject(pem: &str) -> Result<String, Error> {
    with_certificate(pem, |certificate| {
        let key = certificate.public_key();
        let (name, bits) = match key.parsed() {
            Ok(PublicKey::RSA(key)) => ("RSA", key.key_size()),
            Ok(PublicKey::EC(point)) => ("EC", point.key_size()),
            Ok(PublicKey::DSA(key)) => ("DSA", key.len() * 8),
            // Ed25519 and the like are as long as they are.
            _ => ("EdDSA", key.subject_public_key.data.len() * 8),
        };
        let mut said = vec![name.to_owned(), format!("{bits} bits")];
        said.extend(parts(certificate));
        said.join("; ")
    })
}

fn with_certificate(
    pem: &str,
    describe: impl FnOnce(&X509Certificate<'_>) -> String,
) -> Result<String, Error> {
    for block in Pem::iter_from_buffer(pem.as_bytes()) {
        let block = block.map_err(|error| invalid("it is not in PEM form").with_source(error.to_string()))?;
        if block.label == "CERTIFICATE" {
            let certificate = block.parse_x509();
            let certificate = certificate
                .map_err(|error| invalid("its certificate can't be read").with_source(error.to_string()))?;
            return Ok(describe(&certificate));
        }
    }
    Err(invalid("there is no certificate in it"))
}

fn invalid(problem: &str) -> Error {
    Error::bad_request(format!("value is invalid: {problem}"))
}

fn parts(certificate: &X509Certificate<'_>) -> Vec<String> {
    let registry = OidRegistry::default().with_x509();
    let mut parts: Vec<String> = certificate
        .subject()
        .iter_attributes()
        .map(|part| {
            let oid = part.attr_type();
            let key = x509_parser::objects::oid2abbrev(oid, &registry);
            let key = key.map_or_else(|_| oid.to_id_string(), str::to_owned);
            let value = part.as_str().map_or_else(|_| hex(part.as_slice()), str::to_owned);
            format!("{key}={value}")
        })
        .collect();
    parts.sort();
    parts
}

/// A value that is no text.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair};

    use super::*;

    fn pair() -> String {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        for (kind, value) in [
            (DnType::OrganizationName, "Example"),
            (DnType::CommonName, "My CA"),
            (DnType::CountryName, "DE"),
        ] {
            params.distinguished_name.push(kind, value);
        }
        let key = KeyPair::generate().unwrap();
        format!("{}{}", key.serialize_pem(), params.self_signed(&key).unwrap().pem())
    }

    #[test]
    fn subjects_are_sorted() {
        assert_eq!(subject(&pair()).unwrap(), "C=DE; CN=My CA; O=Example");
        assert_eq!(key_and_subject(&pair()).unwrap(), "EC; 256 bits; C=DE; CN=My CA; O=Example");
    }

    #[test]
    fn what_has_no_certificate_is_refused() {
        let key = KeyPair::generate().unwrap().serialize_pem();
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (pem, problem) in [
            ("", "there is no certificate in it"),
            ("certificate", "there is no certificate in it"),
            (&*key, "there is no certificate in it"),
            (broken, "its certificate can't be read"),
            ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "it is not in PEM form"),
        ] {
            let error = subject(pem).unwrap_err();
            assert_eq!(error.message(), format!("value is invalid: {problem}"), "{pem}");
        }
    }
}
