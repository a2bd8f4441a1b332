//! What an observer is told of calls.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use zato_service::{Error, Exchange, Input, Observer, Registration};

use crate::support::{Fixture, service};

/// Keeps what it is told.
#[derive(Default)]
struct Notes {
    succeeded: Mutex<Vec<(String, Duration)>>,
    exchanges: Mutex<Vec<Exchange>>,
}

impl Observer for Notes {
    fn succeeded(&self, service: &Arc<Registration>, _: Instant, elapsed: Duration) {
        self.succeeded.lock().unwrap().push((service.name().to_owned(), elapsed));
    }

    fn exchanged(&self, exchange: Exchange) {
        self.exchanges.lock().unwrap().push(exchange);
    }
}

async fn observed() -> (Fixture, Arc<Notes>) {
    let fixture = Fixture::new().await;
    let notes = Arc::new(Notes::default());
    // Services that were registered before are observed as well.
    let echo = service("echo", |_, input: Value| match input["fail"] {
        Value::Bool(true) => Err(Error::internal("failed")),
        _ => Ok(input),
    });
    fixture.registry.register(echo).unwrap();
    assert!(fixture.registry.observe(notes.clone()).is_ok());
    (fixture, notes)
}

#[tokio::test]
async fn an_observer_learns_of_successes() {
    let (fixture, notes) = observed().await;
    fixture.call("echo", b"{}").await.unwrap();
    fixture.call("echo", br#"{"fail": true}"#).await.unwrap_err();
    let succeeded = notes.succeeded.lock().unwrap().clone();
    assert_eq!(succeeded.len(), 1, "{succeeded:?}");
    assert_eq!(succeeded[0].0, "echo");
    assert_eq!(notes.exchanges.lock().unwrap().len(), 0);
    assert!(fixture.registry.observe(Arc::new(Notes::default())).is_err());
}

#[tokio::test]
async fn every_nth_call_is_a_sample() {
    let (fixture, notes) = observed().await;
    let echo = fixture.registry.find("echo").unwrap();
    echo.sample_every(3);
    for number in 1..=7 {
        fixture.call("echo", json!({ "number": number }).to_string().as_bytes()).await.unwrap();
    }
    echo.sample_every(0);
    for _ in 0..3 {
        fixture.call("echo", b"{}").await.unwrap();
    }
    let kept: Vec<_> = notes.exchanges.lock().unwrap().drain(..).collect();
    let texts: Vec<_> = kept
        .iter()
        .map(|exchange| (&*exchange.request, std::str::from_utf8(&exchange.response).unwrap()))
        .collect();
    assert_eq!(
        texts,
        [
            (br#"{"number":3}"#.as_slice(), r#"{"response":{"number":3}}"#),
            (br#"{"number":6}"#.as_slice(), r#"{"response":{"number":6}}"#),
        ]
    );
    assert!(kept.iter().all(|exchange| exchange.is_sample && !exchange.is_slow));
    assert!(kept.iter().all(|exchange| exchange.answered - exchange.received == exchange.elapsed));
}

#[tokio::test]
async fn a_slow_call_is_kept_in_the_format_of_its_request() {
    let (fixture, notes) = observed().await;
    let echo = fixture.registry.find("echo").unwrap();
    echo.configure(1, true, Duration::ZERO);
    let message = Bytes::from_static(b"<r><a>1</a></r>");
    let document = zato_xml::parse("<r><a>1</a></r>", &zato_xml::Limits::default()).unwrap();
    let input = Input::Xml { root: document.root_element(), raw: &message };
    echo.call(&mut fixture.context(), input).await.unwrap();
    let kept: Vec<_> = notes.exchanges.lock().unwrap().drain(..).collect();
    assert_eq!(kept.len(), 1);
    assert!(kept[0].is_slow && !kept[0].is_sample);
    assert_eq!(kept[0].request, message);
    assert_eq!(kept[0].response, b"<response><item><a>1</a></item></response>");
    assert_eq!(kept[0].service.name(), "echo");
}
