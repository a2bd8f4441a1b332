//! What is told about a call once it has ended.
//!
//! Owns the facts of a finished call as logs need them. It must not know where they are written.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, Version, header};
use zato_cid::Cid;

/// How many characters of a caller's correlation id are logged.
const MAXIMUM_CALLER_CID: usize = 100;

/// A sink for finished calls.
pub trait AccessLog: Send + Sync {
    /// Takes note of a call. Runs on the call path, before the reply leaves: it should queue the entry and return.
    fn record(&self, entry: &AccessEntry<'_>);
}

/// A finished call.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AccessEntry<'a> {
    /// The call's correlation id.
    pub cid: Cid,
    /// The address that the call came from, as far as trusted proxies tell. The port is 0 if they don't tell it.
    pub client: SocketAddr,
    /// The channel's name, if the call found one.
    pub channel: Option<&'a str>,
    /// The request's method.
    pub method: &'a Method,
    /// The request's path as it was sent. A query may have secrets in it.
    pub path: &'a str,
    /// The request's version of HTTP.
    pub version: Version,
    /// The reply's status.
    pub status: StatusCode,
    /// The length of the reply's body in bytes.
    pub size: usize,
    /// The time from the request's headers to the reply.
    pub elapsed: Duration,
    /// The request's `User-Agent`, if it is text.
    pub user_agent: Option<&'a str>,
}

impl<'a> AccessEntry<'a> {
    pub(crate) fn new(
        cid: Cid,
        client: SocketAddr,
        request: &'a Parts,
        channel: Option<&'a str>,
        (status, size): (StatusCode, usize),
        elapsed: Duration,
    ) -> Self {
        let text = |value: &'a http::HeaderValue| value.to_str().ok();
        Self {
            cid,
            client,
            channel,
            method: &request.method,
            path: request.uri.path(),
            version: request.version,
            status,
            size,
            elapsed,
            user_agent: request.headers.get(header::USER_AGENT).and_then(text),
        }
    }
}

/// The correlation id that a caller sent: another system's, so it is only logged, and only as much of it as can't
/// harm a log.
pub(crate) fn caller_cid(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let sent = headers.get("x-zato-cid").or_else(|| headers.get("x_zato_cid"))?;
    let text = String::from_utf8_lossy(sent.as_bytes());
    let is_harmless = |c: char| c.is_ascii_graphic();
    if text.len() <= MAXIMUM_CALLER_CID && text.chars().all(is_harmless) {
        return Some(text);
    }
    let replaced = text.chars().take(MAXIMUM_CALLER_CID).map(|c| if is_harmless(c) { c } else { '?' });
    Some(Cow::Owned(replaced.collect()))
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[track_caller]
    fn check(name: &'static str, value: &[u8], expected: &str) {
        let header = (HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap());
        assert_eq!(caller_cid(&HeaderMap::from_iter([header])).as_deref(), Some(expected));
    }

    #[test]
    fn a_callers_cid_is_cut_and_cleaned() {
        check("x-zato-cid", b"K0123", "K0123");
        check("x_zato_cid", b"K0123", "K0123");
        check("x-zato-cid", b"a b\tc\xFF", "a?b?c?");
        check("x-zato-cid", &[b'9'; 200], &"9".repeat(100));
        assert_eq!(caller_cid(&HeaderMap::new()), None);
    }
}
