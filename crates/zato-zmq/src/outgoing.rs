//! Outgoing connections: messages are handed to one task, which keeps a socket connected.
//!
//! Owns the queue in front of the socket, how long a sender waits, and the life of a connection from configuration to
//! retirement. It must not know what messages mean.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, timeout};
use zato_connections::{Lifecycle, Named, Status};
use zeromq::{PubSocket, PushSocket, Socket, SocketSend, ZmqMessage};

use crate::error::SendError;
use crate::link::{Link, RECONNECT_INTERVAL};

/// How many messages wait for the connection at once; senders of more wait themselves.
const MAX_WAITING: usize = 1024;

/// How long subscribers get to say what they subscribe to before the first message is published, which would pass them by
/// otherwise. It is what the original waits for.
const SUBSCRIBERS_SPEAK: Duration = Duration::from_millis(100);

/// After which silence a PUSH connection is made anew before it is used. The library does not read such a connection, so it
/// can't tell that the peer has closed it, and would lose what it writes first.
const TRUSTED: Duration = Duration::from_secs(1);

/// What an outgoing connection does with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutgoingKind {
    /// Each message goes to the peer, which is waited for.
    Push,
    /// Messages go to the peer if it is there and has subscribed to them; others are dropped.
    Publish,
}

/// An outgoing connection as it is configured.
#[derive(Clone, Debug)]
pub struct OutgoingConfig {
    /// Its id, which stays when it is renamed.
    pub id: i64,
    /// The name that services know it by.
    pub name: Arc<str>,
    /// Whether services may use it. No connection is made otherwise.
    pub is_active: bool,
    /// The peer, as `tcp://host:port`.
    pub address: String,
    /// What it does with messages.
    pub kind: OutgoingKind,
    /// How long sending may take, waiting for a connection included.
    pub timeout: Duration,
}

/// A message: one frame or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message(Vec<Bytes>);

impl Message {
    /// A message of several frames, which arrive together or not at all.
    #[must_use]
    pub fn multipart<B: Into<Bytes>>(frames: impl IntoIterator<Item = B>) -> Self {
        Self(frames.into_iter().map(Into::into).collect())
    }
}

impl<B: Into<Bytes>> From<B> for Message {
    fn from(frame: B) -> Self {
        Self(vec![frame.into()])
    }
}

/// A connection that messages are sent over. A clone is the same connection.
#[derive(Clone, Debug)]
pub struct Outgoing(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: OutgoingConfig,
    lifecycle: Arc<Lifecycle>,
    jobs: mpsc::Sender<Job>,
}

/// A message that somebody waits to be handed over.
#[derive(Debug)]
struct Job {
    message: ZmqMessage,
    handed_over: oneshot::Sender<()>,
}

impl Outgoing {
    /// Makes the connection and, if it is active, begins to connect in the background. To be called within a tokio runtime.
    #[must_use]
    pub fn start(config: OutgoingConfig) -> Self {
        let lifecycle = Lifecycle::new(Self::KIND, Arc::clone(&config.name), config.address.clone());
        let (jobs, waiting) = mpsc::channel(MAX_WAITING);
        if config.is_active {
            let address = config.address.clone();
            match config.kind {
                OutgoingKind::Push => {
                    lifecycle.begin(send_all::<PushSocket>(address, Arc::clone(&lifecycle), waiting))
                }
                OutgoingKind::Publish => {
                    lifecycle.begin(send_all::<PubSocket>(address, Arc::clone(&lifecycle), waiting))
                }
            }
        }
        Self(Arc::new(Inner { config, lifecycle, jobs }))
    }

    /// Sends a message and returns when it is on its way over an open connection.
    ///
    /// ZeroMQ has no acknowledgement: a peer that ends before it has read the message loses it.
    ///
    /// # Errors
    /// There was no open connection within the time-out; the message was not sent.
    pub async fn send(&self, message: impl Into<Message>) -> Result<(), SendError> {
        let message = ZmqMessage::try_from(message.into().0).map_err(|_| SendError::Empty)?;
        let (handed_over, done) = oneshot::channel();
        let sending = async {
            // Either side is gone only if the connection was stopped.
            self.0.jobs.send(Job { message, handed_over }).await.ok()?;
            done.await.ok()
        };
        match timeout(self.0.config.timeout, sending).await {
            Ok(Some(())) => Ok(()),
            Ok(None) | Err(_) => Err(SendError::Unavailable {
                connection: (*self.0.config.name).into(),
                reason: self.status().to_string().into(),
            }),
        }
    }

