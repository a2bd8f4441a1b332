//! A program that uses `zato-env` alone.
fn main() {}
