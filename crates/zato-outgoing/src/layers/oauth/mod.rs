//! OAuth 2.0 with client credentials (RFC 6749, 4.4).
//!
//! Owns the access token: keeping it, and replacing it before it expires. It sits where
//! [`auth`](super::auth) does, because the two are alternatives. The token endpoint is called through a service of its own,
//! which in this crate's stack is the connection's pool, so that the same proxy and TLS settings hold.

mod endpoint;

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request, Response, StatusCode};
use tokio::time::Instant;
use tower_layer::Layer;
use tower_service::Service;

pub use self::endpoint::{ClientAuthentication, ClientCredentials, ClientCredentialsError, TokenError};
use self::endpoint::{Endpoint, Token};
use super::digest::drain;
use super::replay::Kept;
use crate::body::Body;
use crate::error::Failure;
use crate::origin::Origin;
use crate::progress::{Phase, Progress};

/// How long a call whose token is still good waits for the next one.
const EARLY: Duration = Duration::from_secs(2);

/// Makes [`OAuth`] services.
///
/// ```
/// use std::sync::Arc;
///
/// use bytes::Bytes;
/// use http::{Request, Response, Uri};
/// use http_body_util::{BodyExt, Full};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::layers::oauth::{ClientCredentials, OAuthLayer};
/// use zato_outgoing::{Body, Failure, Origin};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let origin = Origin::of(&Uri::from_static("https://api.example.com")).ok_or("no origin")?;
/// // A token endpoint and an API, each a function.
/// let endpoint = service_fn(async |_: Request<Body>| {
///     let token = r#"{"access_token": "t0ken", "token_type": "Bearer", "expires_in": 3600}"#;
///     Ok::<_, Failure>(Response::new(Full::from(token).map_err(|_| Failure::Inactive)))
/// });
/// let api = service_fn(async |request: Request<Body>| {
///     let header = Bytes::copy_from_slice(request.headers()["Authorization"].as_bytes());
///     Ok::<_, Failure>(Response::new(Full::new(header)))
/// });
/// let client = ClientCredentials::new("https://login.example.com/token", "id", "s3cret");
/// let service = OAuthLayer::new(&client, Arc::new(origin), endpoint)?.layer(api);
/// let request = Request::get("https://api.example.com/a").body(Body::empty())?;
/// let response = service.oneshot(request).await?;
/// assert_eq!(response.into_body().collect().await?.to_bytes(), "Bearer t0ken");
/// # Ok(())
/// # }
/// ```
///
/// Reads: [`Progress`].
#[derive(Debug)]
pub struct OAuthLayer<T> {
    client: Arc<Client<T>>,
}

impl<T> Clone for OAuthLayer<T> {
    fn clone(&self) -> Self {
        Self { client: Arc::clone(&self.client) }
    }
}

struct Client<T> {
    endpoint: Endpoint<T>,
    origin: Arc<Origin>,
    /// Locked for a few instructions at a time, never across a wait.
    state: Mutex<State>,
    /// Held while a token is being fetched, so that one call does it for all.
    fetching: tokio::sync::Mutex<()>,
}

/// How the last token request ended.
#[derive(Default)]
struct State {
    token: Option<Token>,
    /// Why there is no newer token.
    failure: Option<Arc<TokenError>>,
}

impl<T> fmt::Debug for Client<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl<T> OAuthLayer<T> {
    /// Adds a Bearer token to requests to `origin` which have no `Authorization` header yet. `endpoint` sends the token
    /// requests.
    ///
    /// A token is fetched by the first call that needs it; others wait for the same one and share its failure. Shortly before
    /// it expires, one call fetches the next one while others still use it. A reply with status 401 makes the token be
    /// replaced and the request be sent once more, unless its body is a stream.
    ///
    /// # Errors
    ///
    /// [`ClientCredentialsError`].
    pub fn new(
        options: &ClientCredentials,
        origin: Arc<Origin>,
        endpoint: T,
    ) -> Result<Self, ClientCredentialsError> {
        let endpoint = Endpoint::new(options, endpoint)?;
        let client =
            Client { endpoint, origin, state: Mutex::default(), fetching: tokio::sync::Mutex::default() };
        Ok(Self { client: Arc::new(client) })
    }
}

impl<S, T> Layer<S> for OAuthLayer<T> {
    type Service = OAuth<S, T>;

    fn layer(&self, inner: S) -> OAuth<S, T> {
        OAuth { inner, client: Arc::clone(&self.client) }
    }
}

/// Adds access tokens to the requests of `S`, which `T` fetches. Clones share the token.
#[derive(Debug)]
pub struct OAuth<S, T> {
    inner: S,
    client: Arc<Client<T>>,
}

