//! Reads the URL of a proxy and the list of hosts that need none.
#![no_main]

use http::Uri;
use libfuzzer_sys::fuzz_target;
use zato_outgoing::{Origin, ProxyRules, ProxyServer};

fuzz_target!(|input: (&str, &str)| {
    let (url, exceptions) = input;
    let parsed = ProxyServer::parse(url.trim());
    let rules = ProxyRules::from_variables(|name| match name {
        "all_proxy" => Some(url.to_owned()),
        "no_proxy" => Some(exceptions.to_owned()),
        _ => None,
    });
    for origin in ["http://example.com/", "https://10.1.2.3:8443/", "http://[::1]/"] {
        let origin = Origin::of(&Uri::from_static(origin)).expect("it is absolute");
        // A proxy that is no proxy is never used.
        assert!(rules.server_for(&origin).is_none() || parsed.is_ok());
    }
});
