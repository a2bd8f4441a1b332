//! A change is in effect when its reply is there.

use serde_json::json;

use crate::support::{House, Reply, request, with, without};

const ADDED: &str = r#"{"response":{"sum":5}}"#;

async fn add(house: &House, path: &str, login: Option<(&str, &str)>) -> Reply {
    house.post(path, login, r#"{"a":2,"b":3}"#).await
}

#[tokio::test]
async fn a_channel_answers_from_create_to_delete() {
    let house = House::new().await;
    assert_eq!(add(&house, "/a", None).await.status, 404);
    let channel = house.channel("A", "/a");
    let id = house.create("http-soap", channel.clone()).await;
    let reply = add(&house, "/a", None).await;
    assert_eq!((reply.status, reply.text()), (200, ADDED));

    let edit = without(with(channel, "id", id), "is_internal");
    let moved = with(with(edit.clone(), "url_path", "/b/{a}"), "method", "PUT");
    house.ok("zato.http-soap.edit", moved.clone()).await;
    assert_eq!(add(&house, "/a", None).await.status, 404);
    assert_eq!(add(&house, "/b/1", None).await.status, 405);
    assert_eq!(house.send(request("PUT", "/b/1", None, r#"{"a":5}"#)).await.text(), ADDED);

    house.ok("zato.http-soap.edit", with(edit, "is_active", false)).await;
    assert_eq!(add(&house, "/a", None).await.status, 404);
    assert_eq!(add(&house, "/b/1", None).await.status, 404);

    house.ok("zato.http-soap.edit", moved).await;
    assert_eq!(add(&house, "/b/1", None).await.status, 405);
    house.ok("zato.http-soap.delete", json!({"id": id})).await;
    assert_eq!(add(&house, "/b/1", None).await.status, 404);
}

#[tokio::test]
async fn only_the_last_password_works() {
    let house = House::new().await;
    let definition = house.create("security.basic-auth", house.definition("crm")).await;
    house.create("http-soap", with(house.channel("A", "/a"), "security_id", definition)).await;
    assert_eq!(add(&house, "/a", None).await.status, 401);
    assert_eq!(add(&house, "/a", Some(("crm-user", ""))).await.status, 401);

    house.set_password(definition, "first").await;
    assert_eq!(add(&house, "/a", Some(("crm-user", "first"))).await.status, 200);
    house.set_password(definition, "second").await;
    assert_eq!(add(&house, "/a", Some(("crm-user", "first"))).await.status, 401);
    assert_eq!(add(&house, "/a", Some(("crm-user", "second"))).await.status, 200);

    let edit = with(with(house.definition("crm"), "id", definition), "username", "other");
    house.ok("zato.security.basic-auth.edit", edit.clone()).await;
    assert_eq!(add(&house, "/a", Some(("crm-user", "second"))).await.status, 401);
    assert_eq!(add(&house, "/a", Some(("other", "second"))).await.status, 200);
    let refused = add(&house, "/a", None).await;
    assert_eq!(refused.headers["www-authenticate"], "Basic realm=\"A realm\"");

    house.ok("zato.security.basic-auth.edit", with(edit, "is_active", false)).await;
    assert_eq!(add(&house, "/a", Some(("other", "second"))).await.status, 401);
}

#[tokio::test]
async fn a_definition_takes_its_channels_and_connections_along() {
    let house = House::new().await;
    let definition = house.create("security.basic-auth", house.definition("crm")).await;
    for (name, path) in [("A", "/a"), ("B", "/b/{c}")] {
        house.create("http-soap", with(house.channel(name, path), "security_id", definition)).await;
    }
    let outgoing = house.create("http-soap", with(house.outgoing("CRM"), "security_id", definition)).await;
    house.create("http-soap", house.channel("C", "/c")).await;
    assert_eq!(add(&house, "/b/1", None).await.status, 401);
    assert!(house.environment.outgoing().plain_http("CRM").is_ok());

    let before = house.odb.last_event(house.cluster_id).await.unwrap();
    house.ok("zato.security.basic-auth.delete", json!({"id": definition})).await;
    assert_eq!(add(&house, "/a", None).await.status, 404);
    assert_eq!(add(&house, "/b/1", None).await.status, 404);
    assert_eq!(add(&house, "/c", None).await.status, 200);
    assert!(house.environment.outgoing().plain_http("CRM").is_err());
    let message = format!("there is no HTTP/SOAP object with id [{outgoing}]");
    house.fails("zato.http-soap.delete", json!({"id": outgoing}), 404, &message).await;
    let events = house.odb.events_after(house.cluster_id, before, 100).await.unwrap();
    let events: Vec<_> =
        events.iter().map(|event| (event.object.as_str(), &*event.name, event.action.as_str())).collect();
    let deleted = |name| ("http_soap", name, "deleted");
    assert_eq!(events, [deleted("A"), deleted("B"), deleted("CRM"), ("security", "crm", "deleted")]);
}

#[tokio::test]
async fn a_renamed_connection_has_one_name() {
    let house = House::new().await;
    let outgoing = house.environment.outgoing();
    let id = house.create("http-soap", house.outgoing("Old")).await;
    assert_eq!(outgoing.plain_http("Old").unwrap().id(), id);
    let edit = without(with(house.outgoing("New"), "id", id), "is_internal");
    house.ok("zato.http-soap.edit", edit.clone()).await;
    assert!(outgoing.plain_http("Old").is_err());
    assert_eq!(outgoing.plain_http("New").unwrap().id(), id);
    house
        .ok("zato.http-soap.edit", with(with(edit.clone(), "transport", "soap"), "soap_version", "1.2"))
        .await;
    assert!(outgoing.plain_http("New").is_err());
    assert!(outgoing.soap("New").is_ok());

    // A connection can become a channel, strange as that is.
    let channel = with(with(edit, "connection", "channel"), "service", "test.add");
    house.ok("zato.http-soap.edit", with(channel, "data_format", "json")).await;
    assert!(outgoing.http().is_empty());
    assert_eq!(add(&house, "/path", None).await.text(), ADDED);
    house.ok("zato.http-soap.delete", json!({"id": id})).await;
    assert_eq!(add(&house, "/path", None).await.status, 404);
}

#[tokio::test]
async fn a_connection_has_the_credentials_of_its_definition() {
    let house = House::new().await;
    let definition = house.create("security.basic-auth", house.definition("crm")).await;
    house.create("http-soap", with(house.outgoing("CRM"), "security_id", definition)).await;
    house.set_password(definition, "s3cret").await;
    let connection = house.environment.outgoing().plain_http("CRM").unwrap();
    let auth = connection.conn().auth().unwrap();
    assert_eq!((auth.username(), auth.password().expose()), ("crm-user", "s3cret"));
}

#[tokio::test]
async fn an_inactive_service_is_not_found() {
    let house = House::new().await;
    house.create("http-soap", house.channel("A", "/a")).await;
    let name = json!({"cluster_id": house.cluster_id, "name": "test.add"});
    let service = house.ok("zato.service.get-by-name", name.clone()).await;
    let edit = json!({"id": service["id"], "is_active": false, "slow_threshold": 5});
    let edited = house.ok("zato.service.edit", edit.clone()).await;
    assert_eq!(
        edited,
        json!({
            "id": service["id"], "name": "test.add", "impl_name": "test.add", "is_internal": false, "may_be_deleted": true,
        })
    );
    assert_eq!(add(&house, "/a", None).await.status, 404);
    house.fails("zato.service.invoke", json!({"name": "test.add"}), 404, "`test.add` is inactive").await;
    let service = house.ok("zato.service.get-by-name", name).await;
    assert_eq!((&service["is_active"], &service["slow_threshold"]), (&json!(false), &json!(5)));
    house.ok("zato.service.edit", with(edit, "is_active", true)).await;
    assert_eq!(add(&house, "/a", None).await.status, 200);
}

#[tokio::test]
async fn changes_survive_a_restart() {
    let house = House::new().await;
    let definition = house.create("security.basic-auth", house.definition("crm")).await;
    house.set_password(definition, "s3cret").await;
    house.create("http-soap", with(house.channel("A", "/a"), "security_id", definition)).await;
    house.create("http-soap", house.outgoing("CRM")).await;
    let service = house
        .ok("zato.service.get-by-name", json!({"cluster_id": house.cluster_id, "name": "test.free"}))
        .await;
    house
        .ok("zato.service.edit", json!({"id": service["id"], "is_active": false, "slow_threshold": 5}))
        .await;
    house.create("http-soap", with(house.channel("B", "/b"), "service", "test.free")).await;

    let house = house.restarted().await;
    assert_eq!(add(&house, "/a", None).await.status, 401);
    assert_eq!(add(&house, "/a", Some(("crm-user", "s3cret"))).await.text(), ADDED);
    assert_eq!(add(&house, "/b", None).await.status, 404);
    assert!(house.environment.outgoing().plain_http("CRM").is_ok());
}

#[tokio::test]
async fn a_change_that_fails_changes_nothing() {
    let house = House::new().await;
    let before = house.odb.last_event(house.cluster_id).await.unwrap();
    let channel = with(house.channel("A", "/zato/ping"), "security_id", 4711);
    house
        .fails("zato.http-soap.create", channel, 404, "there is no security definition with id [4711]")
        .await;
    assert_eq!(house.odb.last_event(house.cluster_id).await.unwrap(), before);
    let list = json!({"cluster_id": house.cluster_id, "connection": "channel", "transport": "plain_http"});
    let listed = house.ok("zato.http-soap.get-list", list).await;
    assert!(listed.as_array().unwrap().iter().all(|channel| channel["name"] != "A"), "{listed}");
}

#[tokio::test]
async fn changes_queue() {
    let house = House::new().await;
    let channel = |number: usize| house.channel(&format!("A{number}"), &format!("/a{number}"));
    let create = async |number: usize| {
        let reply = house.json("zato.http-soap.create", channel(number)).await;
        (reply.status, add(&house, &format!("/a{number}"), None).await.status)
    };
    let statuses = tokio::join!(create(0), create(1), create(2), create(3), create(0));
    assert!(matches!(statuses, ((200, 200), (200, 200), (200, 200), (200, 200), (409, 200))), "{statuses:?}");
}
