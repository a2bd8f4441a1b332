//! What bad input gets: a clear error with a correlation id, a line in the log, and a server that goes on.

mod bodies;
mod bytes;
mod flood;
mod random;
mod smuggling;
mod wire;

use crate::support::{Server, eventually};

/// Every error leaves a line with its correlation id, so that what a caller reports can be looked up.
#[track_caller]
fn is_logged(server: &Server, cid: &str) {
    eventually(&format!("a log line with {cid}"), || server.log_lines(&[cid]).pop());
}

/// The server is there and has not changed.
#[track_caller]
fn still_works(server: &Server) {
    server.request("GET", "/zato/ping").send().status(200);
}
