//! `zato.security.tls`: certificates.

use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::{Value, json};

use super::super::cases::Cases;
use super::objects::Objects;
use super::security_types::check_limits;
use crate::support::api::{outgoing, with};

/// A key and its certificate, and the certificate alone.
fn pair(name: &str) -> (String, String) {
    let mut params = CertificateParams::new(Vec::new()).expect("there are no names to be wrong");
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().expect("there are random numbers");
    let certificate = params.self_signed(&key).expect("the key signs").pem().replace("\r\n", "\n");
    (format!("{}{certificate}", key.serialize_pem().replace("\r\n", "\n")), certificate)
}

fn objects(family: &'static str, taken: &'static str, value: &str, other: &str) -> Objects {
    Objects {
        family,
        taken,
        object: json!({"cluster_id": 1, "name": "Certificate", "is_active": true, "value": value}),
        changes: json!({"is_active": false, "value": other}),
        shown: json!({}),
        hidden: &["cluster_id"],
    }
}

pub(super) fn ca_cert(cases: &mut Cases<'_>) {
    let ((_, one), (_, other)) = (pair("One"), pair("Other"));
    let objects = objects("zato.security.tls.ca-cert", "A TLS CA cert", &one, &other);
    let id = objects.check(cases);
    objects.refuses_each(cases, id, "value", &["", "none"].map(Value::from));
    let create = "zato.security.tls.ca-cert.create";
    let new = with(&objects.object, &json!({"name": "New"}));
    cases.item(create, &new, &json!({"name": "New", "info": "CN=One"}));

    // Connections go with whom they trust.
    let connection = with(&outgoing("CRM", "https://peer.example", "/"), &json!({"sec_tls_ca_cert_id": id}));
    let connection = cases.server.api().create_http(&connection);
    cases.nothing("zato.security.tls.ca-cert.delete", &json!({"id": id}));
    let gone = cases.server.api().call("zato.http-soap.ping", &json!({"id": connection}));
    assert_eq!(gone.status, 404);
}

pub(super) fn key_cert(cases: &mut Cases<'_>) {
    let ((one, certificate), (other, _)) = (pair("One"), pair("Other"));
    let objects = objects("zato.security.tls.key-cert", "A TLS key/cert pair", &one, &other);
    let id = objects.check(cases);
    objects.refuses_each(cases, id, "value", &[Value::from(certificate), "none".into()]);
    let create = "zato.security.tls.key-cert.create";
    let new = with(&objects.object, &json!({"name": "New", "password": "ignored"}));
    cases.item(create, &new, &json!({"name": "New", "info": "EC; 256 bits; CN=One"}));
}

pub(super) fn channel(cases: &mut Cases<'_>) {
    let family = "zato.security.tls.channel";
    let mut objects =
        objects(family, "A TLS channel security definition", "CN=partner", "CN=other\nO=Example");
    objects.changes = with(&objects.changes, &json!({"rate_limit": "10/m", "max_in_flight": 5}));
    let id = objects.check(cases);
    check_limits(cases, &objects, id);
    for (value, problem) in [
        ("", "No definition given"),
        ("partner", "Line `partner` has no '=' key/value separator"),
        ("=partner", "Key missing in line"),
        ("CN=", "Value missing in line"),
        ("COLOUR=red", "Key unknown in line"),
    ] {
        objects.refuses(cases, id, &json!({"value": value}), 400, &[problem]);
    }
}
