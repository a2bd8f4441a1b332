//! A program that uses `zato-soap` alone.
fn main() {}
