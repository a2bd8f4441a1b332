//! A program that uses `zato-odb` alone.
fn main() {}
