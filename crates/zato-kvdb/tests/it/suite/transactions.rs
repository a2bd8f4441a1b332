//! What every store has to do with keys whatever they hold, and with several writes at a time.

use zato_kvdb::{Condition, KvdbError, Lifetime, Reply, Write};

use super::{SECOND, Subject};

pub(super) async fn run<S: Future<Output = Subject>>(new_subject: impl Fn() -> S) {
    keys_are_renamed(new_subject().await).await;
    several_writes_are_one(new_subject().await).await;
    a_write_that_fails_stands_alone(new_subject().await).await;
    conditions_decide(new_subject().await).await;
    one_of_many_transactions_wins(new_subject().await).await;
}

async fn keys_are_renamed(Subject { kvdb, pass }: Subject) {
    kvdb.hash_set("from", &[("field", "1")]).await.unwrap();
    kvdb.expire("from", 10 * SECOND).await.unwrap();
    kvdb.list_push_back("to", &["gone"]).await.unwrap();
    assert!(!kvdb.rename_if_absent("from", "to").await.unwrap());
    kvdb.rename("from", "to").await.unwrap();
    assert_eq!(kvdb.keys("").await.unwrap(), ["to"]);
    assert_eq!(kvdb.hash_len("to").await.unwrap(), 1);
    assert!(matches!(kvdb.lifetime("to").await.unwrap(), Lifetime::Expires(left) if left <= 10 * SECOND));
    kvdb.rename("to", "to").await.unwrap();
    assert!(!kvdb.rename_if_absent("to", "to").await.unwrap());
    assert!(kvdb.rename_if_absent("to", "new").await.unwrap());
    for result in [kvdb.rename("to", "from").await, kvdb.rename_if_absent("to", "from").await.map(drop)] {
        assert!(matches!(result, Err(KvdbError::NoSuchKey)), "{result:?}");
    }
    pass(10 * SECOND).await;
    assert!(matches!(kvdb.rename("new", "to").await, Err(KvdbError::NoSuchKey)));
}

async fn several_writes_are_one(Subject { kvdb, .. }: Subject) {
    let writes = vec![
        Write::set("value", b"1", Some(SECOND)).unwrap(),
        Write::Increment("value".to_owned(), 1),
        Write::hash_set("hash", &[("a", "1"), ("b", "2")]),
        Write::hash_delete("hash", &["a"]),
        Write::Rename("hash".to_owned(), "renamed".to_owned()),
        Write::delete("none"),
        Write::expire("renamed", SECOND).unwrap(),
    ];
    let replies = kvdb.atomically(writes).await.unwrap();
    let numbers = [1, 0, 1].map(Reply::Integer);
    assert_eq!(replies[..2], [Reply::Done, Reply::Integer(2)]);
    assert_eq!(replies[2..5], [Reply::Integer(2), Reply::Integer(1), Reply::Done]);
    assert_eq!(replies[5..], numbers[1..]);
    assert_eq!(kvdb.keys("").await.unwrap(), ["renamed", "value"]);
    assert_eq!(kvdb.atomically(Vec::new()).await.unwrap(), []);
}

async fn a_write_that_fails_stands_alone(Subject { kvdb, .. }: Subject) {
    kvdb.set_add("set", &["member"]).await.unwrap();
    let writes = || {
        vec![
            Write::Increment("before".to_owned(), 1),
            Write::Increment("set".to_owned(), 1),
            Write::Increment("after".to_owned(), 1),
        ]
    };
    let result = kvdb.atomically(writes()).await;
    assert!(matches!(result, Err(KvdbError::WrongType)), "{result:?}");
    let result = kvdb.atomically_if(vec![Condition::ValueIs("none".to_owned(), None)], writes()).await;
    assert!(matches!(result, Err(KvdbError::WrongType)), "{result:?}");
    assert_eq!(kvdb.get("before").await.unwrap().as_deref(), Some(b"2".as_slice()));
    assert_eq!(kvdb.get("after").await.unwrap().as_deref(), Some(b"2".as_slice()));
    // What can't be right in itself is seen before anything is done.
    let mut refused = writes();
    refused.push(Write::delete(""));
    assert!(matches!(kvdb.atomically(refused).await, Err(KvdbError::InvalidKey { length: 0 })));
    assert_eq!(kvdb.get("before").await.unwrap().as_deref(), Some(b"2".as_slice()));
}

async fn conditions_decide(Subject { kvdb, .. }: Subject) {
    let is = |value: Option<&str>| Condition::ValueIs("version".to_owned(), value.map(|value| value.into()));
    let writes =
        || vec![Write::Increment("version".to_owned(), 1), Write::hash_set("hash", &[("żółw", "\0")])];
    let done = kvdb.atomically_if(vec![is(Some("1"))], writes()).await.unwrap();
    assert_eq!(done, None);
    assert_eq!(kvdb.keys("").await.unwrap(), [""; 0]);
    let done = kvdb.atomically_if(vec![is(None)], writes()).await.unwrap();
    assert_eq!(done, Some(vec![Reply::Integer(1), Reply::Integer(1)]));
    assert_eq!(kvdb.atomically_if(vec![is(None)], writes()).await.unwrap(), None);
    assert_eq!(kvdb.atomically_if(vec![is(Some("1")), is(None)], writes()).await.unwrap(), None);
    let done = kvdb.atomically_if(vec![is(Some("1"))], writes()).await.unwrap();
    assert_eq!(done, Some(vec![Reply::Integer(2), Reply::Integer(0)]));
    // A key that holds something else has no value, but exists.
    for value in [None, Some("")] {
        let condition = Condition::ValueIs("hash".to_owned(), value.map(|value| value.into()));
        assert_eq!(kvdb.atomically_if(vec![condition], writes()).await.unwrap(), None);
    }
    assert_eq!(kvdb.hash_get("hash", "żółw").await.unwrap().as_deref(), Some(b"\0".as_slice()));
}

async fn one_of_many_transactions_wins(Subject { kvdb, .. }: Subject) {
    let attempts: Vec<_> = (0..20)
        .map(|_| {
            let kvdb = kvdb.clone();
            tokio::spawn(async move {
                let condition = Condition::ValueIs("version".to_owned(), None);
                let write = Write::Increment("version".to_owned(), 1);
                kvdb.atomically_if(vec![condition], vec![write]).await.unwrap().is_some()
            })
        })
        .collect();
    let mut winners = 0;
    for attempt in attempts {
        winners += usize::from(attempt.await.unwrap());
    }
    assert_eq!(winners, 1);
}
