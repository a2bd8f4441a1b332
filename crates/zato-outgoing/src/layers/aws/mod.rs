//! Signatures of Amazon Web Services, version 4.
//!
//! Owns the canonical form of a request and the `Authorization` header made of it. It is the innermost layer of all that
//! change a request, because what is signed must not change any more. The algorithm is that of the AWS documentation,
//! "Create a signed AWS API request", whose published examples are among the tests.

mod canonical;

use std::fmt::Write as _;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::uri::PathAndQuery;
use http::{HeaderName, HeaderValue, Request, Uri};
use ring::digest::{self, SHA256};
use ring::hmac::{self, HMAC_SHA256, Key};
use time::OffsetDateTime;
use tower_layer::Layer;
use tower_service::Service;
use zeroize::Zeroizing;

use crate::body::Body;
use crate::clock::Clock;
use crate::origin::Origin;
use zato_connections::Secret;

const X_AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const X_AMZ_CONTENT_SHA256: HeaderName = HeaderName::from_static("x-amz-content-sha256");
/// What stands for the hash of a body that is not read before it is sent.
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";
const X_AMZ_SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Credentials for Amazon Web Services and what works like them.
///
/// [`AwsCredentials::new`] gives the defaults; what differs from them is assigned to the fields.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AwsCredentials {
    /// The access key's id.
    pub access_key_id: String,
    /// The access key's secret.
    pub secret_access_key: Secret,
    /// The session's token, if the credentials are temporary.
    pub session_token: Option<Secret>,
    /// The region, such as `eu-central-1`.
    pub region: String,
    /// The service, such as `s3` or `execute-api`.
    pub service: String,
}

impl AwsCredentials {
    /// Lasting credentials, without a session token.
    pub fn new(
        access_key_id: impl Into<String>,
        secret_access_key: impl Into<Secret>,
        region: impl Into<String>,
        service: impl Into<String>,
    ) -> Self {
        Self {
            access_key_id: access_key_id.into(),
            secret_access_key: secret_access_key.into(),
            session_token: None,
            region: region.into(),
            service: service.into(),
        }
    }
}

/// Credentials of which a header cannot carry a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {part} has characters that a header must not have")]
pub struct InvalidAwsCredentials {
    part: &'static str,
}

/// Makes [`AwsSignature`] services.
///
/// ```
/// use std::sync::Arc;
///
/// use http::{Request, Response, Uri};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::layers::aws::AwsSignatureLayer;
/// use zato_outgoing::{AwsCredentials, Body, Origin, SystemClock};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let origin = Origin::of(&Uri::from_static("https://api.example.com")).ok_or("no origin")?;
/// let credentials = AwsCredentials::new("AKID", "s3cret", "eu-central-1", "execute-api");
/// let layer = AwsSignatureLayer::new(credentials, Arc::new(origin), Arc::new(SystemClock))?;
/// let inner = service_fn(async |request: Request<Body>| {
///     Ok::<_, std::io::Error>(Response::new(request.headers().contains_key("Authorization")))
/// });
/// let request = Request::get("https://api.example.com/a").body(Body::empty())?;
/// assert!(layer.layer(inner).oneshot(request).await?.into_body());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AwsSignatureLayer(Arc<Signer>);

#[derive(Debug)]
struct Signer {
    credentials: AwsCredentials,
    session_token: Option<HeaderValue>,
    origin: Arc<Origin>,
    host: HeaderValue,
    clock: Arc<dyn Clock>,
    /// S3 wants the hash of every body in a header, and paths as they are on the wire.
    is_s3: bool,
}

