//! How connections are opened: by way of proxies, to Unix sockets, with client certificates, and for how long they are used.

use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::Full;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpStream, UnixListener};
use zato_outgoing::{Config, Connection, Environment, Failure, Phase, Proxy, ProxyRules, ProxyServer, Retry};
use zato_test_port::Port;

use crate::peer::{Peer, chain, cid, connection, read_request, reply};

fn by_way_of(proxy: &Peer, scheme: &str) -> Proxy {
    Proxy::Server(ProxyServer::parse(&format!("{scheme}://user:s3cret@{}", proxy.address)).unwrap())
}

#[tokio::test]
async fn an_http_proxy_forwards_http() {
    let proxy = Peer::saying("proxied").await;
    let crm = connection("http://crm.invalid:8080", "/a", |config| config.proxy = by_way_of(&proxy, "http"));
    for _ in 0..2 {
        assert_eq!(crm.conn().get(cid(), [("b", 1)]).await.unwrap().text(), "proxied");
    }
    assert_eq!((proxy.requests(), proxy.connections()), (2, 1));
}

/// As DNS knows it (RFC 5891).
#[tokio::test]
async fn a_host_name_may_have_other_letters_than_ascii() {
    let proxy = Peer::saying("proxied").await;
    let crm = connection("http://Bücher.example", "/a", |config| config.proxy = by_way_of(&proxy, "http"));
    crm.conn().get(cid(), ()).await.unwrap();
    let request = proxy.last_request();
    assert_eq!(request.uri(), "http://xn--bcher-kva.example/a");
    assert_eq!(request.headers()["Host"], "xn--bcher-kva.example");
    let session = crm.conn().session();
    session.request(cid(), Method::GET, "http://例え.example:8080/é").await.unwrap();
    let request = proxy.last_request();
    assert_eq!(request.uri(), "http://xn--r8jz45g.example:8080/%C3%A9");
    assert_eq!(request.headers()["Host"], "xn--r8jz45g.example:8080");
}

#[tokio::test]
async fn the_request_to_a_proxy_is_absolute() {
    let proxy = Peer::saying("").await;
    let crm = connection("http://crm.invalid:8080", "/a", |config| config.proxy = by_way_of(&proxy, "http"));
    crm.conn().get(cid(), [("b", 1)]).await.unwrap();
    let request: Request<_> = proxy.request();
    assert_eq!(request.uri(), "http://crm.invalid:8080/a?b=1");
    assert_eq!(request.headers()["Host"], "crm.invalid:8080");
    assert_eq!(request.headers()["Proxy-Authorization"], "Basic dXNlcjpzM2NyZXQ=");
}

#[tokio::test]
async fn the_environment_names_proxies() {
    let proxy = Peer::saying("proxied").await;
    let url = format!("http://{}", proxy.address);
    let rules = ProxyRules::from_variables(|name| match name {
        "http_proxy" => Some(url.clone()),
        "no_proxy" => Some("127.0.0.1".to_owned()),
        _ => None,
    });
    let environment = Environment::new("test").unwrap().with_proxies(rules);
    let call = async |host: &str, proxy: Proxy| {
        let mut config = Config::new(1, "CRM", host, "/");
        config.proxy = proxy;
        let crm = Connection::new(config, &environment).unwrap();
        crm.conn().get(cid(), ()).await.map(|response| response.text().into_owned())
    };
    assert_eq!(call("http://crm.invalid", Proxy::Environment).await.unwrap(), "proxied");
    assert!(call("http://crm.invalid", Proxy::Direct).await.is_err());
    let direct = Peer::saying("direct").await;
    assert_eq!(call(&direct.host(), Proxy::Environment).await.unwrap(), "direct");
}

#[tokio::test]
async fn a_proxy_that_refuses_or_is_not_there() {
    let proxy = Peer::scripted(|_, mut stream| async move {
        reply(&mut stream, "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
    })
    .await;
    let crm = connection("https://crm.invalid", "/", |config| {
        config.proxy = by_way_of(&proxy, "http");
        config.retry = Some(Retry::default());
    });
    let error = crm.conn().get(cid(), ()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::Proxy { .. }));
    // The credentials would be refused again.
    assert_eq!((error.attempts(), proxy.connections()), (1, 1));
    let expected = format!(
        "`CRM`: the proxy {} gave no connection: it replied with `HTTP/1.1 407 Proxy Authentication Required`",
        proxy.address
    );
    assert_eq!(chain(&error), expected);
    assert!(!error.may_have_been_sent() && !format!("{error:?}").contains("s3cret"));

    let port = Port::reserve();
    let gone = ProxyServer::parse(&port.address().to_string()).unwrap();
    let crm = connection("http://crm.invalid", "/", |config| config.proxy = Proxy::Server(gone));
    let error = crm.conn().get(cid(), ()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("`CRM`: the proxy {} gave no connection", port.address()));
}

