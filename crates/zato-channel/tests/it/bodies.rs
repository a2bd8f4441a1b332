//! Bodies that are too large, too slow or cut off, by way of the dispatcher.

use std::collections::VecDeque;
use std::future::ready;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};
use zato_channel::{ChannelConfig, Page, Pages, Settings};
use zato_service::Description;

use crate::support::{House, call, get, json, post, raw};

/// A body of unannounced length.
struct Chunks(VecDeque<Step>);

enum Step {
    Data(&'static str),
    Broken,
    Silence,
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.0.front() {
            None => Poll::Ready(None),
            Some(Step::Silence) => Poll::Pending,
            Some(Step::Broken) => Poll::Ready(Some(Err(std::io::Error::other("connection reset")))),
            Some(Step::Data(text)) => {
                let frame = Frame::data(Bytes::from_static(text.as_bytes()));
                self.0.pop_front();
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }
}

fn house() -> House {
    let house = House::with(Pages::new(), Settings { max_body_bytes: 20, ..Settings::default() });
    let greeter = house.greeter();
    house.put(json(1, "/greet", &greeter));
    house.put(ChannelConfig { is_active: false, ..json(2, "/inactive", &greeter) });
    house
}

#[track_caller]
fn check(path: &str, steps: impl IntoIterator<Item = Step>, status: StatusCode, says: &str) {
    let house = house();
    let request =
        Request::post(path).header("host", "localhost").body(Chunks(steps.into_iter().collect())).unwrap();
    let reply = house.runtime.block_on(async {
        tokio::time::pause();
        call(&house.dispatcher, request).await
    });
    assert_eq!(reply.status, status, "{reply:?}");
    assert!(reply.body.contains(says), "{reply:?}");
}

#[test]
fn bodies_in_pieces() {
    let hello = || [Step::Data(r#"{"name":"#), Step::Data(""), Step::Data(r#""Ann"}"#)];
    check("/greet", hello(), StatusCode::OK, "Hello Ann");
    let large = "The body is larger than the 20 bytes that are accepted";
    check(
        "/greet",
        hello().into_iter().chain([Step::Data("        ")]),
        StatusCode::PAYLOAD_TOO_LARGE,
        large,
    );
    check("/greet", [Step::Data("123456789012345678901")], StatusCode::PAYLOAD_TOO_LARGE, large);
    let cut = "The body did not arrive as a whole: connection reset";
    check("/greet", [Step::Data("{"), Step::Broken], StatusCode::BAD_REQUEST, cut);
    let late = "The body did not arrive in time";
    check("/greet", [Step::Data("{"), Step::Silence], StatusCode::REQUEST_TIMEOUT, late);
}

#[test]
fn a_refused_request_is_answered_even_if_its_body_does_not_end() {
    check("/inactive", [Step::Data("{"), Step::Silence], StatusCode::NOT_FOUND, "Channel inactive");
    check("/unknown", [Step::Broken], StatusCode::NOT_FOUND, "Unknown URL:`/unknown`");
}

#[test]
fn an_announced_length_is_enough_to_refuse() {
    let house = house();
    let reply = house.call(post("/greet", " ".repeat(21)));
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(reply.details(), "The body is larger than the 20 bytes that are accepted");
    assert_eq!(house.call(post("/greet", r#"{"name":"1234567890"}"#)).status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(house.call(post("/greet", r#"{"name":"123456789"}"#)).status, StatusCode::OK);
}

/// Anybody could announce them and send nothing.
#[test]
fn bodies_count_when_they_come() {
    let house = House::with(Pages::new(), Settings { max_buffered_bytes: 100_000, ..Settings::default() });
    house.put(json(1, "/greet", &house.greeter()));
    let client = SocketAddr::from(([192, 0, 2, 1], 50_000));
    house.runtime.block_on(async {
        let announced = Announced(90_000);
        let request = Request::post("/greet").header("host", "localhost").body(announced).unwrap();
        let mut waiting = pin!(house.dispatcher.dispatch(request, client));
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        let body = Full::new(Bytes::from(format!("{{\"name\":\"Ann\"{}}}", " ".repeat(90_000))));
        let request = Request::post("/greet").header("host", "localhost").body(body).unwrap();
        assert_eq!(house.dispatcher.dispatch(request, client).await.status(), StatusCode::OK);
        let request = Request::post("/greet").header("host", "localhost").body(Announced(100_001)).unwrap();
        assert_eq!(
            house.dispatcher.dispatch(request, client).await.status(),
            StatusCode::SERVICE_UNAVAILABLE
        );
    });
}

/// A body of so many bytes that never come.
struct Announced(u64);

impl Body for Announced {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Pending
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.0)
    }
}

#[test]
fn the_time_a_body_may_take_is_the_configured_one() {
    let settings = Settings { body_timeout: Duration::from_secs(5), ..Settings::default() };
    let house = House::with(Pages::new(), settings);
    house.put(json(1, "/greet", &house.greeter()));
    house.runtime.block_on(async {
        tokio::time::pause();
        let begun = tokio::time::Instant::now();
        let request =
            Request::post("/greet").header("host", "localhost").body(Chunks([Step::Silence].into())).unwrap();
        assert_eq!(call(&house.dispatcher, request).await.status, StatusCode::REQUEST_TIMEOUT);
        assert_eq!(begun.elapsed().as_secs(), 5);
    });
}

/// A document of so many bytes, made for each request.
struct Document(usize);

impl Page for Document {
    fn get<'a>(&'a self, _: &'a Parts) -> BoxFuture<'a, Response<Full<Bytes>>> {
        Box::pin(ready(Response::new(Full::from(vec![b'x'; self.0]))))
    }
}

/// A document that is always there.
struct Shared(Bytes);

impl Page for Shared {
    fn get<'a>(&'a self, _: &'a Parts) -> BoxFuture<'a, Response<Full<Bytes>>> {
        Box::pin(ready(Response::new(Full::new(self.0.clone()))))
    }
}

#[test]
fn documents_that_nobody_reads_leave_half_of_the_memory_to_calls() {
    let pages = Pages::new()
        .with("/zato/long", Document(20_000))
        .with("/zato/shared", Shared(vec![0; 20_000].into()));
    let house = House::with(pages, Settings { max_buffered_bytes: 100_000, ..Settings::default() });
    house.put(json(1, "/greet", &house.greeter()));
    let client = SocketAddr::from(([192, 0, 2, 1], 50_000));
    let unread = |path| house.runtime.block_on(house.dispatcher.dispatch(get(path), client));
    let shared: Vec<_> = (0..20).map(|_| unread("/zato/shared")).collect();
    assert!(shared.iter().all(|reply| reply.status() == StatusCode::OK));
    let replies: Vec<_> = (0..7).map(|_| unread("/zato/long")).collect();
    assert!(replies[..3].iter().all(|reply| reply.status() == StatusCode::OK));
    assert!(replies[3..].iter().all(|reply| reply.status() == StatusCode::SERVICE_UNAVAILABLE));
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(20_000));
    assert_eq!(house.call(post("/greet", large)).status, StatusCode::OK);
}

#[test]
fn replies_that_nobody_reads_take_up_what_there_is_for_bodies() {
    let pages = Pages::new().with("/zato/long", Document(20_000)).with("/zato/short", Document(10_000));
    let house = House::with(pages, Settings { max_buffered_bytes: 200_000, ..Settings::default() });
    let page = house.service(Description::new("demo.page"), |_, ()| Ok("x".repeat(100_000)));
    house.put(raw(1, "/page", &page));
    house.put(json(2, "/greet", &house.greeter()));
    let client = SocketAddr::from(([192, 0, 2, 1], 50_000));
    let unread = || house.runtime.block_on(house.dispatcher.dispatch(get("/page"), client));
    let mut replies: Vec<_> = (0..3).map(|_| unread()).collect();
    assert!(replies.iter().all(|reply| reply.status() == StatusCode::OK));

    let refused = house.call(post("/greet", r#"{"name":"Ann"}"#));
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.details(), "The server has no memory left for this call at the moment");
    let refused = house.call(get("/zato/long"));
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "1"));
    assert_eq!(house.call(get("/zato/short")).status, StatusCode::OK);

    let read = replies.pop().unwrap().into_body();
    let body = house.runtime.block_on(read.collect()).unwrap().to_bytes();
    assert_eq!(house.call(post("/greet", "{}")).status, StatusCode::SERVICE_UNAVAILABLE);
    drop(body);
    assert_eq!(house.call(post("/greet", r#"{"name":"Ann"}"#)).status, StatusCode::OK);
}
