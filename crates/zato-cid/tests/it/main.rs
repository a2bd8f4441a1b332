//! Black-box tests of the public interface, one module a subject.

#![expect(clippy::unwrap_used, reason = "a test ends at the first thing that is not as it should be")]

mod allocation;
mod generator;
mod parse;
mod text;
