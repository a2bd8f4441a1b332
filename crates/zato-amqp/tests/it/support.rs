//! What the tests share: an administrator's view of a virtual host, and a handler that reports.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use zato_amqp::test_util::Inspector;
use zato_amqp::{
    Consumer, ConsumerConfig, Definition, Delivery, Handler, Message, Outcome, Outgoing, OutgoingConfig,
    Properties, SendError, Status,
};
use zato_cid::Cid;

/// Longer than anything here takes, on the busiest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn cid() -> Cid {
    "K21353002988419985838198535608".parse().unwrap()
}

/// An active outgoing connection.
pub(crate) fn outgoing(definition: &Definition) -> Outgoing {
    Outgoing::start(outgoing_config(definition))
}

pub(crate) fn outgoing_config(definition: &Definition) -> OutgoingConfig {
    OutgoingConfig {
        id: 1,
        name: "Orders".into(),
        is_active: true,
        definition: definition.clone(),
        properties: Properties { delivery_mode: Some(2), ..Properties::default() },
        component: "out-amqp/esb1/esb1.example.com/21358/main".into(),
        timeout: PATIENCE,
    }
}

/// Sends a text to a queue.
pub(crate) async fn send(outgoing: &Outgoing, queue: &str, text: &str) -> Result<(), SendError> {
    outgoing.send(cid(), Message::new(text.to_owned()).routing_key(queue)).await
}

pub(crate) fn consumer_config(definition: &Definition, queue: &str) -> ConsumerConfig {
    ConsumerConfig {
        name: queue.into(),
        definition: definition.clone(),
        queue: queue.to_owned(),
        consumer_tag_prefix: "zato".to_owned(),
        host: "esb1.example.com".to_owned(),
        prefetch: 4,
        grace: PATIENCE,
    }
}

/// Reports each message, and answers what a function of the text and the delivery says.
struct Reporter<F> {
    reports: mpsc::UnboundedSender<Delivery>,
    answer: F,
}

impl<F> Handler for Reporter<F>
where
    F: Fn(&Delivery) -> BoxFuture<'static, Outcome> + Send + Sync + 'static,
{
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Outcome> {
        let answer = (self.answer)(&delivery);
        Box::pin(async move {
            // The test may have seen enough.
            drop(self.reports.send(delivery));
            answer.await
        })
    }
}

/// A consumer whose handler reports what it gets and then does what `answer` says.
pub(crate) fn consumer(
    config: ConsumerConfig,
    answer: impl Fn(&Delivery) -> BoxFuture<'static, Outcome> + Send + Sync + 'static,
) -> (Consumer, mpsc::UnboundedReceiver<Delivery>) {
    let (reports, received) = mpsc::unbounded_channel();
    (Consumer::start(config, Arc::new(Reporter { reports, answer })), received)
}

/// Handles everything.
pub(crate) fn done(_: &Delivery) -> BoxFuture<'static, Outcome> {
    Box::pin(std::future::ready(Outcome::Done))
}

/// The next message's body and whether it came before.
pub(crate) async fn next(received: &mut mpsc::UnboundedReceiver<Delivery>) -> (String, bool) {
    let delivery = within(received.recv()).await.expect("the consumer is there");
    (String::from_utf8(delivery.body.to_vec()).unwrap(), delivery.redelivered)
}

/// Waits until a status is as wanted, and returns it.
pub(crate) async fn until(
    mut status: watch::Receiver<Status>,
    wanted: impl FnMut(&Status) -> bool,
) -> Status {
    within(status.wait_for(wanted)).await.expect("the status is still told").clone()
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("this takes less than a minute")
}

/// Waits until a queue has so many messages that are ready, and so many consumers. A broker learns at its leisure that a
/// consumer is gone and what it left.
pub(crate) async fn settled(inspector: &Inspector, queue: &str, counts: (u32, u32)) {
    within(async { while inspector.counts(queue).await.unwrap() != counts {} }).await;
}
