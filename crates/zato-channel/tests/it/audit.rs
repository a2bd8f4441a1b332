//! What is told about the calls of channels that are audited.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::HeaderValue;
use http_body_util::BodyExt as _;
use zato_channel::{AuditLog, AuditedCall, ChannelConfig, Dispatcher, Security, SecurityKind};
use zato_service::{Description, Error};

use crate::pieces::{self, Numbers};
use crate::support::{House, NOW, basic_auth, call, get, json, post, with};

/// Keeps what it is told.
#[derive(Default)]
struct Kept(Mutex<Vec<AuditedCall>>);

impl AuditLog for Kept {
    fn record(&self, call: AuditedCall) {
        self.0.lock().unwrap().push(call);
    }
}

fn audited(house: &House) -> (Dispatcher, Arc<Kept>) {
    let kept = Arc::<Kept>::default();
    (house.dispatcher.clone().with_audit_log(kept.clone()), kept)
}

impl Kept {
    #[track_caller]
    fn take_one(&self) -> AuditedCall {
        let mut kept = std::mem::take(&mut *self.0.lock().unwrap());
        assert_eq!(kept.len(), 1, "{kept:?}");
        kept.remove(0)
    }
}

const BODY: &str = r#"{"name":"Foo"}"#;

#[test]
fn a_call_is_told_as_it_came_and_as_it_was_answered() {
    let house = House::new();
    let channel = ChannelConfig { is_audited: true, ..json(1, "/json", &house.greeter()) };
    house.put(ChannelConfig { security: Some(basic_auth(7, "user", "pass")), ..channel.clone() });
    let (dispatcher, kept) = audited(&house);
    let request = with(post("/json?a=1", BODY), "authorization", "Basic dXNlcjpwYXNz");
    // Nobody is trusted to speak for others.
    let reply = house.runtime.block_on(call(&dispatcher, with(request, "x-forwarded-for", "10.0.0.2")));
    assert_eq!(reply.status, 200);
    let told = kept.take_one();
    assert_eq!(told.cid.as_str(), reply.cid);
    assert_eq!((told.channel_id, &*told.channel, told.is_soap), (1, &*channel.name, false));
    assert_eq!((told.address.as_str(), told.begun, told.method.as_str()), ("192.0.2.1", NOW, "POST"));
    assert_eq!((told.uri.to_string().as_str(), &*told.payload), ("/json?a=1", BODY.as_bytes()));
    assert_eq!((told.caller.as_deref(), told.was_let_through), (Some("definition 7"), Some(true)));
    let answered = told.reply.as_ref().unwrap();
    assert_eq!((answered.time, answered.status.as_u16()), (NOW, 200));
    assert_eq!(answered.headers["x-zato-cid"], told.cid.as_str());
    let payload = String::from_utf8(answered.payload.to_vec()).unwrap();
    assert_eq!(payload.replace(&reply.cid, "CID"), reply.body);
    assert!(told.size() > BODY.len() + payload.len());
    assert!(!format!("{told:?}").contains("dXNlcjpwYXNz"), "{told:?}");

    // Neither is one told of a channel that is not audited.
    house.put(ChannelConfig { is_audited: false, ..channel });
    house.runtime.block_on(call(&dispatcher, post("/json", BODY)));
    assert!(kept.0.lock().unwrap().is_empty());
}

#[test]
fn whoever_is_refused_is_told_of_too() {
    let house = House::new();
    let fails = house.service(Description::new("fails"), |_, ()| -> Result<(), Error> {
        Err(Error::forbidden("Not for you"))
    });
    let guarded = ChannelConfig {
        is_audited: true,
        security: Some(basic_auth(7, "user", "pass")),
        ..json(1, "/json", &fails)
    };
    house.put(guarded.clone());
    let (dispatcher, kept) = audited(&house);
    let told = |request| {
        let reply = house.runtime.block_on(call(&dispatcher, request));
        let told = kept.take_one();
        assert_eq!(told.reply.as_ref().unwrap().status, reply.status);
        (reply.status.as_u16(), told.was_let_through, told.caller.is_some(), told.payload.len())
    };
    assert_eq!(told(post("/json", BODY)), (401, Some(false), false, 0));
    let known = || with(post("/json", "{}"), "authorization", "Basic dXNlcjpwYXNz");
    assert_eq!(told(known()), (403, Some(true), true, 2));
    house.put(ChannelConfig { is_active: false, ..guarded });
    assert_eq!(told(known()), (404, None, false, 0));
}

#[test]
fn a_caller_who_leaves_is_told_of() {
    let house = House::new();
    house.put(ChannelConfig { is_audited: true, ..json(1, "/json", &house.greeter()) });
    let (dispatcher, kept) = audited(&house);
    // A body that never comes.
    let body = http_body_util::StreamBody::new(futures_util::stream::pending::<
        Result<http_body::Frame<Bytes>, std::io::Error>,
    >());
    let request =
        http::Request::builder().method("POST").uri("/json").header("host", "localhost").body(body).unwrap();
    let answered = house.runtime.block_on(async { call(&dispatcher, request).now_or_never() });
    assert!(answered.is_none());
    let told = kept.take_one();
    assert!(told.reply.is_none() && told.payload.is_empty(), "{told:?}");
}

#[test]
fn of_a_reply_in_pieces_the_beginning_is_told_when_it_was_sent() {
    let (house, read) = pieces::house();
    let numbers = Numbers { description: Description::new("audited"), read };
    let numbers = house.registry.register(numbers).unwrap();
    house.put(ChannelConfig { is_audited: true, ..json(8, "/audited", &numbers) });
    let (dispatcher, kept) = audited(&house);
    house.runtime.block_on(async {
        for is_read in [true, false] {
            let response = dispatcher.dispatch(get("/audited"), "192.0.2.1:1".parse().unwrap()).await;
            assert!(kept.0.lock().unwrap().is_empty());
            let body = response.into_body();
            let sent = if is_read {
                body.collect().await.unwrap().to_bytes()
            } else {
                drop(body);
                Bytes::new()
            };
            let told = kept.take_one().reply.unwrap();
            assert_eq!((told.status.as_u16(), told.is_beginning, told.payload), (200, true, sent));
        }
    });
}

#[test]
fn keys_are_marked() {
    let house = House::new();
    let kind = SecurityKind::ApiKey { header: "X-Partner".to_owned(), key: "S3cret".into() };
    let security = Security::new(7, "partner", true, kind).unwrap();
    house.put(ChannelConfig {
        is_audited: true,
        security: Some(Arc::new(security)),
        ..json(1, "/json", &house.greeter())
    });
    let (dispatcher, kept) = audited(&house);
    for header in ["x-partner", "x_partner"] {
        let reply = house.runtime.block_on(call(&dispatcher, with(post("/json", BODY), header, "S3cret")));
        assert_eq!(reply.status, 200);
        assert!(kept.take_one().headers.get(header).is_some_and(HeaderValue::is_sensitive), "{header}");
    }
}
