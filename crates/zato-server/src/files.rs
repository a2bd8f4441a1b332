//! The directory of a server's files, and `server.json`, by which other programs find a running server.
//!
//! Owns the form of that file, which others script against, the permissions of all files, and that a directory has one server at a
//! time. It must not know what is in the others.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;

/// A file operation that failed.
#[derive(Debug, thiserror::Error)]
#[error("can't {action} {}", path.display())]
pub struct FileError {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl FileError {
    pub(crate) fn new(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self { action, path: path.to_owned(), source }
    }
}

/// Why a data directory can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataDirectoryError {
    /// It, or the file that tells who uses it, can't be created.
    #[error(transparent)]
    File(#[from] FileError),
    /// Another server uses it.
    #[error(
        "another server{} uses the data directory {}; stop that one first, or give this one a directory of its own with --data-dir",
        pid.map(|pid| format!(", process {pid},")).unwrap_or_default(),
        path.display()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The other server's process, if it said so.
        pid: Option<u32>,
    },
}

/// The files of one data directory, which is this server's alone for as long as this value lives.
#[derive(Debug)]
pub struct DataDirectory {
    path: PathBuf,
    /// Locked. The operating system takes the lock back even from a process that is killed.
    _lock: File,
}

/// What `server.json` says.
#[derive(Serialize)]
struct Running {
    pid: u32,
    http: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    https: Option<SocketAddr>,
}

impl DataDirectory {
    /// Makes sure that the directory exists, and that no other server uses it; a new one is the owner's only.
    ///
    /// # Errors
    /// It can't be created, or another server uses it.
    pub fn open(path: &Path) -> Result<Self, DataDirectoryError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|source| FileError::new("create the data directory", path, source))?;
        Ok(Self { path: path.to_owned(), _lock: lock(path)? })
    }

    /// The operational database, unless it is elsewhere.
    pub fn odb(&self) -> PathBuf {
        self.path.join("odb.sqlite3")
    }

    /// The key/value store.
    pub fn kvdb(&self) -> PathBuf {
        self.path.join("kvdb.redb")
    }

    /// The key that secrets are encrypted with.
    pub fn secret_key(&self) -> PathBuf {
        self.path.join("secret.key")
    }

    /// The users and passwords of a new cluster.
    pub fn credentials(&self) -> PathBuf {
        self.path.join("credentials.json")
    }

    /// Where the running server is.
    pub fn server(&self) -> PathBuf {
        self.path.join("server.json")
    }

    pub(crate) fn write_server(&self, http: SocketAddr, https: Option<SocketAddr>) -> Result<(), FileError> {
        stage(&self.server(), &Running { pid: std::process::id(), http, https })?;
        put(&self.server())
    }

    pub(crate) fn remove_server(&self) {
        if let Err(error) = fs::remove_file(self.server()) {
            tracing::warn!(%error, file = %self.server().display(), "can't remove the file");
        }
    }
}

/// Takes the directory for this process, whose number is in the file for those who come later.
fn lock(directory: &Path) -> Result<File, DataDirectoryError> {
    let path = directory.join("lock");
    let failed = |source| FileError::new("lock", &path, source);
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let pid = io::read_to_string(file).ok().and_then(|text| text.trim().parse().ok());
            return Err(DataDirectoryError::InUse { path: directory.to_owned(), pid });
        }
        Err(TryLockError::Error(source)) => return Err(failed(source).into()),
    }
    file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
    Ok(file)
}

/// Where a file is written until it is whole.
pub(crate) fn staged(path: &Path) -> PathBuf {
    let mut staged = path.to_owned().into_os_string();
    staged.push(".new");
    staged.into()
}

/// Writes what a file is to hold beside it, for its owner only. [`put`] puts it in its place.
pub(crate) fn stage(path: &Path, document: &impl Serialize) -> Result<(), FileError> {
    let path = staged(path);
    let write = |mut file: File| {
        serde_json::to_writer(&mut file, document)?;
        file.write_all(b"\n")?;
        file.sync_all()
    };
    // A left-over of a crash may have other permissions; a new file has the ones asked for.
    drop(fs::remove_file(&path));
    OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&path)
        .and_then(write)
        .map_err(|source| FileError::new("write", &path, source))
}

/// Replaces a file with what is staged for it: readers see either as a whole, also after the power failed.
pub(crate) fn put(path: &Path) -> Result<(), FileError> {
    let directory = path.parent().unwrap_or(path);
    fs::rename(staged(path), path)
        .and_then(|()| File::open(directory)?.sync_all())
        .map_err(|source| FileError::new("write", path, source))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn server_json_has_its_contracts_form() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDirectory::open(folder.path()).unwrap();
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        for _ in 0..2 {
            data.write_server(address(4), None).unwrap();
        }
        let expected = format!(r#"{{"pid":{},"http":"127.0.0.1:4"}}"#, std::process::id());
        assert_eq!(fs::read_to_string(data.server()).unwrap().trim_end(), expected);
        data.write_server(address(4), Some(address(5))).unwrap();
        assert!(fs::read_to_string(data.server()).unwrap().contains(r#""https":"127.0.0.1:5""#));
    }

    #[test]
    fn a_directory_is_its_servers_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let data = DataDirectory::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        let refused = DataDirectory::open(&path).unwrap_err().to_string();
        assert!(refused.contains(&format!("another server, process {},", std::process::id())), "{refused}");
        drop(data);
        DataDirectory::open(&path).unwrap();
    }
}
