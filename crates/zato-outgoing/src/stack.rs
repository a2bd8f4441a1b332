//! Builds the stack of a connection out of its configuration.
//!
//! Owns the order of the layers, which `docs/layers.md` explains. Everything that can be computed once is computed here,
//! when the connection is configured.

use std::sync::Arc;

use http::HeaderValue;
use tower_layer::Layer;
use zato_soap::UsernameToken;

use crate::config::{Config, ConfigProblem, Environment, Security, Transport};
use crate::connect::Connector;
use crate::layers::auth::{Auth, AuthLayer};
use crate::layers::optional::{Optional, OptionalLayer};
use crate::layers::prefetch::{Prefetch, PrefetchLayer};
use crate::layers::soap::{Soap, SoapLayer};
use crate::layers::timeout::{Timeout, TimeoutLayer};
use crate::layers::timing::{Timing, TimingLayer};
use crate::layers::zato_headers::{ZatoHeaders, ZatoHeadersLayer};
use crate::origin::Origin;
use crate::pool::{Pool, PoolLayer, PoolOptions};
use crate::tls::{TlsSource, Verify};

pub(crate) type ConnectionPool = Pool<Connector>;
type WithSoap = Optional<Soap<ConnectionPool>, ConnectionPool>;
type WithAuth = Optional<Auth<WithSoap>, WithSoap>;
pub(crate) type Stack = Timing<Timeout<ZatoHeaders<Prefetch<WithAuth>>>>;

/// Builds the stack, from the inside to the outside, and hands out its pool too, so that it can be emptied.
pub(crate) fn build(
    config: &Config,
    origin: &Arc<Origin>,
    environment: &Environment,
) -> Result<(Stack, ConnectionPool), ConfigProblem> {
    if config.pool_size == 0 {
        return Err(ConfigProblem::PoolSize);
    }
    if config.timeout.is_zero() {
        return Err(ConfigProblem::Timeout);
    }
    if matches!(config.tls.verify, Verify::Nothing) && origin.is_tls() {
        tracing::warn!(
            connection = config.name,
            "the certificates of this outgoing connection are not verified"
        );
    }

    // Opens connections: addresses, TCP, TLS.
    let tls = TlsSource::new(&config.tls, &environment.tls).map_err(ConfigProblem::CaBundle)?;
    let connector = Connector::new(tls);

    // Keeps them open between calls, up to the pool size, and has further calls wait.
    let options = PoolOptions { size: config.pool_size, idle_timeout: config.idle_timeout };
    let pool = PoolLayer::within(options).layer(connector);

    // Puts the body into an envelope: last of all, so that nothing else has to know there is one.
    let stack = OptionalLayer::if_some(soap(config)?).layer(pool.clone());

    // Adds credentials, as late as possible, so that no layer that may look at a request sees them.
    let stack = OptionalLayer::if_some(basic_auth(config, origin)).layer(stack);

    // Reads the reply's body, within the time-out.
    let stack = PrefetchLayer::limit(config.response_limit).layer(stack);

    // Adds the headers of every message, once a call, however often a layer inside may send it.
    let headers =
        ZatoHeadersLayer::if_not_present(environment.component.clone(), Arc::clone(&environment.clock));
    let stack = headers.layer(stack);

    // Ends the call when its time is over, whichever layer inside is waiting for something.
    let stack = TimeoutLayer::total(config.timeout).layer(stack);

    // Measures everything, time-outs included.
    let stack = TimingLayer::new().layer(stack);
    Ok((stack, pool))
}

fn soap(config: &Config) -> Result<Option<SoapLayer>, ConfigProblem> {
    let Transport::Soap { version, action } = &config.transport else {
        return match config.security {
            Some(Security::WsSecurity { .. }) => Err(ConfigProblem::WsSecurityWithoutSoap),
            _ => Ok(None),
        };
    };
    let action = HeaderValue::from_str(action).map_err(|_| ConfigProblem::SoapAction)?;
    let security = match &config.security {
        Some(Security::WsSecurity { username, password }) => {
            Some(UsernameToken::text(username, password.expose()).header_xml())
        }
        Some(Security::BasicAuth { .. }) | None => None,
    };
    Ok(Some(SoapLayer::enveloping(*version, action, security.as_ref().map(|header| header.as_str()))))
}

fn basic_auth(config: &Config, origin: &Arc<Origin>) -> Option<AuthLayer> {
    match &config.security {
        Some(Security::BasicAuth { username, password }) => {
            Some(AuthLayer::basic(username, password, Arc::clone(origin)))
        }
        Some(Security::WsSecurity { .. }) | None => None,
    }
}
