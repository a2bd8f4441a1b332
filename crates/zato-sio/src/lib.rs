#![doc = include_str!("../README.md")]

pub mod schema;

mod elements;
mod error;
mod json;
mod json_write;
mod names;
mod scalar;
mod xml_read;
mod xml_write;

pub use elements::{Csv, Utc};
pub use error::{DecodeError, DecodeErrorKind, EncodeError, Found};
pub use json::{from_json, from_json_any, from_value};
pub use json_write::to_json;
pub use names::check_names;
pub use xml_read::from_xml;
pub use xml_write::{XML_LIST_END, to_xml, to_xml_children};

/// How deep lists, objects and elements may be nested, when decoding and when encoding alike.
pub const MAX_DEPTH: usize = 100;

type Result<T, E = DecodeError> = std::result::Result<T, E>;
