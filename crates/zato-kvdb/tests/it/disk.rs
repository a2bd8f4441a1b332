//! A disk that takes nothing for a while.

use std::env;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use zato_kvdb::{Embedded, Kvdb, KvdbError, SystemClock};

const FOLDER: &str = "ZATO_KVDB_DISK_FOLDER";

/// Has each write of this process to any file fail behind so many bytes, as if the disk were full.
fn limit_files(bytes: &str) {
    let own = std::process::id().to_string();
    let limit = format!("--fsize={bytes}:unlimited");
    assert!(Command::new("prlimit").args(["--pid", &own, &limit]).status().unwrap().success());
}

#[track_caller]
fn assert_unavailable<T: std::fmt::Debug>(result: &Result<T, KvdbError>) {
    assert!(matches!(result, Err(KvdbError::Unavailable(_))), "{result:?}");
}

#[tokio::test]
#[ignore = "it limits the files of its process: the test below runs it in one of its own"]
async fn write_to_a_full_disk() {
    let path = Path::new(&env::var_os(FOLDER).unwrap()).join("kvdb.redb");
    let kvdb = Kvdb::new(Embedded::open(&path, Arc::new(SystemClock)).await.unwrap());
    kvdb.set("before", b"1", None).await.unwrap();

    limit_files("1");
    let writes: Vec<_> = (0..20)
        .map(|n| {
            let kvdb = kvdb.clone();
            tokio::spawn(async move { kvdb.set(&format!("lost {n}"), b"2", None).await })
        })
        .collect();
    for write in writes {
        assert_unavailable(&write.await.unwrap());
    }
    // It is opened anew in vain.
    let deadline = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < deadline {
        assert_unavailable(&kvdb.set("lost", b"2", None).await);
    }

    limit_files("unlimited");
    let deadline = Instant::now() + Duration::from_secs(30);
    while let Err(error) = kvdb.set("after", b"3", None).await {
        assert_unavailable(&Err::<(), _>(error));
        assert!(Instant::now() < deadline, "the store has not come back");
    }
    assert_eq!(kvdb.keys("").await.unwrap(), ["after", "before"]);
}

#[test]
fn a_store_outlives_a_full_disk() {
    let folder = tempfile::tempdir().unwrap();
    // The signal that tells of the limit would end the process.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ && exec \"$@\"", "sh"])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "disk::write_to_a_full_disk", "--ignored", "--nocapture"])
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
