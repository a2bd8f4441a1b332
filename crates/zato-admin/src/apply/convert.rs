//! What a stored object means to channels and outgoing connections.
//!
//! Owns the translation, which both validates an object before it is stored and puts it in effect afterwards. So
//! nothing is stored that could not be in effect. It must not read the database.

use std::fmt::Display;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use zato_channel::{
    CallLimits, ChannelConfig, ChannelError, DataFormat, ParameterPrecedence, Precedence, Security,
    UrlParameters,
};
use zato_odb::model::{
    HttpSoap, MessageParamsPriority, SecurityDefinition, SecurityKind, SerializationType, TlsCaCert,
    Transport, UrlParamsPriority,
};
use zato_outgoing::{Identity, Secret, Tls, Verify};
use zato_service::{Error, Registration};
use zato_soap::Version;

use crate::error::not_allowed;

/// A channel as calls are routed to it.
pub(crate) fn channel_config(
    object: &HttpSoap,
    service: Arc<Registration>,
    security: Option<Arc<Security>>,
) -> Result<ChannelConfig, Error> {
    let method = object.method.as_deref().map(|method| http_method("method", method)).transpose()?;
    Ok(ChannelConfig {
        id: object.id,
        name: object.name.clone(),
        is_active: object.is_active,
        transport: match object.transport {
            Transport::PlainHttp => zato_channel::Transport::PlainHttp,
            Transport::Soap => zato_channel::Transport::Soap(soap_version(object)?),
        },
        data_format: data_format(object)?,
        url_path: object.url_path.clone(),
        soap_action: object.soap_action.clone(),
        method,
        security,
        has_rbac: object.has_rbac,
        limits: call_limits(object.rate_limit.as_ref(), object.max_in_flight)?,
        is_audited: object.audit_enabled,
        cors: parsed("cors_origins", object.cors_origins.as_ref())?,
        url_parameters: UrlParameters {
            are_input: object.merge_url_params_req,
            over: match object.url_params_pri {
                UrlParamsPriority::QueryStringOverPath => ParameterPrecedence::Query,
                UrlParamsPriority::PathOverQueryString => ParameterPrecedence::Path,
            },
            message: match object.params_pri {
                MessageParamsPriority::ChannelParamsOverMessage => Precedence::Elements,
                MessageParamsPriority::MessageOverChannelParams => Precedence::Payload,
            },
        },
        service,
    })
}

/// The value of an element that is written in a form of its own.
fn parsed<T: FromStr<Err: Display>>(element: &str, text: Option<&String>) -> Result<Option<T>, Error> {
    let parse = |text: &String| {
        text.parse()
            .map_err(|error| Error::bad_request(format!("{element} [{text}] is not allowed: {error}")))
    };
    text.map(parse).transpose()
}

/// How many calls a channel or a security definition lets through.
pub(super) fn call_limits(
    rate_limit: Option<&String>,
    max_in_flight: Option<i32>,
) -> Result<CallLimits, Error> {
    Ok(CallLimits {
        rate: parsed("rate_limit", rate_limit)?,
        in_flight: max_in_flight.map(in_flight).transpose()?,
    })
}

fn in_flight(number: i32) -> Result<NonZeroU32, Error> {
    let positive = u32::try_from(number).ok().and_then(NonZeroU32::new);
    positive.ok_or_else(|| not_allowed("max_in_flight", number, "1 or more"))
}

/// What is wrong with a channel beside the others.
pub(crate) fn channel_error(error: &ChannelError) -> Error {
    match error {
        ChannelError::Taken { .. } | ChannelError::Ambiguous { .. } | ChannelError::Page { .. } => {
            Error::conflict(error.to_string())
        }
        _ => Error::bad_request(error.to_string()),
    }
}

/// An outgoing connection as calls are made with it.
pub(crate) fn outgoing_config(
    object: &HttpSoap,
    definition: Option<&SecurityDefinition>,
    authority: Option<&TlsCaCert>,
) -> Result<zato_outgoing::Config, Error> {
    let host = object.host.as_str();
    let mut config =
        zato_outgoing::Config::new(object.id, object.name.as_str(), host, object.url_path.as_str());
    config.is_active = object.is_active;
    if object.transport == Transport::Soap {
        if object.serialization_type != SerializationType::String {
            return Err(not_allowed("serialization_type", object.serialization_type, "string"));
        }
        let (version, action) = (soap_version(object)?, object.soap_action.clone());
        config.transport = zato_outgoing::Transport::Soap { version, action };
    }
    match (object.security_id, definition) {
        (None, _) => {}
        (Some(_), None) => return Err(Error::internal("its security definition is not stored")),
        (Some(_), Some(definition)) => match (&definition.kind, object.transport) {
            (SecurityKind::TlsKeyCert { value, .. }, Transport::PlainHttp) => {
                config.tls.identity = Some(Identity::from_pem(value.expose()));
            }
            _ => config.security = Some(outgoing_security(object.transport, definition)?),
        },
    }
    match (object.sec_tls_ca_cert_id, authority) {
        (None, _) => {}
        (Some(_), None) => return Err(Error::internal("its TLS CA certificate is not stored")),
        (Some(_), Some(authority)) => config.tls.verify = Verify::CaBundle(authority.value.as_bytes().into()),
    }
    data_format(object)?;
    if let Some(method) = &object.ping_method {
        config.ping_method.clone_from(method);
    }
    if let Some(size) = object.pool_size {
        config.pool_size = at_least_one("pool_size", size)?;
    }
    config.timeout = Duration::from_secs(at_least_one("timeout", object.timeout)? as u64);
    Ok(config)
}

