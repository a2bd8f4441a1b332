//! What is inside of a start tag: attributes, declarations of namespaces, and the names that these give a meaning to. Must not know
//! what elements contain.

use std::borrow::Cow;

use memchr::{memchr2, memchr3};

use super::Reader;
use crate::cursor::{QualifiedName, Result};
use crate::document::AttributeData;
use crate::error::excerpt;
use crate::namespaces::{NamespaceId, Scope, index};
use crate::references::resolve_value;
use crate::{Malformed, ReadError};

impl<'i> Reader<'i, '_> {
    /// The attributes of the element that begins at `start`, and the end of its tag: the scope inside of the element, and whether the
    /// element is empty.
    pub(super) fn attributes(&mut self, start: usize, outer: Scope) -> Result<(Scope, bool)> {
        let mut scope = outer;
        let mut count = 0;
        loop {
            let is_spaced = self.cursor.skip_space();
            match self.cursor.peek() {
                Some(b'>') => {
                    self.cursor.advance(1);
                    return Ok((scope, false));
                }
                Some(b'/') => {
                    self.cursor.advance(1);
                    self.cursor.require(">")?;
                    return Ok((scope, true));
                }
                _ if !is_spaced => return Err(self.cursor.unexpected("white space, / or >")),
                _ => {}
            }
            count += 1;
            if count > self.limits.max_attributes {
                let (position, limit) = (self.cursor.position(start), self.limits.max_attributes);
                return Err(Box::new(ReadError::TooManyAttributes { position, limit }));
            }
            scope = self.attribute(scope, outer)?;
            if scope.count as usize > self.limits.max_namespaces {
                let (position, limit) = (self.cursor.position(start), self.limits.max_namespaces);
                return Err(Box::new(ReadError::TooManyNamespaces { position, limit }));
            }
        }
    }

    /// One attribute, or one declaration of a namespace: the scope after it.
    fn attribute(&mut self, scope: Scope, outer: Scope) -> Result<Scope> {
        let start = self.cursor.at();
        let name = self.cursor.qualified_name()?;
        let quote = self.cursor.value_start()?;
        let value_start = self.cursor.at();
        let value = self.value(quote)?;
        let value_range = (index(value_start), index(self.cursor.at() - 1));
        let prefix = match name {
            QualifiedName { prefix: "", local: "xmlns", .. } => "",
            QualifiedName { prefix: "xmlns", local, .. } => local,
            QualifiedName { prefix, local, .. } => {
                let (namespace, start) = (NamespaceId::NONE, index(start));
                let data = AttributeData { prefix, name: local, namespace, value, start, value_range };
                self.document.attributes.push(data);
                return Ok(scope);
            }
        };
        let namespaces = &mut self.document.namespaces;
        if namespaces.is_declared_between(prefix, scope, outer) {
            return Err(self.duplicate(start, name.whole));
        }
        namespaces.declare(prefix, value, scope).map_err(|error| self.cursor.malformed(start, error))
    }

    /// `AttValue` after the quotation mark that begins it.
    fn value(&mut self, quote: u8) -> Result<Cow<'i, str>> {
        let (start, rest) = (self.cursor.at(), self.cursor.rest());
        let Some(len) = memchr2(quote, b'<', rest.as_bytes()) else {
            self.cursor.advance(rest.len());
            return Err(self.cursor.unexpected("the end of a value"));
        };
        self.cursor.advance(len);
        let raw = &rest[..len];
        if self.cursor.peek() != Some(quote) {
            return Err(self.malformed_here(Malformed::LessThanInValue));
        }
        self.cursor.advance(1);
        let is_literal = memchr3(b'&', b'\t', b'\n', raw.as_bytes()).is_none() && !self.has_return(raw);
        if is_literal {
            return Ok(Cow::Borrowed(raw));
        }
        match resolve_value(raw) {
            Ok(value) => Ok(Cow::Owned(value)),
            Err((offset, error)) => Err(self.cursor.malformed(start + offset, error)),
        }
    }

    /// Gives the attributes from `first` on their namespaces. No two of an element may have the same name then.
    pub(super) fn resolve_attributes(&mut self, first: usize, scope: Scope) -> Result<()> {
        for at in first..self.document.attributes.len() {
            let AttributeData { prefix, name, start, .. } = self.document.attributes[at];
            // A default namespace is not that of attributes.
            if !prefix.is_empty() {
                self.document.attributes[at].namespace = self.namespace(prefix, start as usize, scope)?;
            }
            let namespace = |data: &AttributeData<'i>| self.document.namespaces.get(data.namespace);
            let own = namespace(&self.document.attributes[at]);
            let is_duplicate = self.document.attributes[first..at]
                .iter()
                .any(|other| other.name == name && namespace(other) == own);
            if is_duplicate {
                return Err(self.duplicate(start as usize, name));
            }
        }
        Ok(())
    }

    /// The namespace of a name with that prefix, which is at `offset`.
    #[inline]
    pub(super) fn namespace(&self, prefix: &str, offset: usize, scope: Scope) -> Result<NamespaceId> {
        match self.document.namespaces.resolve(prefix, scope) {
            Some(namespace) => Ok(namespace),
            None if prefix == "xmlns" => Err(self.cursor.malformed(offset, Malformed::Reserved)),
            None => Err(self.cursor.unbound(offset, prefix)),
        }
    }

    #[cold]
    fn duplicate(&self, offset: usize, name: &str) -> Box<ReadError> {
        self.cursor.malformed(offset, Malformed::DuplicateAttribute { name: excerpt(name) })
    }
}
