//! Peers which misbehave: every failure has its error, ends in time, and leaks neither a connection nor a task.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use http::Method;
use zato_outgoing::{Body, Call, Config, Connection, Failure, Phase};

use crate::support::recorder::{Request, Server, await_request, half_close, reply, until_closed};
use crate::support::{chain, cid, connection};

/// For calls which wait for nothing but its end.
const SHORT: Duration = Duration::from_millis(600);

/// For calls which must not wait for its end.
const LONG: Duration = Duration::from_secs(20);

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn to(server: &Server, change: impl FnOnce(&mut Config)) -> Connection {
    connection(&server.host(), "/", |config| {
        config.timeout = LONG;
        change(config);
    })
}

/// Nothing is left of the connection's calls once it is gone: no task here, no open connection there.
pub(crate) async fn check_nothing_left(connection: Connection, server: Option<&Server>) {
    drop(connection);
    let begun = Instant::now();
    loop {
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        let open = server.map_or(0, Server::open);
        if tasks == 0 && open == 0 {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{tasks} tasks and {open} connections are left");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// What a failed call has to say.
struct Expected {
    kind: fn(&Failure) -> bool,
    may_have_been_sent: bool,
    /// Whether it is the time-out that ends the call.
    late: bool,
}

macro_rules! expected {
    ($pattern:pat, $sent:literal, $late:literal) => {
        Expected { kind: |failure| matches!(failure, $pattern), may_have_been_sent: $sent, late: $late }
    };
}

async fn check_call(call: Call, expected: &Expected, name: &str) {
    let begun = Instant::now();
    let call = if expected.late { call.timeout(SHORT) } else { call };
    let error = match call.await {
        Ok(response) => panic!("{name}: a reply with status {}", response.status()),
        Err(error) => error,
    };
    assert!((expected.kind)(error.kind()), "{name}: {error:?}");
    assert_eq!(error.may_have_been_sent(), expected.may_have_been_sent, "{name}: {error:?}");
    assert_eq!(error.connection(), "peer");
    assert_eq!(error.is_timeout(), expected.late, "{name}: {error:?}");
    let elapsed = begun.elapsed();
    if expected.late {
        assert!((SHORT..SHORT * 8).contains(&elapsed), "{name}: {elapsed:?}");
    } else {
        assert!(elapsed < LONG / 2, "{name}: {elapsed:?}");
    }
}

/// Makes a call to a peer which does as `script` says with every connection.
async fn check(name: &str, script: fn(&mut TcpStream), expected: Expected) {
    let server = Server::start(move |_, stream| script(stream));
    let crm = to(&server, |_| {});
    // POST is never sent twice, so that the error is that of the one attempt.
    check_call(crm.conn().post(cid(), "body"), &expected, name).await;
    assert_eq!(server.accepted(), 1, "{name}");
    assert_eq!(crm.idle_connections(), 0, "{name}");
    check_nothing_left(crm, Some(&server)).await;
}

/// Sends one thing after having read a request.
fn say(stream: &mut TcpStream, text: &[u8]) {
    reply(stream, text);
}

/// Sends one thing after having read a request, then waits for the other side to go away.
fn say_and_wait(stream: &mut TcpStream, text: &[u8]) {
    if reply(stream, text) {
        until_closed(stream);
    }
}

/// Sends the same thing again and again until nobody takes it any more.
fn say_for_ever(stream: &mut TcpStream, head: &[u8], text: &[u8], pause: Duration) {
    if reply(stream, head) {
        while stream.write_all(text).is_ok() {
            std::thread::sleep(pause);
        }
    }
}

const TICK: Duration = Duration::from_millis(20);

#[tokio::test]
async fn connections_which_break() {
    let no_reply = || expected!(Failure::NoReply(_), true, false);
    let cut_off = || expected!(Failure::CutOff(_), true, false);
    check("closed before the head", |stream| drop(Request::read(stream)), no_reply()).await;
    check("reset before the head", await_request, no_reply()).await;
    check(
        "closed in the middle of the head",
        |stream| say(stream, b"HTTP/1.1 200 OK\r\nContent-Le"),
        no_reply(),
    )
    .await;
    check(
        "reset in the middle of the head",
        |stream| {
            await_request(stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Le").unwrap();
        },
        no_reply(),
    )
    .await;
    check(
        "closed in the middle of the body",
        |stream| say(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"),
        cut_off(),
    )
    .await;
    check(
        "half closed in the middle of the body",
        |stream| {
            reply(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
            half_close(stream);
            until_closed(stream);
        },
        cut_off(),
    )
    .await;
    check(
        "reset in the middle of the body",
        |stream| {
            await_request(stream);
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345").unwrap();
        },
        Expected {
            // Whether the head is read before the reset arrives is up to the operating system.
            kind: |failure| matches!(failure, Failure::NoReply(_) | Failure::CutOff(_)),
            may_have_been_sent: true,
            late: false,
        },
    )
    .await;
    check(
        "closed in the middle of the chunks",
        |stream| say(stream, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n12345\r\n"),
        cut_off(),
    )
    .await;
}

#[tokio::test]
async fn replies_which_are_not_http() {
    let invalid = || expected!(Failure::InvalidReply(_), true, false);
    let cut_off = || expected!(Failure::CutOff(_), true, false);
    check("another protocol", |stream| say_and_wait(stream, b"220 mail ESMTP ready\r\n"), invalid()).await;
    check("a TLS alert", |stream| say_and_wait(stream, b"\x15\x03\x03\x00\x02\x02\x46"), invalid()).await;
    check(
        "a bad size of a chunk",
        |stream| {
            say_and_wait(stream, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n12345\r\n")
        },
        cut_off(),
    )
    .await;
    check(
        "a chunk longer than its size",
        |stream| {
            say_and_wait(
                stream,
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n12345\r\n0\r\n\r\n",
            )
        },
        cut_off(),
    )
    .await;
    check(
        "a size of a chunk that no number holds",
        |stream| {
            say_and_wait(
                stream,
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n1",
            );
        },
        cut_off(),
    )
    .await;
    check(
        "two lengths",
        |stream| say_and_wait(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12"),
        invalid(),
    )
    .await;
    check(
        "no length",
        |stream| say_and_wait(stream, b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
        invalid(),
    )
    .await;
    check(
        "a head without end",
        |stream| {
            say_for_ever(
                stream,
                b"HTTP/1.1 200 OK\r\n",
                &[b"X-Long: ", &[b'x'; 8000][..], b"\r\n"].concat(),
                Duration::ZERO,
            )
        },
        invalid(),
    )
    .await;
    check(
        "too many headers",
        |stream| {
            say_and_wait(stream, &[b"HTTP/1.1 200 OK\r\n", &*b"X-A: 1\r\n".repeat(2000), b"\r\n"].concat())
        },
        invalid(),
    )
    .await;
}

#[tokio::test]
async fn replies_which_are_slow() {
    let head = || expected!(Failure::TimedOut { phase: Phase::FirstByte }, true, true);
    let body = || expected!(Failure::TimedOut { phase: Phase::Body }, true, true);
    check("no reply", until_closed, head()).await;
    check("half a head", |stream| say_and_wait(stream, b"HTTP/1.1 200 OK\r\nContent"), head()).await;
    check("a slow head", |stream| say_for_ever(stream, b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n", TICK), head())
        .await;
    check(
        "half a body",
        |stream| say_and_wait(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1"),
        body(),
    )
    .await;
    check(
        "a slow body",
        |stream| say_for_ever(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n", b"x", TICK),
        body(),
    )
    .await;
    check(
        "chunks without end",
        |stream| {
            say_for_ever(
                stream,
                b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                b"1\r\nx\r\n",
                TICK,
            );
        },
        body(),
    )
    .await;
    check(
        "the interim reply only",
        |stream| {
            say_for_ever(stream, b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 100 Continue\r\n\r\n", TICK);
        },
        head(),
    )
    .await;
}

#[tokio::test]
async fn a_body_without_end_meets_the_limit() {
    let server = Server::start(|_, stream| {
        say_for_ever(
            stream,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            &[b"4000\r\n", &[b'x'; 0x4000][..], b"\r\n"].concat(),
            Duration::ZERO,
        );
    });
    let crm = to(&server, |config| config.response_limit = 1024 * 1024);
    let expected = expected!(Failure::TooLarge { limit: 0x10_0000 }, true, false);
    check_call(crm.conn().get(cid(), ()), &expected, "a body without end").await;
    check_nothing_left(crm, Some(&server)).await;
}

#[tokio::test]
async fn an_announced_length_above_the_limit_is_refused_at_once() {
    let server = Server::start(|_, stream| {
        say_and_wait(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
    });
    let crm = to(&server, |_| {});
    let expected = expected!(Failure::TooLarge { .. }, true, false);
    check_call(crm.conn().get(cid(), ()), &expected, "a huge length").await;
    check_nothing_left(crm, Some(&server)).await;
}

#[tokio::test]
async fn a_small_reply_which_becomes_a_large_one_meets_the_limit() {
    // The same small member again and again.
    let server = Server::start(|_, stream| {
        let bomb = base64_decode(BOMB);
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
            bomb.len() * 64
        );
        say_and_wait(stream, &[head.as_bytes(), &bomb.repeat(64)].concat());
    });
    let crm = to(&server, |config| config.response_limit = 512 * 1024);
    let expected = expected!(Failure::TooLarge { limit: 0x8_0000 }, true, false);
    check_call(crm.conn().get(cid(), ()), &expected, "a bomb").await;
    check_nothing_left(crm, Some(&server)).await;
}

#[tokio::test]
async fn replies_which_are_not_compressed_as_they_say() {
    for (encoding, body) in
        [("gzip", "not gzip"), ("deflate", "\u{7}\u{7}\u{7}"), ("br", "~~~~~~~"), ("zstd", "no")]
    {
        let server = Server::start(move |_, stream| {
            let length = body.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {length}\r\n\r\n"
            );
            say_and_wait(stream, &[head.as_bytes(), body.as_bytes()].concat());
        });
        let crm = to(&server, |_| {});
        let expected = expected!(Failure::Decompress(_), true, false);
        check_call(crm.conn().get(cid(), ()), &expected, encoding).await;
        check_nothing_left(crm, Some(&server)).await;
    }
}

#[tokio::test]
async fn refused() {
    let address = Server::start(|_, _| {}).address;
    let crm = connection(&format!("http://{address}"), "/", |config| config.timeout = LONG);
    check_call(crm.conn().get(cid(), ()), &expected!(Failure::Refused(_), false, false), "refused").await;
    check_nothing_left(crm, None).await;
}

#[tokio::test]
async fn no_such_host() {
    let crm = connection("http://host.invalid", "/", |config| config.timeout = LONG);
    let call = crm.conn().get(cid(), ());
    check_call(call, &expected!(Failure::Resolve { .. }, false, false), "no such host").await;
    let error = crm.conn().get(cid(), ()).await.unwrap_err();
    assert!(chain(&error).contains("resolve"), "{}", chain(&error));
    check_nothing_left(crm, None).await;
}

/// Whoever accepts connections and says nothing holds up TLS, which ends with the time-out like everything else.
#[tokio::test]
async fn tls_without_an_answer() {
    let server = Server::start(|_, stream| until_closed(stream));
    let crm = connection(&format!("https://{}", server.address), "/", |config| config.timeout = LONG);
    let expected = expected!(Failure::TimedOut { phase: Phase::Tls }, false, true);
    check_call(crm.conn().get(cid(), ()), &expected, "no TLS").await;
    check_nothing_left(crm, Some(&server)).await;
}

#[tokio::test]
async fn tls_which_breaks() {
    for script in [(|stream| say(stream, OK)) as fn(&mut TcpStream), |_| {}, await_request] {
        let server = Server::start(move |_, stream| script(stream));
        let crm =
            connection(&format!("https://{}", server.address), "/", |config| config.timeout = SHORT * 4);
        let error = crm.conn().get(cid(), ()).await.unwrap_err();
        // One who closes without a word has said nothing of TLS.
        let is_expected = match error.kind() {
            Failure::Tls(_) | Failure::TimedOut { phase: Phase::Tls } => true,
            Failure::Connect(_) => error.phase() == Phase::Tls,
            _ => false,
        };
        assert!(is_expected && !error.may_have_been_sent(), "{error:?}");
        check_nothing_left(crm, Some(&server)).await;
    }
}

/// The peer closes each connection as soon as it has replied, without having said so. Nobody notices.
#[tokio::test]
async fn stale_connections_are_no_errors() {
    let server = Server::start(|_, stream| say(stream, OK));
    let crm = to(&server, |_| {});
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS] {
        for _ in 0..40 {
            let call = crm.conn().session().request(cid(), method.clone(), "/");
            let response = call.await.unwrap_or_else(|error| panic!("{method}: {}", chain(&error)));
            assert_eq!(response.status(), 200);
        }
    }
    check_nothing_left(crm, Some(&server)).await;
}

/// The peer takes the request on a kept connection and only then closes it without a reply: the worst moment.
#[tokio::test]
async fn a_kept_connection_which_ends_with_the_request_is_no_error_for_an_idempotent_call() {
    let server = Server::start(|number, stream| {
        reply(stream, OK);
        if number % 2 == 0 {
            drop(Request::read(stream));
        } else {
            until_closed(stream);
        }
    });
    let crm = to(&server, |config| config.retry = Some(zato_outgoing::Retry::default()));
    for _ in 0..2 {
        crm.conn().get(cid(), ()).await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    }
    assert_eq!(server.accepted(), 2);
    check_nothing_left(crm, Some(&server)).await;
}

#[tokio::test]
async fn an_exhausted_pool() {
    let server = Server::start(|_, stream| until_closed(stream));
    let crm = to(&server, |config| {
        config.pool_size = 1;
        config.queue_size = 1;
    });
    let blocking = tokio::spawn(crm.conn().get(cid(), ()).into_future());
    while server.accepted() == 0 {
        tokio::task::yield_now().await;
    }
    let queue = expected!(Failure::TimedOut { phase: Phase::Queue }, false, true);
    check_call(crm.conn().get(cid(), ()), &queue, "pool exhausted").await;

    let waiting = tokio::spawn(crm.conn().get(cid(), ()).into_future());
    while crm.waiting_calls() == 0 {
        tokio::task::yield_now().await;
    }
    let full = expected!(Failure::QueueFull { limit: 1 }, false, false);
    check_call(crm.conn().get(cid(), ()), &full, "queue full").await;
    assert_eq!(server.accepted(), 1);

    for call in [blocking, waiting] {
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
    }
    assert_eq!(crm.waiting_calls(), 0);
    check_nothing_left(crm, Some(&server)).await;
}

/// A call that is dropped, whatever it is doing, takes its connection along and makes room for others.
#[tokio::test]
async fn cancelled_calls() {
    let scripts: [fn(&mut TcpStream); 3] = [
        until_closed,
        |stream| say_and_wait(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1"),
        |stream| say_for_ever(stream, b"HTTP/1.1 200 OK\r\n", b"X-A: 1\r\n", TICK),
    ];
    for script in scripts {
        let server = Server::start(move |_, stream| script(stream));
        let crm = to(&server, |config| config.pool_size = 4);
        for _ in 0..20 {
            let calls: Vec<_> =
                (0..4).map(|_| tokio::spawn(crm.conn().post(cid(), "a").into_future())).collect();
            let before = server.accepted();
            while server.accepted() == before {
                tokio::task::yield_now().await;
            }
            for call in calls {
                call.abort();
                assert!(call.await.unwrap_err().is_cancelled());
            }
        }
        assert_eq!((crm.idle_connections(), crm.waiting_calls()), (0, 0));
        check_nothing_left(crm, Some(&server)).await;
    }
}

/// The peer replies without having read the whole body, which is never sent to its end.
#[tokio::test]
async fn a_reply_before_the_end_of_the_request() {
    let server = Server::start(|_, stream| {
        await_request(stream);
        stream
            .write_all(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .unwrap();
        until_closed(stream);
    });
    let crm = to(&server, |_| {});
    let pieces = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
    let response = crm.conn().post(cid(), Body::streamed(pieces, None)).await.unwrap();
    assert_eq!(response.status(), 413);
    // A response knows its connection, which would not be gone otherwise.
    drop(response);
    check_nothing_left(crm, Some(&server)).await;
}

#[tokio::test]
async fn a_stream_that_fails_ends_the_call() {
    let server = Server::start(|_, stream| until_closed(stream));
    let crm = to(&server, |_| {});
    let pieces = [Ok(bytes::Bytes::from("a")), Err(std::io::Error::other("the disk is gone"))];
    let call = crm.conn().post(cid(), Body::streamed(futures_util::stream::iter(pieces), Some(2)));
    let error = call.await.unwrap_err();
    assert!(matches!(error.kind(), Failure::RequestBody(_)), "{error:?}");
    assert!(chain(&error).contains("the disk is gone"), "{}", chain(&error));
    check_nothing_left(crm, Some(&server)).await;
}

/// A reply that is streamed and dropped in the middle leaves nothing behind.
#[tokio::test]
async fn streamed_replies_which_nobody_reads_to_the_end() {
    let server = Server::start(|_, stream| {
        say_for_ever(stream, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", TICK);
    });
    let crm = to(&server, |_| {});
    for _ in 0..10 {
        let mut response = crm.conn().get(cid(), ()).prefetch(false).await.unwrap();
        assert!(response.chunk().await.unwrap().is_some());
    }
    check_nothing_left(crm, Some(&server)).await;
}

/// A hundred bad calls, and the good ones in between are as good as ever.
#[tokio::test]
async fn faults_do_not_spoil_the_calls_after_them() {
    let server = Server::start(|number, stream| match number % 3 {
        0 => drop(Request::read(stream)),
        1 => say(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345"),
        _ => say(stream, b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"),
    });
    let crm = to(&server, |config| config.pool_size = 2);
    let mut outcomes = [0_usize; 3];
    for _ in 0..99 {
        let outcome = match crm.conn().post(cid(), "a").await {
            Ok(response) if response.text() == "ok" => 2,
            Ok(response) => panic!("{}", response.text()),
            Err(error) if matches!(error.kind(), Failure::CutOff(_)) => 1,
            Err(error) => {
                assert!(matches!(error.kind(), Failure::NoReply(_)), "{error:?}");
                0
            }
        };
        outcomes[outcome] += 1;
    }
    assert_eq!(outcomes, [33, 33, 33]);
    check_nothing_left(crm, Some(&server)).await;
}

/// 64 KiB of zeros as gzip writes them.
const BOMB: &str = "H4sIAAAAAAACA+3BAQEAAACAkP6v7ggKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAauuOl9cAAAEA";

fn base64_decode(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}