/// Says whether a connection could be built.
pub(crate) fn check_outgoing(config: zato_outgoing::Config) -> Result<(), Error> {
    // Nothing of the environment decides it, and nothing is opened.
    let environment = zato_outgoing::Environment::new("check")?;
    zato_outgoing::Connection::new(config, &environment).map(drop).map_err(|error| {
        let message = format!("{} is invalid: {}", error.field(), error.problem());
        let bad_request = Error::bad_request(message);
        match std::error::Error::source(error.problem()) {
            Some(cause) => bad_request.with_source(cause.to_string()),
            None => bad_request,
        }
    })
}

/// Says whether the certificates of an authority could be trusted by a connection.
pub(crate) fn check_authorities(authority: &TlsCaCert) -> Result<(), Error> {
    check_tls(|tls| tls.verify = Verify::CaBundle(authority.value.as_bytes().into()))
}

/// Says whether a key and its certificate could be shown by a connection.
pub(crate) fn check_identity(definition: &SecurityDefinition) -> Result<(), Error> {
    let SecurityKind::TlsKeyCert { value, .. } = &definition.kind else { return Ok(()) };
    check_tls(|tls| tls.identity = Some(Identity::from_pem(value.expose())))
}

fn check_tls(set: impl FnOnce(&mut Tls)) -> Result<(), Error> {
    let mut config = zato_outgoing::Config::new(0, "check", "https://localhost", "/");
    set(&mut config.tls);
    check_outgoing(config).map_err(|error| {
        // The cause says what is wrong with the text; the rest is about the connection, which is none of the caller's.
        let problem = error.causes().next().map_or_else(|| error.message().to_owned(), ToString::to_string);
        Error::bad_request(format!("value is invalid: {problem}"))
    })
}

/// How an object's messages are written, none if they have no format.
fn data_format(object: &HttpSoap) -> Result<Option<DataFormat>, Error> {
    message_format(object.data_format.as_ref())
}

/// The format of a name, none if there is no name or an empty one.
pub(crate) fn message_format(name: Option<&String>) -> Result<Option<DataFormat>, Error> {
    let parse = |name: &String| {
        name.parse().map_err(|_| not_allowed("data_format", name, "json, xml, csv, post or empty"))
    };
    name.filter(|name| !name.is_empty()).map(parse).transpose()
}

fn outgoing_security(
    transport: Transport,
    definition: &SecurityDefinition,
) -> Result<zato_outgoing::Security, Error> {
    let (username, password) = credentials(definition);
    let password = Secret::from(password.expose());
    match (&definition.kind, transport) {
        (SecurityKind::BasicAuth { .. }, _) => Ok(zato_outgoing::Security::BasicAuth { username, password }),
        (SecurityKind::ApiKey, _) => Ok(zato_outgoing::Security::ApiKey { header: username, key: password }),
        (SecurityKind::WsSecurity { .. }, Transport::Soap) => {
            Ok(zato_outgoing::Security::WsSecurity { username, password })
        }
        (other, Transport::PlainHttp) => Err(Error::bad_request(format!(
            "Only HTTP Basic Auth and API keys are supported, not [{}]",
            other.security_type()
        ))),
        (other, Transport::Soap) => Err(Error::bad_request(format!(
            "Security type must be HTTP Basic Auth, an API key or WS-Security, not [{}]",
            other.security_type()
        ))),
    }
}

pub(super) fn credentials(definition: &SecurityDefinition) -> (String, zato_odb::Secret) {
    let username = definition.username.clone().unwrap_or_default();
    let password = definition.password.clone().unwrap_or_else(|| zato_odb::Secret::new(""));
    (username, password)
}

/// A SOAP object whose version was never given speaks SOAP 1.1.
fn soap_version(object: &HttpSoap) -> Result<Version, Error> {
    match object.soap_version.as_deref() {
        None | Some("1.1") => Ok(Version::V11),
        Some("1.2") => Ok(Version::V12),
        Some(other) => Err(not_allowed("soap_version", other, "1.1 or 1.2")),
    }
}

fn http_method(element: &str, method: &str) -> Result<Method, Error> {
    Method::from_bytes(method.as_bytes())
        .map_err(|_| not_allowed(element, method, "an HTTP method such as POST"))
}

pub(super) fn at_least_one(element: &str, number: i32) -> Result<usize, Error> {
    match usize::try_from(number) {
        Ok(number) if number > 0 => Ok(number),
        _ => Err(not_allowed(element, number, "1 or more")),
    }
}
