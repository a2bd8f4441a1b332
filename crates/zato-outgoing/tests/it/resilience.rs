//! Retries, the circuit breaker, the queue, narrow time-outs, and what is counted of all that.

use std::future::IntoFuture;
use std::time::Duration;

use http::{Response, StatusCode};
use http_body_util::Full;
use tokio::io::AsyncWriteExt;
use zato_outgoing::layers::oauth::TokenError;
use zato_outgoing::{
    CircuitBreaker, ClientCredentials, Config, Failure, FailureKind, Outgoing, Phase, PhaseTimeouts, Retries,
    Retry, Security, Trip, Verify,
};

use crate::peer::{Peer, chain, cid, connection, environment, read_request, reply, until_closed};

const SHORT: Duration = Duration::from_millis(600);
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nreply";

fn retrying(config: &mut Config) {
    config.retry = Some(Retry { backoff: Duration::from_millis(1), ..Retry::default() });
}

/// A peer that reads a request and says `first` on its first connections, and replies properly on the one after them.
async fn after(first: &'static [&'static str]) -> Peer {
    Peer::scripted(move |number, mut stream| async move {
        match first.get(number) {
            Some(text) => {
                read_request(&mut stream).await;
                stream.write_all(text.as_bytes()).await.unwrap();
            }
            None => {
                reply(&mut stream, OK).await;
                until_closed(&mut stream).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn a_call_without_a_reply_is_made_again() {
    let peer = after(&["", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nre"]).await;
    let crm = connection(&peer.host(), "/", retrying);
    let response = crm.conn().get(cid(), ()).await.unwrap();
    assert_eq!((response.text().as_ref(), response.attempts()), ("reply", 3));
    assert_eq!(crm.metrics().retries, 2);
}

#[tokio::test]
async fn attempts_come_to_an_end() {
    let peer = after(&["", "", "", ""]).await;
    let crm = connection(&peer.host(), "/", retrying);
    let error = crm.conn().put(cid(), "a").await.unwrap_err();
    assert_eq!((error.attempts(), peer.connections()), (3, 3));
    assert!(error.may_have_been_sent());
}

#[tokio::test]
async fn what_may_have_had_its_effect_is_not_made_again_unasked() {
    let peer = after(&["", ""]).await;
    let crm = connection(&peer.host(), "/", retrying);
    let error = crm.conn().post(cid(), "a").await.unwrap_err();
    assert_eq!((error.attempts(), peer.connections()), (1, 1));
    let response = crm.conn().post(cid(), "a").retries(Retries::Always).await.unwrap();
    assert_eq!(response.attempts(), 2);
}

/// Nobody has said that there is anything wrong with it, and nothing was sent.
#[tokio::test]
async fn a_connection_that_ends_before_there_is_tls_is_opened_again() {
    let peer = Peer::scripted(|_, stream| async move { drop(stream) }).await;
    let crm = connection(&format!("https://{}", peer.address), "/", |config| {
        retrying(config);
        config.tls.verify = Verify::Nothing;
    });
    let error = crm.conn().post(cid(), "a").await.unwrap_err();
    assert!(matches!(error.kind(), Failure::Connect(_)), "{error:?}");
    assert_eq!((error.attempts(), peer.connections()), (3, 3));
}

/// The call's own request has not been sent, so that its method does not matter.
#[tokio::test]
async fn a_token_endpoint_that_does_not_reply_counts_as_the_other_side() {
    let peer = Peer::saying("reply").await;
    let endpoint = after(&["", ""]).await;
    let crm = connection(&peer.host(), "/", |config| {
        retrying(config);
        config.circuit_breaker =
            Some(CircuitBreaker { trip: Trip::Consecutive { failures: 1 }, ..CircuitBreaker::default() });
        let client = ClientCredentials::new(endpoint.host(), "id", "s3cret");
        config.security = Some(Security::OAuth(client));
    });
    let error = crm.conn().post(cid(), "a").await.unwrap_err();
    // The third attempt got a reply, which is no token.
    let is_reply = |error: &TokenError| matches!(error, TokenError::Reply(_));
    assert!(matches!(error.kind(), Failure::Token(error) if is_reply(error)), "{error:?}");
    assert_eq!((error.attempts(), endpoint.connections(), peer.requests()), (3, 3, 0));
    assert!(!error.may_have_been_sent());
    drop(endpoint);
    let error = crm.conn().post(cid(), "a").await.unwrap_err();
    assert!(matches!(error.kind(), Failure::Token(error) if !is_reply(error)), "{error:?}");
    let error = crm.conn().post(cid(), "a").await.unwrap_err();
    assert!(matches!(error.kind(), Failure::CircuitOpen { .. }), "{error:?}");
}

#[tokio::test]
async fn a_token_request_has_the_time_outs_of_phases() {
    let endpoint = Peer::scripted(|_, mut stream| async move { until_closed(&mut stream).await }).await;
    let crm = connection(&endpoint.host(), "/", |config| {
        config.security = Some(Security::OAuth(ClientCredentials::new(endpoint.host(), "id", "s3cret")));
        config.phase_timeouts.first_byte = Some(Duration::from_millis(50));
    });
    let error = crm.conn().post(cid(), "a").await.unwrap_err();
    let expected = "`CRM`: there is no access token for the request: the token endpoint could not be called: \
                    timed out while waiting for the reply";
    assert_eq!(chain(&error), expected);
    assert!(!error.may_have_been_sent());
}

#[tokio::test]
async fn without_being_configured_there_are_no_retries() {
    let peer = after(&[""]).await;
    let error = connection(&peer.host(), "/", |_| {}).conn().get(cid(), ()).await.unwrap_err();
    assert_eq!((error.attempts(), peer.connections()), (1, 1));
}

#[tokio::test]
async fn a_busy_peer_says_when_to_come_back() {
    let peer = after(&["HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"]).await;
    let crm = connection(&peer.host(), "/", retrying);
    let response = crm.conn().get(cid(), ()).await.unwrap();
    assert_eq!((response.status(), response.attempts()), (StatusCode::OK, 2));
    assert!(response.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_circuit_opens_and_says_for_how_long() {
    let peer = Peer::answering(|_| Response::builder().status(500).body(Full::default()).unwrap()).await;
    let crm = connection(&peer.host(), "/", |config| {
        let trip = Trip::Consecutive { failures: 2 };
        config.circuit_breaker = Some(CircuitBreaker { trip, ..CircuitBreaker::default() });
    });
    for _ in 0..2 {
        assert_eq!(crm.conn().get(cid(), ()).await.unwrap().status(), 500);
    }
    let error = crm.conn().get(cid(), ()).await.unwrap_err();
    let Failure::CircuitOpen { retry_in } = error.kind() else { panic!("{error:?}") };
    assert!((Duration::from_secs(29)..=Duration::from_secs(30)).contains(retry_in));
    assert!(!error.may_have_been_sent());
    assert_eq!(peer.requests(), 2);
    assert!(crm.conn().ping(cid()).await.unwrap().contains("Code: 500"));
}

/// It is another program that replies there, or one in front of it.
#[tokio::test]
async fn a_circuit_opens_for_replies_that_are_none() {
    for reply in
        ["220 ESMTP\r\n", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone"]
    {
        let peer = after(vec![reply; 2].leak()).await;
        let crm = connection(&peer.host(), "/", |config| {
            let trip = Trip::Consecutive { failures: 2 };
            config.circuit_breaker = Some(CircuitBreaker { trip, ..CircuitBreaker::default() });
        });
        for _ in 0..2 {
            let error = crm.conn().get(cid(), ()).await.unwrap_err();
            assert!(matches!(error.kind(), Failure::InvalidReply(_) | Failure::Decompress(_)), "{error:?}");
        }
        let error = crm.conn().get(cid(), ()).await.unwrap_err();
        assert!(matches!(error.kind(), Failure::CircuitOpen { .. }), "{error:?}");
        assert!(crm.metrics().failures().any(|counted| counted == (FailureKind::Malformed, 2)));
    }
}

/// A peer that takes requests and never replies, and a connection to it on which one call is under way.
async fn occupied(change: impl FnOnce(&mut Config)) -> (Peer, zato_outgoing::Connection, impl Drop) {
    struct Abort(tokio::task::JoinHandle<()>);
    impl Drop for Abort {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let peer = Peer::scripted(|_, mut stream| async move {
        until_closed(&mut stream).await;
    })
    .await;
    let crm = connection(&peer.host(), "/", |config| {
        config.pool_size = 1;
        change(config);
    });
    let call = crm.conn().get(cid(), ()).into_future();
    let blocking = Abort(tokio::spawn(async move {
        let _result = call.await;
    }));
    while peer.connections() == 0 {
        tokio::task::yield_now().await;
    }
    (peer, crm, blocking)
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let (_peer, crm, _blocking) = occupied(|config| config.queue_size = 1).await;
    let waiting = tokio::spawn(crm.conn().get(cid(), ()).timeout(SHORT).into_future());
    while crm.waiting_calls() == 0 {
        tokio::task::yield_now().await;
    }
    let error = crm.conn().get(cid(), ()).await.unwrap_err();
    assert_eq!(error.to_string(), "`CRM`: 1 calls wait for a free connection already");
    assert!(!error.may_have_been_sent());
    assert!(waiting.await.unwrap().unwrap_err().is_timeout());
    assert_eq!(crm.waiting_calls(), 0);
}

/// The reply says more than that the time would have run out.
#[tokio::test]
async fn a_wait_that_the_call_has_no_time_for_is_not_begun() {
    let peer = Peer::answering(|_| {
        Response::builder().status(503).header("Retry-After", "3").body(Full::from("busy")).unwrap()
    })
    .await;
    let crm = connection(&peer.host(), "/", |config| config.retry = Some(Retry::default()));
    let response = crm.conn().get(cid(), ()).timeout(Duration::from_secs(2)).await.unwrap();
    assert_eq!((response.status().as_u16(), response.text().as_ref(), response.attempts()), (503, "busy", 1));
}

#[tokio::test]
async fn waiting_for_a_turn_may_have_its_own_limit() {
    let (_peer, crm, _blocking) = occupied(|config| config.queue_timeout = Some(SHORT)).await;
    let error = crm.conn().get(cid(), ()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::TimedOut { phase: Phase::Queue }), "{error:?}");
    assert!(error.elapsed() < crm_timeout());
    let metrics = crm.metrics();
    assert!(metrics.queued >= SHORT);
    assert!(metrics.failures().any(|counted| counted == (FailureKind::Queue, 1)));
    assert_eq!((metrics.calls, metrics.in_flight), (2, 1));
}

/// The time-out of connections that say nothing else.
fn crm_timeout() -> Duration {
    Config::new(1, "CRM", "http://localhost", "/").timeout
}

#[tokio::test]
async fn the_first_byte_may_have_its_own_time() {
    let limits = PhaseTimeouts { first_byte: Some(SHORT), ..PhaseTimeouts::default() };
    let (_peer, crm, _blocking) = occupied(|config| {
        config.pool_size = 2;
        config.phase_timeouts = limits;
    })
    .await;
    let error = crm.conn().get(cid(), ()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::TimedOut { phase: Phase::FirstByte }), "{error:?}");
    assert!(error.elapsed() < crm_timeout());
}

#[tokio::test]
async fn a_body_that_stands_still_is_given_up() {
    let peer = Peer::scripted(|_, mut stream| async move {
        reply(&mut stream, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345").await;
        until_closed(&mut stream).await;
    })
    .await;
    let limits = PhaseTimeouts { idle_body: Some(SHORT), ..PhaseTimeouts::default() };
    let crm = connection(&peer.host(), "/", |config| config.phase_timeouts = limits);
    let error = crm.conn().get(cid(), ()).await.unwrap_err();
    assert!(matches!(error.kind(), Failure::TimedOut { phase: Phase::Body }), "{error:?}");
    assert!(error.elapsed() < crm_timeout());
    let mut streamed = crm.conn().get(cid(), ()).prefetch(false).await.unwrap();
    assert_eq!(streamed.chunk().await.unwrap().unwrap(), "12345");
    assert!(streamed.chunk().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn counters_go_on_when_a_connection_is_replaced() {
    let peer = Peer::saying("reply").await;
    let outgoing = Outgoing::new(environment());
    let config = || Config::new(7, "CRM", peer.host(), "/");
    outgoing.replace(config()).unwrap();
    outgoing.plain_http("CRM").unwrap().conn().get(cid(), ()).await.unwrap();
    outgoing.replace(config()).unwrap();
    outgoing.plain_http("CRM").unwrap().conn().get(cid(), ()).await.unwrap();
    outgoing.replace_all([config()]);
    let connections = outgoing.connections();
    let [crm] = connections.as_slice() else { panic!("{connections:?}") };
    let metrics = crm.metrics();
    assert_eq!((metrics.calls, metrics.in_flight, metrics.latency.count()), (2, 0, 2));
    assert!(metrics.replies().any(|counted| counted == (2, 2)));
    assert_eq!(crm.pool_size(), 20);
}
