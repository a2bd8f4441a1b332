//! The token endpoint of an authorization server.
//!
//! Owns the token request and the reading of its reply (RFC 6749, 4.4 and 5). It keeps no token.

use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use http::{HeaderValue, Request, Response, StatusCode, Uri};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;
use tower_service::Service;
use zeroize::Zeroizing;

use super::super::auth::{basic_credentials, bearer_credentials};
use super::super::prefetch::Collected;
use super::super::zato_headers::AGENT;
use crate::body::Body;
use crate::error::{Failure, Source};
use crate::origin::Origin;
use crate::progress::Progress;
use crate::timer::LONGEST;
use crate::url::push_form_text;
use zato_connections::Secret;

/// How long a token without an announced lifetime is used.
const UNANNOUNCED: Duration = Duration::from_secs(5 * 60);
/// How long before its end a token is replaced, unless its whole lifetime is short.
const EARLY: Duration = Duration::from_secs(30);
/// The largest reply of a token endpoint, in bytes.
const REPLY_LIMIT: usize = 64 * 1024;
/// The longest text of a token endpoint that is repeated in an error, in characters.
const SAID_LIMIT: usize = 200;

/// A client of an authorization server.
///
/// [`ClientCredentials::new`] gives the defaults; what differs from them is assigned to the fields. `Debug` shows neither the secret
/// nor the values of `params`, which may be secrets, too.
#[derive(Clone)]
#[non_exhaustive]
pub struct ClientCredentials {
    /// The URL of the token endpoint. It has no username and no password in it.
    pub token_url: String,
    /// The client's id.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: Secret,
    /// What the token is to be good for, names separated by spaces.
    pub scope: Option<String>,
    /// Further parameters of the token request, such as the `audience` which some servers demand.
    pub params: Vec<(String, String)>,
    /// How the client says who it is.
    pub client_authentication: ClientAuthentication,
}

impl ClientCredentials {
    /// A client which says who it is by Basic authentication and asks for no particular scope.
    pub fn new(
        token_url: impl Into<String>,
        client_id: impl Into<String>,
        client_secret: impl Into<Secret>,
    ) -> Self {
        Self {
            token_url: token_url.into(),
            client_id: client_id.into(),
            client_secret: client_secret.into(),
            scope: None,
            params: Vec::new(),
            client_authentication: ClientAuthentication::default(),
        }
    }
}

impl fmt::Debug for ClientCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params: Vec<_> = self.params.iter().map(|(name, _)| name).collect();
        // One that has credentials is of no use and yet may be looked at.
        let token_url = if self.token_url.contains('@') { "..." } else { &self.token_url };
        f.debug_struct("ClientCredentials")
            .field("token_url", &token_url)
            .field("client_id", &self.client_id)
            .field("client_secret", &self.client_secret)
            .field("scope", &self.scope)
            .field("params", &params)
            .field("client_authentication", &self.client_authentication)
            .finish()
    }
}

/// How a client says to the token endpoint who it is (RFC 6749, 2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuthentication {
    /// By HTTP Basic authentication, which every server has to understand. Id and secret are encoded as in forms, as the standard
    /// wants it; a server that does not expect that knows only those of letters, digits, `-`, `.`, `_` and `~`.
    #[default]
    Basic,
    /// By the parameters `client_id` and `client_secret`.
    Params,
}

/// Why there is no access token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The token endpoint could not be reached, or did not reply.
    #[error("the token endpoint could not be called")]
    Call(#[source] Box<Failure>),
    /// The token endpoint refused: with a status that says so, or with an error code where a token should be.
    #[error("the token endpoint replied with status {}{}", status.as_u16(), Said(said))]
    Refused {
        /// The reply's status.
        status: StatusCode,
        /// The error code and description of the reply (RFC 6749, 5.2), as far as it has them.
        said: String,
    },
    /// The token endpoint replied with something else than a token.
    #[error("the token endpoint's reply has no Bearer token")]
    Reply(#[source] Source),
}

struct Said<'a>(&'a str);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, ": {}", self.0) }
    }
}

/// Credentials with which no token request can be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientCredentialsError {
    /// `token_url` is no absolute `http` or `https` URL.
    #[error("the token URL is not an absolute http or https URL")]
    TokenUrl,
    /// `token_url` has a username or password in it. The client's are `client_id` and `client_secret`.
    #[error("the token URL has credentials in it, which belong into the client's id and secret")]
    TokenUrlCredentials,
}

/// An access token.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// The header with it.
    pub(super) credentials: HeaderValue,
    pub(super) expires: Instant,
    /// When it is time to have a new one.
    pub(super) refresh: Instant,
}

/// How token requests are sent, by `T`, and what is in them.
pub(super) struct Endpoint<T> {
    service: T,
    url: Uri,
    /// The body of the token request, which may have the secret in it.
    form: Bytes,
    /// Present if the client says by Basic authentication who it is.
    credentials: Option<HeaderValue>,
    /// What must not be repeated in an error.
    secret: Secret,
}

