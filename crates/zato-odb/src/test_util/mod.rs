//! What tests of this crate and of the crates above need.

pub mod postgres;
