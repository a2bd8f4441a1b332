//! `zato.service.get-list`, `get-by-name`, `edit` and `get-channel-list`.

use serde_json::{Value, json};
use zato_odb::{Action, ObjectKind};

use crate::support::{House, with};

#[tokio::test]
async fn lists_are_filtered_by_words() {
    let house = House::new().await;
    let check = async |filter: Value, expected: &[&str]| {
        let request = json!({"cluster_id": house.cluster_id, "name_filter": filter});
        let list = house.ok("zato.service.get-list", request).await;
        assert_eq!(names(&list), expected, "{filter}");
    };
    check(json!("*"), &["test.add", "test.fail", "test.free"]).await;
    check(json!(" * "), &["test.add", "test.fail", "test.free"]).await;
    check(json!(""), &[]).await;
    check(Value::Null, &[]).await;
    check(json!("F"), &["test.fail", "test.free"]).await;
    check(json!("TEST  a"), &["test.add", "test.fail"]).await;
    check(json!("*a"), &[]).await;
    check(json!("zato"), &[]).await;
    assert_eq!(house.ok("zato.service.get-list", json!({"name_filter": "add"})).await[0]["name"], "test.add");
    assert_eq!(
        house.ok("zato.service.get-list", json!({"cluster_id": 4711, "name_filter": "*"})).await,
        json!([])
    );
}

#[tokio::test]
async fn internal_services_are_shown_to_who_wants_them() {
    let house = House::with(|settings| settings.return_internal_objects = true).await;
    let list = house.ok("zato.service.get-list", json!({"name_filter": "zato.ping"})).await;
    assert_eq!(names(&list), ["zato.ping", "zato.ping2"]);
    assert_eq!((&list[0]["is_internal"], &list[0]["may_be_deleted"]), (&json!(true), &json!(false)));
    let house = House::with(|settings| {
        settings.return_internal_objects = true;
        settings.internal_services_may_be_deleted = true;
    });
    let list = house.await.ok("zato.service.get-list", json!({"name_filter": "ping2"})).await;
    assert_eq!(list[0]["may_be_deleted"], true);
}

