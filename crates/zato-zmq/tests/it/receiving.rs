//! What channels get from libzmq.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::Semaphore;
use zato_zmq::{ChannelKind, Status};

use crate::peer::Peer;
use crate::support::{channel, channel_config, channel_that, next, within};

#[tokio::test]
async fn a_push_peer_is_heard() {
    let mut peer = Peer::bind("PUSH", "").await;
    let (channel, mut received) = channel(&peer.address(), ChannelKind::Pull);
    peer.send(&["one"]).await;
    peer.send(&["two", "", "parts"]).await;
    assert_eq!(next(&mut received).await, ["one"]);
    assert_eq!(next(&mut received).await, ["two", "", "parts"]);
    assert_eq!(channel.status(), Status::Connected);
    channel.stop().await;
    assert_eq!(channel.status(), Status::Stopped);
}

#[tokio::test]
async fn a_pub_peer_is_heard_as_far_as_it_was_subscribed_to() {
    for (key, expected) in [("price.", &["price.eur"][..]), ("", &["weather", "price.eur"][..])] {
        // This kind of publisher hears of subscriptions.
        let mut peer = Peer::bind("XPUB", "").await;
        let (channel, mut received) =
            channel(&peer.address(), ChannelKind::Subscribe { key: key.to_owned() });
        assert_eq!(peer.receive().await, format!("[\"\\u0001{key}\"]"));
        peer.send(&["weather", "sun"]).await;
        peer.send(&["price.eur", "1"]).await;
        for first in expected {
            assert_eq!(next(&mut received).await[0], *first);
        }
        channel.stop().await;
    }
}

#[tokio::test]
async fn no_more_is_in_hand_than_allowed_and_all_is_handled_before_the_end() {
    let mut peer = Peer::bind("PUSH", "").await;
    let (gate, handled) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let (opened, count) = (Arc::clone(&gate), Arc::clone(&handled));
    let config = channel_config(&peer.address(), ChannelKind::Pull);
    let (channel, mut received) = channel_that(config, move || {
        let (gate, handled) = (Arc::clone(&gate), Arc::clone(&handled));
        async move {
            gate.acquire().await.unwrap().forget();
            handled.fetch_add(1, SeqCst);
        }
        .boxed()
    });
    for number in 0..6 {
        peer.send(&[&number.to_string()]).await;
    }
    for number in 0..4 {
        assert_eq!(next(&mut received).await, [number.to_string()]);
    }
    assert!(received.try_recv().is_err());
    opened.add_permits(1);
    assert_eq!(next(&mut received).await, ["4"]);
    channel.begin_stop();
    opened.add_permits(10);
    within(channel.stop()).await;
    assert!((5..=6).contains(&count.load(SeqCst)), "{count:?}");
}

#[tokio::test]
async fn a_handler_that_hangs_or_panics_ends_with_the_grace() {
    let mut peer = Peer::bind("PUSH", "").await;
    let mut config = channel_config(&peer.address(), ChannelKind::Pull);
    config.grace = Duration::from_millis(50);
    let calls = Arc::new(AtomicUsize::new(0));
    let (channel, mut received) = channel_that(config, move || {
        let is_first = calls.fetch_add(1, SeqCst) == 0;
        async move {
            assert!(!is_first, "a panic on purpose");
            std::future::pending::<()>().await;
        }
        .boxed()
    });
    peer.send(&["panics"]).await;
    peer.send(&["hangs"]).await;
    assert_eq!(next(&mut received).await, ["panics"]);
    assert_eq!(next(&mut received).await, ["hangs"]);
    within(channel.stop()).await;
}