impl AwsSignatureLayer {
    /// Signs the requests to `origin` which have no `Authorization` header yet: method, path, query, host, date, content type, all
    /// `x-amz-` headers and the body. Path and query are sent in the encoding that is signed, which means the same. A streamed body
    /// is not read for that; the request says that it is unsigned, which S3 accepts and most other services do not.
    ///
    /// # Errors
    ///
    /// [`InvalidAwsCredentials`] if a header cannot carry a part of the credentials.
    pub fn new(
        credentials: AwsCredentials,
        origin: Arc<Origin>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, InvalidAwsCredentials> {
        let token = credentials.session_token.as_ref().map(|token| HeaderValue::from_str(token.expose()));
        let invalid = |part| InvalidAwsCredentials { part };
        let mut session_token = token.transpose().map_err(|_| invalid("session token"))?;
        if let Some(token) = &mut session_token {
            token.set_sensitive(true);
        }
        for (part, text) in [
            ("access key id", &credentials.access_key_id),
            ("region", &credentials.region),
            ("service", &credentials.service),
        ] {
            if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(invalid(part));
            }
        }
        let host = origin.host_header().ok_or_else(|| invalid("host"))?;
        let is_s3 = credentials.service == "s3";
        Ok(Self(Arc::new(Signer { credentials, session_token, origin, host, clock, is_s3 })))
    }
}

impl<S> Layer<S> for AwsSignatureLayer {
    type Service = AwsSignature<S>;

    fn layer(&self, inner: S) -> AwsSignature<S> {
        AwsSignature { inner, signer: Arc::clone(&self.0) }
    }
}

/// Signs the requests of `S`.
#[derive(Clone, Debug)]
pub struct AwsSignature<S> {
    inner: S,
    signer: Arc<Signer>,
}

impl<S> Service<Request<Body>> for AwsSignature<S>
where
    S: Service<Request<Body>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<Body>) -> S::Future {
        let signer = &*self.signer;
        if signer.origin.trusts(request.uri()) && !request.headers().contains_key(AUTHORIZATION) {
            signer.sign(&mut request);
        }
        self.inner.call(request)
    }
}

