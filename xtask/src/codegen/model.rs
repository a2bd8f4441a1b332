//! The catalogue as the generators see it: every service complete, vocabularies and defaults already applied. It knows
//! nothing about TOML.

use serde::Deserialize;

/// A group of services.
pub(crate) struct Family {
    pub(crate) name: String,
    pub(crate) doc: String,
    /// In the order of their names.
    pub(crate) services: Vec<Service>,
}

/// One service.
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) family: String,
    /// The name without the family, such as `get-list`.
    pub(crate) action: String,
    pub(crate) doc: String,
    pub(crate) built: bool,
    pub(crate) versions: Vec<Version>,
    pub(crate) public: bool,
    pub(crate) aliases: Vec<String>,
    pub(crate) envelope: bool,
    pub(crate) request: String,
    pub(crate) response: String,
    pub(crate) shape: Shape,
    /// Whether callers may ask for a part of the list.
    pub(crate) paged: bool,
    pub(crate) raw_input: Option<String>,
    pub(crate) input: Vec<Element>,
    pub(crate) output: Vec<Element>,
}

/// One element of a request or a reply.
#[derive(Clone, PartialEq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) default: Option<Literal>,
    pub(crate) since: Option<Version>,
    pub(crate) example: Option<Literal>,
    pub(crate) doc: String,
}

/// A version of the API.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Version {
    #[serde(rename = "1.1")]
    V1_1,
    #[serde(rename = "2.0")]
    V2_0,
    #[serde(rename = "own")]
    Own,
}

/// What a reply is made of.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shape {
    None,
    Single,
    List,
    Raw,
}

/// The type of an element.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    Text,
    Integer,
    Boolean,
    Float,
    Datetime,
    Csv,
    List,
    Dict,
    ListOfDicts,
    Nested,
    AsIs,
}

/// A default or an example.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Literal {
    Boolean(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    List(Vec<String>),
}

impl Family {
    /// The name as a Rust identifier.
    pub(crate) fn identifier(&self) -> String {
        identifier(&self.name)
    }

    /// The modules that lead to the family's typed requests.
    pub(crate) fn modules(&self) -> Vec<String> {
        self.name.split('.').map(identifier).collect()
    }

    /// How many of the services are built.
    pub(crate) fn built(&self) -> usize {
        self.services.iter().filter(|service| service.built).count()
    }
}

impl Service {
    /// Whether the request or the reply has no elements, so that there are no types for it.
    pub(crate) fn is_raw(&self) -> bool {
        self.raw_input.is_some() || self.shape == Shape::Raw
    }

    /// The name as an identifier, such as `zato_http_soap_create`.
    pub(crate) fn identifier(&self) -> String {
        identifier(&self.name)
    }

    /// Where it is called in JSON: a service without channels of its own through the invoke channel, which replies with
    /// nothing around what the service returns.
    pub(crate) fn path(&self) -> String {
        let folder = if self.public { "json" } else { "api/invoke" };
        format!("/zato/{folder}/{}", self.name)
    }

    /// Whether what it replies there is inside an envelope.
    pub(crate) fn is_enveloped(&self) -> bool {
        self.public && self.envelope
    }

    /// The module of the service's typed request.
    pub(crate) fn module(&self) -> String {
        identifier(&self.action)
    }
}

impl Version {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::V1_1 => "1.1",
            Self::V2_0 => "2.0",
            Self::Own => "own",
        }
    }

    /// The variant of the same meaning in the generated crate.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Self::V1_1 => "Version::V1_1",
            Self::V2_0 => "Version::V2_0",
            Self::Own => "Version::Own",
        }
    }
}

impl Shape {
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Self::None => "Shape::None",
            Self::Single => "Shape::Single",
            Self::List => "Shape::List",
            Self::Raw => "Shape::Raw",
        }
    }
}

impl Kind {
    /// The name that readers of documents see.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Text | Self::AsIs => "text",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
            Self::Float => "float",
            Self::Datetime => "date-time",
            Self::Csv => "comma-separated text",
            Self::List => "list",
            Self::Dict => "dict",
            Self::ListOfDicts => "list of dicts",
            Self::Nested => "any",
        }
    }

    pub(crate) fn variant(self) -> &'static str {
        match self {
            Self::Text => "ElementType::Text",
            Self::Integer => "ElementType::Integer",
            Self::Boolean => "ElementType::Boolean",
            Self::Float => "ElementType::Float",
            Self::Datetime => "ElementType::Datetime",
            Self::Csv => "ElementType::Csv",
            Self::List => "ElementType::List",
            Self::Dict => "ElementType::Dict",
            Self::ListOfDicts => "ElementType::ListOfDicts",
            Self::Nested => "ElementType::Nested",
            Self::AsIs => "ElementType::AsIs",
        }
    }

    /// Whether a literal can be a value of the type.
    pub(crate) fn admits(self, literal: &Literal) -> bool {
        match literal {
            Literal::Boolean(_) => self == Self::Boolean,
            Literal::Integer(_) => matches!(self, Self::Integer | Self::Float),
            Literal::Float(_) => self == Self::Float,
            Literal::Text(_) => matches!(self, Self::Text | Self::AsIs | Self::Datetime | Self::Csv),
            Literal::List(_) => self == Self::List,
        }
    }
}

/// A dotted and hyphenated name as an identifier.
pub(crate) fn identifier(name: &str) -> String {
    name.replace(['.', '-'], "_")
}
