//! `zato.outgoing.ftp`.

use serde_json::json;

use super::super::cases::Cases;
use super::objects::Objects;

pub(super) fn cases(cases: &mut Cases<'_>) {
    let objects = Objects {
        family: "zato.outgoing.ftp",
        taken: "An outgoing FTP connection",
        object: json!({
            "cluster_id": 1, "name": "Connection", "is_active": true, "host": "localhost", "port": 1,
            "dircache": false, "use_ftps": true, "user": "crm", "acct": "sales", "timeout": 5,
        }),
        changes: json!({"is_active": false, "port": 21, "dircache": true, "use_ftps": false, "user": "hr"}),
        shown: json!({}),
        hidden: &["cluster_id"],
    };
    let id = objects.check(cases);
    objects.refuses_each(cases, id, "host", &[json!("")]);
    objects.refuses_each(cases, id, "port", &[json!(0), json!(65_536)]);
    objects.refuses_each(cases, id, "timeout", &[json!(-1)]);
    objects.check_password(cases, id);

    // What 1.1 sends is enough.
    let old = json!({
        "cluster_id": 1, "name": "Old", "is_active": true, "host": "localhost", "port": 21, "dircache": false,
    });
    cases.id("zato.outgoing.ftp.create", &old);
    cases.list_with(
        "zato.outgoing.ftp.get-list",
        &json!({"cluster_id": 1}),
        &json!({"name": "Old", "use_ftps": false}),
    );
}
