//! The access log: a line per call, written off the call path.
//!
//! Owns the form of a line and the queue before the file. It must not know what a call did.

use std::io;
use std::path::Path;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::fs::OpenOptions;
use tokio::io::{AsyncWrite, AsyncWriteExt, BufWriter};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use zato_channel::{AccessEntry, AccessLog};

use crate::files::FileError;

/// How many lines may wait for the disk. More are dropped and counted: calls never wait for their log.
const QUEUE: usize = 16 * 1024;

type Output = Box<dyn AsyncWrite + Send + Unpin>;

/// The end of the queue that calls write to.
pub(crate) struct AccessLogWriter(Sender<String>);

impl AccessLogWriter {
    /// Opens the file, or standard output for `-`, and starts writing to it what calls queue.
    ///
    /// The task ends, with everything written, once the writer is dropped.
    pub(crate) async fn open(path: &Path) -> Result<(Self, JoinHandle<()>), FileError> {
        let output: Output = if path == Path::new("-") {
            Box::new(tokio::io::stdout())
        } else {
            let file = OpenOptions::new().append(true).create(true).mode(0o640).open(path).await;
            Box::new(file.map_err(|source| FileError::new("open the access log", path, source))?)
        };
        let (sender, receiver) = channel(QUEUE);
        let path = path.to_owned();
        let task = tokio::spawn(async move {
            if let Err(error) = write(BufWriter::new(output), receiver).await {
                report(&path, &error);
            }
        });
        Ok((Self(sender), task))
    }
}

fn report(path: &Path, error: &io::Error) {
    tracing::error!(%error, file = %path.display(), "the access log can't be written; no more lines are");
}

/// Writes what is queued, and flushes whenever nothing is left, so that a quiet server's log is complete.
async fn write(mut output: BufWriter<Output>, mut lines: Receiver<String>) -> io::Result<()> {
    while let Some(line) = lines.recv().await {
        output.write_all(line.as_bytes()).await?;
        while let Ok(line) = lines.try_recv() {
            output.write_all(line.as_bytes()).await?;
        }
        output.flush().await?;
    }
    Ok(())
}

impl AccessLog for AccessLogWriter {
    fn record(&self, entry: &AccessEntry<'_>) {
        match self.0.try_send(line(entry, OffsetDateTime::now_utc())) {
            Ok(()) | Err(TrySendError::Closed(_)) => {}
            Err(TrySendError::Full(_)) => {
                tracing::warn!(cid = %entry.cid, "the access log is too slow; a line is lost")
            }
        }
    }
}

/// Client, CID and response time in seconds, channel, time, request, status, size, a dash where servers of the Web have the page
/// that led there, and user agent.
///
/// What a client controls is in quotes with quotes, backslashes and control characters escaped, so that no client can
/// forge a line.
fn line(entry: &AccessEntry<'_>, now: OffsetDateTime) -> String {
    let request = format!("{} {} {:?}", entry.method, entry.path, entry.version);
    format!(
        "{} {}/{:.6} {:?} [{}] {request:?} {} {} \"-\" {:?}\n",
        entry.client.ip(),
        entry.cid,
        entry.elapsed.as_secs_f64(),
        entry.channel.unwrap_or("-"),
        now.format(&Rfc3339).unwrap_or_default(),
        entry.status.as_u16(),
        entry.size,
        entry.user_agent.unwrap_or("-"),
    )
}
