//! Messages: what services send and what consumers hand over.
//!
//! Owns their properties and headers, and which of a stored and a given property counts. It must not know connections.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::value::Value;

/// Headers by name. Names have up to 255 bytes.
pub type Headers = BTreeMap<String, Value>;

/// What AMQP says of a message beside its body and headers. Texts have up to 255 bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties {
    /// The MIME type of the body.
    pub content_type: Option<String>,
    /// The encoding of the body, such as `gzip`.
    pub content_encoding: Option<String>,
    /// 1 for a message that a restart of the broker may lose, 2 for one that durable queues keep on disk.
    pub delivery_mode: Option<u8>,
    /// 0 to 9.
    pub priority: Option<u8>,
    /// What the message belongs to or replies to.
    pub correlation_id: Option<String>,
    /// Where a reply is expected.
    pub reply_to: Option<String>,
    /// After how many milliseconds in a queue the message is dropped.
    pub expiration: Option<String>,
    /// The sender's name of the message.
    pub message_id: Option<String>,
    /// When the message was made, in seconds since 1970 in UTC.
    pub timestamp: Option<u64>,
    /// The kind of message, in the words of its application.
    pub message_type: Option<String>,
    /// The user that sends it. RabbitMQ refuses any other than the one that is logged in.
    pub user_id: Option<String>,
    /// The application that sends it.
    pub app_id: Option<String>,
    /// Deprecated by AMQP 0-9-1 and carried along by brokers.
    pub cluster_id: Option<String>,
}

impl Properties {
    /// These properties, and `stored` for those which are absent, empty or 0.
    #[must_use]
    pub fn or(self, stored: &Self) -> Self {
        Self {
            content_type: text(self.content_type, &stored.content_type),
            content_encoding: text(self.content_encoding, &stored.content_encoding),
            delivery_mode: self.delivery_mode.filter(|&mode| mode != 0).or(stored.delivery_mode),
            priority: self.priority.filter(|&priority| priority != 0).or(stored.priority),
            correlation_id: text(self.correlation_id, &stored.correlation_id),
            reply_to: text(self.reply_to, &stored.reply_to),
            expiration: text(self.expiration, &stored.expiration),
            message_id: text(self.message_id, &stored.message_id),
            timestamp: self.timestamp.or(stored.timestamp),
            message_type: text(self.message_type, &stored.message_type),
            user_id: text(self.user_id, &stored.user_id),
            app_id: text(self.app_id, &stored.app_id),
            cluster_id: text(self.cluster_id, &stored.cluster_id),
        }
    }
}

#[expect(clippy::ref_option, reason = "both sides are fields of the same type")]
fn text(given: Option<String>, stored: &Option<String>) -> Option<String> {
    let is_said = |text: &String| !text.is_empty();
    given.filter(is_said).or_else(|| stored.clone().filter(is_said))
}

/// A message to send.
///
/// ```
/// use zato_amqp::{Message, Properties};
///
/// let message = Message::new(r#"{"order": 1}"#)
///     .exchange("orders")
///     .routing_key("orders.new")
///     .properties(Properties { content_type: Some("application/json".into()), ..Properties::default() })
///     .header("tenant", "acme");
/// assert_eq!(message.headers["tenant"].as_text(), Some("acme"));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Message {
    /// The body.
    pub body: Bytes,
    /// The exchange that routes it, up to 255 bytes. The empty one takes the routing key for the name of a queue.
    pub exchange: String,
    /// What the exchange routes it by, up to 255 bytes.
    pub routing_key: String,
    /// What is said of this message; the connection's own properties fill the gaps.
    pub properties: Properties,
    /// Its headers.
    pub headers: Headers,
    /// Whether it is fine that no queue takes the message. It is an error otherwise.
    pub may_be_unroutable: bool,
}

impl Message {
    /// A message with this body.
    #[must_use]
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    /// Names the exchange.
    #[must_use]
    pub fn exchange(self, exchange: impl Into<String>) -> Self {
        Self { exchange: exchange.into(), ..self }
    }

    /// Names the routing key.
    #[must_use]
    pub fn routing_key(self, routing_key: impl Into<String>) -> Self {
        Self { routing_key: routing_key.into(), ..self }
    }

    /// Sets all properties.
    #[must_use]
    pub fn properties(self, properties: Properties) -> Self {
        Self { properties, ..self }
    }

    /// Adds a header, or replaces the one of that name.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Says that it is fine if no queue takes the message, as with events that nobody may be interested in.
    #[must_use]
    pub fn may_be_unroutable(self) -> Self {
        Self { may_be_unroutable: true, ..self }
    }
}

/// A message that a consumer received.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Delivery {
    /// The body.
    pub body: Bytes,
    /// The exchange that routed it; empty for the default one.
    pub exchange: String,
    /// What it was routed by.
    pub routing_key: String,
    /// Whether the broker delivered it before, to us or to somebody else, without having it acknowledged.
    pub redelivered: bool,
    /// The broker's number of this delivery, which counts up while a connection lasts.
    pub delivery_tag: u64,
    /// What the sender says of it.
    pub properties: Properties,
    /// Its headers.
    pub headers: Headers,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_properties_fill_what_is_absent_empty_or_zero() {
        let stored = Properties {
            content_type: Some("text/plain".to_owned()),
            delivery_mode: Some(2),
            priority: Some(5),
            expiration: Some(String::new()),
            app_id: Some("zato".to_owned()),
            ..Properties::default()
        };
        let given = Properties {
            content_type: Some(String::new()),
            delivery_mode: Some(0),
            priority: Some(9),
            app_id: Some("crm".to_owned()),
            ..Properties::default()
        };
        let expected = Properties {
            content_type: Some("text/plain".to_owned()),
            delivery_mode: Some(2),
            priority: Some(9),
            app_id: Some("crm".to_owned()),
            ..Properties::default()
        };
        assert_eq!(given.or(&stored), expected);
    }
}
