//! What the tests share: connections, channels and a handler that reports.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::sync::{mpsc, watch};
use zato_zmq::{
    Channel, ChannelConfig, ChannelKind, Handler, Outgoing, OutgoingConfig, OutgoingKind, Status,
};

/// Longer than anything here takes, on the busiest machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("this takes less than a minute")
}

pub(crate) fn outgoing_config(address: &str, kind: OutgoingKind) -> OutgoingConfig {
    OutgoingConfig {
        id: 1,
        name: "Orders".into(),
        is_active: true,
        address: address.to_owned(),
        kind,
        timeout: PATIENCE,
    }
}

pub(crate) fn outgoing(address: &str, kind: OutgoingKind) -> Outgoing {
    Outgoing::start(outgoing_config(address, kind))
}

pub(crate) fn channel_config(address: &str, kind: ChannelKind) -> ChannelConfig {
    ChannelConfig {
        name: "Orders".into(),
        address: address.to_owned(),
        kind,
        concurrency: 4,
        grace: PATIENCE,
    }
}

type Answer = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// Reports each message, then does what it was told to.
struct Reporter {
    reports: mpsc::UnboundedSender<Vec<String>>,
    answer: Answer,
}

impl Handler for Reporter {
    fn handle(&self, frames: Vec<Bytes>) -> BoxFuture<'_, ()> {
        let answer = (self.answer)();
        Box::pin(async move {
            let frames = frames.iter().map(|frame| String::from_utf8_lossy(frame).into_owned()).collect();
            // The test may have seen enough.
            drop(self.reports.send(frames));
            answer.await;
        })
    }
}

pub(crate) fn channel_that(
    config: ChannelConfig,
    answer: impl Fn() -> BoxFuture<'static, ()> + Send + Sync + 'static,
) -> (Channel, mpsc::UnboundedReceiver<Vec<String>>) {
    let (reports, received) = mpsc::unbounded_channel();
    (Channel::start(config, Arc::new(Reporter { reports, answer: Box::new(answer) })), received)
}

pub(crate) fn channel(address: &str, kind: ChannelKind) -> (Channel, mpsc::UnboundedReceiver<Vec<String>>) {
    channel_that(channel_config(address, kind), || Box::pin(std::future::ready(())))
}

/// The frames of the next message.
pub(crate) async fn next(received: &mut mpsc::UnboundedReceiver<Vec<String>>) -> Vec<String> {
    within(received.recv()).await.expect("the channel is there")
}

pub(crate) async fn until(
    mut status: watch::Receiver<Status>,
    wanted: impl FnMut(&Status) -> bool,
) -> Status {
    within(status.wait_for(wanted)).await.expect("the status is still told").clone()
}

pub(crate) fn is_down(status: &Status) -> bool {
    matches!(status, Status::Disconnected { .. })
}
