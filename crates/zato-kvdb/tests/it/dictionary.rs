//! Data dictionaries, on both stores.

use std::sync::Arc;

use zato_kvdb::dictionary::{
    Contents, Dictionary, DictionaryError, ImportedTranslation, Mapping, NewTranslation, Term, Translation,
};
use zato_kvdb::test_util::RedisServer;
use zato_kvdb::{Embedded, Kvdb, Redis, RedisLocation, SystemClock};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_the_embedded_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kvdb.redb");
    run(Kvdb::new(Embedded::open(&path, Arc::new(SystemClock)).await.unwrap())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_redis() {
    let server = RedisServer::start(&[]);
    let location = RedisLocation::parse(&server.url(0)).unwrap();
    run(Kvdb::new(Redis::new(&location).unwrap())).await;
}

async fn run(kvdb: Kvdb) {
    for case in 0.. {
        for key in kvdb.keys("").await.unwrap() {
            kvdb.delete(&key).await.unwrap();
        }
        let dictionary = Dictionary::new(kvdb.clone());
        match case {
            0 => entries_are_unique_and_sorted(&dictionary).await,
            1 => what_is_refused_takes_no_id(&dictionary).await,
            2 => translations_lead_from_entry_to_entry(&dictionary).await,
            3 => translations_are_edited(&dictionary).await,
            4 => translations_follow_their_entries(&dictionary).await,
            5 => what_zato_stored_is_read(&kvdb, &dictionary).await,
            6 => imports_replace_everything(&kvdb, &dictionary).await,
            7 => translations_skip_imported_ids(&dictionary).await,
            8 => many_at_a_time_get_ids_of_their_own(&dictionary).await,
            _ => return,
        }
    }
}

fn eur() -> Term {
    Term::new("CRM", "currency", "EUR")
}

fn euro() -> Term {
    Term::new("ERP", "cur", "Euro: €")
}

fn translation(from: Term, to: Term) -> NewTranslation {
    NewTranslation { mapping: Mapping { from, system2: to.system, key2: to.key }, value2: to.value }
}

async fn entries_are_unique_and_sorted(dictionary: &Dictionary) {
    assert_eq!(dictionary.entries().await.unwrap(), []);
    assert_eq!(dictionary.last_entry_id().await.unwrap(), None);
    let first = dictionary.create_entry(Term::new("b", "k", "2")).await.unwrap();
    let second = dictionary.create_entry(Term::new("b", "k", "1")).await.unwrap();
    let third = dictionary.create_entry(Term::new("A", "k", "żółw")).await.unwrap();
    assert_eq!((first, second, third), (1, 2, 3));
    assert_eq!(dictionary.last_entry_id().await.unwrap(), Some(3));
    let ids: Vec<i64> = dictionary.entries().await.unwrap().into_iter().map(|entry| entry.id).collect();
    assert_eq!(ids, [3, 2, 1]);
    assert_eq!(dictionary.systems().await.unwrap().into_iter().collect::<Vec<_>>(), ["A", "b"]);
    assert_eq!(dictionary.keys("b").await.unwrap().into_iter().collect::<Vec<_>>(), ["k"]);
    assert_eq!(dictionary.values("b", "k").await.unwrap().into_iter().collect::<Vec<_>>(), ["1", "2"]);
    assert!(dictionary.values("b", "other").await.unwrap().is_empty());

    // An entry with an id of its own does not move the counter, and the counter does not run into it.
    dictionary.set_entry(4, Term::new("c", "k", "1")).await.unwrap();
    assert_eq!(dictionary.last_entry_id().await.unwrap(), Some(3));
    assert_eq!(dictionary.create_entry(Term::new("c", "k", "2")).await.unwrap(), 5);

    dictionary.delete_entry(5).await.unwrap();
    dictionary.delete_entry(5).await.unwrap();
    assert_eq!(dictionary.entries().await.unwrap().len(), 4);
    assert_eq!(dictionary.last_entry_id().await.unwrap(), Some(5));
    assert_eq!(dictionary.create_entry(Term::new("c", "k", "2")).await.unwrap(), 6);
}

async fn what_is_refused_takes_no_id(dictionary: &Dictionary) {
    dictionary.create_entry(eur()).await.unwrap();
    for (term, message) in [
        (eur(), "The triple of system:[CRM], key:[currency], value:[EUR] already exists"),
        (Term::new("C R", "k", "v"), "failed to validate [C R] against the regular expression \\w+"),
        (Term::new("C", "k-k", "v"), "failed to validate [k-k] against the regular expression \\w+"),
        (Term::new("", "k", "v"), "failed to validate []"),
        (Term::new("ż", "k", "v"), "failed to validate [ż]"),
        (Term::new("C", "k", "a:::b"), "three colons"),
    ] {
        for error in [
            dictionary.create_entry(term.clone()).await.unwrap_err(),
            dictionary.set_entry(7, term).await.unwrap_err(),
        ] {
            assert!(error.to_string().contains(message), "{error}");
        }
    }
    assert_eq!(dictionary.last_entry_id().await.unwrap(), Some(1));
    assert_eq!(dictionary.create_entry(euro()).await.unwrap(), 2);
    let missing = dictionary.create_translation(translation(eur(), Term::new("ERP", "cur", "Franc"))).await;
    let message = missing.unwrap_err().to_string();
    assert_eq!(message, "Could not find the ID for system:[ERP], key:[cur], value:[Franc]");
    let missing =
        dictionary.create_translation(translation(Term::new("X", "x", "x"), Term::new("Y", "y", "y"))).await;
    assert!(matches!(missing, Err(DictionaryError::NoEntry(term)) if term.system == "X"));
    assert_eq!(dictionary.last_translation_id().await.unwrap(), None);
    // To become what it is already is no clash.
    dictionary.set_entry(1, eur()).await.unwrap();
}

async fn translations_lead_from_entry_to_entry(dictionary: &Dictionary) {
    let ids = [dictionary.create_entry(eur()).await.unwrap(), dictionary.create_entry(euro()).await.unwrap()];
    let new = translation(eur(), euro());
    assert_eq!(dictionary.create_translation(new.clone()).await.unwrap(), 1);
    assert_eq!(dictionary.last_translation_id().await.unwrap(), Some(1));
    assert_eq!(dictionary.translate(&new.mapping).await.unwrap().as_deref(), Some("Euro: €"));
    let back = translation(euro(), eur());
    assert_eq!(dictionary.translate(&back.mapping).await.unwrap(), None);
    let again = dictionary.create_translation(new.clone()).await.unwrap_err();
    let message = "A mapping between system1:[CRM], key1:[currency], value1:[EUR] and system2:[ERP], key2:[cur] already exists";
    assert_eq!(again.to_string(), message);
    let [found] = &dictionary.translations().await.unwrap()[..] else { panic!() };
    assert_eq!(
        (found.id, found.id1, found.id2, &found.mapping, &*found.value2),
        (1, ids[0], ids[1], &new.mapping, "Euro: €")
    );

    dictionary.create_translation(back).await.unwrap();
    dictionary.delete_entry(ids[0]).await.unwrap();
    assert_eq!(dictionary.translations().await.unwrap(), []);
    dictionary.delete_translation(1).await.unwrap();
}

async fn translations_are_edited(dictionary: &Dictionary) {
    let other = Term::new("ERP", "cur", "Other");
    let third = Term::new("POS", "c", "978");
    for term in [eur(), euro(), other.clone(), third.clone()] {
        dictionary.create_entry(term).await.unwrap();
    }
    let id = dictionary.create_translation(translation(eur(), euro())).await.unwrap();
    let elsewhere = dictionary.create_translation(translation(eur(), third.clone())).await.unwrap();

    // Only what it translates to changes.
    let new = translation(eur(), other.clone());
    dictionary.edit_translation(id, new.clone()).await.unwrap();
    assert_eq!(dictionary.translate(&new.mapping).await.unwrap().as_deref(), Some("Other"));
    let find = async |id: i64| -> Translation {
        dictionary.translations().await.unwrap().into_iter().find(|found| found.id == id).unwrap()
    };
    assert_eq!(find(id).await.id2, 3);

    // All of it changes.
    let moved = translation(third.clone(), eur());
    dictionary.edit_translation(id, moved.clone()).await.unwrap();
    assert_eq!(dictionary.translate(&new.mapping).await.unwrap(), None);
    assert_eq!(dictionary.translate(&moved.mapping).await.unwrap().as_deref(), Some("EUR"));
    assert_eq!((find(id).await.id1, find(id).await.id2), (4, 1));

    let clash = dictionary.edit_translation(id, translation(eur(), third)).await;
    assert!(matches!(clash, Err(DictionaryError::TranslationExists(_))), "{clash:?}");
    let missing = dictionary.edit_translation(99, moved.clone()).await;
    assert!(matches!(missing, Err(DictionaryError::NoTranslation(99))), "{missing:?}");
    let nowhere = dictionary.edit_translation(id, translation(eur(), Term::new("X", "x", "x"))).await;
    assert!(matches!(nowhere, Err(DictionaryError::NoEntry(_))), "{nowhere:?}");
    assert_eq!(dictionary.translations().await.unwrap().len(), 2);
    dictionary.delete_translation(elsewhere).await.unwrap();
    assert_eq!(dictionary.translations().await.unwrap().len(), 1);
}

async fn translations_follow_their_entries(dictionary: &Dictionary) {
    let from = dictionary.create_entry(eur()).await.unwrap();
    let to = dictionary.create_entry(euro()).await.unwrap();
    dictionary.create_translation(translation(eur(), euro())).await.unwrap();
    let (new_from, new_to) = (Term::new("CRM2", "currency", "eur"), Term::new("ERP2", "c", "978"));
    dictionary.set_entry(from, new_from.clone()).await.unwrap();
    dictionary.set_entry(to, new_to.clone()).await.unwrap();
    let expected = translation(new_from, new_to.clone());
    assert_eq!(dictionary.translate(&expected.mapping).await.unwrap().as_deref(), Some("978"));
    assert_eq!(dictionary.translations().await.unwrap().len(), 1);
    // Only the value changes, and with it no key.
    dictionary.set_entry(to, Term::new("ERP2", "c", "979")).await.unwrap();
    assert_eq!(dictionary.translate(&expected.mapping).await.unwrap().as_deref(), Some("979"));
    // An entry that did not exist brings nothing about.
    dictionary.set_entry(77, eur()).await.unwrap();
    assert_eq!(dictionary.translations().await.unwrap().len(), 1);
}

/// Written as Zato writes it, byte for byte.
async fn what_zato_stored_is_read(kvdb: &Kvdb, dictionary: &Dictionary) {
    kvdb.hash_set("zato:kvdb:data-dict:item", &[("1", "CRM:::currency:::EUR"), ("2", "ERP:::cur:::a:::b")])
        .await
        .unwrap();
    kvdb.set("zato:kvdb:data-dict:item:id", b"2", None).await.unwrap();
    kvdb.set("zato:kvdb:data-dict:translation:id", b"7", None).await.unwrap();
    let key = "zato:kvdb:data-dict:translation:::CRM:::currency:::EUR:::ERP:::cur";
    kvdb.hash_set(key, &[("id", "7"), ("id1", "1"), ("id2", "2"), ("value2", "a:::b")]).await.unwrap();

    let entries = dictionary.entries().await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.id).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(entries[1].term, Term::new("ERP", "cur", "a:::b"));
    let [found] = &dictionary.translations().await.unwrap()[..] else { panic!() };
    assert_eq!((found.id, found.id1, found.id2, &*found.value2), (7, 1, 2, "a:::b"));
    assert_eq!(dictionary.last_translation_id().await.unwrap(), Some(7));

    dictionary.create_entry(Term::new("ERP", "cur", "x")).await.unwrap();
    assert_eq!(
        kvdb.hash_get("zato:kvdb:data-dict:item", "3").await.unwrap().as_deref(),
        Some(b"ERP:::cur:::x".as_slice())
    );
    assert_eq!(kvdb.get("zato:kvdb:data-dict:item:id").await.unwrap().as_deref(), Some(b"3".as_slice()));

    kvdb.hash_set("zato:kvdb:data-dict:item", &[("4", "no term")]).await.unwrap();
    let damaged = dictionary.entries().await;
    assert!(matches!(damaged, Err(DictionaryError::Damaged { .. })), "{damaged:?}");
}