impl Signer {
    fn sign(&self, request: &mut Request<Body>) {
        let (date, moment) = date_and_moment(self.clock.now());
        let payload = payload_hash(request.body());
        write_anew(request.uri_mut(), self.is_s3);
        let headers = request.headers_mut();
        headers.entry(HOST).or_insert_with(|| self.host.clone());
        insert(headers, X_AMZ_DATE, &moment);
        if self.is_s3 || payload == UNSIGNED_PAYLOAD {
            insert(headers, X_AMZ_CONTENT_SHA256, &payload);
        }
        if let Some(token) = &self.session_token {
            headers.insert(X_AMZ_SECURITY_TOKEN, token.clone());
        }

        let (names, canonical) = self.canonical(request, &payload);
        let AwsCredentials { access_key_id, region, service, .. } = &self.credentials;
        let scope = format!("{date}/{region}/{service}/aws4_request");
        let hash = hex(digest::digest(&SHA256, canonical.as_bytes()).as_ref());
        let signature =
            hex(self.key(&date, &format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hash}")).as_ref());
        let text = format!(
            "AWS4-HMAC-SHA256 Credential={access_key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
        );
        // All parts are visible characters, so that there always is a value.
        if let Ok(mut value) = HeaderValue::try_from(text) {
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
    }

    /// Signs a text with the key which is derived from the secret for one day, region and service.
    fn key(&self, date: &str, text: &str) -> hmac::Tag {
        let secret = Zeroizing::new(format!("AWS4{}", self.credentials.secret_access_key.expose()));
        let mut key = Key::new(HMAC_SHA256, secret.as_bytes());
        for part in [date, &self.credentials.region, &self.credentials.service, "aws4_request"] {
            key = Key::new(HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref());
        }
        hmac::sign(&key, text.as_bytes())
    }

    /// The names of the signed headers, and the text that stands for the request.
    fn canonical(&self, request: &Request<Body>, payload: &str) -> (String, String) {
        let mut signed: Vec<&HeaderName> = request.headers().keys().filter(|name| is_signed(name)).collect();
        signed.sort_unstable_by_key(|name| name.as_str());
        let names: Vec<&str> = signed.iter().map(|name| name.as_str()).collect();
        let names = names.join(";");

        let mut text = format!("{}\n", request.method());
        canonical::push_path(&mut text, request.uri().path(), self.is_s3);
        text.push('\n');
        canonical::push_query(&mut text, request.uri().query());
        text.push('\n');
        for name in signed {
            text.push_str(name.as_str());
            for (index, value) in request.headers().get_all(name).iter().enumerate() {
                text.push(if index == 0 { ':' } else { ',' });
                let value = String::from_utf8_lossy(value.as_bytes());
                // Several spaces count as one.
                for (index, word) in value.split(' ').filter(|word| !word.is_empty()).enumerate() {
                    text.push_str(if index == 0 { "" } else { " " });
                    text.push_str(word);
                }
            }
            text.push('\n');
        }
        text.push('\n');
        text.push_str(&names);
        text.push('\n');
        text.push_str(payload);
        (names, text)
    }
}

fn is_signed(name: &HeaderName) -> bool {
    *name == HOST || *name == CONTENT_TYPE || name.as_str().starts_with("x-amz-")
}

fn insert(headers: &mut http::HeaderMap, name: HeaderName, text: &str) {
    // Digits and letters are what a header can carry.
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}

/// `20150830` and `20150830T123600Z`.
fn date_and_moment(now: OffsetDateTime) -> (String, String) {
    let date = format!("{:04}{:02}{:02}", now.year(), u8::from(now.month()), now.day());
    let moment = format!("{date}T{:02}{:02}{:02}Z", now.hour(), now.minute(), now.second());
    (date, moment)
}

fn payload_hash(body: &Body) -> String {
    let Some(pieces) = body.pieces() else { return UNSIGNED_PAYLOAD.to_owned() };
    let mut hash = digest::Context::new(&SHA256);
    pieces.iter().for_each(|piece| hash.update(piece));
    hex(hash.finish().as_ref())
}

/// Puts a URL into the encoding in which it is signed.
fn write_anew(url: &mut Uri, is_s3: bool) {
    let target = canonical::target(url.path(), url.query(), is_s3);
    if url.path_and_query().is_some_and(|own| own.as_str() == target) {
        return;
    }
    let mut parts = url.clone().into_parts();
    // Letters, digits and percent signs are what a URL can have, so that there always is one.
    if let Ok(target) = PathAndQuery::try_from(target) {
        parts.path_and_query = Some(target);
        if let Ok(written) = Uri::from_parts(parts) {
            *url = written;
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _written = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use bytes::Bytes;
    use http::HeaderMap;
    use time::macros::datetime;
    use tower::{ServiceExt, service_fn};

    use super::*;
    use crate::clock::fixed::FixedClock;

    /// The headers with which a request arrives.
    async fn sent(credentials: AwsCredentials, now: OffsetDateTime, request: Request<Body>) -> HeaderMap {
        let origin = Origin::of(request.uri()).unwrap();
        let clock = Arc::new(FixedClock(now));
        let layer = AwsSignatureLayer::new(credentials, Arc::new(origin), clock).unwrap();
        let service = layer
            .layer(service_fn(async |request: Request<Body>| Ok::<_, Infallible>(request.headers().clone())));
        service.oneshot(request).await.unwrap()
    }

    async fn check(credentials: AwsCredentials, now: OffsetDateTime, request: Request<Body>, expected: &str) {
        let headers = sent(credentials, now, request).await;
        let authorization = headers[AUTHORIZATION].to_str().unwrap();
        assert_eq!(authorization.split_once(", SignedHeaders=").unwrap().1, expected);
        assert!(headers[AUTHORIZATION].is_sensitive());
    }

    fn suite(service: &str) -> AwsCredentials {
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        AwsCredentials::new("AKIDEXAMPLE", secret, "us-east-1", service)
    }

    const SUITE: OffsetDateTime = datetime!(2015-08-30 12:36:00 UTC);
    const FORM: &str = "application/x-www-form-urlencoded";

    #[tokio::test]
    async fn the_published_test_suite() {
        let get = |path: &str| {
            Request::get(format!("https://example.amazonaws.com{path}")).body(Body::empty()).unwrap()
        };
        for (request, expected) in [
            (
                get("/"),
                "host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                get("//example//..//"),
                "host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                get("/?Param2=value2&Param1=value1"),
                "host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                Request::post("https://example.amazonaws.com/").body(Body::empty()).unwrap(),
                "host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                Request::post("https://example.amazonaws.com/")
                    .header(CONTENT_TYPE, FORM)
                    .body(Body::from(Bytes::from("Param1=value1")))
                    .unwrap(),
                "content-type;host;x-amz-date, \
                 Signature=ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ] {
            check(suite("service"), SUITE, request, expected).await;
        }
    }

    #[tokio::test]
    async fn the_example_of_the_general_reference() {
        let request = Request::get("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08")
            .header(CONTENT_TYPE, format!("{FORM}; charset=utf-8"))
            .body(Body::empty())
            .unwrap();
        let signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        let expected = format!("content-type;host;x-amz-date, Signature={signature}");
        check(suite("iam"), SUITE, request, &expected).await;
    }

    #[tokio::test]
    async fn the_examples_of_s3() {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        for (query, signature) in [
            ("lifecycle", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            ("max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ] {
            let credentials = AwsCredentials::new("AKIAIOSFODNN7EXAMPLE", secret, "us-east-1", "s3");
            let url = format!("https://examplebucket.s3.amazonaws.com/?{query}");
            let request = Request::get(url).body(Body::empty()).unwrap();
            let expected = format!("host;x-amz-content-sha256;x-amz-date, Signature={signature}");
            check(credentials, datetime!(2013-05-24 00:00:00 UTC), request, &expected).await;
        }
    }

    #[tokio::test]
    async fn streams_and_sessions() {
        let mut credentials = suite("s3");
        credentials.session_token = Some(Secret::from("t0ken"));
        let body = Body::streamed(futures_util::stream::empty::<Result<Bytes, std::io::Error>>(), None);
        let request = Request::put("https://example.amazonaws.com/a%20b").body(body).unwrap();
        let headers = sent(credentials, SUITE, request).await;
        assert_eq!(headers["x-amz-content-sha256"], "UNSIGNED-PAYLOAD");
        assert_eq!(headers["x-amz-security-token"], "t0ken");
        assert!(headers["x-amz-security-token"].is_sensitive());
        assert!(headers[AUTHORIZATION].to_str().unwrap().contains("x-amz-date;x-amz-security-token,"));
    }

    #[tokio::test]
    async fn other_origins_get_nothing() {
        let origin = Origin::of(&Uri::from_static("https://example.org")).unwrap();
        let clock = Arc::new(FixedClock(SUITE));
        let layer = AwsSignatureLayer::new(suite("s3"), Arc::new(origin), clock).unwrap();
        let service = layer
            .layer(service_fn(async |request: Request<Body>| Ok::<_, Infallible>(request.headers().len())));
        let request = Request::get("https://example.com/").body(Body::empty()).unwrap();
        assert_eq!(service.oneshot(request).await.unwrap(), 0);
    }

    #[test]
    fn credentials_that_no_header_can_carry() {
        let origin = Arc::new(Origin::of(&Uri::from_static("https://example.org")).unwrap());
        let error = |change: fn(&mut AwsCredentials)| {
            let mut credentials = suite("s3");
            change(&mut credentials);
            let clock = Arc::new(FixedClock(SUITE));
            AwsSignatureLayer::new(credentials, Arc::clone(&origin), clock).unwrap_err().part
        };
        assert_eq!(error(|credentials| credentials.region = "a b".to_owned()), "region");
        assert_eq!(error(|credentials| credentials.service.clear()), "service");
        assert_eq!(error(|credentials| credentials.access_key_id = "\n".to_owned()), "access key id");
        assert_eq!(error(|credentials| credentials.session_token = Some("\n".into())), "session token");
    }
}
