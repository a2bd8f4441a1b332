//! A program that uses `zato-kvdb` alone.
fn main() {}
