//! Connections which many calls share: how many there are, who waits for them, and what goes by another one.

use super::*;

#[tokio::test]
async fn http2_calls_share_one_connection() {
    let server = Scripted::new([HTTP2]);
    let pool = server.pool(3);
    assert_eq!(call(&pool, "http://h/0").await.unwrap(), "/0");
    let first = pool.clone().call(request("http://h/1")).await.unwrap();
    let second = pool.clone().call(request("http://h/2")).await.unwrap();
    assert_eq!(text(second).await, "/2");
    assert_eq!(text(first).await, "/1");
    assert_eq!((server.opened(), pool.idle_connections()), (1, 1));
}

/// There is room for all of them on the connection.
#[tokio::test(start_paused = true)]
async fn replies_that_nobody_reads_do_not_hold_up_the_others() {
    let server = Scripted::new([HTTP2]);
    let pool = server.pool(6);
    let mut unread = Vec::new();
    for _ in 0..5 {
        unread.push(pool.clone().call(request("http://h/large")).await.unwrap());
        settle().await;
    }
    let other = tokio::time::timeout(Duration::from_secs(3), call(&pool, "http://h/1")).await;
    assert_eq!(other.expect("it is held up").unwrap(), "/1");
    for reply in unread {
        assert_eq!(text(reply).await.len(), LARGE);
    }
    assert_eq!(server.opened(), 1);
}

/// Calls over the limit would wait for their turn until their time is over.
#[tokio::test]
async fn calls_that_a_shared_connection_cannot_carry_have_another_one() {
    for (allowed, connections) in [(1, 6), (2, 3), (4, 2), (100, 1)] {
        let server = Scripted::new([Server::Allows(allowed)]);
        let pool = server.pool(6);
        // The bodies of all replies are still to be read.
        let calls = futures_util::future::join_all((0..6).map(|number| {
            let mut pool = pool.clone();
            pool.call(request(&format!("https://h/{number}")))
        }));
        let replies = calls.await;
        assert_eq!((server.opened(), pool.idle_connections()), (connections, connections), "{allowed}");
        for (number, reply) in replies.into_iter().enumerate() {
            assert_eq!(text(reply.unwrap()).await, format!("/{number}"));
        }
        // They are kept, and are enough for as many calls the next time.
        settle().await;
        let replies =
            futures_util::future::join_all((0..6).map(|_| pool.clone().call(request("https://h/"))));
        assert!(replies.await.iter().all(Result::is_ok));
        assert_eq!(server.opened(), connections);
    }
}

/// The calls that share its connection are not held up until their time is over, and the next one has a new connection.
#[tokio::test(start_paused = true)]
async fn an_http2_peer_that_has_vanished_is_noticed() {
    let server = Scripted::new([Server::WaitsWithHttp2, HTTP2]);
    let pool = server.pool(3);
    let begun = Instant::now();
    let (first, second) = tokio::join!(call(&pool, "https://h/1"), call(&pool, "https://h/2"));
    // Only one of them was opened first.
    assert!(matches!(first, Err(Failure::NoReply(_))), "{first:?}");
    drop(second);
    assert!(begun.elapsed() <= Duration::from_secs(11), "{:?}", begun.elapsed());
    assert_eq!(call(&pool, "https://h/3").await.unwrap(), "/3");
    assert_eq!(server.opened(), 2);
}

/// Makes a call in a runtime of its own, which then ends, whatever is under way.
fn call_and_end(pool: &Pool<Scripted>) -> Result<Bytes, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(async {
        let called = tokio::time::timeout(Duration::from_secs(4), call(pool, "https://h/1")).await;
        called.unwrap_or(Err(Failure::TimedOut { phase: Phase::FirstByte }))
    })
}

#[test]
fn a_connection_whose_runtime_has_ended_is_replaced() {
    let server = Scripted::new([HTTP2]);
    let pool = server.pool(3);
    for opened in 1..=3 {
        assert_eq!(call_and_end(&pool).unwrap(), "/1");
        assert_eq!(server.opened(), opened);
    }
}

/// What ends with a connection looks at the pool once more.
#[test]
fn a_pool_is_emptied_of_connections_whose_runtime_has_ended() {
    let pool = Scripted::new([Server::WaitsWithHttp2]).pool(3);
    assert!(call_and_end(&pool).is_err());
    let (emptied, is_empty) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        pool.retire();
        emptied.send(pool.idle_connections())
    });
    assert_eq!(is_empty.recv_timeout(Duration::from_secs(60)), Ok(0));
}

/// HTTP/2 has the host in its authority, and what else is said of it must not differ.
#[tokio::test]
async fn the_callers_own_host_is_the_one_that_is_named() {
    for (server, own, expected) in [
        (HTTP1, None, "h"),
        (HTTP1, Some("own.example:81"), "own.example:81"),
        (HTTP2, None, "h"),
        (HTTP2, Some("own.example:81"), "own.example:81"),
        (HTTP2, Some("user@own.example"), "h user@own.example"),
    ] {
        let pool = Scripted::new([server]).pool(1);
        let mut request = request("http://h/");
        if let Some(own) = own {
            request.headers_mut().insert(HOST, HeaderValue::from_static(own));
        }
        let response = pool.clone().call(request).await.unwrap();
        assert_eq!(response.headers()["hosts"], expected, "{server:?} {own:?}");
    }
}

