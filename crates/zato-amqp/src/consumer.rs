//! Consumers: take messages off a queue, hand them over, and acknowledge what was handled.
//!
//! Owns the promise that no message is lost: one that was not handled goes back to its queue. It must not know what
//! handling a message means.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt};
use lapin::Channel;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
};
use lapin::types::{FieldTable, ShortString};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use zato_connections::{Lifecycle, Status};

use crate::definition::Definition;
use crate::message::Delivery;
use crate::session::{Reason, Session, explain};
use crate::supervise::{self, Work};
use crate::wire;

/// How many messages a consumer has in hand at once unless it is told otherwise.
pub const DEFAULT_PREFETCH: u16 = 16;

/// How long a message that could not be handled rests before it goes back to its queue, the first time and afterwards. The
/// broker would deliver it again at once, so that one bad message could keep a processor busy.
const FIRST_REST: Duration = Duration::from_secs(1);
const LATER_REST: Duration = Duration::from_secs(10);

/// How long a broker may take to end deliveries.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(2);

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a message was handled or not")]
pub enum Outcome {
    /// It was handled. The broker may forget it.
    Done,
    /// It was not handled. It goes back to its queue after a rest and is delivered again.
    Again,
}

/// Whoever messages are handed to.
pub trait Handler: Send + Sync + 'static {
    /// Handles a message. Several are handled at the same time, up to the consumer's prefetch. A handler that panics has
    /// not handled its message.
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Outcome>;
}

/// A consumer as it is configured.
#[derive(Clone, Debug)]
pub struct ConsumerConfig {
    /// Its name, for logs and for the broker's list of connections.
    pub name: Arc<str>,
    /// The broker.
    pub definition: Definition,
    /// The queue, up to 255 bytes. It has to exist; nothing is declared.
    pub queue: String,
    /// What the consumer tag begins with, by which operators of the broker recognise the consumer.
    pub consumer_tag_prefix: String,
    /// The host's fully qualified name, for the consumer tag.
    pub host: String,
    /// How many messages may be in hand at once, at least 1. With 1 they are handled in the queue's order.
    pub prefetch: u16,
    /// How long messages in hand may take to be handled when the consumer is stopped. What is not handled by then goes back
    /// to its queue.
    pub grace: Duration,
}

/// A consumer that runs until it is stopped. A clone is the same consumer.
#[derive(Clone, Debug)]
pub struct Consumer(Arc<Lifecycle>);

impl Consumer {
    /// Begins to consume in the background. To be called within a tokio runtime.
    #[must_use]
    pub fn start(config: ConsumerConfig, handler: Arc<dyn Handler>) -> Self {
        let lifecycle = supervise::lifecycle("AMQP channel", &config.name, &config.definition);
        let definition = config.definition.clone();
        let consuming = Consuming {
            permits: Arc::new(Semaphore::new(usize::from(config.prefetch.max(1)))),
            in_hand: TaskTracker::new(),
            cut_off: CancellationToken::new(),
            config: Arc::new(config),
            handler,
        };
        supervise::keep_up(&lifecycle, definition, consuming);
        Self(lifecycle)
    }

    /// How the consumer fares.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.status()
    }

    /// The status, and what becomes of it.
    #[must_use]
    pub fn watch_status(&self) -> watch::Receiver<Status> {
        self.0.watch()
    }

    /// Tells the consumer to take no more messages and to end when those in hand are handled, or after its grace.
    pub fn begin_stop(&self) {
        self.0.stop();
    }

    /// Stops the consumer and returns when it has ended.
    pub async fn stop(&self) {
        self.0.end().await;
    }
}

/// Hands over what sessions deliver.
struct Consuming {
    config: Arc<ConsumerConfig>,
    handler: Arc<dyn Handler>,
    /// How many messages may be handled at once, also while those of a lost session are still in hand.
    permits: Arc<Semaphore>,
    in_hand: TaskTracker,
    /// Ends what is in hand when the grace is over.
    cut_off: CancellationToken,
}

impl Work for Consuming {
    async fn run(&mut self, session: Session, lifecycle: &Lifecycle) -> Reason {
        let reason = match self.consume(&session, lifecycle).await {
            Ok(reason) | Err(reason) => reason,
        };
        session.close().await;
        reason
    }

    async fn end(&mut self) {
        self.settle().await;
    }
}

