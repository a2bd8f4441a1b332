//! The event log: complete, in order, and honest about what was removed from it.

use std::collections::BTreeSet;

use time::{Duration, OffsetDateTime};
use zato_odb::model::Cluster;
use zato_odb::{Action, Change, EventId, ObjectKind, Odb, OdbError, Read};

use crate::fixture::{Fixture, created, insert, on_both, service};

on_both! {
    an_event_is_read_as_it_was_recorded,
    events_come_in_order_in_portions_and_per_cluster,
    a_follower_misses_nothing_while_two_servers_write,
    trimming_is_noticed_by_those_who_missed_something,
    events_need_a_cluster_and_texts_that_fit,
}

fn change(cluster_id: i64, object_id: i64) -> Change<'static> {
    Change {
        cluster_id,
        object: ObjectKind::HttpSoap,
        object_id,
        action: Action::Edited,
        name: "CRM",
        cid: "K21353002988419985838198535608",
        actor: "pubapi",
    }
}

async fn record(odb: &Odb, cluster_id: i64, object_id: i64) -> Result<EventId, OdbError> {
    let mut transaction = odb.begin().await?;
    let id = transaction.record(change(cluster_id, object_id)).await?;
    assert_eq!(transaction.commit().await?, Some(id));
    Ok(id)
}

async fn an_event_is_read_as_it_was_recorded(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let before = OffsetDateTime::now_utc() - Duration::MICROSECOND;
    for action in [Action::Created, Action::Edited, Action::PasswordChanged, Action::Deleted] {
        let last = odb.last_event(cluster_id).await.unwrap();
        let mut transaction = odb.begin().await.unwrap();
        let id = transaction.record(Change { action, ..change(cluster_id, 42) }).await.unwrap();
        transaction.commit().await.unwrap();
        let events = odb.events_after(cluster_id, last, 10).await.unwrap();
        let [event] = events.as_slice() else { panic!("expected one event, got {events:?}") };
        assert_eq!(
            (event.id, event.cluster_id, event.object, event.object_id),
            (id, cluster_id, ObjectKind::HttpSoap, 42)
        );
        assert_eq!((event.action, event.name.as_str(), event.actor.as_str()), (action, "CRM", "pubapi"));
        assert_eq!(event.cid, "K21353002988419985838198535608");
        assert!(before <= event.time && event.time <= OffsetDateTime::now_utc(), "{}", event.time);
    }
}

async fn events_come_in_order_in_portions_and_per_cluster(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let other = insert(&odb, &Cluster::new("other")).await.unwrap().id;
    assert_eq!(odb.last_event(cluster_id).await.unwrap(), EventId::START);
    assert_eq!(odb.events_after(cluster_id, EventId::START, 10).await.unwrap(), []);
    for object_id in 1..=5 {
        record(&odb, cluster_id, object_id).await.unwrap();
        record(&odb, other, 100 + object_id).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut last = EventId::START;
    loop {
        let portion = odb.events_after(cluster_id, last, 2).await.unwrap();
        let Some(newest) = portion.last() else { break };
        assert!(portion.len() <= 2 && last < newest.id);
        last = newest.id;
        seen.extend(portion.iter().map(|event| event.object_id));
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    assert_eq!(odb.last_event(cluster_id).await.unwrap(), last);

    let mut transaction = odb.begin().await.unwrap();
    transaction.insert(&service(cluster_id, "silent")).await.unwrap();
    assert_eq!(transaction.commit().await.unwrap(), None);
}

/// Ids are handed out in transactions that commit, and are abandoned, at the same time on two servers. A follower that
/// always goes on from the newest event it has seen must have seen all of them in the end.
async fn a_follower_misses_nothing_while_two_servers_write(fixture: Fixture) {
    const WRITERS: i64 = 6;
    const EACH: i64 = 8;
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let second_server = fixture.open().await;
    let follower = tokio::spawn({
        let odb = second_server.clone();
        async move {
            let mut seen = BTreeSet::new();
            let mut last = EventId::START;
            while seen.len() < usize::try_from(WRITERS * EACH).unwrap() {
                for event in odb.events_after(cluster_id, last, 4).await.unwrap() {
                    assert!(event.id > last, "{} came after {last}", event.id);
                    last = event.id;
                    assert!(seen.insert(event.object_id));
                }
                tokio::task::yield_now().await;
            }
            seen
        }
    });
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| {
            let odb = if writer % 2 == 0 { odb.clone() } else { second_server.clone() };
            tokio::spawn(async move {
                for n in 0..EACH {
                    let mut abandoned = odb.begin().await.unwrap();
                    abandoned.record(change(cluster_id, -1)).await.unwrap();
                    drop(abandoned);
                    let mut transaction = odb.begin().await.unwrap();
                    transaction.record(change(cluster_id, writer * EACH + n)).await.unwrap();
                    // Transactions of different lengths would overtake each other if they could.
                    for _ in 0..writer * 3 {
                        transaction.find::<Cluster>(cluster_id).await.unwrap();
                    }
                    transaction.commit().await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let seen = tokio::time::timeout(std::time::Duration::from_secs(20), follower).await;
    assert_eq!(seen.expect("the follower missed an event").unwrap(), (0..WRITERS * EACH).collect());
}

async fn trimming_is_noticed_by_those_who_missed_something(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let other = insert(&odb, &Cluster::new("other")).await.unwrap().id;
    let first = record(&odb, cluster_id, 1).await.unwrap();
    let second = record(&odb, cluster_id, 2).await.unwrap();

    assert_eq!(odb.trim_events(OffsetDateTime::now_utc() - Duration::HOUR).await.unwrap(), 0);
    assert_eq!(odb.events_after(cluster_id, EventId::START, 10).await.unwrap().len(), 2);

    assert_eq!(odb.trim_events(OffsetDateTime::now_utc() + Duration::HOUR).await.unwrap(), 2);
    let result = odb.events_after(cluster_id, first, 10).await;
    assert!(matches!(result, Err(OdbError::EventsTrimmed { .. })), "{result:?}");
    assert_eq!(odb.events_after(cluster_id, second, 10).await.unwrap(), []);
    assert_eq!(odb.last_event(cluster_id).await.unwrap(), second);
    assert_eq!(odb.events_after(other, EventId::START, 10).await.unwrap(), []);

    let third = record(&odb, cluster_id, 3).await.unwrap();
    assert!(third > second, "a number was used twice");
    assert_eq!(odb.events_after(cluster_id, second, 10).await.unwrap().len(), 1);
    assert_eq!(odb.trim_events(OffsetDateTime::now_utc() + Duration::HOUR).await.unwrap(), 1);
    assert_eq!(odb.last_event(cluster_id).await.unwrap(), third);
}

async fn events_need_a_cluster_and_texts_that_fit(fixture: Fixture) {
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let result = record(&odb, 4711, 1).await;
    assert!(matches!(result, Err(OdbError::MissingReference { .. })), "{result:?}");
    let mut transaction = odb.begin().await.unwrap();
    let stored = transaction.insert(&service(cluster_id, "s")).await.unwrap();
    let actor = "x".repeat(201);
    let result = transaction.record(Change { actor: &actor, ..created(&stored) }).await;
    assert!(matches!(result, Err(OdbError::TooLong { column: "actor", limit: 200 })), "{result:?}");
}
