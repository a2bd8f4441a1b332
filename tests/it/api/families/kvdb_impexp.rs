//! `zato.kvdb.data-dict.impexp`: what is exported as the web admin does it comes back whole.

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bzip2::Compression;
use bzip2::write::BzEncoder;
use serde_json::{Value, json};

use super::super::cases::Cases;
use super::kvdb_dictionary::entry;
use crate::support::envelope::text;

const IMPORT: &str = "zato.kvdb.data-dict.impexp.import";

fn packed(document: &Value) -> String {
    let mut encoder = BzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(serde_json::to_string_pretty(document).expect("JSON").as_bytes()).expect("memory");
    STANDARD.encode(encoder.finish().expect("memory"))
}

/// The document that the web admin makes of these services' replies.
#[track_caller]
fn export(cases: &mut Cases<'_>) -> Value {
    let translations = cases.list("zato.kvdb.data-dict.translation.get-list", &json!({}));
    let translation = |item: &Value| {
        let parts = ["system1", "key1", "value1", "system2", "key2"].map(|part| text(&item[part]));
        let key = format!("zato:kvdb:data-dict:translation:::{}", parts.join(":::"));
        json!({key: {"id": item["id"], "value2": item["value2"], "id1": item["id1"], "id2": item["id2"]}})
    };
    json!({
        "meta": {"current_host": "host1", "timestamp_utc": "2013-05-18T12:00:00", "user": "admin1"},
        "data": {
            "last_dict_id": cases.call("zato.kvdb.data-dict.dictionary.get-last-id", &json!({}))["value"],
            "last_translation_id": cases.call("zato.kvdb.data-dict.translation.get-last-id", &json!({}))["value"],
            "dict_list": cases.list("zato.kvdb.data-dict.dictionary.get-list", &json!({})),
            "translation_list": translations.iter().map(translation).collect::<Vec<_>>(),
        },
    })
}

pub(super) fn cases(cases: &mut Cases<'_>) {
    let first = entry(cases, "CRM", "currency", "EUR \u{20ac}");
    entry(cases, "ERP", "cur", "978");
    let translation = json!({
        "system1": "CRM", "key1": "currency", "value1": "EUR \u{20ac}",
        "system2": "ERP", "key2": "cur", "value2": "978",
    });
    cases.call("zato.kvdb.data-dict.translation.create", &translation);
    let exported = export(cases);

    cases.call("zato.kvdb.data-dict.dictionary.delete", &json!({"id": first}));
    entry(cases, "other", "entry", "which goes");
    cases.nothing(IMPORT, &json!({"data": packed(&exported)}));
    assert_eq!(export(cases), exported);

    let nothing = json!({"data": {"last_dict_id": null, "last_translation_id": 0, "dict_list": [], "translation_list": []}});
    for (data, message) in [
        ("no base64!".to_owned(), "base64"),
        (STANDARD.encode("text"), "bzip2"),
        (packed(&json!({"data": {"dict_list": 5}})), "no export"),
        (
            packed(&json!({"data": {
                "dict_list": [],
                "translation_list": [{"somebody:else": {"id": 1, "value2": "2", "id1": 1, "id2": 2}}],
            }})),
            "somebody:else",
        ),
    ] {
        cases.fails(IMPORT, &json!({"data": data}), 400, &[message]);
        assert_eq!(export(cases), exported);
    }
    cases.nothing(IMPORT, &json!({"data": packed(&nothing)}));
    cases.empty_list("zato.kvdb.data-dict.dictionary.get-list", &json!({}));
    cases.empty_list("zato.kvdb.data-dict.translation.get-list", &json!({}));
}
