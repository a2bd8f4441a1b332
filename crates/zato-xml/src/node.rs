//! Looking at a document: nodes, their names and attributes, and ways from one to another.

use std::fmt;
use std::iter::FusedIterator;
use std::ops::Range;

use crate::Position;
use crate::document::{AttributeData, Content, Document, NodeData};

/// One node of a document: an element, a text, a comment, a processing instruction, or the document itself.
///
/// Text and CDATA sections that follow each other are one node. Two nodes are equal if they are the same one. `Debug` shows no content,
/// which may be secret.
#[derive(Clone, Copy)]
pub struct Node<'d, 'i> {
    pub(crate) document: &'d Document<'i>,
    pub(crate) index: u32,
}

/// A name with its namespace, in place of the prefix that the text has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpandedName<'n, 'l> {
    namespace: Option<&'n str>,
    name: &'l str,
}

impl<'n, 'l> ExpandedName<'n, 'l> {
    /// The namespace, if it is in one.
    #[must_use]
    pub fn namespace(&self) -> Option<&'n str> {
        self.namespace
    }

    /// The name without a prefix. Empty for a node that is no element.
    #[must_use]
    pub fn name(&self) -> &'l str {
        self.name
    }
}

/// A name in no namespace.
impl<'l> From<&'l str> for ExpandedName<'_, 'l> {
    fn from(name: &'l str) -> Self {
        Self { namespace: None, name }
    }
}

/// A name in a namespace.
impl<'n, 'l> From<(&'n str, &'l str)> for ExpandedName<'n, 'l> {
    fn from((namespace, name): (&'n str, &'l str)) -> Self {
        Self { namespace: Some(namespace), name }
    }
}

impl<'d, 'i> Node<'d, 'i> {
    #[inline]
    fn data(self) -> &'d NodeData<'i> {
        &self.document.nodes[self.index as usize]
    }

    /// The node of that number, if it is in `parent`.
    #[inline]
    fn child_at(self, index: u32, parent: u32) -> Option<Self> {
        let data = self.document.nodes.get(index as usize)?;
        (data.parent == parent).then_some(Self { document: self.document, index })
    }

    /// Whether this is an element.
    #[must_use]
    pub fn is_element(&self) -> bool {
        matches!(self.data().content, Content::Element { .. })
    }

    /// Whether this is a text.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self.data().content, Content::Text(_))
    }

    /// Whether this is a comment.
    #[must_use]
    pub fn is_comment(&self) -> bool {
        matches!(self.data().content, Content::Comment)
    }

    /// The name of an element. That of any other node is empty.
    #[must_use]
    #[inline]
    pub fn tag_name(&self) -> ExpandedName<'d, 'i> {
        match &self.data().content {
            Content::Element { name, namespace, .. } => {
                ExpandedName { namespace: self.document.namespaces.get(*namespace), name }
            }
            _ => ExpandedName { namespace: None, name: "" },
        }
    }

    /// Whether this is an element of that name: `(namespace, name)`, or a name that is in no namespace.
    #[must_use]
    pub fn has_tag_name<'n, 'l>(&self, name: impl Into<ExpandedName<'n, 'l>>) -> bool {
        let (own, name) = (self.tag_name(), name.into());
        self.is_element() && own.name == name.name && own.namespace == name.namespace
    }

    /// The value of the attribute of that name: `(namespace, name)`, or a name without a prefix.
    #[must_use]
    pub fn attribute<'n, 'l>(&self, name: impl Into<ExpandedName<'n, 'l>>) -> Option<&'d str> {
        let name = name.into();
        self.attributes()
            .find(|attribute| attribute.data.name == name.name && attribute.namespace() == name.namespace)
            .map(|attribute| attribute.value())
    }

    /// The attributes of an element in their order, without declarations of namespaces. Other nodes have none.
    #[must_use]
    pub fn attributes(&self) -> Attributes<'d, 'i> {
        let (start, end) = match self.data().content {
            Content::Element { attributes, .. } => attributes,
            _ => (0, 0),
        };
        let data = self.document.attributes[start as usize..end as usize].iter();
        Attributes { document: self.document, data }
    }

    /// A text. Of an element, that of its first child, if that is a text.
    #[must_use]
    pub fn text(&self) -> Option<&'d str> {
        match &self.data().content {
            Content::Text(text) => Some(text),
            Content::Element { .. } => match &self.first_child()?.data().content {
                Content::Text(text) => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// The node that this one is in. Only the document itself is in none.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        (self.index > 0).then(|| Self { document: self.document, index: self.data().parent })
    }

    /// This node and those that it is in, the innermost first.
    pub fn ancestors(&self) -> impl Iterator<Item = Self> + use<'d, 'i> {
        std::iter::successors(Some(*self), Self::parent)
    }

    /// The first one of the nodes directly inside of this one.
    #[must_use]
    #[inline]
    pub fn first_child(&self) -> Option<Self> {
        self.child_at(self.index + 1, self.index)
    }

    /// The last one of the nodes directly inside of this one.
    #[must_use]
    pub fn last_child(&self) -> Option<Self> {
        // What ends right before the next node is the last child, or the last one in it, and so on.
        let last = Self { document: self.document, index: self.data().next - 1 };
        last.ancestors().take_while(|node| node.index > self.index).last()
    }

    /// The node after this one in the same parent.
    #[must_use]
    #[inline]
    pub fn next_sibling(&self) -> Option<Self> {
        let data = self.data();
        self.child_at(data.next, data.parent)
    }

    /// The nodes directly inside of this one.
    #[must_use]
    #[inline]
    pub fn children(&self) -> Children<'d, 'i> {
        Children { next: self.first_child() }
    }

    /// The first one of the elements directly inside of this one.
    #[must_use]
    pub fn first_element_child(&self) -> Option<Self> {
        self.children().find(Self::is_element)
    }

    /// The next element after this node in the same parent.
    #[must_use]
    pub fn next_sibling_element(&self) -> Option<Self> {
        Children { next: self.next_sibling() }.find(Self::is_element)
    }

    /// This node and all inside of it, in the order of the text.
    #[must_use]
    pub fn descendants(&self) -> Descendants<'d, 'i> {
        Descendants { document: self.document, indexes: self.index..self.data().next }
    }

    /// Where in the text the node is, in bytes.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        let data = self.data();
        data.start as usize..data.end as usize
    }

    /// Where in the text the node begins.
    #[must_use]
    pub fn position(&self) -> Position {
        self.document.position(self.range().start)
    }
}

