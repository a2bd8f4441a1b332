//! What a broker gets, and what a sender is told.

use lapin::types::AMQPValue;
use zato_amqp::test_util::{Broker, Inspector};
use zato_amqp::{Message, Outgoing, Properties, SendError, Status, Value};
use zato_connections::Named;

use crate::support::{cid, outgoing, outgoing_config, send, until};

#[tokio::test]
async fn a_message_is_in_its_queue_when_send_returns() {
    let definition = Broker::shared().vhost();
    let inspector = Inspector::new(&definition).await.unwrap();
    inspector.queue("orders", &[]).await.unwrap();
    let mut config = outgoing_config(&definition);
    config.properties.content_type = Some("text/plain".to_owned());
    config.properties.app_id = Some("zato".to_owned());
    let outgoing = Outgoing::start(config);
    let message = Message::new("{}")
        .routing_key("orders")
        .properties(Properties {
            content_type: Some("application/json".to_owned()),
            correlation_id: Some("c1".to_owned()),
            ..Properties::default()
        })
        .header("tenant", "acme")
        .header("parts", vec![Value::from(1), Value::from(true)]);
    outgoing.send(cid(), message).await.unwrap();

    let delivery = inspector.get("orders").await.unwrap().unwrap();
    assert_eq!(delivery.data, b"{}");
    let properties = &delivery.properties;
    assert_eq!(properties.content_type().as_ref().unwrap().as_str(), "application/json");
    assert_eq!(properties.app_id().as_ref().unwrap().as_str(), "zato");
    assert_eq!(properties.correlation_id().as_ref().unwrap().as_str(), "c1");
    assert_eq!((*properties.delivery_mode(), *properties.priority()), (Some(2), None));
    let headers = properties.headers().as_ref().unwrap().inner();
    let text = |name: &str| match headers.get(name) {
        Some(AMQPValue::LongString(text)) => text.to_string(),
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(text("tenant"), "acme");
    assert_eq!(text("X-Zato-CID"), cid().to_string());
    assert_eq!(text("X-Zato-Component"), "out-amqp/esb1/esb1.example.com/21358/main");
    // As in 2013-04-26T23:41:45.271911.
    let sent = text("X-Zato-Msg-TS");
    assert!(sent.len() == 26 && sent.as_bytes()[10] == b'T' && sent.as_bytes()[19] == b'.', "{sent}");
    outgoing.stop().await;
    assert_eq!(outgoing.status(), Status::Stopped);
}

#[tokio::test]
async fn headers_of_the_caller_win() {
    let definition = Broker::shared().vhost();
    let inspector = Inspector::new(&definition).await.unwrap();
    inspector.queue("orders", &[]).await.unwrap();
    inspector.fanout("all", "orders").await.unwrap();
    let message =
        Message::new("x").exchange("all").header("X-Zato-CID", "mine").header("X-Zato-Msg-TS", "now");
    outgoing(&definition).send(cid(), message).await.unwrap();
    let delivery = inspector.get("orders").await.unwrap().unwrap();
    let headers = delivery.properties.headers().as_ref().unwrap().inner().clone();
    assert_eq!(headers.get("X-Zato-CID"), Some(&AMQPValue::LongString("mine".into())));
    assert_eq!(headers.get("X-Zato-Msg-TS"), Some(&AMQPValue::LongString("now".into())));
    assert_eq!(delivery.exchange.as_str(), "all");
}

#[tokio::test]
async fn a_message_that_no_queue_takes_is_an_error_unless_it_may_be() {
    let definition = Broker::shared().vhost();
    let outgoing = outgoing(&definition);
    let error = send(&outgoing, "nowhere", "x").await.unwrap_err();
    assert!(
        matches!(&error, SendError::Unroutable { routing_key, .. } if &**routing_key == "nowhere"),
        "{error}"
    );
    assert!(!error.may_have_been_sent());
    let event = Message::new("x").routing_key("nowhere").may_be_unroutable();
    outgoing.send(cid(), event).await.unwrap();
}

#[tokio::test]
async fn an_unknown_exchange_harms_nothing_but_its_messages() {
    let definition = Broker::shared().vhost();
    let inspector = Inspector::new(&definition).await.unwrap();
    inspector.queue("orders", &[]).await.unwrap();
    let outgoing = outgoing(&definition);
    let lost = || outgoing.send(cid(), Message::new("x").exchange("missing"));
    let sent = || send(&outgoing, "orders", "x");
    let (first, second, third, fourth) = tokio::join!(sent(), lost(), sent(), lost());
    assert_eq!((first, third), (Ok(()), Ok(())));
    for error in [second.unwrap_err(), fourth.unwrap_err()] {
        assert!(matches!(error, SendError::Refused { .. }), "{error}");
        assert!(error.to_string().contains("no exchange 'missing'"), "{error}");
    }
    // The exchange may come into being.
    inspector.fanout("missing", "orders").await.unwrap();
    lost().await.unwrap();
    assert_eq!(inspector.counts("orders").await.unwrap().0, 3);
    assert_eq!(outgoing.status(), Status::Connected);
}

#[tokio::test]
async fn a_queue_that_is_full_rejects() {
    let definition = Broker::shared().vhost();
    let inspector = Inspector::new(&definition).await.unwrap();
    let limit = [
        ("x-max-length", AMQPValue::LongInt(1)),
        ("x-overflow", AMQPValue::LongString("reject-publish".into())),
    ];
    inspector.queue("short", &limit).await.unwrap();
    let outgoing = outgoing(&definition);
    send(&outgoing, "short", "1").await.unwrap();
    let error = send(&outgoing, "short", "2").await.unwrap_err();
    assert_eq!(error, SendError::Rejected { connection: "Orders".into() });
}

#[tokio::test]
async fn many_messages_at_once_all_arrive() {
    let definition = Broker::shared().vhost();
    let inspector = Inspector::new(&definition).await.unwrap();
    inspector.queue("orders", &[]).await.unwrap();
    let outgoing = outgoing(&definition);
    // More than may wait for confirmation at once.
    let numbers: Vec<String> = (0..3000).map(|number| number.to_string()).collect();
    let sends = numbers.iter().map(|number| send(&outgoing, "orders", number));
    assert!(futures_util::future::join_all(sends).await.iter().all(Result::is_ok));
    assert_eq!(inspector.counts("orders").await.unwrap().0, 3000);
}

#[tokio::test]
async fn a_wrong_password_is_told_in_status_and_error() {
    let mut definition = Broker::shared().vhost();
    definition.password = "wrong-password-55d0".into();
    let mut config = outgoing_config(&definition);
    config.timeout = std::time::Duration::from_secs(8);
    let outgoing = Outgoing::start(config);
    let status = until(outgoing.watch_status(), |status| matches!(status, Status::Disconnected { .. })).await;
    assert!(status.to_string().starts_with("connecting: ACCESS_REFUSED"), "{status}");
    let error = send(&outgoing, "orders", "x").await.unwrap_err();
    assert!(matches!(error, SendError::Unavailable { .. }) && !error.may_have_been_sent());
    assert!(
        error.to_string().contains("ACCESS_REFUSED") && !format!("{error:?}").contains("55d0"),
        "{error}"
    );
    assert!(!format!("{outgoing:?}").contains("55d0"));
    // What a change of the password does: another connection takes over, with the right one.
    definition.password = zato_amqp::test_util::PASSWORD.into();
    let changed = self::outgoing(&definition);
    until(changed.watch_status(), |status| *status == Status::Connected).await;
    outgoing.stop().await;
}

#[tokio::test]
async fn an_inactive_connection_does_not_connect() {
    let definition = Broker::shared().vhost();
    let outgoing =
        Outgoing::start(zato_amqp::OutgoingConfig { is_active: false, ..outgoing_config(&definition) });
    assert_eq!((outgoing.status(), outgoing.is_active()), (Status::Inactive, false));
    let error = send(&outgoing, "orders", "x").await.unwrap_err();
    assert!(error.to_string().ends_with("is not connected to its broker: inactive"), "{error}");
    outgoing.stop().await;
}

#[tokio::test]
async fn a_retired_connection_settles_what_is_under_way() {
    let definition = Broker::shared().vhost();
    let inspector = Inspector::new(&definition).await.unwrap();
    inspector.queue("orders", &[]).await.unwrap();
    let outgoing = outgoing(&definition);
    until(outgoing.watch_status(), |status| *status == Status::Connected).await;
    let sending: Vec<_> = (0..100).map(|_| send(&outgoing, "orders", "x")).collect();
    let (outcomes, ()) = tokio::join!(futures_util::future::join_all(sending), async {
        tokio::task::yield_now().await;
        outgoing.retire();
    });
    let arrived = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(inspector.counts("orders").await.unwrap().0 as usize, arrived);
    assert!(
        outcomes.iter().flat_map(|outcome| outcome.as_ref().err()).all(|error| !error.may_have_been_sent())
    );
    until(outgoing.watch_status(), |status| *status == Status::Stopped).await;
}