impl<S: Clone, T> Clone for OAuth<S, T> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), client: Arc::clone(&self.client) }
    }
}

impl<S, T, R, P> Service<Request<Body>> for OAuth<S, T>
where
    S: Service<Request<Body>, Response = Response<R>, Error = Failure> + Clone + Send + 'static,
    S::Future: Send,
    R: http_body::Body + Send + 'static,
    R::Data: Send,
    T: Service<Request<Body>, Response = Response<P>, Error = Failure> + Clone + Send + Sync + 'static,
    T::Future: Send,
    P: http_body::Body<Data = Bytes, Error = Failure> + Send,
{
    type Response = Response<R>;
    type Error = Failure;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, Failure>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The clone stays behind: the service that has been found ready is the one to call.
        let next = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, next);
        let client = Arc::clone(&self.client);
        Box::pin(async move { client.send(inner, request).await })
    }
}

impl<T, P> Client<T>
where
    T: Service<Request<Body>, Response = Response<P>, Error = Failure> + Clone,
    P: http_body::Body<Data = Bytes, Error = Failure>,
{
    async fn send<S, R>(&self, mut inner: S, mut request: Request<Body>) -> Result<Response<R>, Failure>
    where
        S: Service<Request<Body>, Response = Response<R>, Error = Failure>,
        R: http_body::Body,
    {
        if !self.origin.trusts(request.uri()) || request.headers().contains_key(AUTHORIZATION) {
            return inner.call(request).await;
        }
        let progress = request.extensions().get::<Progress>().cloned();
        let token = self.token(progress.as_ref()).await?;
        request.headers_mut().insert(AUTHORIZATION, token.clone());
        let again = Kept::of(&request).request();
        let response = inner.call(request).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        self.forget(&token);
        let Some(mut again) = again else { return Ok(response) };
        drain(response.into_body()).await;
        again.headers_mut().insert(AUTHORIZATION, self.token(progress.as_ref()).await?);
        poll_fn(|cx| inner.poll_ready(cx)).await?;
        inner.call(again).await
    }

    /// The token in use, or a new one.
    async fn token(&self, progress: Option<&Progress>) -> Result<HeaderValue, Failure> {
        let known = self.lock().token.clone();
        match known {
            Some(token) if Instant::now() < token.refresh => Ok(token.credentials),
            Some(token) if Instant::now() < token.expires => {
                // One call fetches the next token; whoever comes meanwhile has one that is still good.
                let Ok(_fetching) = self.fetching.try_lock() else { return Ok(token.credentials) };
                enter(progress, Phase::Token);
                let fetched = tokio::time::timeout(EARLY, self.fetch()).await;
                enter(progress, Phase::Queue);
                let problem = match fetched {
                    Ok(Ok(credentials)) => return Ok(credentials),
                    Ok(Err(error)) => error.to_string(),
                    Err(_) => format!("no answer within {EARLY:?}"),
                };
                tracing::warn!(error = problem, "an access token could not be replaced before it expires");
                Ok(token.credentials)
            }
            _ => {
                enter(progress, Phase::Token);
                let credentials = self.next_token().await.map_err(Failure::Token)?;
                enter(progress, Phase::Queue);
                Ok(credentials)
            }
        }
    }

    /// Waits for a token that is good: the one which another call fetches already, or one of this call's own.
    async fn next_token(&self) -> Result<HeaderValue, Arc<TokenError>> {
        let before = self.lock().failure.clone();
        let _fetching = self.fetching.lock().await;
        let ended = self.lock().since(before.as_ref());
        match ended {
            Some(ended) => ended,
            None => self.fetch().await,
        }
    }

    async fn fetch(&self) -> Result<HeaderValue, Arc<TokenError>> {
        let issued = self.endpoint.issue().await;
        let mut state = self.lock();
        match issued {
            Ok(token) => {
                let credentials = token.credentials.clone();
                *state = State { token: Some(token), failure: None };
                Ok(credentials)
            }
            Err(error) => {
                let error = Arc::new(error);
                state.failure = Some(Arc::clone(&error));
                Err(error)
            }
        }
    }
}

impl State {
    /// How a token request ended while a call waited for it which knew of the failure `before`, if of any. One that failed is not
    /// made again by each of those who waited: what went wrong may take as long each time.
    fn since(&self, before: Option<&Arc<TokenError>>) -> Option<Result<HeaderValue, Arc<TokenError>>> {
        if let Some(token) = self.token.as_ref().filter(|token| Instant::now() < token.expires) {
            return Some(Ok(token.credentials.clone()));
        }
        let failure = self.failure.as_ref()?;
        let is_new = before.is_none_or(|before| !Arc::ptr_eq(before, failure));
        is_new.then(|| Err(Arc::clone(failure)))
    }
}

