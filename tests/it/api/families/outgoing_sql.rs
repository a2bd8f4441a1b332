//! `zato.outgoing.sql`.

use serde_json::json;

use super::super::cases::Cases;
use super::objects::Objects;
use crate::support::api::with;

pub(super) fn cases(cases: &mut Cases<'_>) {
    let objects = Objects {
        family: "zato.outgoing.sql",
        taken: "An outgoing SQL connection",
        object: json!({
            "cluster_id": 1, "name": "Pool", "is_active": true, "engine": "postgresql", "host": "localhost",
            "port": 1, "db_name": "crm", "username": "crm", "pool_size": 2, "extra": "connect_timeout=1",
        }),
        changes: json!({
            "is_active": false, "engine": "mysql+pymysql", "port": 3306, "pool_size": 0,
            "extra": "connect_timeout=1\npool_timeout=2",
        }),
        shown: json!({}),
        hidden: &[],
    };
    let id = objects.check(cases);
    let extra =
        "extra should be a list of key=value parameters, possibly one-element long, instead of [fast]";
    objects.refuses(cases, id, &json!({"extra": "fast"}), 400, &[extra]);
    objects.refuses_each(cases, id, "extra", &[json!("a=b;fast"), json!("a=b=c")]);
    objects.refuses_each(cases, id, "engine", &[json!("oracle"), json!("no-such"), json!("")]);
    objects.refuses_each(cases, id, "db_name", &[json!("")]);
    objects.refuses_each(cases, id, "host", &[json!("")]);
    objects.refuses_each(cases, id, "port", &[json!(0), json!(65_536)]);
    objects.refuses_each(cases, id, "pool_size", &[json!(-1)]);
    objects.check_password(cases, id);
    // The list of parameters is looked at before the name.
    let wrong = json!({"name": "Pool", "extra": "fast"});
    objects.refuses(cases, id, &wrong, 400, &["extra should be a list"]);

    // SQLite has neither host nor port.
    let file = json!({"name": "File", "engine": "sqlite", "host": "", "port": 0, "extra": ""});
    cases.id("zato.outgoing.sql.create", &with(&objects.object, &file));
}
