//! `zato.security.basic-auth`.

use serde_json::json;

use super::super::cases::{Cases, NO_ID};
use crate::support::api::{user, with};

pub(super) fn cases(cases: &mut Cases<'_>) {
    let create = "zato.security.basic-auth.create";
    let id = cases.id(create, &user("Table user"));
    cases.id(create, &json!({"cluster_id": "1", "name": "Lenient <&>", "is_active": "yes", "username": "l", "realm": "\u{17c}"}));
    let taken = &["HTTP Basic Auth definition [Table user] already exists on this cluster"];
    cases.fails(create, &with(&user("Table user"), &json!({"username": "another"})), 409, taken);
    let taken = &["Table user 2", "user name"];
    cases.fails(create, &with(&user("Table user 2"), &json!({"username": "Table user"})), 409, taken);
    cases.fails(create, &with(&user("B"), &json!({"cluster_id": NO_ID})), 404, &["cluster", "987654"]);
    cases.fails(create, &with(&user("B"), &json!({"username": "b:c"})), 400, &["colon"]);

    let list = "zato.security.basic-auth.get-list";
    let item = json!({
        "id": id, "name": "Table user", "is_active": true, "username": "Table user", "realm": "Tests",
    });
    cases.list_with(list, &json!({"cluster_id": 1}), &item);
    cases.empty_list(list, &json!({"cluster_id": NO_ID}));

    let edit = "zato.security.basic-auth.edit";
    let edited = with(
        &user("Table user"),
        &json!({
            "id": id, "is_active": false, "realm": "Edited", "rate_limit": "100/s", "max_in_flight": 50,
        }),
    );
    cases.id(edit, &edited);
    cases.list_with(
        list,
        &json!({"cluster_id": 1}),
        &json!({"id": id, "is_active": false, "realm": "Edited", "rate_limit": "100/s", "max_in_flight": 50}),
    );
    cases.fails(edit, &with(&edited, &json!({"id": NO_ID, "name": "C", "username": "c"})), 404, &["987654"]);
    cases.fails(edit, &with(&edited, &json!({"rate_limit": "often"})), 400, &["rate_limit [often]"]);
    cases.fails(edit, &with(&edited, &json!({"max_in_flight": 0})), 400, &["max_in_flight [0]"]);
    let taken = &["HTTP Basic Auth definition [pubapi] already exists on this cluster"];
    cases.fails(edit, &with(&edited, &json!({"name": "pubapi"})), 409, taken);

    let change = "zato.security.basic-auth.change-password";
    cases.nothing(change, &json!({"id": id, "password1": "table-word", "password2": "table-word"}));
    cases.nothing(change, &json!({"id": id, "password1": "", "password2": ""}));
    let different = json!({"id": id, "password1": "table-one", "password2": "table-two"});
    cases.fails(change, &different, 400, &["Passwords need to be the same"]);
    cases.fails(change, &json!({"id": NO_ID, "password1": "p", "password2": "p"}), 404, &["987654"]);

    let delete = "zato.security.basic-auth.delete";
    cases.nothing(delete, &json!({"id": id}));
    cases.fails(delete, &json!({"id": id}), 404, &["No row was found"]);
    cases.fails(delete, &json!({"id": 1.5}), 400, &["id", "1.5"]);
}
