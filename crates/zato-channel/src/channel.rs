//! A channel, compiled: everything about it that no call has to work out again.
//!
//! Owns the step from a channel's configuration to that form. It must not know the other channels, nor requests.

use std::sync::Arc;

use http::{HeaderValue, Method};
use zato_service::Registration;

use crate::codec::Codec;
use crate::config::Transport;
use crate::path::PathPattern;
use crate::{ChannelConfig, ChannelError, DataFormat, Security, UrlParameters};

/// A channel that is ready for calls.
#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) id: i64,
    pub(crate) name: Arc<str>,
    pub(crate) is_active: bool,
    pub(crate) url_path: Arc<str>,
    pub(crate) soap_action: Arc<str>,
    pub(crate) pattern: PathPattern,
    /// The only method that is accepted, and the `Allow` header that says so.
    pub(crate) method: Option<(Method, HeaderValue)>,
    pub(crate) security: Option<Arc<Security>>,
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
        let guard = config.security.as_ref().filter(|security| security.is_in_envelope());
        if let (Transport::PlainHttp, Some(security)) = (config.transport, guard) {
            return Err(ChannelError::Security { channel: name, security: Arc::clone(security.name()) });
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
        // Methods are tokens of RFC 9110, which is what header values are made of; one that isn't allows nothing.
        let allow = |method: &Method| {
            HeaderValue::from_str(method.as_str()).unwrap_or_else(|_| HeaderValue::from_static(""))
        };
        let method = config.method.map(|method| {
            let allow = allow(&method);
            (method, allow)
        });
        Ok(Self {
            id: config.id,
            name,
            is_active: config.is_active,
            url_path,
            soap_action: config.soap_action.into(),
            pattern,
            method,
            security: config.security,
            url_parameters: config.url_parameters,
            service: config.service,
            codec: Arc::new(codec),
        })
    }

    /// Whether the security definition of this id guards the channel.
    pub(crate) fn is_guarded_by(&self, security_id: i64) -> bool {
        self.security.as_ref().is_some_and(|security| security.id() == security_id)
    }

    /// The same channel with another state of its security definition.
    pub(crate) fn guarded_by(&self, security: Arc<Security>) -> Self {
        Self { security: Some(security), ..self.clone() }
    }
}
