//! Declarations at run time: what becomes of each element on its way in and out.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use zato_sio::schema::{DictKeys, Element, Kind, Schema};
use zato_sio::{DecodeErrorKind, EncodeError, to_json, to_xml};

fn object(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

#[track_caller]
fn check_input(elements: &[Element], json: &Value, xml: &str, expected: Result<Value, &str>) {
    let schema = Schema::new(elements.to_vec(), []);
    let expected = expected.map(object).map_err(str::to_owned);
    let text = |error: zato_sio::DecodeError| error.to_string();
    assert_eq!(schema.decode_value(json).map_err(text), expected, "{json}");
    assert_eq!(schema.decode_json(json.to_string().as_bytes()).map_err(text), expected, "{json}");
    let xml = format!("<z:r xmlns:z='urn:z' xmlns='urn:z'>{xml}</z:r>");
    let document = zato_xml::parse(&xml, &zato_xml::Limits::default()).unwrap();
    assert_eq!(schema.decode_xml(document.root_element()).map_err(text), expected, "{xml}");
}

#[test]
fn kinds_are_inferred_from_names() {
    for name in ["is_active", "needs_details", "should_retry"] {
        assert_eq!(Kind::infer(name), Kind::Boolean, "{name}");
    }
    for name in ["id", "cluster_id", "pool_size", "ping_timeout", "max_count"] {
        assert_eq!(Kind::infer(name), Kind::Integer, "{name}");
    }
    for name in ["timeout", "size", "count", "port", "idx", "island", "this_is_it", "", "ident"] {
        assert_eq!(Kind::infer(name), Kind::Text, "{name}");
    }
    let kind = |name, kind| Element::required(name).with_kind(kind).kind().clone();
    assert_eq!(kind("id", Kind::Text), Kind::Text);
    assert_eq!(kind("is_active", Kind::Text), Kind::Boolean, "the name of a boolean wins");
    assert_eq!(kind("is_active", Kind::AsIs), Kind::AsIs);
}

#[test]
fn every_kind_is_read() {
    let element = |name: &str, kind| Element::required(name).with_kind(kind);
    let only = |default| Kind::Dict(DictKeys::only(["a", "b"], default));
    let entries = "<item><key>a</key><value>1</value></item><item><key>c</key><value>2</value></item>";
    let dict = format!("<x>{entries}</x>");
    let dicts = format!("<x><item_dict>{entries}</item_dict></x>");
    for (kind, json, xml, expected) in [
        (Kind::Text, json!(5), "<x>5</x>", Ok(json!("5"))),
        (Kind::Text, json!(""), "<x/>", Ok(json!(""))),
        (Kind::AsIs, json!("5"), "<x>5</x>", Ok(json!("5"))),
        (Kind::Boolean, json!("yes"), "<x>yes</x>", Ok(json!(true))),
        (Kind::Boolean, json!(""), "<x/>", Ok(json!(false))),
        (Kind::Integer, json!("5"), "<x> 5 </x>", Ok(json!(5))),
        (Kind::Integer, json!("a"), "<x>a</x>", Err("Element `x`: expected an integer, found the text `a`")),
        (Kind::Integer, json!(""), "<x/>", Err("Element `x`: expected an integer, found an empty text")),
        (Kind::Float, json!("1.5"), "<x>1.5</x>", Ok(json!(1.5))),
        (
            Kind::Utc,
            json!("2013-04-26 23:41:45+00:00"),
            "<x>2013-04-26 23:41:45</x>",
            Ok(json!("2013-04-26T23:41:45")),
        ),
        (Kind::Csv, json!("a, b"), "<x>a, b</x>", Ok(json!(["a", " b"]))),
        (Kind::List, json!(["a", "b"]), "<x><i>a</i><j>b</j></x>", Ok(json!(["a", "b"]))),
        (Kind::Dict(DictKeys::Any), json!({"a": "1", "c": "2"}), &dict, Ok(json!({"a": "1", "c": "2"}))),
        (only(Some(json!(0))), json!({"a": "1", "c": "2"}), &dict, Ok(json!({"a": "1", "b": 0}))),
        (only(None), json!({"a": "1", "c": "2"}), &dict, Err("Missing required element `x.b`")),
        (Kind::ListOfDicts, json!([{"a": "1", "c": "2"}]), &dicts, Ok(json!([{"a": "1", "c": "2"}]))),
        (Kind::Opaque, json!({"y": {"z": "1"}}), "<x><y><z>1</z></y></x>", Ok(json!({"y": {"z": "1"}}))),
    ] {
        let expected = expected.map(|value| json!({ "x": value }));
        check_input(
            &[element("x", kind)],
            &json!({"x": json, "other": 1}),
            &format!("{xml}<other/>"),
            expected,
        );
    }
    let typed = json!({"x": {"a": 1, "b": [true, null]}});
    let schema = Schema::new([element("x", Kind::Dict(DictKeys::Any))], []);
    assert_eq!(Value::Object(schema.decode_value(&typed).unwrap()), typed, "JSON keeps its types inside");
}

#[test]
fn missing_and_empty_input() {
    let nil = "xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:nil='true'";
    let required = [Element::required("name"), Element::required("id"), Element::required("is_on")];
    check_input(&required, &json!({"is_on": 1}), "<is_on>1</is_on>", Err("Missing required element `name`"));
    check_input(
        &required,
        &json!({"name": null}),
        &format!("<name {nil}/>"),
        Err("Missing required element `name`"),
    );
    let only_boolean = [Element::required("is_on")];
    check_input(
        &only_boolean,
        &json!({"is_on": null}),
        &format!("<is_on {nil}/>"),
        Ok(json!({"is_on": false})),
    );
    check_input(&only_boolean, &json!({}), "", Err("Missing required element `is_on`"));

    let optional = [Element::optional("name"), Element::optional("id"), Element::optional("is_on")];
    let unset = json!({"name": null, "id": null, "is_on": false});
    check_input(&optional, &json!({}), "", Ok(unset.clone()));
    check_input(&optional, &json!({"name": "", "id": "ZATO_NONE"}), "<name/><id>ZATO_NONE</id>", Ok(unset));

    let default = [Element::required("name").with_default("x"), Element::optional("id").with_default(7)];
    let filled = json!({"name": "x", "id": 7});
    check_input(&default, &json!({}), "", Ok(filled.clone()));
    check_input(&default, &json!({"name": null, "id": ""}), &format!("<name {nil}/><id/>"), Ok(filled));

    let both = [Element::required("name"), Element::optional("name").with_default("y")];
    check_input(&both, &json!({}), "", Ok(json!({"name": "y"})));
    check_input(&both, &json!({"name": "z"}), "<name>z</name><name>w</name>", Ok(json!({"name": "z"})));
}

#[track_caller]
fn check_output(elements: &[Element], values: Value, json: &str, xml: &str) {
    let schema = Schema::new([], elements.to_vec());
    let values = object(values);
    let (mut written_json, mut written_xml) = (Vec::new(), Vec::new());
    let row = schema.row(&values).unwrap();
    to_json(&row, &mut written_json).unwrap();
    to_xml(&row, &mut written_xml).unwrap();
    assert_eq!(String::from_utf8(written_json).unwrap(), json);
    assert_eq!(String::from_utf8(written_xml).unwrap(), format!("<item>{xml}</item>"));
}

#[test]
fn a_declared_element_may_be_there_once() {
    let schema = Schema::new([Element::required("id")], []);
    for repeated in [r#"{"id": 1, "id": 2}"#, r#"{"id": 1, "x": 2, "id": 1}"#] {
        let error = schema.decode_json(repeated.as_bytes()).unwrap_err();
        assert!(matches!(error.kind(), DecodeErrorKind::Repeated), "{error}");
        assert!(error.to_string().contains("`id`"), "{error}");
    }
    // What is not declared is nobody's business.
    assert_eq!(schema.decode_json(br#"{"id": 1, "x": 1, "x": 2}"#).unwrap()["id"], 1);
}

#[test]
fn output_follows_the_declaration() {
    let declared = [
        Element::optional("zone"),
        Element::required("id"),
        Element::optional("is_on"),
        Element::required("name"),
    ];
    check_output(
        &declared,
        json!({"name": "a", "id": "7", "extra": 1}),
        r#"{"id":7,"name":"a","zone":"","is_on":false}"#,
        "<id>7</id><name>a</name><zone></zone><is_on>false</is_on>",
    );
    check_output(
        &declared,
        json!({"name": "", "id": "ZATO_NONE", "zone": true, "is_on": "yes"}),
        r#"{"id":"ZATO_NONE","name":"","zone":true,"is_on":true}"#,
        "<id>ZATO_NONE</id><name></name><zone>true</zone><is_on>true</is_on>",
    );
    let typed = |name: &str, kind| Element::required(name).with_kind(kind);
    let composite = [
        typed("time", Kind::Utc),
        typed("words", Kind::Csv),
        typed("ratio", Kind::Float),
        typed("list", Kind::List),
        typed("dict", Kind::Dict(DictKeys::Any)),
        typed("dicts", Kind::ListOfDicts),
        Element::optional("filled").with_default(9),
    ];
    check_output(
        &composite,
        json!({
            "time": "2013-04-26 23:41:45+00:00", "words": ["a", "b"], "ratio": "1.5", "list": ["x"],
            "dict": {"k": 1}, "dicts": [{"k": 1}]
        }),
        r#"{"time":"2013-04-26T23:41:45","words":"a,b","ratio":1.5,"list":["x"],"dict":{"k":1},"dicts":[{"k":1}],"filled":9}"#,
        "<time>2013-04-26T23:41:45</time><words>a,b</words><ratio>1.5</ratio><list><item>x</item></list>\
         <dict><item><key>k</key><value>1</value></item></dict>\
         <dicts><dict><item><key>k</key><value>1</value></item></dict></dicts><filled>9</filled>",
    );
}

#[test]
fn null_stays_null_except_for_booleans() {
    let schema = Schema::new([], [Element::required("is_on"), Element::required("id")]);
    let values = object(json!({"is_on": null, "id": null}));
    let mut out = Vec::new();
    to_json(&schema.row(&values).unwrap(), &mut out).unwrap();
    assert_eq!(out, br#"{"is_on":false,"id":null}"#);
}

#[test]
fn rows_and_their_errors() {
    let schema = Schema::new([], [Element::required("id"), Element::optional("password_size")]);
    let rows = [object(json!({"id": 1})), object(json!({"id": "2"}))];
    let mut out = Vec::new();
    to_json(&schema.rows(&rows).unwrap(), &mut out).unwrap();
    assert_eq!(out, br#"[{"id":1,"password_size":""},{"id":2,"password_size":""}]"#);
    let error = |values| schema.row(&object(values)).map(|_| ()).unwrap_err();
    assert_eq!(error(json!({})), EncodeError::MissingElement { name: "id".to_owned() });
    assert_eq!(
        error(json!({"id": "x"})).to_string(),
        "Element `id`: expected an integer, found the text `x`"
    );
    let secret = error(json!({"id": 1, "password_size": "hunter2"})).to_string();
    assert_eq!(secret, "Element `password_size`: expected an integer, found a text");
}

proptest! {
    #[test]
    fn what_a_declaration_writes_it_reads(
        id in any::<i64>(),
        name in "[a-z<&\n żółć]{0,12}",
        is_on in any::<bool>(),
        list in proptest::collection::vec("[a-z ]{0,4}", 0..4),
        dict in proptest::collection::btree_map("[a-z <]{0,4}", "[a-z ]{0,4}", 0..4),
        count in proptest::option::of(any::<i64>()),
    ) {
        let elements = [
            Element::required("id"),
            Element::required("name"),
            Element::required("is_on"),
            Element::required("list").with_kind(Kind::List),
            Element::required("dict").with_kind(Kind::Dict(DictKeys::Any)),
            Element::optional("max_count"),
        ];
        let schema = Schema::new(elements.clone(), elements);
        let values = object(
            json!({"id": id, "name": name, "is_on": is_on, "list": list, "dict": dict, "max_count": count}),
        );
        let row = schema.row(&values).unwrap();
        let (mut json, mut xml) = (Vec::new(), Vec::new());
        to_json(&row, &mut json).unwrap();
        to_xml(&row, &mut xml).unwrap();
        prop_assert_eq!(&schema.decode_json(&json).unwrap(), &values);
        let xml = String::from_utf8(xml).unwrap();
        let document = zato_xml::parse(&xml, &zato_xml::Limits::default()).unwrap();
        prop_assert_eq!(&schema.decode_xml(document.root_element()).unwrap(), &values);
    }
}
