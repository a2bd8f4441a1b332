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
use crate::layers::auth::{AuthLayer, InvalidCredentials};
use crate::layers::authentication::Authentication;
use crate::layers::aws::{AwsSignature, AwsSignatureLayer};
use crate::layers::breaker::{Breaker, BreakerLayer};
use crate::layers::cookies::{CookieJar, Cookies, CookiesLayer};
use crate::layers::decompress::{Decompress, DecompressLayer, Decompressed};
use crate::layers::digest::DigestLayer;
use crate::layers::metrics::{Count, CountLayer};
use crate::layers::oauth::OAuthLayer;
use crate::layers::optional::{Optional, OptionalLayer};
use crate::layers::phase_timeout::{IdleBody, PhaseTimeout, PhaseTimeoutLayer};
use crate::layers::prefetch::{Prefetch, PrefetchLayer};
use crate::layers::redirect::{Redirect, RedirectLayer};
use crate::layers::retry::{Again, RetryLayer};
use crate::layers::soap::{Soap, SoapLayer};
use crate::layers::timeout::{Timeout, TimeoutLayer};
use crate::layers::timing::{Timing, TimingLayer};
use crate::layers::trace::{Trace, TraceLayer};
use crate::layers::zato_headers::ZatoHeaders;
use crate::metrics::Metrics;
use crate::origin::Origin;
use crate::pool::{Pool, PoolLayer, PoolOptions, PooledBody};
use crate::target::Target;
use crate::tls::Verify;

pub(crate) type ConnectionPool = Pool<Connector>;
type WithSignature = Optional<AwsSignature<ConnectionPool>, ConnectionPool>;
type WithSoap = Optional<Soap<WithSignature>, WithSignature>;
type WithCookies = Optional<Cookies<WithSoap>, WithSoap>;
type WithAuth = Authentication<WithCookies, PhaseTimeout<ConnectionPool>>;
type WithHeaders = Decompress<ZatoHeaders<WithAuth>>;
type WithRedirects = Optional<Redirect<WithHeaders>, WithHeaders>;
type WithWholeBody = Prefetch<PhaseTimeout<WithRedirects>>;
type WithRetries = Optional<Again<WithWholeBody>, WithWholeBody>;
type WithTimeout = Timeout<WithRetries>;
type WithBreaker = Optional<Breaker<WithTimeout>, WithTimeout>;
pub(crate) type Stack = Trace<Count<Timing<WithBreaker>>>;

/// The body of a reply which the caller reads piece by piece.
pub(crate) type ReplyBody = IdleBody<Decompressed<PooledBody>>;

/// Builds the stack, from the inside to the outside, and hands out its pool too, so that it can be emptied.
pub(crate) fn build(
    config: &Config,
    target: &Target,
    environment: &Environment,
    name: &Arc<str>,
    metrics: &Arc<Metrics>,
    cookies: Option<Arc<CookieJar>>,
) -> Result<(Stack, ConnectionPool), ConfigProblem> {
    check(config)?;
    let origin = &target.origin;
    if matches!(config.tls.verify, Verify::Nothing) && origin.is_tls() {
        tracing::warn!(
            connection = config.name,
            "the certificates of this outgoing connection are not verified"
        );
    }

    // Opens connections: addresses, TCP, proxies, TLS.
    let connector = Connector::to(target, config, environment)?;

    // Keeps them open between calls, up to the pool size, and has further calls wait.
    let options = PoolOptions {
        size: config.pool_size,
        idle_timeout: config.idle_timeout,
        max_lifetime: config.max_lifetime,
        queue_size: config.queue_size,
        queue_timeout: config.queue_timeout,
    };
    let pool = PoolLayer::within(options).layer(connector);

    // Signs the request as it will be sent, envelope included.
    let stack = OptionalLayer::if_some(aws_signature(config, origin, environment)?).layer(pool.clone());

    // Puts the body into an envelope: so late that no layer outside has to know there is one.
    let stack = OptionalLayer::if_some(soap(config, origin, environment)?).layer(stack);

    // Adds the cookies of earlier replies, also to a request which is redirected, or which authentication sends again.
    let stack = OptionalLayer::if_some(cookies.map(CookiesLayer::keeping)).layer(stack);

    // Adds credentials, so late that no layer which keeps requests sees them.
    let stack = authentication(config, origin, stack, &pool)?;

    // Adds the headers of every message. They need not be kept by what makes requests again, because that is outside.
    let stack = environment.headers.layer(stack);

    // Asks for compressed replies and decompresses them.
    let decompress =
        if config.decompress { DecompressLayer::accepting_all() } else { DecompressLayer::accepting_none() };
    let stack = decompress.layer(stack);

    // Follows redirects: outside of what looks at each request anew, such as credentials.
    let redirects = (config.max_redirects > 0).then(|| RedirectLayer::limit(config.max_redirects));
    let stack = OptionalLayer::if_some(redirects).layer(stack);

    // Ends a phase of an attempt which takes too long by itself.
    let stack = PhaseTimeoutLayer::within(config.phase_timeouts).layer(stack);

    // Reads the reply's body, within the time-out, up to the limit of what it is after decompression.
    let stack = PrefetchLayer::limit(config.response_limit).layer(stack);

    // Makes the call again if it failed, be it while its reply was read.
    let retry = config.retry.map(|retry| RetryLayer::new(retry, Arc::clone(&environment.clock)));
    let stack = OptionalLayer::if_some(retry).layer(stack);

    // Ends the call when its time is over, whichever layer inside is waiting for something.
    let stack = TimeoutLayer::total(config.timeout).layer(stack);

    // Refuses calls while too many fail, time-outs included.
    let stack = OptionalLayer::if_some(config.circuit_breaker.map(BreakerLayer::new)).layer(stack);

    // Measures everything.
    let stack = TimingLayer::new().layer(stack);

    // Counts calls, those that are refused included, and what was measured of them.
    let stack = CountLayer::into(Arc::clone(metrics)).layer(stack);

    // Names the call in whatever is logged inside.
    let stack = TraceLayer::named(Arc::clone(name)).layer(stack);
    Ok((stack, pool))
}