async fn imports_replace_everything(kvdb: &Kvdb, dictionary: &Dictionary) {
    for term in [eur(), euro()] {
        dictionary.create_entry(term).await.unwrap();
    }
    dictionary.create_translation(translation(eur(), euro())).await.unwrap();
    let key = |n: i64| format!("zato:kvdb:data-dict:translation:::A:::a:::{n}:::B:::b");
    let imported = |n: i64| ImportedTranslation { id: n, value2: format!("to {n}"), id1: n, id2: n };
    let contents = Contents {
        last_entry_id: Some(5000),
        last_translation_id: None,
        entries: (1..=1200).map(|n| (n, Term::new("A", "a", n.to_string()))).collect(),
        translations: (1..=700).map(|n| (key(n), imported(n))).collect(),
    };
    let mut wrong = contents.clone();
    wrong.translations.push(("somebody:else".to_owned(), imported(1)));
    let refused = dictionary.import(&wrong).await;
    assert!(
        matches!(&refused, Err(DictionaryError::NotATranslation(key)) if key == "somebody:else"),
        "{refused:?}"
    );
    assert_eq!(dictionary.translations().await.unwrap().len(), 1);

    dictionary.import(&contents).await.unwrap();
    assert_eq!(dictionary.entries().await.unwrap().len(), 1200);
    let translations = dictionary.translations().await.unwrap();
    assert_eq!(translations.len(), 700);
    assert!(translations.iter().all(|found| found.mapping.system2 == "B"));
    assert_eq!(dictionary.last_entry_id().await.unwrap(), Some(5000));
    assert_eq!(dictionary.last_translation_id().await.unwrap(), None);

    dictionary.import(&Contents::default()).await.unwrap();
    assert_eq!(kvdb.keys("zato:").await.unwrap(), ["zato:kvdb:data-dict:version"]);
}

