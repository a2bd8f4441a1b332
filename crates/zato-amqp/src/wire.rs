//! Between this crate's messages and the client library's.
//!
//! Owns the translation in both directions and AMQP's limit of 255 bytes for names and short texts. It must not know
//! connections.

use std::collections::BTreeMap;

use lapin::BasicProperties;
use lapin::types::{AMQPValue, DecimalValue, FieldArray, FieldTable, LongString, ShortString};

use crate::error::SendError;
use crate::message::{Delivery, Headers, Properties};
use crate::value::Value;

/// A text that AMQP limits to 255 bytes.
pub(crate) fn short(field: &str, text: impl Into<String>) -> Result<ShortString, SendError> {
    ShortString::try_new(text).map_err(|_| SendError::TooLong { field: field.into() })
}

/// What goes out with a message.
pub(crate) fn to_wire(properties: Properties, headers: Headers) -> Result<BasicProperties, SendError> {
    let mut wire = BasicProperties::default().with_headers(table(headers)?);
    macro_rules! texts {
        ($($field:ident => $with:ident,)*) => {
            $(
                if let Some(text) = properties.$field {
                    wire = wire.$with(short(stringify!($field), text)?);
                }
            )*
        };
    }
    texts! {
        content_type => with_content_type,
        content_encoding => with_content_encoding,
        correlation_id => with_correlation_id,
        reply_to => with_reply_to,
        expiration => with_expiration,
        message_id => with_message_id,
        message_type => with_type,
        user_id => with_user_id,
        app_id => with_app_id,
        cluster_id => with_cluster_id,
    }
    if let Some(delivery_mode) = properties.delivery_mode {
        wire = wire.with_delivery_mode(delivery_mode);
    }
    if let Some(priority) = properties.priority {
        wire = wire.with_priority(priority);
    }
    if let Some(timestamp) = properties.timestamp {
        wire = wire.with_timestamp(timestamp);
    }
    Ok(wire)
}

/// What a consumer received.
pub(crate) fn from_wire(delivery: &mut lapin::message::Delivery) -> Delivery {
    let wire = &delivery.properties;
    let text = |text: &Option<ShortString>| text.as_ref().map(ToString::to_string);
    Delivery {
        body: std::mem::take(&mut delivery.data).into(),
        exchange: delivery.exchange.to_string(),
        routing_key: delivery.routing_key.to_string(),
        redelivered: delivery.redelivered,
        delivery_tag: delivery.delivery_tag,
        properties: Properties {
            content_type: text(wire.content_type()),
            content_encoding: text(wire.content_encoding()),
            delivery_mode: *wire.delivery_mode(),
            priority: *wire.priority(),
            correlation_id: text(wire.correlation_id()),
            reply_to: text(wire.reply_to()),
            expiration: text(wire.expiration()),
            message_id: text(wire.message_id()),
            timestamp: *wire.timestamp(),
            message_type: text(wire.kind()),
            user_id: text(wire.user_id()),
            app_id: text(wire.app_id()),
            cluster_id: text(wire.cluster_id()),
        },
        headers: wire.headers().as_ref().map(headers).unwrap_or_default(),
    }
}

fn table(headers: Headers) -> Result<FieldTable, SendError> {
    let mut table = BTreeMap::new();
    for (name, value) in headers {
        table.insert(short("the name of a header", name)?, to_amqp(value)?);
    }
    Ok(table.into())
}

fn to_amqp(value: Value) -> Result<AMQPValue, SendError> {
    Ok(match value {
        Value::Null => AMQPValue::Void,
        Value::Bool(value) => AMQPValue::Boolean(value),
        Value::Integer(value) => AMQPValue::LongLongInt(value),
        Value::Float(value) => AMQPValue::Double(value),
        Value::Decimal { digits, scale } => AMQPValue::DecimalValue(DecimalValue { scale, value: digits }),
        Value::Text(text) => AMQPValue::LongString(text.into()),
        Value::Bytes(bytes) => AMQPValue::ByteArray(bytes.into()),
        Value::Timestamp(seconds) => AMQPValue::Timestamp(seconds),
        Value::List(values) => {
            let values: Result<Vec<AMQPValue>, SendError> = values.into_iter().map(to_amqp).collect();
            AMQPValue::FieldArray(FieldArray::from(values?))
        }
        Value::Table(values) => AMQPValue::FieldTable(table(values)?),
    })
}

