//! A program that uses `zato-cid` alone.
fn main() {}
