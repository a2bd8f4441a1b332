//! XML elements into typed values.
//!
//! Owns the rules on where in the tree a value is found: children in the namespace of the root, the first of
//! repeated ones, lists and dictionaries. It must not know the conversions of single values, which are in
//! [`crate::scalar`], nor the element that the payload stands in.

use std::borrow::Cow;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use zato_xml::Node;

use crate::error::{DecodeError, Found};
use crate::scalar::{Asked, Scalar, Seen, ZATO_NONE, deserialize_by_reading};
use crate::{MAX_DEPTH, Result};

/// The namespace of `xsi:nil`.
pub(crate) const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// Decodes the children of `root`, leniently. The name of `root` itself is the caller's business.
///
/// Elements are direct children in the namespace of the root; one in another namespace counts as missing. Of
/// repeated elements the first one counts, attributes other than `xsi:nil` are ignored, and so are comments and
/// processing instructions.
///
/// # Errors
///
/// Whatever [`DecodeErrorKind`](crate::DecodeErrorKind) lists about elements.
pub fn from_xml<'a, T: Deserialize<'a>>(root: Node<'a, '_>) -> Result<T> {
    from_xml_seed(root, std::marker::PhantomData)
}

pub(crate) fn from_xml_seed<'a, T: DeserializeSeed<'a>>(root: Node<'a, '_>, seed: T) -> Result<T::Value> {
    seed.deserialize(Element { node: root, namespace: root.tag_name().namespace(), depth: 0 })
}

/// An element whose content is to be read.
#[derive(Debug, Clone, Copy)]
struct Element<'a, 'input> {
    node: Node<'a, 'input>,
    /// The namespace of the root, which all named children share.
    namespace: Option<&'a str>,
    depth: usize,
}

impl<'a, 'input> Element<'a, 'input> {
    fn read<V: Visitor<'a>>(self, asked: Asked, visitor: V) -> Result<V::Value> {
        if self.depth > MAX_DEPTH {
            return Err(DecodeError::too_deep());
        }
        if let Asked::Unit = asked {
            return visitor.visit_unit();
        }
        if self.is_nil() {
            return Scalar::Null.read(asked, visitor);
        }
        if !self.has_elements() {
            return self.read_leaf(asked, visitor);
        }
        match asked {
            Asked::Option => visitor.visit_some(self),
            Asked::List => visitor.visit_seq(self.list()),
            Asked::Map | Asked::Struct(_) => self.read_fields(asked, visitor),
            Asked::Any if self.holds_list() => visitor.visit_seq(self.list()),
            Asked::Any => self.read_fields(asked, visitor),
            Asked::Boolean | Asked::Integer | Asked::Float | Asked::Text | Asked::Unit | Asked::Choice => {
                Err(DecodeError::wrong_type(Found::Elements, asked.phrase()))
            }
        }
    }

    fn read_leaf<V: Visitor<'a>>(self, asked: Asked, visitor: V) -> Result<V::Value> {
        let text = self.text();
        match asked {
            // What is asked for inside the option has to see the element itself: it could be a list.
            Asked::Option if !text.is_empty() && text != ZATO_NONE => visitor.visit_some(self),
            // White space between tags is layout wherever elements could stand.
            Asked::List | Asked::Map | Asked::Struct(_) if text.trim().is_empty() => match asked {
                Asked::List => visitor.visit_seq(self.list()),
                _ => visitor.visit_map(self.fields(asked)),
            },
            _ => Scalar::text(&text).read(asked, visitor),
        }
    }

    fn read_fields<V: Visitor<'a>>(self, asked: Asked, visitor: V) -> Result<V::Value> {
        if self.holds_entries(asked) {
            visitor.visit_map(Entries {
                elements: self.list(),
                seen: Seen::new(asked),
                value: None,
                key: Cow::Borrowed(""),
            })
        } else {
            visitor.visit_map(self.fields(asked))
        }
    }

    fn is_nil(self) -> bool {
        self.node.attribute((XSI, "nil")).is_some_and(|nil| matches!(nil.trim(), "true" | "1"))
    }

    fn has_elements(self) -> bool {
        self.node.first_element_child().is_some()
    }

    /// The text of the element. Comments may split it, and only then it has to be put together.
    fn text(self) -> Cow<'a, str> {
        let mut texts = self.node.children().filter(Node::is_text).filter_map(|node| node.text());
        let Some(first) = texts.next() else { return Cow::Borrowed("") };
        let Some(second) = texts.next() else { return Cow::Borrowed(first) };
        let mut whole = [first, second].concat();
        whole.extend(texts);
        Cow::Owned(whole)
    }

    fn list(self) -> List<'a, 'input> {
        List { parent: self, next: self.node.first_element_child(), index: 0 }
    }

    fn fields(self, asked: Asked) -> Fields<'a, 'input> {
        Fields { parent: self, next: self.node.first_element_child(), current: None, seen: Seen::new(asked) }
    }

    fn child(self, node: Node<'a, 'input>) -> Self {
        Element { node, namespace: self.namespace, depth: self.depth + 1 }
    }

    /// The first child of that name in the namespace of the root.
    fn named(self, name: &str) -> Option<Self> {
        let tag = |node: &Node<'a, 'input>| node.tag_name();
        self.node
            .children()
            .find(|node| {
                node.is_element() && tag(node).name() == name && tag(node).namespace() == self.namespace
            })
            .map(|node| self.child(node))
    }

    /// Whether the children are entries of a dictionary, each with a `key` and a `value`, instead of being named
    /// after their keys. Never so for the root, whose children are the elements of the message, and for a struct
    /// only if none of its fields has the entries' own name.
    fn holds_entries(self, asked: Asked) -> bool {
        let Some(first) = self.node.first_element_child() else { return false };
        if let Asked::Struct(fields) = asked
            && fields.contains(&first.tag_name().name())
        {
            return false;
        }
        let first = self.child(first);
        self.depth > 0 && first.named("key").is_some() && first.named("value").is_some()
    }

    /// Whether the children are those of a list, for values whose type is not known beforehand.
    fn holds_list(self) -> bool {
        self.depth > 0
            && !self.holds_entries(Asked::Any)
            && self
                .node
                .first_element_child()
                .is_some_and(|first| matches!(first.tag_name().name(), "item" | "item_dict" | "dict"))
    }
}

