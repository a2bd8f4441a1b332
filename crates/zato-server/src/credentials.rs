//! `credentials.json`: the users of the public API and the passwords that a start gave them.
//!
//! Owns its form, which others script against; that it changes together with the operational database, wherever a start
//! breaks off; and who is told that a password in it counts no more. It must not know what the passwords open.
//!
//! A new file is written beside the old one before the passwords count, which is when the database commits them, and takes
//! its place after that. Of a start that broke off in between, the next one finds out which passwords count.

use std::fs;
use std::io::ErrorKind;

use serde::Serialize;
use zato_admin::{Bootstrap, Credentials};
use zato_odb::Secret;

use crate::config::Config;
use crate::files::{self, DataDirectory, FileError};

const PUBAPI: &str = "pubapi";
const ADMIN_INVOKE: &str = "admin.invoke";

/// What the file says.
#[derive(Serialize)]
struct Document<'a> {
    cluster_id: i64,
    pubapi: Login<'a>,
    #[serde(rename = "admin.invoke")]
    admin_invoke: Login<'a>,
}

/// A user of the public API and its password.
#[derive(Serialize)]
struct Login<'a> {
    username: &'a str,
    password: &'a str,
}

/// None if one of the users is gone.
fn document(cluster: &Bootstrap) -> Option<Document<'_>> {
    let Credentials { pubapi, admin_invoke } = &cluster.credentials;
    Some(Document {
        cluster_id: cluster.cluster_id,
        pubapi: Login { username: PUBAPI, password: pubapi.as_ref()?.expose() },
        admin_invoke: Login { username: ADMIN_INVOKE, password: admin_invoke.as_ref()?.expose() },
    })
}

/// Keeps passwords that are about to count.
///
/// # Errors
/// They can't be written; so they had better not count.
pub(crate) fn keep(files: &DataDirectory, cluster: &Bootstrap) -> Result<(), FileError> {
    match document(cluster) {
        Some(document) if cluster.is_password_set => files::stage(&files.credentials(), &document),
        _ => Ok(()),
    }
}

/// Puts in place what was kept, now or by a start that broke off, if it is what counts.
///
/// # Errors
/// The file can't be replaced. The next start does it.
pub(crate) fn settle(files: &DataDirectory, cluster: &Bootstrap) -> Result<(), FileError> {
    let staged = files::staged(&files.credentials());
    let kept = match fs::read(&staged) {
        Ok(kept) => kept,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(FileError::new("read", &staged, source)),
    };
    let counts = document(cluster).and_then(|document| serde_json::to_vec(&document).ok());
    if counts.as_deref() == Some(kept.trim_ascii_end()) {
        files::put(&files.credentials())
    } else {
        fs::remove_file(&staged).map_err(|source| FileError::new("remove", &staged, source))
    }
}

/// Whether the file holds the passwords that count. If neither it nor the settings do, the log says how to get in; one that is gone
/// was removed on purpose, or is on the server that made the cluster.
pub(crate) fn check(files: &DataDirectory, cluster: &Bootstrap, config: &Config) -> bool {
    let path = files.credentials();
    let (found, problem) = match fs::read(&path) {
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(found) => (found, "it was written before they were changed".to_owned()),
            Err(_) => (serde_json::Value::Null, "it is not JSON".to_owned()),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let file = path.display();
            tracing::info!(%file, "there is no such file; --pubapi-password and --admin-invoke-password set new passwords");
            return false;
        }
        Err(error) => (serde_json::Value::Null, error.to_string()),
    };
    let Credentials { pubapi, admin_invoke } = &cluster.credentials;
    let users = [
        (PUBAPI, pubapi, &config.pubapi_password),
        (ADMIN_INVOKE, admin_invoke, &config.admin_invoke_password),
    ];
    let is_missing = |user: &str, password: &Option<Secret>| {
        password.as_ref().is_some_and(|password| found[user]["password"] != password.expose())
    };
    let missing: Vec<_> =
        users.into_iter().filter(|(user, password, _)| is_missing(user, password)).collect();
    if missing.iter().any(|(_, _, given)| given.is_none()) {
        let users: Vec<_> = missing.iter().map(|(user, ..)| *user).collect();
        tracing::warn!(
            file = %path.display(),
            ?users,
            problem,
            "the file does not hold the passwords of these users; whoever does not know them can set new ones with \
             --pubapi-password and --admin-invoke-password"
        );
    }
    missing.is_empty()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn cluster(pubapi: &str, is_password_set: bool) -> Bootstrap {
        let [pubapi, admin_invoke] = [pubapi, "a"].map(|password| Some(Secret::new(password)));
        let credentials = Credentials { pubapi, admin_invoke };
        Bootstrap { cluster_id: 1, server_id: 1, created: false, is_password_set, credentials }
    }

    #[test]
    fn the_file_is_its_owners_and_has_its_contracts_form() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(folder.path()).unwrap();
        let set = cluster("p", true);
        for _ in 0..2 {
            keep(&data, &set).unwrap();
            settle(&data, &set).unwrap();
        }
        let expected = r#"{"cluster_id":1,"pubapi":{"username":"pubapi","password":"p"},"admin.invoke":{"username":"admin.invoke","password":"a"}}"#;
        assert_eq!(fs::read_to_string(data.credentials()).unwrap().trim_end(), expected);
        assert_eq!(fs::metadata(data.credentials()).unwrap().permissions().mode() & 0o777, 0o600);
        // What was not set just now is nobody's business to write down.
        let changed = cluster("chosen", false);
        keep(&data, &changed).unwrap();
        settle(&data, &changed).unwrap();
        assert_eq!(fs::read_to_string(data.credentials()).unwrap().trim_end(), expected);
    }

    /// Whether a start that kept passwords and then broke off had stored them, the next one finds out.
    #[test]
    fn what_counts_is_in_the_file_after_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(folder.path()).unwrap();
        let config = Config::new(folder.path());
        keep(&data, &cluster("first", true)).unwrap();
        let next = cluster("first", false);
        settle(&data, &next).unwrap();
        assert!(check(&data, &next, &config));

        keep(&data, &cluster("second", true)).unwrap();
        settle(&data, &next).unwrap();
        assert!(check(&data, &next, &config));
        assert!(!files::staged(&data.credentials()).exists());
    }
}
