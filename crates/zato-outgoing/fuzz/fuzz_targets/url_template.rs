//! Any path: an error that points into it, or a template whose expansions are URL paths.
#![no_main]

use http::uri::PathAndQuery;
use libfuzzer_sys::fuzz_target;
use zato_outgoing::url::{ParseUrlTemplateError, PathParameterError, UrlTemplate};

fuzz_target!(|input: (&str, Vec<(String, String)>)| {
    let (path, mut params) = input;
    let template = match UrlTemplate::parse(path) {
        Ok(template) => template,
        Err(ParseUrlTemplateError::Unclosed { at } | ParseUrlTemplateError::Name { at }) => {
            assert_eq!(path.as_bytes()[at], b'{');
            return;
        }
        Err(ParseUrlTemplateError::Unopened { at }) => {
            assert_eq!(path.as_bytes()[at], b'}');
            return;
        }
        Err(ParseUrlTemplateError::Fragment { at }) => {
            assert_eq!(path.as_bytes()[at], b'#');
            return;
        }
        Err(_) => {
            assert!(!path.starts_with('/'));
            return;
        }
    };
    check(&template.unfilled());
    // Each round names one placeholder, so that there are as many rounds as placeholders.
    while let Err(PathParameterError::Missing { name }) = template.expand(&params) {
        assert!(template.has_placeholders());
        params.push((name, path.to_owned()));
    }
    if let Ok(url) = template.expand(&params) {
        check(&url);
    }
});

/// `http` takes at most 64 KiB.
fn check(url: &str) {
    assert!(url.len() > 65_534 || url.parse::<PathAndQuery>().is_ok(), "{url}");
}
