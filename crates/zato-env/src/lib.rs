#![doc = include_str!("../README.md")]

mod envelope;
mod frame;
mod page;
mod read;
mod report;

pub use envelope::{NAMESPACE, Outcome, UnknownOutcome, ZatoEnv};
pub use frame::{InvalidName, JsonFrame, XmlFrame, write_json_error};
pub use page::Page;
pub use read::{JsonReply, ReadError, XmlPayload, XmlReply, read_json, read_xml};
pub use report::Report;