impl<'de> Deserializer<'de> for Element<'de, '_> {
    type Error = DecodeError;

    deserialize_by_reading!();
}

/// All child elements in turn, whatever their names.
struct List<'a, 'input> {
    parent: Element<'a, 'input>,
    next: Option<Node<'a, 'input>>,
    index: usize,
}

impl<'a, 'input> List<'a, 'input> {
    fn next_element(&mut self) -> Option<Element<'a, 'input>> {
        let node = self.next.take()?;
        self.next = node.next_sibling_element();
        Some(self.parent.child(node))
    }
}

impl<'a> SeqAccess<'a> for List<'a, '_> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some(element) = Self::next_element(self) else { return Ok(None) };
        let index = self.index;
        self.index += 1;
        seed.deserialize(element).map(Some).map_err(|error| error.at_index(index))
    }
}

/// The child elements in the namespace of the root, each under its own name.
struct Fields<'a, 'input> {
    parent: Element<'a, 'input>,
    next: Option<Node<'a, 'input>>,
    /// The element whose name was read last.
    current: Option<Element<'a, 'input>>,
    seen: Seen,
}

impl<'a, 'input: 'a> MapAccess<'a> for Fields<'a, 'input> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        while let Some(node) = self.next.take() {
            self.next = node.next_sibling_element();
            let name: &'a str = node.tag_name().name();
            if node.tag_name().namespace() == self.parent.namespace && self.seen.is_first(name) {
                self.current = Some(self.parent.child(node));
                return seed.deserialize(Scalar::borrowed(name)).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<T::Value> {
        let Some(element) = self.current.take() else {
            return Err(DecodeError::invalid("a value was read before its key"));
        };
        seed.deserialize(element).map_err(|error| error.inside(element.node.tag_name().name()))
    }
}

/// The entries of a dictionary: child elements, whatever their names, each with a `key` and a `value`.
struct Entries<'a, 'input> {
    elements: List<'a, 'input>,
    seen: Seen,
    key: Cow<'a, str>,
    /// The value that belongs to the key.
    value: Option<Element<'a, 'input>>,
}

impl<'a> MapAccess<'a> for Entries<'a, '_> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        while let Some(entry) = self.elements.next_element() {
            let index = self.elements.index;
            self.elements.index += 1;
            let part = |name: &'static str| {
                entry.named(name).ok_or_else(|| DecodeError::missing_element(name).at_index(index))
            };
            let (key, value) = (part("key")?.text(), part("value")?);
            if self.seen.is_first(&key) {
                self.key = key;
                self.value = Some(value);
                return seed.deserialize(Scalar::text(&self.key)).map(Some);
            }
        }
        Ok(None)
    }

    fn next_value_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<T::Value> {
        let Some(element) = self.value.take() else {
            return Err(DecodeError::invalid("a value was read before its key"));
        };
        seed.deserialize(element).map_err(|error| error.inside(&self.key))
    }
}
