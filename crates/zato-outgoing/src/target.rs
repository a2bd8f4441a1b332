//! The URL of a connection, in the form in which calls need it.
//!
//! Owns putting `host` and `url_path` together and what follows from them. It is parsed once, when the connection is
//! configured; a call without parameters shares the result.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http::Uri;
use http::uri::{Authority, PathAndQuery, Scheme};
use url::Host;

use crate::config::ConfigProblem;
use crate::error::Failure;
use crate::origin::Origin;
use crate::params::Params;
use crate::url::{PathParameterError, UrlTemplate, encode_literal};

/// Where the calls of a connection go.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) origin: Arc<Origin>,
    /// The Unix socket which stands for the origin.
    pub(crate) unix: Option<Arc<Path>>,
    scheme: Scheme,
    authority: Authority,
    template: UrlTemplate,
    /// The URL with its placeholders, if there are any, as they stand.
    unfilled: Uri,
}

impl Target {
    pub(crate) fn parse(host: &str, url_path: &str) -> Result<Self, ConfigProblem> {
        let unix = host.strip_prefix("unix:").map(Path::new);
        if unix.is_some_and(Path::is_relative) {
            return Err(ConfigProblem::UnixSocket);
        }
        let host = if unix.is_some() { "http://localhost" } else { host };
        let (scheme, rest) = match host.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (Scheme::HTTP, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (Scheme::HTTPS, rest),
            _ => return Err(ConfigProblem::HostScheme),
        };
        // Nothing stands between host and path, so a host may bring the beginning of the path along.
        let (authority, base) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if authority.contains('@') {
            return Err(ConfigProblem::HostCredentials);
        }
        if authority.is_empty() {
            return Err(ConfigProblem::HostOrPort);
        }
        let authority: Authority = to_ascii(authority).parse().map_err(ConfigProblem::Host)?;
        let template = if base.is_empty() {
            UrlTemplate::parse(url_path)
        } else {
            UrlTemplate::parse(&format!("{base}{url_path}"))
        };
        let template = template.map_err(ConfigProblem::UrlPath)?;
        let path =
            PathAndQuery::from_maybe_shared(Bytes::from(template.unfilled())).map_err(ConfigProblem::Url)?;
        let unfilled = assemble(&scheme, &authority, path);
        let origin = Arc::new(Origin::of(&unfilled).ok_or(ConfigProblem::HostOrPort)?);
        Ok(Self { origin, unix: unix.map(Arc::from), scheme, authority, template, unfilled })
    }

    /// The URL with `params` in it.
    pub(crate) fn with_params(&self, params: &Params) -> Result<Uri, Failure> {
        if params.is_empty() && !self.template.has_placeholders() {
            return Ok(self.unfilled.clone());
        }
        let path = self.template.expand(params).map_err(|error| match error {
            PathParameterError::Missing { name } => Failure::MissingPathParameter { name },
            error => Failure::invalid_request("path parameter", error),
        })?;
        self.at(path)
    }

    /// The URL as configured, for pings, which have no parameters.
    pub(crate) fn unfilled(&self) -> &Uri {
        &self.unfilled
    }

    /// The URL that a path at this origin stands for, or `path_or_url` itself if it has a scheme; with `params` as its query
    /// string.
    pub(crate) fn resolve(&self, path_or_url: &str, params: &Params) -> Result<Uri, Failure> {
        let invalid = |source: &dyn std::fmt::Display| Failure::invalid_request("URL", source.to_string());
        // A fragment is not part of a request (RFC 3986, 3.5).
        let (path_or_url, _) = path_or_url.split_once('#').unwrap_or((path_or_url, ""));
        // A path may have `://` in its query (RFC 3986, 3.4).
        let is_url = !path_or_url.starts_with(['/', '?']);
        let (scheme, authority, path) = match path_or_url.split_once("://").filter(|_| is_url) {
            Some((scheme, rest)) => {
                let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
                let url = format!("{scheme}://{}", to_ascii(authority));
                let url: Uri = url.parse().map_err(|error| invalid(&error))?;
                if Origin::of(&url).is_none() {
                    return Err(invalid(&"its scheme is neither http nor https"));
                }
                // It would be sent to a proxy and shown in logs (RFC 9110, 4.2.4).
                if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
                    return Err(invalid(&"it has a user name or a password; use an Authorization header"));
                }
                let parts = url.into_parts();
                (parts.scheme, parts.authority, path)
            }
            None => (None, None, path_or_url),
        };
        let path = match path.strip_prefix('?') {
            Some(query) => format!("/?{query}"),
            None if path.is_empty() => "/".to_owned(),
            None => path.to_owned(),
        };
        // Braces mean themselves here, so they are encoded before the path is taken for a template.
        let template = UrlTemplate::parse(&encode_literal(&path)).map_err(|error| invalid(&error))?;
        // A template without placeholders lacks none.
        let path = template.expand(params).map_err(|error| invalid(&error))?;
        let path = path_and_query(path)?;
        let scheme = scheme.unwrap_or_else(|| self.scheme.clone());
        let authority = authority.unwrap_or_else(|| self.authority.clone());
        Ok(assemble(&scheme, &authority, path))
    }

    fn at(&self, path: String) -> Result<Uri, Failure> {
        Ok(assemble(&self.scheme, &self.authority, path_and_query(path)?))
    }
}

/// An authority as requests have it: a host name of other letters than ASCII in the form that DNS knows (RFC 5891). What is no such
/// name stays as it is, so that it is refused like any other one.
fn to_ascii(authority: &str) -> Cow<'_, str> {
    if authority.is_ascii() {
        return authority.into();
    }
    let (name, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
    match Host::parse(name) {
        Ok(host) => format!("{host}{port}").into(),
        Err(_) => authority.into(),
    }
}

fn path_and_query(path: String) -> Result<PathAndQuery, Failure> {
    PathAndQuery::from_maybe_shared(Bytes::from(path)).map_err(|error| Failure::invalid_request("URL", error))
}

fn assemble(scheme: &Scheme, authority: &Authority, path: PathAndQuery) -> Uri {
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(scheme.clone());
    parts.authority = Some(authority.clone());
    parts.path_and_query = Some(path);
    #[expect(clippy::expect_used, reason = "these three parts together always are an absolute URL")]
    Uri::from_parts(parts).expect("scheme, authority and path are all there")
}
