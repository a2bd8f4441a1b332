//! tinyproxy: plain requests in absolute form, tunnels, credentials, and what a proxy says when it cannot go on.

use std::io::Write;
use std::net::TcpStream;
use std::sync::OnceLock;

use zato_outgoing::{Config, Connection, Environment, Failure, Proxy, ProxyRules, ProxyServer, Verify};

use crate::support::peer::{Peer, free_port};
use crate::support::recorder::{Request, Server};
use crate::support::{chain, cid, connection};

/// The two proxies of this process: one for everybody, one for those who have its password.
struct Proxies {
    open: (Peer, u16),
    locked: (Peer, u16),
}

fn proxies() -> &'static Proxies {
    static PEERS: OnceLock<Proxies> = OnceLock::new();
    PEERS.get_or_init(|| Proxies {
        open: Peer::tinyproxy(""),
        locked: Peer::tinyproxy("BasicAuth proxyuser proxypass"),
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

#[tokio::test]
async fn tunnels() {
    let secured = crate::nginx::secured_host();
    let crm = connection(&secured, "/", |config: &mut Config| {
        config.tls.verify = Verify::Nothing;
        config.proxy = Proxy::Server(ProxyServer::parse(&open_proxy()).unwrap());
    });
    let text = text(&crm).await;
    assert!(text.starts_with("HTTP/2.0 TLSv1.3 localhost"), "{text}");
    let log = proxies().open.0.log();
    assert!(log.contains("CONNECT localhost:"), "{log}");
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
    let tunnel = through("https://localhost:1", &format!("http://127.0.0.1:{port}"));
    let error = tunnel.conn().get(cid(), ()).await.unwrap_err();
    assert!(!error.may_have_been_sent() && chain(&error).contains("40"), "{}", chain(&error));
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
    for (exceptions, expected) in [("example.com", "tinyproxy"), ("127.0.0.1", "direct")] {
        let environment = Environment::new("tests").unwrap().with_proxies(rules(exceptions));
        let config = Config::new(1, "peer", server.host(), "/a");
        let text = text(&Connection::new(config, &environment).unwrap()).await;
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn servers_which_the_proxy_cannot_reach() {
    let port = free_port();
    let plain =
        through(&format!("http://127.0.0.1:{port}"), &open_proxy()).conn().get(cid(), ()).await.unwrap();
    assert_eq!(plain.status(), 500, "{}", plain.text());
    let tunnel = through(&format!("https://127.0.0.1:{port}"), &open_proxy());
    let error = tunnel.conn().get(cid(), ()).await.unwrap_err();
    assert!(!error.may_have_been_sent() && chain(&error).contains("500"), "{}", chain(&error));
}

#[tokio::test]
async fn a_proxy_that_is_not_there() {
    let proxy = format!("http://127.0.0.1:{}", free_port());
    let error = through("http://example.com", &proxy).conn().get(cid(), ()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::Proxy { .. }), "{error:?}");
    assert!(!error.may_have_been_sent());
}