    /// How the connection fares.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.lifecycle.status()
    }

    /// The status, and what becomes of it.
    #[must_use]
    pub fn watch_status(&self) -> watch::Receiver<Status> {
        self.0.lifecycle.watch()
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> &OutgoingConfig {
        &self.0.config
    }

    /// Stops the connection. What waits is sent if there is a connection, and not otherwise.
    pub async fn stop(&self) {
        self.0.lifecycle.end().await;
    }
}

impl Named for Outgoing {
    const KIND: &'static str = "outgoing ZeroMQ connection";

    fn id(&self) -> i64 {
        self.0.config.id
    }

    fn name(&self) -> &str {
        &self.0.config.name
    }

    fn is_active(&self) -> bool {
        self.0.config.is_active
    }

    fn retire(&self) {
        self.0.lifecycle.stop();
    }
}

/// A socket that messages are sent over.
trait Sends: Socket + SocketSend + 'static {
    /// How long to wait between connecting and the first message, and between the last one and the end.
    const SETTLE: Duration;

    /// After which silence the connection is made anew before it is used.
    const TRUSTED: Option<Duration>;
}

impl Sends for PushSocket {
    const SETTLE: Duration = Duration::ZERO;
    const TRUSTED: Option<Duration> = Some(TRUSTED);
}

impl Sends for PubSocket {
    const SETTLE: Duration = SUBSCRIBERS_SPEAK;
    const TRUSTED: Option<Duration> = None;
}

/// Why a connection is no longer used.
enum End {
    /// The task is to end.
    Stop,
    /// The peer has gone.
    Gone,
    /// It was silent for too long to be sure of it.
    Stale,
}

/// Sends what waits until it is to end.
async fn send_all<S: Sends>(address: String, lifecycle: Arc<Lifecycle>, mut waiting: mpsc::Receiver<Job>) {
    let mut left_over = None;
    while let Some(mut link) = Link::<S>::keep_opening(&address, &lifecycle).await {
        tokio::time::sleep(S::SETTLE).await;
        lifecycle.connected();
        match send_over(&mut link, &lifecycle, &mut waiting, &mut left_over).await {
            End::Stop => {
                waiting.close();
                while let Ok(job) = waiting.try_recv() {
                    hand_over(&mut link.socket, job).await;
                }
                tokio::time::sleep(S::SETTLE).await;
                return;
            }
            End::Gone => {
                lifecycle.disconnected("the peer closed the connection");
                lifecycle.unless_stopping(tokio::time::sleep(RECONNECT_INTERVAL)).await;
            }
            End::Stale => {}
        }
    }
}

/// Sends what waits over one connection; what that could not send is left over.
async fn send_over<S: Sends>(
    link: &mut Link<S>,
    lifecycle: &Lifecycle,
    waiting: &mut mpsc::Receiver<Job>,
    left_over: &mut Option<Job>,
) -> End {
    let (socket, gone) = link.parts();
    tokio::pin!(gone);
    let mut used = Instant::now();
    loop {
        let job = match left_over.take() {
            Some(job) => job,
            None => tokio::select! {
                () = lifecycle.stopping() => return End::Stop,
                () = &mut gone => return End::Gone,
                job = waiting.recv() => match job {
                    Some(job) => job,
                    None => return End::Stop,
                },
            },
        };
        if S::TRUSTED.is_some_and(|trusted| used.elapsed() > trusted) {
            *left_over = Some(job);
            return End::Stale;
        }
        if let Some(job) = hand_over(socket, job).await {
            *left_over = Some(job);
            return End::Gone;
        }
        used = Instant::now();
    }
}

/// Hands a message to the socket; it comes back if the socket has no peer.
async fn hand_over(socket: &mut impl SocketSend, job: Job) -> Option<Job> {
    // Whoever waited for too long has been told that the message was not sent.
    if job.handed_over.is_closed() {
        return None;
    }
    if socket.send(job.message.clone()).await.is_err() {
        return Some(job);
    }
    // Nobody needs to know any more if the time-out came in between.
    let _ = job.handed_over.send(());
    None
}
