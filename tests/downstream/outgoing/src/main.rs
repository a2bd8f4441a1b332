//! A program that uses `zato-outgoing` alone.
fn main() {}
