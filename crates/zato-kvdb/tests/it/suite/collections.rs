//! What every store has to do with hashes, lists, sets and sorted sets.

use std::time::Duration;

use zato_kvdb::{Kvdb, KvdbError, Lifetime};

use super::{SECOND, Subject};

pub(super) async fn run<S: Future<Output = Subject>>(new_subject: impl Fn() -> S) {
    hashes_have_fields(new_subject().await).await;
    fields_count(new_subject().await).await;
    lists_have_two_ends(new_subject().await).await;
    lists_are_cut(new_subject().await).await;
    sets_have_members_once(new_subject().await).await;
    sorted_sets_are_in_order(new_subject().await).await;
    nothing_is_left_of_what_is_empty(new_subject().await).await;
    types_are_kept_apart(new_subject().await).await;
    nothing_to_add_is_refused(new_subject().await).await;
    collections_expire(new_subject().await).await;
    large_collections_are_removed_whole(new_subject().await).await;
}

fn texts(values: Vec<Vec<u8>>) -> Vec<String> {
    values.into_iter().map(|value| String::from_utf8(value).unwrap()).collect()
}

async fn hashes_have_fields(Subject { kvdb, .. }: Subject) {
    assert_eq!(kvdb.hash_get_all("h").await.unwrap(), []);
    assert_eq!(kvdb.hash_set("h", &[("b", "1"), ("a", "2"), ("b", "3")]).await.unwrap(), 2);
    assert_eq!(kvdb.hash_set("h", &[("a", b"\0\xff".as_slice()), ("ż", b"")]).await.unwrap(), 1);
    assert_eq!(kvdb.hash_get("h", "a").await.unwrap().as_deref(), Some(b"\0\xff".as_slice()));
    assert_eq!(kvdb.hash_get("h", "c").await.unwrap(), None);
    assert_eq!(kvdb.hash_get("none", "a").await.unwrap(), None);
    let all = kvdb.hash_get_all("h").await.unwrap();
    let expected = [("a", b"\0\xff".as_slice()), ("b", b"3"), ("ż", b"")];
    assert_eq!(all, expected.map(|(field, value)| (field.to_owned(), value.to_owned())));
    assert_eq!(kvdb.hash_len("h").await.unwrap(), 3);
    assert!(kvdb.hash_contains("h", "ż").await.unwrap());
    assert!(!kvdb.hash_set_if_absent("h", "a", b"other").await.unwrap());
    assert!(kvdb.hash_set_if_absent("h", "c", b"new").await.unwrap());
    assert_eq!(kvdb.hash_delete("h", &["a", "c", "none", "a"]).await.unwrap(), 2);
    assert!(!kvdb.hash_contains("h", "a").await.unwrap());
    assert_eq!(kvdb.hash_len("h").await.unwrap(), 2);
}

async fn fields_count(Subject { kvdb, .. }: Subject) {
    assert_eq!(kvdb.hash_increment("h", "n", 5).await.unwrap(), 5);
    assert_eq!(kvdb.hash_increment("h", "n", -7).await.unwrap(), -2);
    kvdb.hash_set("h", &[("text", "one"), ("large", &i64::MAX.to_string())]).await.unwrap();
    assert!(matches!(kvdb.hash_increment("h", "text", 1).await, Err(KvdbError::NotAnInteger)));
    assert!(matches!(kvdb.hash_increment("h", "large", 1).await, Err(KvdbError::Overflow)));
}

async fn lists_have_two_ends(Subject { kvdb, .. }: Subject) {
    assert_eq!(kvdb.list_push_back("l", &["c", "d"]).await.unwrap(), 2);
    assert_eq!(kvdb.list_push_front("l", &["b", "a"]).await.unwrap(), 4);
    assert_eq!(texts(kvdb.list_range("l", 0, -1).await.unwrap()), ["a", "b", "c", "d"]);
    assert_eq!(kvdb.list_pop_front("l").await.unwrap().as_deref(), Some(b"a".as_slice()));
    assert_eq!(kvdb.list_pop_back("l").await.unwrap().as_deref(), Some(b"d".as_slice()));
    assert_eq!(kvdb.list_len("l").await.unwrap(), 2);
    assert_eq!(kvdb.list_pop_back("none").await.unwrap(), None);
    assert_eq!(kvdb.list_len("none").await.unwrap(), 0);
}

async fn lists_are_cut(Subject { kvdb, .. }: Subject) {
    let ranges = [
        (0, -1, vec!["a", "b", "c", "d", "e"]),
        (1, 2, vec!["b", "c"]),
        (-2, -1, vec!["d", "e"]),
        (-100, 100, vec!["a", "b", "c", "d", "e"]),
        (3, 1, vec![]),
        (5, 9, vec![]),
    ];
    for (start, stop, expected) in ranges {
        kvdb.delete("l").await.unwrap();
        kvdb.list_push_back("l", &["a", "b", "c", "d", "e"]).await.unwrap();
        assert_eq!(texts(kvdb.list_range("l", start, stop).await.unwrap()), expected);
        kvdb.list_trim("l", start, stop).await.unwrap();
        assert_eq!(texts(kvdb.list_range("l", 0, -1).await.unwrap()), expected);
        assert_eq!(kvdb.list_len("l").await.unwrap(), expected.len() as u64);
    }
}

