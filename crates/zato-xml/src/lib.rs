#![doc = include_str!("../README.md")]

mod characters;
mod cursor;
mod declaration;
mod document;
mod error;
pub mod escape;
mod limits;
mod namespaces;
mod node;
mod position;
mod reader;
mod references;

pub use characters::is_name;
pub use document::Document;
pub use error::{Malformed, ReadError};
pub use limits::Limits;
pub use namespaces::XML_NAMESPACE;
pub use node::{Attribute, Attributes, Children, Descendants, ExpandedName, Node};
pub use position::Position;
pub use reader::parse;
