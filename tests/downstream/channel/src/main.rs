//! A program that uses `zato-channel` alone.
fn main() {}