async fn sets_have_members_once(Subject { kvdb, .. }: Subject) {
    assert_eq!(kvdb.set_add("s", &["b", "a", "b"]).await.unwrap(), 2);
    assert_eq!(kvdb.set_add("s", &["a", "c"]).await.unwrap(), 1);
    assert_eq!(texts(kvdb.set_members("s").await.unwrap()), ["a", "b", "c"]);
    assert!(kvdb.set_contains("s", b"a").await.unwrap());
    assert_eq!(kvdb.set_remove("s", &["a", "none"]).await.unwrap(), 1);
    assert!(!kvdb.set_contains("s", b"a").await.unwrap());
    assert_eq!(texts(kvdb.set_members("none").await.unwrap()), [""; 0]);
}

async fn sorted_sets_are_in_order(Subject { kvdb, .. }: Subject) {
    let scores = [("d", f64::INFINITY), ("b", -0.5), ("a", 1e100), ("c", -0.5), ("e", f64::NEG_INFINITY)];
    assert_eq!(kvdb.sorted_set_add("z", &scores).await.unwrap(), 5);
    let expected = [("e", f64::NEG_INFINITY), ("b", -0.5), ("c", -0.5), ("a", 1e100), ("d", f64::INFINITY)];
    let expected = expected.map(|(member, score)| (member.as_bytes().to_owned(), score));
    assert_eq!(kvdb.sorted_set_range("z", 0, -1).await.unwrap(), expected);
    assert_eq!(kvdb.sorted_set_range("z", 1, 2).await.unwrap(), expected[1..3]);

    assert_eq!(kvdb.sorted_set_add("z", &[("a", -1.0), ("f", 0.0)]).await.unwrap(), 1);
    assert_eq!(kvdb.sorted_set_remove("z", &["b", "none"]).await.unwrap(), 1);
    let members = |scored: Vec<(Vec<u8>, f64)>| texts(scored.into_iter().map(|(member, _)| member).collect());
    assert_eq!(members(kvdb.sorted_set_range("z", 0, -1).await.unwrap()), ["e", "a", "c", "f", "d"]);
    assert_eq!(kvdb.sorted_set_trim("z", 9).await.unwrap(), 0);
    assert_eq!(kvdb.sorted_set_trim("z", 2).await.unwrap(), 3);
    assert_eq!(members(kvdb.sorted_set_range("z", 0, -1).await.unwrap()), ["f", "d"]);
    let refused = kvdb.sorted_set_add("z", &[("a", f64::NAN)]).await;
    assert!(matches!(refused, Err(KvdbError::NotANumber)), "{refused:?}");
    assert_eq!(kvdb.sorted_set_trim("z", 0).await.unwrap(), 2);
    assert!(!kvdb.exists("z").await.unwrap());
}

/// One key of each type, with one element.
async fn fill(kvdb: &Kvdb) {
    kvdb.set("value", b"1", None).await.unwrap();
    kvdb.hash_set("hash", &[("e", "1")]).await.unwrap();
    kvdb.list_push_back("list", &["e"]).await.unwrap();
    kvdb.set_add("set", &["e"]).await.unwrap();
    kvdb.sorted_set_add("sorted set", &[("e", 1.0)]).await.unwrap();
}

async fn nothing_is_left_of_what_is_empty(Subject { kvdb, .. }: Subject) {
    fill(&kvdb).await;
    kvdb.hash_delete("hash", &["e"]).await.unwrap();
    kvdb.list_pop_front("list").await.unwrap();
    kvdb.set_remove("set", &["e"]).await.unwrap();
    kvdb.sorted_set_remove("sorted set", &["e"]).await.unwrap();
    assert_eq!(kvdb.keys("").await.unwrap(), ["value"]);
}

