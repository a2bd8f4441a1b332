//! zstd of a server with another library: whole, streamed, in several frames, cut off, damaged, with windows of any size.

use std::fmt::Write as _;
use std::sync::OnceLock;

use bytes::Bytes;
use futures_util::TryStreamExt;
use zato_outgoing::{Call, CallError, Connection, Failure, Response};

use crate::support::peer::Peer;
use crate::support::{chain, cid, connection};

/// The largest window that RFC 9659 allows, as a power of two.
const LARGEST_WINDOW: u32 = 23;

/// The address of the one server of this process.
fn host() -> &'static str {
    static PEER: OnceLock<(Peer, String)> = OnceLock::new();
    let (_, host) = PEER.get_or_init(|| {
        let (peer, address) = Peer::python("zstd_server.py");
        (peer, format!("http://{address}"))
    });
    host
}

fn at(path: &str) -> Connection {
    connection(host(), path, |_| {})
}

/// What the server sends in so many lines.
fn lines(count: u64) -> String {
    (0..count).fold(String::new(), |mut text, number| {
        writeln!(text, "{number} {}", number * number).unwrap();
        text
    })
}

/// The reply read as a whole, and again piece by piece.
async fn both(path: &str) -> [Result<Bytes, CallError>; 2] {
    let crm = at(path);
    let whole = crm.conn().get(cid(), ()).await.map(|response| response.bytes().clone());
    let in_pieces = async {
        let response = crm.conn().get(cid(), ()).prefetch(false).await?;
        let pieces: Vec<Bytes> = response.into_stream().try_collect().await?;
        Ok(Bytes::from(pieces.concat()))
    };
    [whole, in_pieces.await]
}

#[track_caller]
fn check_content(path: &str, found: [Result<Bytes, CallError>; 2], count: u64) {
    for found in found {
        let found = found.unwrap_or_else(|error| panic!("{path}: {}", chain(&error)));
        assert!(found == lines(count).as_bytes(), "{path}: {} bytes of something else", found.len());
    }
}

async fn reply(call: Call) -> Response {
    let response = call.await.unwrap_or_else(|error| panic!("{}", chain(&error)));
    assert_eq!(response.status(), 200, "{}", response.text());
    response
}

#[tokio::test]
async fn it_is_zstd_that_is_sent() {
    for path in ["/whole/1000", "/streamed/3000", "/made/frames/3", "/made/window/20"] {
        let unread = connection(host(), path, |config| config.decompress = false);
        let raw = reply(unread.conn().get(cid(), ()).header("Accept-Encoding", "zstd")).await;
        assert_eq!(raw.header("Content-Encoding"), Some("zstd"), "{path}");
        // The magic number of a frame (RFC 8878, 3.1.1).
        assert!(raw.bytes().starts_with(&[0x28, 0xb5, 0x2f, 0xfd]), "{path}");
        let read = reply(at(path).conn().get(cid(), ())).await;
        assert_eq!((read.header("Content-Encoding"), read.header("Content-Length")), (None, None), "{path}");
    }
}

#[tokio::test]
async fn whole_replies() {
    // The last one is larger than any window.
    for count in [100, 10_000, 1_000_000] {
        let path = format!("/whole/{count}");
        check_content(&path, both(&path).await, count);
    }
}

#[tokio::test]
async fn streamed_replies() {
    for count in [1_000, 100_000] {
        let path = format!("/streamed/{count}");
        check_content(&path, both(&path).await, count);
    }
}

#[tokio::test]
async fn several_frames() {
    for frames in [1, 2, 30] {
        let path = format!("/made/frames/{frames}");
        check_content(&path, both(&path).await, frames * 1000);
    }
}

#[tokio::test]
async fn windows_of_every_size_that_is_allowed() {
    for window in [10, 17, LARGEST_WINDOW] {
        let path = format!("/made/window/{window}");
        check_content(&path, both(&path).await, 1000);
    }
}

/// A few bytes must not have this side allocate as much as they like.
#[tokio::test]
async fn larger_windows_are_refused() {
    for window in [LARGEST_WINDOW + 1, 27, 31] {
        for found in both(&format!("/made/window/{window}")).await {
            let error = found.expect_err("a window that is too large");
            assert!(matches!(error.kind(), Failure::Decompress(_)), "{window}: {error:?}");
        }
    }
}

#[tokio::test]
async fn replies_that_end_too_early() {
    for path in [
        "/made/window/20?cut=1",
        "/made/window/20?cut=1000",
        "/made/frames/2?cut=1",
        "/made/frames/2?cut=4690",
    ] {
        for found in both(path).await {
            let Err(error) = found else { panic!("{path}: half a reply is taken for a whole one") };
            assert!(matches!(error.kind(), Failure::CutOff(_)), "{path}: {error:?}");
            assert!(error.may_have_been_sent(), "{path}: {error:?}");
        }
    }
}

#[tokio::test]
async fn damaged_replies() {
    for found in both("/made/damaged").await {
        let error = found.expect_err("a wrong checksum");
        assert!(matches!(error.kind(), Failure::Decompress(_)), "{error:?}");
    }
}
