//! An authority, and certificates from it: good ones and others.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose,
    IsCa, KeyPair,
};
use time::{Duration, OffsetDateTime};

/// An authority that nobody but the tests knows.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key in PEM form.
pub(crate) struct Certified {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name = named("an authority of tests");
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// The authority's own certificate.
    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate of a server of this name.
    pub(crate) fn server(&self, host: &str) -> Certified {
        self.sign(&CertificateParams::new([host.to_owned()]).unwrap())
    }

    /// The same, valid until yesterday.
    pub(crate) fn expired(&self, host: &str) -> Certified {
        let mut params = CertificateParams::new([host.to_owned()]).unwrap();
        params.not_after = OffsetDateTime::now_utc() - Duration::days(1);
        self.sign(&params)
    }

    /// A certificate of a client of this name.
    pub(crate) fn client(&self, name: &str) -> Certified {
        let mut params = CertificateParams::default();
        params.distinguished_name = named(name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Certified {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        Certified { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// A certificate of a server which vouches for itself.
pub(crate) fn self_signed(host: &str) -> Certified {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new([host.to_owned()]).unwrap().self_signed(&key).unwrap();
    Certified { certificate: certificate.pem(), key: key.serialize_pem() }
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}
