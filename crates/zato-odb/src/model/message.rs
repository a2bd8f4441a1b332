//! Named places in messages.
//!
//! Owns namespaces, XPath expressions and JSON Pointers under a name. It must not know how they are evaluated.

use super::Everything;
use crate::declare::stored_object;
use crate::read::NamedPerCluster;

stored_object! {
    /// An XML namespace; its name is the prefix that expressions use.
    pub struct Namespace in msg_ns {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// The namespace's URI, at most 500 characters.
        value: String as Text<500>,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter Everything;
}

impl NamedPerCluster for Namespace {}

stored_object! {
    /// An XPath expression.
    pub struct XPath in msg_xpath {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// The expression, at most 1500 characters.
        value: String as Text<1500>,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter Everything;
}

impl NamedPerCluster for XPath {}

stored_object! {
    /// A JSON Pointer.
    pub struct JsonPointer in msg_json_pointer {
        /// Unique in the cluster, at most 200 characters.
        name: String as Text<200>,
        /// The pointer, at most 1500 characters.
        value: String as Text<1500>,
    }
    unique name (cluster_id, name) => Name;
    named name => Name;
    filter Everything;
}

impl NamedPerCluster for JsonPointer {}
