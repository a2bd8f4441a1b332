//! What a listener knows of a client beyond its address.
//!
//! Owns how a certificate reaches the channels, and what it says. It must not know how certificates are verified: whoever
//! accepts TLS connections has done that; nor which certificates may call what.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use time::OffsetDateTime;
use x509_parser::certificate::X509Certificate;
use x509_parser::parse_x509_certificate;
use x509_parser::x509::X509Name;

/// The certificate that a client proved to own when it connected. The listener puts it into the extensions of each of
/// the connection's requests; requests without one came without.
///
/// It is read once, when it is made; clones share everything.
#[derive(Clone)]
pub struct ClientCertificate(Arc<Certificate>);

struct Certificate {
    der: Box<[u8]>,
    /// From when to when it is valid, in seconds since 1970; absent if it can't be read, so that it says nothing either.
    validity: Option<RangeInclusive<i64>>,
    facts: Box<[(Fact, Box<str>)]>,
}

impl ClientCertificate {
    /// Takes the certificate as it was sent, in DER.
    #[must_use]
    pub fn new(der: &[u8]) -> Self {
        let certificate = parse_x509_certificate(der).ok().map(|(_, certificate)| certificate);
        let validity = certificate.as_ref().map(|certificate| {
            let validity = certificate.validity();
            validity.not_before.timestamp()..=validity.not_after.timestamp()
        });
        let facts = facts(der, certificate.as_ref());
        Self(Arc::new(Certificate { der: der.into(), validity, facts }))
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.0.der
    }

    /// Whether the certificate is valid at this moment. It was when its owner showed it, but connections last, and a client that comes
    /// back to its TLS session does not show it again.
    pub(crate) fn is_valid(&self, now: OffsetDateTime) -> bool {
        self.0.validity.as_ref().is_none_or(|validity| validity.contains(&now.unix_timestamp()))
    }

    /// Whether this is what the certificate says; of some facts it may have several.
    pub(crate) fn says(&self, fact: &Fact, value: &str) -> bool {
        self.0.facts.iter().any(|(known, said)| known == fact && **said == *value)
    }
}

impl fmt::Debug for ClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.facts.iter().map(|(fact, value)| (fact, value))).finish()
    }
}

/// What is said about whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// An attribute of the subject, by its object identifier.
    Subject(Box<str>),
    /// An attribute of the issuer, by its object identifier.
    Issuer(Box<str>),
    /// SHA-256 of the certificate, in hexadecimal digits of lower case.
    Fingerprint,
}

/// A text names nothing that certificates say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a certificate has no `{0}`; there are CN, O, OU, C, ST, L, STREET, DC, UID, EMAIL, SERIALNUMBER, object identifiers, each also with the prefix ISSUER_, and SHA256"
)]
pub struct UnknownFact(String);

/// The names of attributes, those of RFC 4519 and some more.
const NAMES: [(&str, &str); 12] = [
    ("CN", "2.5.4.3"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("C", "2.5.4.6"),
    ("ST", "2.5.4.8"),
    ("L", "2.5.4.7"),
    ("STREET", "2.5.4.9"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("EMAIL", "1.2.840.113549.1.9.1"),
    ("EMAILADDRESS", "1.2.840.113549.1.9.1"),
    ("SERIALNUMBER", "2.5.4.5"),
];

impl FromStr for Fact {
    type Err = UnknownFact;

    fn from_str(text: &str) -> Result<Self, UnknownFact> {
        let upper = text.to_ascii_uppercase();
        let attribute = |name: &str| {
            let is_identifier =
                name.contains('.') && name.split('.').all(|number| number.parse::<u64>().is_ok());
            let known = NAMES.iter().find(|(known, _)| *known == name).map(|(_, identifier)| *identifier);
            let found = known.or_else(|| is_identifier.then_some(name)).map(Box::from);
            found.ok_or_else(|| UnknownFact(text.to_owned()))
        };
        match upper.strip_prefix("ISSUER_") {
            _ if upper == "SHA256" => Ok(Self::Fingerprint),
            Some(name) => attribute(name).map(Self::Issuer),
            None => attribute(upper.strip_prefix("SUBJECT_").unwrap_or(&upper)).map(Self::Subject),
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (prefix, identifier) = match self {
            Self::Subject(identifier) => ("", identifier),
            Self::Issuer(identifier) => ("ISSUER_", identifier),
            Self::Fingerprint => return f.write_str("SHA256"),
        };
        let name =
            NAMES.iter().find(|(_, known)| **known == **identifier).map_or(&**identifier, |(name, _)| name);
        write!(f, "{prefix}{name}")
    }
}

/// What a certificate says; of one that can't be read only the fingerprint is known.
fn facts(der: &[u8], certificate: Option<&X509Certificate<'_>>) -> Box<[(Fact, Box<str>)]> {
    let hex = digest(&SHA256, der).as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut facts = vec![(Fact::Fingerprint, hex.into())];
    if let Some(certificate) = certificate {
        facts.extend(attributes(certificate.subject()).map(|(id, value)| (Fact::Subject(id), value)));
        facts.extend(attributes(certificate.issuer()).map(|(id, value)| (Fact::Issuer(id), value)));
    }
    facts.into()
}

/// The attributes of a name that are texts.
fn attributes(name: &X509Name<'_>) -> impl Iterator<Item = (Box<str>, Box<str>)> {
    name.iter_attributes().filter_map(|attribute| {
        Some((attribute.attr_type().to_id_string().into(), attribute.as_str().ok()?.into()))
    })
}
