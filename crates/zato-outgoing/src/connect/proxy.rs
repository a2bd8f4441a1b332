//! Which connections go by way of a proxy.
//!
//! Owns how proxies are written, and the rules of the environment variables: those of the `requests` library of Python. It
//! opens nothing and does not speak with proxies.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderValue;
use http::uri::Authority;
use percent_encoding::percent_decode_str;

use crate::layers::auth::basic_credentials;
use crate::origin::Origin;
use zato_connections::Secret;

/// By way of which proxy a connection's TCP connections are opened.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub enum Proxy {
    /// That which the environment variables name, if they name one.
    #[default]
    Environment,
    /// None.
    Direct,
    /// This one, whatever the environment says.
    Server(ProxyServer),
}

/// A proxy. `Debug` shows neither its username nor its password.
#[derive(Clone)]
pub struct ProxyServer(Arc<Server>);

pub(super) struct Server {
    pub(super) kind: Kind,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) credentials: Option<(String, Secret)>,
    /// What is sent to an HTTP proxy, made once.
    pub(super) authorization: Option<HeaderValue>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Http,
    /// The same, spoken with TLS.
    Https,
    /// Host names are resolved here, as `socks5` URLs have it.
    Socks5,
    /// Host names are resolved by the proxy, as `socks5h` URLs have it.
    Socks5Remote,
}

/// A text that is no proxy's URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseProxyError {
    /// Its scheme is another one than `http`, `https`, `socks5` and `socks5h`.
    #[error("a proxy's URL must begin with http://, https://, socks5:// or socks5h://")]
    Scheme,
    /// It has no host, or no valid port.
    #[error("a proxy's URL must have a host and may have a port")]
    Host,
    /// Its username or password cannot be decoded.
    #[error("the credentials in a proxy's URL must be UTF-8, percent-encoded")]
    Credentials,
}

impl ProxyServer {
    /// A proxy by its URL: `http://proxy.example.com:3128`, `https://…`, `socks5://…`, or `socks5h://…`, which has the proxy
    /// resolve host names. Without a scheme it is `http`; without a port it is 80, for `https` 443, for SOCKS 1080. A username and
    /// a password may be in it, percent-encoded.
    ///
    /// TLS with an `https` proxy trusts whom the connection trusts. The connection's client certificate is not shown to it.
    ///
    /// # Errors
    ///
    /// [`ParseProxyError`].
    pub fn parse(url: &str) -> Result<Self, ParseProxyError> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
        let (kind, default_port) = match &*scheme.to_ascii_lowercase() {
            "http" => (Kind::Http, 80),
            "https" => (Kind::Https, 443),
            "socks5" => (Kind::Socks5, 1080),
            "socks5h" => (Kind::Socks5Remote, 1080),
            _ => return Err(ParseProxyError::Scheme),
        };
        let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
        let (credentials, address) = match authority.rsplit_once('@') {
            Some((credentials, address)) => (Some(credentials), address),
            None => (None, authority),
        };
        let address: Authority = address.parse().map_err(|_| ParseProxyError::Host)?;
        let host = address.host();
        let host = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
        let is_valid =
            !host.is_empty() && (address.port_u16().is_some() || address.as_str() == address.host());
        if !is_valid {
            return Err(ParseProxyError::Host);
        }
        let server = Self::new(kind, host.to_owned(), address.port_u16().unwrap_or(default_port));
        match credentials {
            None => Ok(server),
            Some(credentials) => {
                let decode = |text: &str| {
                    let decoded = percent_decode_str(text).decode_utf8();
                    decoded.map(String::from).map_err(|_| ParseProxyError::Credentials)
                };
                let (username, password) = credentials.split_once(':').unwrap_or((credentials, ""));
                Ok(server.with_credentials(decode(username)?, Secret::from(decode(password)?)))
            }
        }
    }

    fn new(kind: Kind, host: String, port: u16) -> Self {
        Self(Arc::new(Server { kind, host, port, credentials: None, authorization: None }))
    }

    /// The same proxy with a username and a password: Basic authentication with an HTTP proxy, that of RFC 1929 with a
    /// SOCKS one.
    #[must_use]
    pub fn with_credentials(self, username: impl Into<String>, password: impl Into<Secret>) -> Self {
        let (username, password) = (username.into(), password.into());
        let authorization = Some(basic_credentials(&username, &password));
        let Server { kind, host, port, .. } = &*self.0;
        let (kind, host, port) = (*kind, host.clone(), *port);
        let credentials = Some((username, password));
        Self(Arc::new(Server { kind, host, port, credentials, authorization }))
    }

    pub(super) fn server(&self) -> &Server {
        &self.0
    }
}

