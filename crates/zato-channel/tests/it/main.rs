//! The dispatcher as a whole, called without sockets.

#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod audit;
mod bodies;
mod change;
mod errors;
mod formats;
mod pages;
mod pieces;
mod rbac;
mod routing;
mod scale;
mod security;
mod support;
mod throttle;
mod timing;
mod told;
mod traffic;
