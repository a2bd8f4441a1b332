//! Tests of outgoing calls with servers and clients that are not this project's; everything is in `it/`.
