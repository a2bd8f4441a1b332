//! What the operating system tells a server.
//!
//! Owns which signals are heeded. It must not know how a server stops.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that stop a server. From the moment that this is made, none of them ends the process.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The name of the first one that comes.
    pub(crate) async fn recv(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
