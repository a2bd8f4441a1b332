//! What wrong requests and failing services are answered.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use zato_channel::{ChannelConfig, ErrorDetails, Pages, Settings, Version};
use zato_service::{Description, Error, ErrorKind};

use crate::support::{
    House, Reply, basic_auth, envelope, get, json, post, raw, soap, soap_request, with, xml,
};

/// All kinds of channels, for services that greet and services that fail.
fn house(settings: Settings) -> House {
    let house = House::with(Pages::new(), settings);
    let greeter = house.greeter();
    house.put(json(1, "/json", &greeter));
    house.put(xml(2, "/xml", &greeter));
    house.put(soap(3, "/soap", "greet", Version::V11, &greeter));
    house.put(soap(4, "/soap12", "greet", Version::V12, &greeter));
    house.put(raw(5, "/raw", &greeter));
    let fails = house.service(Description::new("fails"), |cx, ()| -> Result<(), Error> {
        let query = cx.origin().request.as_ref().unwrap().uri.query().unwrap();
        Err(Error::new(kind(query), "It failed").with_source(std::io::Error::other("the disk is full")))
    });
    house.put(json(11, "/json/fails", &fails));
    house.put(xml(12, "/xml/fails", &fails));
    house.put(soap(13, "/soap/fails", "", Version::V11, &fails));
    let panics = house.service(Description::new("panics"), |_, ()| -> Result<(), Error> { panic!("S3cret") });
    house.put(json(21, "/json/panics", &panics));
    house
}

const KINDS: [(&str, ErrorKind, u16, u16); 14] = [
    ("bad-request", ErrorKind::BadRequest, 400, 500),
    ("unauthorized", ErrorKind::Unauthorized, 401, 401),
    ("forbidden", ErrorKind::Forbidden, 403, 403),
    ("not-found", ErrorKind::NotFound, 404, 404),
    ("method", ErrorKind::MethodNotAllowed, 405, 405),
    ("conflict", ErrorKind::Conflict, 409, 500),
    ("too-large", ErrorKind::PayloadTooLarge, 413, 500),
    ("media-type", ErrorKind::UnsupportedMediaType, 415, 500),
    ("too-many", ErrorKind::TooManyRequests, 429, 429),
    ("internal", ErrorKind::Internal, 500, 500),
    ("bad-gateway", ErrorKind::BadGateway, 502, 500),
    ("timeout", ErrorKind::GatewayTimeout, 504, 500),
    ("unavailable", ErrorKind::Unavailable, 503, 500),
    // Nothing that is asked for; the last row keeps the table's lookup total.
    ("", ErrorKind::Internal, 500, 500),
];

fn kind(query: &str) -> ErrorKind {
    KINDS.iter().find(|(name, ..)| *name == query).unwrap().1
}

#[test]
fn every_kind_of_error_has_its_status() {
    let house = house(Settings::default());
    for (query, kind, status, soap_status) in KINDS {
        let reply = house.call(get(&format!("/json/fails?{query}")));
        assert_eq!((reply.status.as_u16(), reply.content_type()), (status, "application/json"), "{query}");
        assert!(reply.details().starts_with("Traceback"), "{reply:?}");

        let reply = house.call(get(&format!("/xml/fails?{query}")));
        assert_eq!(
            (reply.status.as_u16(), reply.content_type()),
            (status, "text/plain; charset=utf-8"),
            "{query}"
        );
        assert!(reply.body.starts_with("Traceback") && reply.body.ends_with("\nIt failed"), "{reply:?}");

        let request = post(&format!("/soap/fails?{query}"), envelope(""));
        let reply = house.call(request);
        assert_eq!(
            (reply.status.as_u16(), reply.content_type()),
            (soap_status, "text/xml; charset=utf-8"),
            "{query}"
        );
        let code = if kind.is_callers() { "SOAP-ENV:Client" } else { "SOAP-ENV:Server" };
        assert!(reply.body.contains(&format!("<faultcode>{code}</faultcode>")), "{reply:?}");
        assert!(reply.body.contains("<![CDATA[cid [CID], faultstring [Traceback"), "{reply:?}");
        assert!(reply.body.contains("\nIt failed]]]></faultstring>"), "{reply:?}");
    }
}

