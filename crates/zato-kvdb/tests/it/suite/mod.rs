//! What every key/value store has to do, whichever it is.

mod collections;
mod transactions;

use std::time::Duration;

use futures_util::future::BoxFuture;
use proptest::test_runner::{Config, TestRunner};
use zato_kvdb::{KEY_LIMIT, Kvdb, KvdbError, Lifetime, VALUE_LIMIT};

/// An empty store, and a way to let time go by for it.
pub(crate) struct Subject {
    pub(crate) kvdb: Kvdb,
    pub(crate) pass: Box<dyn Fn(Duration) -> BoxFuture<'static, ()>>,
}

const SECOND: Duration = Duration::from_secs(1);

/// Runs every case, each on a store of its own.
pub(crate) async fn run<S: Future<Output = Subject>>(new_subject: impl Fn() -> S) {
    values_are_bytes(new_subject().await).await;
    keys_and_values_have_limits(new_subject().await).await;
    setting_replaces_value_and_lifetime(new_subject().await).await;
    set_if_absent_keeps_what_is_there(new_subject().await).await;
    one_of_many_wins(new_subject().await).await;
    deleting_says_what_was_there(new_subject().await).await;
    increments_add_up(new_subject().await).await;
    increments_of_other_values_fail(new_subject().await).await;
    lifetimes_run_out(new_subject().await).await;
    lifetimes_can_be_changed(new_subject().await).await;
    expired_keys_are_absent_to_every_operation(new_subject().await).await;
    keys_are_listed_by_prefix_in_order(new_subject().await).await;
    any_entry_is_kept(new_subject().await);
    collections::run(&new_subject).await;
    transactions::run(&new_subject).await;
}

async fn values_are_bytes(Subject { kvdb, .. }: Subject) {
    assert_eq!(kvdb.get("key").await.unwrap(), None);
    for value in [b"".as_slice(), b"\0\xff", "żółw".as_bytes()] {
        kvdb.set("key", value, None).await.unwrap();
        assert_eq!(kvdb.get("key").await.unwrap().as_deref(), Some(value));
        assert!(kvdb.exists("key").await.unwrap());
    }
}

async fn keys_and_values_have_limits(Subject { kvdb, .. }: Subject) {
    let (longest, too_long) = ("k".repeat(KEY_LIMIT), "k".repeat(KEY_LIMIT + 1));
    kvdb.set(&longest, b"v", None).await.unwrap();
    assert_eq!(kvdb.keys(&longest).await.unwrap(), [longest]);
    for key in ["", &too_long] {
        let results = [
            kvdb.get(key).await.map(drop),
            kvdb.set(key, b"", None).await,
            kvdb.set_if_absent(key, b"", None).await.map(drop),
            kvdb.delete(key).await.map(drop),
            kvdb.exists(key).await.map(drop),
            kvdb.increment(key, 1).await.map(drop),
            kvdb.expire(key, SECOND).await.map(drop),
            kvdb.persist(key).await.map(drop),
            kvdb.lifetime(key).await.map(drop),
        ];
        for result in results {
            assert!(
                matches!(result, Err(KvdbError::InvalidKey { length }) if length == key.len()),
                "{result:?}"
            );
        }
    }
    assert!(matches!(kvdb.keys(&too_long).await, Err(KvdbError::InvalidKey { .. })));

    let mut value = vec![7; VALUE_LIMIT];
    kvdb.set("large", &value, None).await.unwrap();
    assert_eq!(kvdb.get("large").await.unwrap().as_ref(), Some(&value));
    value.push(7);
    let refused = kvdb.set("large", &value, None).await;
    assert!(matches!(refused, Err(KvdbError::ValueTooLong { .. })), "{refused:?}");
    let refused = kvdb.set_if_absent("absent", &value, None).await;
    assert!(matches!(refused, Err(KvdbError::ValueTooLong { .. })), "{refused:?}");
}

