//! Documents that the server itself answers with, where no channel stands.
//!
//! Owns the seam between such a document and its path. It must not know what the documents say.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Response;
use http::request::Parts;
use http_body_util::Full;

/// A document of the server's own, such as its state of health.
pub trait Page: Send + Sync {
    /// Answers a `GET` or `HEAD` request. The correlation id is added to whatever is answered.
    fn get<'a>(&'a self, request: &'a Parts) -> BoxFuture<'a, Response<Full<Bytes>>>;
}

/// The server's own documents by path. Channels are looked up first, but can't be put on these paths.
#[derive(Clone, Default)]
pub struct Pages(BTreeMap<Arc<str>, Arc<dyn Page>>);

impl Pages {
    /// No documents.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers requests for `path` with a document.
    #[must_use]
    pub fn with(mut self, path: impl Into<Arc<str>>, page: impl Page + 'static) -> Self {
        self.0.insert(path.into(), Arc::new(page));
        self
    }

    /// The paths of all documents.
    pub fn paths(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.keys()
    }

    pub(crate) fn find(&self, path: &str) -> Option<Arc<dyn Page>> {
        self.0.get(path).map(Arc::clone)
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
