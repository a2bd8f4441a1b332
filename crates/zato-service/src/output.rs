//! What a service answers, ready to be encoded in the format that the caller speaks.
//!
//! Owns the seam between a typed reply and its encoders. It must not know envelopes: they are written around it.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::HeaderValue;
use serde::Serialize;
use serde_json::Value;
use zato_env::Page;
use zato_sio::EncodeError;

use crate::Error;

/// A reply that can be written in every format.
///
/// Implemented for every `Serialize` type, for [`Raw`] and for [`Items`](crate::Items).
pub trait Output: Send {
    /// Appends the reply as a JSON document.
    ///
    /// # Errors
    /// The value has no JSON form.
    fn write_json(&self, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// Appends the reply as XML: an `item`, an `item_list`, or nothing for a reply without payload.
    ///
    /// # Errors
    /// The value has no XML form.
    fn write_xml(&self, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// The reply as a value, for the service that invoked this one.
    ///
    /// # Errors
    /// The value has no JSON form.
    fn to_value(&self) -> Result<Value, Error>;

    /// The reply's own bytes, if it is not to be encoded.
    fn raw(&self) -> Option<&Raw> {
        None
    }

    /// Which page of a list the reply is, if it is one. It is written beside the payload.
    fn page(&self) -> Option<&Page> {
        None
    }

    /// The reply as a list of which only a batch is at hand; none of a reply that is whole. The methods above see the batch
    /// that is at hand.
    fn batches(&mut self) -> Option<&mut dyn Batches> {
        None
    }
}

/// A list of which only a batch is at hand. [`Items`](crate::Items) is one.
pub trait Batches: Send {
    /// Puts the next batch in the place of the one at hand. `false` if there was none left; a batch that there is has items.
    ///
    /// # Errors
    /// The batch can't be read. There is none left then.
    fn next(&mut self) -> BoxFuture<'_, Result<bool, Error>>;

    /// Adds all that is left to the batch at hand, so that the list is whole.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    fn complete(&mut self) -> BoxFuture<'_, Result<(), Error>>;

    /// Appends the items at hand as the items of a JSON array, without what encloses one.
    ///
    /// # Errors
    /// An item has no JSON form.
    fn write_json_items(&self, out: &mut Vec<u8>) -> Result<(), EncodeError>;

    /// Appends the items at hand as XML, each an `item`, without what encloses a list.
    ///
    /// # Errors
    /// An item has no XML form.
    fn write_xml_items(&self, out: &mut Vec<u8>) -> Result<(), EncodeError>;
}

impl<T: Serialize + Send> Output for T {
    fn write_json(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        zato_sio::to_json(self, out)
    }

    fn write_xml(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        zato_sio::to_xml(self, out)
    }

    fn to_value(&self) -> Result<Value, Error> {
        Ok(serde_json::to_value(self)?)
    }
}

/// A reply that is sent as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raw {
    /// The body.
    pub body: Bytes,
    /// Its `Content-Type`; that of the channel's data format if none is given.
    pub content_type: Option<HeaderValue>,
}

impl Raw {
    /// A body whose content type the channel decides.
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), content_type: None }
    }

    /// A JSON document that is ready.
    pub fn json(body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), content_type: Some(HeaderValue::from_static("application/json")) }
    }
}

impl Output for Raw {
    fn write_json(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.body);
        Ok(())
    }

    fn write_xml(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        out.extend_from_slice(&self.body);
        Ok(())
    }

    fn to_value(&self) -> Result<Value, Error> {
        Ok(serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&self.body).into_owned())))
    }

    fn raw(&self) -> Option<&Raw> {
        Some(self)
    }
}