#[tokio::test]
async fn usage_and_times_are_counted() {
    let house = House::new().await;
    let request = json!({"cluster_id": house.cluster_id, "name": "test.add"});
    let id = house.ok("zato.service.get-by-name", request.clone()).await["id"].clone();
    let service = |usage: i64, last: Value| {
        json!({
            "id": id, "name": "test.add", "is_active": true, "impl_name": "test.add", "is_internal": false,
            "may_be_deleted": true, "usage": usage, "slow_threshold": 99_999, "time_min_all_time": 0,
            "time_max_all_time": 0, "time_mean_all_time": 0.0, "time_last": last,
        })
    };
    assert_eq!(house.ok("zato.service.get-by-name", request.clone()).await, service(0, Value::Null));
    house.create("http-soap", house.channel("A", "/a")).await;
    assert_eq!(house.post("/a", None, r#"{"a":1}"#).await.status, 200);
    assert_eq!(house.post("/a", None, r#"{"a":"x"}"#).await.status, 400);
    let counted = house.ok("zato.service.get-by-name", request).await;
    assert_eq!(counted["usage"], 2);
    // What a call took is not for a test to know, but that it is known.
    assert!(counted["time_last"].is_i64() && counted["time_mean_all_time"].is_f64(), "{counted}");
    let list = house.ok("zato.service.get-list", json!({"name_filter": "test.add"})).await;
    assert_eq!(list[0]["usage"], 2);

    let unknown = json!({"cluster_id": house.cluster_id, "name": "nope"});
    let message = "No row was found: there is no service with name [nope]";
    house.fails("zato.service.get-by-name", unknown, 404, message).await;
}

#[tokio::test]
async fn thresholds_have_limits() {
    let house = House::new().await;
    let request = json!({"cluster_id": house.cluster_id, "name": "test.add"});
    let id = house.ok("zato.service.get-by-name", request).await["id"].clone();
    let edit = json!({"id": id, "is_active": true, "slow_threshold": 0});
    house.ok("zato.service.edit", edit.clone()).await;
    for wrong in [-1, 1_i64 << 40] {
        let message = format!(
            "slow_threshold [{wrong}] is not allowed: it must be a number of milliseconds, 0 or more"
        );
        house.fails("zato.service.edit", with(edit.clone(), "slow_threshold", wrong), 400, &message).await;
    }
}

#[tokio::test]
async fn channels_of_a_service() {
    let house = House::new().await;
    for name in ["b", "a"] {
        house.create("http-soap", house.channel(name, &format!("/{name}"))).await;
    }
    let soap = with(with(house.channel("c", "/c"), "transport", "soap"), "data_format", "xml");
    house.create("http-soap", soap).await;
    let request = json!({"cluster_id": house.cluster_id, "name": "test.add"});
    let id = house.ok("zato.service.get-by-name", request).await["id"].clone();
    let check = async |channel_type: &str, expected: &[&str]| {
        let request = json!({"id": id, "channel_type": channel_type});
        let list = house.ok("zato.service.get-channel-list", request).await;
        assert_eq!(names(&list), expected, "{channel_type}");
    };
    check("plain_http", &["a", "b"]).await;
    check("soap", &["c"]).await;
    for other in ["amqp", "jms-wmq", "zmq"] {
        check(other, &[]).await;
    }
    let message = "channel_type [udp] is not allowed: it must be plain_http, soap, amqp, jms-wmq or zmq";
    house
        .fails("zato.service.get-channel-list", json!({"id": id, "channel_type": "udp"}), 400, message)
        .await;
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

/// Servers only learn what the event log has, so that whatever goes along with a service has an event of its own.
#[tokio::test]
async fn what_goes_along_with_a_service_has_events() {
    let house = House::new().await;
    let cluster_id = house.cluster_id;
    let request = json!({"cluster_id": cluster_id, "name": "test.add"});
    let service = house.ok("zato.service.get-by-name", request).await["id"].clone();
    let channel = house.create("http-soap", house.channel("A", "/a")).await;
    // It names the service, and goes on without it.
    let outgoing = house.create("http-soap", with(house.outgoing("B"), "service", "test.add")).await;
    let job = json!({
        "cluster_id": cluster_id, "name": "Add at times", "is_active": true, "job_type": "interval_based",
        "service": "test.add", "start_date": "2026-01-01 00:00:00", "hours": 1,
    });
    let job = house.create("scheduler.job", job).await;
    let role = json!({"cluster_id": cluster_id, "name": "Clerk"});
    let role = house.ok("zato.security.rbac.role.create", role).await["id"].clone();
    let permissions =
        house.ok("zato.security.rbac.permission.get-list", json!({"cluster_id": cluster_id})).await;
    let granted = json!({
        "cluster_id": cluster_id, "role_id": role, "perm_id": permissions[0]["id"], "service_id": service,
    });
    let granted = house.create("security.rbac.role-permission", granted).await;

    let before = house.odb.last_event(cluster_id).await.unwrap();
    house.ok("zato.service.delete", json!({"id": service})).await;
    let events = house.odb.events_after(cluster_id, before, 100).await.unwrap();
    let changed: Vec<_> = events.iter().map(|event| (event.action, event.object, event.object_id)).collect();
    let expected = [
        (Action::Deleted, ObjectKind::HttpSoap, channel),
        (Action::Edited, ObjectKind::HttpSoap, outgoing),
        (Action::Deleted, ObjectKind::Job, job),
        (Action::Deleted, ObjectKind::RbacRolePermission, granted),
        (Action::Deleted, ObjectKind::Service, service.as_i64().unwrap()),
    ];
    assert_eq!(changed, expected);
    let filter = json!({"cluster_id": cluster_id, "connection": "outgoing", "transport": "plain_http"});
    let connections = house.ok("zato.http-soap.get-list", filter).await;
    let connection = connections.as_array().unwrap().iter().find(|item| item["name"] == "B").unwrap();
    assert_eq!(connection["service_id"], Value::Null);
    let gone = format!("there is no job with id [{job}]");
    house.fails("zato.scheduler.job.execute", json!({"id": job}), 404, &gone).await;
}
