//! Whatever is written is read back the same, in both formats and in the lenient spelling.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use zato_sio::{Csv, Utc, from_json, from_value, from_xml, to_json, to_xml};

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Inner {
    id: i64,
    label: String,
    notes: Option<String>,
}

#[derive(Serialize, Deserialize, Debug, Clone, Copy, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Choice {
    First,
    SecondOne,
}

#[derive(Serialize, Deserialize, Debug, Clone, PartialEq)]
struct Message {
    id: i64,
    count: Option<u32>,
    name: String,
    ratio: f64,
    is_active: bool,
    needs_it: Option<bool>,
    kind: Choice,
    created: Utc,
    words: Csv,
    numbers: Vec<i64>,
    texts: Vec<String>,
    inner: Inner,
    rows: Vec<Inner>,
    maybe: Option<Inner>,
    dict: BTreeMap<String, String>,
    dicts: Vec<BTreeMap<String, i64>>,
}

/// Texts which both formats can express, thus none of the characters that XML forbids.
fn text() -> impl Strategy<Value = String> {
    "[\\PC\t\n\r&&[^\u{fffe}\u{ffff}]]{0,12}"
}

/// Texts which do not mean "none".
fn some_text() -> impl Strategy<Value = String> {
    text().prop_filter("means none", |text| !text.is_empty() && text != "ZATO_NONE")
}

fn inner() -> impl Strategy<Value = Inner> {
    (any::<i64>(), text(), proptest::option::of(some_text())).prop_map(|(id, label, notes)| Inner {
        id,
        label,
        notes,
    })
}

fn utc() -> impl Strategy<Value = Utc> {
    (-60_000_000_000_i128..250_000_000_000, 0..1_000_000_i128).prop_filter_map(
        "year",
        |(seconds, microseconds)| {
            let nanoseconds = seconds * 1_000_000_000 + microseconds * 1_000;
            Utc::new(OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()?)
        },
    )
}

/// A list which is not one empty member, as that has the same text as the empty list.
fn csv() -> impl Strategy<Value = Csv> {
    proptest::collection::vec("[a-z <&]{0,4}", 0..4)
        .prop_filter("one empty member", |members| members != &[""])
        .prop_map(Csv)
}

fn message() -> impl Strategy<Value = Message> {
    use proptest::collection::{btree_map, vec};
    let numbers = (any::<i64>(), any::<Option<u32>>(), -1e300..1e300, any::<bool>(), any::<Option<bool>>());
    let kind = prop_oneof![Just(Choice::First), Just(Choice::SecondOne)];
    let lists = (vec(any::<i64>(), 0..4), vec(text(), 0..4), inner(), vec(inner(), 0..3));
    let maps = (
        proptest::option::of(inner()),
        btree_map(text(), text(), 0..3),
        vec(btree_map(text(), any::<i64>(), 0..3), 0..3),
    );
    (numbers, text(), kind, utc(), csv(), lists, maps).prop_map(
        |((id, count, ratio, is_active, needs_it), name, kind, created, words, lists, maps)| {
            let (numbers, texts, inner, rows) = lists;
            let (maybe, dict, dicts) = maps;
            Message {
                id,
                count,
                name,
                ratio,
                is_active,
                needs_it,
                kind,
                created,
                words,
                numbers,
                texts,
                inner,
                rows,
                maybe,
                dict,
                dicts,
            }
        },
    )
}

fn through_json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    to_json(value, &mut out).unwrap();
    out
}

fn through_xml<T: Serialize>(value: &T) -> String {
    let mut out = Vec::new();
    to_xml(value, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The same message as careless clients spell it: every scalar a text, null an empty text.
fn as_texts(value: Value) -> Value {
    match value {
        Value::Null => json!(""),
        Value::Bool(value) => json!(if value { " Yes" } else { "off " }),
        Value::Number(number) => json!(format!(" {number}\n")),
        Value::String(text) => json!(text),
        Value::Array(members) => members.into_iter().map(as_texts).collect(),
        Value::Object(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, as_texts(value))).collect())
        }
    }
}

proptest! {
    #[test]
    fn json(message in message()) {
        prop_assert_eq!(from_json::<Message>(&through_json(&message)).unwrap(), message);
    }

    #[test]
    fn json_with_texts_for_everything(message in message()) {
        let strict: Value = serde_json::from_slice(&through_json(&message)).unwrap();
        let lenient = as_texts(strict);
        prop_assert_eq!(&from_value::<Message>(&lenient).unwrap(), &message);
        prop_assert_eq!(from_json::<Message>(lenient.to_string().as_bytes()).unwrap(), message);
    }

    #[test]
    fn xml(message in message()) {
        let text = through_xml(&message);
        let document = zato_xml::parse(&text, &zato_xml::Limits::default()).unwrap();
        prop_assert_eq!(from_xml::<Message>(document.root_element()).unwrap(), message);
    }

    #[test]
    fn xml_list_in_a_namespace(rows in proptest::collection::vec(inner(), 0..4)) {
        let text = format!("<r xmlns='urn:a'>{}</r>", through_xml(&rows));
        let document = zato_xml::parse(&text, &zato_xml::Limits::default()).unwrap();
        let list = document.root_element().first_element_child().unwrap();
        prop_assert_eq!(from_xml::<Vec<Inner>>(list).unwrap(), rows);
    }

    #[test]
    fn points_in_time(time in utc()) {
        prop_assert_eq!(Utc::parse(&time.to_string()), Some(time));
        prop_assert_eq!(Utc::parse(&format!("{time}+00:00")), Some(time));
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64), text in "[\\[\\]{}\":,a0-9 ]{0,32}") {
        let _ = from_json::<Message>(&bytes);
        let _ = from_json::<Value>(text.as_bytes());
    }
}
