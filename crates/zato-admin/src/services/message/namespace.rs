//! `zato.message.namespace`: the prefixes that XPath expressions may use.
//!
//! Owns what such a prefix is made of. It must not know any expression: one that was stored stays, whatever becomes of
//! its prefixes.

use zato_catalogue::message::namespace;
use zato_odb::model::Namespace;

use crate::change::Family;
use crate::family::services;

struct Namespaces;

impl Family for Namespaces {
    type Object = Namespace;

    const NOUN: &'static str = "Namespace";
}

services! {
    Namespaces in namespace: create, edit, delete, get_list;
    {
        object Namespace { value }
    }
}
