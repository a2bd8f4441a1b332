//! What is stored and reported of recorded calls, against an independent computation; and what noting a call costs.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cost;
mod exchanges;
mod figures;
mod outages;
mod support;
