//! The two versions of SOAP: their namespaces and content types. Knows nothing of messages.

/// A version of SOAP. There are two, and there will be no third.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// SOAP 1.1, W3C Note of May 2000.
    #[default]
    V11,
    /// SOAP 1.2, W3C Recommendation of April 2007.
    V12,
}

impl Version {
    /// The namespace of the envelope and of everything in it that belongs to SOAP.
    #[must_use]
    pub const fn namespace(self) -> &'static str {
        match self {
            Self::V11 => "http://schemas.xmlsoap.org/soap/envelope/",
            Self::V12 => "http://www.w3.org/2003/05/soap-envelope",
        }
    }

    /// The value of the HTTP header `Content-Type` for a message in UTF-8.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::V11 => "text/xml; charset=utf-8",
            Self::V12 => "application/soap+xml; charset=utf-8",
        }
    }

    /// The version that has `namespace`.
    #[must_use]
    pub fn of_namespace(namespace: &str) -> Option<Self> {
        [Self::V11, Self::V12].into_iter().find(|version| version.namespace() == namespace)
    }
}
