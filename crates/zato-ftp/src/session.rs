//! What can be done on a server, one thing after the other.
//!
//! Owns operations, their limits of time and the cache of listings. It must not know how a session began.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use suppaftp::list::{File, ListParser};
use suppaftp::tokio::AsyncRustlsFtpStream;
use suppaftp::{FtpError, FtpResult, Status};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use crate::{Error, ProtocolError};

/// How much of a file is in memory during a transfer.
const CHUNK: usize = 64 * 1024;

/// A session on an FTP server. Dropping it closes its connection; [`quit`](Self::quit) says goodbye before.
///
/// After a time-out or a lost connection every further operation fails.
pub struct Session {
    stream: AsyncRustlsFtpStream,
    connection: Arc<str>,
    after: Duration,
    /// The listings seen so far, if they are kept.
    listings: Option<HashMap<String, Arc<[Entry]>>>,
    is_broken: bool,
}

/// What a directory has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its name, without the directory.
    pub name: String,
    /// Whether it is a directory itself.
    pub is_directory: bool,
    /// How many bytes it has.
    pub size: u64,
    /// When it was changed, as exactly as the server says.
    pub modified: SystemTime,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("connection", &self.connection)
            .field("is_broken", &self.is_broken)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn new(
        stream: AsyncRustlsFtpStream,
        connection: Arc<str>,
        after: Duration,
        caches_listings: bool,
    ) -> Self {
        let listings = caches_listings.then(HashMap::new);
        Self { stream, connection, after, listings, is_broken: false }
    }

    /// What a directory has, in the server's order.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn list(&mut self, path: &str) -> Result<Arc<[Entry]>, Error> {
        if let Some(listing) = self.listings.as_ref().and_then(|listings| listings.get(path)) {
            return Ok(Arc::clone(listing));
        }
        let listing = self.operate("list", path, async |stream| list(stream, path).await).await?;
        if let Some(listings) = &mut self.listings {
            listings.insert(path.to_owned(), Arc::clone(&listing));
        }
        Ok(listing)
    }

    /// Whether there is a file or directory of this path.
    ///
    /// # Errors
    /// [`Error`]; a directory above that can't be listed is one, unless the server says that it is not there.
    pub async fn exists(&mut self, path: &str) -> Result<bool, Error> {
        let path = path.trim_end_matches('/');
        let (parent, name) = match path.rsplit_once('/') {
            Some(("", name)) => ("/", name),
            Some((parent, name)) => (parent, name),
            None => (".", path),
        };
        if name.is_empty() || name == "." {
            return Ok(true);
        }
        match self.list(parent).await {
            Ok(entries) => Ok(entries.iter().any(|entry| entry.name == name)),
            Err(Error::Refused { code: 550, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// How many bytes a file has.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn size(&mut self, path: &str) -> Result<u64, Error> {
        let size = self.operate("tell the size of", path, async |stream| stream.size(path).await).await?;
        Ok(size as u64)
    }

    /// A whole file. Use [`download`](Self::download) for large ones.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn get(&mut self, path: &str) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.download(path, &mut bytes).await?;
        Ok(bytes)
    }

    /// Writes a file of the server to `to`, of which only a part is in memory at any time. Returns how many bytes it has.
    ///
    /// # Errors
    /// [`Error`]; [`Error::OtherEnd`] if it can't be written there.
    pub async fn download(&mut self, path: &str, to: &mut (impl AsyncWrite + Unpin)) -> Result<u64, Error> {
        let mut from =
            self.operate("retrieve", path, async |stream| stream.retr_as_stream(path).await).await?;
        let mut chunk = vec![0; CHUNK];
        let mut total = 0;
        self.is_broken = true;
        loop {
            let read = self.wait(async { from.read(&mut chunk).await.map_err(FtpError::ConnectionError) });
            let length = read.await.map_err(|error| self.failed("retrieve", path, error))?;
            let Some(bytes) = chunk.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
            to.write_all(bytes).await.map_err(|source| self.other_end(source))?;
            total += length as u64;
        }
        to.flush().await.map_err(|source| self.other_end(source))?;
        self.is_broken = false;
        self.operate("retrieve", path, async |_| from.finish().await).await?;
        Ok(total)
    }

    /// Stores a whole file, replacing one that is there.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn put(&mut self, path: &str, mut bytes: &[u8]) -> Result<(), Error> {
        self.upload(path, &mut bytes).await.map(drop)
    }

    /// Stores what `from` gives as a file, of which only a part is in memory at any time. Returns how many bytes it has.
    ///
    /// # Errors
    /// [`Error`]; [`Error::OtherEnd`] if `from` fails, after which the server may have a part of the file.
    pub async fn upload(&mut self, path: &str, from: &mut (impl AsyncRead + Unpin)) -> Result<u64, Error> {
        self.changed();
        let mut to = self.operate("store", path, async |stream| stream.put_with_stream(path).await).await?;
        let mut chunk = vec![0; CHUNK];
        let mut total = 0;
        self.is_broken = true;
        loop {
            let length = from.read(&mut chunk).await.map_err(|source| self.other_end(source))?;
            let Some(bytes) = chunk.get(..length).filter(|bytes| !bytes.is_empty()) else { break };
            let written = self.wait(async { to.write_all(bytes).await.map_err(FtpError::ConnectionError) });
            written.await.map_err(|error| self.failed("store", path, error))?;
            total += length as u64;
        }
        self.is_broken = false;
        self.operate("store", path, async |_| to.finish().await).await?;
        Ok(total)
    }

    /// Deletes a file.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn delete(&mut self, path: &str) -> Result<(), Error> {
        self.changed();
        self.operate("delete", path, async |stream| stream.rm(path).await).await
    }

    /// Gives a file or directory another path.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn rename(&mut self, from: &str, to: &str) -> Result<(), Error> {
        self.changed();
        self.operate("rename", from, async |stream| stream.rename(from, to).await).await
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn mkdir(&mut self, path: &str) -> Result<(), Error> {
        self.changed();
        self.operate("make the directory", path, async |stream| stream.mkdir(path).await).await
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn rmdir(&mut self, path: &str) -> Result<(), Error> {
        self.changed();
        self.operate("remove the directory", path, async |stream| stream.rmdir(path).await).await
    }

    /// Ends the session in an orderly way.
    ///
    /// # Errors
    /// The server is gone already.
    pub async fn quit(mut self) -> Result<(), Error> {
        self.operate("end", "the session", async |stream| stream.quit().await).await
    }

    /// Listings from before a change tell nothing.
    fn changed(&mut self) {
        if let Some(listings) = &mut self.listings {
            listings.clear();
        }
    }

    async fn operate<T>(
        &mut self,
        operation: &'static str,
        path: &str,
        work: impl AsyncFnOnce(&mut AsyncRustlsFtpStream) -> FtpResult<T>,
    ) -> Result<T, Error> {
        // Replies to what was given up half-way would be taken for those to what comes next.
        if std::mem::replace(&mut self.is_broken, true) {
            let source = ProtocolError(FtpError::BadResponse);
            return Err(Error::Lost { connection: Arc::clone(&self.connection), source });
        }
        match timeout(self.after, work(&mut self.stream)).await {
            Ok(Ok(value)) => {
                self.is_broken = false;
                Ok(value)
            }
            Ok(Err(error)) => {
                let connection = Arc::clone(&self.connection);
                let (error, can_go_on) = Error::operating(connection, operation, path, error);
                self.is_broken = !can_go_on;
                Err(error)
            }
            Err(_) => Err(self.timed_out()),
        }
    }

    async fn wait<T>(&self, work: impl Future<Output = FtpResult<T>>) -> Result<T, Option<FtpError>> {
        timeout(self.after, work).await.map_err(|_| None)?.map_err(Some)
    }

    fn failed(&self, operation: &'static str, path: &str, error: Option<FtpError>) -> Error {
        match error {
            Some(error) => Error::operating(Arc::clone(&self.connection), operation, path, error).0,
            None => self.timed_out(),
        }
    }

    fn timed_out(&self) -> Error {
        Error::Timeout { connection: Arc::clone(&self.connection), after: self.after }
    }

    fn other_end(&self, source: std::io::Error) -> Error {
        Error::OtherEnd { connection: Arc::clone(&self.connection), source }
    }
}

/// Asks for the form that programs read; servers that don't know it are asked for the one that people read.
async fn list(stream: &mut AsyncRustlsFtpStream, path: &str) -> FtpResult<Arc<[Entry]>> {
    let path = Some(path).filter(|path| !path.is_empty());
    let files: Vec<File> = match stream.mlsd(path).await {
        Ok(lines) => lines.iter().filter_map(|line| ListParser::parse_mlsd(line).ok()).collect(),
        Err(FtpError::UnexpectedResponse(response))
            if matches!(response.status, Status::BadCommand | Status::NotImplemented) =>
        {
            let lines = stream.list(path).await?;
            let parse =
                |line: &String| ListParser::parse_posix(line).or_else(|_| ListParser::parse_dos(line)).ok();
            lines.iter().filter_map(parse).collect()
        }
        Err(error) => return Err(error),
    };
    let is_real = |file: &&File| !matches!(file.name(), "." | "..");
    let entry = |file: &File| Entry {
        name: file.name().to_owned(),
        is_directory: file.is_directory(),
        size: file.size() as u64,
        modified: file.modified(),
    };
    Ok(files.iter().filter(is_real).map(entry).collect())
}
