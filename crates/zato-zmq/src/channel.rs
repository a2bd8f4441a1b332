//! Channels: what peers send is handed over, so much at a time.
//!
//! Owns receiving and how many messages are in hand. It must not know what handling a message means.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zato_connections::{Lifecycle, Status};
use zeromq::{PullSocket, Socket, SocketRecv, SubSocket, ZmqResult};

use crate::link::{Link, RECONNECT_INTERVAL};

/// How many messages a channel has in hand at once unless it is told otherwise.
pub const DEFAULT_CONCURRENCY: u16 = 16;

/// Whoever messages are handed to.
pub trait Handler: Send + Sync + 'static {
    /// Handles a message, given as its frames, of which there is at least one. Several messages are handled at the same time.
    /// A panic is logged and harms no other message.
    fn handle(&self, frames: Vec<Bytes>) -> BoxFuture<'_, ()>;
}

/// What a channel receives.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChannelKind {
    /// The messages that a PUSH peer gives to this receiver.
    Pull,
    /// The messages of a PUB peer whose first frame begins with the key; all of them if it is empty.
    Subscribe {
        /// The key.
        key: String,
    },
}

/// A channel as it is configured.
#[derive(Clone, Debug)]
pub struct ChannelConfig {
    /// Its name, for logs.
    pub name: Arc<str>,
    /// The peer, as `tcp://host:port`.
    pub address: String,
    /// What is received.
    pub kind: ChannelKind,
    /// How many messages may be in hand at once, at least 1. With 1 they are handled in order. More are not read, and wait in
    /// the connection and at the peer.
    pub concurrency: u16,
    /// How long messages in hand may take to be handled when the channel is stopped. What is not handled by then is lost,
    /// because peers keep nothing that they have sent.
    pub grace: Duration,
}

/// A channel that runs until it is stopped. A clone is the same channel.
#[derive(Clone, Debug)]
pub struct Channel(Arc<Lifecycle>);

impl Channel {
    /// Begins to receive in the background. To be called within a tokio runtime.
    #[must_use]
    pub fn start(config: ChannelConfig, handler: Arc<dyn Handler>) -> Self {
        let name = Arc::clone(&config.name);
        let lifecycle = Lifecycle::new("ZeroMQ channel", name, config.address.clone());
        let receiving = Receiving {
            permits: Arc::new(Semaphore::new(usize::from(config.concurrency.max(1)))),
            in_hand: TaskTracker::new(),
            cut_off: CancellationToken::new(),
            lifecycle: Arc::clone(&lifecycle),
            config,
            handler,
        };
        match receiving.config.kind {
            ChannelKind::Pull => lifecycle.begin(receiving.run::<PullSocket>()),
            ChannelKind::Subscribe { .. } => lifecycle.begin(receiving.run::<SubSocket>()),
        }
        Self(lifecycle)
    }

    /// How the channel fares.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.status()
    }

    /// The status, and what becomes of it.
    #[must_use]
    pub fn watch_status(&self) -> watch::Receiver<Status> {
        self.0.watch()
    }

    /// Tells the channel to receive no more and to end when messages in hand are handled, or after its grace.
    pub fn begin_stop(&self) {
        self.0.stop();
    }

    /// Stops the channel and returns when it has ended.
    pub async fn stop(&self) {
        self.0.end().await;
    }
}

/// A socket that messages are received from.
trait Receives: Socket + SocketRecv + 'static {
    /// Says what is wanted.
    fn ask(&mut self, kind: &ChannelKind) -> impl Future<Output = ZmqResult<()>> + Send;
}

impl Receives for PullSocket {
    async fn ask(&mut self, _: &ChannelKind) -> ZmqResult<()> {
        Ok(())
    }
}

impl Receives for SubSocket {
    async fn ask(&mut self, kind: &ChannelKind) -> ZmqResult<()> {
        match kind {
            ChannelKind::Subscribe { key } => self.subscribe(key).await,
            ChannelKind::Pull => Ok(()),
        }
    }
}

/// Hands over what connections bring.
struct Receiving {
    config: ChannelConfig,
    lifecycle: Arc<Lifecycle>,
    handler: Arc<dyn Handler>,
    permits: Arc<Semaphore>,
    in_hand: TaskTracker,
    /// Ends what is in hand when the grace is over.
    cut_off: CancellationToken,
}

impl Receiving {
    async fn run<S: Receives>(self) {
        while let Some(mut link) = Link::<S>::keep_opening(&self.config.address, &self.lifecycle).await {
            let received = self.lifecycle.unless_stopping(self.receive(&mut link)).await;
            let Some(reason) = received else { break };
            drop(link);
            self.lifecycle.disconnected(reason);
            self.lifecycle.unless_stopping(tokio::time::sleep(RECONNECT_INTERVAL)).await;
        }
        self.in_hand.close();
        if timeout(self.config.grace, self.in_hand.wait()).await.is_err() {
            self.cut_off.cancel();
            self.in_hand.wait().await;
        }
    }

    /// Takes messages until the connection ends, for the reason that is returned.
    async fn receive<S: Receives>(&self, link: &mut Link<S>) -> String {
        if let Err(error) = link.socket.ask(&self.config.kind).await {
            return error.to_string();
        }
        self.lifecycle.connected();
        let (socket, gone) = link.parts();
        tokio::pin!(gone);
        loop {
            // Nothing is read that can't be handled: once read, nobody else has it.
            let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else {
                return "the channel was closed".to_owned();
            };
            let received = tokio::select! {
                received = socket.recv() => received,
                () = &mut gone => return "the peer closed the connection".to_owned(),
            };
            match received {
                Ok(message) => self.take(message.into_vec(), permit),
                Err(error) => return error.to_string(),
            }
        }
    }

    /// Hands a message over in a task of its own.
    fn take(&self, frames: Vec<Bytes>, permit: tokio::sync::OwnedSemaphorePermit) {
        let handler = Arc::clone(&self.handler);
        let name = Arc::clone(&self.config.name);
        let cut_off = self.cut_off.clone();
        self.in_hand.spawn(async move {
            let _permit = permit;
            let handling = AssertUnwindSafe(handler.handle(frames)).catch_unwind();
            match cut_off.run_until_cancelled(handling).await {
                Some(Ok(())) => {}
                Some(Err(_)) => tracing::error!(name = &*name, "handling a message panicked"),
                None => tracing::warn!(name = &*name, "a message in hand was lost when the channel stopped"),
            }
        });
    }
}
