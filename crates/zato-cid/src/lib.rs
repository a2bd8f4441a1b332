//! Correlation ids: generate, parse and format.