async fn types_are_kept_apart(Subject { kvdb, .. }: Subject) {
    fill(&kvdb).await;
    let keys = kvdb.keys("").await.unwrap();
    assert_eq!(keys.len(), 5);
    for key in &keys {
        let results = [
            ("value", kvdb.get(key).await.map(drop)),
            ("value", kvdb.increment(key, 1).await.map(drop)),
            ("hash", kvdb.hash_get(key, "e").await.map(drop)),
            ("hash", kvdb.hash_get_all(key).await.map(drop)),
            ("hash", kvdb.hash_len(key).await.map(drop)),
            ("hash", kvdb.hash_contains(key, "e").await.map(drop)),
            ("hash", kvdb.hash_set(key, &[("e", "1")]).await.map(drop)),
            ("hash", kvdb.hash_set_if_absent(key, "e", b"1").await.map(drop)),
            ("hash", kvdb.hash_increment(key, "e", 1).await.map(drop)),
            ("hash", kvdb.hash_delete(key, &["none"]).await.map(drop)),
            ("list", kvdb.list_range(key, 0, -1).await.map(drop)),
            ("list", kvdb.list_len(key).await.map(drop)),
            ("list", kvdb.list_push_front(key, &["f"]).await.map(drop)),
            ("list", kvdb.list_push_back(key, &["f"]).await.map(drop)),
            ("list", kvdb.list_pop_front(key).await.map(drop)),
            ("list", kvdb.list_trim(key, 0, -1).await),
            ("set", kvdb.set_members(key).await.map(drop)),
            ("set", kvdb.set_contains(key, b"e").await.map(drop)),
            ("set", kvdb.set_add(key, &["f"]).await.map(drop)),
            ("set", kvdb.set_remove(key, &["none"]).await.map(drop)),
            ("sorted set", kvdb.sorted_set_range(key, 0, -1).await.map(drop)),
            ("sorted set", kvdb.sorted_set_add(key, &[("f", 1.0)]).await.map(drop)),
            ("sorted set", kvdb.sorted_set_remove(key, &["none"]).await.map(drop)),
            ("sorted set", kvdb.sorted_set_trim(key, 9).await.map(drop)),
        ];
        for (index, (kind, result)) in results.into_iter().enumerate() {
            match result {
                Ok(()) => assert_eq!(key, kind, "operation {index}"),
                Err(KvdbError::WrongType) => assert_ne!(key, kind, "operation {index}"),
                Err(error) => panic!("operation {index} on {key}: {error:?}"),
            }
        }
    }
    // What had the wrong type was left as it was, and is replaced as a whole.
    for key in keys {
        kvdb.set(&key, b"new", None).await.unwrap();
        assert_eq!(kvdb.get(&key).await.unwrap().as_deref(), Some(b"new".as_slice()));
        kvdb.delete(&key).await.unwrap();
        assert_eq!(kvdb.list_len(&key).await.unwrap(), 0);
    }
}

async fn nothing_to_add_is_refused(Subject { kvdb, .. }: Subject) {
    let none: [&str; 0] = [];
    for refused in [
        kvdb.hash_set::<&str>("key", &[]).await,
        kvdb.hash_delete("key", &[]).await,
        kvdb.list_push_back("key", &none).await,
        kvdb.list_push_front("key", &none).await,
        kvdb.set_add("key", &none).await,
        kvdb.set_remove("key", &none).await,
        kvdb.sorted_set_add::<&str>("key", &[]).await,
        kvdb.sorted_set_remove("key", &none).await,
    ] {
        assert!(matches!(refused, Err(KvdbError::NoElements)), "{refused:?}");
    }
}

async fn collections_expire(Subject { kvdb, pass }: Subject) {
    fill(&kvdb).await;
    for key in kvdb.keys("").await.unwrap() {
        assert!(kvdb.expire(&key, 10 * SECOND).await.unwrap());
    }
    pass(5 * SECOND).await;
    kvdb.hash_set("hash", &[("f", "1")]).await.unwrap();
    kvdb.hash_increment("hash", "e", 1).await.unwrap();
    kvdb.list_push_front("list", &["f"]).await.unwrap();
    kvdb.list_pop_back("list").await.unwrap();
    kvdb.set_add("set", &["f"]).await.unwrap();
    kvdb.sorted_set_add("sorted set", &[("f", 2.0)]).await.unwrap();
    for key in kvdb.keys("").await.unwrap() {
        let Lifetime::Expires(left) = kvdb.lifetime(&key).await.unwrap() else { panic!("{key}") };
        assert!(Duration::ZERO < left && left <= 5 * SECOND, "{key}: {left:?}");
    }
    pass(5 * SECOND).await;
    assert_eq!(kvdb.keys("").await.unwrap(), [""; 0]);
    fill(&kvdb).await;
    assert_eq!(kvdb.hash_len("hash").await.unwrap(), 1);
    assert_eq!(texts(kvdb.list_range("list", 0, -1).await.unwrap()), ["e"]);
    assert_eq!(texts(kvdb.set_members("set").await.unwrap()), ["e"]);
    assert_eq!(kvdb.sorted_set_range("sorted set", 0, -1).await.unwrap().len(), 1);
    assert_eq!(kvdb.lifetime("hash").await.unwrap(), Lifetime::Forever);
}

async fn large_collections_are_removed_whole(Subject { kvdb, .. }: Subject) {
    let names: Vec<String> = (0..2000).map(|n| format!("name {n}")).collect();
    for _ in 0..2 {
        let fields: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "value")).collect();
        let scores: Vec<(&str, f64)> = names.iter().map(|name| (name.as_str(), name.len() as f64)).collect();
        assert_eq!(kvdb.hash_set("hash", &fields).await.unwrap(), 2000);
        assert_eq!(kvdb.list_push_back("list", &names).await.unwrap(), 2000);
        assert_eq!(kvdb.set_add("set", &names).await.unwrap(), 2000);
        assert_eq!(kvdb.sorted_set_add("sorted set", &scores).await.unwrap(), 2000);
        for key in kvdb.keys("").await.unwrap() {
            assert!(kvdb.delete(&key).await.unwrap());
        }
    }
}
