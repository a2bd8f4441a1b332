//! Services are registered, run, invoke one another and fail, all through the public interface.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod items;
mod jobs;
mod observed;
mod support;
mod translate;

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use support::{Fixture, service};
use zato_service::{
    ChannelKind, Context, Description, Error, ErrorKind, Input, Origin, Raw, RawInput, Registry,
    RegistryError, Service,
};

#[tokio::test]
async fn input_is_decoded_leniently_and_output_is_exact() {
    let fixture = Fixture::new().await;
    let double =
        service("double", |_, input: Value| Ok(json!({"twice": input["number"].as_i64().unwrap_or(0) * 2})));
    fixture.registry.register(double).unwrap();
    assert_eq!(fixture.call("double", br#"{"number": 21}"#).await.unwrap(), json!({"twice": 42}));
}

#[tokio::test]
async fn bad_input_names_the_element() {
    #[derive(Debug, serde::Deserialize)]
    struct Order {
        customer_id: i64,
    }
    struct Take;
    impl Service for Take {
        type Input = Order;
        type Output = i64;
        fn description(&self) -> Description {
            Description::new("take")
        }
        async fn handle(&self, _cx: &mut Context, order: Order) -> Result<i64, Error> {
            Ok(order.customer_id)
        }
    }
    let fixture = Fixture::new().await;
    fixture.registry.register(Take).unwrap();
    assert_eq!(fixture.call("take", br#"{"customer_id": "7"}"#).await.unwrap(), json!(7));
    for body in ["", "\"\"", "null", "{}"] {
        let error = fixture.call("take", body.as_bytes()).await.unwrap_err();
        assert_eq!((error.kind(), error.service()), (ErrorKind::BadRequest, Some("take")), "{body}");
        assert!(error.message().contains("customer_id"), "{error}");
    }
    let snapshot = fixture.registry.find("take").unwrap().statistics().snapshot();
    assert_eq!((snapshot.usage, snapshot.successes, snapshot.failures), (5, 1, 4));
}

#[tokio::test]
async fn hooks_run_in_order_and_only_validation_decides() {
    struct Hooked {
        seen: &'static Mutex<Vec<&'static str>>,
        refuses_output: bool,
    }
    impl Hooked {
        fn saw(&self, what: &'static str) {
            self.seen.lock().unwrap().push(what);
        }
    }
    impl Service for Hooked {
        type Input = Value;
        type Output = ();
        fn description(&self) -> Description {
            Description::new(if self.refuses_output { "refusing" } else { "hooked" })
        }
        async fn before_handle(&self, _cx: &mut Context) -> Result<(), Error> {
            self.saw("before");
            Err(Error::internal("ignored"))
        }
        fn validate_input(&self, _cx: &mut Context, _input: &Value) -> Result<(), Error> {
            self.saw("input");
            Ok(())
        }
        async fn handle(&self, _cx: &mut Context, _input: Value) -> Result<(), Error> {
            self.saw("handle");
            Ok(())
        }
        fn validate_output(&self, _cx: &mut Context, _output: &()) -> Result<(), Error> {
            self.saw("output");
            if self.refuses_output { Err(Error::forbidden("no")) } else { Ok(()) }
        }
        async fn after_handle(&self, _cx: &mut Context) -> Result<(), Error> {
            self.saw("after");
            Err(Error::internal("ignored"))
        }
        async fn finalize_handle(&self, _cx: &mut Context) -> Result<(), Error> {
            self.saw("finalize");
            Err(Error::internal("ignored"))
        }
    }
    let fixture = Fixture::new().await;
    let seen: &'static Mutex<Vec<&'static str>> = Box::leak(Box::default());
    let hooked = Hooked { seen, refuses_output: false };
    fixture.registry.register(hooked).unwrap();
    fixture.registry.register(Hooked { seen, refuses_output: true }).unwrap();
    assert_eq!(fixture.call("hooked", b"").await.unwrap(), Value::Null);
    assert_eq!(
        seen.lock().unwrap().drain(..).collect::<Vec<_>>(),
        ["before", "input", "handle", "output", "after", "finalize"]
    );
    assert_eq!(fixture.call("refusing", b"").await.unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(*seen.lock().unwrap(), ["before", "input", "handle", "output"]);
}

#[tokio::test]
async fn a_service_that_does_not_accept_answers_400_and_counts_nothing() {
    struct Picky;
    impl Service for Picky {
        type Input = Value;
        type Output = ();
        fn description(&self) -> Description {
            Description::new("picky")
        }
        fn accept(&self, _cx: &Context) -> bool {
            false
        }
        async fn handle(&self, _cx: &mut Context, _input: Value) -> Result<(), Error> {
            Err(Error::internal("not reached"))
        }
    }
    let fixture = Fixture::new().await;
    fixture.registry.register(Picky).unwrap();
    let mut cx = fixture.context();
    let service = fixture.registry.find("picky").unwrap();
    let output = service.call(&mut cx, Input::Empty).await.unwrap();
    assert_eq!(output.raw(), Some(&Raw::default()));
    assert_eq!(cx.take_response().status, Some(http::StatusCode::BAD_REQUEST));
    assert_eq!(service.statistics().snapshot().usage, 0);
}

#[tokio::test]
async fn services_invoke_one_another_under_one_correlation_id() {
    let fixture = Fixture::new().await;
    fixture
        .registry
        .register(service("inner", |cx: &mut Context, input: Value| {
            Ok(json!({"cid": cx.cid().to_string(), "channel": cx.channel().as_str(), "got": input}))
        }))
        .unwrap();
    fixture.registry.register(support::Forward { name: "outer", target: "inner" }).unwrap();
    let mut cx = fixture.context();
    let cid = cx.cid().to_string();
    let outer = fixture.registry.find("outer").unwrap();
    let body = Bytes::from_static(br#"{"a": 1}"#);
    let reply = outer.call(&mut cx, Input::Json(&body)).await.unwrap().to_value().unwrap();
    assert_eq!(reply, json!({"cid": cid, "channel": "invoke", "got": {"a": 1}}));
}

#[tokio::test]
async fn invocations_that_can_not_end_well_are_refused() {
    #[track_caller]
    fn check(error: &Error, kind: ErrorKind, text: &str) {
        assert_eq!(error.kind(), kind);
        assert!(error.message().contains(text), "{error}");
    }
    let fixture = Fixture::new().await;
    for (name, target) in
        [("self", "self"), ("ping", "pong"), ("pong", "ping"), ("lost", "nowhere"), ("idle", "asleep")]
    {
        fixture.registry.register(support::Forward { name, target }).unwrap();
    }
    fixture.registry.register(service("asleep", |_, input: Value| Ok(input))).unwrap();
    fixture.registry.find("asleep").unwrap().configure(5, false, Duration::from_secs(1));
    check(
        &fixture.call("self", b"").await.unwrap_err(),
        ErrorKind::Internal,
        "A service cannot invoke itself, name:[self]",
    );
    check(&fixture.call("ping", b"").await.unwrap_err(), ErrorKind::Internal, "More than 32 services");
    check(&fixture.call("lost", b"").await.unwrap_err(), ErrorKind::NotFound, "[nowhere]");
    check(&fixture.call("idle", b"").await.unwrap_err(), ErrorKind::NotFound, "`asleep` is inactive");
}

#[tokio::test]
async fn background_invocations_have_their_own_correlation_id_and_can_be_waited_for() {
    let fixture = Fixture::new().await;
    let seen: &'static Mutex<Vec<String>> = Box::leak(Box::default());
    fixture
        .registry
        .register(service("note", |cx: &mut Context, input: Value| {
            seen.lock().unwrap().push(format!("{} {} {input}", cx.cid(), cx.channel().as_str()));
            Ok(Value::Null)
        }))
        .unwrap();
    let cx = fixture.context();
    let cid = cx.invoke_async("note", &json!({"a": 1})).unwrap();
    assert_ne!(cid, cx.cid());
    assert_eq!(cx.invoke_async("nowhere", &()).unwrap_err().kind(), ErrorKind::NotFound);
    fixture.environment.tasks().close();
    fixture.environment.tasks().wait().await;
    assert_eq!(*seen.lock().unwrap(), [format!("{cid} invoke-async {{\"a\":1}}")]);
}

#[tokio::test]
async fn raw_services_get_and_give_bytes() {
    struct Echo;
    impl Service for Echo {
        type Input = RawInput;
        type Output = Raw;
        fn description(&self) -> Description {
            Description::new("echo").aliases(&["echo.old-name"])
        }
        async fn handle(&self, _cx: &mut Context, input: RawInput) -> Result<Raw, Error> {
            Ok(Raw::new(input.body))
        }
    }
    let fixture = Fixture::new().await;
    fixture.registry.register(Echo).unwrap();
    let mut cx =
        fixture.environment.context(fixture.environment.new_cid(), ChannelKind::HttpSoap, Origin::default());
    let echo = fixture.registry.find("echo.old-name").unwrap();
    let body = Bytes::from_static(b"\xFF not text");
    let output = echo.call(&mut cx, Input::Raw(&body)).await.unwrap();
    assert_eq!(output.raw().unwrap().body, body);
    assert_eq!(echo.name(), "echo");
    assert_eq!(fixture.registry.services().len(), 1);
}

#[test]
fn names_are_taken_once() {
    let registry = Registry::new();
    registry.register(service("one", |_, input: Value| Ok(input))).unwrap();
    let duplicate = registry.register(service("one", |_, input: Value| Ok(input))).unwrap_err();
    assert_eq!(duplicate, RegistryError::Duplicate("one".into()));
    for name in ["", "with space", "line\nbreak"] {
        let error = registry.register(service(name, |_, input: Value| Ok(input))).unwrap_err();
        assert_eq!(error, RegistryError::InvalidName(name.into()));
    }
}
