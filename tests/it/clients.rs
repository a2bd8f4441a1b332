//! Real clients, unmodified: what they see is what users of the public API see.

use serde_json::json;

use crate::example;
use crate::support::api::{soap_channel, with};
use crate::support::{Server, python};

#[test]
fn zato_client_for_python() {
    python::run("zato_client.py", &Server::start(), &[]);
}

#[test]
fn zeep_reads_the_wsdl() {
    python::run("zeep_client.py", &Server::start(), &[]);
}

#[test]
fn a_validator_accepts_the_openapi_document() {
    python::run("openapi.py", &Server::start(), &[]);
}

#[test]
fn prometheus_reads_the_metrics() {
    python::run("metrics.py", &Server::start(), &[]);
}

/// The one WS-Security definition has a random password. Sent to another system it can be read, and then be used.
#[test]
fn zeep_signs_with_a_username_token() {
    let server = example::start();
    let (definition, username, password) = example::username_token(&server);
    let channel = soap_channel("Signed", "/signed", "zato.ping", "zato.ping");
    server.api().create_http(&with(&channel, &json!({"security_id": definition})));
    let variables = [("ZATO_WSSE_USERNAME", username.as_str()), ("ZATO_WSSE_PASSWORD", &password)];
    python::run("wsse_client.py", &server, &variables);
}
