//! `zato.kvdb.data-dict.translation`.

use serde_json::{Value, json};

use super::super::cases::{Cases, NO_ID};
use super::kvdb_dictionary::entry;
use crate::support::api::with;
use crate::support::envelope::text;

pub(super) fn cases(cases: &mut Cases<'_>) {
    let service = |action: &str| format!("zato.kvdb.data-dict.translation.{action}");
    let (create, translate, list) = (service("create"), service("translate"), service("get-list"));
    let last = cases.call(&service("get-last-id"), &json!({}));
    assert!(text(&last["value"]).is_empty() || last["value"].is_null(), "{last}");

    let eur = entry(cases, "CRM", "currency", "EUR");
    let euro = entry(cases, "ERP", "cur", "z\u{142}oty 'x'");
    entry(cases, "ERP", "cur", "other");
    entry(cases, "POS", "code", "978");
    let from =
        json!({"system1": "CRM", "key1": "currency", "value1": "EUR", "system2": "ERP", "key2": "cur"});
    let input = with(&from, &json!({"value2": "z\u{142}oty 'x'"}));
    let id = cases.call(&create, &input);
    let id: i64 = text(&id["id"]).parse().expect("an id is a number");
    cases.item(&service("get-last-id"), &json!({}), &json!({"value": id}));
    cases.fails(&create, &input, 409, &[
        "A mapping between system1:[CRM], key1:[currency], value1:[EUR] and system2:[ERP], key2:[cur] already exists",
    ]);
    let nowhere = with(&input, &json!({"value2": "nothing"}));
    cases.fails(
        &create,
        &nowhere,
        404,
        &["Could not find the ID for system:[ERP], key:[cur], value:[nothing]"],
    );
    let unknown = with(&nowhere, &json!({"system1": "none"}));
    cases.fails(&create, &unknown, 404, &["Could not find the ID for system:[none]"]);

    let expected = json!({
        "value2": "z\u{142}oty 'x'",
        "repr": "\"z\\xc5\\x82oty 'x'\"",
        "hex": "7a c5 82 6f 74 79 20 27 78 27",
        "sha1": "fe6b8ee32c80b6740acf19e9731ddcf127df366a",
        "sha256": "a68152beb8d7a779574de018433a1a66804939dc3b40d9bd78529ea2c6a672c7",
    });
    cases.item(&translate, &from, &expected);
    // No translation is no error.
    let nothing = cases.call(&translate, &with(&from, &json!({"key2": "none"})));
    for element in ["value2", "repr", "hex", "sha1", "sha256"] {
        assert_eq!(nothing[element], Value::from(""), "{element} in {nothing}");
    }

    let item = with(&input, &json!({"id": id, "id1": eur.to_string(), "id2": euro.to_string()}));
    cases.list_with(&list, &json!({}), &item);

    let edit = service("edit");
    let edited = with(&input, &json!({"id": id, "value2": "other"}));
    cases.item(&edit, &edited, &json!({"id": id}));
    cases.item(&translate, &from, &json!({"value2": "other"}));
    let moved = json!({"id": id, "system2": "POS", "key2": "code", "value2": "978"});
    cases.item(&edit, &with(&input, &moved), &json!({"id": id}));
    let second = cases.call(&create, &input);
    cases.fails(&edit, &with(&edited, &json!({"id": id})), 409, &["A mapping between", "already exists"]);
    cases.fails(&edit, &with(&edited, &json!({"id": NO_ID})), 404, &["no translation with id [987654]"]);

    // A translation follows the entries that it leads from and to.
    let renamed = json!({"id": eur, "system": "CRM2", "key": "currency", "value": "eur"});
    cases.item("zato.kvdb.data-dict.dictionary.edit", &renamed, &json!({"id": eur}));
    let from =
        json!({"system1": "CRM2", "key1": "currency", "value1": "eur", "system2": "POS", "key2": "code"});
    cases.item(&translate, &from, &json!({"value2": "978"}));

    let delete = service("delete");
    for id in [id, id, NO_ID] {
        cases.nothing(&delete, &json!({"id": id}));
    }
    cases.list_with(&list, &json!({}), &json!({"id": second["id"]}));
    cases.call("zato.kvdb.data-dict.dictionary.delete", &json!({"id": euro}));
    cases.empty_list(&list, &json!({}));
}
