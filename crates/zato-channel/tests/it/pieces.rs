//! Replies that are made while they are sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use serde::{Deserialize, Serialize};
use zato_channel::{BrokenOff, CallLimits, ChannelConfig, ReplyBody, Version};
use zato_service::{Context, Description, Error, Items, Registration, Service};

use crate::support::{House, ZATO, envelope, get, json, post, raw, soap, soap_request, with, xml};

/// How a list ends.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    Well,
    WithError,
    WithPanic,
}

/// Three batches of two numbers each.
pub(crate) struct Numbers {
    pub(crate) description: Description,
    /// How many batches were read.
    pub(crate) read: Arc<AtomicUsize>,
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    end: Option<End>,
}

#[derive(Serialize)]
pub(crate) struct Number {
    n: usize,
    nothing: Option<i64>,
}

impl Service for Numbers {
    type Input = Wanted;
    type Output = Items<Number>;

    fn description(&self) -> Description {
        self.description.clone()
    }

    async fn handle(&self, _: &mut Context, Wanted { end }: Wanted) -> Result<Items<Number>, Error> {
        let read = Arc::clone(&self.read);
        let batch = move |number: usize| {
            read.fetch_add(1, SeqCst);
            async move {
                match end {
                    Some(End::WithError) if number == 2 => {
                        return Err(
                            Error::unavailable("It broke").with_source(std::io::Error::other("no disk"))
                        );
                    }
                    Some(End::WithPanic) if number == 2 => panic!("of this test's own"),
                    _ => {}
                }
                let numbers = [2 * number, 2 * number + 1].map(|n| Number { n, nothing: None });
                Ok((numbers.into(), (number < 2).then_some(number + 1)))
            }
        };
        Items::read(0, batch).await
    }
}

/// A house with channels for all formats.
pub(crate) fn house() -> (House, Arc<AtomicUsize>) {
    let house = House::new();
    let read = Arc::new(AtomicUsize::new(0));
    let service = |description: Description| -> Arc<Registration> {
        house.registry.register(Numbers { description, read: Arc::clone(&read) }).unwrap()
    };
    let public = Description::internal("numbers").response_element(Some("numbers_response")).namespace(ZATO);
    let public = service(public);
    let plain = service(Description::new("plain"));
    let bare = service(Description::new("bare").response_element(None::<String>));
    let one = CallLimits { rate: None, in_flight: std::num::NonZeroU32::new(1) };
    house.put(json(1, "/public", &public));
    house.put(json(2, "/plain", &plain));
    house.put(json(3, "/bare", &bare));
    house.put(xml(4, "/xml", &public));
    house.put(soap(5, "/soap", "numbers", Version::V11, &public));
    house.put(raw(6, "/raw", &public));
    house.put(ChannelConfig { limits: one, ..json(7, "/one", &plain) });
    (house, read)
}

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

