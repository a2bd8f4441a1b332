//! Who calls by way of a proxy.
//!
//! Owns which proxies are believed, and what they say about their clients. It must not know what an address is used for.
//!
//! A proxy adds the address of its client to one header and passes on the others as they came, so that a client can forge
//! those. Where several headers are there, they have to agree; if they don't, the proxy itself counts as the client, which
//! nobody gains by.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::{HeaderMap, header};
use ipnet::IpNet;

/// The headers with addresses alone, besides `Forwarded` of RFC 7239. The first is that of the original's load balancer.
const LISTS: [&str; 2] = ["x-zato-forwarded-for", "x-forwarded-for"];

/// The proxies whose word about their clients counts: none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Box<[IpNet]>);

/// A text is neither an address nor a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no address such as 192.0.2.1 or 2001:db8::1 and no network such as 192.0.2.0/24")]
pub struct InvalidProxy(String);

impl TrustedProxies {
    /// The proxies with these addresses, or with addresses in these networks.
    ///
    /// # Errors
    /// One of them is neither.
    pub fn new<T: AsRef<str>>(proxies: impl IntoIterator<Item = T>) -> Result<Self, InvalidProxy> {
        let network = |text: T| {
            let text = text.as_ref().trim();
            let network = IpNet::from_str(text).or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map(|network| network.trunc()).map_err(|_| InvalidProxy(text.to_owned()))
        };
        proxies.into_iter().map(network).collect::<Result<_, _>>().map(Self)
    }

    fn includes(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who sent a request that came from `peer`. The port is 0 where a proxy doesn't tell.
    pub(crate) fn client(&self, peer: SocketAddr, headers: &HeaderMap) -> SocketAddr {
        if self.0.is_empty() || !self.includes(peer.ip().to_canonical()) {
            return peer;
        }
        let forwarded = texts(headers, header::FORWARDED.as_str());
        let forwarded = forwarded.map(|text| self.behind(peer, elements(&text).map(node_of)));
        let lists = LISTS.into_iter().filter_map(|name| texts(headers, name));
        let lists = lists.map(|text| self.behind(peer, text.split(',').map(str::trim).map(Cow::Borrowed)));
        let mut clients = forwarded.into_iter().chain(lists);
        let Some(client) = clients.next() else { return peer };
        if clients.all(|other| other.ip() == client.ip()) { client } else { peer }
    }

    /// The nearest of the hops that is no proxy of ours; each proxy has added the one that it heard from to the end.
    ///
    /// What stands before it was sent by the client, who may claim anything. The same goes for what stands before
    /// something that is no address: then the proxy that wrote it is all that is known.
    fn behind<'a>(
        &self,
        peer: SocketAddr,
        hops: impl DoubleEndedIterator<Item = Cow<'a, str>>,
    ) -> SocketAddr {
        let mut nearest = peer;
        for hop in hops.rev() {
            let Some(address) = address(&hop) else { break };
            nearest = address;
            if !self.includes(address.ip()) {
                break;
            }
        }
        nearest
    }
}

/// The values of a header, one after the other; a value that isn't text is no address either.
fn texts(headers: &HeaderMap, name: &str) -> Option<String> {
    let mut values = headers.get_all(name).into_iter().map(|value| value.to_str().unwrap_or("?")).peekable();
    values.peek()?;
    Some(values.collect::<Vec<_>>().join(","))
}

/// An address with or without a port; IPv6 addresses stand in brackets where there is a port.
fn address(text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(SocketAddr::new(address.ip().to_canonical(), address.port()));
    }
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    text.parse::<IpAddr>().ok().map(|address| SocketAddr::new(address.to_canonical(), 0))
}

/// The elements of a `Forwarded` header: commas separate them, except in quoted strings.
fn elements(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    unquoted(text, b',').into_iter().map(str::trim)
}

/// What an element says of the node that a proxy heard from; the empty text if it says nothing.
fn node_of(element: &str) -> Cow<'_, str> {
    let pairs = unquoted(element, b';').into_iter().filter_map(|pair| pair.split_once('='));
    let mut nodes = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
    // Of two nodes in one element, nobody knows which one the proxy has written.
    let (Some((_, node)), None) = (nodes.next(), nodes.next()) else { return Cow::Borrowed("") };
    let node = node.trim();
    match node.strip_prefix('"').and_then(|node| node.strip_suffix('"')) {
        // No character of an address needs a backslash, but RFC 9110, section 5.6.4, lets any have one.
        Some(quoted) if quoted.contains('\\') => Cow::Owned(quoted.replace('\\', "")),
        Some(quoted) => Cow::Borrowed(quoted),
        None => Cow::Borrowed(node),
    }
}

