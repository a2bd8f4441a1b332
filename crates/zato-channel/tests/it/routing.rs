//! Which requests find which channels, and which channels can't stand beside others.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use proptest::prelude::*;
use serde_json::json;
use zato_channel::{ChannelConfig, ChannelError, DataFormat, PathError, Version};
use zato_service::{Context, Description, Raw, RawInput};

use crate::support::{self, House, basic_auth, envelope, get, post, soap, soap_request, with};

/// A house whose channels answer with the number in their service's name.
fn house(paths: &[&str]) -> House {
    let house = House::new();
    for (id, path) in (1..).zip(paths) {
        house.put(numbered(&house, id, path));
    }
    house
}

fn numbered(house: &House, id: i64, path: &str) -> ChannelConfig {
    let service = house.service(Description::new(format!("number.{id}")), |cx: &mut Context, ()| {
        let captured = cx.origin().path_parameters.iter().map(|(name, value)| format!(" {name}={value}"));
        Ok(json!({"found": format!("{}{}", cx.service_name(), captured.collect::<String>())}))
    });
    support::json(id, path, &service)
}

#[track_caller]
fn check(house: &House, request: Request<Full<Bytes>>, expected: Option<&str>) {
    let target = request.uri().to_string();
    let reply = house.call(request);
    match expected {
        Some(expected) => {
            assert!(reply.body.contains(&format!("\"{expected}\"")), "{target}: {reply:?}");
            assert_eq!(reply.status, StatusCode::OK);
        }
        None => assert_eq!(reply.status, StatusCode::NOT_FOUND, "{target}: {reply:?}"),
    }
}

#[test]
fn exact_paths() {
    let house = house(&["/a", "/a/", "/a.b", "/\u{17c}\u{f3}\u{142}w", "/with space", "/a%2Fb"]);
    let check = |path: &str, expected| check(&house, get(path), expected);
    check("/a", Some("number.1"));
    check("/%61", Some("number.1"));
    check("/a?q=/b", Some("number.1"));
    check("/a/", Some("number.2"));
    check("/a%2F", Some("number.2"));
    check("/a//", None);
    check("/A", None);
    check("/a.b", Some("number.3"));
    check("/aXb", None);
    check("/%C5%BC%C3%B3%C5%82w", Some("number.4"));
    check("/%c5%bc%c3%b3%c5%82w", Some("number.4"));
    check("/with%20space", Some("number.5"));
    check("/with+space", None);
    check("/a%252Fb", Some("number.6"));
    check("/b/../a", None);
    check("/%2e/a", None);
    check("/a%00", None);
    check("/a%FF", None);
    check("/a%C5", None);
    check("/", None);
}

#[test]
fn paths_with_placeholders() {
    let house =
        house(&["/c/{id}", "/c/new", "/c/{id}/o/{order id}", "/c/{id}/", "/f-{name}.txt", "/\u{17c}/{x}"]);
    let check = |path: &str, expected| check(&house, get(path), expected);
    check("/c/7", Some("number.1 id=7"));
    check("/c/new", Some("number.2"));
    check("/c/new7", Some("number.1 id=new7"));
    check("/c/7/", Some("number.4 id=7"));
    check("/c/", None);
    check("/c//", None);
    check("/c/7/o/8", Some("number.3 id=7 order id=8"));
    check("/c/7/o/", None);
    check("/c/7/o", None);
    check("/c/a%20b:%C5%BC@1", Some("number.1 id=a b:\u{17c}@1"));
    check("/c/100%25", Some("number.1 id=100%"));
    check("/c/7%2Fo%2F8", Some("number.3 id=7 order id=8"));
    check("/f-a.b.txt", Some("number.5 name=a.b"));
    check("/f-.txt", None);
    check("/%C5%BC/%C3%B3", Some("number.6 x=\u{f3}"));
    check("/c/%FF", None);
    check("/c/a%00b", None);
    check("/c/..", Some("number.1 id=.."));
    check("/c/%2E%2e", Some("number.1 id=.."));
    check("/c/..%2F", Some("number.4 id=.."));
    check("/c/%252F", Some("number.1 id=%2F"));
}

#[test]
fn soap_actions_tell_the_channels_of_a_path_apart() {
    let house = house(&["/plain"]);
    for (id, action) in [(2, "two"), (3, "three"), (4, "")] {
        let channel = numbered(&house, id, "/soap");
        house.put(soap(id, "/soap", action, Version::V11, &channel.service));
    }
    let check = |path: &str, action: Option<&str>, expected: Option<&str>| {
        let request = post(path, envelope(""));
        let request = match action {
            Some(action) => with(request, "soapaction", action),
            None => request,
        };
        let reply = house.call(request);
        match expected {
            Some(expected) => assert!(reply.body.contains(expected), "{path} {action:?}: {reply:?}"),
            None => assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path} {action:?}"),
        }
    };
    check("/soap", Some("two"), Some("number.2"));
    check("/soap", Some("\"two\""), Some("number.2"));
    check("/soap", Some("three"), Some("number.3"));
    check("/soap", Some("\"three"), None);
    check("/soap", Some("Two"), None);
    check("/soap", Some("\"\""), Some("number.4"));
    check("/soap", None, Some("number.4"));
    // A plain HTTP channel has no action, so a request that names one is not for it.
    check("/plain", Some("two"), None);
    check("/soap/", Some("two"), None);
}

