//! The integration server: configuration, wiring, listener, event follower and shutdown.
