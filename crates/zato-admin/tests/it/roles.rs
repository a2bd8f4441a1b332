//! Roles: who may call which channels, in effect from the reply of each change on.

use serde_json::{Value, json};

use crate::support::{House, request, with};

async fn id_of(house: &House, family: &str, name: &str) -> i64 {
    let list = house.ok(&format!("zato.{family}.get-list"), json!({"cluster_id": house.cluster_id})).await;
    let item = list.as_array().unwrap().iter().find(|item| item["name"] == name).unwrap();
    item["id"].as_i64().unwrap()
}

async fn service_id(house: &House, name: &str) -> i64 {
    let request = json!({"cluster_id": house.cluster_id, "name": name});
    house.ok("zato.service.get-by-name", request).await["id"].as_i64().unwrap()
}

#[tokio::test]
async fn a_caller_needs_a_role_that_permits_the_call() {
    let house = House::new().await;
    let cluster_id = house.cluster_id;
    let definition = house.create("security.basic-auth", house.definition("crm")).await;
    house.set_password(definition, "s3cret").await;
    let channel = with(house.channel("A", "/a"), "security_id", definition);
    house.create("http-soap", with(channel, "has_rbac", true)).await;
    let call = async |method: &str| {
        let request = request(method, "/a", Some(("crm-user", "s3cret")), r#"{"a":1}"#);
        house.send(request).await.status
    };
    assert_eq!(call("POST").await, 403);

    let clerk =
        house.ok("zato.security.rbac.role.create", json!({"cluster_id": cluster_id, "name": "Clerk"})).await;
    assert_eq!((&clerk["parent_name"], &clerk["name"]), (&json!("Root"), &json!("Clerk")));
    let junior = json!({"cluster_id": cluster_id, "name": "Junior", "parent_id": clerk["id"]});
    let junior = house.ok("zato.security.rbac.role.create", junior).await;
    let client = "sec_def:::basic_auth:::crm";
    let has_role = json!({"cluster_id": cluster_id, "client_def": client, "role_id": junior["id"]});
    let has_role = house.ok("zato.security.rbac.client-role.create", has_role).await;
    assert_eq!(has_role["name"], "sec_def:::basic_auth:::crm:::Junior");
    assert_eq!((&has_role["client_name"], &has_role["role_name"]), (&json!(client), &json!("Junior")));
    assert_eq!(call("POST").await, 403);

    // The role inherits what its parent may do.
    let create = id_of(&house, "security.rbac.permission", "Create").await;
    let granted = json!({
        "cluster_id": cluster_id, "role_id": clerk["id"], "perm_id": create,
        "service_id": service_id(&house, "test.add").await,
    });
    let granted = house.ok("zato.security.rbac.role-permission.create", granted).await;
    assert_eq!(granted["name"], "Clerk:::test.add::Create");
    assert_eq!(call("POST").await, 200);
    assert_eq!(call("GET").await, 403);

    // It is in effect after a restart as well, and until it is taken away.
    let house = house.restarted().await;
    let call = async || {
        let request = request("POST", "/a", Some(("crm-user", "s3cret")), r#"{"a":1}"#);
        house.send(request).await.status
    };
    assert_eq!(call().await, 200);
    house.ok("zato.security.rbac.role.delete", json!({"id": clerk["id"]})).await;
    assert_eq!(call().await, 403);
    // What hung on the role is gone with it.
    for family in ["client-role", "role-permission"] {
        let service = format!("zato.security.rbac.{family}.get-list");
        assert_eq!(house.ok(&service, json!({"cluster_id": cluster_id})).await, json!([]), "{family}");
    }
    let roles = house.ok("zato.security.rbac.role.get-list", json!({"cluster_id": cluster_id})).await;
    assert_eq!(roles.as_array().unwrap().len(), 1);
}

/// Who comes to have the name of a definition that had a role does not come to have the role.
#[tokio::test]
async fn roles_go_with_the_definition_they_were_given_to() {
    let house = House::new().await;
    let cluster_id = house.cluster_id;
    let role = json!({"cluster_id": cluster_id, "name": "Clerk"});
    let role = house.ok("zato.security.rbac.role.create", role).await["id"].clone();
    let given = async || {
        let client = "sec_def:::basic_auth:::crm";
        let request = json!({"cluster_id": cluster_id, "client_def": client, "role_id": role});
        house.ok("zato.security.rbac.client-role.create", request).await;
    };
    let roles = async || {
        let request = json!({"cluster_id": cluster_id});
        house.ok("zato.security.rbac.client-role.get-list", request).await.as_array().unwrap().len()
    };
    let definition = house.create("security.basic-auth", house.definition("crm")).await;
    given().await;
    assert_eq!(roles().await, 1);
    let edit = "zato.security.basic-auth.edit";
    house.ok(edit, with(with(house.definition("crm"), "id", definition), "realm", "Another one")).await;
    assert_eq!(roles().await, 1);
    house.ok(edit, with(house.definition("erp"), "id", definition)).await;
    assert_eq!(roles().await, 0);
    house.ok(edit, with(house.definition("crm"), "id", definition)).await;
    given().await;
    house.ok("zato.security.basic-auth.delete", json!({"id": definition})).await;
    assert_eq!(roles().await, 0);
}

#[tokio::test]
async fn roles_are_known_by_their_present_names() {
    let house = House::new().await;
    let cluster_id = house.cluster_id;
    let role = async |name: &str| {
        let request = json!({"cluster_id": cluster_id, "name": name});
        house.ok("zato.security.rbac.role.create", request).await["id"].clone()
    };
    // As long as names may be.
    let client = format!("sec_def:::basic_auth:::{}", "c".repeat(177));
    let has_role = |role: &Value| json!({"cluster_id": cluster_id, "client_def": client, "role_id": role});
    let create = "zato.security.rbac.client-role.create";
    let first = role("A").await;
    house.ok(create, has_role(&first)).await;
    let long = "r".repeat(200);
    let renamed = json!({"cluster_id": cluster_id, "id": first, "name": long, "parent_id": 1});
    house.ok("zato.security.rbac.role.edit", renamed).await;
    let second = house.ok(create, has_role(&role("A").await)).await;
    assert_eq!(second["name"], format!("{client}:::A"));
    let roles = house.ok("zato.security.rbac.client-role.get-list", json!({"cluster_id": cluster_id})).await;
    let mut names: Vec<_> = roles.as_array().unwrap().iter().map(|role| role["name"].clone()).collect();
    names.sort_by_key(Value::to_string);
    assert_eq!(names, [format!("{client}:::A"), format!("{client}:::{long}")]);
    house.fails(create, has_role(&first), 409, "already exists on this cluster").await;
}

#[tokio::test]
async fn roles_are_a_tree() {
    let house = House::new().await;
    let service = "zato.security.rbac.role";
    let new = |name: &str, parent: Value| json!({"cluster_id": 1, "name": name, "parent_id": parent});
    let create = format!("{service}.create");
    let a = house.ok(&create, new("A", Value::Null)).await["id"].clone();
    let b = house.ok(&create, new("B", a.clone())).await["id"].clone();
    let c = house.ok(&create, new("C", b)).await["id"].clone();
    let edit = format!("{service}.edit");
    let own = "A role cannot be its own parent";
    house.fails(&edit, with(new("A", a.clone()), "id", a.clone()), 400, own).await;
    house.fails(&edit, with(new("A", c), "id", a.clone()), 400, own).await;
    let root = id_of(&house, "security.rbac.role", "Root").await;
    let changed = "Root role cannot be changed";
    for name in ["Root", "ROOT"] {
        house.fails(&create, new(name, a.clone()), 400, changed).await;
    }
    house.fails(&edit, with(new("root", a.clone()), "id", root), 400, changed).await;
    house.fails(&edit, with(new("Other", a), "id", root), 400, changed).await;
    house.fails(&edit, with(new("Other", Value::Null), "id", root), 400, changed).await;
    house.fails(&format!("{service}.delete"), json!({"id": root}), 400, changed).await;
    house.fails(&create, new("D", json!(4711)), 404, "there is no RBAC role with id [4711]").await;
}
