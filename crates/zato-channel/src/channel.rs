//! A channel, compiled: everything about it that no call has to work out again.
//!
//! Owns the step from a channel's configuration to that form. It must not know the other channels, nor requests.

use std::sync::Arc;

use http::{HeaderValue, Method};
use zato_service::Registration;

use crate::codec::Codec;
use crate::config::Transport;
use crate::limits::Limiter;
use crate::path::PathPattern;
use crate::{ChannelConfig, ChannelError, DataFormat, Origins, Security, UrlParameters};

/// A channel that is ready for calls.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) id: i64,
    pub(crate) name: Arc<str>,
    pub(crate) is_active: bool,
    pub(crate) url_path: Arc<str>,
    pub(crate) soap_action: Arc<str>,
    pub(crate) pattern: PathPattern,
    /// The only method that is accepted.
    pub(crate) method: Option<Allowed>,
    pub(crate) security: Option<Arc<Security>>,
    /// Whether the roles of the caller decide.
    pub(crate) has_rbac: bool,
    pub(crate) limiter: Limiter,
    pub(crate) cors: Option<Origins>,
    pub(crate) is_audited: bool,
    pub(crate) url_parameters: UrlParameters,
    pub(crate) service: Arc<Registration>,
    pub(crate) codec: Arc<Codec>,
}

impl Channel {
    pub(crate) fn new(config: ChannelConfig) -> Result<Self, ChannelError> {
        let name: Arc<str> = config.name.into();
        let url_path: Arc<str> = config.url_path.into();
        let pattern = PathPattern::new(&url_path).map_err(|reason| ChannelError::Path {
            channel: Arc::clone(&name),
            url_path: Arc::clone(&url_path),
            reason,
        })?;
        let is_xml =
            matches!(config.transport, Transport::Soap(_)) || config.data_format == Some(DataFormat::Xml);
        if let Some(security) = &config.security {
            let wanted = match config.transport {
                Transport::PlainHttp if security.is_in_envelope() => Some("SOAP"),
                _ if security.is_in_message() && !is_xml => Some("XML and SOAP"),
                _ => None,
            };
            if let Some(wanted) = wanted {
                let security = Arc::clone(security.name());
                return Err(ChannelError::Security { channel: name, security, wanted });
            }
        }
        let codec = match (config.transport, config.data_format) {
            (Transport::Soap(version), None | Some(DataFormat::Xml)) => Codec::soap(version, &config.service),
            (Transport::Soap(_), Some(format)) => {
                return Err(ChannelError::DataFormat { channel: name, data_format: format.as_str() });
            }
            (Transport::PlainHttp, Some(DataFormat::Json)) => Ok(Codec::json(&config.service)),
            (Transport::PlainHttp, Some(DataFormat::Xml)) => Codec::xml(&config.service),
            (Transport::PlainHttp, Some(DataFormat::Csv | DataFormat::Post) | None) => Ok(Codec::raw()),
        };
        let codec = codec.map_err(|reason| ChannelError::Service {
            channel: Arc::clone(&name),
            service: config.service.name().into(),
            reason,
        })?;
        Ok(Self {
            id: config.id,
            name,
            is_active: config.is_active,
            url_path,
            soap_action: config.soap_action.into(),
            pattern,
            method: config.method.map(Allowed::new),
            security: config.security,
            has_rbac: config.has_rbac,
            limiter: Limiter::new(config.limits),
            cors: config.cors,
            is_audited: config.is_audited,
            url_parameters: config.url_parameters,
            service: config.service,
            codec: Arc::new(codec),
        })
    }

    /// Whether its calls need nothing but the way to its service and back.
    pub(crate) fn is_plain(&self) -> bool {
        self.cors.is_none() && !self.is_audited
    }

    /// The same channel, which goes on counting where its former state was if its limits are the same.
    pub(crate) fn after(self, former: &Self) -> Self {
        Self { limiter: former.limiter.successor(self.limiter.limits()), ..self }
    }
}

/// A channel's only method.
#[derive(Clone, Debug)]
pub(crate) struct Allowed {
    method: Method,
    header: HeaderValue,
}

impl Allowed {
    fn new(method: Method) -> Self {
        let header = match method {
            Method::GET => "GET, HEAD, OPTIONS".to_owned(),
            Method::OPTIONS => "OPTIONS".to_owned(),
            ref other => format!("{other}, OPTIONS"),
        };
        // Methods are tokens of RFC 9110, which is what header values are made of; one that isn't allows nothing.
        let header = HeaderValue::try_from(header).unwrap_or_else(|_| HeaderValue::from_static(""));
        Self { method, header }
    }

    /// Whether it is this method. `HEAD` is `GET` without the body of the reply, which whoever sends it leaves out.
    pub(crate) fn includes(&self, method: &Method) -> bool {
        self.method == *method || (self.method == Method::GET && *method == Method::HEAD)
    }

    /// The `Allow` header.
    pub(crate) fn header(&self) -> &HeaderValue {
        &self.header
    }
}
