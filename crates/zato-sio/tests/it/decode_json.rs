//! What JSON is accepted for which type, and what the errors say.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use zato_sio::{Csv, DecodeErrorKind, Found, Utc, from_json, from_json_any, from_value};

/// Decodes `{"x": value}` from bytes and from a parsed value, which have to agree.
#[track_caller]
fn decode<T: DeserializeOwned + PartialEq + Debug>(value: &Value) -> Result<T, String> {
    #[derive(Deserialize, PartialEq, Debug)]
    struct Message<T> {
        x: T,
    }
    let whole = json!({ "x": value });
    let streamed = from_json::<Message<T>>(whole.to_string().as_bytes());
    let parsed = from_value::<Message<T>>(&whole);
    assert_eq!(streamed, parsed);
    streamed.map(|message| message.x).map_err(|error| error.to_string())
}

#[track_caller]
fn check<T: DeserializeOwned + PartialEq + Debug>(value: Value, expected: T) {
    assert_eq!(decode::<T>(&value), Ok(expected), "{value}");
}

#[track_caller]
fn fails<T: DeserializeOwned + PartialEq + Debug>(value: Value, expected: &str) {
    assert_eq!(decode::<T>(&value), Err(expected.to_owned()), "{value}");
}

#[test]
fn integers() {
    for (value, expected) in [
        (json!(12), 12),
        (json!(-1), -1),
        (json!("12"), 12),
        (json!(" +12\n"), 12),
        (json!(12.0), 12),
        (json!(-0.0), 0),
        (json!(i64::MIN), i64::MIN),
        (json!("-9223372036854775808"), i64::MIN),
        (json!(i64::MAX), i64::MAX),
    ] {
        check(value, expected);
    }
    check(json!("18446744073709551615"), u64::MAX);
    check(json!(u64::MAX), u64::MAX);
    check(json!("255"), 255_u8);
    fails::<i64>(json!("abc"), "Element `x`: expected an integer, found the text `abc`");
    fails::<i64>(json!(""), "Element `x`: expected an integer, found an empty text");
    fails::<i64>(json!("12.5"), "Element `x`: expected an integer, found the text `12.5`");
    fails::<i64>(json!(12.5), "Element `x`: expected an integer, found the number `12.5`");
    fails::<i64>(json!(true), "Element `x`: expected an integer, found the boolean `true`");
    fails::<i64>(json!([1]), "Element `x`: expected an integer, found a list");
    fails::<i64>(json!({"a": 1}), "Element `x`: expected an integer, found an object");
    fails::<i64>(json!(null), "Missing required element `x`");
    fails::<u16>(json!(70000), "Element `x`: the number 70000 is not an integer from 0 to 65535");
    fails::<u16>(json!("-1"), "Element `x`: the number -1 is not an integer from 0 to 65535");
    fails::<i64>(
        json!("99999999999999999999"),
        "Element `x`: the number 99999999999999999999 is not a 64-bit integer",
    );
    fails::<i64>(json!(1e20), "Element `x`: the number 100000000000000000000 is not a 64-bit integer");
}

#[test]
fn booleans() {
    for word in ["true", "yes", "on", "y", "t", "1", "TRUE", " Yes ", "On\n"] {
        check(json!(word), true);
    }
    for word in ["false", "no", "off", "n", "f", "0", "FALSE", " No ", "", "  "] {
        check(json!(word), false);
    }
    for (value, expected) in [
        (json!(true), true),
        (json!(false), false),
        (json!(0), false),
        (json!(1), true),
        (json!(-3), true),
        (json!(0.0), false),
        (json!(0.5), true),
        (json!(u64::MAX), true),
        (json!(null), false),
    ] {
        check(value, expected);
    }
    fails::<bool>(json!("maybe"), "Element `x`: expected a boolean, found the text `maybe`");
    fails::<bool>(json!([]), "Element `x`: expected a boolean, found a list");
}

