//! Real clients, unmodified: what they see is what users of the public API see.

use crate::support::{Server, python};

#[test]
fn zato_client_for_python() {
    python::run("zato_client.py", &Server::start());
}

#[test]
fn zeep_reads_the_wsdl() {
    python::run("zeep_client.py", &Server::start());
}

#[test]
fn a_validator_accepts_the_openapi_document() {
    python::run("openapi.py", &Server::start());
}
