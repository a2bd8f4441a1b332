//! tinyproxy, also behind stunnel, which speaks TLS for it: plain requests in absolute form, tunnels, credentials, and what a proxy says
//! when it cannot go on.

use std::io::Write;
use std::net::TcpStream;
use std::sync::OnceLock;

use zato_outgoing::{Config, Connection, Environment, Failure, Proxy, ProxyRules, ProxyServer, Verify};
use zato_test_port::Port;

use crate::nginx;
use crate::support::certificates::{Certified, self_signed};
use crate::support::peer::Peer;
use crate::support::recorder::{Request, Server, await_request};
use crate::support::{chain, cid, connection};

/// The proxies of this process.
struct Proxies {
    /// For everybody.
    open: (Peer, u16),
    /// For those who have its password.
    locked: (Peer, u16),
    /// For tunnels to one port only, which is none of a server.
    narrow: (Peer, u16),
    /// The one with a password, with TLS and a certificate from the authority of the servers.
    secured: (Peer, u16),
    /// The first one, with a certificate that nobody vouches for.
    stranger: (Peer, u16),
}

fn proxies() -> &'static Proxies {
    static PEERS: OnceLock<Proxies> = OnceLock::new();
    PEERS.get_or_init(|| {
        let open = Peer::tinyproxy("");
        let locked = Peer::tinyproxy("BasicAuth proxyuser proxypass");
        let tls = |certified: Certified, to| Peer::stunnel(&(certified.certificate + &certified.key), to);
        Proxies {
            secured: tls(nginx::certified("localhost"), locked.1),
            stranger: tls(self_signed("localhost"), open.1),
            narrow: Peer::tinyproxy("ConnectPort 1"),
            open,
            locked,
        }
    })
}

fn through(server: &str, proxy: &str) -> Connection {
    connection(server, "/a", |config| config.proxy = Proxy::Server(ProxyServer::parse(proxy).unwrap()))
}

fn open_proxy() -> String {
    format!("http://127.0.0.1:{}", proxies().open.1)
}

/// A server that says how it was asked, request after request.
fn echo() -> Server {
    Server::start(|_, stream: &mut TcpStream| {
        while let Some(request) = Request::read(stream) {
            let text = format!(
                "{} {} {} {}",
                request.method,
                request.target,
                request.header("via").unwrap_or("direct"),
                request.header("proxy-authorization").unwrap_or("-")
            );
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", text.len());
            if stream.write_all(&[head.as_bytes(), text.as_bytes()].concat()).is_err() {
                return;
            }
        }
    })
}

async fn text(connection: &Connection) -> String {
    let response =
        connection.conn().get(cid(), [("b", 1)]).await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(response.status(), 200, "{}", response.text());
    response.text().into_owned()
}

#[tokio::test]
async fn plain_requests() {
    let server = echo();
    let crm = through(&server.host(), &open_proxy());
    for _ in 0..3 {
        let text = text(&crm).await;
        assert!(
            text.starts_with("GET /a?b=1 1.1 ") && text.contains("(tinyproxy/") && text.ends_with(" -"),
            "{text}"
        );
    }
}

/// What a server with TLS says through a proxy.
async fn through_tunnel(server: &str, proxy: &str, change: impl FnOnce(&mut Config)) -> String {
    let crm = nginx::secure(server, |config| {
        config.proxy = Proxy::Server(ProxyServer::parse(proxy).unwrap());
        change(config);
    });
    text(&crm).await
}

/// The same servers say the same as without a proxy, which cannot see what is in the tunnel.
async fn check_tunnels(proxy: &str) {
    let same = |_: &mut Config| {};
    for (server, expected) in [
        ("tls", "HTTP/2.0 TLSv1.3 localhost"),
        ("tls12", "HTTP/1.1 TLSv1.2 localhost"),
        ("http1", "HTTP/1.1 TLSv1.3 localhost"),
    ] {
        let text = through_tunnel(server, proxy, same).await;
        assert!(text.starts_with(expected), "{text}");
    }
    let identified = |config: &mut Config| config.tls.identity = Some(nginx::client());
    assert_eq!(through_tunnel("mutual", proxy, identified).await, "SUCCESS CN=a known client");

    let refused = nginx::secure("expired", |config| {
        config.proxy = Proxy::Server(ProxyServer::parse(proxy).unwrap());
    });
    let error = refused.conn().get(cid(), ()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::Tls(_)) && chain(&error).contains("expired"), "{error:?}");
}

