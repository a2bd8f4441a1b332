//! Publishes messages on one open connection and waits for the broker's confirmation.
//!
//! Owns channels, how many messages wait for confirmation, and what an outcome means. It must not know where properties
//! come from, nor how long anybody wants to wait.

use std::collections::HashMap;
use std::sync::Arc;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation};
use tokio::sync::{AcquireError, Mutex, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::SendError;
use crate::session::{Reason, Session, explain};

/// How many messages may wait for confirmation at once. What waits is kept in memory, also while a broker that is short of
/// resources takes nothing.
const MAX_UNCONFIRMED: usize = 1024;

/// How many exchanges have a channel open at once. Brokers allow some two thousand.
const MAX_CHANNELS: usize = 64;

/// A message as it goes out.
pub(crate) struct Outbound {
    pub(crate) exchange: ShortString,
    pub(crate) routing_key: ShortString,
    pub(crate) properties: BasicProperties,
    pub(crate) body: bytes::Bytes,
    pub(crate) mandatory: bool,
}

/// The publishing side of a session.
pub(crate) struct Publisher {
    name: Arc<str>,
    session: Session,
    /// One channel for each exchange. A broker closes the channel on which a message for an exchange that does not exist
    /// comes, and this way that harms no message for another exchange.
    channels: Mutex<HashMap<ShortString, Channel>>,
    permits: Arc<Semaphore>,
    under_way: TaskTracker,
    /// The client library was seen not to settle what was under way when the connection ended, so that nobody waits for it then.
    ended: CancellationToken,
}

impl Publisher {
    pub(crate) fn new(name: Arc<str>, session: Session) -> Self {
        let permits = Arc::new(Semaphore::new(MAX_UNCONFIRMED));
        let (under_way, ended) = (TaskTracker::new(), CancellationToken::new());
        Self { name, session, channels: Mutex::default(), permits, under_way, ended }
    }

    /// Waits until another message may wait for confirmation.
    pub(crate) async fn admit(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        Arc::clone(&self.permits).acquire_owned().await
    }

    /// Publishes a message and waits for its confirmation. It goes on when the caller gives up: what has been written can't
    /// be taken back, and counts as waiting until the broker or the connection's end settles it.
    pub(crate) async fn publish(
        self: Arc<Self>,
        permit: OwnedSemaphorePermit,
        message: Outbound,
    ) -> Result<(), SendError> {
        let publisher = Arc::clone(&self);
        let publishing = self.under_way.spawn(async move {
            let _permit = permit;
            let published = publisher.ended.run_until_cancelled(publisher.publish_now(message)).await;
            published.unwrap_or_else(|| Err(publisher.unconfirmed("the connection ended".into())))
        });
        publishing.await.unwrap_or_else(|error| Err(self.unconfirmed(error.to_string().into())))
    }

    async fn publish_now(&self, message: Outbound) -> Result<(), SendError> {
        let Outbound { exchange, routing_key, properties, body, mandatory } = message;
        let unavailable = |reason| SendError::Unavailable { connection: (*self.name).into(), reason };
        let channel = self.channel(&exchange).await.map_err(unavailable)?;
        let options = BasicPublishOptions { mandatory, immediate: false };
        let publish =
            channel.basic_publish(exchange.clone(), routing_key.clone(), options, &body, properties);
        let confirmation = match publish.await {
            Ok(confirm) => confirm.await,
            Err(error) => Err(error),
        };
        match confirmation {
            Ok(Confirmation::Ack(None) | Confirmation::NotRequested) => Ok(()),
            Ok(Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned))) => {
                Err(SendError::Unroutable {
                    exchange: exchange.as_str().into(),
                    routing_key: routing_key.as_str().into(),
                    reason: returned.reply_text.as_str().into(),
                })
            }
            Ok(Confirmation::Nack(None)) => Err(SendError::Rejected { connection: (*self.name).into() }),
            Err(error) if error.is_amqp_soft_error() => {
                Err(SendError::Refused { connection: (*self.name).into(), reason: explain(&error) })
            }
            Err(error) => Err(self.unconfirmed(explain(&error))),
        }
    }

    async fn channel(&self, exchange: &ShortString) -> Result<Channel, Reason> {
        let mut channels = self.channels.lock().await;
        if let Some(channel) = channels.get(exchange)
            && channel.status().connected()
        {
            return Ok(channel.clone());
        }
        if channels.len() >= MAX_CHANNELS {
            // Messages under way hold their channels, so only idle ones close.
            channels.clear();
        }
        let channel = self.session.channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(|error| explain(&error))?;
        channels.insert(exchange.clone(), channel.clone());
        Ok(channel)
    }

    fn unconfirmed(&self, reason: Reason) -> SendError {
        SendError::Unconfirmed { connection: (*self.name).into(), reason }
    }

    /// Whether the connection is open.
    pub(crate) fn is_open(&self) -> bool {
        self.session.is_open()
    }

    /// Ends when no message is under way any more, provided that no new ones come.
    pub(crate) async fn idle(&self) {
        self.under_way.close();
        self.under_way.wait().await;
    }

    /// Nothing that is under way is going to be confirmed any more.
    pub(crate) fn end(&self) {
        self.ended.cancel();
    }

    /// Gives the session back to be closed, unless somebody is still publishing.
    pub(crate) fn into_session(self: Arc<Self>) -> Option<Session> {
        Arc::into_inner(self).map(|publisher| publisher.session)
    }
}
