//! Keeps an arbitrary cookie of a reply, and looks to whom it is sent.
#![no_main]

use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, Uri};
use libfuzzer_sys::fuzz_target;
use zato_outgoing::layers::cookies::CookieJar;

fuzz_target!(|cookie: &[u8]| {
    let Ok(cookie) = HeaderValue::from_bytes(cookie) else { return };
    let jar = CookieJar::default();
    let url = Uri::from_static("http://www.example.com/a/b");
    jar.store(&url, &HeaderMap::from_iter([(SET_COOKIE, cookie)]));
    assert!(jar.len() <= 1);
    if let Some(sent) = jar.header(&url) {
        assert!(!jar.is_empty());
        assert!(sent.is_sensitive() && std::str::from_utf8(sent.as_bytes()).is_ok());
    }
    // Not even by a domain that both end in.
    for other in ["http://example.org/a/b", "http://www.example.org/a/b", "http://com/a/b"] {
        assert_eq!(jar.header(&Uri::from_static(other)), None);
    }
});
