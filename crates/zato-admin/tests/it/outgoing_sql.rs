//! Outgoing SQL connections as services find them after each change.

use serde_json::{Value, json};

use crate::support::{House, with};

fn file(house: &House, name: &str, file: &str) -> Value {
    let path = house.folder.path().join(file);
    json!({
        "cluster_id": house.cluster_id, "name": name, "is_active": true, "engine": "sqlite", "host": "", "port": 0,
        "db_name": path, "username": "", "pool_size": 2, "extra": "busy_timeout=1",
    })
}

#[tokio::test]
async fn changes_take_effect_at_once() {
    let house = House::new().await;
    let outgoing = house.environment.outgoing();
    let definition = file(&house, "Orders", "one.sqlite3");
    let id = house.create("outgoing.sql", definition.clone()).await;
    let one = outgoing.sql("Orders").unwrap();
    one.execute("CREATE TABLE t (id INT)", ()).await.unwrap();
    one.execute("INSERT INTO t VALUES (?)", [1]).await.unwrap();

    // Another database under another name; who still has the old one goes on with it.
    let edited = with(with(definition, "name", "Bills"), "id", id);
    let edited = with(edited, "db_name", house.folder.path().join("two.sqlite3").display().to_string());
    house.ok("zato.outgoing.sql.edit", edited.clone()).await;
    let unknown = outgoing.sql("Orders").unwrap_err().to_string();
    assert_eq!(unknown, "there is no outgoing SQL connection named `Orders`");
    let two = outgoing.sql("Bills").unwrap();
    assert!(two.query::<i64>("SELECT id FROM t", ()).await.is_err());
    assert_eq!(one.query::<i64>("SELECT id FROM t", ()).await.unwrap(), [1]);

    house.ok("zato.outgoing.sql.edit", with(edited.clone(), "is_active", false)).await;
    let inactive = outgoing.sql("Bills").unwrap_err().to_string();
    assert_eq!(inactive, "the outgoing SQL connection `Bills` is inactive");
    house.ok("zato.outgoing.sql.ping", json!({"id": id})).await;

    house.ok("zato.outgoing.sql.delete", json!({"id": id})).await;
    assert!(outgoing.sql_table().is_empty());
}

#[tokio::test]
async fn a_restart_finds_the_pools_again() {
    let house = House::new().await;
    house.create("outgoing.sql", file(&house, "Orders", "one.sqlite3")).await;
    house.environment.outgoing().sql_table().replace_all([]);
    house.applier.load_all().await.unwrap();
    assert!(house.environment.outgoing().sql("Orders").is_ok());
}

#[tokio::test]
async fn an_engine_that_is_not_supported_is_refused() {
    let house = House::new().await;
    let definition = file(&house, "Orders", "one.sqlite3");
    house
        .fails(
            "zato.outgoing.sql.create",
            with(definition, "engine", "db2"),
            400,
            "postgresql+pg8000 and mysql+pymysql",
        )
        .await;
}
