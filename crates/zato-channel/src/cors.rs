//! Which web pages may call a channel.
//!
//! Owns the answers that browsers ask for (the Fetch standard, section 3.2, "CORS protocol"). It must not know what a
//! call does: a browser's question is answered without asking the caller for credentials, since none are sent with it.

use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

/// For how many seconds a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// What a page may do with a channel that accepts every method.
const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE");

/// The origins whose pages may call a channel: `*` for all of them, or a list such as
/// `https://app.example.com, https://admin.example.com:8443`.
///
/// Pages of listed origins may send credentials. With `*` they may not, as the Fetch standard has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins(Allowed);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Allowed {
    Any,
    Listed(Arc<[HeaderValue]>),
}

/// A text is no list of origins.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("[{0}] is no origin; one is a scheme and a host, such as https://app.example.com, without a path")]
pub struct InvalidOrigin(String);

impl FromStr for Origins {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        if text.trim() == "*" {
            return Ok(Self(Allowed::Any));
        }
        let words = text.split([',', ' ', '\n']).map(str::trim).filter(|word| !word.is_empty());
        let origins: Vec<_> = words.map(origin).collect::<Result<_, _>>()?;
        if origins.is_empty() {
            return Err(InvalidOrigin(text.to_owned()));
        }
        Ok(Self(Allowed::Listed(origins.into())))
    }
}

fn origin(word: &str) -> Result<HeaderValue, InvalidOrigin> {
    let invalid = || InvalidOrigin(word.to_owned());
    // Browsers write origins in lower case, and no port where it is the scheme's own one.
    let word = word.to_ascii_lowercase();
    let (scheme, host) = word.split_once("://").ok_or_else(invalid)?;
    let default_port = match scheme {
        "http" => 80,
        "https" => 443,
        _ => return Err(invalid()),
    };
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    let authority: Authority = host.parse().map_err(|_| invalid())?;
    let port = authority.port_u16();
    if authority.host().is_empty()
        || !host.chars().all(is_host)
        || (port.is_none() && host != authority.host())
    {
        return Err(invalid());
    }
    let origin = match port.filter(|port| *port != default_port) {
        Some(port) => format!("{scheme}://{}:{port}", authority.host()),
        None => format!("{scheme}://{}", authority.host()),
    };
    HeaderValue::try_from(origin).map_err(|_| invalid())
}

/// The origin of the page for which a browser asks whether it may make a call, if the request is such a question.
pub(crate) fn asking(request: &Parts) -> Option<&HeaderValue> {
    if request.method != Method::OPTIONS || !request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
        return None;
    }
    request.headers.get(ORIGIN)
}

