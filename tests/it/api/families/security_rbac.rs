//! `zato.security.rbac`: roles, permissions, and who has which.

use serde_json::json;

use super::super::cases::{Cases, NO_ID};
use super::objects::Objects;
use crate::support::api::user;

pub(super) fn role(cases: &mut Cases<'_>) {
    let list = "zato.security.rbac.role.get-list";
    let roots = cases.server.api().names(list, &json!({"cluster_id": 1}));
    assert_eq!(roots, ["Root"]);
    let create = "zato.security.rbac.role.create";
    let parent = cases.server.api().id_of(create, &json!({"cluster_id": 1, "name": "Parent"}));
    let objects = Objects {
        family: "zato.security.rbac.role",
        taken: "An RBAC role",
        object: json!({"cluster_id": 1, "name": "Role", "parent_id": parent}),
        changes: json!({}),
        shown: json!({"parent_name": "Parent"}),
        hidden: &["cluster_id"],
    };
    let id = objects.check(cases);
    objects.refuses(cases, id, &json!({"name": "ROOT"}), 400, &["Root role cannot be changed"]);
    objects.refuses(cases, id, &json!({"parent_id": NO_ID}), 404, &["RBAC role", "987654"]);
    let edit = "zato.security.rbac.role.edit";
    let own = json!({"cluster_id": 1, "id": id, "name": "Role", "parent_id": id});
    cases.fails(edit, &own, 400, &["A role cannot be its own parent"]);
    let item = json!({"name": "Child of the root", "parent_name": "Root"});
    cases.item(create, &json!({"cluster_id": 1, "name": "Child of the root"}), &item);
    // Children go with their parents.
    cases.nothing("zato.security.rbac.role.delete", &json!({"id": parent}));
    assert_eq!(cases.server.api().names(list, &json!({"cluster_id": 1})), ["Child of the root", "Root"]);
}

pub(super) fn permission(cases: &mut Cases<'_>) {
    let objects = Objects {
        family: "zato.security.rbac.permission",
        taken: "An RBAC permission",
        object: json!({"cluster_id": 1, "name": "Approve"}),
        changes: json!({}),
        shown: json!({}),
        hidden: &["cluster_id"],
    };
    objects.check(cases);
}

pub(super) fn client_role(cases: &mut Cases<'_>) {
    cases.server.api().id_of("zato.security.basic-auth.create", &user("CRM"));
    let role = json!({"cluster_id": 1, "name": "Clerk"});
    let role = cases.server.api().id_of("zato.security.rbac.role.create", &role);
    let clients = cases.list("zato.security.rbac.client-role.get-client-def-list", &json!({"cluster_id": 1}));
    assert_eq!(
        clients,
        [json!({"client_def": "sec_def:::basic_auth:::CRM", "client_name": "basic_auth:::CRM"})]
    );

    let create = "zato.security.rbac.client-role.create";
    let client = "sec_def:::basic_auth:::CRM";
    let input = json!({"cluster_id": 1, "client_def": client, "role_id": role});
    let shown =
        json!({"name": "sec_def:::basic_auth:::CRM:::Clerk", "client_name": client, "role_name": "Clerk"});
    let created = cases.item(create, &input, &shown);
    let taken = "An RBAC client role [sec_def:::basic_auth:::CRM:::Clerk] already exists on this cluster";
    cases.fails(create, &input, 409, &[taken]);
    let unknown = json!({"cluster_id": 1, "client_def": client, "role_id": NO_ID});
    cases.fails(create, &unknown, 404, &["RBAC role", "987654"]);
    let list = "zato.security.rbac.client-role.get-list";
    cases.list_with(list, &json!({"cluster_id": 1}), &shown);
    cases.empty_list(list, &json!({"cluster_id": NO_ID}));
    cases.nothing("zato.security.rbac.client-role.edit", &json!({}));
    let delete = "zato.security.rbac.client-role.delete";
    cases.nothing(delete, &json!({"id": created["id"]}));
    cases.fails(delete, &json!({"id": created["id"]}), 404, &["RBAC client role"]);
}

pub(super) fn role_permission(cases: &mut Cases<'_>) {
    let api = cases.server.api();
    let role = api.id_of("zato.security.rbac.role.create", &json!({"cluster_id": 1, "name": "Clerk"}));
    let permission = json!({"cluster_id": 1, "name": "Approve"});
    let permission = api.id_of("zato.security.rbac.permission.create", &permission);
    let ping = api.call("zato.service.get-by-name", &json!({"cluster_id": 1, "name": "zato.ping"})).ok();

    let create = "zato.security.rbac.role-permission.create";
    let input = json!({"cluster_id": 1, "role_id": role, "perm_id": permission, "service_id": ping["id"]});
    let shown = json!({
        "name": "Clerk:::zato.ping::Approve", "role_name": "Clerk", "service_name": "zato.ping",
        "perm_name": "Approve",
    });
    let created = cases.item(create, &input, &shown);
    let taken =
        "RBAC role permission: another one on this cluster has the same combination of references already";
    cases.fails(create, &input, 409, &[taken]);
    for (element, noun) in
        [("role_id", "RBAC role"), ("perm_id", "RBAC permission"), ("service_id", "service")]
    {
        let mut unknown = input.clone();
        unknown[element] = NO_ID.into();
        cases.fails(create, &unknown, 404, &[noun, "987654"]);
    }
    let list = "zato.security.rbac.role-permission.get-list";
    cases.list_with(list, &json!({"cluster_id": 1}), &shown);
    cases.empty_list(list, &json!({"cluster_id": NO_ID}));
    cases.nothing("zato.security.rbac.role-permission.edit", &json!({}));
    let delete = "zato.security.rbac.role-permission.delete";
    cases.nothing(delete, &json!({"id": created["id"]}));
    cases.fails(delete, &json!({"id": created["id"]}), 404, &["RBAC role permission"]);
}
