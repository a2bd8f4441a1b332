//! Lists: all of their items, those whose names have some words, and pages.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use zato_odb::Read;
use zato_odb::model::{SecurityDefinition, SecurityFilter, SecurityKind, SecurityType, Service};

use crate::support::{self, House, PUBAPI_PASSWORD};

const LIST: &str = "zato.security.basic-auth.get-list";

/// What the cluster has from the start, in the order of lists.
const OWN: [&str; 4] =
    ["admin.invoke", "pubapi", "zato.ping.plain_http.basic_auth", "zato.ping.soap.basic_auth"];

async fn list(house: &House, request: Value) -> (Vec<String>, Value) {
    let mut request = request;
    request["cluster_id"] = house.cluster_id.into();
    let reply = house.json(LIST, request).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let mut document = reply.document();
    let items = document["zato_security_basic_auth_get_list_response"].take();
    let names = items.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned());
    (names.collect(), document["_meta"].take())
}

/// The list as another service gets it.
async fn invoked(house: &House, request: Value) -> Value {
    let payload = BASE64_STANDARD.encode(request.to_string());
    let invoke = json!({"name": LIST, "payload": payload, "data_format": "json"});
    let reply = house.ok("zato.service.invoke", invoke).await;
    serde_json::from_slice(&BASE64_STANDARD.decode(reply["response"].as_str().unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn a_page_says_where_it_is() {
    let house = House::new().await;
    let (names, page) = list(&house, json!({"paginate": true, "page_size": 3})).await;
    assert_eq!(names, OWN[..3]);
    let first = json!({
        "total": 4, "num_pages": 2, "cur_page": 1, "page_size": 3, "has_prev_page": false,
        "has_next_page": true, "prev_page": null, "next_page": 2,
    });
    assert_eq!(page, first);
    let (names, page) = list(&house, json!({"paginate": "yes", "page_size": "3", "cur_page": "2"})).await;
    assert_eq!((names, &page["has_next_page"]), (vec![OWN[3].to_owned()], &json!(false)));
    let (names, page) = list(&house, json!({"paginate": true, "cur_page": 9})).await;
    assert_eq!((names.len(), &page["total"], &page["page_size"]), (0, &json!(4), &json!(50)));
    house.fails(LIST, json!({"cluster_id": 1, "paginate": true, "cur_page": 0}), 400, "1 or more").await;
    let too_many = json!({"cluster_id": 1, "paginate": true, "page_size": 1001});
    house.fails(LIST, too_many, 400, "a number from 1 to 1000").await;
}

#[tokio::test]
async fn without_pages_everything_is_as_before() {
    let house = House::new().await;
    for request in [json!({}), json!({"paginate": false, "cur_page": 2, "page_size": 1})] {
        let (names, page) = list(&house, request).await;
        assert_eq!((names, page), (OWN.map(str::to_owned).to_vec(), Value::Null));
    }
}

#[tokio::test]
async fn words_choose_with_and_without_pages() {
    let house = House::new().await;
    let (names, page) = list(&house, json!({"query": "PING soap"})).await;
    assert_eq!((names, page), (vec![OWN[3].to_owned()], Value::Null));
    let (names, page) = list(&house, json!({"query": "ping", "paginate": true, "page_size": 1})).await;
    assert_eq!((names, &page["total"]), (vec![OWN[2].to_owned()], &json!(2)));
}

#[tokio::test]
async fn internal_objects_are_on_no_page() {
    let house = House::new().await;
    house.create("http-soap", house.channel("Mine", "/mine")).await;
    let request = json!({
        "cluster_id": house.cluster_id, "connection": "channel", "transport": "plain_http", "paginate": true,
    });
    let document = house.json("zato.http-soap.get-list", request).await.document();
    assert_eq!(document["_meta"]["total"], 2);
    assert_eq!(document["zato_http_soap_get_list_response"][0]["name"], "Mine");
    let unknown = json!({"cluster_id": 1, "connection": "none", "transport": "soap", "paginate": true});
    let document = house.json("zato.http-soap.get-list", unknown).await.document();
    assert_eq!((&document["_meta"]["total"], &document["_meta"]["num_pages"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn in_soap_the_page_follows_the_items() {
    let house = House::new().await;
    let elements = format!(
        "<z:cluster_id>{}</z:cluster_id><z:paginate>true</z:paginate><z:page_size>3</z:page_size>",
        house.cluster_id
    );
    let reply = house.soap(LIST, &elements).await;
    let text = reply.text();
    assert!(text.contains("</item_list><_meta><total>4</total><num_pages>2</num_pages>"), "{text}");
    let elements = format!("<z:cluster_id>{}</z:cluster_id>", house.cluster_id);
    assert!(!house.soap(LIST, &elements).await.text().contains("_meta"));
}

#[tokio::test]
async fn the_page_is_there_as_well_if_the_service_is_invoked_by_name() {
    let house = House::new().await;
    let document = invoked(&house, json!({"cluster_id": house.cluster_id, "paginate": true})).await;
    assert_eq!(document["_meta"]["total"], 4);
}

/// Stores users of these numbers, whose names are in their order.
async fn store_users(house: &House, numbers: impl Iterator<Item = i32>) {
    let mut tx = house.odb.begin().await.unwrap();
    for number in numbers {
        let name = user(number);
        let kind = SecurityKind::BasicAuth { realm: String::new() };
        let definition = SecurityDefinition::new(house.cluster_id, name.as_str(), name.as_str(), kind);
        tx.insert(&definition).await.unwrap();
    }
    tx.commit().await.unwrap();
}

fn user(number: i32) -> String {
    format!("user {number:04}")
}

#[tokio::test]
async fn a_long_list_is_whole() {
    let house = House::new().await;
    // The last batch has no item, one, or as many as any other.
    let mut stored = 0;
    for count in [999, 1000, 1001, 1500] {
        store_users(&house, stored..count).await;
        stored = count;
        let (names, _) = list(&house, json!({"query": "user"})).await;
        assert_eq!(names, (0..count).map(user).collect::<Vec<_>>());
    }
    let invoked = invoked(&house, json!({"cluster_id": house.cluster_id, "query": "user"})).await;
    assert_eq!(invoked["zato_security_basic_auth_get_list_response"].as_array().unwrap().len(), 1500);
}

/// The lists of all types of definitions, and of services, are long ones too, some of whose objects are not shown.
#[tokio::test]
async fn lists_that_leave_objects_out_are_whole() {
    let house = House::new().await;
    let mut tx = house.odb.begin().await.unwrap();
    for number in 0..2400 {
        let name = if number < 1200 { format!("zato.{number:04}") } else { user(number) };
        let realm = String::new();
        let kind = if number % 2 == 0 { SecurityKind::BasicAuth { realm } } else { SecurityKind::ApiKey };
        let definition = SecurityDefinition::new(house.cluster_id, name.as_str(), name.as_str(), kind);
        tx.insert(&definition).await.unwrap();
        tx.insert(&Service::new(house.cluster_id, name, "impl")).await.unwrap();
    }
    tx.commit().await.unwrap();
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    let visible = || 1200..2400;

    let mut request = json!({"cluster_id": house.cluster_id, "needs_internal": false});
    let list = house.ok("zato.security.get-list", request.clone()).await;
    let place = |name: &Value| SecurityType::ALL.iter().position(|kind| name == kind.as_str());
    assert!(
        list.as_array()
            .unwrap()
            .is_sorted_by_key(|item| (place(&item["sec_type"]), item["name"].to_string()))
    );
    let mut listed = names(&list);
    listed.sort_unstable();
    assert_eq!(listed, visible().map(user).collect::<Vec<_>>());
    request["sec_type"] = json!(["apikey"]);
    let listed = names(&house.ok("zato.security.get-list", request).await);
    assert_eq!(listed, visible().filter(|number| number % 2 == 1).map(user).collect::<Vec<_>>());
    let all = house.ok("zato.security.get-list", json!({"cluster_id": house.cluster_id})).await;
    assert_eq!(names(&all).iter().filter(|name| name.ends_with(|c: char| c.is_ascii_digit())).count(), 2400);

    let listed = names(&house.ok("zato.service.get-list", json!({"name_filter": "USER"})).await);
    assert_eq!(listed, visible().map(user).collect::<Vec<_>>());
}

/// What is there from the beginning to the end is in a list, and once, whatever else comes and goes while it is sent.
#[tokio::test]
async fn a_list_is_sent_while_its_objects_change() {
    let house = House::new().await;
    store_users(&house, (0..1600).filter(|number| number % 2 == 0)).await;
    let request = json!({"cluster_id": house.cluster_id, "query": "user"});
    let login = Some(("pubapi", PUBAPI_PASSWORD));
    let request = support::request("POST", &format!("/zato/json/{LIST}"), login, request.to_string());
    let response = house.dispatcher.dispatch(request, ([127, 0, 0, 1], 1234).into()).await;
    let mut body = response.into_body();
    let mut sent = body.frame().await.unwrap().unwrap().into_data().unwrap().to_vec();
    // The 500 of the first batch are up to number 998.
    let mut tx = house.odb.begin().await.unwrap();
    let all = tx.list::<SecurityDefinition>(house.cluster_id, &SecurityFilter::default()).await.unwrap();
    for definition in all.iter().filter(|it| [user(0), user(998), user(1000)].contains(&it.name)) {
        tx.delete::<SecurityDefinition>(definition.id).await.unwrap();
    }
    tx.commit().await.unwrap();
    store_users(&house, [1, 1001].into_iter()).await;
    sent.extend_from_slice(&body.collect().await.unwrap().to_bytes());
    let document: Value = serde_json::from_slice(&sent).unwrap();
    let items = document["zato_security_basic_auth_get_list_response"].as_array().unwrap();
    let names: Vec<_> = items.iter().map(|item| item["name"].as_str().unwrap()).collect();
    let mut expected: Vec<_> = (0..800).map(|half| user(half * 2)).collect();
    expected[500] = user(1001);
    assert_eq!(names, expected);
}