/// Whatever stands on the path without an action, or on one that has placeholders.
#[test]
fn the_action_of_soap_1_2_leads_to_its_channel() {
    let house = house(&["/both", "/svc/{x}"]);
    for (id, path) in [(3, "/both"), (4, "/svc/soap")] {
        let channel = numbered(&house, id, path);
        house.put(soap(id, path, "urn:a", Version::V12, &channel.service));
    }
    let check = |path: &str, content_type: &'static str, expected: &str| {
        let request = Request::post(path).header("host", "localhost").header("content-type", content_type);
        let reply = house.call(request.body(Full::from(envelope(""))).unwrap());
        assert!(reply.body.contains(expected), "{path} {content_type}: {reply:?}");
    };
    for (path, soap, plain) in [("/both", "number.3", "number.1"), ("/svc/soap", "number.4", "number.2")] {
        check(path, "application/soap+xml; action=\"urn:a\"", soap);
        check(path, "application/soap+xml; charset=utf-8; action=urn:a", soap);
        check(path, "application/soap+xml; action=\"urn:b\"", plain);
        check(path, "application/soap+xml", plain);
    }
}

/// A browser asks for a path before it calls an action of it.
#[test]
fn a_preflight_is_for_all_channels_of_a_path() {
    let house = house(&["/plain"]);
    for (id, action, origin) in
        [(2, "one", None), (3, "two", Some("https://a.example")), (4, "three", Some("*"))]
    {
        let channel = numbered(&house, id, "/soap");
        let cors = origin.map(|origin| origin.parse().unwrap());
        house.put(ChannelConfig { cors, ..soap(id, "/soap", action, Version::V11, &channel.service) });
    }
    let ask = |path: &str, origin: &'static str| {
        let request = Request::options(path).header("host", "localhost").header("origin", origin);
        let request = request.header("access-control-request-method", "POST");
        let request = request.header("access-control-request-headers", "soapaction");
        let reply = house.call(request.body(Full::default()).unwrap());
        let allowed = reply.headers.get("access-control-allow-origin").cloned();
        (reply.status.as_u16(), allowed.map(|origin| origin.to_str().unwrap().to_owned()))
    };
    assert_eq!(ask("/soap", "https://a.example").0, 204);
    assert_eq!(ask("/soap", "https://b.example"), (204, Some("*".to_owned())));
    house.channels.remove(4);
    assert_eq!(ask("/soap", "https://a.example"), (204, Some("https://a.example".to_owned())));
    assert_eq!(ask("/soap", "https://b.example"), (404, None));
}

#[test]
fn a_path_with_placeholders_takes_what_the_exact_one_has_no_action_for() {
    let house = House::new();
    house.put(numbered(&house, 1, "/s/exact"));
    let channel = numbered(&house, 2, "/");
    house.put(soap(2, "/s/{any}", "act", Version::V11, &channel.service));
    let reply = house.call(soap_request("/s/exact", "act", envelope("")));
    assert!(reply.body.contains("number.2 any=exact"), "{reply:?}");
    check(&house, get("/s/exact"), Some("number.1"));
    check(&house, get("/s/other"), None);
}

#[test]
fn channels_in_each_others_way() {
    let house = house(&["/a", "/p/{x}", "/q/{x}.txt"]);
    #[track_caller]
    fn check(house: &House, config: ChannelConfig, expected: &str) {
        assert_eq!(house.channels.check(config.clone()).unwrap_err().to_string(), expected);
        assert_eq!(house.channels.put(config).unwrap_err().to_string(), expected);
        assert_eq!(house.channels.len(), 3);
    }
    let config = numbered(&house, 9, "/a");
    let at = |path: &str| ChannelConfig { url_path: path.to_owned(), ..config.clone() };
    check(
        &house,
        at("/a"),
        "channel [channel 9] can't answer on [/a] to SOAP action []: channel [channel 1] does",
    );
    check(
        &house,
        at("/p/{y}"),
        "channel [channel 9] can't answer on [/p/{y}] to SOAP action []: channel [channel 2] does",
    );
    check(
        &house,
        at("/q/pre-{y}"),
        "channel [channel 9]: path [/q/pre-{y}] is ambiguous beside [/q/{x}.txt] of channel [channel 3]",
    );
    check(&house, at("p"), "channel [channel 9]: [p] is no path: it must begin with `/`");
    check(
        &house,
        soap(9, "/p/{x}", "", Version::V11, &config.service),
        "channel [channel 9] can't answer on [/p/{x}] to SOAP action []: channel [channel 2] does",
    );
    house.put(soap(9, "/p/{y}", "act", Version::V11, &config.service));
    let reply = house.call(soap_request("/p/1", "act", envelope("")));
    assert!(reply.body.contains("number.9 y=1"), "each channel of a path has its own names: {reply:?}");
}

