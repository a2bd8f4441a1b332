//! AMQP channels and outgoing connections, from how they are stored to how they run.
//!
//! Owns that translation and what becomes of a message. It must not read the database.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use zato_amqp::{
    Consumer, ConsumerConfig, DEFAULT_PREFETCH, Definition, Delivery, Handler, Outcome, OutgoingConfig,
    Properties, Status,
};
use zato_channel::MessageTarget;
use zato_odb::model::{ChannelAmqp, DefinitionAmqp, OutgoingAmqp};
use zato_service::{ChannelKind, Error, Registration};

use super::invocation::Invocation;
use super::listeners::Listener;
use super::{Connectors, SEND_TIMEOUT};
use crate::apply::message_format;
use crate::error::not_allowed;

/// A channel, ready to be started.
#[derive(Clone)]
pub(crate) struct AmqpChannel {
    consumer: ConsumerConfig,
    invocation: Arc<Invocation>,
}

impl Listener for Consumer {
    type Config = AmqpChannel;

    fn start(config: &AmqpChannel) -> Self {
        let AmqpChannel { consumer, invocation } = config.clone();
        Self::start(consumer, invocation)
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

impl Handler for Invocation {
    /// A message is done with when its service succeeded. One whose service is inactive waits for it like one that failed.
    fn handle(&self, delivery: Delivery) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let facts = format!(
                "exchange={} routing_key={} delivery_tag={} redelivered={}",
                delivery.exchange, delivery.routing_key, delivery.delivery_tag, delivery.redelivered
            );
            let sender = delivery.headers.get("X-Zato-CID").and_then(zato_amqp::Value::as_text);
            if self.run(&delivery.body, &facts, sender).await { Outcome::Done } else { Outcome::Again }
        })
    }
}

impl Connectors {
    /// A stored channel as it runs.
    pub(crate) fn amqp_channel(
        &self,
        object: &ChannelAmqp,
        definition: &DefinitionAmqp,
        service: Arc<Registration>,
    ) -> Result<AmqpChannel, Error> {
        let format = message_format(object.data_format.as_ref())?;
        let environment = self.environment().clone();
        let name: Arc<str> = object.name.as_str().into();
        Ok(AmqpChannel {
            consumer: ConsumerConfig {
                name: Arc::clone(&name),
                definition: broker(definition)?,
                queue: object.queue.clone(),
                consumer_tag_prefix: object.consumer_tag_prefix.clone(),
                host: self.fully_qualified_name().to_owned(),
                prefetch: DEFAULT_PREFETCH,
                grace: self.0.grace,
            },
            invocation: Arc::new(Invocation {
                channel: name,
                target: MessageTarget::new(environment, service, ChannelKind::Amqp, format),
            }),
        })
    }

    /// A stored outgoing connection as it runs.
    pub(crate) fn amqp_outgoing(
        &self,
        object: &OutgoingAmqp,
        definition: &DefinitionAmqp,
    ) -> Result<OutgoingConfig, Error> {
        let delivery_mode = u8::try_from(object.delivery_mode)
            .map_err(|_| not_allowed("delivery_mode", object.delivery_mode, "1 or 2"))?;
        let priority =
            u8::try_from(object.priority).map_err(|_| not_allowed("priority", object.priority, "0 to 9"))?;
        Ok(OutgoingConfig {
            id: object.id,
            name: object.name.as_str().into(),
            is_active: object.is_active,
            definition: broker(definition)?,
            properties: Properties {
                content_type: object.content_type.clone(),
                content_encoding: object.content_encoding.clone(),
                delivery_mode: Some(delivery_mode),
                priority: Some(priority),
                expiration: object.expiration.clone(),
                user_id: object.user_id.clone(),
                app_id: object.app_id.clone(),
                ..Properties::default()
            },
            component: format!("out-amqp/{}/{}/main", self.0.host, std::process::id()).into(),
            timeout: SEND_TIMEOUT,
        })
    }
}

/// A stored definition as connections are made by it.
fn broker(definition: &DefinitionAmqp) -> Result<Definition, Error> {
    Ok(Definition {
        name: definition.name.as_str().into(),
        host: definition.host.clone(),
        port: u16::try_from(definition.port)
            .map_err(|_| not_allowed("port", definition.port, "0 to 65535"))?,
        vhost: definition.vhost.clone(),
        username: definition.username.clone(),
        password: definition.password.expose().into(),
        frame_max: u32::try_from(definition.frame_max)
            .map_err(|_| not_allowed("frame_max", definition.frame_max, "0 or more"))?,
        heartbeat: u16::try_from(definition.heartbeat)
            .map_err(|_| not_allowed("heartbeat", definition.heartbeat, "0 to 65535"))?,
    })
}
