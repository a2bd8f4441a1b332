//! The key/value store: the interface and an embedded, durable implementation.
