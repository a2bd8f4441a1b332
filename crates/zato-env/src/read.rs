//! Replies taken apart again, for clients and tests.
//!
//! Owns where in a reply the envelope, the payload and what it says of its page are found. Payloads stay as they came until
//! a type is asked for, and decoding them is the business of [`zato_sio`].

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use zato_sio::DecodeError;
use zato_xml::Node;

use crate::envelope::{Outcome, ZatoEnv};
use crate::page::Page;

/// Why a reply could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The reply is not a JSON object, or it is malformed.
    #[error("the reply is not a well-formed JSON object")]
    Json(#[source] serde_json::Error),
    /// The reply holds more than one element which could be the payload.
    #[error("the reply holds several elements beside zato_env")]
    SeveralPayloads,
    /// There is a `zato_env`, but not one as documented.
    #[error("the zato_env of the reply cannot be read")]
    Env(#[source] DecodeError),
    /// The payload is not what was asked for.
    #[error("the payload of the reply cannot be read")]
    Payload(#[source] DecodeError),
    /// What stands beside the payload where a page is described is no description of one.
    #[error("the page of the reply cannot be read")]
    Page(#[source] DecodeError),
    /// A payload was asked for, but the reply has none.
    #[error("the reply holds no payload")]
    NoPayload,
}

/// The envelope as it is read: whoever replies may leave out the details.
#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(default, deserialize_with = "text_or_null")]
    details: String,
    result: Outcome,
    #[serde(borrow)]
    cid: Cow<'a, str>,
}

impl<'a> From<Wire<'a>> for ZatoEnv<'a> {
    fn from(wire: Wire<'a>) -> Self {
        Self { details: wire.details.into(), result: wire.result, cid: wire.cid }
    }
}

/// Any text at all, which an `Option` would not be: it has texts that mean none.
fn text_or_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    })
}

/// A JSON reply.
#[derive(Debug)]
pub struct JsonReply<'a> {
    env: Option<ZatoEnv<'a>>,
    payload: Option<(Cow<'a, str>, &'a RawValue)>,
    page: Option<&'a RawValue>,
}

impl JsonReply<'_> {
    /// The technical envelope, which replies of ordinary services do not have.
    pub fn env(&self) -> Option<&ZatoEnv<'_>> {
        self.env.as_ref()
    }

    /// The name of the response element.
    pub fn response_element(&self) -> Option<&str> {
        self.payload.as_ref().map(|(name, _)| &**name)
    }

    /// The payload as JSON text.
    pub fn payload_text(&self) -> Option<&str> {
        self.payload.as_ref().map(|(_, value)| value.get())
    }

    /// Decodes the payload: a struct or a map for a single item, a sequence of them for a list.
    ///
    /// # Errors
    ///
    /// No payload, or one that is not what `T` asks for.
    pub fn payload<'s, T: Deserialize<'s>>(&'s self) -> Result<T, ReadError> {
        let text = self.payload_text().ok_or(ReadError::NoPayload)?;
        zato_sio::from_json_any(text.as_bytes()).map_err(ReadError::Payload)
    }

    /// Where the payload is in its list, if it is a page of one.
    ///
    /// # Errors
    ///
    /// [`ReadError::Page`].
    pub fn page(&self) -> Result<Option<Page>, ReadError> {
        let page = self.page.map(|page| zato_sio::from_json(page.get().as_bytes()));
        page.transpose().map_err(ReadError::Page)
    }
}

/// Reads a JSON reply: an object with `zato_env`, a response element, both or neither, in any order. A response element may
/// have the description of its page beside it.
///
/// # Errors
///
/// Malformed JSON, a top level which is not an object, an invalid `zato_env`, more than one response element.
pub fn read_json(bytes: &[u8]) -> Result<JsonReply<'_>, ReadError> {
    let mut members: Members<'_> = serde_json::from_slice(bytes).map_err(ReadError::Json)?;
    if members.has_more {
        return Err(ReadError::SeveralPayloads);
    }
    // A name that stands alone is that of a response element, whatever it means beside one.
    if members.payload.is_none() {
        members.payload = members.page.take().map(|value| (Page::ELEMENT.into(), value));
    }
    let env = members.env.map(|env| zato_sio::from_json::<Wire<'_>>(env.get().as_bytes())).transpose();
    let env = env.map_err(ReadError::Env)?.map(Into::into);
    Ok(JsonReply { env, payload: members.payload, page: members.page })
}

