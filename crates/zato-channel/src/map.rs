//! The maps that requests are looked up in.
//!
//! Owns which kind of map and which hash that is. It must not know what is looked up.
//!
//! The hash is a fast one, with keys drawn when the process starts. Callers choose what is looked up but not what is in a
//! map, so a hash that is strong against those who fill maps would cost each call time for nothing.

use std::hash::Hash;

use foldhash::quality::RandomState;
use rpds::HashTrieMapSync;

/// A persistent map: copies share what they have in common.
pub(crate) type Map<K, V> = HashTrieMapSync<K, V, RandomState>;

pub(crate) fn empty<K: Eq + Hash, V>() -> Map<K, V> {
    Map::new_with_hasher_and_ptr_kind(RandomState::default())
}
