//! A peer that speaks with libzmq.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use zato_test_port::Port;

use crate::support::within;

/// A bound socket in a process of its own, which ends with this value.
pub(crate) struct Peer {
    port: Port,
    process: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Peer {
    /// A socket of this kind.
    pub(crate) async fn bind(kind: &str, subscription: &str) -> Self {
        Self::bind_at(kind, subscription, Port::reserve()).await
    }

    /// A socket of this kind at a port that another one may have been at.
    pub(crate) async fn bind_at(kind: &str, subscription: &str, port: Port) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/peer.py");
        let mut process = Command::new(interpreter())
            .arg(script)
            .args([kind, &port.number().to_string(), subscription])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let orders = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut peer = Self { port, process, orders, answers };
        assert_eq!(peer.answer().await, "null");
        peer
    }

    pub(crate) fn address(&self) -> String {
        format!("tcp://{}", self.port.address())
    }

    /// Sends a message.
    pub(crate) async fn send(&mut self, frames: &[&str]) {
        let frames: Vec<String> = frames.iter().map(|frame| format!("{frame:?}")).collect();
        self.order(&format!("{{\"send\": [{}]}}", frames.join(", "))).await;
    }

    /// The next message, as a JSON list of its frames.
    pub(crate) async fn receive(&mut self) -> String {
        self.order("{\"receive\": true}").await;
        self.answer().await
    }

    /// Waits until the peer, which must be one that sends, has nobody left to send to.
    pub(crate) async fn until_alone(&mut self) {
        self.order("{\"alone\": true}").await;
        assert_eq!(self.answer().await, "null");
    }

    async fn answer(&mut self) -> String {
        within(self.answers.next_line()).await.unwrap().expect("the peer is there")
    }

    async fn order(&mut self, order: &str) {
        self.orders.write_all(format!("{order}\n").as_bytes()).await.unwrap();
    }

    /// Ends the peer as a crash would. Its port is left.
    pub(crate) async fn kill(mut self) -> Port {
        self.process.kill().await.unwrap();
        self.port
    }
}

/// The Python of the black-box tests.
fn interpreter() -> PathBuf {
    if let Some(given) = std::env::var_os("ZATO_TEST_PYTHON") {
        return given.into();
    }
    let this = std::env::current_exe().unwrap();
    let target = this.ancestors().nth(3).expect("tests are built into target/<profile>/deps");
    let python = target.join("python/bin/python");
    assert!(python.exists(), "{} is missing: run cargo xtask test, which makes it", python.display());
    python
}