#[test]
fn configurations_that_make_no_sense() {
    let house = House::new();
    let service = numbered(&house, 1, "/").service;
    let refused = |config: ChannelConfig| house.channels.put(config).unwrap_err();
    let base = soap(1, "/", "", Version::V11, &service);
    let error = refused(ChannelConfig { data_format: Some(DataFormat::Json), ..base.clone() });
    assert_eq!(error.to_string(), "channel [channel 1]: SOAP channels have data format xml, not json");
    let error = refused(support::json(1, "/a?b", &service));
    assert!(matches!(error, ChannelError::Path { reason: PathError::Character('?'), .. }), "{error}");
    let odd = house.service(Description::new("odd").response_element(Some("no name")), |_, ()| Ok(1));
    let error = refused(soap(1, "/", "", Version::V11, &odd));
    assert_eq!(
        error.to_string(),
        "channel [channel 1]: service [odd] can't answer in XML: `no name` cannot be the name of an XML element"
    );
    house.put(support::json(1, "/", &odd));
    assert_eq!(house.call(get("/")).body, r#"{"no name":1}"#);
    house.put(ChannelConfig { data_format: None, ..base });
    assert_eq!(house.channels.len(), 1);
}

#[test]
fn all_channels_at_once() {
    let house = house(&["/a", "/b"]);
    let (a, b) = (numbered(&house, 11, "/b"), numbered(&house, 12, "/c"));
    let errors =
        house.channels.replace_all([a.clone(), ChannelConfig { url_path: "/b".to_owned(), ..b.clone() }]);
    assert_eq!(
        errors.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["channel [channel 12] can't answer on [/b] to SOAP action []: channel [channel 11] does"]
    );
    check(&house, get("/a"), None);
    check(&house, get("/b"), Some("number.11"));
    let errors = house.channels.replace_all([ChannelConfig { url_path: String::new(), ..a }, b]);
    assert!(matches!(&*errors, [ChannelError::Path { reason: PathError::Relative, .. }]), "{errors:?}");
    check(&house, get("/b"), None);
    check(&house, get("/c"), Some("number.12"));
    assert!(house.channels.replace_all([]).is_empty() && house.channels.is_empty());
}

#[test]
fn a_channel_moves_and_goes() {
    let house = house(&["/a"]);
    let channel = numbered(&house, 5, "/b");
    house.put(channel.clone());
    check(&house, get("/b"), Some("number.5"));
    house.put(ChannelConfig {
        url_path: "/c/{x}".to_owned(),
        security: Some(basic_auth(1, "u", "p")),
        ..channel.clone()
    });
    check(&house, get("/b"), None);
    assert_eq!(house.call(get("/c/1")).status, StatusCode::UNAUTHORIZED);
    house.put(ChannelConfig { security: None, ..channel });
    check(&house, get("/c/1"), None);
    house.channels.remove(5);
    house.channels.remove(5);
    check(&house, get("/b"), None);
    check(&house, get("/a"), Some("number.1"));
}

/// Paths of few characters, so that they often get in each other's way.
fn paths() -> impl Strategy<Value = Vec<String>> {
    let segment = "[ab\u{17c}%.-]{0,2}(\\{[xy]\\})?[ab\u{17c}]{0,1}";
    let path =
        proptest::collection::vec(segment, 1..4).prop_map(|segments| format!("/{}", segments.join("/")));
    proptest::collection::vec(path, 1..8)
}

/// A refusal names the channel in the way, and every accepted path is found by a request for it.
#[test]
fn paths_get_along_or_say_which_one_is_in_the_way() {
    let house = House::new();
    let service = house.service(Description::new("any"), |_, input: RawInput| Ok(Raw::new(input.body)));
    proptest!(|(paths in paths())| {
        house.channels.replace_all([]);
        let mut accepted = Vec::new();
        for (id, path) in (1..).zip(&paths) {
            match house.channels.put(support::json(id, path, &service)) {
                Ok(()) => accepted.push(path),
                Err(ChannelError::Path { .. }) => {}
                Err(ChannelError::Taken { rival, .. }) => prop_assert!(rival.starts_with("channel ")),
                Err(ChannelError::Ambiguous { rival, rival_path, .. }) => {
                    prop_assert!(rival.starts_with("channel "));
                    prop_assert!(accepted.iter().any(|path| **path == *rival_path));
                }
                Err(error) => prop_assert!(false, "{}", error),
            }
        }
        for path in accepted {
            let filled = path.replace("{x}", "1").replace("{y}", "2");
            let encode = |byte| if byte == b'/' { "/".to_owned() } else { format!("%{byte:02x}") };
            let encoded: String = filled.bytes().map(encode).collect();
            prop_assert_eq!(house.call(get(&encoded)).status, StatusCode::OK, "{}", path);
        }
    });
}
