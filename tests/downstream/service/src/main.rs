//! A program that uses `zato-service` alone.
fn main() {}
