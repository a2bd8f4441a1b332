//! The server's own documents beside the channels.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use zato_channel::{ChannelError, Page, Pages, Settings};

use crate::support::{House, get, json, post};

struct Hello;

impl Page for Hello {
    fn get<'a>(&'a self, request: &'a Parts) -> BoxFuture<'a, Response<Full<Bytes>>> {
        Box::pin(async move {
            assert_ne!(request.uri.query(), Some("panic"), "asked to");
            Response::new(Full::from(format!("Hello {}", request.uri.query().unwrap_or("?"))))
        })
    }
}

fn house() -> House {
    House::with(Pages::new().with("/zato/hello", Hello), Settings::default())
}

#[test]
fn pages_answer_where_no_channel_stands() {
    let house = house();
    let reply = house.call(get("/zato/hello?you"));
    assert_eq!((reply.status, &*reply.body), (StatusCode::OK, "Hello you"));
    assert!(!reply.cid.is_empty());
    let head = Request::head("/zato/%68ello").header("host", "localhost").body(Full::default()).unwrap();
    assert_eq!(house.call(head).status, StatusCode::OK);
    let reply = house.call(post("/zato/hello", "x"));
    assert_eq!((reply.status, reply.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD, OPTIONS"));
    let options = Request::options("/zato/hello").header("host", "localhost").body(Full::default()).unwrap();
    let reply = house.call(options);
    assert_eq!((reply.status, reply.header("allow")), (StatusCode::NO_CONTENT, "GET, HEAD, OPTIONS"));
    assert_eq!(house.call(get("/zato/hello/")).status, StatusCode::NOT_FOUND);
    assert_eq!(house.call(get("/zato/hello?panic")).status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[test]
fn channels_cannot_hide_pages() {
    let house = house();
    let service = house.greeter();
    for path in ["/zato/hello", "/zato/{name}", "/{a}/{b}", "/{a}/hel{b}"] {
        let error = house.channels.put(json(1, path, &service)).unwrap_err();
        assert!(matches!(&error, ChannelError::Page { page, .. } if **page == *"/zato/hello"), "{error}");
    }
    house.put(json(1, "/zato/{name}/", &service));
    house.put(json(2, "/zato/hello2", &service));
    assert_eq!(house.call(get("/zato/hello")).status, StatusCode::OK);
}
