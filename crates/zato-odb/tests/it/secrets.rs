//! Secrets: encrypted in the database, hidden from logs, their key safe in its file.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;

use proptest::prelude::*;
use sea_orm::sqlx::ConnectOptions;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use zato_odb::model::{DefinitionAmqp, OutgoingFtp, OutgoingSql, SecurityDefinition, SecurityKind};
use zato_odb::{KeyFileError, Odb, OdbError, Read, Secret, SecretError, SecretKey};

use crate::fixture::{Fixture, basic_auth, insert, new_key, update};
use crate::samples::{CLEAR, Parents, Sample};

fn contains(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// Stores an object with a secret, which can be read back only through the library.
async fn check_secret<T: Sample>(odb: &Odb, parents: &Parents, secret: fn(&T) -> Option<&Secret>) {
    let [object, _] = T::samples(parents);
    let stored = insert(odb, &object).await.unwrap();
    assert_eq!(secret(&stored).unwrap().expose(), CLEAR);
    let found = odb.find::<T>(stored.id()).await.unwrap().unwrap();
    assert_eq!(secret(&found).unwrap().expose(), CLEAR);
}

async fn definition_with_key_material(odb: &Odb, cluster_id: i64) {
    for (name, kind) in [
        (
            "key and certificate",
            SecurityKind::TlsKeyCert { info: "CN=x".to_owned(), value: Secret::new(CLEAR) },
        ),
        ("certificate of clients", SecurityKind::TlsChannel { value: Secret::new(CLEAR) }),
    ] {
        insert(odb, &SecurityDefinition::new(cluster_id, name, name, kind)).await.unwrap();
    }
}

#[tokio::test]
async fn no_secret_is_in_the_files_of_the_database() {
    let fixture = Fixture::sqlite();
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let mut definition = basic_auth(cluster_id, "findable name");
    definition.password = Some(Secret::new(CLEAR));
    let mut definition = insert(&odb, &definition).await.unwrap();
    definition.is_active = false;
    update(&odb, &definition).await.unwrap();
    assert_eq!(odb.find(definition.id).await.unwrap(), Some(definition));

    definition_with_key_material(&odb, cluster_id).await;
    let parents = Parents::insert(&odb, cluster_id).await;
    check_secret(&odb, &parents, |it: &DefinitionAmqp| Some(&it.password)).await;
    check_secret(&odb, &parents, |it: &OutgoingFtp| it.password.as_ref()).await;
    check_secret(&odb, &parents, |it: &OutgoingSql| Some(&it.password)).await;

    let mut files = Vec::new();
    for entry in fs::read_dir(fixture.folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o077, 0, "{entry:?}");
        files.extend(fs::read(entry.path()).unwrap());
    }
    assert!(contains(&files, "findable name"), "the search does not work");
    assert!(!contains(&files, CLEAR));
}

#[tokio::test]
async fn debug_output_hides_secrets() {
    let key = new_key();
    let mut definition = basic_auth(1, "name");
    definition.password = Some(Secret::new(CLEAR));
    let text =
        format!("{definition:?} {key:?} {:?}", key.open("a", &key.seal("b", &Secret::new(CLEAR)).unwrap()));
    assert!(text.contains("name") && !text.contains(CLEAR), "{text}");
}

#[tokio::test]
async fn what_was_tampered_with_is_an_error() {
    let fixture = Fixture::sqlite();
    let (odb, cluster_id) = fixture.open_with_cluster().await;
    let mut definition = basic_auth(cluster_id, "name");
    definition.password = Some(Secret::new(CLEAR));
    let definition = insert(&odb, &definition).await.unwrap();

    let foreign = new_key().seal("sec_base.password", &Secret::new(CLEAR)).unwrap();
    let elsewhere = fixture.config.secret_key.seal("sec_base.username", &Secret::new(CLEAR)).unwrap();
    let options = SqliteConnectOptions::new().filename(fixture.folder.path().join("odb.sqlite3"));
    let mut connection = options.connect().await.unwrap();
    for (stored, expected) in [
        (foreign.as_str(), SecretError::NotAuthentic),
        (&elsewhere, SecretError::NotAuthentic),
        (CLEAR, SecretError::Malformed),
        ("v2:AAAA", SecretError::UnknownVersion),
    ] {
        let update = sea_orm::sqlx::query("UPDATE sec_base SET password = $1").bind(stored.to_owned());
        update.execute(&mut connection).await.unwrap();
        let result = odb.find::<SecurityDefinition>(definition.id).await;
        assert!(matches!(&result, Err(OdbError::Secret(error)) if *error == expected), "{result:?}");
    }
    let update = sea_orm::sqlx::query("UPDATE sec_base SET password = NULL, sec_type = 'of-the-future'");
    update.execute(&mut connection).await.unwrap();
    let result = odb.find::<SecurityDefinition>(definition.id).await;
    assert!(matches!(result, Err(OdbError::Unreadable { column: "sec_type", .. })), "{result:?}");
}