impl PartialEq for Node<'_, '_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::from_ref(self.document).addr() == std::ptr::from_ref(other.document).addr()
            && self.index == other.index
    }
}

impl Eq for Node<'_, '_> {}

impl fmt::Debug for Node<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.data().content {
            Content::Document => "Document",
            Content::Element { name, .. } => name,
            Content::Text(_) => "Text",
            Content::Comment => "Comment",
            Content::Instruction => "Instruction",
        };
        write!(f, "Node({kind} at {:?})", self.range())
    }
}

/// The children of a node.
#[derive(Clone, Debug)]
pub struct Children<'d, 'i> {
    next: Option<Node<'d, 'i>>,
}

impl<'d, 'i> Iterator for Children<'d, 'i> {
    type Item = Node<'d, 'i>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let node = self.next?;
        self.next = node.next_sibling();
        Some(node)
    }
}

impl FusedIterator for Children<'_, '_> {}

/// A node and all inside of it.
#[derive(Clone, Debug)]
pub struct Descendants<'d, 'i> {
    document: &'d Document<'i>,
    indexes: Range<u32>,
}

impl<'d, 'i> Iterator for Descendants<'d, 'i> {
    type Item = Node<'d, 'i>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(Node { document: self.document, index: self.indexes.next()? })
    }
}

impl FusedIterator for Descendants<'_, '_> {}

/// The attributes of an element.
#[derive(Clone)]
pub struct Attributes<'d, 'i> {
    document: &'d Document<'i>,
    data: std::slice::Iter<'d, AttributeData<'i>>,
}

impl<'d, 'i> Iterator for Attributes<'d, 'i> {
    type Item = Attribute<'d, 'i>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(Attribute { document: self.document, data: self.data.next()? })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.data.size_hint()
    }
}

impl ExactSizeIterator for Attributes<'_, '_> {}

impl FusedIterator for Attributes<'_, '_> {}

impl fmt::Debug for Attributes<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// An attribute of an element. `Debug` shows its name only: the value may be secret.
#[derive(Clone, Copy)]
pub struct Attribute<'d, 'i> {
    document: &'d Document<'i>,
    data: &'d AttributeData<'i>,
}

impl<'d, 'i> Attribute<'d, 'i> {
    /// The name without its prefix.
    #[must_use]
    pub fn name(&self) -> &'i str {
        self.data.name
    }

    /// The namespace. A name without a prefix is in none.
    #[must_use]
    pub fn namespace(&self) -> Option<&'d str> {
        self.document.namespaces.get(self.data.namespace)
    }

    /// The value, with references replaced and white space as XML 1.0, 3.3.3, has it.
    #[must_use]
    pub fn value(&self) -> &'d str {
        &self.data.value
    }

    /// Where in the text the value is, without its quotation marks, in bytes.
    #[must_use]
    pub fn range_value(&self) -> Range<usize> {
        let (start, end) = self.data.value_range;
        start as usize..end as usize
    }
}

impl fmt::Debug for Attribute<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Attribute({} at {:?})", self.data.name, self.range_value())
    }
}