impl Origins {
    /// The answer to a browser that asks whether a page may make a call, if the request is such a question.
    pub(crate) fn preflight(
        &self,
        request: &Parts,
        method: Option<&HeaderValue>,
    ) -> Option<Response<Full<Bytes>>> {
        asking(request)?;
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        if self.allow(&request.headers, headers) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, method.cloned().unwrap_or(METHODS));
            headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
            if let Some(wanted) = request.headers.get(ACCESS_CONTROL_REQUEST_HEADERS) {
                headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
                headers.append(VARY, HeaderValue::from_name(ACCESS_CONTROL_REQUEST_HEADERS));
            }
        }
        Some(response)
    }

    /// Whether pages of this origin may make calls.
    pub(crate) fn include(&self, origin: &HeaderValue) -> bool {
        match &self.0 {
            Allowed::Any => true,
            Allowed::Listed(origins) => origins.contains(origin),
        }
    }

    /// Tells a browser in a reply whether the page that sent the request may read it, and caches whether other pages get another
    /// reply. It does so where no page sent it, too, since caches may give one that reply later.
    pub(crate) fn allow(&self, request: &HeaderMap, reply: &mut HeaderMap) -> bool {
        match &self.0 {
            Allowed::Any => {
                reply.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            Allowed::Listed(_) => {
                reply.append(VARY, HeaderValue::from_name(ORIGIN));
                let Some(origin) = request.get(ORIGIN).filter(|origin| self.include(origin)) else {
                    return false;
                };
                reply.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                reply.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            }
        }
        reply.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("x-zato-cid"));
        true
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[track_caller]
    fn check_read(text: &str, expected: Result<usize, &str>) {
        let origins = text.parse::<Origins>().map(|origins| match origins.0 {
            Allowed::Any => 0,
            Allowed::Listed(origins) => origins.len(),
        });
        assert_eq!(origins, expected.map_err(|word| InvalidOrigin(word.to_owned())), "{text}");
    }

    #[test]
    fn origins_are_read() {
        check_read(" * ", Ok(0));
        check_read("https://a.example", Ok(1));
        check_read("https://a.example, http://localhost:3000\nhttps://[::1]:8443", Ok(3));
        check_read("", Err(""));
        check_read(" , ", Err(" , "));
        check_read("*, https://a.example", Err("*"));
        check_read("a.example", Err("a.example"));
        check_read("https://a.example/path", Err("https://a.example/path"));
        check_read("ftp://a.example", Err("ftp://a.example"));
        check_read("https://", Err("https://"));
        for word in ["https://a.example:", "https://a:b:c", "https://a:65536", "https://:80"] {
            check_read(word, Err(word));
        }
    }

    #[test]
    fn origins_are_kept_as_browsers_write_them() {
        check_allow("HTTPS://A.example:443", Some("https://a.example"), "https://a.example true origin");
        check_allow("http://a.example:80", Some("http://a.example"), "http://a.example true origin");
        check_allow("https://a.example:80", Some("https://a.example:80"), "https://a.example:80 true origin");
    }

    #[track_caller]
    fn check_allow(allowed: &str, origin: Option<&str>, expected: &str) {
        let origins: Origins = allowed.parse().unwrap();
        let mut request = HeaderMap::new();
        if let Some(origin) = origin {
            request.insert(ORIGIN, origin.parse().unwrap());
        }
        let mut reply = HeaderMap::new();
        origins.allow(&request, &mut reply);
        let show = |name| reply.get(name).map_or("-", |value: &HeaderValue| value.to_str().unwrap());
        let found = format!(
            "{} {} {}",
            show(ACCESS_CONTROL_ALLOW_ORIGIN),
            show(ACCESS_CONTROL_ALLOW_CREDENTIALS),
            show(VARY)
        );
        assert_eq!(found, expected);
    }

    #[test]
    fn replies_are_for_the_pages_of_allowed_origins() {
        check_allow("*", Some("https://a.example"), "* - -");
        check_allow("*", None, "* - -");
        let listed = "https://A.example https://b.example";
        check_allow(listed, Some("https://a.example"), "https://a.example true origin");
        check_allow(listed, Some("https://c.example"), "- - origin");
        check_allow(listed, Some("null"), "- - origin");
        check_allow(listed, None, "- - origin");
    }

    #[test]
    fn a_question_is_answered_without_a_body() {
        let origins: Origins = "https://a.example".parse().unwrap();
        let request = |method: &str, origin: &str| {
            let request = Request::builder().method(method).header(ORIGIN, origin);
            let request = request.header(ACCESS_CONTROL_REQUEST_METHOD, "PUT");
            let request = request.header(ACCESS_CONTROL_REQUEST_HEADERS, "x-one, x-two");
            request.body(()).unwrap().into_parts().0
        };
        let answer = origins.preflight(&request("OPTIONS", "https://a.example"), None).unwrap();
        assert_eq!(answer.status(), StatusCode::NO_CONTENT);
        assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_METHODS], METHODS);
        assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_HEADERS], "x-one, x-two");
        let only = HeaderValue::from_static("PUT");
        let answer = origins.preflight(&request("OPTIONS", "https://a.example"), Some(&only)).unwrap();
        assert_eq!(answer.headers()[ACCESS_CONTROL_ALLOW_METHODS], "PUT");
        let answer = origins.preflight(&request("OPTIONS", "https://b.example"), None).unwrap();
        assert!(!answer.headers().contains_key(ACCESS_CONTROL_ALLOW_ORIGIN));
        assert!(origins.preflight(&request("PUT", "https://a.example"), None).is_none());
    }
}