proptest! {
    #[test]
    fn what_is_sealed_can_be_opened_in_its_place_only(clear in any::<String>(), place in "[a-z._]{0,20}", other in "[a-z._]{0,20}") {
        let key = SecretKey::generate().unwrap();
        let secret = Secret::new(clear);
        let sealed = key.seal(&place, &secret).unwrap();
        prop_assert_eq!(key.open(&place, &sealed), Ok(secret.clone()));
        prop_assert_ne!(key.seal(&place, &secret).unwrap(), sealed.clone());
        prop_assert_eq!(SecretKey::generate().unwrap().open(&place, &sealed), Err(SecretError::NotAuthentic));
        if other != place {
            prop_assert_eq!(key.open(&other, &sealed), Err(SecretError::NotAuthentic));
        }
    }

    #[test]
    fn a_changed_text_is_not_opened(clear in any::<String>(), at in any::<proptest::sample::Index>(), by in any::<char>()) {
        let key = SecretKey::generate().unwrap();
        let sealed = key.seal("p", &Secret::new(clear)).unwrap();
        let mut changed: Vec<char> = sealed.chars().collect();
        let at = at.index(changed.len());
        prop_assume!(changed[at] != by);
        changed[at] = by;
        prop_assert!(key.open("p", &changed.into_iter().collect::<String>()).is_err());
    }

    #[test]
    fn no_text_makes_opening_panic(text in any::<String>(), versioned in "v1:[A-Za-z0-9+/]{0,80}") {
        let key = SecretKey::generate().unwrap();
        prop_assert!(key.open("p", &text).is_err());
        prop_assert!(key.open("p", &versioned).is_err());
    }
}

#[test]
fn a_key_survives_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.key");
    let sealed = SecretKey::load_or_create(&path).unwrap().seal("p", &Secret::new(CLEAR)).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(SecretKey::load_or_create(&path).unwrap().open("p", &sealed), Ok(Secret::new(CLEAR)));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something was left behind");
}

#[test]
fn processes_that_start_together_use_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.key");
    let keys = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let key = SecretKey::load_or_create(&path).unwrap();
                keys.lock().unwrap().push(key);
            });
        }
    });
    let keys = keys.into_inner().unwrap();
    let sealed = keys[0].seal("p", &Secret::new(CLEAR)).unwrap();
    assert!(keys.iter().all(|key| key.open("p", &sealed).is_ok()));
}

fn check_refused(content: &[u8], mode: u32, is_expected: fn(&KeyFileError) -> bool) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.key");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    let error = SecretKey::load_or_create(&path).unwrap_err();
    assert!(is_expected(&error), "{error:?}");
    assert_eq!(fs::read(&path).unwrap(), content, "the file was changed");
}

#[test]
fn key_files_that_are_not_safe_or_not_keys_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret.key");
    SecretKey::load_or_create(&path).unwrap();
    let good = fs::read(&path).unwrap();
    for mode in [0o640, 0o604, 0o660, 0o620] {
        check_refused(&good, mode, |error| matches!(error, KeyFileError::Exposed { .. }));
    }
    let cut = &good[..good.len() - 2];
    for content in [b"".as_slice(), b"\xff\xfe", b"zato-secret-key-v1 ", cut, &good[1..], &[b'x'; 5000]] {
        check_refused(content, 0o600, |error| matches!(error, KeyFileError::Malformed { .. }));
    }
    let missing = SecretKey::load_or_create(Path::new("/no-such-folder/secret.key")).unwrap_err();
    assert!(matches!(missing, KeyFileError::Io { .. }), "{missing:?}");
}
