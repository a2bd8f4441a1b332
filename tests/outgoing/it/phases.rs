//! The phases of calls: what pings report of the one that failed, and how the time of a call is divided among them.

use std::net::TcpStream;
use std::time::Duration;

use http::Method;
use zato_outgoing::{ClientCredentials, Connection, Phase, Proxy, ProxyServer, Response, Security};
use zato_test_port::Port;

use crate::faults::check_nothing_left;
use crate::nginx;
use crate::support::recorder::{Request, Server, reply, until_closed};
use crate::support::{chain, cid, connection};

/// For calls which wait for nothing but its end.
const SHORT: Duration = Duration::from_secs(1);

/// How long a peer keeps a caller waiting who has to wait.
const TICK: Duration = Duration::from_millis(50);

/// A ping fails and reports the phase, the reason and the time. Inactive connections are pinged like others.
async fn check_ping(inactive: Connection, phase: &str, reason: &str) {
    let error = inactive.conn().get(cid(), ()).await.unwrap_err();
    assert_eq!(error.to_string(), "`peer` is inactive");
    let error = inactive.conn().ping(cid()).await.unwrap_err();
    let report = error.report().unwrap();
    let lines: Vec<&str> = report.lines().collect();
    assert!(lines[0].contains(" (UTC) HEAD http"), "{report}");
    assert_eq!(lines[1], format!("Failed while: {phase}"), "{report}");
    assert!(lines[2].starts_with("Reason: ") && lines[2].contains(reason), "{report}");
    assert!(lines[3].starts_with("Response time: 0:00:"), "{report}");
    assert!(error.to_string().contains(phase), "{error}");
    check_nothing_left(inactive, None).await;
}

fn inactive(host: &str) -> Connection {
    connection(host, "/", |config| {
        config.is_active = false;
        config.timeout = SHORT;
    })
}

#[tokio::test]
async fn pings_which_fail() {
    let port = Port::reserve();
    let gone = format!("http://{}", port.address());
    check_ping(inactive("http://host.invalid"), "resolving the host name", "host.invalid").await;
    check_ping(inactive(&gone), "connecting", "the connection was refused: ").await;

    let proxied = connection("http://crm.invalid", "/", |config| {
        config.is_active = false;
        config.proxy = Proxy::Server(ProxyServer::parse(&gone).unwrap());
    });
    check_ping(proxied, "connecting", "gave no connection: the connection was refused: ").await;

    let expired = nginx::secure("expired", |config| config.is_active = false);
    check_ping(expired, "establishing TLS", "TLS could not be established: invalid peer certificate: ").await;

    for (script, reason) in [
        (until_closed as fn(&mut TcpStream), "timed out while waiting for the reply"),
        (|stream| drop(Request::read(stream)), "the request was sent but no reply came: "),
        (|stream| assert!(reply(stream, b"220 mail ESMTP ready\r\n")), "the reply is not valid HTTP: "),
    ] {
        let server = Server::start(move |_, stream| script(stream));
        check_ping(inactive(&server.host()), "waiting for the reply", reason).await;
    }

    let unauthorized = connection("http://crm.invalid", "/", |config| {
        config.is_active = false;
        config.security =
            Some(Security::OAuth(ClientCredentials::new(format!("{gone}/token"), "id", "secret")));
    });
    let reason = "there is no access token for the request: the token endpoint could not be called: ";
    check_ping(unauthorized, "waiting for an access token", reason).await;
}

/// A ping waits for its turn like any call.
#[tokio::test]
async fn a_ping_without_a_free_connection() {
    let server = Server::start(|_, stream| until_closed(stream));
    let crm = connection(&server.host(), "/", |config| {
        config.pool_size = 1;
        config.queue_timeout = Some(SHORT);
    });
    let blocking = tokio::spawn(crm.conn().get(cid(), ()).into_future());
    while server.accepted() == 0 {
        tokio::task::yield_now().await;
    }
    let error = crm.conn().ping(cid()).await.unwrap_err();
    let report = error.report().unwrap();
    assert!(report.contains("Failed while: waiting for a free connection\n"), "{report}");
    blocking.abort();
    assert!(blocking.await.unwrap_err().is_cancelled());
    check_nothing_left(crm, Some(&server)).await;
}

const PHASES: [Phase; 7] =
    [Phase::Token, Phase::Queue, Phase::Resolve, Phase::Connect, Phase::Tls, Phase::FirstByte, Phase::Body];

/// The phases of a call which took any time.
#[track_caller]
fn passed(response: &Response) -> Vec<Phase> {
    let timing = response.timing();
    assert_eq!(PHASES.iter().map(|phase| timing.phase(*phase)).sum::<Duration>(), timing.total());
    assert_eq!(response.elapsed(), timing.total());
    PHASES.into_iter().filter(|phase| !timing.phase(*phase).is_zero()).collect()
}

async fn get(connection: &Connection) -> Response {
    connection.conn().get(cid(), ()).await.unwrap_or_else(|error| panic!("{}", chain(&error)))
}

#[tokio::test]
async fn the_time_of_a_call() {
    let crm = nginx::secure("http1", |_| {});
    let first = get(&crm).await;
    use Phase::{Body, Connect, FirstByte, Queue, Resolve, Tls};
    assert_eq!(passed(&first), [Queue, Resolve, Connect, Tls, FirstByte, Body]);
    // The second one finds everything open.
    assert_eq!(passed(&get(&crm).await), [Queue, FirstByte, Body]);
}

#[tokio::test]
async fn waiting_counts_where_it_happens() {
    let server = Server::start(|_, stream| {
        while let Some(request) = Request::read(stream) {
            use std::io::Write;
            let pause =
                |path: &str| std::thread::sleep(if request.target == path { TICK } else { Duration::ZERO });
            pause("/head");
            let _written = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab");
            pause("/body");
            let _written = stream.write_all(b"cd");
        }
    });
    let crm = connection(&server.host(), "/", |config| config.pool_size = 1);
    let call = |path: &str| crm.conn().session().request(cid(), Method::GET, path);
    for (path, phase) in [("/head", Phase::FirstByte), ("/body", Phase::Body)] {
        // On a machine that is very busy, what is waited for may be there before anybody looks.
        let mut tries = 0..50;
        while call(path).await.unwrap().timing().phase(phase) < TICK / 2 {
            assert!(tries.next().is_some(), "{path}: nothing is waited for");
        }
    }
    // The second one waits until the first one has ended.
    let (first, second) = tokio::join!(call("/head").into_future(), call("/").into_future());
    let [first, second] = [first, second].map(|reply| reply.unwrap().timing().phase(Phase::Queue));
    assert!(first < second && second >= TICK / 2, "{first:?} {second:?}");
    assert!(crm.metrics().queued >= second, "{second:?}");
}