async fn translations_skip_imported_ids(dictionary: &Dictionary) {
    let terms = [eur(), euro(), Term::new("POS", "c", "978")];
    let key = |n: i64| format!("zato:kvdb:data-dict:translation:::A:::a:::{n}:::B:::b");
    let imported = |id| (key(id), ImportedTranslation { id, value2: String::new(), id1: 1, id2: 2 });
    let contents = Contents {
        last_translation_id: Some(1),
        entries: (1..).zip(terms.clone()).collect(),
        translations: [1, 2, 4].map(imported).to_vec(),
        ..Contents::default()
    };
    dictionary.import(&contents).await.unwrap();
    let [from, to, other] = terms;
    let created = [
        dictionary.create_translation(translation(from.clone(), to)).await.unwrap(),
        dictionary.create_translation(translation(from, other)).await.unwrap(),
    ];
    assert_eq!(created, [3, 5]);
}

async fn many_at_a_time_get_ids_of_their_own(dictionary: &Dictionary) {
    let creating: Vec<_> = (0..10)
        .map(|n| {
            let dictionary = dictionary.clone();
            tokio::spawn(
                async move { dictionary.create_entry(Term::new("S", "k", n.to_string())).await.unwrap() },
            )
        })
        .collect();
    let mut ids = Vec::new();
    for id in creating {
        ids.push(id.await.unwrap());
    }
    ids.sort_unstable();
    assert_eq!(ids, (1..=10).collect::<Vec<i64>>());
    assert_eq!(dictionary.entries().await.unwrap().len(), 10);
}