#[test]
fn texts() {
    check(json!(" abc "), " abc ".to_owned());
    check(json!(""), String::new());
    check(json!("ZATO_NONE"), "ZATO_NONE".to_owned());
    check(json!("a\"b\u{1}"), "a\"b\u{1}".to_owned());
    check(json!(5), "5".to_owned());
    check(json!(-5), "-5".to_owned());
    check(json!(u64::MAX), u64::MAX.to_string());
    check(json!(1.5), "1.5".to_owned());
    check(json!(2.0), "2.0".to_owned());
    check(json!(true), "true".to_owned());
    check(json!("é"), 'é');
    fails::<String>(json!(null), "Missing required element `x`");
    fails::<String>(json!([1]), "Element `x`: expected a text, found a list");
    fails::<String>(json!({}), "Element `x`: expected a text, found an object");
}

#[test]
fn floats() {
    check(json!(1.5), 1.5);
    check(json!(2), 2.0);
    check(json!(" 1.5e3 "), 1500.0);
    check(json!("-.5"), -0.5);
    fails::<f64>(json!("inf"), "Element `x`: expected a number, found the text `inf`");
    fails::<f64>(json!("NaN"), "Element `x`: expected a number, found the text `NaN`");
    fails::<f64>(json!("1e999"), "Element `x`: the number 1e999 is not a 64-bit number");
    fails::<f64>(json!(false), "Element `x`: expected a number, found the boolean `false`");
    fails::<f64>(json!(null), "Missing required element `x`");
}

#[test]
fn options() {
    for none in [json!(null), json!(""), json!("ZATO_NONE")] {
        check(none.clone(), None::<i64>);
        check(none.clone(), None::<bool>);
        check(none.clone(), None::<String>);
        check(none.clone(), None::<Vec<i64>>);
        check(none, None::<Csv>);
    }
    check(json!("7"), Some(7));
    check(json!("no"), Some(false));
    check(json!(7), Some("7".to_owned()));
    check(json!([1, "2"]), Some(vec![1, 2]));
    check(json!({"a": "1"}), Some(BTreeMap::from([("a".to_owned(), 1)])));
    fails::<Option<i64>>(json!("x"), "Element `x`: expected an integer, found the text `x`");
    assert_eq!(from_json::<Absent>(b"{}").unwrap(), Absent { x: None });
}

#[derive(Deserialize, Debug, PartialEq)]
struct Absent {
    x: Option<i64>,
}

