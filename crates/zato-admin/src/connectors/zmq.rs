//! ZeroMQ channels and outgoing connections, from how they are stored to how they run.
//!
//! Owns that translation and which frames of a message are messages of their own. It must not read the database.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use zato_channel::MessageTarget;
use zato_odb::model::{ChannelSocket, ChannelZmq, OutgoingSocket, OutgoingZmq};
use zato_service::{ChannelKind, Error, Registration};
use zato_zmq::{Channel, ChannelConfig, DEFAULT_CONCURRENCY, Handler, OutgoingConfig, OutgoingKind, Status};

use super::invocation::Invocation;
use super::listeners::Listener;
use super::{Connectors, SEND_TIMEOUT};
use crate::apply::message_format;

/// A channel, ready to be started.
#[derive(Clone)]
pub(crate) struct ZmqChannel {
    config: ChannelConfig,
    receiver: Arc<Receiver>,
}

/// Invokes a service with what a socket received.
struct Receiver {
    invocation: Invocation,
    /// Whether the first of several frames is what subscribers chose the message by, and no content.
    has_key: bool,
}

impl Listener for Channel {
    type Config = ZmqChannel;

    fn start(config: &ZmqChannel) -> Self {
        let ZmqChannel { config, receiver } = config.clone();
        Self::start(config, receiver)
    }

    fn status(&self) -> Status {
        self.status()
    }

    fn begin_stop(&self) {
        self.begin_stop();
    }

    fn stop(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.stop())
    }
}

impl Handler for Receiver {
    /// A service gets each frame of its own, in order, as it would from the original. ZeroMQ has no way to give a message
    /// back, so that one is lost whose service fails or is inactive.
    fn handle(&self, frames: Vec<Bytes>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let of = frames.len();
            let content = usize::from(self.has_key && of > 1);
            for (index, frame) in frames.iter().enumerate().skip(content) {
                let facts = format!("frame={} of={of} bytes={}", index + 1, frame.len());
                self.invocation.run(frame, &facts, None).await;
            }
        })
    }
}

impl Connectors {
    /// A stored channel as it runs.
    pub(crate) fn zmq_channel(
        &self,
        object: &ChannelZmq,
        service: Arc<Registration>,
    ) -> Result<ZmqChannel, Error> {
        let format = message_format(object.data_format.as_ref())?;
        let name: Arc<str> = object.name.as_str().into();
        let target = MessageTarget::new(self.environment().clone(), service, ChannelKind::Zmq, format);
        let key = object.sub_key.clone().unwrap_or_default();
        let kind = match object.socket_type {
            ChannelSocket::Pull => zato_zmq::ChannelKind::Pull,
            ChannelSocket::Sub => zato_zmq::ChannelKind::Subscribe { key },
        };
        Ok(ZmqChannel {
            receiver: Arc::new(Receiver {
                invocation: Invocation { channel: Arc::clone(&name), target },
                has_key: object.socket_type == ChannelSocket::Sub,
            }),
            config: ChannelConfig {
                name,
                address: object.address.clone(),
                kind,
                concurrency: DEFAULT_CONCURRENCY,
                grace: self.0.grace,
            },
        })
    }

    /// A stored outgoing connection as it runs.
    pub(crate) fn zmq_outgoing(object: &OutgoingZmq) -> OutgoingConfig {
        OutgoingConfig {
            id: object.id,
            name: object.name.as_str().into(),
            is_active: object.is_active,
            address: object.address.clone(),
            kind: match object.socket_type {
                OutgoingSocket::Push => OutgoingKind::Push,
                OutgoingSocket::Pub => OutgoingKind::Publish,
            },
            timeout: SEND_TIMEOUT,
        }
    }
}
