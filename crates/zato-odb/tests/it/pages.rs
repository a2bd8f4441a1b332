//! Lists in parts, searched and counted.

use std::time::{Duration, Instant};

use zato_odb::model::{
    Cluster, Connection, DeployedService, DeployedServiceFilter, Everything, HttpSoap, HttpSoapFilter, Job,
    JobFilter, OutgoingZmq, Service, Transport,
};
use zato_odb::{Odb, Page, PageRequest, Read};

use crate::fixture::{Fixture, created, insert, on_both, service};
use crate::samples::{Parents, Sample};

on_both! {
    parts_of_a_list_make_the_list,
    a_list_goes_on_from_any_name,
    words_are_searched,
    filters_narrow_pages_down,
    objects_without_names_are_listed_by_id,
    the_10_000th_object_takes_no_longer_than_the_10th,
}

async fn insert_all(odb: &Odb, cluster_id: i64, names: &[&str]) {
    let mut transaction = odb.begin().await.unwrap();
    for name in names {
        transaction.insert(&service(cluster_id, name)).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

fn request(offset: u64, limit: u64, words: &str) -> PageRequest {
    let name_contains = (!words.is_empty()).then(|| words.to_owned());
    PageRequest { offset, limit, name_contains }
}

async fn check(odb: &Odb, cluster_id: i64, request: &PageRequest, expected: &[&str], total: u64) {
    let page: Page<Service> = odb.page(cluster_id, &Everything, request).await.unwrap();
    let names: Vec<_> = page.items.iter().map(|service| service.name.as_str()).collect();
    assert_eq!((names.as_slice(), page.total), (expected, total), "{request:?}");
}

async fn parts_of_a_list_make_the_list(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let other = insert(&odb, &Cluster::new("other")).await.unwrap().id;
    insert_all(&odb, other, &["elsewhere"]).await;
    insert_all(&odb, cluster_id, &["e", "c", "B", "a", "d"]).await;
    check(&odb, cluster_id, &request(0, 2, ""), &["B", "a"], 5).await;
    check(&odb, cluster_id, &request(2, 2, ""), &["c", "d"], 5).await;
    check(&odb, cluster_id, &request(4, 2, ""), &["e"], 5).await;
    check(&odb, cluster_id, &request(5, 2, ""), &[], 5).await;
    check(&odb, cluster_id, &request(0, 0, ""), &[], 5).await;
    assert_eq!(odb.count::<Service>(cluster_id, &Everything).await.unwrap(), 5);
    assert_eq!(odb.count::<Service>(4711, &Everything).await.unwrap(), 0);
}

async fn a_list_goes_on_from_any_name(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    insert_all(&odb, cluster_id, &["e", "c", "B", "a", "d"]).await;
    let check = async |words: Option<&str>, last: Option<(&str, i64)>, expected: &[&str]| {
        let found: Vec<Service> = odb.following(cluster_id, &Everything, words, last, 2).await.unwrap();
        let names: Vec<_> = found.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, expected, "{words:?} {last:?}");
    };
    check(None, None, &["B", "a"]).await;
    check(None, Some(("a", i64::MAX)), &["c", "d"]).await;
    // Names that are gone, or were never there, are places in the list all the same.
    check(None, Some(("bb", 0)), &["c", "d"]).await;
    check(None, Some(("e", i64::MAX)), &[]).await;
    check(Some("B"), None, &["B"]).await;
    check(Some("b"), Some(("B", i64::MAX)), &[]).await;

    // Objects of one name are told apart by their ids.
    let paths = ["/a", "/b", "/c"];
    let mut ids = Vec::new();
    for (path, (connection, transport)) in paths.iter().zip([
        (Connection::Channel, Transport::PlainHttp),
        (Connection::Channel, Transport::Soap),
        (Connection::Outgoing, Transport::Soap),
    ]) {
        let object = HttpSoap::new(cluster_id, connection, transport, "same", *path);
        ids.push(insert(&odb, &object).await.unwrap().id);
    }
    let filter = HttpSoapFilter::default();
    let found: Vec<HttpSoap> =
        odb.following(cluster_id, &filter, None, Some(("same", ids[0])), 10).await.unwrap();
    assert_eq!(found.iter().map(|object| object.id).collect::<Vec<_>>(), ids[1..]);
}

async fn words_are_searched(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let names = [
        "100%",
        "100_percent",
        "CRM Get",
        "crm.get-customer",
        "crm.set",
        "get\\set",
        "Łódź",
        "ŁÓDŹ 2",
        "ΟΔΟΣ",
        "İstanbul",
        "Straße",
        "\u{212a}elvin",
    ];
    insert_all(&odb, cluster_id, &names).await;
    for (words, expected) in [
        ("crm", &["CRM Get", "crm.get-customer", "crm.set"][..]),
        ("GET crm", &["CRM Get", "crm.get-customer"]),
        ("get  customer\t", &["crm.get-customer"]),
        ("%", &["100%"]),
        ("_", &["100_percent"]),
        ("\\", &["get\\set"]),
        ("Łódź", &["ŁÓDŹ 2", "Łódź"]),
        ("łóDŹ 2", &["ŁÓDŹ 2"]),
        ("lodz", &[]),
        ("οδος", &["ΟΔΟΣ"]),
        ("σ", &["ΟΔΟΣ"]),
        ("i\u{307}STANBUL", &["İstanbul"]),
        ("İ", &["İstanbul"]),
        ("istanbul", &[]),
        ("STRAßE", &["Straße"]),
        ("KELVIN", &["\u{212a}elvin"]),
        ("CRM crm CrM set SET", &["crm.set"]),
        ("'", &[]),
        ("a\0b", &[]),
    ] {
        check(&odb, cluster_id, &request(0, 10, words), expected, expected.len() as u64).await;
    }
    check(&odb, cluster_id, &request(1, 1, "crm"), &["crm.get-customer"], 3).await;
    // Every letter there is: the expressions that fold them are bounded.
    let all: String = ('\u{21}'..'\u{1ffff}').filter(|letter| letter.is_alphabetic()).collect();
    check(&odb, cluster_id, &request(0, 10, &all), &[], 0).await;
    let many: String = (0..300).map(|number| format!("ł{number} ")).collect();
    check(&odb, cluster_id, &request(0, 10, &many), &[], 0).await;
}

async fn filters_narrow_pages_down(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let parents = Parents::insert(&odb, cluster_id).await;
    for job in Job::samples(&parents) {
        insert(&odb, &job).await.unwrap();
    }
    for (service_id, words, expected) in
        [(None, "", 2), (Some(parents.services[0]), "", 1), (Some(parents.services[0]), "plain", 0)]
    {
        let filter = JobFilter { service_id };
        let page: Page<Job> = odb.page(cluster_id, &filter, &request(0, 10, words)).await.unwrap();
        assert_eq!((page.items.len(), page.total), (expected, expected as u64), "{filter:?} {words}");
    }
}

async fn objects_without_names_are_listed_by_id(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let parents = Parents::insert(&odb, cluster_id).await;
    let mut ids = Vec::new();
    for object in DeployedService::samples(&parents) {
        ids.push(insert(&odb, &object).await.unwrap().id);
    }
    let all = DeployedServiceFilter::default();
    let page: Page<DeployedService> = odb.page(cluster_id, &all, &request(0, 10, "")).await.unwrap();
    assert_eq!(page.items.iter().map(|object| object.id).collect::<Vec<_>>(), ids);
    let page: Page<DeployedService> = odb.page(cluster_id, &all, &request(0, 10, "word")).await.unwrap();
    assert_eq!((page.items, page.total), (Vec::new(), 0));
}

/// How long it takes to create an object as services do, each in a transaction of its own: the median of some.
async fn time_to_create(odb: &Odb, object: &OutgoingZmq, prefix: &str) -> Duration {
    let mut times = Vec::new();
    for n in 0..25 {
        let object = OutgoingZmq { name: format!("{prefix} {n}"), ..object.clone() };
        let started = Instant::now();
        let mut transaction = odb.begin().await.unwrap();
        assert_eq!(transaction.find_namesake(&object).await.unwrap(), None);
        let stored = transaction.insert(&object).await.unwrap();
        transaction.record(created(&stored)).await.unwrap();
        transaction.commit().await.unwrap();
        times.push(started.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}

/// The factor leaves room for noise; if lists were read it would be in the hundreds.
async fn the_10_000th_object_takes_no_longer_than_the_10th(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let [object, _] = OutgoingZmq::samples(&Parents::insert(&odb, cluster_id).await);
    let few = time_to_create(&odb, &object, "few").await;
    let mut transaction = odb.begin().await.unwrap();
    for n in 0..10_000 {
        let object = OutgoingZmq { name: format!("many {n}"), ..object.clone() };
        transaction.insert(&object).await.unwrap();
    }
    transaction.commit().await.unwrap();
    let many = time_to_create(&odb, &object, "then").await;
    println!("an object is created in {few:?} among a few, in {many:?} among 10,000");
    assert!(many < few * 10, "{many:?} instead of {few:?}");
    let last: Page<OutgoingZmq> = odb.page(cluster_id, &Everything, &request(10_000, 100, "")).await.unwrap();
    assert_eq!((last.items.len(), last.total), (50, 10_050));
}

/// What a database does for a statement must not grow with the number of objects: SQLite says how it would find them.
#[tokio::test]
async fn lists_names_and_references_are_found_by_indexes() {
    use sea_orm::sqlx::sqlite::SqliteConnectOptions;
    use sea_orm::sqlx::{ConnectOptions, Row};

    let fixture = Fixture::sqlite();
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let [object, _] = OutgoingZmq::samples(&Parents::insert(&odb, cluster_id).await);
    insert(&odb, &object).await.unwrap();
    let options = SqliteConnectOptions::new().filename(fixture.folder.path().join("odb.sqlite3"));
    let mut connection = options.connect().await.unwrap();
    for table in ["server", "service", "sec_base", "http_soap", "channel_amqp", "out_zmq", "sql_pool", "job"]
    {
        for rest in ["AND name = 'x'", "ORDER BY name, id LIMIT 10"] {
            let sql = format!("EXPLAIN QUERY PLAN SELECT * FROM {table} WHERE cluster_id = 1 {rest}");
            let plan =
                sea_orm::sqlx::query(sea_orm::sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await;
            let plan: Vec<String> = plan.unwrap().iter().map(|row| row.get("detail")).collect();
            assert!(plan[0].contains("USING INDEX") && plan.len() == 1, "{table} {rest}: {plan:?}");
        }
    }
}
