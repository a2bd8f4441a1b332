//! `zato.security.basic-auth.*` and `zato.security.get-list`.

use serde_json::{Value, json};

use crate::support::{House, with};

const CREATE: &str = "zato.security.basic-auth.create";
const EDIT: &str = "zato.security.basic-auth.edit";
const CHANGE_PASSWORD: &str = "zato.security.basic-auth.change-password";

#[tokio::test]
async fn what_cannot_be_created() {
    let house = House::new().await;
    house.create("security.basic-auth", house.definition("crm")).await;
    let new = || house.definition("new");
    let taken = "HTTP Basic Auth definition [crm] already exists on this cluster";
    house.fails(CREATE, with(new(), "name", "crm"), 409, taken).await;
    // Names are unique over all types.
    let wss = "zato.ping.soap.wss.clear_text";
    let taken = format!("HTTP Basic Auth definition [{wss}] already exists on this cluster");
    house.fails(CREATE, with(new(), "name", wss), 409, &taken).await;
    let taken =
        "HTTP Basic Auth definition [new]: another one on this cluster has the same user name already";
    house.fails(CREATE, with(new(), "username", "crm-user"), 409, taken).await;
    let unknown = "No row was found: there is no cluster with id [4711]";
    house.fails(CREATE, with(new(), "cluster_id", 4711), 404, unknown).await;
    house.fails(CREATE, with(new(), "name", " "), 400, "name must not be empty").await;
    let colon = "username [a:b] must not contain a colon: in HTTP Basic Auth the password begins after it";
    house.fails(CREATE, with(new(), "username", "a:b"), 400, colon).await;
    let realm = "security definition [new]: its realm has a control character";
    house.fails(CREATE, with(new(), "realm", "a\nb"), 400, realm).await;
    house
        .fails(CREATE, with(new(), "name", "x".repeat(201)), 400, "`name` is longer than 200 characters")
        .await;
    house
        .fails(
            CREATE,
            with(new(), "username", "x".repeat(201)),
            400,
            "`username` is longer than 200 characters",
        )
        .await;
    house.fails(CREATE, with(new(), "realm", "a\0b"), 400, "its realm has a control character").await;
    // An empty realm is one.
    house.create("security.basic-auth", with(new(), "realm", "")).await;
}

#[tokio::test]
async fn what_cannot_be_edited() {
    let house = House::new().await;
    house.create("security.basic-auth", house.definition("crm")).await;
    let id = house.create("security.basic-auth", house.definition("erp")).await;
    let edit = || with(house.definition("erp"), "id", id);
    let taken = "HTTP Basic Auth definition [crm] already exists on this cluster";
    house.fails(EDIT, with(edit(), "name", "crm"), 409, taken).await;
    let taken =
        "HTTP Basic Auth definition [erp]: another one on this cluster has the same user name already";
    house.fails(EDIT, with(edit(), "username", "crm-user"), 409, taken).await;
    // A definition of another type is none of this family.
    let wss = listed(&house, json!({"cluster_id": house.cluster_id, "sec_type": ["wss"]})).await;
    let wss = wss[0]["id"].as_i64().unwrap();
    let unknown = format!("No row was found: there is no HTTP Basic Auth definition with id [{wss}]");
    house.fails(EDIT, with(edit(), "id", wss), 404, &unknown).await;
    house.fails("zato.security.basic-auth.delete", json!({"id": wss}), 404, &unknown).await;
    // Its own name and user name are not taken.
    assert_eq!(house.ok(EDIT, edit()).await, json!({"id": id, "name": "erp"}));
}

#[tokio::test]
async fn passwords_have_to_be_repeated() {
    let house = House::new().await;
    let id = house.create("security.basic-auth", house.definition("crm")).await;
    let change = |one: &str, other: &str| json!({"id": id, "password1": one, "password2": other});
    house.fails(CHANGE_PASSWORD, change("a", "b"), 400, "Passwords need to be the same").await;
    house.fails(CHANGE_PASSWORD, change("a", ""), 400, "Passwords need to be the same").await;
    // They are compared before the id is looked at.
    house
        .fails(CHANGE_PASSWORD, with(change("a", "b"), "id", 4711), 400, "Passwords need to be the same")
        .await;
    assert_eq!(house.ok(CHANGE_PASSWORD, change("", "")).await, Value::Null);
    assert_eq!(house.ok(CHANGE_PASSWORD, change("ż \" <", "ż \" <")).await, Value::Null);
}

#[tokio::test]
async fn lists_are_sorted_by_name_and_show_no_password() {
    let house = House::new().await;
    for name in ["b", "a"] {
        house.create("security.basic-auth", house.definition(name)).await;
    }
    let list = house.json("zato.security.basic-auth.get-list", json!({"cluster_id": house.cluster_id})).await;
    assert!(!list.text().contains("S3cret") && !list.text().contains("password"), "{}", list.text());
    let list = list.document()["zato_security_basic_auth_get_list_response"].clone();
    assert_eq!(
        names(&list),
        ["a", "admin.invoke", "b", "pubapi", "zato.ping.plain_http.basic_auth", "zato.ping.soap.basic_auth"]
    );
    assert_eq!(list[0]["username"], "a-user");
    assert_eq!(list[0]["realm"], "A realm");
    let other_cluster = house.ok("zato.security.basic-auth.get-list", json!({"cluster_id": 4711})).await;
    assert_eq!(other_cluster, json!([]));
}

#[tokio::test]
async fn definitions_of_all_types() {
    let house = House::new().await;
    house.create("security.basic-auth", house.definition("crm")).await;
    let cluster_id = house.cluster_id;
    let list = listed(&house, json!({"cluster_id": cluster_id})).await;
    let all = [
        "admin.invoke",
        "crm",
        "pubapi",
        "zato.ping.plain_http.basic_auth",
        "zato.ping.soap.basic_auth",
        "zato.ping.soap.wss.clear_text",
    ];
    assert_eq!(names(&list), all);
    assert_eq!(
        list[5],
        json!({
            "id": list[5]["id"], "name": "zato.ping.soap.wss.clear_text", "is_active": true, "sec_type": "wss",
            "username": "zato.ping.soap.wss.clear_text", "realm": "", "password_type": "clear_text",
            "reject_empty_nonce_creat": false, "reject_stale_tokens": true, "reject_expiry_limit": 3600,
            "nonce_freshness_time": 3600, "proto_version": "", "sig_method": "", "max_nonce_log": null,
        })
    );
    let check = async |request: Value, expected: &[&str]| {
        let list = listed(&house, with(request.clone(), "cluster_id", cluster_id)).await;
        assert_eq!(names(&list), expected, "{request}");
    };
    check(json!({"needs_internal": true}), &all).await;
    check(json!({"needs_internal": ""}), &all).await;
    check(json!({"needs_internal": false}), &["crm"]).await;
    check(json!({"sec_type": ["wss"]}), &["zato.ping.soap.wss.clear_text"]).await;
    check(json!({"sec_type": ["wss", "basic_auth"]}), &all).await;
    check(json!({"sec_type": []}), &all).await;
    check(json!({"sec_type": ["apikey"]}), &[]).await;
}

async fn listed(house: &House, request: Value) -> Value {
    house.ok("zato.security.get-list", request).await
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}
