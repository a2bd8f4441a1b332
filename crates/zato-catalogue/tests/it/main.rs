//! What must hold for the catalogue as users of the crate see it.

mod descriptors;
mod documents;
mod requests;
mod wire;
