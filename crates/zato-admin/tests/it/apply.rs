//! What is put in effect, and what is left out without harm to the rest.

use serde_json::json;
use zato_odb::model::{Cluster, Connection, HttpSoap, SecurityDefinition, Service, Transport};
use zato_odb::{Action, EventId, Read};

use crate::support::{House, with, without};

#[tokio::test]
async fn what_cannot_be_in_effect_is_left_out() {
    let house = House::new().await;
    house.create("http-soap", house.channel("Good", "/good")).await;
    let mut tx = house.odb.begin().await.unwrap();
    let gone = tx.insert(&Service::new(house.cluster_id, "gone.from.here", "gone")).await.unwrap();
    let add = tx.find_by_name::<Service>(house.cluster_id, "test.add").await.unwrap().unwrap();
    let object = |connection, name: &str, service: &Service| {
        let path = format!("/{name}");
        let mut object = HttpSoap::new(house.cluster_id, connection, Transport::PlainHttp, name, path);
        object.service_id = Some(service.id);
        object
    };
    let bad = [
        object(Connection::Channel, "no-service", &gone),
        HttpSoap { service_id: None, ..object(Connection::Channel, "none", &add) },
        HttpSoap { data_format: Some("yaml".to_owned()), ..object(Connection::Channel, "format", &add) },
        HttpSoap { url_path: "/{open".to_owned(), ..object(Connection::Channel, "path", &add) },
        HttpSoap { url_path: "/zato/health".to_owned(), ..object(Connection::Channel, "reserved", &add) },
        HttpSoap { host: "nowhere".to_owned(), ..object(Connection::Outgoing, "host", &add) },
        HttpSoap { timeout: 0, ..object(Connection::Outgoing, "timeout", &add) },
    ];
    for object in &bad {
        tx.insert(object).await.unwrap();
    }
    tx.commit().await.unwrap();

    let house = house.restarted().await;
    assert_eq!(house.post("/good", None, r#"{"a":1}"#).await.status, 200);
    for path in ["/no-service", "/none", "/format", "/path"] {
        assert_eq!(house.post(path, None, r#"{"a":1}"#).await.status, 404, "{path}");
    }
    assert!(house.environment.outgoing().http().is_empty());
    // A change elsewhere is not kept from being made.
    house.create("http-soap", house.outgoing("CRM")).await;
    assert_eq!(house.environment.outgoing().http().len(), 1);
}

#[tokio::test]
async fn channels_come_back_with_a_definition_that_can_guard_them_again() {
    let house = House::new().await;
    let crm = house.definition("crm");
    let definition = house.create("security.basic-auth", crm.clone()).await;
    house.set_password(definition, "s3cret").await;
    house.create("http-soap", with(house.channel("A", "/a"), "security_id", definition)).await;
    let mut tx = house.odb.begin().await.unwrap();
    let stored = tx.find::<SecurityDefinition>(definition).await.unwrap().unwrap();
    tx.update(&SecurityDefinition { rate_limit: Some("often".to_owned()), ..stored }).await.unwrap();
    tx.commit().await.unwrap();

    let house = house.restarted().await;
    let credentials = Some(("crm-user", "s3cret"));
    assert_eq!(house.post("/a", credentials, r#"{"a":1}"#).await.status, 404);
    let mended = with(with(crm, "id", definition), "rate_limit", "100/s");
    house.ok("zato.security.basic-auth.edit", mended).await;
    assert_eq!(house.post("/a", credentials, r#"{"a":1}"#).await.status, 200);
    assert_eq!(house.post("/a", None, r#"{"a":1}"#).await.status, 401);
}

#[tokio::test]
async fn events_can_be_applied_again() {
    let house = House::new().await;
    let definition = house.create("security.basic-auth", house.definition("crm")).await;
    house.set_password(definition, "s3cret").await;
    house.create("http-soap", with(house.channel("A", "/a"), "security_id", definition)).await;
    let deleted = house.create("http-soap", house.channel("B", "/b")).await;
    house.ok("zato.http-soap.delete", json!({"id": deleted})).await;
    let events = house.odb.events_after(house.cluster_id, EventId::START, 100).await.unwrap();
    assert!(events.iter().any(|event| event.action == Action::Deleted));
    let check = async || {
        assert_eq!(house.post("/a", Some(("crm-user", "s3cret")), r#"{"a":1}"#).await.status, 200);
        assert_eq!(house.post("/a", None, r#"{"a":1}"#).await.status, 401);
        assert_eq!(house.post("/b", None, r#"{"a":1}"#).await.status, 404);
    };
    check().await;
    for event in events.iter().rev().chain(&events) {
        house.applier.apply(event).await.unwrap();
        check().await;
    }
}

#[tokio::test]
async fn an_object_can_move_to_another_cluster() {
    let house = House::new().await;
    let mut tx = house.odb.begin().await.unwrap();
    let other = tx.insert(&Cluster::new("other")).await.unwrap().id;
    tx.commit().await.unwrap();
    let id = house.create("http-soap", house.outgoing("CRM")).await;
    assert!(house.environment.outgoing().plain_http("CRM").is_ok());
    let moved = with(without(house.outgoing("CRM"), "is_internal"), "id", id);
    house.ok("zato.http-soap.edit", with(moved, "cluster_id", other)).await;
    assert!(house.environment.outgoing().http().is_empty());
    let [event] = &*house.odb.events_after(other, EventId::START, 10).await.unwrap() else {
        panic!("one event")
    };
    assert_eq!((event.object_id, event.action), (id, Action::Created));

    // What a channel refers to does not move along.
    let channel = house.create("http-soap", house.channel("A", "/a")).await;
    let moved = with(without(house.channel("A", "/a"), "is_internal"), "id", channel);
    let message = "Service [test.add] does not exist on this cluster";
    house.fails("zato.http-soap.edit", with(moved, "cluster_id", other), 404, message).await;

    // A definition that is used here stays here.
    let definition = house.create("security.basic-auth", house.definition("crm")).await;
    let guarded = with(house.channel("B", "/b"), "security_id", definition);
    let guarded = house.create("http-soap", guarded).await;
    let moved = with(with(house.definition("crm"), "id", definition), "cluster_id", other);
    let edit = "zato.security.basic-auth.edit";
    house.fails(edit, moved.clone(), 409, "other objects of its own one use it").await;
    house.ok("zato.http-soap.delete", json!({"id": guarded})).await;
    house.ok(edit, moved).await;
}
