//! Requests that a proxy before the server may have understood differently.
//!
//! Owns what is refused although the listener could read it. Whoever gets a proxy and a server to disagree about whom a
//! request is for, or where it ends, can hide a request from the one in the other's body. It must not know how requests are
//! read from connections.

use http::request::Parts;
use http::{StatusCode, Version, header};

use crate::failure::Failure;

/// Why the request can't be answered, if it can't.
pub(crate) fn ambiguity(request: &Parts) -> Option<Failure> {
    let headers = &request.headers;
    if let Some(text) = misaddressed(request) {
        return Some(Failure::unreadable(StatusCode::BAD_REQUEST, text));
    }
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).into_iter();
    let is_chunked = codings.next()?.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    if is_chunked && codings.next().is_none() {
        return None;
    }
    // RFC 9112, section 6.1: nothing else is understood here, not even chunks in chunks.
    Some(Failure::unreadable(StatusCode::NOT_IMPLEMENTED, "Of transfer codings only chunked is understood"))
}

/// What is wrong with the Host header by RFC 9112, section 3.2, and with what else names the server. Version 1.0 did not know the
/// header, and HTTP/2 has a field of its own for what it says (RFC 9113, section 8.3.1).
fn misaddressed(request: &Parts) -> Option<&'static str> {
    let authority = request.uri.authority().map(|authority| authority.as_str().as_bytes());
    if authority.is_some_and(|authority| !is_host(authority)) {
        return Some(
            "The URL has more than a name or an address with an optional port, such as `localhost:17010`",
        );
    }
    let mut hosts = request.headers.get_all(header::HOST).into_iter();
    let Some(host) = hosts.next() else {
        return (request.version == Version::HTTP_11).then_some(
            "There is no Host header, which HTTP/1.1 requires: send one with the name and port of the server",
        );
    };
    if hosts.next().is_some() {
        return Some("There is more than one Host header: send one");
    }
    if !is_host(host.as_bytes()) {
        return Some(
            "The Host header is not a name or an address with an optional port, such as `localhost:17010`",
        );
    }
    let contradicts =
        |authority| !without_port(authority).eq_ignore_ascii_case(without_port(host.as_bytes()));
    authority.is_some_and(contradicts).then_some("The Host header and the URL name different servers")
}

/// Without a port that says no more than the scheme.
fn without_port(host: &[u8]) -> &[u8] {
    let stripped = [&b":80"[..], b":443", b":"].into_iter().find_map(|port| host.strip_suffix(port));
    stripped.unwrap_or(host)
}

/// Whether this is `uri-host [ ":" port ]` of RFC 9110, section 7.2. The host may be empty.
fn is_host(text: &[u8]) -> bool {
    let (host, port) = match text.strip_prefix(b"[") {
        Some(literal) => {
            let Some(end) = literal.iter().position(|byte| *byte == b']') else { return false };
            if end == 0 || !literal[..end].iter().all(|byte| is_of_name(*byte) || *byte == b':') {
                return false;
            }
            (&[][..], &literal[end + 1..])
        }
        None => text.split_at(text.iter().position(|byte| *byte == b':').unwrap_or(text.len())),
    };
    let is_port = match port {
        [] => true,
        [colon, digits @ ..] => *colon == b':' && digits.iter().all(u8::is_ascii_digit),
    };
    is_port && host.iter().all(|byte| is_of_name(*byte))
}

/// Whether a byte can be part of a name: unreserved, a delimiter or percent-encoded (RFC 3986, section 3.2.2).
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[track_caller]
    fn check_version(version: Version, headers: &[(&str, &[u8])], expected: impl Into<Option<u16>>) {
        let request = Request::post("/").version(version);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let (parts, ()) = request.body(()).unwrap().into_parts();
        let found = ambiguity(&parts).map(|failure| {
            let (name, value) = failure.header().unwrap();
            assert_eq!((name, value.to_str().unwrap()), (header::CONNECTION, "close"));
            failure.status.as_u16()
        });
        assert_eq!(found, expected.into(), "{version:?} {headers:?}");
    }

    #[track_caller]
    fn check(headers: &[(&str, &str)], expected: impl Into<Option<u16>>) {
        let headers = headers.iter().map(|(name, value)| (*name, value.as_bytes()));
        let headers: Vec<_> = [("host", &b"a"[..])].into_iter().chain(headers).collect();
        check_version(Version::HTTP_11, &headers, expected);
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        check(&[], None);
        check(&[("transfer-encoding", "chunked")], None);
        check(&[("transfer-encoding", " Chunked ")], None);
        check(&[("host", "a")], 400);
        check(&[("transfer-encoding", "gzip, chunked")], 501);
        check(&[("transfer-encoding", "chunked"), ("transfer-encoding", "chunked")], 501);
        check(&[("transfer-encoding", "chunked, chunked")], 501);
        check(&[("transfer-encoding", "")], 501);
    }

    #[test]
    fn requests_say_whom_they_are_for() {
        check_version(Version::HTTP_11, &[], 400);
        for version in [Version::HTTP_10, Version::HTTP_2] {
            check_version(version, &[], None);
            check_version(version, &[("host", b"a/b")], 400);
        }
        for host in [
            "",
            "a",
            "a:",
            "a:80",
            "esb.example.com:17010",
            "my_host",
            "a%20b",
            "127.0.0.1",
            "[::1]",
            "[::1]:80",
            "[v1.a:b]",
            ":80",
        ] {
            check_version(Version::HTTP_11, &[("host", host.as_bytes())], None);
        }
        for host in [
            "a b", "a/b", "a:b", "a:80:80", "a:-1", "user@a", "http://a", "a?b", "a#b", "[::1", "::1", "[]",
            "[a]b", "[::1]80", "a,b/c", "a\\b", "<a>", "ż",
        ] {
            check_version(Version::HTTP_11, &[("host", host.as_bytes())], 400);
        }
        check_version(Version::HTTP_11, &[("host", b"a\xff")], 400);
    }

    #[test]
    fn a_url_names_the_same_server() {
        let refused = |url: &str, host: Option<&str>| {
            let request = Request::get(url).version(Version::HTTP_2);
            let request = host.into_iter().fold(request, |request, host| request.header("host", host));
            ambiguity(&request.body(()).unwrap().into_parts().0).is_some()
        };
        for (url, host) in [
            ("http://a/", None),
            ("http://a:8080/", Some("A:8080")),
            ("https://a:443/", Some("a")),
            ("http://a/", Some("a:80")),
            ("http://[::1]:8080/", Some("[::1]:8080")),
        ] {
            assert!(!refused(url, host), "{url} {host:?}");
        }
        for (url, host) in [
            ("http://user@a/", None),
            ("http://a/", Some("b")),
            ("http://a/", Some("")),
            ("http://a:8080/", Some("a:8081")),
            ("http://a:8080/", Some("a")),
        ] {
            assert!(refused(url, host), "{url} {host:?}");
        }
    }
}
