//! A program that uses `zato-sio` alone.
fn main() {}