fn headers(table: &FieldTable) -> Headers {
    table.into_iter().map(|(name, value)| (name.to_string(), from_amqp(value))).collect()
}

fn from_amqp(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::Void => Value::Null,
        AMQPValue::Boolean(value) => Value::Bool(*value),
        AMQPValue::ShortShortInt(value) => Value::Integer((*value).into()),
        AMQPValue::ShortShortUInt(value) => Value::Integer((*value).into()),
        AMQPValue::ShortInt(value) => Value::Integer((*value).into()),
        AMQPValue::ShortUInt(value) => Value::Integer((*value).into()),
        AMQPValue::LongInt(value) => Value::Integer((*value).into()),
        AMQPValue::LongUInt(value) => Value::Integer((*value).into()),
        AMQPValue::LongLongInt(value) => Value::Integer(*value),
        AMQPValue::Float(value) => Value::Float((*value).into()),
        AMQPValue::Double(value) => Value::Float(*value),
        AMQPValue::DecimalValue(value) => Value::Decimal { digits: value.value, scale: value.scale },
        AMQPValue::ShortString(text) => Value::Text(text.to_string()),
        AMQPValue::LongString(text) => from_bytes(text),
        AMQPValue::ByteArray(bytes) => Value::Bytes(bytes.as_slice().to_vec()),
        AMQPValue::Timestamp(seconds) => Value::Timestamp(*seconds),
        AMQPValue::FieldArray(values) => Value::List(values.as_slice().iter().map(from_amqp).collect()),
        AMQPValue::FieldTable(table) => Value::Table(headers(table)),
    }
}

/// AMQP has one type for texts and for bytes.
fn from_bytes(text: &LongString) -> Value {
    match std::str::from_utf8(text.as_bytes()) {
        Ok(text) => Value::Text(text.to_owned()),
        Err(_) => Value::Bytes(text.as_bytes().to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Integer),
            any::<i32>().prop_map(|value| Value::Float(value.into())),
            any::<(u32, u8)>().prop_map(|(digits, scale)| Value::Decimal { digits, scale }),
            ".{0,40}".prop_map(Value::Text),
            any::<Vec<u8>>().prop_map(Value::Bytes),
            any::<u64>().prop_map(Value::Timestamp),
        ];
        leaf.prop_recursive(3, 20, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::List),
                proptest::collection::btree_map("[a-z]{1,8}", inner, 0..5).prop_map(Value::Table),
            ]
        })
    }

    fn any_properties() -> impl Strategy<Value = Properties> {
        let text = || proptest::option::of("[ -~]{0,60}");
        let texts = (text(), text(), text(), text(), text(), text(), text(), text(), text(), text());
        let numbers = any::<(Option<u8>, Option<u8>, Option<u64>)>();
        (texts, numbers).prop_map(|(t, (delivery_mode, priority, timestamp))| Properties {
            content_type: t.0,
            content_encoding: t.1,
            delivery_mode,
            priority,
            correlation_id: t.2,
            reply_to: t.3,
            expiration: t.4,
            message_id: t.5,
            timestamp,
            message_type: t.6,
            user_id: t.7,
            app_id: t.8,
            cluster_id: t.9,
        })
    }

    proptest! {
        #[test]
        fn what_is_sent_is_what_is_received(
            properties in any_properties(),
            headers in proptest::collection::btree_map(".{0,60}", any_value(), 0..5),
            body in any::<Vec<u8>>(),
        ) {
            let empty = || ShortString::try_new("").unwrap();
            let mut received = lapin::message::Delivery::mock(7, empty(), empty(), true, body.clone());
            received.properties = to_wire(properties.clone(), headers.clone()).unwrap();
            let delivery = from_wire(&mut received);
            prop_assert_eq!(delivery.properties, properties);
            prop_assert_eq!(delivery.headers, headers);
            prop_assert_eq!(delivery.body, body);
        }
    }

    #[test]
    fn what_is_too_long_is_an_error_that_names_it() {
        let properties = Properties { app_id: Some("x".repeat(256)), ..Properties::default() };
        let error = to_wire(properties, Headers::new()).unwrap_err();
        assert_eq!(error, SendError::TooLong { field: "app_id".into() });
        let headers = Headers::from([("h".repeat(256), Value::Null)]);
        let error = to_wire(Properties::default(), headers).unwrap_err();
        assert_eq!(error, SendError::TooLong { field: "the name of a header".into() });
    }
}
