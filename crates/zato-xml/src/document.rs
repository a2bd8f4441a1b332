//! A document as it is kept: flat lists in the order of the text. Must not know how it was read.

use std::borrow::Cow;
use std::fmt;

use crate::Position;
use crate::namespaces::{NamespaceId, Namespaces};
use crate::node::{Descendants, Node};

/// A document that was read, which borrows its names and most of its texts from the text that it was read from.
///
/// The document is a node as well: the parent of the root element, and of the comments around it. `Debug` shows no content, which may be
/// secret.
pub struct Document<'i> {
    pub(crate) text: &'i str,
    /// In the order of their beginnings. The first one is the document itself, and no other has it as its own number.
    pub(crate) nodes: Vec<NodeData<'i>>,
    /// Those of each element side by side.
    pub(crate) attributes: Vec<AttributeData<'i>>,
    pub(crate) namespaces: Namespaces<'i>,
    /// The number of the root element.
    pub(crate) root: u32,
}

/// A node's place in the tree and the text, and what it is.
pub(crate) struct NodeData<'i> {
    /// The number of the node that this one is in; 0 in the document.
    pub(crate) parent: u32,
    /// The number of the next node that is not inside of this one. It is a sibling if it has the same parent.
    pub(crate) next: u32,
    /// The offset of its first byte.
    pub(crate) start: u32,
    /// The offset after its last byte.
    pub(crate) end: u32,
    pub(crate) content: Content<'i>,
}

pub(crate) enum Content<'i> {
    Document,
    Element {
        name: &'i str,
        namespace: NamespaceId,
        /// The first of its attributes, and the first one that isn't its own any more.
        attributes: (u32, u32),
    },
    Text(Cow<'i, str>),
    Comment,
    Instruction,
}

pub(crate) struct AttributeData<'i> {
    pub(crate) prefix: &'i str,
    pub(crate) name: &'i str,
    pub(crate) namespace: NamespaceId,
    pub(crate) value: Cow<'i, str>,
    /// The offset of the name, its prefix included.
    pub(crate) start: u32,
    /// The offsets of the value, without its quotation marks.
    pub(crate) value_range: (u32, u32),
}

impl<'i> Document<'i> {
    /// The text that the document was read from.
    #[must_use]
    pub fn input_text(&self) -> &'i str {
        self.text
    }

    /// How many elements, texts, comments, processing instructions, attributes and namespace declarations there are.
    #[must_use]
    #[inline]
    pub fn size(&self) -> usize {
        // Neither the document itself counts, nor the declaration that all documents have.
        self.nodes.len() - 1 + self.attributes.len() + self.namespaces.len() - 1
    }

    /// The element that all others are in.
    #[must_use]
    pub fn root_element(&self) -> Node<'_, 'i> {
        self.node(self.root)
    }

    /// All nodes in the order of the text, the document itself first.
    #[must_use]
    pub fn descendants(&self) -> Descendants<'_, 'i> {
        self.node(0).descendants()
    }

    /// The place `offset` bytes into the text.
    #[must_use]
    pub fn position(&self, offset: usize) -> Position {
        Position::of_offset(self.text, offset)
    }

    fn node(&self, index: u32) -> Node<'_, 'i> {
        Node { document: self, index }
    }
}

impl fmt::Debug for Document<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("bytes", &self.text.len())
            .field("nodes", &self.nodes.len())
            .finish_non_exhaustive()
    }
}
