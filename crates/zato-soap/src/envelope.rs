//! A parsed document seen as a SOAP message. Must not know what is inside of a header or a body, except for what SOAP
//! and WS-Security themselves define.

use std::borrow::Cow;

use zato_xml::{Document, Node};

use crate::{Fault, ReadError, TokenError, UsernameToken, Version};

/// A view of a document that is known to be a SOAP envelope with a body. Prefixes don't matter, only namespaces do.
#[derive(Clone, Copy, Debug)]
pub struct Envelope<'d, 'i> {
    version: Version,
    header: Option<Node<'d, 'i>>,
    body: Node<'d, 'i>,
}

impl<'d, 'i> Envelope<'d, 'i> {
    /// Views `document` as a SOAP message of the version that its root element belongs to.
    ///
    /// # Errors
    ///
    /// [`ReadError::NotAnEnvelope`], [`ReadError::UnknownVersion`], [`ReadError::NoBody`] or [`ReadError::Repeated`].
    pub fn of(document: &'d Document<'i>) -> Result<Self, ReadError> {
        let root = document.root_element();
        let name = root.tag_name();
        if name.name() != "Envelope" {
            let found = name.name().to_owned();
            return Err(ReadError::NotAnEnvelope { position: root.position(), found });
        }
        let namespace = name.namespace().unwrap_or_default();
        let Some(version) = Version::of_namespace(namespace) else {
            let found = namespace.to_owned();
            return Err(ReadError::UnknownVersion { position: root.position(), found });
        };
        let header = only_child(root, version, "Header")?;
        let Some(body) = only_child(root, version, "Body")? else {
            return Err(ReadError::NoBody { position: root.position() });
        };
        Ok(Self { version, header, body })
    }

    /// The version of SOAP, known from the namespace of the envelope.
    #[must_use]
    pub fn version(&self) -> Version {
        self.version
    }

    /// The `Header` element, if there is one.
    #[must_use]
    pub fn header(&self) -> Option<Node<'d, 'i>> {
        self.header
    }

    /// The `Body` element.
    #[must_use]
    pub fn body(&self) -> Node<'d, 'i> {
        self.body
    }

    /// The first element in the body: the message, in document style.
    #[must_use]
    pub fn payload(&self) -> Option<Node<'d, 'i>> {
        self.body.first_element_child()
    }

    /// All elements in the body, in order.
    pub fn payloads(&self) -> impl Iterator<Item = Node<'d, 'i>> + use<'d, 'i> {
        self.body.children().filter(Node::is_element)
    }

    /// The fault that the body consists of, if it is one.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        let payload = self.payload()?;
        payload.has_tag_name((self.version.namespace(), "Fault")).then(|| Fault::read(payload, self.version))
    }

    /// The WS-Security `UsernameToken` in the header, if there is one.
    ///
    /// # Errors
    ///
    /// [`TokenError`] if there is one, but it is incomplete, ambiguous or of a kind that is not known.
    pub fn username_token(&self) -> Result<Option<UsernameToken>, TokenError> {
        self.header.map_or(Ok(None), UsernameToken::read)
    }
}

/// The one child of `root` that SOAP calls `name`.
fn only_child<'d, 'i>(
    root: Node<'d, 'i>,
    version: Version,
    name: &'static str,
) -> Result<Option<Node<'d, 'i>>, ReadError> {
    let mut found = root.children().filter(|child| child.has_tag_name((version.namespace(), name)));
    let first = found.next();
    match found.next() {
        Some(second) => Err(ReadError::Repeated { position: second.position(), element: name }),
        None => Ok(first),
    }
}

/// The characters directly inside of `node`. They are more than one piece only if comments or elements stand between them.
pub(crate) fn text_of<'d>(node: Node<'d, '_>) -> Cow<'d, str> {
    let mut pieces = node.children().filter(Node::is_text).filter_map(|child| child.text());
    let Some(first) = pieces.next() else { return Cow::Borrowed("") };
    pieces.fold(Cow::Borrowed(first), |text, piece| text + piece)
}

/// The first element in `node` that is called `name`, in whatever namespace.
pub(crate) fn child_named<'d, 'i>(node: Node<'d, 'i>, name: &str) -> Option<Node<'d, 'i>> {
    node.children().find(|child| child.is_element() && child.tag_name().name() == name)
}
