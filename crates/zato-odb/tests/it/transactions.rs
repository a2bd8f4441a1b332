//! Transactions happen whole or not at all, and one after the other.

use zato_odb::model::{Cluster, Everything, Service};
use zato_odb::{Odb, OdbError, Read};

use crate::fixture::{Fixture, created, insert, names, on_both, service};

on_both! {
    changes_are_seen_inside_at_once_and_outside_after_the_commit,
    dropping_undoes_everything,
    a_failed_statement_spoils_its_transaction_only,
    a_check_before_an_insert_holds,
    what_was_committed_is_there_after_reopening,
}

async fn changes_are_seen_inside_at_once_and_outside_after_the_commit(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let mut transaction = odb.begin().await.unwrap();
    transaction.insert(&service(cluster_id, "s")).await.unwrap();
    assert_eq!(names::<Service>(&transaction, cluster_id, &Everything).await, ["s"]);
    assert_eq!(names::<Service>(&odb, cluster_id, &Everything).await, [""; 0]);
    transaction.commit().await.unwrap();
    assert_eq!(names::<Service>(&odb, cluster_id, &Everything).await, ["s"]);
}

async fn dropping_undoes_everything(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let mut transaction = odb.begin().await.unwrap();
    let stored = transaction.insert(&service(cluster_id, "s")).await.unwrap();
    transaction.record(created(&stored)).await.unwrap();
    drop(transaction);
    assert_eq!(names::<Service>(&odb, cluster_id, &Everything).await, [""; 0]);
    assert_eq!(odb.last_event(cluster_id).await.unwrap().get(), 0);
    insert(&odb, &service(cluster_id, "s")).await.unwrap();
}

async fn a_failed_statement_spoils_its_transaction_only(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let mut transaction = odb.begin().await.unwrap();
    transaction.insert(&service(cluster_id, "first")).await.unwrap();
    let result = transaction.insert(&service(cluster_id, "first")).await;
    assert!(matches!(result, Err(OdbError::Duplicate { .. })), "{result:?}");
    drop(transaction);
    insert(&odb, &service(cluster_id, "second")).await.unwrap();
    assert_eq!(names::<Service>(&odb, cluster_id, &Everything).await, ["second"]);
}

/// Inserts unless there is one already, which nobody can do in between.
async fn insert_once(odb: Odb, cluster_id: i64) -> Result<bool, OdbError> {
    let mut transaction = odb.begin().await?;
    if transaction.find_by_name::<Service>(cluster_id, "once").await?.is_some() {
        return Ok(false);
    }
    transaction.insert(&service(cluster_id, "once")).await?;
    transaction.commit().await?;
    Ok(true)
}

async fn a_check_before_an_insert_holds(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let second_server = fixture.open().await;
    let tasks: Vec<_> = (0..16)
        .map(|n| if n % 2 == 0 { odb.clone() } else { second_server.clone() })
        .map(|odb| tokio::spawn(insert_once(odb, cluster_id)))
        .collect();
    let mut inserted = 0;
    for task in tasks {
        inserted += usize::from(task.await.unwrap().unwrap());
    }
    assert_eq!(inserted, 1);
}

async fn what_was_committed_is_there_after_reopening(fixture: Fixture) {
    let odb = fixture.open().await;
    let cluster = insert(&odb, &Cluster::new("kept")).await.unwrap();
    drop(odb);
    assert_eq!(fixture.open().await.clusters().await.unwrap(), [cluster]);
}