impl fmt::Display for ProxyServer {
    /// The address, without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Server { host, port, .. } = &*self.0;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl fmt::Debug for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyServer({:?} {self})", self.0.kind)
    }
}

/// Which proxies the environment names, and for which hosts it wants none.
#[derive(Clone, Debug, Default)]
pub struct ProxyRules {
    http: Option<ProxyServer>,
    https: Option<ProxyServer>,
    exceptions: Vec<Exception>,
}

/// A host, or several, that are called directly.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exception {
    /// Every host.
    All,
    /// A network of addresses, and how many leading bits of it count.
    Network(IpAddr, u8),
    /// A host, or the part of a name after a dot, in lower case; at one port only, if that is there.
    Name(String, Option<u16>),
}

impl ProxyRules {
    /// No proxy at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// What the environment variables of this process say now. What they say wrong is logged as a warning and has no effect.
    ///
    /// `http_proxy` is for `http` URLs, `https_proxy` for `https` ones, `all_proxy` for those which have no proxy by these.
    /// `no_proxy` is a list, separated by commas, of hosts that are called directly: `example.com` is that host and all
    /// whose name ends with `.example.com`, `example.com:8080` the same at one port, `10.0.0.0/8` a network, `*` every host.
    /// All of them may be in capitals; what is not comes first. Where `REQUEST_METHOD` is set, `HTTP_PROXY` is not read,
    /// because a CGI program has it from its caller.
    pub fn from_process() -> Self {
        Self::from_variables(|name| std::env::var(name).ok())
    }

    /// The same, with the variables that `variable` knows.
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        let is_cgi = variable("REQUEST_METHOD").is_some();
        let value = |name: &str| {
            let capitals = name.to_ascii_uppercase();
            let hidden = is_cgi && capitals == "HTTP_PROXY";
            variable(name).or_else(|| if hidden { None } else { variable(&capitals) })
        };
        let server = |name: &str| {
            let url = value(name).filter(|url| !url.trim().is_empty())?;
            ProxyServer::parse(url.trim())
                .inspect_err(|error| tracing::warn!(variable = name, %error, "a proxy is left out"))
                .ok()
        };
        let all = server("all_proxy");
        let exceptions = value("no_proxy").unwrap_or_default();
        let exceptions = exceptions.split(',').map(str::trim).filter(|text| !text.is_empty());
        Self {
            http: server("http_proxy").or_else(|| all.clone()),
            https: server("https_proxy").or(all),
            exceptions: exceptions.map(Exception::parse).collect(),
        }
    }

    /// The proxy for connections to `origin`, if there is one.
    pub fn server_for(&self, origin: &Origin) -> Option<&ProxyServer> {
        let server = if origin.is_tls() { self.https.as_ref() } else { self.http.as_ref() };
        server.filter(|_| !self.exceptions.iter().any(|exception| exception.covers(origin)))
    }
}

impl Exception {
    fn parse(text: &str) -> Self {
        if text == "*" {
            return Self::All;
        }
        let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Self::Network(address, 128);
        }
        if let Some((network, bits)) = text.split_once('/')
            && let (Ok(network), Ok(bits)) = (network.parse(), bits.parse())
        {
            return Self::Network(network, bits);
        }
        let (name, port) = match text.rsplit_once(':') {
            Some((name, port)) if port.parse::<u16>().is_ok() => (name, port.parse().ok()),
            _ => (text, None),
        };
        let name = name.strip_prefix("*.").unwrap_or(name);
        Self::Name(name.trim_start_matches('.').to_ascii_lowercase(), port)
    }

    fn covers(&self, origin: &Origin) -> bool {
        let host = origin.host();
        match self {
            Self::All => true,
            Self::Network(network, bits) => {
                host.parse().is_ok_and(|address| same_network(*network, address, *bits))
            }
            Self::Name(name, port) => {
                port.is_none_or(|port| port == origin.port())
                    && host
                        .strip_suffix(name.as_str())
                        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
        }
    }
}

