//! A correlation id as a string of serde. Knows no data format.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Cid;

impl Serialize for Cid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Cid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(CidVisitor)
    }
}

struct CidVisitor;

impl Visitor<'_> for CidVisitor {
    type Value = Cid;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a correlation id")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Cid, E> {
        text.parse().map_err(E::custom)
    }
}