/// Splits a text, except in quoted strings.
fn unquoted(text: &str, separator: u8) -> Vec<&str> {
    let (mut parts, mut begin, mut is_quoted, mut is_escaped) = (Vec::new(), 0, false, false);
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_quoted,
            b'"' => is_quoted = !is_quoted,
            _ if byte == separator && !is_quoted => {
                parts.push(&text[begin..place]);
                begin = place + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PROXIES: [&str; 3] = ["10.0.0.0/8", " 192.0.2.7 ", "2001:db8:1::/48"];

    #[track_caller]
    fn check(peer: &str, headers: &[(&'static str, &str)], expected: &str) {
        let proxies = TrustedProxies::new(PROXIES).unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let client = proxies.client(address(peer).unwrap(), &map);
        assert_eq!(client, address(expected).unwrap(), "{peer} {headers:?}");
    }

    #[test]
    fn a_proxy_tells_of_its_client() {
        let peer = "10.1.2.3:4000";
        check(peer, &[], peer);
        for text in ["198.51.100.1", " 198.51.100.1 ", "9.9.9.9, 198.51.100.1", "198.51.100.1, 10.9.9.9"] {
            check(peer, &[("x-forwarded-for", text)], "198.51.100.1");
            check(peer, &[("x-zato-forwarded-for", text)], "198.51.100.1");
        }
        check("192.0.2.7:1", &[("x-forwarded-for", "198.51.100.1:99")], "198.51.100.1:99");
        check("[2001:db8:1:2::3]:1", &[("x-forwarded-for", "2001:db8::9")], "2001:db8::9");
        check("[::ffff:10.1.2.3]:1", &[("x-forwarded-for", "::ffff:198.51.100.1")], "198.51.100.1");
        check(peer, &[("x-forwarded-for", "9.9.9.9"), ("x-forwarded-for", "198.51.100.1")], "198.51.100.1");
        // All of them are proxies: the first one is where the call came from.
        check(peer, &[("x-forwarded-for", "10.0.0.1, 10.0.0.2")], "10.0.0.1");
    }

    #[test]
    fn forwarded_is_read_as_well() {
        let peer = "10.1.2.3:4000";
        for text in [
            "for=198.51.100.1",
            "For=\"198.51.100.1\";proto=http;by=10.1.2.3",
            "proto=http ; for = 198.51.100.1",
            "for=9.9.9.9, for=198.51.100.1",
            "for=9.9.9.9;by=\"a,b;for=1.1.1.1\", for=198.51.100.1, for=10.0.0.1",
            "for=\"9.9.9.9\\\", for=8.8.8.8\", for=\"198\\.51.100.1\"",
        ] {
            check(peer, &[("forwarded", text)], "198.51.100.1");
        }
        check(peer, &[("forwarded", "for=\"[2001:db8::9]:47011\"")], "[2001:db8::9]:47011");
        check(peer, &[("forwarded", "for=\"[2001:db8::9]\"")], "2001:db8::9");
    }

    #[test]
    fn nobody_else_is_believed() {
        for name in ["forwarded", "x-forwarded-for", "x-zato-forwarded-for"] {
            check("198.51.100.1:1", &[(name, "for=9.9.9.9")], "198.51.100.1:1");
            check("192.0.2.8:1", &[(name, "9.9.9.9")], "192.0.2.8:1");
        }
        // What is no address hides who called, and whatever is said before it.
        for text in ["", ",", "unknown", "9.9.9.9, unknown", "9.9.9.9,", "9.9.9.9, _hidden", "999.1.1.1"] {
            check("10.1.2.3:4000", &[("x-forwarded-for", text)], "10.1.2.3:4000");
        }
        check("10.1.2.3:4000", &[("x-forwarded-for", "9.9.9.9, unknown, 10.0.0.5")], "10.0.0.5");
        for text in ["", "for", "by=9.9.9.9", "for=9.9.9.9;for=8.8.8.8", "for=\"9.9.9.9", "for=unknown"] {
            check("10.1.2.3:4000", &[("forwarded", text)], "10.1.2.3:4000");
        }
    }

    #[test]
    fn headers_that_disagree_count_for_nothing() {
        let peer = "10.1.2.3:4000";
        check(peer, &[("forwarded", "for=9.9.9.9"), ("x-forwarded-for", "198.51.100.1")], peer);
        check(peer, &[("x-zato-forwarded-for", "9.9.9.9"), ("x-forwarded-for", "198.51.100.1")], peer);
        let both = [("forwarded", "for=\"198.51.100.1:80\""), ("x-forwarded-for", "198.51.100.1")];
        check(peer, &both, "198.51.100.1:80");
    }

    #[test]
    fn what_is_no_proxy() {
        for text in ["", "proxy.example.com", "10.0.0.0/33", "10.0.0.1:80", "10.0.0"] {
            assert_eq!(TrustedProxies::new([text]), Err(InvalidProxy(text.to_owned())));
        }
        assert_eq!(TrustedProxies::new(["10.1.2.3/8"]), TrustedProxies::new(["10.0.0.0/8"]));
    }

    proptest! {
        /// Whatever a client sends along, what the proxy has added decides.
        #[test]
        fn a_client_cannot_choose_its_address(sent in "[ -~]{0,60}", is_forwarded in any::<bool>()) {
            let proxies = TrustedProxies::new(PROXIES).unwrap();
            let (name, added) = if is_forwarded {
                ("forwarded", "for=198.51.100.1".to_owned())
            } else {
                ("x-forwarded-for", "198.51.100.1".to_owned())
            };
            let mut headers = HeaderMap::new();
            headers.append(name, sent.parse().unwrap());
            headers.append(name, added.parse().unwrap());
            let peer = address("10.1.2.3:4000").unwrap();
            let client = proxies.client(peer, &headers).ip();
            // A quote that nothing closes may swallow what follows it, and leaves no more than the proxy itself.
            prop_assert!(client == address("198.51.100.1").unwrap().ip() || client == peer.ip());
        }
    }
}