#[test]
fn lists_and_objects() {
    check(json!(["1", 2, 3.0]), vec![1, 2, 3]);
    check(json!([]), Vec::<i64>::new());
    check(json!(""), Vec::<i64>::new());
    check(json!("5"), vec![5]);
    check(json!(5), vec!["5".to_owned()]);
    check(json!({"x": "1"}), vec![Absent { x: Some(1) }]);
    check(json!(["a", 1]), ("a".to_owned(), 1));
    check(json!({"1": "a", "2": 2}), BTreeMap::from([(1, "a".to_owned()), (2, "2".to_owned())]));
    check(json!(""), BTreeMap::<String, i64>::new());
    check(json!([1, [2, {"a": null}]]), json!([1, [2, {"a": null}]]));
    fails::<Vec<i64>>(json!(null), "Missing required element `x`");
    fails::<Vec<i64>>(json!([1, "z"]), "Element `x[1]`: expected an integer, found the text `z`");
    fails::<Vec<i64>>(json!([1, null]), "Missing required element `x[1]`");
    fails::<BTreeMap<String, i64>>(json!([1]), "Element `x`: expected an object, found a list");
    fails::<Absent>(json!("text"), "Element `x`: expected an object, found the text `text`");
    fails::<Vec<BTreeMap<String, Vec<i64>>>>(
        json!([{}, {"ids": [1, 2, "c"]}]),
        "Element `x[1].ids[2]`: expected an integer, found the text `c`",
    );
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Transport {
    PlainHttp,
    Soap,
}

#[test]
fn choices() {
    check(json!("plain_http"), Transport::PlainHttp);
    check(json!(" soap "), Some(Transport::Soap));
    check(json!(""), None::<Transport>);
    fails::<Transport>(
        json!("smtp"),
        "Element `x`: expected one of `plain_http`, `soap`, found the text `smtp`",
    );
    fails::<Transport>(json!(1), "Element `x`: expected a text, found the number `1`");
    fails::<Transport>(json!(null), "Missing required element `x`");
}

#[test]
fn element_types_without_a_plain_type() {
    let csv = |members: &[&str]| Csv(members.iter().map(|&member| member.to_owned()).collect());
    check(json!("a, b,,c"), csv(&["a", " b", "", "c"]));
    check(json!(""), csv(&[]));
    check(json!(5), csv(&["5"]));
    check(json!(["a", 1]), csv(&["a", "1"]));
    fails::<Csv>(json!({}), "Element `x`: expected a text with commas or a list of texts, found an object");

    let time = |text| Utc::parse(text).unwrap();
    for text in [
        "2013-04-26T23:41:45.271911",
        "2013-04-26 23:41:45.271911",
        "2013-04-26T23:41:45.271911Z",
        " 2013-04-26T23:41:45.271911+00:00",
        "2013-04-27T01:41:45.271911+02:00",
        "2013-04-26T23:41:45.2719119",
        "2013-04-26t23:41:45.271911z",
        "2013-04-26T23:41:45.271911 UTC",
        "2013-04-26 23:41:45.271911 gmt",
        "2013-04-26 23:41:45.271911 +0000",
        "2013-04-26 22:11:45.271911-0130",
        "2013-04-27T01:41:45.271911+02",
    ] {
        let read = decode::<Utc>(&json!(text)).unwrap();
        assert_eq!(read.to_string(), "2013-04-26T23:41:45.271911", "{text}");
    }
    check(json!("2013-04-26"), time("2013-04-26T00:00:00"));
    check(json!("2013-04-26T23:41"), time("2013-04-26T23:41:00"));
    check(json!("2013-04-26 23:41Z"), time("2013-04-26T23:41:00"));
    check(json!(""), None::<Utc>);
    for text in
        ["Z", "UTC", "2013-04-26T", "2013-04-26T23", "2013-04-26T23:41:45 CET", "2013-04-2é 23:41", "é"]
    {
        decode::<Utc>(&json!(text)).unwrap_err();
    }
    fails::<Utc>(
        json!("yesterday"),
        "Element `x`: expected a date and time such as `2013-04-26T23:41:45`, found the text `yesterday`",
    );
}

#[derive(Deserialize, Debug, PartialEq)]
struct Person {
    #[serde(rename = "person-id")]
    id: i64,
    name: String,
    nick: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    password: Option<i64>,
}

#[test]
fn structs() {
    let expected = Person { id: 1, name: "2".to_owned(), nick: None, tags: Vec::new(), password: None };
    let decoded =
        from_json::<Person>(br#"{"person-id": "1", "name": 2, "other": [{"deep": 1}], "nick": ""}"#);
    assert_eq!(decoded.unwrap(), expected);
    let error = from_json::<Person>(br#" {"person-id": 1, "name": 2, "name": 2} "#).unwrap_err();
    assert_eq!(error.to_string(), "Element `name` is there more than once");
    assert_eq!((error.element(), error.kind()), (Some("name"), &DecodeErrorKind::Repeated));
    let error = from_json::<Person>(br#"{"other": 1}"#).unwrap_err();
    assert_eq!(error.to_string(), "Missing required element `person-id`");
    assert_eq!((error.element(), error.kind()), (Some("person-id"), &DecodeErrorKind::Missing));
    let error = from_json::<Person>(br#"{"password": "hunter2"}"#).unwrap_err();
    assert_eq!(error.to_string(), "Element `password`: expected an integer, found a text");
    assert!(!format!("{error:?}").contains("hunter2"));
    assert_eq!(from_json::<Absent>(br#"{"\u0078": 5}"#).unwrap(), Absent { x: Some(5) });
    assert_eq!(
        from_json::<BTreeMap<String, i64>>(br#"{"a": 1, "a": 2}"#).unwrap()["a"],
        2,
        "of maps the last"
    );
}

#[test]
fn texts_can_borrow_from_the_message() {
    #[derive(Deserialize)]
    struct Borrowed<'a> {
        name: &'a str,
    }
    let message = br#"{"name": "abc"}"#.to_vec();
    assert_eq!(from_json::<Borrowed<'_>>(&message).unwrap().name, "abc");
}

#[test]
fn bodies() {
    for empty in ["", " \r\n\t", "{}"] {
        assert_eq!(from_json::<Absent>(empty.as_bytes()).unwrap(), Absent { x: None });
        assert_eq!(from_json::<()>(empty.as_bytes()), Ok(()));
        assert_eq!(from_json::<Value>(empty.as_bytes()), Ok(json!({})));
    }
    assert_eq!(from_json::<()>(br#"{"ignored": [1, {}]}"#), Ok(()));
    assert_eq!(from_json_any::<Vec<i64>>(b"[1, \"2\"]"), Ok(vec![1, 2]));
    assert_eq!(from_value::<Vec<i64>>(&json!([1, "2"])), Ok(vec![1, 2]));
    for (body, found) in
        [("[1]", Found::List), ("1", Found::Number), ("\"a\"", Found::Text), ("null", Found::Null)]
    {
        let error = from_json::<Absent>(body.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), &DecodeErrorKind::NotAnObject { found }, "{body}");
    }
}

#[track_caller]
fn check_syntax(body: &[u8], expected: &str) {
    for error in [
        from_json::<Person>(body).unwrap_err(),
        from_json::<Value>(body).unwrap_err(),
        from_json::<()>(body).unwrap_err(),
    ] {
        assert_eq!(error.to_string(), expected);
        assert!(matches!(error.kind(), DecodeErrorKind::Syntax { .. }), "{error:?}");
    }
}

#[test]
fn malformed_json_is_located() {
    check_syntax(b"{\"name\": }", "Malformed JSON at line 1, column 10: expected value");
    check_syntax(b"{\n\"name\": \"a\",\n}", "Malformed JSON at line 3, column 1: trailing comma");
    check_syntax(b"{\"name\": \"a\"", "Malformed JSON at line 1, column 12: EOF while parsing an object");
    check_syntax(
        b"{\"name\": \"b\", \"person-id\": 1} x",
        "Malformed JSON at line 1, column 31: trailing characters",
    );
    check_syntax(b"{\"name\":\n \"\xff\"}", "Malformed JSON at line 2, column 3: invalid UTF-8");
    check_syntax(b"nonsense", "Malformed JSON at line 1, column 2: expected ident");
    check_syntax(b"{\"other\": [1, {\"a\": nul}]}", "Malformed JSON at line 1, column 24: expected ident");
}

#[test]
fn nesting_is_limited() {
    #[derive(Deserialize, Debug)]
    struct Deep {
        #[expect(dead_code, reason = "only its decoding is of interest")]
        x: Value,
    }
    let nested = |depth: usize| format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    assert!(from_json::<Deep>(nested(99).as_bytes()).is_ok());
    for depth in [100, 127, 10_000] {
        let error = from_json::<Deep>(nested(depth).as_bytes()).unwrap_err();
        assert_eq!(error.kind(), &DecodeErrorKind::TooDeep, "{depth}");
        assert!(error.to_string().ends_with(": nested deeper than 100 levels"), "{error}");
    }
    assert!(from_json::<Absent>(nested(100_000).replace('x', "ignored").as_bytes()).is_ok());
}
