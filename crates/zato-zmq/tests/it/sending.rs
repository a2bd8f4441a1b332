//! What libzmq gets from outgoing connections.

use zato_connections::Named;
use zato_zmq::{Message, Outgoing, OutgoingConfig, OutgoingKind, SendError, Status};

use crate::peer::Peer;
use crate::support::{outgoing, outgoing_config, until};

#[tokio::test]
async fn a_pull_peer_gets_messages_in_order() {
    let mut peer = Peer::bind("PULL", "").await;
    let outgoing = outgoing(&peer.address(), OutgoingKind::Push);
    outgoing.send("zażółć").await.unwrap();
    outgoing.send(Message::multipart(["order", "", "{}"])).await.unwrap();
    outgoing.send("x".repeat(100_000)).await.unwrap();
    assert_eq!(peer.receive().await, "[\"za\\u017c\\u00f3\\u0142\\u0107\"]");
    assert_eq!(peer.receive().await, r#"["order", "", "{}"]"#);
    assert_eq!(peer.receive().await.len(), 100_004);
    // What is sent last arrives although the connection ends at once.
    outgoing.send("last").await.unwrap();
    outgoing.stop().await;
    assert_eq!(peer.receive().await, r#"["last"]"#);
    assert_eq!(outgoing.status(), Status::Stopped);
}

#[tokio::test]
async fn a_sub_peer_gets_what_it_subscribed_to() {
    let mut peer = Peer::bind("SUB", "price.").await;
    let outgoing = outgoing(&peer.address(), OutgoingKind::Publish);
    outgoing.send(Message::multipart(["weather", "sun"])).await.unwrap();
    outgoing.send(Message::multipart(["price.eur", "1"])).await.unwrap();
    outgoing.send("price.usd 2").await.unwrap();
    assert_eq!(peer.receive().await, r#"["price.eur", "1"]"#);
    assert_eq!(peer.receive().await, r#"["price.usd 2"]"#);
    outgoing.stop().await;
}

#[tokio::test]
async fn what_can_not_be_sent_is_an_error() {
    let peer = Peer::bind("PULL", "").await;
    let config = outgoing_config(&peer.address(), OutgoingKind::Push);
    let inactive = Outgoing::start(OutgoingConfig { is_active: false, ..config.clone() });
    let error = inactive.send("x").await.unwrap_err();
    assert!(matches!(&error, SendError::Unavailable { reason, .. } if &**reason == "inactive"), "{error}");
    let outgoing = Outgoing::start(config);
    assert_eq!(outgoing.send(Message::multipart::<&str>([])).await, Err(SendError::Empty));
    outgoing.send("x").await.unwrap();
    outgoing.retire();
    until(outgoing.watch_status(), |status| *status == Status::Stopped).await;
    let error = outgoing.send("x").await.unwrap_err();
    assert!(error.to_string().ends_with("could not send the message: stopped"), "{error}");
}

#[tokio::test]
async fn an_address_that_is_none_is_told() {
    let outgoing = outgoing("carrier-pigeon://here", OutgoingKind::Push);
    let status = until(outgoing.watch_status(), crate::support::is_down).await;
    assert!(status.to_string().starts_with("connecting: Endpoint Error"), "{status}");
    outgoing.stop().await;
}
