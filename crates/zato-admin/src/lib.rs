//! The internal services of the public API, one module per catalogue family.
