//! Every data format, there and back.

use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::Full;
use serde_json::{Value, json};
use zato_channel::{ChannelConfig, DataFormat, Precedence, UrlParameters, Version};
use zato_service::{Context, Description, Raw, RawInput};

use crate::support::{
    self, Greet, Greeting, House, ZATO, envelope, get, greeting, post, raw, soap, soap_request, xml,
};

#[track_caller]
fn check(house: &House, request: Request<Full<Bytes>>, content_type: &str, body: &str) {
    let reply = house.call(request);
    assert_eq!(reply.body, body);
    assert_eq!((reply.status, reply.content_type()), (StatusCode::OK, content_type), "{reply:?}");
    assert_eq!(reply.header("server"), "Zato");
}

const ENV: &str = r#""zato_env":{"details":"","result":"ZATO_OK","cid":"CID"}"#;

#[test]
fn json_of_the_public_api() {
    let house = House::new();
    house.put(support::json(1, "/greet", &house.greeter()));
    let check = |body: &str, expected: Value| {
        let expected = format!(r#"{{{ENV},"demo_greet_response":{expected}}}"#);
        check(&house, post("/greet", body.to_owned()), "application/json", &expected);
    };
    check(r#"{"name":"Ann"}"#, json!({"text": "Hello Ann", "times": 1}));
    check(r#"{"name":"Ann","times":"12","unknown":[1]}"#, json!({"text": "Hello Ann", "times": 12}));
    check("\u{FEFF}{\"name\":\"\u{17c}\"}", json!({"text": "Hello \u{17c}", "times": 1}));
}

#[test]
fn json_says_the_same_whatever_the_media_type_is() {
    let house = House::new();
    house.put(support::json(1, "/greet", &house.greeter()));
    for media_type in
        ["application/x-www-form-urlencoded", "text/xml", "text/plain; charset=us-ascii", "nonsense"]
    {
        let request = support::with(post("/greet", r#"{"name":"Ann"}"#), "content-type", media_type);
        assert_eq!(house.call(request).status, StatusCode::OK, "{media_type}");
    }
}

#[test]
fn json_shapes() {
    let house = House::new();
    let public = |name: &'static str| Description::internal(name).response_element(Some("list_response"));
    let list = house.service(public("list"), |_, ()| Ok(vec![1, 2]));
    let unit = house.service(public("unit"), |_, ()| Ok(()));
    let ordinary = house.service(Description::new("ordinary"), |_, ()| Ok(vec!["a"]));
    let nothing = house.service(Description::new("nothing"), |_, ()| Ok(()));
    let bare = house
        .service(Description::new("bare").response_element(None::<String>), |_, ()| Ok(json!({"a": null})));
    for (id, (path, service)) in (1..).zip([
        ("/list", &list),
        ("/unit", &unit),
        ("/ordinary", &ordinary),
        ("/nothing", &nothing),
        ("/bare", &bare),
    ]) {
        house.put(support::json(id, path, service));
    }
    let check = |path: &str, expected: &str| check(&house, post(path, ""), "application/json", expected);
    check("/list", &format!(r#"{{{ENV},"list_response":[1,2]}}"#));
    check("/unit", &format!("{{{ENV}}}"));
    check("/ordinary", r#"{"response":["a"]}"#);
    check("/nothing", "{}");
    check("/bare", r#"{"a":null}"#);
}

#[test]
fn no_json_is_no_input() {
    let house = House::new();
    let service = house
        .service(Description::new("optional"), |_, input: std::collections::BTreeMap<String, Value>| {
            Ok(input.len())
        });
    house.put(support::json(1, "/optional", &service));
    for body in ["", " \n", "null", "\"\"", " \"\" ", "{}", "\u{FEFF}"] {
        check(&house, post("/optional", body), "application/json", r#"{"response":0}"#);
    }
}

const GREETING: &str = "<zato_env><cid>CID</cid><result>ZATO_OK</result></zato_env>\
    <item><text>Hello Ann</text><times>2</times></item>";

#[test]
fn soap_1_1() {
    let house = House::new();
    house.put(soap(1, "/soap", "demo.greet", Version::V11, &house.greeter()));
    let expected = format!(
        "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"{ZATO}\"><soap:Body>\
         <demo_greet_response>{GREETING}</demo_greet_response></soap:Body></soap:Envelope>"
    );
    let check = |action: &str, message: &str| {
        let request = soap_request("/soap", action, message.to_owned());
        check(&house, request, "text/xml; charset=utf-8", &expected);
    };
    let prefixed = "<zato:demo_greet_request xmlns:zato=\"https://zato.io/ns/20130518\">\
        <zato:name>Ann</zato:name><zato:times> 2 </zato:times></zato:demo_greet_request>";
    let default =
        "<demo_greet_request xmlns=\"urn:any\"><name>Ann</name><times>2</times></demo_greet_request>";
    let none = "<demo_greet_request><name>Ann</name><times>2</times></demo_greet_request>";
    for action in ["demo.greet", "\"demo.greet\""] {
        for body in [prefixed, default, none] {
            check(action, &envelope(body));
        }
    }
    check("demo.greet", &format!("\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}", envelope(none)));
    // A request in the other version's envelope is read as well; the reply is in the channel's own.
    check("demo.greet", &envelope(none).replace(Version::V11.namespace(), Version::V12.namespace()));
}

#[test]
fn soap_1_2() {
    let house = House::new();
    house.put(soap(1, "/soap", "demo.greet", Version::V12, &house.greeter()));
    let message = envelope("<demo_greet_request><name>Ann</name><times>2</times></demo_greet_request>")
        .replace(Version::V11.namespace(), Version::V12.namespace());
    let media_type = "application/soap+xml; charset=utf-8; action=\"demo.greet\"";
    let request = support::with(post("/soap", message), "content-type", media_type);
    let expected = format!(
        "<soap:Envelope xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\" xmlns=\"{ZATO}\"><soap:Body>\
         <demo_greet_response>{GREETING}</demo_greet_response></soap:Body></soap:Envelope>"
    );
    check(&house, request, "application/soap+xml; charset=utf-8", &expected);
}

#[test]
fn later_soap_clients_read_their_own_namespace() {
    let house = House::new();
    house.put(soap(1, "/soap", "demo.greet", Version::V11, &house.greeter()));
    let body = "<demo_greet_request xmlns=\"https://zato.io/ns/v1\"><name>Ann</name><times>2</times></demo_greet_request>";
    let expected = format!(
        "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\" xmlns=\"https://zato.io/ns/v1\">\
         <soap:Body><demo_greet_response>{GREETING}</demo_greet_response></soap:Body></soap:Envelope>"
    );
    check(&house, soap_request("/soap", "demo.greet", envelope(body)), "text/xml; charset=utf-8", &expected);
    let wrong = "<demo_greet_request xmlns=\"https://zato.io/ns/v1\"/>";
    let reply = house.call(soap_request("/soap", "demo.greet", envelope(wrong)));
    assert!(reply.body.trim_start().starts_with("<SOAP-ENV:Envelope"), "{reply:?}");
}

#[test]
fn soap_of_ordinary_services() {
    let house = House::new();
    let typed =
        house.service(Description::new("typed"), |_, ()| Ok(Greeting { text: "a<b".to_owned(), times: 1 }));
    let bytes = house.service(Description::new("bytes"), |_, input: RawInput| {
        assert!(input.body.starts_with(b"<s:Envelope"), "the service gets the message as it came");
        Ok(Raw::new("<any xmlns=\"urn:any\"/>"))
    });
    let unit = house.service(Description::new("unit"), |_, ()| Ok(()));
    for (id, (action, service)) in (1..).zip([("typed", &typed), ("bytes", &bytes), ("unit", &unit)]) {
        house.put(soap(id, "/soap", action, Version::V11, service));
    }
    let check = |action: &str, content: &str| {
        let expected = format!(
            "<?xml version='1.0' encoding='UTF-8'?>\n<soap:Envelope \
             xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\"><soap:Body>{content}</soap:Body></soap:Envelope>"
        );
        check(&house, soap_request("/soap", action, envelope("")), "text/xml; charset=utf-8", &expected);
    };
    let env = "<zato_env><cid>CID</cid><result>ZATO_OK</result></zato_env>";
    check("typed", &format!("<response>{env}<item><text>a&lt;b</text><times>1</times></item></response>"));
    check("bytes", "<any xmlns=\"urn:any\"/>");
    check("unit", &format!("<response>{env}</response>"));
}

#[test]
fn plain_xml() {
    let house = House::new();
    let list = house.service(Description::new("list"), |_, ()| Ok(vec![json!({"a": 1}), json!({"a": 2})]));
    house.put(xml(1, "/greet", &house.greeter()));
    house.put(xml(2, "/list", &list));
    let declaration = "<?xml version='1.0' encoding='UTF-8'?>\n";
    let expected =
        format!("{declaration}<demo_greet_response xmlns=\"{ZATO}\">{GREETING}</demo_greet_response>");
    let request = "<demo_greet_request><name>Ann</name><times>2</times></demo_greet_request>";
    check(&house, post("/greet", request), "application/xml", &expected);
    let expected = format!(
        "{declaration}<response><zato_env><cid>CID</cid><result>ZATO_OK</result></zato_env>\
         <item_list><item><a>1</a></item><item><a>2</a></item></item_list></response>"
    );
    for request in [post("/list", ""), get("/list"), post("/list", "<anything/>")] {
        check(&house, request, "application/xml", &expected);
    }
}

#[test]
fn no_data_format() {
    let house = House::new();
    let echo = house.service(Description::new("echo"), |_, input: RawInput| Ok(Raw::new(input.body)));
    let typed = house.service(Description::new("typed"), |_, ()| Ok(vec![1]));
    let text = house.service(Description::new("text"), |_, ()| Ok("quoted \"text\""));
    let nothing = house.service(Description::new("nothing"), |_, ()| Ok(()));
    for (id, (path, service)) in
        (1..).zip([("/echo", &echo), ("/typed", &typed), ("/text", &text), ("/nothing", &nothing)])
    {
        house.put(raw(id, path, service));
    }
    for (id, format) in [(11, DataFormat::Csv), (12, DataFormat::Post)] {
        let path = format!("/echo/{}", format.as_str());
        house.put(ChannelConfig { data_format: Some(format), ..raw(id, &path, &echo) });
    }
    let check = |path: &str, body: &str, expected: &str| {
        check(&house, post(path, body.to_owned()), "text/plain", expected);
    };
    check("/echo", "any thing", "any thing");
    check("/echo/csv", "a,b\n1,2", "a,b\n1,2");
    check("/echo/post", "a=1&b=2", "a=1&b=2");
    check("/typed", "", "[1]");
    check("/text", "", "quoted \"text\"");
    check("/nothing", "", "");
}

#[test]
fn bytes_of_public_services_are_whole_messages() {
    let house = House::new();
    let echo = house.service(Description::internal("echo"), |_, input: RawInput| Ok(Raw::new(input.body)));
    house.put(support::json(1, "/json", &echo));
    house.put(soap(2, "/soap", "echo", Version::V11, &echo));
    let message = envelope("<a/>");
    check(&house, post("/json", "[1]"), "application/json", "[1]");
    check(&house, soap_request("/soap", "echo", message.clone()), "text/xml; charset=utf-8", &message);
}

#[test]
fn a_document_in_another_format_is_a_text_in_soap() {
    let house = House::new();
    let description = Description::internal("info").response_element(Some("info_response"));
    let info = house.service(description, |_, _: RawInput| Ok(Raw::json(r#"{"a": "<1>"}"#)));
    house.put(soap(1, "/soap", "info", Version::V11, &info));
    let reply = house.call(soap_request("/soap", "info", envelope("<a/>")));
    let body = r#"<soap:Body><info_response>{"a": "&lt;1&gt;"}</info_response></soap:Body>"#;
    assert!(reply.body.contains(body), "{}", reply.body);
}

#[test]
fn what_services_say_about_their_replies() {
    let house = House::new();
    let service = house.service(Description::internal("created"), |cx: &mut Context, input: Greet| {
        cx.response().status = Some(StatusCode::CREATED);
        cx.response().header(header::LOCATION, HeaderValue::from_static("/greetings/1"));
        cx.response().header(header::CONTENT_TYPE, HeaderValue::from_static("application/vnd.greeting+json"));
        cx.response().header(header::CONTENT_LENGTH, HeaderValue::from_static("1"));
        cx.response().header("x-zato-cid".parse().unwrap(), HeaderValue::from_static("forged"));
        cx.response().warn("Only \"one\"");
        Ok(greeting(&input))
    });
    house.put(support::json(1, "/", &service));
    let reply = house.call(post("/", r#"{"name":"Ann"}"#));
    assert_eq!(reply.status, StatusCode::CREATED);
    assert_eq!(reply.content_type(), "application/vnd.greeting+json");
    assert_eq!(reply.header("location"), "/greetings/1");
    assert_eq!(reply.header("content-length"), "");
    let expected = r#"{"zato_env":{"details":"Only \"one\"","result":"ZATO_WARNING","cid":"CID"},"response":{"text":"Hello Ann","times":1}}"#;
    assert_eq!(reply.body, expected);
}

#[test]
fn a_service_may_not_want_a_request() {
    let house = House::new();
    house.put(support::json(1, "/json", &house.greeter()));
    let reply = house.call(support::with(post("/json", "{}"), "x-unwanted", "yes"));
    assert_eq!(
        (reply.status, reply.content_type(), &*reply.body),
        (StatusCode::BAD_REQUEST, "text/plain", "")
    );
}

#[test]
fn services_learn_where_a_call_came_from() {
    let house = House::new();
    let service = house.service(Description::new("origin"), |cx: &mut Context, ()| {
        let origin = cx.origin();
        let request = origin.request.as_ref().unwrap();
        Ok(json!({
            "channel": cx.channel().as_str(),
            "target": request.uri.to_string(),
            "peer": origin.peer.unwrap().to_string(),
            "caller": origin.caller.as_deref(),
            "captured": origin.path_parameters.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>(),
        }))
    });
    let channel = support::json(1, "/{first}/x-{second name}.json", &service);
    house.put(ChannelConfig { security: Some(support::basic_auth(5, "u", "p")), ..channel });
    let request = support::with(get("/a%20b/x-%C5%BC%25.json?q=1"), "authorization", "Basic dTpw");
    let expected = json!({"response": {
        "channel": "http-soap",
        "target": "/a%20b/x-%C5%BC%25.json?q=1",
        "peer": "192.0.2.1:50000",
        "caller": "definition 5",
        "captured": ["first=a b", "second name=\u{17c}%"],
    }});
    let reply = house.call(request);
    assert_eq!(serde_json::from_str::<Value>(&reply.body).unwrap(), expected, "{reply:?}");
}

#[test]
fn parameters_of_urls_are_input() {
    let house = House::new();
    let greeter = house.greeter();
    let channel = support::json(1, "/greet/{name}", &greeter);
    house.put(channel.clone());
    house.put(xml(2, "/xml/{name}", &greeter));
    house.put(raw(3, "/raw/{name}", &greeter));
    let echo = house.service(Description::new("echo"), |_, input: RawInput| Ok(Raw::new(input.body)));
    house.put(support::json(4, "/echo/{name}", &echo));
    let unit = house.service(Description::new("unit"), |_, ()| Ok(()));
    house.put(support::json(5, "/unit", &unit));
    let check = |request: Request<Full<Bytes>>, expected: &str| {
        let reply = house.call(request);
        assert!(reply.status == StatusCode::OK && reply.body.contains(expected), "{expected}: {reply:?}");
    };
    check(get("/greet/Ann?times=3"), r#"{"text":"Hello Ann","times":3}"#);
    check(get("/greet/Ann?name=Bob"), r#"{"text":"Hello Bob","times":1}"#);
    check(post("/greet/Ann", r#"{"name":"Eve","times":4}"#), r#"{"text":"Hello Ann","times":4}"#);
    let body = "<demo_greet_request><name>Eve</name><times>4</times></demo_greet_request>";
    check(post("/xml/Ann", body), "<text>Hello Ann</text><times>4</times>");
    check(get("/raw/Ann"), r#"{"text":"Hello Ann","times":1}"#);
    check(post("/echo/Ann?a=b", "[1]"), "[1]");
    check(get("/unit?a=b"), "{}");
    // What is there twice means what it means without parameters.
    let twice = "<demo_greet_request><name>Eve</name><times>4</times><times>5</times></demo_greet_request>";
    check(post("/xml/Ann", twice), "<text>Hello Ann</text><times>4</times>");
    let reply = house.call(post("/greet/Ann?x=1", r#"{"times":4,"times":5}"#));
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert!(reply.details().ends_with("Element `times` is there more than once"), "{reply:?}");
    let message = UrlParameters { message: Precedence::Payload, ..UrlParameters::default() };
    house.put(ChannelConfig { url_parameters: message, ..channel.clone() });
    check(post("/greet/Ann", r#"{"name":"Eve"}"#), "Hello Eve");
    check(post("/greet/Ann", "{}"), "Hello Ann");
    house.put(ChannelConfig { url_parameters: UrlParameters { are_input: false, ..message }, ..channel });
    assert_eq!(house.call(post("/greet/Ann?name=Bob", "{}")).status, StatusCode::BAD_REQUEST);
    assert_eq!(house.call(post("/raw/Ann", "x")).status, StatusCode::BAD_REQUEST);
    assert_eq!(house.call(get("/greet/Ann?times=x")).status, StatusCode::BAD_REQUEST);
}
