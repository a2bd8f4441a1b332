//! Sessions on a real server: ProFTPD, of Debian's package, in a temporary folder.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod sessions;