#[tokio::test]
async fn a_request_sent_again_names_the_same_host() {
    for again in [HTTP1, HTTP2] {
        let server = Scripted::new([Server::Resets(1, h2::Reason::REFUSED_STREAM), again]);
        let pool = server.pool(1);
        assert_eq!(call(&pool, "http://h/1").await.unwrap(), "once");
        let mut request = request("http://h/2");
        request.headers_mut().insert(HOST, HeaderValue::from_static("own.example"));
        let response = pool.clone().call(request).await.unwrap();
        assert_eq!(response.headers()["hosts"], "own.example", "{again:?}");
        assert_eq!(server.opened(), 2);
    }
}

#[tokio::test]
async fn who_wants_http1_gets_it_from_then_on() {
    for answered in [0, 1] {
        let server = Scripted::new([Server::Resets(answered, h2::Reason::HTTP_1_1_REQUIRED), HTTP1]);
        let pool = server.pool(3);
        for number in 0..answered {
            assert_eq!(call(&pool, &format!("https://h/{number}")).await.unwrap(), "once");
        }
        let both = tokio::join!(call(&pool, "https://h/a"), call(&pool, "https://h/b"));
        assert_eq!((both.0.unwrap(), both.1.unwrap()), (Bytes::from("/a"), Bytes::from("/b")));
        assert_eq!(call(&pool, "https://h/c").await.unwrap(), "/c");
        assert_eq!(*server.http1_only.lock().unwrap(), [false, true, true]);
        settle().await;
        assert_eq!((pool.idle_connections(), server.closed()), (2, 1));
    }
}

#[tokio::test]
async fn a_body_that_is_gone_is_not_sent_by_http1() {
    let server = Scripted::new([Server::Resets(0, h2::Reason::HTTP_1_1_REQUIRED), HTTP1]);
    let pool = server.pool(3);
    let progress = Progress::start();
    let stream = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"body"))]);
    let mut streamed = request("https://h/1").map(|_| Body::streamed(stream, None));
    streamed.extensions_mut().insert(progress.clone());
    let error = pool.clone().call(streamed).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(cause, "it wants HTTP/1.1, and the body of the request cannot be sent again");
    assert!(matches!(error, Failure::NotSent(_)) && !progress.sent());
    assert_eq!(call(&pool, "https://h/2").await.unwrap(), "/2");
    assert_eq!(server.opened(), 2);
}

/// Otherwise it would go on for ever.
#[tokio::test]
async fn a_request_that_a_new_connection_refuses_is_not_sent_again() {
    let server = Scripted::new([Server::Resets(0, h2::Reason::REFUSED_STREAM)]);
    let error = call(&server.pool(1), "https://h/1").await.unwrap_err();
    assert!(matches!(error, Failure::NotSent(_)), "{error:?}");
    assert_eq!(server.opened(), 1);
}

#[test]
fn a_request_which_http2_returns_has_its_host_back() {
    for (own, expected) in [(None, None), (Some("own.example"), Some("own.example")), (Some("@"), Some("@"))]
    {
        let url = Uri::from_static("http://h/1");
        let mut request = request("http://h/1");
        request.headers_mut().extend(own.map(|own| (HOST, HeaderValue::from_static(own))));
        *request.uri_mut() = naming_host(url.clone(), request.headers_mut());
        give_host_back(&mut request, &url);
        assert_eq!(request.headers().get(HOST).map(|host| host.to_str().unwrap()), expected);
    }
}

/// Nobody tries to connect yet, and an attempt that fails does not hold up the others one after the other.
#[tokio::test(start_paused = true)]
async fn calls_that_wait_for_anothers_connection_say_so() {
    let server = Scripted::new([Server::RefusesLate]);
    let pool = server.pool(10);
    let begun = Instant::now();
    let records: [Progress; 4] = std::array::from_fn(|_| Progress::start());
    let calls: Vec<_> = records
        .iter()
        .map(|progress| {
            let mut request = request("https://h/");
            request.extensions_mut().insert(progress.clone());
            tokio::spawn(pool.clone().call(request))
        })
        .collect();
    settle().await;
    let phases = records.each_ref().map(Progress::phase);
    assert_eq!(phases, [Phase::Connect, Phase::Opening, Phase::Opening, Phase::Opening]);
    for call in calls {
        assert!(matches!(call.await.unwrap(), Err(Failure::Refused(_))));
    }
    assert_eq!(begun.elapsed().as_secs(), 120);
}

#[tokio::test(start_paused = true)]
async fn an_origin_does_not_wait_for_another_one() {
    let server = Scripted::new([Server::RefusesLate, HTTP2]);
    let pool = server.pool(10);
    let slow = tokio::spawn(pool.clone().call(request("https://token/")));
    settle().await;
    let begun = Instant::now();
    assert_eq!(call(&pool, "https://api/1").await.unwrap(), "/1");
    assert_eq!(begun.elapsed(), Duration::ZERO);
    assert!(slow.await.unwrap().is_err());
}

#[tokio::test]
async fn an_attempt_that_is_given_up_lets_the_next_one_in() {
    let server = Scripted::new([Server::RefusesLate, HTTP2]);
    let pool = server.pool(10);
    let mut given_up = Box::pin(call(&pool, "https://h/1"));
    assert!(is_pending(given_up.as_mut()));
    let waiting = tokio::spawn(pool.clone().call(request("https://h/2")));
    settle().await;
    assert_eq!(server.opened(), 0);
    drop(given_up);
    assert_eq!(text(waiting.await.unwrap().unwrap()).await, "/2");
}