async fn setting_replaces_value_and_lifetime(Subject { kvdb, pass }: Subject) {
    kvdb.set("key", b"1", Some(SECOND)).await.unwrap();
    kvdb.set("key", b"2", None).await.unwrap();
    assert_eq!(kvdb.lifetime("key").await.unwrap(), Lifetime::Forever);
    pass(2 * SECOND).await;
    assert_eq!(kvdb.get("key").await.unwrap().as_deref(), Some(b"2".as_slice()));
    kvdb.set("key", b"3", Some(SECOND)).await.unwrap();
    pass(2 * SECOND).await;
    assert_eq!(kvdb.get("key").await.unwrap(), None);
}

async fn set_if_absent_keeps_what_is_there(Subject { kvdb, .. }: Subject) {
    assert!(kvdb.set_if_absent("key", b"1", None).await.unwrap());
    assert!(!kvdb.set_if_absent("key", b"2", Some(SECOND)).await.unwrap());
    assert_eq!(kvdb.get("key").await.unwrap().as_deref(), Some(b"1".as_slice()));
    assert_eq!(kvdb.lifetime("key").await.unwrap(), Lifetime::Forever);
}

async fn one_of_many_wins(Subject { kvdb, .. }: Subject) {
    let attempts: Vec<_> = (0..50)
        .map(|n: u8| {
            let kvdb = kvdb.clone();
            tokio::spawn(async move { kvdb.set_if_absent("lock", &[n], None).await.unwrap().then_some(n) })
        })
        .collect();
    let mut winners = Vec::new();
    for attempt in attempts {
        winners.extend(attempt.await.unwrap());
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(kvdb.get("lock").await.unwrap(), Some(winners));
}

async fn deleting_says_what_was_there(Subject { kvdb, .. }: Subject) {
    kvdb.set("key", b"1", None).await.unwrap();
    assert!(kvdb.delete("key").await.unwrap());
    assert!(!kvdb.delete("key").await.unwrap());
    assert!(!kvdb.exists("key").await.unwrap());
}

async fn increments_add_up(Subject { kvdb, pass }: Subject) {
    assert_eq!(kvdb.increment("absent", -5).await.unwrap(), -5);
    assert_eq!(kvdb.get("absent").await.unwrap().as_deref(), Some(b"-5".as_slice()));

    kvdb.set("brief", b"1", Some(SECOND)).await.unwrap();
    assert_eq!(kvdb.increment("brief", 1).await.unwrap(), 2);
    pass(2 * SECOND).await;
    assert_eq!(kvdb.increment("brief", 1).await.unwrap(), 1);
    assert_eq!(kvdb.lifetime("brief").await.unwrap(), Lifetime::Forever);

    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let kvdb = kvdb.clone();
            tokio::spawn(async move { kvdb.increment("shared", 1).await.unwrap() })
        })
        .collect();
    let mut seen = Vec::new();
    for task in tasks {
        seen.push(task.await.unwrap());
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=100).collect::<Vec<i64>>());
}

async fn increments_of_other_values_fail(Subject { kvdb, .. }: Subject) {
    for value in ["", "one", "1.5", "1 ", "+1", "01", "-0", "\u{ff11}", "9223372036854775808"] {
        kvdb.set("key", value.as_bytes(), None).await.unwrap();
        let result = kvdb.increment("key", 1).await;
        assert!(matches!(result, Err(KvdbError::NotAnInteger)), "{value:?}: {result:?}");
        assert_eq!(kvdb.get("key").await.unwrap().as_deref(), Some(value.as_bytes()));
    }
    for (value, by) in [(i64::MAX, 1), (i64::MIN, -1)] {
        kvdb.set("key", value.to_string().as_bytes(), None).await.unwrap();
        assert!(matches!(kvdb.increment("key", by).await, Err(KvdbError::Overflow)));
        assert_eq!(kvdb.increment("key", 0).await.unwrap(), value);
    }
}

