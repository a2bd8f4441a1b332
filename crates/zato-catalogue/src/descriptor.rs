//! The types that describe families, services and elements. All of it is static data; nothing here knows any service
//! in particular.

/// A group of services that manage the same kind of object.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct Family {
    /// The name, such as `security.basic-auth`.
    pub name: &'static str,
    /// One sentence that says what the family is about.
    pub doc: &'static str,
    /// The services, sorted by name.
    pub services: &'static [&'static Service],
}

/// One service of the public API.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct Service {
    /// The full name, such as `zato.http-soap.create`.
    pub name: &'static str,
    /// The family, such as `http-soap`.
    pub family: &'static str,
    /// One sentence that says what the service does.
    pub doc: &'static str,
    /// Whether the service can be called.
    pub status: Status,
    /// The versions of the API that have the service.
    pub versions: &'static [Version],
    /// Whether the service has channels of its own on `/zato/json/<name>` and `/zato/soap`. Any built service can be
    /// invoked by name through the invoke channels.
    pub public: bool,
    /// Other names it answers under: those that it was registered with by mistake.
    pub aliases: &'static [&'static str],
    /// Whether JSON replies hold a `zato_env` beside the response element.
    pub envelope: bool,
    /// The name of the element around SOAP requests.
    pub request_element: &'static str,
    /// The name of the element around SOAP replies, and of the key in JSON replies.
    pub response_element: &'static str,
    /// What the reply is made of.
    pub shape: Shape,
    /// What the request is made of, for a service whose request has no elements.
    pub raw_input: Option<&'static str>,
    /// The elements of the request: the required ones in order, then the optional ones.
    pub input: &'static [Element],
    /// The elements of the reply, or of each item of it: the required ones in order, then the optional ones.
    pub output: &'static [Element],
}

impl Service {
    /// Whether the service has a handler.
    #[must_use]
    pub fn is_built(&self) -> bool {
        self.status == Status::Built
    }

    /// Whether the service takes or returns messages that are not made of elements.
    #[must_use]
    pub fn is_raw(&self) -> bool {
        self.raw_input.is_some() || self.shape == Shape::Raw
    }
}

/// Whether a service can be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It has a handler.
    Built,
    /// It is described only: it has neither a handler nor a channel.
    Planned,
}

/// What a reply is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Shape {
    /// Nothing but the envelope.
    None,
    /// One object.
    Single,
    /// A list of objects.
    List,
    /// Whatever the handler returns, as it is.
    Raw,
}

/// A version of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Version {
    /// Version 1.1.
    V1_1,
    /// Version 2.0.
    V2_0,
    /// None of the original: the service is this project's own.
    Own,
}

impl Version {
    /// The version as it is written in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_1 => "1.1",
            Self::V2_0 => "2.0",
            Self::Own => "own",
        }
    }
}

/// One element of a request or a reply.
#[derive(Debug, PartialEq)]
#[non_exhaustive]
pub struct Element {
    /// The name on the wire.
    pub name: &'static str,
    /// The type of the value.
    pub kind: ElementType,
    /// Whether a request must have it, or a reply always has a value for it.
    pub required: bool,
    /// What takes the place of an optional element of a request that is absent.
    pub default: Option<DefaultValue>,
    /// The version that added the element to a service that had been there before.
    pub since: Option<Version>,
    /// One sentence that says what the value means, with its unit.
    pub doc: &'static str,
}

impl Element {
    /// An element that must be there.
    pub(crate) const fn required(name: &'static str, kind: ElementType, doc: &'static str) -> Self {
        Self { name, kind, required: true, default: None, since: None, doc }
    }

    /// An element that may be absent.
    pub(crate) const fn optional(name: &'static str, kind: ElementType, doc: &'static str) -> Self {
        Self { name, kind, required: false, default: None, since: None, doc }
    }

    /// The same element with a default.
    pub(crate) const fn or(mut self, default: DefaultValue) -> Self {
        self.default = Some(default);
        self
    }

    /// The same element, added by a version.
    pub(crate) const fn since(mut self, version: Version) -> Self {
        self.since = Some(version);
        self
    }
}

/// The type of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ElementType {
    /// Text.
    Text,
    /// A whole number of 64 bits.
    Integer,
    /// True or false.
    Boolean,
    /// A number with a fraction.
    Float,
    /// A date and time in UTC.
    Datetime,
    /// Text values joined with commas.
    Csv,
    /// A list of text values.
    List,
    /// A mapping of keys to values.
    Dict,
    /// A list of mappings.
    ListOfDicts,
    /// Any JSON value.
    Nested,
    /// Text whose name looks like that of another type.
    AsIs,
}

/// The value that takes the place of an absent element.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum DefaultValue {
    /// Text.
    Text(&'static str),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// True or false.
    Boolean(bool),
}
