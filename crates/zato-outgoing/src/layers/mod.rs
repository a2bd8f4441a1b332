//! The layers of the outgoing stack, one a module: each a `XLayer`, a service `X<S>` and, where it waits for something, a
//! named future.
//!
//! Every layer works on `http` requests and can be used in any tower stack. What is particular to one call travels in the
//! request's extensions, and each layer says which ones it reads. How this crate puts them together is in
//! `src/stack.rs`; the order and its reasons are in `docs/layers.md`.

pub mod auth;
pub(crate) mod authentication;
pub mod aws;
pub mod breaker;
pub mod cookies;
pub mod decompress;
pub mod digest;
pub mod metrics;
pub mod oauth;
pub mod optional;
pub mod phase_timeout;
pub mod prefetch;
pub mod redirect;
pub mod replay;
pub mod retry;
pub mod soap;
pub mod timeout;
pub mod timing;
pub mod trace;
pub mod zato_headers;
