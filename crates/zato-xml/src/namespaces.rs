//! Which prefix stands for which namespace where (Namespaces in XML 1.0, third edition). Must not know what the names are for.

use std::borrow::Cow;
use std::iter::successors;

use crate::Malformed;
use crate::error::excerpt;

/// The namespace of the prefix `xml`, which is in scope everywhere.
pub const XML_NAMESPACE: &str = "http://www.w3.org/XML/1998/namespace";
/// The namespace of declarations themselves.
const XMLNS_NAMESPACE: &str = "http://www.w3.org/2000/xmlns/";

/// All declarations of a document. Each knows the one that it is nested in, so that no element needs a list of its own.
pub(crate) struct Namespaces<'i> {
    declarations: Vec<Declaration<'i>>,
}

struct Declaration<'i> {
    /// Empty for the default namespace.
    prefix: &'i str,
    /// Empty if there is no default namespace from here on.
    namespace: Cow<'i, str>,
    /// The declaration that is the innermost one outside of this.
    outer: u32,
}

/// The declarations that are in scope somewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scope {
    innermost: u32,
    /// How many there are, that of `xml` left out.
    pub(crate) count: u32,
}

impl Scope {
    /// Where only `xml` is declared: the first declaration, which is nested in itself.
    pub(crate) const OUTERMOST: Self = Self { innermost: 0, count: 0 };
}

/// A namespace by the place of its declaration.
#[derive(Clone, Copy)]
pub(crate) struct NamespaceId(u32);

impl NamespaceId {
    /// That of names which are in no namespace.
    pub(crate) const NONE: Self = Self(u32::MAX);
}

impl<'i> Namespaces<'i> {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        let mut declarations = Vec::with_capacity(capacity);
        declarations.push(Declaration { prefix: "xml", namespace: Cow::Borrowed(XML_NAMESPACE), outer: 0 });
        Self { declarations }
    }

    /// How many declarations there are, that of `xml` included.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.declarations.len()
    }

    /// The scope that `scope` becomes by one more declaration. The one that is nested in itself is never looked at twice.
    pub(crate) fn declare(
        &mut self,
        prefix: &'i str,
        namespace: Cow<'i, str>,
        scope: Scope,
    ) -> Result<Scope, Malformed> {
        let is_reserved = match prefix {
            "xml" => namespace != XML_NAMESPACE,
            "xmlns" => true,
            _ => namespace == XML_NAMESPACE || namespace == XMLNS_NAMESPACE,
        };
        if is_reserved {
            return Err(Malformed::Reserved);
        }
        if namespace.is_empty() && !prefix.is_empty() {
            return Err(Malformed::EmptyNamespace { prefix: excerpt(prefix) });
        }
        let innermost = index(self.declarations.len());
        self.declarations.push(Declaration { prefix, namespace, outer: scope.innermost });
        Ok(Scope { innermost, count: scope.count + 1 })
    }

    /// Whether `prefix` is declared in `scope` but not yet in `outer`.
    pub(crate) fn is_declared_between(&self, prefix: &str, scope: Scope, outer: Scope) -> bool {
        self.within(scope)
            .take_while(|(at, _)| *at != outer.innermost)
            .any(|(_, declaration)| declaration.prefix == prefix)
    }

    /// The namespace that `prefix` stands for in `scope`, if it is declared. The empty prefix always is.
    #[inline]
    pub(crate) fn resolve(&self, prefix: &str, scope: Scope) -> Option<NamespaceId> {
        let found = self.within(scope).find(|(_, declaration)| declaration.prefix == prefix);
        match found {
            Some((_, declaration)) if declaration.namespace.is_empty() => Some(NamespaceId::NONE),
            Some((at, _)) => Some(NamespaceId(at)),
            None if prefix.is_empty() => Some(NamespaceId::NONE),
            None => None,
        }
    }

    #[inline]
    pub(crate) fn get(&self, id: NamespaceId) -> Option<&str> {
        self.declarations.get(id.0 as usize).map(|declaration| &*declaration.namespace)
    }

    /// The declarations in `scope`, the innermost first and that of `xml` last.
    #[inline]
    fn within(&self, scope: Scope) -> impl Iterator<Item = (u32, &Declaration<'i>)> {
        let at = |index: u32| Some((index, self.declarations.get(index as usize)?));
        successors(
            at(scope.innermost),
            move |(index, declaration)| {
                if *index == 0 { None } else { at(declaration.outer) }
            },
        )
    }
}

/// A place in a list that is no longer than the document's text, whose length fits into 32 bits.
pub(crate) fn index(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
