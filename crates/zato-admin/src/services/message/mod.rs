//! `zato.message`: places in messages under a name.
//!
//! Owns which kinds of such places there are. It must not know who looks there.

pub(crate) mod json_pointer;
mod namespace;
pub(crate) mod xpath;