fn check(config: &Config) -> Result<(), ConfigProblem> {
    if config.pool_size == 0 {
        return Err(ConfigProblem::PoolSize);
    }
    if config.timeout.is_zero() {
        return Err(ConfigProblem::Timeout);
    }
    if config.queue_timeout.is_some_and(|timeout| timeout.is_zero()) {
        return Err(ConfigProblem::QueueTimeout);
    }
    if config.phase_timeouts.has_zero() {
        return Err(ConfigProblem::PhaseTimeouts);
    }
    if config.retry.is_some_and(|retry| retry.attempts == 0) {
        return Err(ConfigProblem::RetryAttempts);
    }
    if config.circuit_breaker.is_some_and(|breaker| !breaker.is_valid()) {
        return Err(ConfigProblem::CircuitBreaker);
    }
    Ok(())
}

fn soap(
    config: &Config,
    origin: &Arc<Origin>,
    environment: &Environment,
) -> Result<Option<SoapLayer>, ConfigProblem> {
    let Transport::Soap { version, action } = &config.transport else {
        return match config.security {
            Some(Security::WsSecurity { .. } | Security::WsSecurityDigest { .. }) => {
                Err(ConfigProblem::WsSecurityWithoutSoap)
            }
            _ => Ok(None),
        };
    };
    let action = HeaderValue::from_str(action).map_err(|_| ConfigProblem::SoapAction)?;
    Ok(Some(match &config.security {
        Some(Security::WsSecurity { username, password }) => {
            let header = UsernameToken::text(username, password.expose()).header_xml();
            SoapLayer::enveloping(*version, action, Some(&header)).with_credentials_for(Arc::clone(origin))
        }
        Some(Security::WsSecurityDigest { username, password }) => {
            let clock = Arc::clone(&environment.clock);
            SoapLayer::with_password_digest(*version, action, username, password.clone(), clock)
                .map_err(ConfigProblem::Randomness)?
                .with_credentials_for(Arc::clone(origin))
        }
        _ => SoapLayer::enveloping(*version, action, None),
    }))
}

fn authentication(
    config: &Config,
    origin: &Arc<Origin>,
    inner: WithCookies,
    pool: &ConnectionPool,
) -> Result<WithAuth, ConfigProblem> {
    let origin = Arc::clone(origin);
    let invalid = |error: InvalidCredentials| ConfigProblem::Credentials(error.into());
    let header = match &config.security {
        None | Some(Security::WsSecurity { .. } | Security::WsSecurityDigest { .. } | Security::Aws(_)) => {
            return Ok(Authentication::Nothing(inner));
        }
        Some(Security::OAuth(client)) => {
            // Its own requests, which are outside of the layers that calls go through, have the same limits.
            let endpoint = PhaseTimeoutLayer::within(config.phase_timeouts).layer(pool.clone());
            let layer = OAuthLayer::new(client, origin, endpoint);
            let layer = layer.map_err(ConfigProblem::ClientCredentials)?;
            return Ok(Authentication::OAuth(layer.layer(inner)));
        }
        Some(Security::Digest { username, password }) => {
            let layer = DigestLayer::new(username, password.clone(), origin);
            return Ok(Authentication::Digest(layer.map_err(ConfigProblem::Randomness)?.layer(inner)));
        }
        Some(Security::BasicAuth { username, password }) => AuthLayer::basic(username, password, origin),
        Some(Security::Bearer { token }) => AuthLayer::bearer(token, origin).map_err(invalid)?,
        Some(Security::ApiKey { header, key }) => {
            let name = header.parse().map_err(|_| ConfigProblem::ApiKeyHeader)?;
            AuthLayer::api_key(name, key, origin).map_err(invalid)?
        }
    };
    Ok(Authentication::Header(header.layer(inner)))
}

fn aws_signature(
    config: &Config,
    origin: &Arc<Origin>,
    environment: &Environment,
) -> Result<Option<AwsSignatureLayer>, ConfigProblem> {
    let Some(Security::Aws(credentials)) = &config.security else { return Ok(None) };
    AwsSignatureLayer::new(credentials.clone(), Arc::clone(origin), Arc::clone(&environment.clock))
        .map(Some)
        .map_err(|error| ConfigProblem::Credentials(error.into()))
}
