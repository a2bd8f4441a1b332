//! The plain types that callers read and write.
//!
//! Owns what an object is made of and the texts by which its choices are stored. It must not know how an object is
//! mapped to a row, which database holds it, or anything of SQL.

mod http_soap;
mod platform;
mod security;

pub use http_soap::{
    AuditReplacePattern, Connection, HttpSoap, HttpSoapFilter, MessageParamsPriority, SerializationType,
    Transport, UrlParamsPriority,
};
pub use platform::{Cluster, Server, Service};
pub use security::{SecurityDefinition, SecurityFilter, SecurityKind, SecurityType};

/// The filter of objects which have nothing to choose by: every object of the cluster is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Everything;

/// An enumeration that is stored as text: the text of each variant, `Display`, and reading back.
macro_rules! stored_as_text {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            /// Every variant, in the order of the declaration.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The text that is stored and sent over the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The variant of a stored text, `None` if there is no such variant.
            #[must_use]
            pub fn from_text(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
use stored_as_text;

stored_as_text! {
    /// What kind of object an event or an error is about.
    #[non_exhaustive]
    ObjectKind {
        /// A cluster.
        Cluster => "cluster",
        /// A server of a cluster.
        Server => "server",
        /// A service.
        Service => "service",
        /// A security definition of any type.
        Security => "security",
        /// An HTTP or SOAP channel or outgoing connection.
        HttpSoap => "http_soap",
        /// A kind that a newer version wrote to the event log. This version has nothing to reload for it.
        Unknown => "unknown",
    }
}
