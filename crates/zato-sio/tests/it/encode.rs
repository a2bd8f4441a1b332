//! What is written for which value, to the letter.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};
use zato_sio::{Csv, EncodeError, Utc, to_json, to_xml, to_xml_children};
use zato_xml::Limits;

fn json_text<T: Serialize + ?Sized>(value: &T) -> Result<String, EncodeError> {
    let mut out = b"kept".to_vec();
    let result = to_json(value, &mut out);
    let text = String::from_utf8(out).unwrap();
    let written = text.strip_prefix("kept").unwrap().to_owned();
    assert!(result.is_ok() || written.is_empty(), "a failure leaves nothing behind");
    result.map(|()| written)
}

fn xml_text<T: Serialize + ?Sized>(value: &T) -> Result<String, EncodeError> {
    let mut out = b"<r>".to_vec();
    let result = to_xml(value, &mut out);
    let text = String::from_utf8(out).unwrap();
    let written = text.strip_prefix("<r>").unwrap().to_owned();
    assert!(result.is_ok() || written.is_empty(), "a failure leaves nothing behind");
    let limits = Limits { max_depth: 1_000, ..Limits::default() };
    zato_xml::parse(&format!("{text}</r>"), &limits).unwrap();
    result.map(|()| written)
}

#[derive(Serialize)]
struct One<T> {
    x: T,
}

