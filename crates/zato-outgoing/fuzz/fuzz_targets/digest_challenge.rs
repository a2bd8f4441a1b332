//! Reads the value of a `WWW-Authenticate` header.
#![no_main]

use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue};
use libfuzzer_sys::fuzz_target;
use zato_outgoing::layers::digest::Challenge;

fuzz_target!(|text: &str| {
    let parsed = Challenge::parse(text);
    if let Ok(value) = HeaderValue::from_str(text) {
        let mut headers = HeaderMap::new();
        headers.insert(WWW_AUTHENTICATE, value);
        let strongest = Challenge::strongest(&headers);
        // A value that is not ASCII is not read as text, so that there may be no challenge, but never another one.
        assert!(strongest.is_none_or(|challenge| parsed.contains(&challenge)));
    }
});