impl Consuming {
    async fn consume(&self, session: &Session, lifecycle: &Lifecycle) -> Result<Reason, Reason> {
        let channel = session.channel().await?;
        let prefetch = self.config.prefetch.max(1);
        let limited = channel.basic_qos(prefetch, BasicQosOptions::default()).await;
        limited.map_err(|error| explain(&error))?;
        let queue = short(&self.config.queue)?;
        let tag = short(&consumer_tag(&self.config, session))?;
        let consuming =
            channel.basic_consume(queue, tag.clone(), BasicConsumeOptions::default(), FieldTable::default());
        let mut deliveries = consuming.await.map_err(|error| explain(&error))?;
        lifecycle.connected();
        let session_ended = CancellationToken::new();
        let _ends = session_ended.clone().drop_guard();
        loop {
            let next = tokio::select! {
                () = lifecycle.stopping() => {
                    self.finish(&channel, tag).await;
                    return Ok("stopped".into());
                }
                next = deliveries.next() => next,
            };
            match next {
                Some(Ok(delivery)) => self.take(delivery, session_ended.clone()),
                Some(Err(error)) => return Err(explain(&error)),
                None => return Err("the broker ended the consumer; the queue may have been deleted".into()),
            }
        }
    }

    /// Hands a message over in a task of its own. The answer is for the session that delivered the message: nobody waits for what
    /// becomes of it when that has ended.
    fn take(&self, mut delivery: lapin::message::Delivery, session_ended: CancellationToken) {
        let config = Arc::clone(&self.config);
        let handler = Arc::clone(&self.handler);
        let permits = Arc::clone(&self.permits);
        let cut_off = self.cut_off.clone();
        self.in_hand.spawn(async move {
            // Nothing closes the semaphore; without a permit the message would just wait for the session's end.
            let Ok(_permit) = permits.acquire().await else { return };
            let message = wire::from_wire(&mut delivery);
            let handling = AssertUnwindSafe(handler.handle(message)).catch_unwind();
            let settled = async {
                let outcome = handling.await.unwrap_or_else(|_| {
                    tracing::error!(
                        name = &*config.name,
                        queue = config.queue,
                        "handling a message panicked"
                    );
                    Outcome::Again
                });
                let answered = async {
                    match outcome {
                        Outcome::Done => delivery.ack(BasicAckOptions::default()).await,
                        Outcome::Again => {
                            let rest = if delivery.redelivered { LATER_REST } else { FIRST_REST };
                            tokio::time::sleep(rest).await;
                            delivery.nack(BasicNackOptions { requeue: true, multiple: false }).await
                        }
                    }
                };
                session_ended.run_until_cancelled(answered).await.unwrap_or(Ok(false))
            };
            match cut_off.run_until_cancelled(settled).await {
                Some(Ok(true)) => {}
                // The broker gives a message back to its queue when the session that took it ends.
                Some(Ok(false)) => log_unsettled(&config, &delivery, "the session ended"),
                Some(Err(error)) => log_unsettled(&config, &delivery, &explain(&error)),
                None => log_unsettled(&config, &delivery, "the consumer was stopped"),
            }
        });
    }

    /// Ends deliveries, and the session's part in what is in hand.
    async fn finish(&self, channel: &Channel, tag: ShortString) {
        // If that fails the session ends, which has the same effect.
        drop(timeout(CANCEL_TIMEOUT, channel.basic_cancel(tag, BasicCancelOptions::default())).await);
        self.settle().await;
    }

    /// Waits for what is in hand as long as the grace lasts.
    async fn settle(&self) {
        self.in_hand.close();
        if timeout(self.config.grace, self.in_hand.wait()).await.is_err() {
            self.cut_off.cancel();
            self.in_hand.wait().await;
        }
    }
}

fn log_unsettled(config: &ConsumerConfig, delivery: &lapin::message::Delivery, reason: &str) {
    tracing::warn!(
        name = &*config.name,
        queue = config.queue,
        delivery_tag = delivery.delivery_tag,
        reason,
        "a message in hand could not be settled; the broker will deliver it again"
    );
}

fn short(name: &str) -> Result<ShortString, Reason> {
    ShortString::try_new(name).map_err(|_| "the name of the queue has more than 255 bytes".into())
}

/// The documented form: prefix, address, host and process, and 64 random bits, padded to 72 characters.
fn consumer_tag(config: &ConsumerConfig, session: &Session) -> String {
    let address = session.local_address().map(|address| address.to_string()).unwrap_or_default();
    let process = std::process::id();
    let head = format!("{}:{address}:{}:{process}", config.consumer_tag_prefix, config.host);
    // Every state has keys of its own, drawn from the operating system.
    tag(&head, RandomState::new().build_hasher().finish())
}

/// A tag of 72 to 255 bytes that ends in what makes it unique.
fn tag(head: &str, unique: u64) -> String {
    let tail = format!(":{unique:016x}");
    let head = &head[..head.floor_char_boundary(255 - tail.len())];
    format!("{:0<72}", format!("{head}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_have_the_documented_form_and_fit_amqp() {
        let expected = "zato:10.0.0.1:esb1.example.com:17:00000000000000ff0000000000000000000000";
        assert_eq!(tag("zato:10.0.0.1:esb1.example.com:17", 255), expected);
        assert_eq!(expected.len(), 72);
        let long = tag(&"ż".repeat(200), 255);
        assert!((254..=255).contains(&long.len()) && long.ends_with(":00000000000000ff"), "{long}");
    }
}