/// A SOCKS 5 proxy which leads everybody to `peer`, without authentication, and says what it was asked for.
async fn socks(peer: &Peer) -> (Peer, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let address = peer.address;
    let (report, asked) = tokio::sync::mpsc::unbounded_channel();
    let proxy = Peer::scripted(move |_, mut stream| {
        let report = report.clone();
        async move {
            // Two ways of authentication are offered: none, and a password.
            let mut methods = [0; 4];
            stream.read_exact(&mut methods).await.unwrap();
            stream.write_all(&[5, 0]).await.unwrap();
            let mut head = [0; 5];
            stream.read_exact(&mut head).await.unwrap();
            let mut name = vec![0; usize::from(head[4]) + 2];
            stream.read_exact(&mut name).await.unwrap();
            name.truncate(usize::from(head[4]));
            report.send(String::from_utf8(name).unwrap()).unwrap();
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
            let mut target = TcpStream::connect(address).await.unwrap();
            let _ended = copy_bidirectional(&mut stream, &mut target).await;
        }
    })
    .await;
    (proxy, asked)
}

#[tokio::test]
async fn a_socks_proxy() {
    let peer = Peer::saying("hello").await;
    let (proxy, mut asked) = socks(&peer).await;
    let crm = connection("http://crm.invalid", "/a", |config| config.proxy = by_way_of(&proxy, "socks5h"));
    assert_eq!(crm.conn().get(cid(), ()).await.unwrap().text(), "hello");
    assert_eq!(asked.recv().await.unwrap(), "crm.invalid");
    // To the other side it is a request like any other.
    assert_eq!(peer.request().uri(), "/a");
    assert!(!peer.request().headers().contains_key("Proxy-Authorization"));
}

#[tokio::test]
async fn a_unix_socket() {
    let path = std::env::temp_dir().join(format!("zato-outgoing-{}.sock", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        String::from_utf8(buffer[..count].to_vec()).unwrap()
    });
    let host = format!("unix:{}", path.display());
    let crm = connection(&host, "/a", |_| {});
    let response = crm.conn().get(cid(), ()).await.unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(response.text(), "ok");
    assert_eq!(response.url(), "http://localhost/a");
    let request = served.await.unwrap();
    assert!(
        request.starts_with("GET /a HTTP/1.1\r\n") && request.contains("Host: localhost\r\n"),
        "{request}"
    );

    let error = connection(&host, "/", |_| {}).conn().get(cid(), ()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::Connect(_)), "{error:?}");
}

#[tokio::test]
async fn a_connection_is_not_used_longer_than_its_lifetime() {
    let peer = Peer::answering(|_| Response::new(Full::default())).await;
    let crm = connection(&peer.host(), "/", |config| config.max_lifetime = Some(Duration::ZERO));
    for connections in [1, 2] {
        crm.conn().get(cid(), ()).await.unwrap();
        assert_eq!((peer.connections(), crm.idle_connections()), (connections, 0));
    }
}

#[tokio::test]
async fn https_goes_through_a_tunnel() {
    // The tunnel leads to a peer which speaks no TLS and closes, so that the handshake fails: after the tunnel was there.
    let proxy = Peer::scripted(|_, mut stream| async move {
        let request = read_request(&mut stream).await;
        assert!(request.starts_with("CONNECT crm.invalid:443 HTTP/1.1\r\n"), "{request}");
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let mut hello = [0; 3];
        stream.read_exact(&mut hello).await.unwrap();
        assert_eq!(hello[..2], [22, 3]);
    })
    .await;
    let crm = connection("https://crm.invalid", "/", |config| {
        config.proxy = by_way_of(&proxy, "http");
        config.tls.verify = zato_outgoing::Verify::Nothing;
    });
    let error = crm.conn().get(cid(), ()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::Connect(_)), "{error:?}");
    assert_eq!(error.phase(), Phase::Tls);
}
