//! Black-box tests of the real binary; everything is in `it/`.
