//! What the operating system tells a server.
//!
//! Owns which signals are heeded. It must not know how a server stops.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that stop a server, and the one that does not. From the moment that this is made, none of them ends the
/// process by itself.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The name of the first one that stops the server. The others are logged.
    pub(crate) async fn stop(&mut self) -> &'static str {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return "SIGTERM",
                _ = self.interrupt.recv() => return "SIGINT",
                // Most servers read their configuration again. This one has it in the database, follows the files of its
                // certificates, and has all else from its start.
                _ = self.hangup.recv() => {
                    tracing::info!("SIGHUP changes nothing: there is nothing to read again that is not followed anyway");
                }
            }
        }
    }
}