impl<T> Endpoint<T> {
    pub(super) fn new(options: &ClientCredentials, service: T) -> Result<Self, ClientCredentialsError> {
        let url: Uri = options.token_url.parse().map_err(|_| ClientCredentialsError::TokenUrl)?;
        if url.authority().is_some_and(|authority| authority.as_str().contains('@')) {
            return Err(ClientCredentialsError::TokenUrlCredentials);
        }
        if Origin::of(&url).is_none() {
            return Err(ClientCredentialsError::TokenUrl);
        }
        let secret = options.client_secret.clone();
        let mut form = Zeroizing::new(String::from("grant_type=client_credentials"));
        let mut push = |name: &str, value: &str| {
            form.push('&');
            push_form_text(&mut form, name);
            form.push('=');
            push_form_text(&mut form, value);
        };
        if let Some(scope) = &options.scope {
            push("scope", scope);
        }
        options.params.iter().for_each(|(name, value)| push(name, value));
        let credentials = match options.client_authentication {
            // The standard wants both encoded as in forms before they are put together.
            ClientAuthentication::Basic => {
                let (mut id, mut encoded) = (String::new(), String::new());
                push_form_text(&mut id, &options.client_id);
                push_form_text(&mut encoded, secret.expose());
                Some(basic_credentials(&id, &Secret::from(encoded)))
            }
            ClientAuthentication::Params => {
                push("client_id", &options.client_id);
                push("client_secret", secret.expose());
                None
            }
        };
        let form = Bytes::from_owner(Zeroizing::new(form.as_bytes().to_vec()));
        Ok(Self { service, url, form, credentials, secret })
    }

    /// The error code and description of a reply, without what a server may have repeated of the request's secrets.
    fn said(&self, reply: &Reply) -> String {
        let error = reply.error.as_ref().and_then(Value::as_str).unwrap_or_default();
        let description = reply.error_description.as_ref().and_then(Value::as_str);
        let description = description.map(|text| format!(" ({text})")).unwrap_or_default();
        let said = format!("{error}{description}");
        let said = match self.secret.expose() {
            "" => said,
            secret => said.replace(secret, "..."),
        };
        said.trim().chars().filter(|character| !character.is_control()).take(SAID_LIMIT).collect()
    }
}

impl<T, P> Endpoint<T>
where
    T: Service<Request<Body>, Response = Response<P>, Error = Failure> + Clone,
    P: http_body::Body<Data = Bytes, Error = Failure>,
{
    /// Has a token issued.
    pub(super) async fn issue(&self) -> Result<Token, TokenError> {
        let failed = |failure| TokenError::Call(Box::new(failure));
        let mut request = Request::new(Body::from(self.form.clone()));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = self.url.clone();
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(USER_AGENT, AGENT);
        if let Some(credentials) = &self.credentials {
            headers.insert(AUTHORIZATION, credentials.clone());
        }
        // The record of its own keeps the call's from saying that the call's own request was sent.
        request.extensions_mut().insert(Progress::start());
        let mut service = self.service.clone();
        poll_fn(|cx| service.poll_ready(cx)).await.map_err(failed)?;
        let asked = Instant::now();
        let (head, body) = service.call(request).await.map_err(failed)?.into_parts();
        let reply = read(body).await.map_err(failed)?;
        let refused = |said| Err(TokenError::Refused { status: head.status, said });
        let reply = match (head.status.is_success(), Reply::read(&reply)) {
            (true, Ok(reply)) => reply,
            (true, Err(error)) => return Err(TokenError::Reply(without_content(&error))),
            (false, Ok(reply)) => return refused(self.said(&reply)),
            (false, Err(_)) => return refused(String::new()),
        };
        // Some servers refuse with a status that says success.
        if reply.access_token.is_none() && reply.error.as_ref().is_some_and(Value::is_string) {
            return refused(self.said(&reply));
        }
        let access_token = match reply.access_token {
            Some(Value::String(token)) => Zeroizing::new(token),
            Some(_) => return Err(TokenError::Reply("its `access_token` is no text".into())),
            None => return Err(TokenError::Reply("it has no `access_token`".into())),
        };
        // The standard demands the type, and servers leave it out which issue no others.
        let is_bearer = reply
            .token_type
            .is_none_or(|name| name.as_str().is_some_and(|name| name.eq_ignore_ascii_case("bearer")));
        if !is_bearer {
            return Err(TokenError::Reply("its `token_type` is another one".into()));
        }
        let credentials =
            bearer_credentials(&access_token).map_err(|error| TokenError::Reply(error.into()))?;
        let lifetime = reply.expires_in.as_ref().and_then(lifetime).unwrap_or(UNANNOUNCED).min(LONGEST);
        let expires = asked + lifetime;
        Ok(Token { credentials, expires, refresh: expires - EARLY.min(lifetime / 4) })
    }
}

async fn read<P>(body: P) -> Result<Bytes, Failure>
where
    P: http_body::Body<Data = Bytes, Error = Failure>,
{
    let mut body = pin!(body);
    let mut collected = Collected::with_limit(REPLY_LIMIT);
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await.transpose()? {
        if let Ok(data) = frame.into_data() {
            collected.push(data, body.size_hint().lower())?;
        }
    }
    Ok(collected.into_bytes())
}

/// Where the JSON is wrong. The error's own text may quote a part of it, which may be a token.
fn without_content(error: &serde_json::Error) -> Source {
    format!("it is not the expected JSON at line {}, column {}", error.line(), error.column()).into()
}

/// What matters of a reply, whether it has a token or says why there is none. Only what is of the expected type counts: a field
/// which is not needed must not make the others unreadable.
#[derive(Deserialize)]
struct Reply {
    access_token: Option<Value>,
    token_type: Option<Value>,
    expires_in: Option<Value>,
    error: Option<Value>,
    error_description: Option<Value>,
}

impl Reply {
    fn read(reply: &[u8]) -> serde_json::Result<Self> {
        // A byte order mark, with which some servers begin, is no JSON.
        serde_json::from_slice(reply.strip_prefix(b"\xef\xbb\xbf").unwrap_or(reply))
    }
}

/// A number of seconds, which some servers send as a text.
fn lifetime(seconds: &Value) -> Option<Duration> {
    let seconds = match seconds {
        Value::String(text) => text.trim().parse().ok()?,
        other => other.as_f64()?,
    };
    Duration::try_from_secs_f64(seconds).ok()
}
