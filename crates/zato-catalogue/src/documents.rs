//! The OpenAPI and WSDL documents, generated from the catalogue. They must not depend on the server that serves them,
//! save for the one address which WSDL wants to be absolute.

/// The OpenAPI 3.1 description of all built services, as JSON.
pub const OPENAPI: &str = include_str!("generated/openapi.json");

/// The WSDL 1.1 description of all built public services; its address is [`WSDL_ADDRESS`].
pub const WSDL: &str = include_str!("generated/zato.wsdl");

/// The address in [`WSDL`], to be replaced with that of the server.
pub const WSDL_ADDRESS: &str = "http://localhost/zato/soap";

/// The WSDL with the address that SOAP clients are to call, such as `https://example.com/zato/soap`.
#[must_use]
pub fn wsdl(address: &str) -> String {
    let mut escaped = String::with_capacity(address.len());
    for character in address.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    WSDL.replace(WSDL_ADDRESS, &escaped)
}
