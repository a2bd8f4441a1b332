//! What XML is accepted for which type, and what the errors say.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use zato_sio::{Csv, DecodeErrorKind, Utc, from_xml};
use zato_xml::Limits;

#[track_caller]
fn from_text<T: DeserializeOwned>(xml: &str) -> Result<T, zato_sio::DecodeError> {
    let limits = Limits { max_depth: 1_000, ..Limits::default() };
    let document = zato_xml::parse(xml, &limits).unwrap();
    from_xml(document.root_element())
}

#[derive(Deserialize, PartialEq, Debug)]
struct Message<T> {
    x: T,
}

/// Decodes `content` as the children of a root, without a namespace, with a default one and with a prefix.
#[track_caller]
fn decode<T: DeserializeOwned + PartialEq + Debug>(content: &str) -> Result<T, String> {
    let plain = from_text::<Message<T>>(&format!("<root xmlns:xsi='{XSI}'>{content}</root>"));
    let default = from_text::<Message<T>>(&format!("<root xmlns='urn:a' xmlns:xsi='{XSI}'>{content}</root>"));
    assert_eq!(plain, default);
    plain.map(|message| message.x).map_err(|error| error.to_string())
}

const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

#[track_caller]
fn check<T: DeserializeOwned + PartialEq + Debug>(content: &str, expected: T) {
    assert_eq!(decode::<T>(content), Ok(expected), "{content}");
}

#[track_caller]
fn fails<T: DeserializeOwned + PartialEq + Debug>(content: &str, expected: &str) {
    assert_eq!(decode::<T>(content), Err(expected.to_owned()), "{content}");
}

#[test]
fn single_values() {
    check("<x> 12 </x>", 12);
    check("<x>\n255</x>", 255_u8);
    check("<x>Yes</x>", true);
    check("<x/>", false);
    check("<x xsi:nil='true'/>", false);
    check("<x>1.5</x>", 1.5);
    check("<x> a &lt; b </x>", " a < b ".to_owned());
    check("<x/>", String::new());
    check("<x>a<!-- comment -->b<![CDATA[<c>]]><?pi?>d</x>", "ab<c>d".to_owned());
    check("<x kind='ignored'>1</x>", 1);
    check("<x>1</x><x>2</x><x>z</x>", 1);
    check("<other><x>9</x></other><x>1</x>", 1);
    check("<x>a,b</x>", Csv(vec!["a".to_owned(), "b".to_owned()]));
    check("<x>2013-04-26 23:41:45+00:00</x>", Utc::parse("2013-04-26T23:41:45").unwrap());
    fails::<i64>("<x>abc</x>", "Element `x`: expected an integer, found the text `abc`");
    fails::<i64>("<x/>", "Element `x`: expected an integer, found an empty text");
    fails::<i64>("<x xsi:nil='true'/>", "Missing required element `x`");
    fails::<String>("<x xsi:nil='1'/>", "Missing required element `x`");
    fails::<i64>("<y>1</y>", "Missing required element `x`");
    fails::<i64>("<X>1</X>", "Missing required element `x`");
    fails::<i64>("<x><a/></x>", "Element `x`: expected an integer, found an element with children");
    fails::<u16>("<x>70000</x>", "Element `x`: the number 70000 is not an integer from 0 to 65535");
}

#[test]
fn options() {
    for none in ["", "<x/>", "<x></x>", "<x>ZATO_NONE</x>", "<x xsi:nil='true'/>", "<x xsi:nil='1'>7</x>"] {
        check(none, None::<i64>);
        check(none, None::<String>);
        check(none, None::<bool>);
        check(none, None::<Vec<i64>>);
        check(none, None::<Utc>);
    }
    check("<x>7</x>", Some(7));
    check("<x xsi:nil='false'>7</x>", Some(7));
    check("<x> </x>", Some(" ".to_owned()));
    check("<x><i>7</i></x>", Some(vec![7]));
    check("<x>7</x>", Some(vec![7]));
    check("<x><x>7</x></x>", Some(Message { x: 7 }));
}

#[test]
fn lists() {
    check("<x><item>1</item><item>2</item></x>", vec![1, 2]);
    check("<x>\n <a>1</a>\n <b xmlns='urn:other'>2</b>\n</x>", vec![1, 2]);
    check("<x/>", Vec::<i64>::new());
    check("<x>\n</x>", Vec::<i64>::new());
    check("<x> 5 </x>", vec![5]);
    check("<x><item><item>1</item></item><item/></x>", vec![vec![1], vec![]]);
    check("<x><item><x>1</x></item><item><x>2</x></item></x>", vec![Message { x: 1 }, Message { x: 2 }]);
    check("<x><item xsi:nil='true'/><item>1</item></x>", vec![None, Some(1)]);
    fails::<Vec<i64>>("<x xsi:nil='true'/>", "Missing required element `x`");
    fails::<Vec<i64>>("<x><i>1</i><i>b</i></x>", "Element `x[1]`: expected an integer, found the text `b`");
    fails::<Vec<Message<i64>>>("<x><i><x>1</x></i><i/></x>", "Missing required element `x[1].x`");
    fails::<i64>("<x><![CDATA[ ]]></x>", "Element `x`: expected an integer, found the text ` `");
}

