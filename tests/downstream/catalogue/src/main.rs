//! A program that uses `zato-catalogue` alone.
fn main() {}
