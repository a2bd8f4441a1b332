//! `zato.outgoing.sql`.

use serde_json::json;

use super::super::cases::{Cases, NO_ID};
use super::objects::Objects;
use crate::support::api::with;
use crate::support::envelope::text;

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

    let unknown_key = json!({"extra": "fast=very"});
    objects.refuses(
        cases,
        id,
        &unknown_key,
        400,
        &["extra is invalid", "unknown key `fast`", "pool_timeout"],
    );

    // SQLite has neither host nor port nor users.
    let path = cases.server.data().join(format!("crm-{:?}.sqlite3", cases.format));
    let file = json!({
        "name": "File", "engine": "sqlite", "host": "", "port": 0, "username": "", "extra": "",
        "db_name": path, "is_active": false,
    });
    let file = cases.id("zato.outgoing.sql.create", &with(&objects.object, &file));

    let ping = "zato.outgoing.sql.ping";
    let time = text(&cases.call(ping, &json!({"id": file}))["response_time"]);
    let seconds: f64 = time.parse().expect("a time is a decimal number");
    assert!(time.contains('.') && seconds < 10.0, "{time}");
    assert!(path.exists(), "an inactive connection can be pinged");
    // Nobody listens there.
    let could_not = "Could not ping the outgoing SQL connection [Pool]";
    cases.fails(ping, &json!({"id": id}), 502, &[could_not]);
    cases.fails(ping, &json!({"id": NO_ID}), 404, &["987654"]);
    cases.nothing("zato.outgoing.sql.auto-ping", &json!({}));
}
