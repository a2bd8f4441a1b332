//! What connections and calls cost in memory.

use std::convert::Infallible;
use std::net::SocketAddr;

use allocation_counter::{AllocationInfo, measure};
use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use zato_outgoing::{CircuitBreaker, Config, Connection, Outgoing, Retry, Secret, Security};

use crate::peer::{cid, connection, environment};

#[test]
fn a_connection_that_is_not_used_is_small() {
    const CONNECTIONS: i64 = 10_000;
    let configs: Vec<_> = (0..CONNECTIONS)
        .map(|id| {
            let mut config =
                Config::new(id, format!("CRM {id}"), "https://crm.example.com", "/customers/{id}");
            let (username, password) = ("user".to_owned(), Secret::from("secret"));
            config.security = Some(Security::BasicAuth { username, password });
            config.retry = Some(Retry::default());
            config.circuit_breaker = Some(CircuitBreaker::default());
            config
        })
        .collect();
    let outgoing = Outgoing::new(environment());
    let configured = measure(|| drop(configs.clone())).bytes_max;
    let mut errors = Vec::new();
    let info = measure(|| errors = outgoing.replace_all(configs));
    assert!(errors.is_empty());
    // What the configurations took up belongs to the connections now, or is free.
    let each = (info.bytes_current + i64::try_from(configured).unwrap()) / CONNECTIONS;
    println!("{each} bytes a connection");
    assert!(each <= 2048, "{each} bytes");
}

/// A server on a thread of its own, whose allocations are not counted here.
fn serve() -> SocketAddr {
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            send.send(listener.local_addr().unwrap()).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = service_fn(async |_| {
                    Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(&[b'a'; 1024]))))
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
    });
    receive.recv().unwrap()
}

/// The allocations of one call on a connection that is open already.
fn allocations(crm: &Connection) -> AllocationInfo {
    const CALLS: u64 = 50;
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let call = async || {
        let response = crm.conn().post(cid(), Bytes::from_static(b"{}")).await.unwrap();
        assert_eq!(response.bytes().len(), 1024);
    };
    runtime.block_on(async {
        for _ in 0..3 {
            call().await;
        }
    });
    let mut info = measure(|| {
        runtime.block_on(async {
            for _ in 0..CALLS {
                call().await;
            }
        });
    });
    info.count_total /= CALLS;
    info.bytes_total /= CALLS;
    info
}

/// The default stack does more than the bare one, and pays for it with few allocations.
#[test]
fn layers_are_cheap() {
    let host = format!("http://{}", serve());
    let bare = connection(&host, "/", |config| {
        config.keep_cookies = false;
        config.max_redirects = 0;
        config.decompress = false;
    });
    let whole = connection(&host, "/", |_| {});
    let (bare, whole) = (allocations(&bare), allocations(&whole));
    println!("{} allocations of a bare call, {} of a whole one", bare.count_total, whole.count_total);
    let more = whole.count_total.saturating_sub(bare.count_total);
    assert!(more <= 8, "{more} more than {}", bare.count_total);
    assert!(whole.count_total <= 32, "{}", whole.count_total);
}
