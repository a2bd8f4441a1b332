//! Requests that a proxy before the server may have understood differently.
//!
//! Owns what is refused although the listener could read it. Whoever gets a proxy and a server to disagree about whom a
//! request is for, or where it ends, can hide a request from the one in the other's body. It must not know how requests are
//! read from connections.

use http::request::Parts;
use http::{StatusCode, header};

use crate::failure::Failure;

/// Why the request can't be answered, if it can't.
pub(crate) fn ambiguity(request: &Parts) -> Option<Failure> {
    let headers = &request.headers;
    if headers.get_all(header::HOST).into_iter().nth(1).is_some() {
        // RFC 9112, section 3.2.
        return Some(Failure::unreadable(StatusCode::BAD_REQUEST, "There is more than one Host header"));
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).into_iter();
    let is_chunked = codings.next()?.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    if is_chunked && codings.next().is_none() {
        return None;
    }
    // RFC 9112, section 6.1: nothing else is understood here, not even chunks in chunks.
    Some(Failure::unreadable(StatusCode::NOT_IMPLEMENTED, "Of transfer codings only chunked is understood"))
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[track_caller]
    fn check(headers: &[(&str, &str)], expected: impl Into<Option<u16>>) {
        let request =
            headers.iter().fold(Request::post("/"), |request, (name, value)| request.header(*name, *value));
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let found = ambiguity(&parts).map(|failure| {
            let (name, value) = failure.header().unwrap();
            assert_eq!((name, value.to_str().unwrap()), (header::CONNECTION, "close"));
            failure.status.as_u16()
        });
        assert_eq!(found, expected.into(), "{headers:?}");
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        check(&[], None);
        check(&[("host", "a"), ("transfer-encoding", "chunked")], None);
        check(&[("transfer-encoding", " Chunked ")], None);
        check(&[("host", "a"), ("host", "a")], 400);
        check(&[("transfer-encoding", "gzip, chunked")], 501);
        check(&[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], 501);
        check(&[("transfer-encoding", "chunked, chunked")], 501);
        check(&[("transfer-encoding", "")], 501);
    }
}