#[test]
fn dictionaries() {
    let map = |entries: &[(&str, &str)]| {
        entries.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect::<BTreeMap<_, _>>()
    };
    let entries = "<item><key>a b</key><value>1</value></item>\n<any><value>2</value><key>c</key></any>";
    check(&format!("<x>{entries}</x>"), map(&[("a b", "1"), ("c", "2")]));
    check("<x><a>1</a><b>2</b></x>", map(&[("a", "1"), ("b", "2")]));
    check("<x/>", map(&[]));
    check("<x> </x>", map(&[]));
    for tag in ["item_dict", "item", "dict"] {
        let list = format!("<x><{tag}>{entries}</{tag}><{tag}/></x>");
        check(&list, vec![map(&[("a b", "1"), ("c", "2")]), map(&[])]);
    }
    check("<x><item><key>x</key><value>7</value></item></x>", Message { x: 7 });
    check("<x><x><key>1</key><value>2</value></x></x>", Message { x: map(&[("key", "1"), ("value", "2")]) });
    fails::<BTreeMap<String, i64>>(
        "<x><item><key>a</key><value>b</value></item></x>",
        "Element `x.a`: expected an integer, found the text `b`",
    );
    fails::<BTreeMap<String, i64>>(
        "<x><item><key>a</key><value>1</value></item><item><key>b</key></item></x>",
        "Missing required element `x[1].value`",
    );
    fails::<BTreeMap<String, i64>>("<x>text</x>", "Element `x`: expected an object, found the text `text`");
    fails::<Message<i64>>("<x>text</x>", "Element `x`: expected an object, found the text `text`");
}

#[test]
fn values_of_any_kind() {
    check("<x>1</x>", json!("1"));
    check("<x/>", json!(""));
    check("<x xsi:nil='true'/>", json!(null));
    check("<x><item>1</item><item>2</item></x>", json!(["1", "2"]));
    check("<x><item><key>a</key><value>1</value></item></x>", json!({"a": "1"}));
    check("<x><dict><item><key>a</key><value>1</value></item></dict></x>", json!([{"a": "1"}]));
    check("<x><a>1</a><b><c/></b></x>", json!({"a": "1", "b": {"c": ""}}));
    let root = from_text::<Value>("<root><item><key>a</key><value>1</value></item></root>").unwrap();
    assert_eq!(
        root,
        json!({"item": {"key": "a", "value": "1"}}),
        "the children of the root are its elements"
    );
}

#[test]
fn namespaces() {
    let prefixed = "<z:root xmlns:z='urn:z'><z:x>1</z:x></z:root>";
    assert_eq!(from_text::<Message<i64>>(prefixed).unwrap().x, 1);
    for elsewhere in [
        "<z:root xmlns:z='urn:z'><x>1</x></z:root>",
        "<root><x xmlns='urn:z'>1</x></root>",
        "<root xmlns='urn:a'><x xmlns=''>1</x></root>",
    ] {
        let error = from_text::<Message<i64>>(elsewhere).unwrap_err();
        assert_eq!(error.kind(), &DecodeErrorKind::Missing, "{elsewhere}");
        assert_eq!(error.element(), Some("x"), "{elsewhere}");
    }
    let mixed = "<r xmlns='urn:a'><x xmlns='urn:b'>1</x><x>2</x></r>";
    assert_eq!(from_text::<Message<i64>>(mixed).unwrap().x, 2);
}

#[test]
fn roots() {
    assert_eq!(from_text::<()>("<root><a/></root>"), Ok(()));
    assert_eq!(from_text::<Message<Option<i64>>>("<root/>").unwrap().x, None);
    assert_eq!(from_text::<Message<Option<i64>>>("<root>\n</root>").unwrap().x, None);
    assert_eq!(from_text::<Vec<Message<i64>>>("<l><item><x>1</x></item></l>").unwrap(), [Message { x: 1 }]);
    let error = from_text::<Message<i64>>("<root>text</root>").unwrap_err();
    assert_eq!(error.to_string(), "Message: expected an object, found the text `text`");
}

#[test]
fn nesting_is_limited() {
    let nested = |depth: usize| format!("<root>{}{}</root>", "<x>".repeat(depth), "</x>".repeat(depth));
    assert!(from_text::<Value>(&nested(100)).is_ok());
    let error = from_text::<Value>(&nested(101)).unwrap_err();
    assert_eq!(error.kind(), &DecodeErrorKind::TooDeep);
}
