//! What must be unique is, and both databases say alike what was not.

use std::fmt::Debug;

use zato_odb::model::{Cluster, Connection, HttpSoap, ObjectKind, Transport};
use zato_odb::{Object, Odb, OdbError, Unique};

use crate::fixture::{Fixture, basic_auth, channel, insert, on_both, server, service, update, ws_security};

on_both! {
    duplicates_are_refused,
    likenesses_are_accepted,
    an_edit_cannot_make_a_duplicate,
}

#[track_caller]
fn check_duplicate<T: Debug>(result: &Result<T, OdbError>, expected: (ObjectKind, Unique)) {
    match result {
        Err(OdbError::Duplicate { object, what }) => assert_eq!((*object, *what), expected),
        other => panic!("expected a duplicate {expected:?}, got {other:?}"),
    }
}

/// The second object must be refused after the first one.
async fn refused<T: Object + Debug>(odb: &Odb, first: &T, second: &T, what: Unique) {
    insert(odb, first).await.unwrap();
    check_duplicate(&insert(odb, second).await, (T::KIND, what));
}

async fn duplicates_are_refused(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    refused(&odb, &Cluster::new("twice"), &Cluster::new("twice"), Unique::Name).await;
    refused(&odb, &service(cluster_id, "twice"), &service(cluster_id, "twice"), Unique::Name).await;

    let mut second = server(cluster_id, "twice");
    second.token = "another".to_owned();
    refused(&odb, &server(cluster_id, "twice"), &second, Unique::Name).await;
    let mut third = server(cluster_id, "third");
    third.token = "token of twice".to_owned();
    check_duplicate(&insert(&odb, &third).await, (ObjectKind::Server, Unique::Token));

    // A name is unique over all types, a user name within one.
    refused(&odb, &basic_auth(cluster_id, "twice"), &ws_security(cluster_id, "twice"), Unique::Name).await;
    let mut second = basic_auth(cluster_id, "second");
    second.username = Some("user of twice".to_owned());
    check_duplicate(&insert(&odb, &second).await, (ObjectKind::Security, Unique::Username));

    let first = channel(cluster_id, "twice", "/first");
    refused(&odb, &first, &channel(cluster_id, "twice", "/second"), Unique::Name).await;
    let mut second = channel(cluster_id, "second", "/first");
    second.transport = Transport::Soap;
    check_duplicate(&insert(&odb, &second).await, (ObjectKind::HttpSoap, Unique::Address));
}

async fn likenesses_are_accepted(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let other = insert(&odb, &Cluster::new("other")).await.unwrap().id;
    for cluster in [cluster_id, other] {
        insert(&odb, &service(cluster, "s")).await.unwrap();
        insert(&odb, &basic_auth(cluster, "basic")).await.unwrap();
        insert(&odb, &channel(cluster, "c", "/")).await.unwrap();
    }
    let mut wss = ws_security(cluster_id, "wss");
    wss.username = Some("user of basic".to_owned());
    insert(&odb, &wss).await.unwrap();
    for name in ["nobody", "nobody either"] {
        let mut nobody = basic_auth(cluster_id, name);
        nobody.username = None;
        insert(&odb, &nobody).await.unwrap();
    }

    let differing: [fn(&mut HttpSoap); 4] = [
        |object| (object.transport, object.soap_action) = (Transport::Soap, "urn:a".to_owned()),
        |object| object.connection = Connection::Outgoing,
        |object| (object.name, object.url_path) = ("other path".to_owned(), "/Path".to_owned()),
        |object| (object.name, object.host) = ("other host".to_owned(), "h".to_owned()),
    ];
    for make_differ in differing {
        let mut object = channel(cluster_id, "c", "/");
        make_differ(&mut object);
        insert(&odb, &object).await.unwrap();
    }
}

async fn an_edit_cannot_make_a_duplicate(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    insert(&odb, &channel(cluster_id, "first", "/first")).await.unwrap();
    let second = insert(&odb, &channel(cluster_id, "second", "/second")).await.unwrap();
    let mut edited = second.clone();
    edited.name = "first".to_owned();
    check_duplicate(&update(&odb, &edited).await, (ObjectKind::HttpSoap, Unique::Name));
    let mut edited = second.clone();
    edited.url_path = "/first".to_owned();
    check_duplicate(&update(&odb, &edited).await, (ObjectKind::HttpSoap, Unique::Address));
    update(&odb, &second).await.unwrap();
}