/// Whether two addresses have the same leading bits.
fn same_network(one: IpAddr, other: IpAddr, bits: u8) -> bool {
    let (difference, width) = match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (u128::from(one.to_bits() ^ other.to_bits()), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits(), 128),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
    };
    let ignored = width - u32::from(bits).min(width);
    difference.checked_shr(ignored).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use http::Uri;

    use super::*;

    #[track_caller]
    fn check(url: &str, expected: &str) {
        let text = match ProxyServer::parse(url) {
            Ok(server) => {
                let credentials = server.server().credentials.as_ref();
                let credentials = credentials.map(|(name, word)| format!(" {name}:{}", word.expose()));
                format!("{server:?}{}", credentials.unwrap_or_default())
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(text, expected, "{url}");
    }

    #[test]
    fn urls() {
        check("http://proxy.example.com:3128/", "ProxyServer(Http proxy.example.com:3128)");
        check("proxy", "ProxyServer(Http proxy:80)");
        check("proxy:8080", "ProxyServer(Http proxy:8080)");
        check("socks5://[::1]", "ProxyServer(Socks5 [::1]:1080)");
        check("SOCKS5H://u:p%40@proxy", "ProxyServer(Socks5Remote proxy:1080) u:p@");
        check("http://u@proxy", "ProxyServer(Http proxy:80) u:");
        check("https://u:p@proxy", "ProxyServer(Https proxy:443) u:p");
        check("ftp://proxy", "a proxy's URL must begin with http://, https://, socks5:// or socks5h://");
        for invalid in ["http://", "", "http://:80", "http://proxy:", "http://proxy:99999", "http://a b"] {
            check(invalid, "a proxy's URL must have a host and may have a port");
        }
        check("http://%ff@proxy", "the credentials in a proxy's URL must be UTF-8, percent-encoded");
    }

    #[track_caller]
    fn check_rules(variables: &[(&str, &str)], url: &'static str, expected: Option<&str>) {
        let rules = ProxyRules::from_variables(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        });
        let origin = Origin::of(&Uri::from_static(url)).unwrap();
        let server = rules.server_for(&origin).map(ToString::to_string);
        assert_eq!(server.as_deref(), expected, "{variables:?} {url}");
    }

    #[test]
    fn variables() {
        let (http, https) = ("http://example.com/", "https://example.com/");
        check_rules(&[], http, None);
        check_rules(&[("HTTP_PROXY", "http://a:1")], http, Some("a:1"));
        check_rules(&[("HTTP_PROXY", "http://a:1")], https, None);
        check_rules(&[("HTTP_PROXY", "http://a:1"), ("http_proxy", "http://b:2")], http, Some("b:2"));
        check_rules(&[("https_proxy", "a:1"), ("ALL_PROXY", "socks5://b")], https, Some("a:1"));
        check_rules(&[("https_proxy", "a:1"), ("ALL_PROXY", "socks5://b")], http, Some("b:1080"));
        check_rules(&[("HTTP_PROXY", "http://a:1"), ("REQUEST_METHOD", "GET")], http, None);
        check_rules(&[("http_proxy", "http://a:1"), ("REQUEST_METHOD", "GET")], http, Some("a:1"));
        check_rules(&[("http_proxy", "ftp://a:1")], http, None);
        check_rules(&[("http_proxy", ""), ("all_proxy", "b:2")], http, Some("b:2"));
    }

    #[test]
    fn exceptions() {
        let check = |no_proxy: &str, url: &'static str, direct: bool| {
            let variables = [("all_proxy", "a:1"), ("NO_PROXY", no_proxy)];
            check_rules(&variables, url, (!direct).then_some("a:1"));
        };
        check("example.com", "http://example.com/", true);
        check("example.com", "https://api.Example.com/", true);
        check("example.com", "http://notexample.com/", false);
        check("x, .example.com ,y", "http://api.example.com/", true);
        check("*.example.com", "http://api.example.com/", true);
        check("example.com:8080", "http://example.com:8080/", true);
        check("example.com:8080", "http://example.com/", false);
        check("*", "http://anything/", true);
        check("10.0.0.0/8", "http://10.1.2.3/", true);
        check("10.0.0.0/8", "http://11.1.2.3/", false);
        check("0.0.0.0/0", "http://11.1.2.3/", true);
        check("10.0.0.0/8", "http://[::1]/", false);
        check("127.0.0.1,::1", "http://127.0.0.1:5000/", true);
        check("127.0.0.1,::1", "http://[::1]:5000/", true);
        check("127.0.0.1", "http://127.0.0.2/", false);
        check("", "http://example.com/", false);
    }
}