#[tokio::test]
async fn tunnels() {
    check_tunnels(&open_proxy()).await;
    let log = proxies().open.0.log();
    assert!(log.contains("CONNECT localhost:"), "{log}");
}

fn secured_proxy() -> String {
    format!("https://proxyuser:proxypass@localhost:{}", proxies().secured.1)
}

#[tokio::test]
async fn proxies_with_tls() {
    let server = echo();
    // The authorities of the connection are those of the proxy, although the server has no certificate.
    let forwarded = connection(&server.host(), "/a", |config| {
        config.tls.verify = nginx::trusted();
        config.proxy = Proxy::Server(ProxyServer::parse(&secured_proxy()).unwrap());
    });
    for _ in 0..3 {
        let text = text(&forwarded).await;
        assert!(text.starts_with("GET /a?b=1 1.1 ") && text.ends_with(" -"), "{text}");
    }
    check_tunnels(&secured_proxy()).await;
}

/// Nobody gets the proxy's password, or a request, who cannot say that it is the proxy.
#[tokio::test]
async fn proxies_whose_certificate_is_not_trusted() {
    let elsewhere = secured_proxy().replace("localhost", "127.0.0.1");
    let stranger = format!("https://proxyuser:proxypass@localhost:{}", proxies().stranger.1);
    let plain = Server::start(|_, stream| {
        await_request(stream);
        drop(stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    });
    let no_tls = plain.host().replace("http://127.0.0.1", "https://proxyuser:proxypass@localhost");
    for (proxy, cause) in
        [(elsewhere, "not valid for name"), (stranger, "UnknownIssuer"), (no_tls, "message")]
    {
        for server in ["http://localhost:1".to_owned(), nginx::secured_host()] {
            let crm = connection(&server, "/a", |config| {
                config.tls.verify = nginx::trusted();
                config.proxy = Proxy::Server(ProxyServer::parse(&proxy).unwrap());
            });
            let error = crm.conn().get(cid(), ()).await.unwrap_err();
            assert!(matches!(error.kind(), Failure::Proxy { .. }), "{error:?}");
            assert!(!error.may_have_been_sent());
            let chain = chain(&error);
            assert!(
                chain.contains("TLS with it could not be established") && chain.contains(cause),
                "{chain}"
            );
            assert!(!chain.contains("proxypass"), "{chain}");
        }
    }
    let trusting = connection("http://localhost:1", "/a", |config| {
        config.tls.verify = Verify::Nothing;
        config.proxy = Proxy::Server(
            ProxyServer::parse(&format!("https://localhost:{}", proxies().stranger.1)).unwrap(),
        );
    });
    // The proxy's own reply: it cannot reach the server.
    assert_eq!(trusting.conn().get(cid(), ()).await.unwrap().status(), 500);
}

/// The report names the phase in which the way through a proxy ended.
#[tokio::test]
async fn pings_by_way_of_a_proxy() {
    let crm = nginx::secure("tls", |config| {
        config.proxy = Proxy::Server(ProxyServer::parse(&secured_proxy()).unwrap());
    });
    let report = crm.conn().ping(cid()).await.unwrap();
    for line in ["Code: 200", "Protocol: HTTP/2.0", "TLS version: TLSv1.3", "Certificate expires: "] {
        assert!(report.contains(line), "{report}");
    }
    let port = proxies().narrow.1;
    let refused = nginx::secure("tls", |config| {
        config.proxy = Proxy::Server(ProxyServer::parse(&format!("http://127.0.0.1:{port}")).unwrap());
    });
    let error = refused.conn().ping(cid()).await.unwrap_err();
    let report = error.report().unwrap();
    let reason = format!("Reason: the proxy 127.0.0.1:{port} gave no connection: it replied with `HTTP/1.");
    assert!(report.contains("Failed while: connecting") && report.contains(&reason), "{report}");
    assert!(report.contains(" 403 "), "{report}");
}

#[tokio::test]
async fn passwords() {
    let server = echo();
    let port = proxies().locked.1;
    let right = through(&server.host(), &format!("http://proxyuser:proxypass@127.0.0.1:{port}"));
    assert!(text(&right).await.ends_with(" -"), "the proxy's credentials reached the server");
    for proxy in [format!("http://127.0.0.1:{port}"), format!("http://proxyuser:wrong@127.0.0.1:{port}")] {
        let refused = through(&server.host(), &proxy).conn().get(cid(), ()).await.unwrap();
        assert!([401, 407].contains(&refused.status().as_u16()), "{}", refused.text());
    }
    for (proxy, status) in
        [(format!("127.0.0.1:{port}"), " 40"), (format!("127.0.0.1:{}", proxies().narrow.1), " 403 ")]
    {
        let tunnel = through("https://localhost:2", &format!("http://{proxy}"));
        let error = tunnel.conn().get(cid(), ()).await.unwrap_err();
        assert!(matches!(error.kind(), Failure::Proxy { .. }), "{error:?}");
        assert!(!error.may_have_been_sent() && chain(&error).contains(status), "{}", chain(&error));
    }
}

#[tokio::test]
async fn the_environment() {
    let server = echo();
    let rules = |exceptions: &str| {
        let exceptions = exceptions.to_owned();
        ProxyRules::from_variables(move |name| match name {
            "http_proxy" => Some(open_proxy()),
            "no_proxy" => Some(exceptions.clone()),
            _ => None,
        })
    };
    let (address, port) = (server.host(), server.address.port());
    let name = address.replace("127.0.0.1", "localhost");
    for (host, exceptions, expected) in [
        (&address, "example.com", "tinyproxy"),
        (&address, "127.0.0.1", "direct"),
        (&address, "a.example.com, 127.0.0.0/8", "direct"),
        (&address, "10.0.0.0/8,::1", "tinyproxy"),
        (&address, &format!("127.0.0.1:{port}"), "direct"),
        (&address, "127.0.0.1:1", "tinyproxy"),
        (&address, "localhost", "tinyproxy"),
        (&address, "*", "direct"),
        (&name, "LocalHost", "direct"),
        (&name, ".localhost", "direct"),
        (&name, &format!("*.localhost:{port}"), "direct"),
        (&name, "host,alhost", "tinyproxy"),
        (&name, "127.0.0.1", "tinyproxy"),
    ] {
        let environment = Environment::new("tests").unwrap().with_proxies(rules(exceptions));
        let config = Config::new(1, "peer", host.as_str(), "/a");
        let text = text(&Connection::new(config, &environment).unwrap()).await;
        assert!(text.contains(expected), "{host} {exceptions}: {text}");
    }
}

#[tokio::test]
async fn servers_which_the_proxy_cannot_reach() {
    let port = Port::reserve();
    let nobody = port.address();
    let plain = through(&format!("http://{nobody}"), &open_proxy()).conn().get(cid(), ()).await.unwrap();
    assert_eq!(plain.status(), 500, "{}", plain.text());
    let tunnel = through(&format!("https://{nobody}"), &open_proxy());
    let error = tunnel.conn().get(cid(), ()).await.unwrap_err();
    assert!(!error.may_have_been_sent() && chain(&error).contains("500"), "{}", chain(&error));
}

#[tokio::test]
async fn a_proxy_that_is_not_there() {
    let port = Port::reserve();
    let proxy = format!("http://{}", port.address());
    let error = through("http://example.com", &proxy).conn().get(cid(), ()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::Proxy { .. }), "{error:?}");
    assert!(!error.may_have_been_sent());
}