fn enter(progress: Option<&Progress>, phase: Phase) {
    if let Some(progress) = progress {
        progress.enter(phase);
    }
}

impl<T> Client<T> {
    /// Forgets a token which the other side does not accept, unless it has been replaced already.
    fn forget(&self, refused: &HeaderValue) {
        let mut state = self.lock();
        if state.token.as_ref().is_some_and(|token| token.credentials == *refused) {
            state.token = None;
        }
    }

    /// The state is consistent at every point at which a panic could leave the lock, so a poisoned one is as good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use http::Uri;
    use http_body_util::{BodyExt, Empty, Full};
    use tower::util::BoxCloneSyncService;
    use tower::{ServiceExt, service_fn};

    use super::*;

    type Reply = http_body_util::combinators::MapErr<Full<Bytes>, fn(std::convert::Infallible) -> Failure>;

    /// The headers and bodies of requests.
    type Requests = Arc<Mutex<Vec<(http::HeaderMap, String)>>>;

    fn full(text: String) -> Reply {
        Full::new(Bytes::from(text)).map_err(|never| match never {})
    }

    /// A token endpoint which takes a second for each reply, which `reply` makes out of its number, from 1; and the
    /// requests it got.
    fn endpoint(
        reply: fn(usize) -> (u16, String),
    ) -> (BoxCloneSyncService<Request<Body>, Response<Reply>, Failure>, Requests) {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let recorded = Arc::clone(&requests);
        let count = Arc::new(AtomicUsize::new(0));
        let service = service_fn(move |request: Request<Body>| {
            let (head, body) = request.into_parts();
            let text = String::from_utf8(body.pieces().unwrap().concat()).unwrap();
            recorded.lock().unwrap().push((head.headers, text));
            let (status, text) = reply(count.fetch_add(1, Ordering::SeqCst) + 1);
            async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(Response::builder().status(status).body(full(text)).unwrap())
            }
        });
        (BoxCloneSyncService::new(service), requests)
    }

    fn token(number: usize) -> (u16, String) {
        (200, format!(r#"{{"access_token":"t{number}","token_type":"Bearer","expires_in":100}}"#))
    }

    fn options() -> ClientCredentials {
        let mut options = ClientCredentials::new("https://login.example.com/token", "id", "s3cret&");
        options.scope = Some("read write".to_owned());
        options
    }

    /// Replies with 401 to the token `t1` if it is `revoked`, and otherwise with 200 and the credentials in a header.
    fn api(
        revoked: bool,
    ) -> impl Service<Request<Body>, Response = Response<Empty<Bytes>>, Error = Failure, Future: Send>
    + Clone
    + Send
    + 'static {
        service_fn(move |request: Request<Body>| {
            let credentials = request.headers().get(AUTHORIZATION).cloned();
            let refused = revoked && credentials.as_ref().is_some_and(|value| value == "Bearer t1");
            let mut response = Response::new(Empty::new());
            if refused {
                *response.status_mut() = StatusCode::UNAUTHORIZED;
            }
            if let Some(credentials) = credentials {
                response.headers_mut().insert("sent", credentials);
            }
            std::future::ready(Ok(response))
        })
    }

    fn origin() -> Arc<Origin> {
        Arc::new(Origin::of(&Uri::from_static("https://api.example.com")).unwrap())
    }

    fn request(url: &str) -> Request<Body> {
        Request::get(url).body(Body::empty()).unwrap()
    }

    const URL: &str = "https://api.example.com/a";

    #[tokio::test(start_paused = true)]
    async fn one_token_for_all_calls_until_it_is_about_to_expire() {
        let (endpoint, requests) = endpoint(token);
        let service = OAuthLayer::new(&options(), origin(), endpoint).unwrap().layer(api(false));
        let sent = async || {
            let response = service.clone().oneshot(request(URL)).await.unwrap();
            response.headers()["sent"].to_str().unwrap().to_owned()
        };
        assert_eq!(tokio::join!(sent(), sent()), ("Bearer t1".to_owned(), "Bearer t1".to_owned()));
        tokio::time::advance(Duration::from_secs(70)).await;
        assert_eq!(sent().await, "Bearer t1");
        // A quarter of the lifetime before its end, one call has it replaced.
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(tokio::join!(sent(), sent()), ("Bearer t2".to_owned(), "Bearer t1".to_owned()));
        assert_eq!(sent().await, "Bearer t2");

        let requests = requests.lock().unwrap();
        assert_eq!(requests.len(), 2);
        let (headers, body) = &requests[0];
        assert_eq!(body, "grant_type=client_credentials&scope=read+write");
        // id:s3cret%26
        assert_eq!(headers[AUTHORIZATION], "Basic aWQ6czNjcmV0JTI2");
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_wait_for_anothers_token_share_its_failure() {
        let (endpoint, requests) =
            endpoint(|number| if number < 3 { (503, String::new()) } else { token(number) });
        let service = OAuthLayer::new(&options(), origin(), endpoint).unwrap().layer(api(false));
        for (asked, fails) in [(1, true), (2, true), (3, false)] {
            let begun = Instant::now();
            let calls = (0..50).map(async |_| {
                let progress = Progress::start();
                let mut request = request(URL);
                request.extensions_mut().insert(progress.clone());
                (service.clone().oneshot(request).await, progress.timing())
            });
            for (result, timing) in futures_util::future::join_all(calls).await {
                match result {
                    Ok(response) => assert!(!fails && response.headers()["sent"] == "Bearer t3"),
                    Err(error) => assert!(fails && matches!(error, Failure::Token(_)), "{error:?}"),
                }
                // All of them have waited for a token and for nothing else.
                assert_eq!(timing.phase(Phase::Token), timing.total());
            }
            assert_eq!((begun.elapsed().as_secs(), requests.lock().unwrap().len()), (1, asked));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_endpoint_that_hangs_does_not_fail_calls_whose_token_is_good() {
        let count = Arc::new(AtomicUsize::new(0));
        let endpoint = service_fn(move |_: Request<Body>| {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            async move {
                if number > 1 {
                    std::future::pending::<()>().await;
                }
                Ok::<_, Failure>(Response::new(full(token(number).1)))
            }
        });
        let service = OAuthLayer::new(&options(), origin(), endpoint).unwrap().layer(api(false));
        for passed in [0, 80] {
            tokio::time::advance(Duration::from_secs(passed)).await;
            let begun = Instant::now();
            let response = service.clone().oneshot(request(URL)).await.unwrap();
            assert_eq!(response.headers()["sent"], "Bearer t1");
            assert!(begun.elapsed() <= EARLY + Duration::from_millis(1), "{:?}", begun.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_client_may_say_who_it_is_in_the_body() {
        let (endpoint, requests) = endpoint(token);
        let mut options = options();
        options.client_authentication = ClientAuthentication::Params;
        options.scope = None;
        options.params = vec![("audience".to_owned(), "https://api.example.com".to_owned())];
        let service = OAuthLayer::new(&options, origin(), endpoint).unwrap().layer(api(false));
        service.oneshot(request(URL)).await.unwrap();
        let (headers, body) = requests.lock().unwrap().remove(0);
        assert!(!headers.contains_key(AUTHORIZATION));
        let expected = "grant_type=client_credentials&audience=https%3A%2F%2Fapi.example.com\
                        &client_id=id&client_secret=s3cret%26";
        assert_eq!(body, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_revoked_token_is_replaced() {
        let (endpoint, requests) = endpoint(token);
        let service = OAuthLayer::new(&options(), origin(), endpoint).unwrap().layer(api(true));
        let response = service.oneshot(request(URL)).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["sent"], "Bearer t2");
        assert_eq!(requests.lock().unwrap().len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn other_origins_and_the_callers_own_credentials() {
        let (endpoint, requests) = endpoint(token);
        let service = OAuthLayer::new(&options(), origin(), endpoint).unwrap().layer(api(false));
        let response = service.clone().oneshot(request("https://example.org/")).await.unwrap();
        assert!(!response.headers().contains_key("sent"));
        let mut own = request(URL);
        own.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static("own"));
        assert_eq!(service.oneshot(own).await.unwrap().headers()["sent"], "own");
        assert!(requests.lock().unwrap().is_empty());
    }

    /// Why there is no token if the endpoint replies with `status` and `said`.
    async fn failure(status: u16, said: &'static str) -> Arc<TokenError> {
        let endpoint = service_fn(move |_: Request<Body>| {
            let response = Response::builder().status(status).body(full(said.to_owned())).unwrap();
            std::future::ready(Ok::<_, Failure>(response))
        });
        let service = OAuthLayer::new(&options(), origin(), endpoint).unwrap().layer(api(false));
        let error = service.oneshot(request(URL)).await.unwrap_err();
        assert_eq!(error.to_string(), "there is no access token for the request");
        let Failure::Token(error) = error else { panic!("{error:?}") };
        error
    }

    #[tokio::test]
    async fn errors_say_what_the_endpoint_said() {
        for (status, reply, expected) in [
            (
                401,
                r#"{"error":"invalid_client","error_description":"s3cret& is\n wrong"}"#,
                "401: invalid_client (... is wrong)",
            ),
            (200, r#"{"error":"invalid_client","error_description":"no"}"#, "200: invalid_client (no)"),
            (200, "\u{feff}{\"error\":\"invalid_client\"}", "200: invalid_client"),
            (400, r#"{"error":"invalid_scope","error_description":["x"]}"#, "400: invalid_scope"),
            (
                400,
                r#"{"error":"invalid_scope","error_description":null,"expires_in":{}}"#,
                "400: invalid_scope",
            ),
            (400, r#"{"error":5,"error_description":"five"}"#, "400: (five)"),
            (400, r#"{"message":"no"}"#, "400"),
            (500, "<html>", "500"),
        ] {
            let error = failure(status, reply).await;
            assert_eq!(error.to_string(), format!("the token endpoint replied with status {expected}"));
            assert!(matches!(*error, TokenError::Refused { .. }));
        }
    }

    #[tokio::test]
    async fn a_reply_without_a_token_says_what_is_wrong_and_shows_none() {
        for (reply, expected) in [
            ("", "it is not the expected JSON at line 1, column 0"),
            (r#"{"access_token":"t","token_type":"mac"}"#, "its `token_type` is another one"),
            (r#"{"access_token":"t","token_type":1}"#, "its `token_type` is another one"),
            (r#"{"access_token":5}"#, "its `access_token` is no text"),
            (r#"{"token_type":"bearer"}"#, "it has no `access_token`"),
            (r#"{"access_token":null,"error":null}"#, "it has no `access_token`"),
        ] {
            let error = failure(200, reply).await;
            assert_eq!(error.to_string(), "the token endpoint's reply has no Bearer token");
            assert_eq!(error.source().unwrap().to_string(), expected);
        }
        let error = failure(200, r#"{"access_token":"s3cret\nb","token_type":"bearer"}"#).await;
        assert!(matches!(*error, TokenError::Reply(_)) && !format!("{error:?}").contains("s3cret"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_found_in_replies_that_are_slightly_wrong() {
        // What is in the reply apart from the token, and for how many seconds the token is used.
        for (rest, used) in [
            ("", 270),
            (r#","token_type":null"#, 270),
            (r#","token_type":"bearer","expires_in":null"#, 270),
            (r#","expires_in":true"#, 270),
            (r#","expires_in":-5"#, 270),
            (r#","expires_in":"soon""#, 270),
            (r#","expires_in":[60]"#, 270),
            (r#","expires_in":" 60""#, 45),
            (r#","expires_in":60,"error":"none""#, 45),
        ] {
            let count = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&count);
            let reply = format!("\u{feff}{{\"access_token\":\"t1\"{rest}}}");
            let endpoint = service_fn(move |_: Request<Body>| {
                counted.fetch_add(1, Ordering::SeqCst);
                std::future::ready(Ok::<_, Failure>(Response::new(full(reply.clone()))))
            });
            let service = OAuthLayer::new(&options(), origin(), endpoint).unwrap().layer(api(false));
            for (passed, requests) in [(0, 1), (used - 1, 1), (1, 2)] {
                tokio::time::advance(Duration::from_secs(passed)).await;
                let response = service.clone().oneshot(request(URL)).await.unwrap();
                assert_eq!(response.headers()["sent"], "Bearer t1");
                assert_eq!(count.load(Ordering::SeqCst), requests, "{rest} {passed}");
            }
        }
    }

    #[test]
    fn a_token_url_is_absolute() {
        for url in ["", "/token", "ftp://example.com/"] {
            let options = ClientCredentials { token_url: url.to_owned(), ..options() };
            assert!(OAuthLayer::new(&options, origin(), ()).is_err(), "{url}");
        }
    }

    #[test]
    fn a_token_url_with_credentials_is_refused_and_not_shown() {
        for url in ["https://user:s3cret@example.com/token", "https://s3cret@example.com/token"] {
            let options = ClientCredentials { token_url: url.to_owned(), ..options() };
            let error = OAuthLayer::new(&options, origin(), ()).unwrap_err();
            assert!(matches!(error, ClientCredentialsError::TokenUrlCredentials));
            let shown = format!("{error} {error:?} {options:?}");
            assert!(!shown.contains("s3cret"), "{shown}");
        }
    }
}
