//! Callers who are known by the certificate of their TLS connection.
//!
//! Owns the rules that a certificate must satisfy. It must not know how certificates are read or verified.

use std::str::FromStr;

use time::OffsetDateTime;

use crate::client_certificate::{ClientCertificate, Fact, UnknownFact};

use super::denied::Denied;

/// What a client's certificate must say: a line `key=value` for each fact.
///
/// Keys are `CN`, `O`, `OU`, `C`, `ST`, `L`, `STREET`, `DC`, `UID`, `EMAIL`, `SERIALNUMBER` and object identifiers such as
/// `2.5.4.3`, of the certificate's subject, or with the prefix `ISSUER_` of its issuer; and `SHA256`, the certificate's
/// fingerprint in hexadecimal digits. Their case doesn't matter; that of values does. Spaces around a line or around its first
/// `=` don't count, and empty lines are skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRules(Box<[(Fact, Box<str>)]>);

/// Why a text is no list of rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateRuleError {
    /// Nothing would be checked, so anybody with a certificate would be let in.
    #[error("No definition given")]
    Empty,
    /// A line is not `key=value`.
    #[error("Line `{line}` has no '=' key/value separator")]
    Separator {
        /// The line.
        line: String,
    },
    /// Nothing stands before the `=`.
    #[error("Key missing in line `{line}`")]
    Key {
        /// The line.
        line: String,
    },
    /// Nothing stands behind the `=`.
    #[error("Value missing in line `{line}`")]
    Value {
        /// The line.
        line: String,
    },
    /// The key names nothing that certificates say.
    #[error("Key unknown in line `{line}`: {reason}")]
    Unknown {
        /// The line.
        line: String,
        /// What is wrong.
        reason: UnknownFact,
    },
}

impl FromStr for CertificateRules {
    type Err = CertificateRuleError;

    fn from_str(text: &str) -> Result<Self, CertificateRuleError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let rules = lines.map(|line| {
            let (key, value) = line
                .split_once('=')
                .map(|(key, value)| (key.trim(), value.trim()))
                .ok_or_else(|| CertificateRuleError::Separator { line: line.to_owned() })?;
            if key.is_empty() {
                return Err(CertificateRuleError::Key { line: line.to_owned() });
            }
            if value.is_empty() {
                return Err(CertificateRuleError::Value { line: line.to_owned() });
            }
            let fact: Fact = key
                .parse()
                .map_err(|reason| CertificateRuleError::Unknown { line: line.to_owned(), reason })?;
            let value = if fact == Fact::Fingerprint { fingerprint(value) } else { value.into() };
            Ok((fact, value))
        });
        let rules: Box<[_]> = rules.collect::<Result<_, _>>()?;
        if rules.is_empty() { Err(CertificateRuleError::Empty) } else { Ok(Self(rules)) }
    }
}

/// Tools write fingerprints in upper or lower case, with or without colons.
fn fingerprint(text: &str) -> Box<str> {
    text.chars().filter(|c| *c != ':').map(|c| c.to_ascii_lowercase()).collect()
}

impl CertificateRules {
    pub(super) fn check(
        &self,
        certificate: Option<&ClientCertificate>,
        now: OffsetDateTime,
    ) -> Result<(), Denied> {
        let certificate = certificate.ok_or(Denied::NoCertificate)?;
        if !certificate.is_valid(now) {
            return Err(Denied::Stale);
        }
        match self.0.iter().find(|(fact, value)| !certificate.says(fact, value)) {
            None => Ok(()),
            Some((fact, _)) => Err(Denied::Certificate(fact.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
    use ring::digest::{SHA256, digest};
    use time::macros::datetime;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);

    fn certificate() -> ClientCertificate {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "Crédit = CRM");
        params.distinguished_name.push(DnType::OrganizationName, "Example");
        params.distinguished_name.push(DnType::CountryName, "DE");
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        ClientCertificate::new(certificate.der())
    }

    #[track_caller]
    fn check(rules: &str, expected: impl Into<Option<Denied>>) {
        let rules: CertificateRules = rules.parse().unwrap();
        assert_eq!(rules.check(Some(&certificate()), NOW).err(), expected.into(), "{rules:?}");
    }

    #[test]
    fn certificates_satisfy_all_rules_or_none() {
        let denied = |fact: &str| Denied::Certificate(fact.to_owned());
        check("CN=Crédit = CRM", None);
        check("\r\n  cn = Crédit = CRM \r\n\r\nO=Example\nC=DE\n", None);
        check("2.5.4.10=Example\nISSUER_O=Example", None);
        check("O=example", denied("O"));
        check("O=Example\nCN=ERP", denied("CN"));
        check("OU=Example", denied("OU"));
        check("ISSUER_CN=Example CA", denied("ISSUER_CN"));
        check("1.2.3.4=Example", denied("1.2.3.4"));
        assert_eq!(
            "O=Example".parse::<CertificateRules>().unwrap().check(None, NOW),
            Err(Denied::NoCertificate)
        );
        let unreadable = ClientCertificate::new(b"\x30\x03abc");
        let rules: CertificateRules = "O=Example".parse().unwrap();
        assert_eq!(rules.check(Some(&unreadable), NOW), Err(denied("O")));
    }

    #[test]
    fn certificates_are_valid_for_a_time() {
        let rules: CertificateRules = "CN=CRM".parse().unwrap();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "CRM");
        (params.not_before, params.not_after) =
            (datetime!(2026-11-23 11:00 UTC), datetime!(2026-11-23 13:00 UTC));
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let certificate = ClientCertificate::new(certificate.der());
        for (minutes, expected) in
            [(0, Ok(())), (-60, Ok(())), (60, Ok(())), (-61, Err(Denied::Stale)), (61, Err(Denied::Stale))]
        {
            let now = NOW + time::Duration::minutes(minutes);
            assert_eq!(rules.check(Some(&certificate), now), expected, "{minutes} minutes");
        }
    }

    #[test]
    fn a_certificate_can_be_named_by_its_fingerprint() {
        let certificate = certificate();
        let digest = digest(&SHA256, certificate.der());
        let hex: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        for fingerprint in [hex.join(":"), hex.concat().to_lowercase()] {
            let rules: CertificateRules = format!("sha256={fingerprint}").parse().unwrap();
            assert_eq!(rules.check(Some(&certificate), NOW), Ok(()));
        }
        let rules: CertificateRules = "SHA256=00".parse().unwrap();
        assert_eq!(rules.check(Some(&certificate), NOW), Err(Denied::Certificate("SHA256".to_owned())));
    }

    #[track_caller]
    fn check_error(rules: &str, expected: &str) {
        assert_eq!(rules.parse::<CertificateRules>().unwrap_err().to_string(), expected);
    }

    #[test]
    fn what_is_no_rule() {
        check_error("", "No definition given");
        check_error(" \n\n", "No definition given");
        check_error("CN=a\nOU", "Line `OU` has no '=' key/value separator");
        check_error("=a", "Key missing in line `=a`");
        check_error("CN= ", "Value missing in line `CN=`");
        check_error(
            "CNN=a",
            "Key unknown in line `CNN=a`: a certificate has no `CNN`; there are CN, O, OU, C, ST, L, STREET, DC, UID, EMAIL, \
             SERIALNUMBER, object identifiers, each also with the prefix ISSUER_, and SHA256",
        );
    }
}