#[test]
fn a_report_names_service_place_and_causes() {
    let details = house(Settings::default()).call(get("/json/fails?internal")).details();
    let lines: Vec<&str> = details.lines().collect();
    let [first, service, file, cause, message] = &lines[..] else { panic!("{details}") };
    assert_eq!(*first, "Traceback (most recent call last):");
    assert_eq!(*service, "  Service \"fails\"");
    assert!(file.starts_with("  File \"") && file.contains("errors.rs\", line "), "{file}");
    assert_eq!(*cause, "  Cause: the disk is full");
    assert_eq!(*message, "It failed");
}

#[test]
fn a_setting_cuts_reports_down_to_the_message() {
    let house = house(Settings { error_details: ErrorDetails::Message, ..Settings::default() });
    assert_eq!(house.call(get("/json/fails?internal")).details(), "It failed");
    assert_eq!(house.call(get("/xml/fails?conflict")).body, "It failed");
    let reply = house.call(post("/soap/fails?internal", envelope("")));
    assert!(reply.body.contains("<![CDATA[cid [CID], faultstring [It failed]]]>"), "{reply:?}");
}

#[test]
fn a_panic_is_an_error_of_the_server() {
    let house = house(Settings::default());
    for _ in 0..2 {
        let reply = house.call(post("/json/panics", ""));
        assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(reply.details().contains("Service \"panics\""), "{reply:?}");
        assert!(!reply.body.contains("S3cret"), "{reply:?}");
    }
    assert_eq!(house.call(post("/json", r#"{"name":"Ann"}"#)).status, StatusCode::OK);
}

#[track_caller]
fn check(request: Request<Full<Bytes>>, status: u16, says: &str) -> Reply {
    let reply = house(Settings::default()).call(request);
    assert_eq!(reply.status.as_u16(), status, "{reply:?}");
    assert!(reply.body.contains(says), "{says} is not in {reply:?}");
    reply
}

#[test]
fn wrong_json() {
    for (body, says) in [
        (&b"{"[..], "line 1"),
        (b"{\n\"name\": Ann}", "line 2"),
        (b"{\"name\":\"\xFF\"}", "line 1"),
        (b"[1]", "object"),
        (b"7", "object"),
        (b"{}", "Missing required element `name`"),
        (b"", "Missing required element `name`"),
        (br#"{"name":null}"#, "Missing required element `name`"),
        (br#"{"name":"Ann","times":"many"}"#, "Element `times`: expected an integer"),
        (br#"{"name":{}}"#, "Element `name`: expected"),
    ] {
        let reply = check(post("/json", body), 400, says.replace('"', "\\\"").as_str());
        let details = reply.details();
        assert!(details.starts_with("Traceback") && details.contains("Service \"demo.greet\""), "{details}");
    }
    let deep = format!("{{\"name\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    check(post("/json", deep), 400, "ZATO_ERROR");
}

#[test]
fn wrong_xml() {
    for (body, says) in [
        (&b"<a>"[..], "The body can't be read as XML: line 1, column"),
        (b"<demo_greet_request>\n</wrong>", "The body can't be read as XML: line 2, column"),
        (b"no xml", "The body can't be read as XML"),
        (b"<a>\xFF</a>", "The body is not in UTF-8: its first 3 bytes are"),
        (b"<!DOCTYPE a><a/>", "document type declaration"),
        (b"<other/>", "Expected the element `demo_greet_request`, found `other`"),
        (b"<demo_greet_request/>", "Missing required element `name`"),
        (b"", "Missing required element `name`"),
        (b"<demo_greet_request><name>Ann</name><times>x</times></demo_greet_request>", "Element `times`"),
    ] {
        let reply = check(post("/xml", body), 400, says);
        assert!(reply.body.starts_with("Traceback"), "{reply:?}");
    }
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    check(post("/xml", deep), 400, "nested deeper");
}

#[test]
fn wrong_soap() {
    let bomb = "<!DOCTYPE s [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><s>&b;</s>";
    for (body, says) in [
        (String::new(), "The body can't be read as XML"),
        ("{}".to_owned(), "The body can't be read as XML"),
        ("<a/>".to_owned(), "expected a SOAP Envelope, found the element \"a\""),
        ("<Envelope/>".to_owned(), "expected the Envelope of SOAP 1.1 or 1.2"),
        (envelope("").replace("Body", "Other"), "has no Body"),
        (envelope("<a/><b/>"), "The SOAP Body has more than one element: `a` is followed by `b`"),
        (envelope("<other/>"), "Expected the element `demo_greet_request`, found `other`"),
        (envelope(""), "Missing required element `name`"),
        (bomb.to_owned(), "document type declaration"),
    ] {
        let reply = check(soap_request("/soap", "greet", body), 500, says);
        assert_eq!(reply.content_type(), "text/xml; charset=utf-8");
        assert!(reply.body.contains("<faultcode>SOAP-ENV:Client</faultcode>"), "{reply:?}");
    }
    let reply = check(soap_request("/soap12", "greet", ""), 400, "The body can't be read as XML");
    assert_eq!(reply.content_type(), "application/soap+xml; charset=utf-8");
    assert!(reply.body.contains("env:Sender"), "{reply:?}");
}

#[test]
fn forms_of_bodies_that_are_not_read() {
    let compressed = |path| with(post(path, r#"{"name":"Ann"}"#), "content-encoding", "gzip");
    check(compressed("/json"), 415, "Content-Encoding `gzip` is not supported");
    check(compressed("/xml"), 415, "Content-Encoding `gzip` is not supported");
    let latin =
        |path| with(post(path, r#"{"name":"Ann"}"#), "content-type", "text/plain; charset=ISO-8859-2");
    check(latin("/json"), 415, "Charset `ISO-8859-2` is not supported");
    let declared = "<?xml version=\"1.0\" encoding=\"ISO-8859-2\"?><demo_greet_request/>";
    check(post("/xml", declared), 415, "ISO-8859-2");
    let utf_16: Vec<u8> = "\u{FEFF}<a/>".encode_utf16().flat_map(u16::to_le_bytes).collect();
    check(post("/xml", utf_16), 400, "The body is not in UTF-8");
}

#[test]
fn a_service_with_elements_needs_a_data_format() {
    check(post("/raw", "name=Ann"), 400, "not read from bodies of its channel's data format");
    check(post("/raw", ""), 400, "Missing required element `name`");
}

#[test]
fn unknown_urls_are_answered_in_the_form_their_callers_read() {
    let house = house(Settings::default());
    let text = |path: &str, action: &str| format!("CID:`CID` Unknown URL:`{path}` or SOAP action:`{action}`");
    let check = |request: Request<Full<Bytes>>, content_type: &str, body: &str| {
        let reply = house.call(request);
        assert_eq!((reply.status, reply.content_type()), (StatusCode::NOT_FOUND, content_type), "{reply:?}");
        assert!(reply.body.contains(body), "{reply:?}");
    };
    let plain = "text/plain; charset=utf-8";
    check(get("/a%20b?c=d"), plain, &text("/a b", ""));
    check(get("/%FF"), plain, &text("/\u{FFFD}", ""));
    check(soap_request("/unknown", "\"x\"", ""), plain, &text("/unknown", "x"));
    check(get("/zato/jsonx"), plain, &text("/zato/jsonx", ""));
    let json = format!(
        r#"{{"zato_env":{{"details":"{}","result":"ZATO_ERROR","cid":"CID"}}}}"#,
        text("/zato/json/x", "")
    );
    check(get("/zato/json/x"), "application/json", &json);
    check(get("/zato/api/invoke/x"), "application/json", &text("/zato/api/invoke/x", ""));
    let fault = format!("<![CDATA[cid [CID], faultstring [{}]]]>", text("/zato/soap", "x"));
    check(soap_request("/zato/soap", "x", ""), "text/xml; charset=utf-8", &fault);
    let long = "x".repeat(5_000);
    let reply = house.call(get(&format!("/{long}")));
    assert!(reply.body.len() < 400, "what a caller sends is not repeated without end");
}

#[test]
fn inactive_channels_and_services() {
    let house = house(Settings::default());
    let greeter = house.registry.find("demo.greet").unwrap();
    house.put(ChannelConfig { is_active: false, ..json(1, "/json", &greeter) });
    let reply = house.call(post("/json", "{}"));
    assert_eq!((reply.status, reply.details()), (StatusCode::NOT_FOUND, "Channel inactive".to_owned()));

    greeter.configure(1, false, greeter.slow_threshold());
    let unknown = "CID:`CID` Unknown URL:`/soap` or SOAP action:`greet`";
    let reply = house.call(soap_request("/soap", "greet", envelope("")));
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert!(reply.body.contains(unknown), "{reply:?}");
    greeter.configure(1, true, greeter.slow_threshold());
    let request =
        soap_request("/soap", "greet", envelope("<demo_greet_request><name>A</name></demo_greet_request>"));
    assert_eq!(house.call(request).status, StatusCode::OK);
}

#[test]
fn methods() {
    let house = house(Settings::default());
    let greeter = house.registry.find("demo.greet").unwrap();
    house.put(ChannelConfig { method: Some(http::Method::PUT), ..json(1, "/json", &greeter) });
    let reply = house.call(post("/json", r#"{"name":"Ann"}"#));
    assert_eq!((reply.status, reply.header("allow")), (StatusCode::METHOD_NOT_ALLOWED, "PUT, OPTIONS"));
    assert_eq!(reply.details(), "Method `POST` is not allowed here");
    let request =
        Request::put("/json").header("host", "localhost").body(Full::from(r#"{"name":"Ann"}"#)).unwrap();
    assert_eq!(house.call(request).status, StatusCode::OK);
    for method in ["GET", "HEAD", "DELETE", "PATCH", "OPTIONS", "FOO"] {
        let body = Full::from("<demo_greet_request><name>Ann</name></demo_greet_request>");
        let request =
            Request::builder().method(method).uri("/xml").header("host", "localhost").body(body).unwrap();
        assert_eq!(house.call(request).status, StatusCode::OK, "{method}");
    }
}

#[test]
fn what_goes_with_a_method() {
    let house = house(Settings::default());
    let greeter = house.registry.find("demo.greet").unwrap();
    let send = |method: &str, uri: &str| {
        let body = Full::from(r#"{"name":"Ann"}"#);
        let reply = house
            .call(Request::builder().method(method).uri(uri).header("host", "localhost").body(body).unwrap());
        (reply.status.as_u16(), reply.header("allow").to_owned())
    };
    let only = |method: &str| {
        let method = Some(method.parse().unwrap());
        house.put(ChannelConfig {
            method,
            security: Some(basic_auth(1, "u", "p")),
            ..json(1, "/json", &greeter)
        });
    };
    only("GET");
    assert_eq!(send("HEAD", "/json").0, 401, "a HEAD is a GET, and needs its credentials");
    assert_eq!(send("OPTIONS", "/json"), (204, "GET, HEAD, OPTIONS".to_owned()));
    assert_eq!(send("POST", "/json"), (405, "GET, HEAD, OPTIONS".to_owned()));
    only("POST");
    assert_eq!(send("HEAD", "/json"), (405, "POST, OPTIONS".to_owned()));
    only("OPTIONS");
    assert_eq!(send("OPTIONS", "/json").0, 401, "it is the service that answers");
    assert_eq!(send("GET", "/json"), (405, "OPTIONS".to_owned()));
    let (status, allow) = send("OPTIONS", "*");
    assert_eq!(status, 204);
    assert!(allow.starts_with("GET, HEAD, POST"), "{allow}");
    assert_eq!(send("GET", "*").0, 404);
}
