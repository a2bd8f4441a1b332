//! Any request gets a response that HTTP allows, has a correlation id and, where it says so, is a document.

#![no_main]

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use libfuzzer_sys::fuzz_target;
use zato_channel_fuzz::HOUSE;
use zato_soap::Limits;

fuzz_target!(|data: &[u8]| {
    let Some(request) = request(data) else { return };
    let must_be_denied = request.uri().path() == "/basic" && !request.headers().contains_key("authorization");
    let peer = ([192, 0, 2, 1], 50_000).into();
    let response = HOUSE.runtime.block_on(HOUSE.dispatcher.dispatch(request, peer));
    let (parts, body) = response.into_parts();
    let body = HOUSE.runtime.block_on(body.collect()).expect("a body in memory").to_bytes();
    let cid = parts.headers["x-zato-cid"].to_str().expect("text");
    cid.parse::<zato_cid::Cid>().expect("a correlation id");
    assert!(!must_be_denied || parts.status != StatusCode::OK, "somebody unknown was let in");
    let Some(content_type) = parts.headers.get("content-type") else {
        // What there is to say about methods is in the headers.
        assert!(parts.status == StatusCode::NO_CONTENT && body.is_empty());
        return;
    };
    if content_type == "application/json" {
        serde_json::from_slice::<serde_json::Value>(&body).expect("JSON");
    } else if content_type.as_bytes().windows(3).any(|bytes| bytes == b"xml") {
        let body = std::str::from_utf8(&body).expect("UTF-8");
        // A reply may be larger than a request.
        let limits = Limits { max_bytes: usize::MAX, max_depth: 500, ..Limits::default() };
        zato_soap::parse(body, &limits).expect("XML");
    }
});

/// A request written like one of HTTP/1.1, with line feeds alone between the lines.
fn request(data: &[u8]) -> Option<Request<Full<Bytes>>> {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut words = lines.next()?.split(|byte| *byte == b' ');
    let mut request = Request::builder().method(words.next()?).uri(words.next()?);
    let mut read = data.iter().position(|byte| *byte == b'\n')? + 1;
    for line in lines {
        read += line.len() + 1;
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { break };
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        request = request.header(name, value);
    }
    let body = data.get(read..).unwrap_or_default();
    request.body(Full::new(Bytes::copy_from_slice(body))).ok()
}
