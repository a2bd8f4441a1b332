//! Digest authentication (RFC 7616).
//!
//! Owns the challenge which the other side gave last and the count of its uses. It sits where [`auth`](super::auth) does,
//! because the two are alternatives, and sends a request a second time if that has been challenged.

mod challenge;

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::Buf as _;
use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode};
use tower_layer::Layer;
use tower_service::Service;

pub use self::challenge::{Algorithm, Challenge, Covered, Protection};
use super::replay::Kept;
use crate::body::Body;
use crate::error::Failure;
use crate::nonce::{NoRandomness, Nonces};
use crate::origin::Origin;
use zato_connections::Secret;

/// What is read of the body of a challenged reply, so that its connection can be used again; a longer one is not worth it.
const DRAINED: usize = 64 * 1024;

/// Makes [`Digest`] services.
///
/// ```
/// use std::sync::Arc;
///
/// use http::{Request, Response, Uri};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::layers::digest::DigestLayer;
/// use zato_outgoing::{Body, Failure, Origin};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let origin = Origin::of(&Uri::from_static("https://api.example.com")).ok_or("no origin")?;
/// let layer = DigestLayer::new("user", "s3cret".into(), Arc::new(origin))?;
/// let inner = service_fn(async |request: Request<Body>| {
///     let response = Response::builder();
///     let response = match request.headers().get("Authorization") {
///         Some(_) => response,
///         None => response.status(401).header("WWW-Authenticate", "Digest realm=r, nonce=n, qop=auth"),
///     };
///     response.body(Body::empty()).map_err(|_| Failure::Inactive)
/// });
/// let request = Request::get("https://api.example.com/a").body(Body::empty())?;
/// assert_eq!(layer.layer(inner).oneshot(request).await?.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct DigestLayer(Arc<Credentials>);

#[derive(Debug)]
struct Credentials {
    username: String,
    password: Secret,
    origin: Arc<Origin>,
    nonces: Nonces,
    /// Locked for a few instructions at a time, never across a wait.
    state: Mutex<Option<Known>>,
}

/// The challenge in use.
#[derive(Debug)]
struct Known {
    challenge: Challenge,
    /// How many requests have been sent with its nonce.
    count: u32,
}

impl DigestLayer {
    /// Answers the challenges of `origin`, for requests which have no `Authorization` header of their own. Algorithms are MD5
    /// and SHA-256, with and without `-sess`, of which the stronger one is taken; the protection is `auth`, that of the request
    /// line, or `auth-int`, that of the body as well, if nothing else is offered.
    ///
    /// Once a challenge is known, its nonce is used for all requests until the other side says that it is stale. A request
    /// with a streamed body which is challenged cannot be sent again: its caller gets the reply with status 401.
    ///
    /// # Errors
    ///
    /// [`NoRandomness`].
    pub fn new(
        username: impl Into<String>,
        password: Secret,
        origin: Arc<Origin>,
    ) -> Result<Self, NoRandomness> {
        let (username, nonces) = (username.into(), Nonces::seeded()?);
        Ok(Self(Arc::new(Credentials { username, password, origin, nonces, state: Mutex::default() })))
    }
}

impl<S> Layer<S> for DigestLayer {
    type Service = Digest<S>;

    fn layer(&self, inner: S) -> Digest<S> {
        Digest { inner, credentials: Arc::clone(&self.0) }
    }
}

/// Answers the Digest challenges of the replies of `S`. Clones share what they know of the other side.
#[derive(Clone, Debug)]
pub struct Digest<S> {
    inner: S,
    credentials: Arc<Credentials>,
}

impl<S, R> Service<Request<Body>> for Digest<S>
where
    S: Service<Request<Body>, Response = Response<R>, Error = Failure> + Clone + Send + 'static,
    S::Future: Send,
    R: http_body::Body + Send + 'static,
    R::Data: Send,
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
        let credentials = Arc::clone(&self.credentials);
        Box::pin(async move { credentials.send(inner, request).await })
    }
}

impl Credentials {
    async fn send<S, R>(&self, mut inner: S, mut request: Request<Body>) -> Result<Response<R>, Failure>
    where
        S: Service<Request<Body>, Response = Response<R>, Error = Failure>,
        R: http_body::Body,
    {
        if !self.origin.trusts(request.uri()) || request.headers().contains_key(AUTHORIZATION) {
            return inner.call(request).await;
        }
        let again = Kept::of(&request).request();
        let used = self.authorize(&mut request)?;
        let response = inner.call(request).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let Some(challenge) = Challenge::strongest(response.headers()) else { return Ok(response) };
        // The same nonce, which is not stale: it is the credentials which are wrong.
        let refused = used.is_some_and(|nonce| nonce == challenge.nonce) && !challenge.stale;
        self.learn(challenge);
        let Some(mut again) = again.filter(|_| !refused) else { return Ok(response) };
        drain(response.into_body()).await;
        self.authorize(&mut again)?;
        std::future::poll_fn(|cx| inner.poll_ready(cx)).await?;
        inner.call(again).await
    }

