//! `zato.kvdb.data-dict.dictionary`.

use serde_json::{Value, json};

use super::super::cases::{Cases, NO_ID};
use crate::support::api::with;
use crate::support::envelope::text;

/// Creates an entry, for its id.
#[track_caller]
pub(super) fn entry(cases: &mut Cases<'_>, system: &str, key: &str, value: &str) -> i64 {
    let input = json!({"system": system, "key": key, "value": value});
    let created = cases.call("zato.kvdb.data-dict.dictionary.create", &input);
    text(&created["id"]).parse().expect("an id is a number")
}

pub(super) fn cases(cases: &mut Cases<'_>) {
    let service = |action: &str| format!("zato.kvdb.data-dict.dictionary.{action}");
    let (create, last) = (service("create"), service("get-last-id"));
    let none = cases.call(&last, &json!({}));
    assert!(text(&none["value"]).is_empty() || none["value"].is_null(), "{none}");
    cases.empty_list(&service("get-list"), &json!({}));

    let input = json!({"system": "CRM", "key": "currency", "value": "EUR <&> \u{20ac}"});
    let id = cases.call(&create, &with(&input, &json!({"id": ""})));
    let id: i64 = text(&id["id"]).parse().expect("an id is a number");
    cases.item(&last, &json!({}), &json!({"value": id}));
    cases.fails(
        &create,
        &input,
        409,
        &["The triple of system:[CRM], key:[currency], value:[EUR <&> \u{20ac}] already exists"],
    );
    let refused = "System and key may contain only letters, digits and an underscore, failed to validate";
    cases.fails(&create, &with(&input, &json!({"system": "C R M"})), 400, &[refused, "[C R M]", "\\w+"]);
    cases.fails(&create, &with(&input, &json!({"key": "a-b"})), 400, &[refused, "[a-b]"]);
    cases.fails(&create, &with(&input, &json!({"value": "a:::b"})), 400, &["three colons"]);
    let long = json!({"system": "S", "key": "k", "value": "v".repeat(2000)});
    cases.call(&create, &long);

    // What was refused has taken no id, and an id that is given does not move the counter.
    let next = entry(cases, "crm", "currency", "USD");
    assert_eq!(next, id + 2);
    cases.item(&create, &with(&input, &json!({"value": "CHF", "id": 1000})), &json!({"id": 1000}));
    cases.item(&last, &json!({}), &json!({"value": next}));

    let list = cases.list(&service("get-list"), &json!({}));
    let terms: Vec<String> =
        list.iter().map(|item| format!("{} {}", text(&item["system"]), text(&item["id"]))).collect();
    assert_eq!(
        terms,
        ["CRM 1000".to_owned(), format!("CRM {id}"), format!("S {}", id + 1), format!("crm {next}")]
    );
    let names = |list: Vec<Value>| list.iter().map(|item| text(&item["name"])).collect::<Vec<String>>();
    assert_eq!(names(cases.list(&service("get-system-list"), &json!({}))), ["CRM", "S", "crm"]);
    assert_eq!(names(cases.list(&service("get-key-list"), &json!({"system": "CRM"}))), ["currency"]);
    let values = names(cases.list(&service("get-value-list"), &json!({"system": "CRM", "key": "currency"})));
    assert_eq!(values, ["CHF", "EUR <&> \u{20ac}"]);
    cases.empty_list(&service("get-key-list"), &json!({"system": "none"}));

    let edit = service("edit");
    let edited = with(&input, &json!({"id": id, "value": "EUR"}));
    cases.item(&edit, &edited, &json!({"id": id}));
    cases.fails(&edit, &with(&edited, &json!({"value": "CHF"})), 409, &["value:[CHF] already exists"]);
    // An entry that there is not is created, as it is documented.
    cases.item(&edit, &with(&edited, &json!({"id": NO_ID, "value": "new"})), &json!({"id": NO_ID}));

    let delete = service("delete");
    for id in [id, id, NO_ID, 1000] {
        cases.item(&delete, &json!({"id": id}), &json!({"id": id}));
    }
    assert_eq!(cases.list(&service("get-list"), &json!({})).len(), 2);
}
