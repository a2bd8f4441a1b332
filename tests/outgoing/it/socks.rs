//! microsocks: connections by way of SOCKS 5, names resolved on either side, and credentials.

use std::io::Write;

use zato_outgoing::{Config, Connection, Failure, Proxy, ProxyServer, Verify};
use zato_test_port::Port;

use crate::support::peer::Peer;
use crate::support::recorder::{Request, Server};
use crate::support::{chain, cid, connection};

fn through(host: &str, proxy: &str) -> Connection {
    connection(host, "/", |config: &mut Config| {
        config.tls.verify = Verify::Nothing;
        config.proxy = Proxy::Server(ProxyServer::parse(proxy).expect("the address of a proxy"));
    })
}

fn greeter() -> Server {
    Server::start(|_, stream| {
        while Request::read(stream).is_some() {
            if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello").is_err() {
                return;
            }
        }
    })
}

#[tokio::test]
async fn names_may_be_resolved_on_either_side() {
    let (_proxy, port) = Peer::microsocks(&[]);
    let server = greeter();
    let by_name = server.host().replace("127.0.0.1", "localhost");
    for scheme in ["socks5", "socks5h"] {
        for host in [&*server.host(), &by_name] {
            let crm = through(host, &format!("{scheme}://127.0.0.1:{port}"));
            for _ in 0..2 {
                let response =
                    crm.conn().get(cid(), ()).await.unwrap_or_else(|error| panic!("{}", chain(&error)));
                assert_eq!(response.text(), "hello");
            }
        }
    }
}

#[tokio::test]
async fn tls_goes_through() {
    let (_proxy, port) = Peer::microsocks(&[]);
    let crm = through(&crate::nginx::secured_host(), &format!("socks5h://127.0.0.1:{port}"));
    let response = crm.conn().get(cid(), ()).await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert!(response.text().starts_with("HTTP/2.0 TLSv1.3"), "{}", response.text());
}

#[tokio::test]
async fn passwords() {
    let (_proxy, port) = Peer::microsocks(&["-u", "user", "-P", "secret"]);
    let server = greeter();
    let right = through(&server.host(), &format!("socks5h://user:secret@127.0.0.1:{port}"));
    assert_eq!(right.conn().get(cid(), ()).await.unwrap().text(), "hello");
    for credentials in ["", "user:wrong@"] {
        let wrong = through(&server.host(), &format!("socks5h://{credentials}127.0.0.1:{port}"));
        let error = wrong.conn().get(cid(), ()).await.unwrap_err();
        assert!(matches!(error.kind(), Failure::Proxy { .. }), "{error:?}");
        assert!(!error.may_have_been_sent());
    }
}

#[tokio::test]
async fn a_server_that_is_not_there() {
    let (_proxy, port) = Peer::microsocks(&[]);
    let nobody = Port::reserve();
    let nobody = through(&format!("http://{}", nobody.address()), &format!("socks5h://127.0.0.1:{port}"));
    let error = nobody.conn().get(cid(), ()).await.unwrap_err();
    assert!(chain(&error).contains("the connection was refused"), "{}", chain(&error));
}

/// Only the proxy asks for the name that it is given.
#[tokio::test]
async fn a_name_that_nobody_knows() {
    let (_proxy, port) = Peer::microsocks(&[]);
    let here = through("http://host.invalid", &format!("socks5://127.0.0.1:{port}"));
    let error = here.conn().get(cid(), ()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::Resolve { host, .. } if host == "host.invalid"), "{error:?}");
    let there = through("http://host.invalid", &format!("socks5h://127.0.0.1:{port}"));
    let error = there.conn().get(cid(), ()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::Proxy { .. }), "{error:?}");
    assert!(chain(&error).contains("it could not connect"), "{}", chain(&error));
}
