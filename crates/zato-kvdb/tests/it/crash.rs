//! A process that is killed loses nothing it was told to be stored.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use zato_kvdb::{Embedded, Kvdb, SystemClock};

const FOLDER: &str = "ZATO_KVDB_CRASH_FOLDER";
const CONFIRMED: usize = 40;

async fn open(folder: &Path) -> Kvdb {
    Kvdb::new(Embedded::open(&folder.join("kvdb.redb"), Arc::new(SystemClock)).await.unwrap())
}

/// Stores keys until it is killed, and says so of each.
#[tokio::test]
#[ignore = "it never ends: the test below runs it in a process of its own, and kills that"]
async fn write_until_killed() {
    let kvdb = open(Path::new(&env::var_os(FOLDER).unwrap())).await;
    for n in 0_u64.. {
        kvdb.set(&n.to_string(), &n.to_be_bytes(), None).await.unwrap();
        println!("\nstored {n}");
    }
}

#[tokio::test]
async fn what_was_confirmed_is_there_after_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::write_until_killed", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let confirmed: Vec<String> =
        lines.filter_map(|line| Some(line.strip_prefix("stored ")?.to_owned())).take(CONFIRMED).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(confirmed.len(), CONFIRMED);

    let kvdb = open(folder.path()).await;
    for key in confirmed {
        let value = key.parse::<u64>().unwrap().to_be_bytes();
        assert_eq!(kvdb.get(&key).await.unwrap().as_deref(), Some(value.as_slice()), "{key}");
    }
}
