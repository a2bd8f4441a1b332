//! Peers that come late, go, and come back.

use std::time::Duration;

use tokio::net::TcpListener;
use zato_zmq::{ChannelKind, Outgoing, OutgoingConfig, OutgoingKind, SendError, Status};

use crate::peer::Peer;
use crate::support::{channel, is_down, next, outgoing, outgoing_config, until, within};

#[tokio::test]
async fn a_push_connection_waits_for_its_peer_and_finds_it_again() {
    let peer = Peer::bind("PULL", "").await;
    let address = peer.address();
    let port = peer.kill().await;
    let outgoing = outgoing(&address, OutgoingKind::Push);
    let sending = tokio::spawn({
        let outgoing = outgoing.clone();
        async move { outgoing.send("early").await }
    });
    let mut peer = Peer::bind_at("PULL", "", port).await;
    within(sending).await.unwrap().unwrap();
    assert_eq!(peer.receive().await, r#"["early"]"#);
    let port = peer.kill().await;

    // The library does not notice that the peer has gone, so that this message tests whether this crate does.
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(1100)).await;
    tokio::time::resume();
    let sending = tokio::spawn({
        let outgoing = outgoing.clone();
        async move { outgoing.send("again").await }
    });
    let mut peer = Peer::bind_at("PULL", "", port).await;
    within(sending).await.unwrap().unwrap();
    assert_eq!(peer.receive().await, r#"["again"]"#);
    outgoing.stop().await;
}

#[tokio::test]
async fn channels_notice_that_their_peer_has_gone_and_come_back_to_it() {
    for (kind, of_peer) in
        [(ChannelKind::Pull, "PUSH"), (ChannelKind::Subscribe { key: String::new() }, "XPUB")]
    {
        let mut peer = Peer::bind(of_peer, "").await;
        let (channel, mut received) = channel(&peer.address(), kind);
        if of_peer == "XPUB" {
            peer.receive().await;
        }
        peer.send(&["before"]).await;
        assert_eq!(next(&mut received).await, ["before"]);
        let port = peer.kill().await;
        let status = until(channel.watch_status(), is_down).await;
        assert_eq!(status.to_string(), "connecting: the peer closed the connection");
        let mut peer = Peer::bind_at(of_peer, "", port).await;
        if of_peer == "XPUB" {
            peer.receive().await;
        }
        peer.send(&["after"]).await;
        assert_eq!(next(&mut received).await, ["after"]);
        until(channel.watch_status(), |status| *status == Status::Connected).await;
        channel.stop().await;
    }
}

#[tokio::test]
async fn a_pull_channel_that_stops_takes_leave_of_its_peer() {
    let mut peer = Peer::bind("PUSH", "").await;
    let (first, mut received) = channel(&peer.address(), ChannelKind::Pull);
    peer.send(&["1"]).await;
    assert_eq!(next(&mut received).await, ["1"]);
    first.stop().await;
    // A peer that still had the old connection would give it every other message.
    peer.until_alone().await;
    let (second, mut received) = channel(&peer.address(), ChannelKind::Pull);
    for number in 2..10 {
        peer.send(&[&number.to_string()]).await;
        assert_eq!(next(&mut received).await, [number.to_string()]);
    }
    second.stop().await;
}

#[tokio::test]
async fn a_sender_without_a_peer_is_told_in_time() {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", socket.local_addr().unwrap());
    let config = outgoing_config(&address, OutgoingKind::Push);
    // This peer accepts and says nothing.
    let outgoing = Outgoing::start(OutgoingConfig { timeout: Duration::from_millis(200), ..config });
    let error = outgoing.send("x").await.unwrap_err();
    assert!(matches!(error, SendError::Unavailable { .. }), "{error}");
    let status = until(outgoing.watch_status(), is_down).await;
    assert_eq!(status.to_string(), "connecting: no peer within 5 seconds");
    within(outgoing.stop()).await;
}