#[track_caller]
fn check<T: Serialize>(value: T, json: &str, xml: &str) {
    let message = One { x: value };
    assert_eq!(json_text(&message), Ok(format!("{{\"x\":{json}}}")));
    assert_eq!(xml_text(&message), Ok(format!("<item>{xml}</item>")));
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Transport {
    PlainHttp,
}

#[test]
fn single_values() {
    check(7, "7", "<x>7</x>");
    check(i64::MIN, "-9223372036854775808", "<x>-9223372036854775808</x>");
    check(u64::MAX, "18446744073709551615", "<x>18446744073709551615</x>");
    check(true, "true", "<x>true</x>");
    check(false, "false", "<x>false</x>");
    check(1.5, "1.5", "<x>1.5</x>");
    check(2.0, "2.0", "<x>2.0</x>");
    check(0.1_f32, "0.1", "<x>0.1</x>");
    check("", "\"\"", "<x></x>");
    check("a<b>&\"'\n", r#""a<b>&\"'\n""#, "<x>a&lt;b&gt;&amp;\"'\n</x>");
    check("żółć\u{1}", "\"żółć\\u0001\"", "<x>żółć\u{fffd}</x>");
    check('<', "\"<\"", "<x>&lt;</x>");
    check(Transport::PlainHttp, "\"plain_http\"", "<x>plain_http</x>");
    check(Csv(vec!["a".to_owned(), " b".to_owned()]), "\"a, b\"", "<x>a, b</x>");
    let time = Utc::parse("2013-04-26 23:41:45+00:00").unwrap();
    check(time, "\"2013-04-26T23:41:45\"", "<x>2013-04-26T23:41:45</x>");
    let time = Utc::parse("2013-04-26T23:41:45.000911").unwrap();
    check(time, "\"2013-04-26T23:41:45.000911\"", "<x>2013-04-26T23:41:45.000911</x>");
}

#[test]
fn composite_values() {
    check(Vec::<i64>::new(), "[]", "<x></x>");
    check(vec!["a", "b"], "[\"a\",\"b\"]", "<x><item>a</item><item>b</item></x>");
    check((1, "a"), "[1,\"a\"]", "<x><item>1</item><item>a</item></x>");
    check(vec![vec![1]], "[[1]]", "<x><item><item>1</item></item></x>");
    check(One { x: 1 }, "{\"x\":1}", "<x><x>1</x></x>");
    check(vec![One { x: 1 }], "[{\"x\":1}]", "<x><item><x>1</x></item></x>");
    let map = BTreeMap::from([("a b", 1), ("<", 2)]);
    let entries = "<item><key>&lt;</key><value>2</value></item><item><key>a b</key><value>1</value></item>";
    check(map.clone(), "{\"<\":2,\"a b\":1}", &format!("<x>{entries}</x>"));
    check(vec![map], "[{\"<\":2,\"a b\":1}]", &format!("<x><dict>{entries}</dict></x>"));
    check(BTreeMap::from([(1, true)]), "{\"1\":true}", "<x><item><key>1</key><value>true</value></item></x>");
    check(
        BTreeMap::from([("m", BTreeMap::from([("n", 1)]))]),
        "{\"m\":{\"n\":1}}",
        "<x><item><key>m</key><value><item><key>n</key><value>1</value></item></value></item></x>",
    );
    check(
        json!([{"a": [1, "b"]}]),
        "[{\"a\":[1,\"b\"]}]",
        "<x><dict><item><key>a</key><value><item>1</item><item>b</item></value></item></dict></x>",
    );
}

#[test]
fn payloads() {
    assert_eq!(xml_text(&()), Ok(String::new()));
    assert_eq!(xml_text(&None::<One<i64>>), Ok(String::new()));
    assert_eq!(xml_text(&Vec::<One<i64>>::new()), Ok("<item_list></item_list>".to_owned()));
    assert_eq!(
        xml_text(&[One { x: 1 }, One { x: 2 }]),
        Ok("<item_list><item><x>1</x></item><item><x>2</x></item></item_list>".to_owned())
    );
    assert_eq!(xml_text(&json!({"b": 1, "a": "x"})), Ok("<item><a>x</a><b>1</b></item>".to_owned()));
    assert_eq!(xml_text(&json!([{"a": "x"}])), Ok("<item_list><item><a>x</a></item></item_list>".to_owned()));
    assert_eq!(xml_text(&json!({"a b": 1})), Err(EncodeError::InvalidName { name: "a b".to_owned() }));
    assert_eq!(xml_text(&json!({"": 1})), Err(EncodeError::InvalidName { name: String::new() }));
    let single = EncodeError::Unsupported { what: "a single value where an item belongs" };
    assert_eq!(xml_text("text"), Err(single.clone()));
    assert_eq!(xml_text(&[1]), Err(single));
    let mut out = Vec::new();
    to_xml_children(&One { x: None::<i64> }, &mut out).unwrap();
    let expected = "<x xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"/>";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn null() {
    const DECLARED: &str = "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"";
    for (message, json, xml) in [
        (json!({"a": null, "b": null}), "{\"a\":null,\"b\":null}", "item"),
        (json!([{"a": null, "b": null}]), "[{\"a\":null,\"b\":null}]", "item_list"),
    ] {
        assert_eq!(json_text(&message), Ok(json.to_owned()));
        let text = xml_text(&message).unwrap();
        assert!(text.starts_with(&format!("<{xml} {DECLARED}>")), "{text}");
        assert!(text.contains("<a xsi:nil=\"true\"/><b xsi:nil=\"true\"/>"), "{text}");
        assert_eq!(text.matches("xmlns:xsi").count(), 1, "{text}");
    }
    assert_eq!(json_text(&One { x: f64::NAN }), Ok("{\"x\":null}".to_owned()));
    let text = xml_text(&One { x: f64::INFINITY }).unwrap();
    assert_eq!(text, format!("<item {DECLARED}><x xsi:nil=\"true\"/></item>"));
}

#[test]
fn what_has_no_form() {
    #[derive(Serialize)]
    enum Shape {
        Circle(i64),
    }
    let unsupported = EncodeError::Unsupported { what: "an enum variant with content" };
    assert_eq!(xml_text(&One { x: Shape::Circle(1) }), Err(unsupported));
    #[derive(Serialize)]
    struct Spaced {
        #[serde(rename = "a b")]
        field: i64,
    }
    let invalid = EncodeError::InvalidName { name: "a b".to_owned() };
    assert_eq!(xml_text(&Spaced { field: 1 }), Err(invalid.clone()));
    assert_eq!(xml_text(&One { x: Spaced { field: 1 } }), Err(invalid));
    let keys = BTreeMap::from([(vec![1], 1)]);
    assert!(matches!(json_text(&keys), Err(EncodeError::Invalid { .. })));
    assert_eq!(
        xml_text(&One { x: keys }),
        Err(EncodeError::Unsupported { what: "a map whose keys are not texts" })
    );
}

#[test]
fn nesting_is_limited() {
    let nested = |depth: usize| (1..depth).fold(json!([]), |inner, _| Value::Array(vec![inner]));
    for depth in [100, 5_000] {
        let message = One { x: nested(depth) };
        assert_eq!(json_text(&message), Err(EncodeError::TooDeep), "{depth}");
        assert_eq!(xml_text(&message), Err(EncodeError::TooDeep), "{depth}");
    }
    assert!(json_text(&One { x: nested(99) }).is_ok());
    assert!(xml_text(&One { x: nested(99) }).is_ok());
}
