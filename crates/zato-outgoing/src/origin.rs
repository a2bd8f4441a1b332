//! Where a connection leads: scheme, host and port.
//!
//! Owns the comparison which decides whether a pooled connection may serve a request and whether credentials may go with
//! it. It opens nothing.

use http::uri::{Authority, Scheme};
use http::{HeaderValue, Uri};

/// The scheme, host and port of a URL, as the pool and the layers that hold credentials compare them.
#[derive(Clone, Debug)]
pub struct Origin {
    tls: bool,
    /// In lower case; an IPv6 address without its brackets.
    host: Box<str>,
    port: u16,
    /// Host and port as the URL has them, by which most URLs that lead here are known without a closer look.
    authority: Authority,
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        (self.tls, &self.host, self.port) == (other.tls, &other.host, other.port)
    }
}

impl Eq for Origin {}

impl Origin {
    /// The origin of an absolute `http` or `https` URL, or `None` if it is something else or its port is out of range.
    pub fn of(url: &Uri) -> Option<Self> {
        let tls = is_tls(url)?;
        let host = bare_host(url)?;
        let authority = url.authority()?.clone();
        if url.port_u16().is_none() && !authority.as_str().ends_with(url.host()?) {
            return None;
        }
        let host = host.to_ascii_lowercase().into_boxed_str();
        Some(Self { tls, host, port: port(url, tls), authority })
    }

    /// Whether `url` leads here. Nothing is allocated.
    pub fn matches(&self, url: &Uri) -> bool {
        let same_text =
            || url.authority().is_some_and(|authority| authority.as_str() == self.authority.as_str());
        is_tls(url) == Some(self.tls)
            && (same_text()
                || (port(url, self.tls) == self.port
                    && bare_host(url).is_some_and(|host| host.eq_ignore_ascii_case(&self.host))))
    }

    /// Whether credentials for this origin may be sent to `url`: if it leads here, or to the same host with `https` instead
    /// of `http`, both at their own ports. Nothing is allocated.
    pub fn trusts(&self, url: &Uri) -> bool {
        let is_secured =
            || !self.tls && self.port == 80 && is_tls(url) == Some(true) && port(url, true) == 443;
        self.matches(url)
            || (is_secured() && bare_host(url).is_some_and(|host| host.eq_ignore_ascii_case(&self.host)))
    }

    /// Whether the scheme is `https`.
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The host name in lower case, or the address; an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, the scheme's own one if the URL had none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The `Host` header's value: the port is in it only if it isn't the scheme's own one (RFC 9110, 7.2).
    pub(crate) fn host_header(&self) -> Option<HeaderValue> {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.to_string() };
        let text = if self.port == default_port(self.tls) {
            host
        } else {
            format!("{host}:{port}", port = self.port)
        };
        HeaderValue::try_from(text).ok()
    }
}

fn is_tls(url: &Uri) -> Option<bool> {
    match url.scheme()? {
        scheme if *scheme == Scheme::HTTP => Some(false),
        scheme if *scheme == Scheme::HTTPS => Some(true),
        _ => None,
    }
}

fn default_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

fn port(url: &Uri, tls: bool) -> u16 {
    url.port_u16().unwrap_or_else(|| default_port(tls))
}

fn bare_host(url: &Uri) -> Option<&str> {
    let host = url.host()?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    (!bare.is_empty()).then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, host: &str, port: u16, header: &str) {
        let url: Uri = url.parse().unwrap();
        let origin = Origin::of(&url).unwrap();
        assert_eq!((origin.host(), origin.port()), (host, port));
        assert_eq!(origin.host_header().unwrap(), header);
        assert!(origin.matches(&url));
    }

    #[test]
    fn ports_and_hosts() {
        check("http://Example.com/a", "example.com", 80, "example.com");
        check("http://example.com:80/", "example.com", 80, "example.com");
        check("https://example.com/", "example.com", 443, "example.com");
        check("https://example.com:8443/", "example.com", 8443, "example.com:8443");
        check("http://[::1]:8080/", "::1", 8080, "[::1]:8080");
    }

    #[test]
    fn another_scheme_host_or_port_is_another_origin() {
        let origin = Origin::of(&Uri::from_static("https://example.com/a")).unwrap();
        for (url, expected) in [
            ("https://EXAMPLE.com:443/b", true),
            ("http://example.com/a", false),
            ("https://example.com:444/a", false),
            ("https://example.org/a", false),
            ("/a", false),
        ] {
            assert_eq!(origin.matches(&url.parse().unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn credentials_may_move_to_tls_only() {
        let plain = Origin::of(&Uri::from_static("http://example.com")).unwrap();
        let secure = Origin::of(&Uri::from_static("https://example.com")).unwrap();
        for (url, from_plain, from_secure) in [
            ("http://example.com/a", true, false),
            ("https://EXAMPLE.com/a", true, true),
            ("https://example.com:8443/a", false, false),
            ("https://example.org/a", false, false),
        ] {
            let url = url.parse().unwrap();
            assert_eq!((plain.trusts(&url), secure.trusts(&url)), (from_plain, from_secure), "{url}");
        }
    }

    #[test]
    fn only_absolute_http_urls_have_one() {
        for url in [
            "/a",
            "ftp://example.com/a",
            "example.com:80",
            "http://example.com:65536/",
            "http://example.com:/",
        ] {
            assert_eq!(Origin::of(&url.parse().unwrap()), None, "{url}");
        }
    }
}
