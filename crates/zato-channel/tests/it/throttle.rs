//! Who guesses credentials, and how fast.

use std::convert::Infallible;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::once;
use http::{Request, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::time::{Instant, sleep};
use zato_channel::{
    CallLimits, ChannelConfig, FailureDelays, Security, SecurityKind, Settings, TrustedProxies, Version,
    WsSecurity,
};
use zato_service::Description;
use zato_soap::UsernameToken;

use crate::support::{House, Reply, basic_auth, call_from, json, post, soap, with};

const RIGHT: &str = "Basic dTpw";
const WRONG: &str = "Basic dTpX";

fn house() -> House {
    let failure_delays = FailureDelays { free: 2, held: 3, ..FailureDelays::default() };
    let house = House::with(Default::default(), Settings { failure_delays, ..Settings::default() });
    let greeter = house.greeter();
    house.put(ChannelConfig { security: Some(basic_auth(1, "u", "p")), ..json(1, "/", &greeter) });
    house.put(json(2, "/open", &greeter));
    house.runtime.block_on(async { tokio::time::pause() });
    house
}

/// A reply, and after how many milliseconds it came; timers are late by up to one.
async fn timed(house: &House, path: &str, client: &str, authorization: &str) -> (Reply, u128) {
    let begun = Instant::now();
    let request = with(post(path, r#"{"name":"Ann"}"#), "authorization", authorization);
    let reply = call_from(&house.dispatcher, client, request).await;
    (reply, begun.elapsed().as_millis() / 10 * 10)
}

#[test]
fn wrong_answers_come_later_each_time() {
    let house = house();
    let after = |client: &str, authorization: &str| {
        let (reply, elapsed) = house.runtime.block_on(timed(&house, "/", client, authorization));
        (reply.status.as_u16(), elapsed)
    };
    let wrong: Vec<_> = (0..5).map(|_| after("192.0.2.1", WRONG)).collect();
    assert_eq!(wrong, [(401, 0), (401, 0), (401, 100), (401, 200), (401, 400)]);
    // Others who fail on the same account wait, too, but whoever knows the password doesn't.
    assert_eq!(after("198.51.100.1", WRONG), (401, 800));
    assert_eq!(after("198.51.100.1", RIGHT), (200, 0));
    assert_eq!(after("192.0.2.1", RIGHT), (200, 0));
    house.runtime.block_on(async { sleep(Duration::from_secs(60)).await });
    assert_eq!(after("192.0.2.1", WRONG), (401, 0));
}

#[test]
fn guessing_on_many_connections_is_no_faster() {
    let house = house();
    house.runtime.block_on(async {
        for _ in 0..2 {
            timed(&house, "/", "192.0.2.1", WRONG).await;
        }
        let (held, refused, others) = tokio::join!(
            async {
                tokio::join!(
                    timed(&house, "/", "192.0.2.1", WRONG),
                    timed(&house, "/", "192.0.2.1", WRONG),
                    timed(&house, "/", "192.0.2.1", WRONG),
                )
            },
            timed(&house, "/", "192.0.2.1", RIGHT),
            async {
                tokio::join!(
                    timed(&house, "/", "198.51.100.1", RIGHT),
                    timed(&house, "/open", "192.0.2.1", WRONG)
                )
            },
        );
        assert_eq!((held.0.1, held.1.1, held.2.1), (100, 200, 400));
        let (refused, elapsed) = refused;
        assert_eq!((refused.status, elapsed), (StatusCode::TOO_MANY_REQUESTS, 0));
        assert_eq!(refused.header("retry-after"), "1");
        assert_eq!(refused.details(), "Too many calls from this address were refused");
        // Another address, and a channel that asks for no credentials.
        assert_eq!((others.0.0.status, others.0.1), (StatusCode::OK, 0));
        assert_eq!((others.1.0.status, others.1.1), (StatusCode::OK, 0));
        // Later the same credentials are looked at again.
        assert_eq!(timed(&house, "/", "192.0.2.1", RIGHT).await.0.status, StatusCode::OK);
    });
    let denials = house.dispatcher.statistics().denials();
    let counts: Vec<_> = denials.iter().map(|denials| (denials.reason, denials.count)).collect();
    assert_eq!(counts, [("password", 5), ("throttled", 1)]);
}

/// A house whose channel `/soap` finds credentials in the message.
fn house_of_tokens(limits: CallLimits) -> House {
    let forget_after = Duration::from_secs(60);
    let failure_delays = FailureDelays { free: 2, held: 3, forget_after, ..FailureDelays::default() };
    let house = House::with(Default::default(), Settings { failure_delays, ..Settings::default() });
    let service = house.service(Description::new("caller"), |_, ()| Ok(serde_json::json!({})));
    let kind = SecurityKind::WsSecurity(WsSecurity {
        username: "u".to_owned(),
        password: "p".into(),
        reject_empty_nonce_creat: false,
        reject_stale_tokens: false,
        reject_expiry_limit: Duration::from_secs(60),
        nonce_freshness_time: Duration::from_secs(60),
    });
    let security = Some(Arc::new(Security::new(1, "tokens", true, kind).unwrap()));
    house.put(ChannelConfig { security, limits, ..soap(1, "/soap", "", Version::V11, &service) });
    house.runtime.block_on(async { tokio::time::pause() });
    house
}

/// The status of a call whose message comes so many seconds after its head.
async fn status(house: &House, client: &str, password: &str, seconds: u64) -> u16 {
    let namespace = Version::V11.namespace();
    let token = UsernameToken::text("u", password).header_xml();
    let token = token.as_str();
    let message = format!(
        "<s:Envelope xmlns:s=\"{namespace}\"><s:Header>{token}</s:Header><s:Body><a/></s:Body></s:Envelope>"
    );
    let body = StreamBody::new(once(Box::pin(async move {
        if seconds > 0 {
            sleep(Duration::from_secs(seconds)).await;
        }
        Ok::<_, Infallible>(Frame::data(Bytes::from(message)))
    })));
    let request = Request::post("/soap").header("host", "localhost").header("content-type", "text/xml");
    call_from(&house.dispatcher, client, request.body(body).unwrap()).await.status.as_u16()
}

/// All heads are let in, because none of their senders has failed by then.
#[test]
fn guessing_by_bodies_that_come_late_is_no_faster() {
    let house = house_of_tokens(CallLimits::default());
    let guess = || status(&house, "192.0.2.1", "wrong", 1);
    house.runtime.block_on(async {
        assert_eq!((guess().await, guess().await), (401, 401));
        let mut statuses = futures_util::future::join_all((0..5).map(|_| guess())).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [401, 401, 401, 429, 429]);
    });
}

#[test]
fn an_answer_that_is_held_back_takes_nobodys_place() {
    let house = house_of_tokens(CallLimits { rate: None, in_flight: NonZeroU32::new(1) });
    let guess = || status(&house, "192.0.2.1", "wrong", 0);
    house.runtime.block_on(async {
        assert_eq!((guess().await, guess().await), (401, 401));
        assert_eq!(tokio::join!(guess(), status(&house, "198.51.100.1", "p", 0)), (401, 200));
    });
}

/// Nobody can use up what others may do before having proved to be one of them.
#[test]
fn a_call_counts_once_its_caller_is_believed() {
    let house = house_of_tokens(CallLimits { rate: "2/h".parse().ok(), in_flight: NonZeroU32::new(1) });
    let guess = |seconds| status(&house, "192.0.2.1", "wrong", seconds);
    house.runtime.block_on(async {
        let call = || status(&house, "198.51.100.1", "p", 0);
        assert_eq!(tokio::join!(guess(9), guess(9), call()), (401, 401, 200));
        assert_eq!((guess(0).await, call().await, call().await), (401, 200, 429));
    });
}

/// Behind a proxy each client waits for its own failures; what anybody else claims counts for nothing.
#[test]
fn clients_behind_a_trusted_proxy_are_told_apart() {
    let failure_delays = FailureDelays { free: 2, ..FailureDelays::default() };
    let trusted_proxies = TrustedProxies::new(["192.0.2.0/24"]).unwrap();
    let settings = Settings { failure_delays, trusted_proxies, ..Settings::default() };
    let house = House::with(Default::default(), settings);
    let greeter = house.greeter();
    // One definition for each call, so that the address alone slows down.
    for id in 1..20 {
        let security = Some(basic_auth(id, "u", "p"));
        house.put(ChannelConfig { security, ..json(id, &format!("/{id}"), &greeter) });
    }
    house.runtime.block_on(async { tokio::time::pause() });
    let mut number = 0;
    let mut fails = |peer: &str, header: &'static str, value: &str| {
        number += 1;
        house.runtime.block_on(async {
            let begun = Instant::now();
            let request = with(post(&format!("/{number}"), "{}"), "authorization", WRONG);
            let reply = call_from(&house.dispatcher, peer, with(request, header, value)).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
            begun.elapsed().as_millis() / 10 * 10
        })
    };
    let proxy = "192.0.2.1";
    assert_eq!([(); 3].map(|()| fails(proxy, "x-forwarded-for", "198.51.100.1")), [0, 0, 100]);
    assert_eq!(fails("192.0.2.9", "forwarded", "for=9.9.9.9, for=198.51.100.1"), 200);
    assert_eq!(fails(proxy, "x-forwarded-for", "198.51.100.2"), 0);
    let forged = |address: &str| fails("203.0.113.1", "x-forwarded-for", address);
    assert_eq!(["198.51.100.3", "198.51.100.4", "198.51.100.5"].map(forged), [0, 0, 100]);
}