    /// Adds the header if a challenge is known, and gives back the nonce in it.
    fn authorize(&self, request: &mut Request<Body>) -> Result<Option<String>, Failure> {
        let (challenge, count) = {
            let mut state = self.lock();
            let Some(known) = state.as_mut() else { return Ok(None) };
            known.count = known.count.wrapping_add(1);
            (known.challenge.clone(), known.count)
        };
        let cnonce = format!("{:032x}", u128::from_be_bytes(self.nonces.next()));
        let uri = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let covered = Covered { method: request.method(), uri, body: request.body().pieces() };
        let answer = challenge.answer(&self.username, &self.password, covered, count, &cnonce);
        let answer = answer.ok_or_else(|| {
            let problem = if challenge.protection == Protection::WithBody && covered.body.is_none() {
                "they have to cover the body, which is a stream"
            } else {
                "they have characters that a header must not have"
            };
            Failure::invalid_request("credentials", problem)
        })?;
        request.headers_mut().insert(AUTHORIZATION, answer);
        Ok(Some(challenge.nonce))
    }

    /// Takes over a challenge. One that is known already, because several requests were challenged at once, keeps its count.
    fn learn(&self, challenge: Challenge) {
        let mut state = self.lock();
        match state.as_mut() {
            Some(known) if known.challenge.nonce == challenge.nonce => {}
            _ => *state = Some(Known { challenge, count: 0 }),
        }
    }

    /// The state is consistent at every point at which a panic could leave the lock, so a poisoned one is as good.
    fn lock(&self) -> MutexGuard<'_, Option<Known>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a body that nobody wants, so that its connection is free for the next request. A failure shows at that request.
pub(super) async fn drain<R: http_body::Body>(body: R) {
    let mut body = pin!(body);
    let mut left = DRAINED;
    while let Some(Ok(frame)) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let length = frame.data_ref().map_or(0, |data| data.remaining());
        let Some(rest) = left.checked_sub(length) else { return };
        left = rest;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use bytes::Bytes;
    use http::header::WWW_AUTHENTICATE;
    use http_body_util::Empty;
    use tower::service_fn;

    use super::*;

    type Sent = Arc<Mutex<Vec<Option<String>>>>;

    /// A service which replies with the statuses and challenges of `script`, one after the other, then with 200, and
    /// records the credentials it got.
    fn scripted(
        script: &[(u16, &'static str)],
    ) -> (impl Service<Request<Body>, Response = Response<Empty<Bytes>>, Error = Failure> + use<>, Sent) {
        let sent = Sent::default();
        let recorded = Arc::clone(&sent);
        let script = Arc::new(Mutex::new(VecDeque::from(script.to_vec())));
        let inner = service_fn(move |request: Request<Body>| {
            let header = request.headers().get(AUTHORIZATION);
            recorded.lock().unwrap().push(header.map(|value| value.to_str().unwrap().to_owned()));
            let (status, challenge) = script.lock().unwrap().pop_front().unwrap_or((200, ""));
            let response = Response::builder().status(status).header(WWW_AUTHENTICATE, challenge);
            std::future::ready(Ok::<_, Failure>(response.body(Empty::new()).unwrap()))
        });
        let origin = Origin::of(&http::Uri::from_static("http://example.com")).unwrap();
        (DigestLayer::new("Mufasa", Secret::from("secret"), Arc::new(origin)).unwrap().layer(inner), sent)
    }

    fn request(url: &str) -> Request<Body> {
        Request::post(url).body(Body::from(Bytes::from("body"))).unwrap()
    }

    const FIRST: (u16, &str) = (401, "Digest realm=r, nonce=n1, qop=auth");

    #[tokio::test]
    async fn a_nonce_is_reused_until_it_is_stale() {
        let stale = (401, "Digest realm=r, nonce=n2, qop=auth, stale=true");
        let (mut service, sent) = scripted(&[FIRST, (200, ""), (204, ""), stale]);
        for status in [200, 204, 200, 200] {
            assert_eq!(service.call(request("http://example.com/a")).await.unwrap().status(), status);
        }
        let sent = sent.lock().unwrap();
        let uses: Vec<_> = sent
            .iter()
            .map(|header| {
                let header = header.as_ref()?;
                Some((header.contains("nonce=\"n1\""), header.split("nc=").nth(1)?[..8].to_owned()))
            })
            .collect();
        let used = |first: bool, count: &str| Some((first, format!("0000000{count}")));
        let expected =
            [None, used(true, "1"), used(true, "2"), used(true, "3"), used(false, "1"), used(false, "2")];
        assert_eq!(uses, expected);
    }

    #[tokio::test]
    async fn wrong_credentials_are_not_repeated() {
        let (mut service, sent) = scripted(&[FIRST, FIRST, FIRST]);
        for expected in [2, 3] {
            assert_eq!(service.call(request("http://example.com/")).await.unwrap().status(), 401);
            assert_eq!(sent.lock().unwrap().len(), expected);
        }
    }

    #[tokio::test]
    async fn other_replies_are_left_alone() {
        let (mut service, sent) = scripted(&[(401, "Basic realm=r"), FIRST, FIRST]);
        assert_eq!(service.call(request("http://example.com/")).await.unwrap().status(), 401);
        // Another origin's challenge is none of ours.
        assert_eq!(service.call(request("http://example.org/")).await.unwrap().status(), 401);
        // A stream cannot be sent again.
        let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from("a"))]);
        let streamed = request("http://example.com/").map(|_| Body::streamed(pieces, None));
        assert_eq!(service.call(streamed).await.unwrap().status(), 401);
        assert_eq!(*sent.lock().unwrap(), [None, None, None]);
        // But its challenge is remembered.
        assert_eq!(service.call(request("http://example.com/")).await.unwrap().status(), 200);
        assert!(sent.lock().unwrap()[3].is_some());
    }
}