#[track_caller]
fn check(request: Request<Full<Bytes>>, content_type: &str, expected: &str) {
    let (house, read) = house();
    let (parts, body) = request.into_parts();
    for version in [http::Version::HTTP_10, http::Version::HTTP_11, http::Version::HTTP_2] {
        let mut request = Request::from_parts(parts.clone(), body.clone());
        *request.version_mut() = version;
        read.store(0, SeqCst);
        let is_whole = version == http::Version::HTTP_10;
        house.runtime.block_on(async {
            let peer = "192.0.2.1:50000".parse().unwrap();
            let response = house.dispatcher.dispatch(request, peer).await;
            assert_eq!(response.status(), StatusCode::OK);
            assert_eq!(response.headers()["content-type"], content_type);
            assert_eq!(read.load(SeqCst), if is_whole { 3 } else { 1 });
            assert_eq!(response.body().size_hint().exact().is_some(), is_whole);
        });
        let mut request = Request::from_parts(parts.clone(), body.clone());
        *request.version_mut() = version;
        let found = house.call(request).body;
        if content_type.contains("xml") {
            // Where the prefix is declared depends on the batches. Whoever reads XML sees the same.
            assert_eq!(found.replace(&format!(" xmlns:xsi=\"{XSI}\""), ""), expected);
            zato_soap::parse(&found, &zato_soap::Limits::default()).unwrap();
        } else {
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn a_list_in_pieces_is_the_list() {
    let numbers: Vec<String> = (0..6).map(|n| format!(r#"{{"n":{n},"nothing":null}}"#)).collect();
    let numbers = numbers.join(",");
    let env = r#""zato_env":{"details":"","result":"ZATO_OK","cid":"CID"}"#;
    let json = "application/json";
    check(post("/public", "{}"), json, &format!(r#"{{{env},"numbers_response":[{numbers}]}}"#));
    check(post("/plain", "{}"), json, &format!(r#"{{"response":[{numbers}]}}"#));
    check(post("/bare", "{}"), json, &format!("[{numbers}]"));

    let items: String =
        (0..6).map(|n| format!("<item><n>{n}</n><nothing xsi:nil=\"true\"/></item>")).collect();
    let content = |namespace: &str| {
        format!(
            "<numbers_response{namespace}><zato_env><cid>CID</cid><result>ZATO_OK</result></zato_env>\
             <item_list>{items}</item_list></numbers_response>"
        )
    };
    let declared = format!(" xmlns=\"{ZATO}\"");
    let expected = format!("<?xml version='1.0' encoding='UTF-8'?>\n{}", content(&declared));
    check(post("/xml", "<any/>"), "application/xml", &expected);
    let expected = format!(
        "<soap:Envelope xmlns:soap=\"{}\"{declared}><soap:Body>{}</soap:Body></soap:Envelope>",
        Version::V11.namespace(),
        content("")
    );
    let request = soap_request("/soap", "numbers", envelope("<any/>"));
    check(request, Version::V11.content_type(), &expected);
}

#[test]
fn without_a_data_format_it_is_json() {
    let (house, _) = house();
    let body = house.call(get("/raw")).body;
    let numbers: Vec<serde_json::Value> = serde_json::from_str(&body).unwrap();
    assert_eq!(numbers.len(), 6);
}

async fn dispatch(house: &House, request: Request<Full<Bytes>>) -> ReplyBody {
    house.dispatcher.dispatch(request, "192.0.2.1:50000".parse().unwrap()).await.into_body()
}

#[test]
fn a_batch_is_read_when_the_one_before_it_was_taken() {
    let (house, read) = house();
    house.runtime.block_on(async {
        let mut body = dispatch(&house, get("/plain")).await;
        assert_eq!(read.load(SeqCst), 1);
        for expected in [1, 2, 3] {
            let piece = body.frame().await.unwrap().unwrap().into_data().unwrap();
            assert!(!piece.is_empty());
            assert_eq!(read.load(SeqCst), expected);
        }
        assert!(body.frame().await.is_none());
    });
}

/// A place that is taken, and a call in flight, until the reply has ended or nobody takes it any more.
#[test]
fn a_call_lasts_as_long_as_its_reply() {
    let (house, _) = house();
    let in_flight = || house.dispatcher.statistics().snapshot().in_flight;
    house.runtime.block_on(async {
        for is_read in [true, false] {
            let body = dispatch(&house, get("/one")).await;
            assert_eq!(in_flight(), 1);
            let response = house.dispatcher.dispatch(get("/one"), "192.0.2.1:1".parse().unwrap()).await;
            assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
            if is_read {
                body.collect().await.unwrap();
            } else {
                drop(body);
            }
            assert_eq!(in_flight(), 0);
        }
        let counted = house.dispatcher.statistics().snapshot();
        assert_eq!((counted.successes, counted.client_errors), (2, 2));
    });
}

/// An end that is none: what was sent can't be mistaken for a whole reply.
#[test]
fn an_error_breaks_the_body_off() {
    let (house, _) = house();
    for end in ["with_error", "with_panic"] {
        house.runtime.block_on(async {
            let request = format!("{{\"end\":\"{end}\"}}");
            let mut body = dispatch(&house, post("/plain", request.clone())).await;
            let mut sent = Vec::new();
            let error = loop {
                match body.frame().await.unwrap() {
                    Ok(frame) => sent.extend_from_slice(&frame.into_data().unwrap()),
                    Err(error) => break error,
                }
            };
            assert_eq!(error, BrokenOff);
            assert!(serde_json::from_slice::<serde_json::Value>(&sent).is_err());
            drop(body);
            assert_eq!(house.dispatcher.statistics().snapshot().in_flight, 0);
            // In HTTP/1.0 nothing has been sent yet.
            let mut request = post("/plain", request);
            *request.version_mut() = http::Version::HTTP_10;
            let response = house.dispatcher.dispatch(request, "192.0.2.1:1".parse().unwrap()).await;
            assert!(response.status().is_server_error());
        });
    }
}

#[test]
fn pages_of_other_origins_get_pieces_as_well() {
    let (house, _) = house();
    let service = house.registry.find("plain").unwrap();
    let cors = Some("https://app.example".parse().unwrap());
    house.put(ChannelConfig { cors, ..json(9, "/page", &service) });
    let reply = house.call(with(get("/page"), "origin", "https://app.example"));
    assert_eq!(reply.header("access-control-allow-origin"), "https://app.example");
    assert!(reply.body.ends_with("}]}"), "{}", reply.body);
}
