//! What a channel is configured with.
//!
//! Owns the plain description of a channel as its configurer gives it. It must not know how that description is
//! stored, nor what is made of it: `channel` compiles it.

use std::str::FromStr;
use std::sync::Arc;

use http::Method;
use zato_service::Registration;
use zato_soap::Version;

use crate::{CallLimits, Origins, Security, UrlParameters};

/// One inbound channel.
#[derive(Clone, Debug)]
pub struct ChannelConfig {
    /// Tells the channel from all others; a channel that is put again replaces the one of the same id.
    pub id: i64,
    /// Its name, for logs and errors.
    pub name: String,
    /// An inactive channel answers 404 whoever calls.
    pub is_active: bool,
    /// Whether messages stand in a SOAP envelope.
    pub transport: Transport,
    /// How bodies are read and written. None means that the service gets and gives bytes.
    ///
    /// A SOAP channel speaks XML; only none and [`DataFormat::Xml`] are accepted there.
    pub data_format: Option<DataFormat>,
    /// The path that it answers on, percent-decoded, beginning with `/`. A trailing slash is significant.
    ///
    /// `{name}` stands for one or more characters other than `/` and captures them.
    pub url_path: String,
    /// The SOAP action that a request must name, without quotes; empty for one that names none.
    pub soap_action: String,
    /// The only method that is accepted; none accepts every method. With `GET` goes `HEAD`, and `OPTIONS` is answered
    /// without a call.
    pub method: Option<Method>,
    /// What callers must prove to know; none lets everyone in.
    pub security: Option<Arc<Security>>,
    /// Whether the roles of callers decide which methods they may use, besides their credentials. Without a security
    /// definition nobody has a role, and it is ignored.
    pub has_rbac: bool,
    /// How many calls are let through, whoever makes them.
    pub limits: CallLimits,
    /// The origins whose web pages may call the channel; none lets no page do so.
    pub cors: Option<Origins>,
    /// Whether each call is told to the audit log.
    pub is_audited: bool,
    /// What becomes of the parameters in a request's URL.
    pub url_parameters: UrlParameters,
    /// The service that calls reach.
    pub service: Arc<Registration>,
}

/// What carries a channel's messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// The HTTP body is the message.
    PlainHttp,
    /// The message stands in an envelope of this version. Requests of both versions are read; replies have this one.
    Soap(Version),
}

/// How a channel's bodies are read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DataFormat {
    /// JSON documents.
    Json,
    /// XML documents.
    Xml,
    /// Comma-separated values, which services read and write themselves.
    Csv,
    /// HTML forms, which services read themselves.
    Post,
}

impl DataFormat {
    /// The name that configuration uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Xml => "xml",
            Self::Csv => "csv",
            Self::Post => "post",
        }
    }
}

/// A text is not the name of a data format.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no data format; there are json, xml, csv and post")]
pub struct UnknownDataFormat(String);

impl FromStr for DataFormat {
    type Err = UnknownDataFormat;

    fn from_str(name: &str) -> Result<Self, UnknownDataFormat> {
        [Self::Json, Self::Xml, Self::Csv, Self::Post]
            .into_iter()
            .find(|format| format.as_str() == name)
            .ok_or_else(|| UnknownDataFormat(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_formats_are_read_by_their_names() {
        for format in [DataFormat::Json, DataFormat::Xml, DataFormat::Csv, DataFormat::Post] {
            assert_eq!(format.as_str().parse(), Ok(format));
        }
        let error = "JSON".parse::<DataFormat>().unwrap_err();
        assert_eq!(error.to_string(), "`JSON` is no data format; there are json, xml, csv and post");
    }
}