/// The members of the outermost object, not yet parsed.
#[derive(Default)]
struct Members<'a> {
    env: Option<&'a RawValue>,
    payload: Option<(Cow<'a, str>, &'a RawValue)>,
    page: Option<&'a RawValue>,
    has_more: bool,
}

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Members::default();
                while let Some((Name(name), value)) = map.next_entry::<Name<'de>, &'de RawValue>()? {
                    if name == "zato_env" {
                        members.env.get_or_insert(value);
                    } else if name == Page::ELEMENT && members.page.is_none() {
                        members.page = Some(value);
                    } else if members.payload.is_none() {
                        members.payload = Some((name, value));
                    } else {
                        members.has_more = true;
                    }
                }
                Ok(members)
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

/// The name of a member, borrowed unless it has escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// An XML reply.
#[derive(Debug)]
pub struct XmlReply<'a, 'input> {
    element: Node<'a, 'input>,
    env: Option<ZatoEnv<'a>>,
    payload: XmlPayload<'a, 'input>,
    page: Option<Node<'a, 'input>>,
}

/// What follows the envelope in an XML reply.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "these are the forms of a response")]
pub enum XmlPayload<'a, 'input> {
    /// Nothing.
    None,
    /// The `item` element.
    Item(Node<'a, 'input>),
    /// The `item_list` element, with any number of `item` children.
    List(Node<'a, 'input>),
}

impl<'a, 'input> XmlReply<'a, 'input> {
    /// The technical envelope, which replies of ordinary services need not have.
    pub fn env(&self) -> Option<&ZatoEnv<'a>> {
        self.env.as_ref()
    }

    /// The name of the response element, without a prefix.
    pub fn response_element(&self) -> &'a str {
        self.element.tag_name().name()
    }

    /// The namespace of the response element.
    pub fn namespace(&self) -> Option<&'a str> {
        self.element.tag_name().namespace()
    }

    /// The payload as it stands in the document.
    pub fn content(&self) -> XmlPayload<'a, 'input> {
        self.payload
    }

    /// Decodes the payload: a struct or a map for a single item, a sequence of them for a list.
    ///
    /// # Errors
    ///
    /// No payload, or one that is not what `T` asks for.
    pub fn payload<T: Deserialize<'a>>(&self) -> Result<T, ReadError> {
        match self.payload {
            XmlPayload::None => Err(ReadError::NoPayload),
            XmlPayload::Item(node) | XmlPayload::List(node) => {
                zato_sio::from_xml(node).map_err(ReadError::Payload)
            }
        }
    }

    /// Where the payload is in its list, if it is a page of one.
    ///
    /// # Errors
    ///
    /// [`ReadError::Page`].
    pub fn page(&self) -> Result<Option<Page>, ReadError> {
        self.page.map(zato_sio::from_xml).transpose().map_err(ReadError::Page)
    }
}

/// Reads an XML reply, given its response element. The envelope, the payload and the description of its page are children in
/// the namespace of that element; other children are ignored.
///
/// # Errors
///
/// An invalid `zato_env`.
pub fn read_xml<'a, 'input>(element: Node<'a, 'input>) -> Result<XmlReply<'a, 'input>, ReadError> {
    let child = |name: &str| {
        element.children().find(|node| {
            node.is_element()
                && node.tag_name().name() == name
                && node.tag_name().namespace() == element.tag_name().namespace()
        })
    };
    let env = child("zato_env").map(zato_sio::from_xml::<Wire<'a>>).transpose().map_err(ReadError::Env)?;
    let payload = match (child("item"), child("item_list")) {
        (Some(item), _) => XmlPayload::Item(item),
        (None, Some(list)) => XmlPayload::List(list),
        (None, None) => XmlPayload::None,
    };
    Ok(XmlReply { element, env: env.map(Into::into), payload, page: child(Page::ELEMENT) })
}
