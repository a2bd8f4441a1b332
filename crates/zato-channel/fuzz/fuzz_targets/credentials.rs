//! Whatever stands in the headers that carry credentials, only the right ones let somebody in.

#![no_main]

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use libfuzzer_sys::fuzz_target;
use zato_channel_fuzz::HOUSE;

/// A channel's path, the headers that it looks at, and whether these values let somebody in.
type Guarded = (&'static str, [&'static str; 2], fn(&[u8], &[u8]) -> bool);

const GUARDED: [Guarded; 5] = [
    // "user:pass" in base 64, with any padding and spacing.
    ("/basic", ["authorization", "x-other"], |value, _| {
        let (scheme, rest) = value.split_at_checked(6).unwrap_or_default();
        scheme.eq_ignore_ascii_case(b"basic ") && rest.trim_ascii().starts_with(b"dXNlcjpwYXNz")
    }),
    ("/apikey", ["x-api-key", "x-other"], |value, _| value == b"s3cret"),
    ("/account", ["x-zato-user", "x-zato-password"], |user, password| {
        user == b"account" && password == b"s3cret"
    }),
    // Nobody finds a signature by chance.
    ("/oauth", ["authorization", "content-type"], |_, _| false),
    ("/jwt", ["authorization", "x-other"], |_, _| false),
];

fuzz_target!(|data: (u8, &[u8], &[u8])| {
    let (place, first, second) = data;
    let (path, names, is_right) = GUARDED[usize::from(place) % GUARDED.len()];
    let mut request = Request::post(path).header("host", "localhost");
    for (name, value) in names.into_iter().zip([first, second]) {
        let Ok(value) = HeaderValue::from_bytes(value) else { return };
        request = request.header(name, value);
    }
    let request = request.body(Full::new(Bytes::from_static(b"{}"))).expect("a request");
    let response =
        HOUSE.runtime.block_on(HOUSE.dispatcher.dispatch(request, ([192, 0, 2, 1], 50_000).into()));
    match response.status() {
        StatusCode::OK => assert!(is_right(first, second), "somebody unknown was let in"),
        status => {
            assert_eq!(status, StatusCode::UNAUTHORIZED);
            assert!(response.headers().contains_key("www-authenticate"));
        }
    }
});
