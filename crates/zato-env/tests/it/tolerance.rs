//! Replies which are incomplete, malformed or none at all.

use std::convert::Infallible;
use std::error::Error;

use serde_json::json;
use zato_env::{JsonFrame, Outcome, ReadError, XmlFrame, XmlPayload, ZatoEnv, read_json, read_xml};

#[test]
fn outcomes() {
    for (text, outcome) in
        [("ZATO_OK", Outcome::Ok), ("ZATO_ERROR", Outcome::Error), ("ZATO_WARNING", Outcome::Warning)]
    {
        assert_eq!(text.parse(), Ok(outcome));
        assert_eq!(outcome.to_string(), text);
        assert_eq!(serde_json::to_value(outcome).unwrap(), json!(text));
        assert_eq!(serde_json::from_value::<Outcome>(json!(text)).unwrap(), outcome);
    }
    for text in ["", "zato_ok", "OK"] {
        assert!(text.parse::<Outcome>().is_err(), "{text}");
    }
}

#[test]
fn parts_of_a_json_reply() {
    let env = r#"{"cid":"K1","result":"ZATO_WARNING","details":null,"more":1}"#;
    let reply = format!(r#"{{"\u0061_response":[1,"2"],"zato_env":{env}}}"#);
    let reply = read_json(reply.as_bytes()).unwrap();
    assert_eq!(reply.env(), Some(&ZatoEnv::warning("K1", "")));
    assert_eq!(reply.response_element(), Some("a_response"));
    assert_eq!(reply.payload_text(), Some(r#"[1,"2"]"#));
    assert_eq!(reply.payload::<Vec<i64>>().unwrap(), [1, 2]);
    assert!(matches!(reply.payload::<Vec<bool>>(), Err(ReadError::Payload(_))));

    let bare = read_json(b"{}").unwrap();
    assert_eq!((bare.env(), bare.response_element()), (None, None));
    assert!(matches!(bare.payload::<()>(), Err(ReadError::NoPayload)));
}

#[test]
fn what_only_looks_like_a_page() {
    let alone = read_json(br#"{"zato_env":{"result":"ZATO_OK","cid":"K1"},"_meta":[1]}"#).unwrap();
    assert_eq!((alone.response_element(), alone.payload_text()), (Some("_meta"), Some("[1]")));
    assert_eq!(alone.page().unwrap(), None);

    let beside = read_json(br#"{"_meta":{"total":1},"a":[1]}"#).unwrap();
    assert_eq!(beside.response_element(), Some("a"));
    assert!(matches!(beside.page(), Err(ReadError::Page(_))));

    let document = zato_xml::parse("<r><item/><_meta/></r>", &zato_xml::Limits::default()).unwrap();
    assert!(matches!(read_xml(document.root_element()).unwrap().page(), Err(ReadError::Page(_))));
}

#[track_caller]
fn fails(reply: &[u8], message: &str, source: &str) {
    let error = read_json(reply).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), message);
    assert_eq!(error.source().map(ToString::to_string).unwrap_or_default(), source);
}

#[test]
fn what_is_not_a_json_reply() {
    let object = "the reply is not a well-formed JSON object";
    fails(b"", object, "EOF while parsing a value at line 1 column 0");
    fails(b"{\"a\":}", object, "expected value at line 1 column 6");
    fails(b"{} x", object, "trailing characters at line 1 column 4");
    fails(b"[1]", object, "invalid type: sequence, expected an object at line 1 column 0");
    fails(b"{\"a\":1,\"b\":2}", "the reply holds several elements beside zato_env", "");
    fails(b"{\"a\":1,\"_meta\":{},\"_meta\":{}}", "the reply holds several elements beside zato_env", "");
    let env = "the zato_env of the reply cannot be read";
    fails(b"{\"zato_env\":1}", env, "Expected an object at the top level, found a number");
    fails(b"{\"zato_env\":{\"result\":\"ZATO_OK\"}}", env, "Missing required element `cid`");
    fails(
        b"{\"zato_env\":{\"cid\":\"K1\",\"result\":\"FINE\"}}",
        env,
        "Element `result`: expected one of `ZATO_OK`, `ZATO_ERROR`, `ZATO_WARNING`, found the text `FINE`",
    );
}

#[test]
fn parts_of_an_xml_reply() {
    let text = "<r><other/><zato_env><result>ZATO_ERROR</result><details>a &lt; b</details><cid>K1</cid></zato_env></r>";
    let document = zato_xml::parse(text, &zato_xml::Limits::default()).unwrap();
    let reply = read_xml(document.root_element()).unwrap();
    assert_eq!(reply.env(), Some(&ZatoEnv::error("K1", "a < b")));
    assert_eq!((reply.response_element(), reply.namespace()), ("r", None));
    assert!(matches!(reply.content(), XmlPayload::None));
    assert!(matches!(reply.payload::<()>(), Err(ReadError::NoPayload)));

    let document = zato_xml::parse("<r><zato_env/></r>", &zato_xml::Limits::default()).unwrap();
    assert!(matches!(read_xml(document.root_element()), Err(ReadError::Env(_))));
    let document =
        zato_xml::parse("<r xmlns='urn:a'><zato_env xmlns='urn:b'/></r>", &zato_xml::Limits::default())
            .unwrap();
    assert_eq!(read_xml(document.root_element()).unwrap().env(), None, "an element of another namespace");
}

#[test]
fn replies_without_a_payload() {
    let env = ZatoEnv::ok("K1");
    let nothing = |_: &mut Vec<u8>| Ok::<(), Infallible>(());
    let expected = r#"{"zato_env":{"details":"","result":"ZATO_OK","cid":"K1"}}"#;
    for element in [None, Some("zato_x_response")] {
        let mut out = Vec::new();
        JsonFrame::new(element).write(&mut out, &env, nothing).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
    let mut out = Vec::new();
    XmlFrame::new("r", Some("urn:\"<&")).unwrap().write(&mut out, &env, nothing).unwrap();
    let expected =
        "<r xmlns=\"urn:&quot;&lt;&amp;\"><zato_env><cid>K1</cid><result>ZATO_OK</result></zato_env></r>";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn a_failing_payload_leaves_nothing_behind() {
    let env = ZatoEnv::ok("K1");
    let fail = |out: &mut Vec<u8>| {
        out.extend_from_slice(b"half");
        Err("no")
    };
    let mut out = b"before".to_vec();
    assert_eq!(JsonFrame::new(Some("x")).write(&mut out, &env, fail), Err("no"));
    assert_eq!(out, b"before");
    assert_eq!(XmlFrame::new("x", None).unwrap().write(&mut out, &env, fail), Err("no"));
    assert_eq!(out, b"before");
    assert_eq!(
        XmlFrame::new("a b", None).unwrap_err().to_string(),
        "`a b` cannot be the name of an XML element"
    );
}
