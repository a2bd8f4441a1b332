//! What a first start makes, and what later ones leave alone.

use std::sync::Arc;

use serde_json::json;
use zato_admin::{BootstrapOptions, bootstrap, prepare};
use zato_odb::model::{Connection, Everything, HttpSoap, HttpSoapFilter, Server, Service, Transport};
use zato_odb::{Action, EventId, Object, Odb, Read, Secret};
use zato_service::Registry;

use crate::support::{ADMIN_INVOKE_PASSWORD, House, open_odb, options};

async fn names<T: Object>(odb: &Odb, cluster_id: i64, filter: &T::Filter) -> Vec<String> {
    let listed = odb.list::<T>(cluster_id, filter).await.unwrap();
    listed.into_iter().map(|object| object.name().to_owned()).collect()
}

#[tokio::test]
async fn a_first_start_and_a_second_one() {
    let folder = tempfile::tempdir().unwrap();
    let odb = open_odb(folder.path()).await;
    let registry = Registry::new();
    let random = || BootstrapOptions { pubapi_password: None, admin_invoke_password: None, ..options() };
    let first = bootstrap(&odb, &registry, &random()).await.unwrap();
    let [pubapi, admin_invoke] =
        [first.credentials.pubapi, first.credentials.admin_invoke].map(Option::unwrap);
    assert!(first.created && first.is_password_set && pubapi != admin_invoke);
    assert_eq!(pubapi.expose().len(), 32);
    let id = first.cluster_id;
    let services = names::<Service>(&odb, id, &Everything).await;
    let built = zato_catalogue::services().iter().filter(|service| service.is_built()).count();
    assert_eq!(services.len(), built + 1);

    let public = zato_catalogue::services().iter().filter(|service| service.is_built() && service.public);
    let transport = |transport| HttpSoapFilter {
        connection: Some(Connection::Channel),
        transport: Some(transport),
        ..HttpSoapFilter::default()
    };
    let public = public.flat_map(|service| std::iter::once(&service.name).chain(service.aliases));
    let mut soap: Vec<&str> = public.clone().copied().collect();
    soap.extend(["zato.ping.soap.basic_auth", "zato.ping.soap.wss.clear_text"]);
    soap.sort_unstable();
    assert_eq!(names::<HttpSoap>(&odb, id, &transport(Transport::Soap)).await, soap);
    let mut json: Vec<String> = public.map(|name| format!("{name}.json")).collect();
    let others = [
        "admin.invoke.json",
        "zato.api.invoke.json",
        "zato.ping",
        "zato.ping.plain_http.basic_auth",
        "zato.ping2",
    ];
    json.extend(others.map(str::to_owned));
    json.sort_unstable();
    assert_eq!(names::<HttpSoap>(&odb, id, &transport(Transport::PlainHttp)).await, json);
    let guarded = odb.list::<HttpSoap>(id, &HttpSoapFilter::default()).await.unwrap();
    let open = guarded.iter().filter(|channel| channel.security_id.is_none());
    assert_eq!(open.map(|channel| &*channel.name).collect::<Vec<_>>(), ["zato.ping", "zato.ping2"]);

    let second = bootstrap(&odb, &registry, &random()).await.unwrap();
    assert_eq!((second.cluster_id, second.created), (id, false));
    assert!(!second.is_password_set);
    assert_eq!(second.credentials.pubapi, Some(pubapi));
    assert_eq!(names::<Service>(&odb, id, &Everything).await, services);
    assert_eq!(odb.last_event(id).await.unwrap(), EventId::START);
}

#[tokio::test]
async fn a_password_given_later_is_the_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let odb = open_odb(folder.path()).await;
    let registry = Registry::new();
    let first = bootstrap(&odb, &registry, &options()).await.unwrap();
    let same = bootstrap(&odb, &registry, &options()).await.unwrap();
    assert!(!same.is_password_set);

    let new = BootstrapOptions { pubapi_password: Some(Secret::new("new")), ..options() };
    drop(prepare(&odb, &registry, &new).await.unwrap());
    assert_eq!(odb.last_event(first.cluster_id).await.unwrap(), EventId::START);
    let changed = bootstrap(&odb, &registry, &new).await.unwrap();
    assert!(changed.is_password_set);
    assert_eq!(changed.credentials.pubapi, Some(Secret::new("new")));
    assert_eq!(changed.credentials.admin_invoke, Some(Secret::new(ADMIN_INVOKE_PASSWORD)));
    let events = odb.events_after(first.cluster_id, EventId::START, 10).await.unwrap();
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((&*event.name, event.action, &*event.actor), ("pubapi", Action::PasswordChanged, "bootstrap"));
}

#[tokio::test]
async fn what_an_operator_deleted_stays_deleted() {
    let house = House::with(|settings| settings.return_internal_objects = true).await;
    let list = json!({"cluster_id": house.cluster_id, "connection": "channel", "transport": "plain_http"});
    let channels = house.ok("zato.http-soap.get-list", list).await;
    let ping = channels.as_array().unwrap().iter().find(|channel| channel["name"] == "zato.ping").unwrap();
    house.ok("zato.http-soap.delete", json!({"id": ping["id"]})).await;
    let house = house.restarted().await;
    assert_eq!(house.post("/zato/ping", None, "").await.status, 404);
    assert_eq!(house.post("/zato/ping2", None, "").await.status, 200);
}

#[tokio::test]
async fn another_server_joins_and_new_services_are_announced() {
    let folder = tempfile::tempdir().unwrap();
    let odb = open_odb(folder.path()).await;
    let first = bootstrap(&odb, &Registry::new(), &options()).await.unwrap();
    let id = first.cluster_id;
    let mut tx = odb.begin().await.unwrap();
    let ping = tx.find_by_name::<Service>(id, "zato.ping2").await.unwrap().unwrap();
    tx.delete::<Service>(ping.id).await.unwrap();
    tx.commit().await.unwrap();

    let second = BootstrapOptions { server_name: "server2".to_owned(), ..options() };
    bootstrap(&odb, &Registry::new(), &second).await.unwrap();
    assert_eq!(names::<Server>(&odb, id, &Everything).await, ["server1", "server2"]);
    let events = odb.events_after(id, EventId::START, 10).await.unwrap();
    let events: Vec<_> = events.iter().map(|event| (event.object.as_str(), &*event.name)).collect();
    assert_eq!(
        events,
        [
            ("service", "zato.ping2"),
            ("http_soap", "zato.ping2"),
            ("http_soap", "zato.ping2.json"),
            ("http_soap", "zato.ping2"),
        ]
    );
}

#[tokio::test]
async fn servers_that_start_together_make_one_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let odb = open_odb(folder.path()).await;
    let registry = Arc::new(Registry::new());
    let start = |name: &str| {
        let options = BootstrapOptions { server_name: name.to_owned(), ..options() };
        let (odb, registry) = (odb.clone(), Arc::clone(&registry));
        async move { bootstrap(&odb, &registry, &options).await.unwrap() }
    };
    let (one, other) = tokio::join!(start("server1"), start("server2"));
    assert_eq!(one.cluster_id, other.cluster_id);
    assert!(one.created != other.created);
}