async fn lifetimes_run_out(Subject { kvdb, pass }: Subject) {
    assert_eq!(kvdb.lifetime("key").await.unwrap(), Lifetime::Absent);
    kvdb.set("key", b"v", Some(10 * SECOND)).await.unwrap();
    pass(9 * SECOND).await;
    let Lifetime::Expires(left) = kvdb.lifetime("key").await.unwrap() else { panic!("it does not expire") };
    assert!(Duration::ZERO < left && left <= SECOND, "{left:?}");
    assert!(kvdb.exists("key").await.unwrap());
    pass(SECOND).await;
    assert_eq!(kvdb.lifetime("key").await.unwrap(), Lifetime::Absent);
    assert_eq!(kvdb.get("key").await.unwrap(), None);

    for refused in [
        kvdb.set("key", b"v", Some(Duration::ZERO)).await.map(drop),
        kvdb.set_if_absent("key", b"v", Some(Duration::ZERO)).await.map(drop),
        kvdb.expire("key", Duration::ZERO).await.map(drop),
    ] {
        assert!(matches!(refused, Err(KvdbError::ZeroTimeToLive)), "{refused:?}");
    }
    kvdb.set("key", b"v", Some(Duration::MAX)).await.unwrap();
    assert!(kvdb.exists("key").await.unwrap());
}

async fn lifetimes_can_be_changed(Subject { kvdb, pass }: Subject) {
    assert!(!kvdb.expire("key", SECOND).await.unwrap());
    assert!(!kvdb.persist("key").await.unwrap());
    kvdb.set("key", b"v", None).await.unwrap();
    assert!(!kvdb.persist("key").await.unwrap());
    assert!(kvdb.expire("key", SECOND).await.unwrap());
    assert!(kvdb.expire("key", 5 * SECOND).await.unwrap());
    pass(3 * SECOND).await;
    assert!(kvdb.persist("key").await.unwrap());
    pass(5 * SECOND).await;
    assert_eq!(kvdb.get("key").await.unwrap().as_deref(), Some(b"v".as_slice()));
    assert!(kvdb.expire("key", SECOND).await.unwrap());
    pass(SECOND).await;
    assert!(!kvdb.exists("key").await.unwrap());
}

async fn expired_keys_are_absent_to_every_operation(Subject { kvdb, pass }: Subject) {
    for key in ["delete", "expire", "persist", "set_if_absent"] {
        kvdb.set(key, b"old", Some(SECOND)).await.unwrap();
    }
    pass(SECOND).await;
    assert_eq!(kvdb.keys("").await.unwrap(), [""; 0]);
    assert!(!kvdb.delete("delete").await.unwrap());
    assert!(!kvdb.expire("expire", SECOND).await.unwrap());
    assert!(!kvdb.persist("persist").await.unwrap());
    assert!(kvdb.set_if_absent("set_if_absent", b"new", None).await.unwrap());
    assert_eq!(kvdb.get("set_if_absent").await.unwrap().as_deref(), Some(b"new".as_slice()));
}

async fn keys_are_listed_by_prefix_in_order(Subject { kvdb, pass }: Subject) {
    for key in ["b", "a:2", "a:10", "a", "ä", "A:1", "a;"] {
        kvdb.set(key, b"", None).await.unwrap();
    }
    kvdb.set("a:brief", b"", Some(SECOND)).await.unwrap();
    pass(SECOND).await;
    for (prefix, expected) in [
        ("a:", vec!["a:10", "a:2"]),
        ("a", vec!["a", "a:10", "a:2", "a;"]),
        ("", vec!["A:1", "a", "a:10", "a:2", "a;", "b", "ä"]),
        ("ä", vec!["ä"]),
        ("c", vec![]),
    ] {
        assert_eq!(kvdb.keys(prefix).await.unwrap(), expected, "{prefix:?}");
    }
}

fn any_entry_is_kept(Subject { kvdb, .. }: Subject) {
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    let entry = ("\\PC{1,50}", proptest::collection::vec(proptest::num::u8::ANY, 0..2000));
    let handle = tokio::runtime::Handle::current();
    let checked = runner.run(&entry, |(key, value)| {
        let kvdb = kvdb.clone();
        let stored = tokio::task::block_in_place(|| {
            handle.block_on(async move {
                kvdb.set(&key, &value, None).await?;
                Ok::<_, KvdbError>((kvdb.get(&key).await?, Some(value)))
            })
        });
        let (stored, expected) = stored.unwrap();
        proptest::prop_assert_eq!(stored, expected);
        Ok(())
    });
    checked.unwrap();
}
