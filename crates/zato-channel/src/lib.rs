//! Inbound channels: routing, security checks, decoding, encoding and the error-to-response map.
