//! Callers who sign their requests as OAuth 1.0 has it.
//!
//! Owns which signatures are accepted: whose, how made, when, and how often. It must not know how a signature is read or
//! computed: `zato_oauth` does that.

use http::request::Parts;
use http::{HeaderMap, header};
use time::{Duration, OffsetDateTime};
use zato_oauth::{Authorization, Request, SignatureMethod};

use super::denied::Denied;
use super::nonces::{Fingerprint, Nonce, Nonces};
use super::secret::{Password, is_same};

/// How far the clocks of client and server may be apart.
const WINDOW: Duration = Duration::minutes(5);

/// The media type of forms, whose parameters are signed.
const FORM: &str = "application/x-www-form-urlencoded";

/// Which signatures are accepted.
#[derive(Clone, Debug)]
pub struct OAuth {
    /// Names the client.
    pub consumer_key: String,
    /// What only the client knows besides.
    pub consumer_secret: Password,
    /// How requests must be signed.
    pub signature_method: SignatureMethod,
    /// How many nonces are remembered. They are forgotten after five minutes in any case. When there are more, requests as old
    /// as those that had to be forgotten are refused, so this should be more than a busy client sends in that time.
    pub max_nonces: usize,
}

/// Whether the signature covers the body.
pub(super) fn signs_body(headers: &HeaderMap) -> bool {
    let media_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media_type.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(FORM)
}

impl OAuth {
    /// Checks a request, with its body if that is a form. Everything is looked at whatever is wrong, so that a refusal
    /// takes as long for any reason.
    pub(super) fn check(
        &self,
        request: &Parts,
        form: Option<&str>,
        now: OffsetDateTime,
        nonces: &Nonces,
        is_active: bool,
    ) -> Result<(), Denied> {
        let given = request.headers.get(header::AUTHORIZATION);
        let given = given.ok_or_else(|| Denied::NoHeader("Authorization".into()))?;
        let given = given.to_str().map_err(|_| Denied::Scheme("OAuth"))?;
        let authorization = Authorization::parse(given).map_err(|error| Denied::OAuth(error.to_string()))?;
        let is_client =
            bool::from(is_same(self.consumer_key.as_bytes(), authorization.consumer_key().as_bytes()));
        let is_signed = self.is_signed(request, form, &authorization)?;
        // A definition's own name is the one token whose secret it knows.
        let is_token = authorization.token().is_none_or(|token| token == self.consumer_key);
        let time = time_of(&authorization, now);
        let verdict = if !is_active {
            Err(Denied::Inactive)
        } else if !is_client {
            Err(Denied::Username)
        } else if !is_token {
            Err(Denied::UnknownToken)
        } else if !is_signed {
            Err(Denied::Signature)
        } else if authorization.method() != self.signature_method {
            Err(Denied::Method(authorization.method().as_str()))
        } else {
            time.clone().map(|_| ())
        };
        // Without a signature that covers them there need be neither time nor nonce; where they are, they count.
        let (Some(timestamp), Some(nonce)) = (authorization.timestamp(), authorization.nonce()) else {
            return verdict;
        };
        // RFC 5849, section 3.3: unique with the same time and token.
        let token = authorization.token().unwrap_or_default();
        let fingerprint = Fingerprint::of(&[&timestamp.to_be_bytes(), token.as_bytes(), nonce.as_bytes()]);
        let until = time.ok().flatten().unwrap_or(now).saturating_add(WINDOW);
        nonces.admit(verdict, Nonce { fingerprint, until, capacity: self.max_nonces }, now)
    }

    /// Whether the client signed the address under either scheme: behind a proxy that ends TLS the server can't know which
    /// one the client used.
    fn is_signed(
        &self,
        request: &Parts,
        form: Option<&str>,
        authorization: &Authorization,
    ) -> Result<bool, Denied> {
        let host = request.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let authority = host.or_else(|| Some(request.uri.authority()?.as_str())).unwrap_or_default();
        let secret = self.consumer_secret.as_str();
        let token_secret = if authorization.token().is_some() { secret } else { "" };
        let signed = Request {
            method: request.method.as_str(),
            scheme: "http",
            authority,
            path: request.uri.path(),
            query: request.uri.query(),
            form,
        };
        let verified = authorization.verify_under_either_scheme(&signed, secret, token_secret);
        verified.map_err(|error| Denied::OAuth(error.to_string()))
    }
}

/// When a request was signed, if it says so: it is good for some time only.
fn time_of(authorization: &Authorization, now: OffsetDateTime) -> Result<Option<OffsetDateTime>, Denied> {
    let Some(timestamp) = authorization.timestamp() else { return Ok(None) };
    let time = i64::try_from(timestamp).ok().and_then(|time| OffsetDateTime::from_unix_timestamp(time).ok());
    time.filter(|time| (now - *time).abs() <= WINDOW).map(Some).ok_or(Denied::Stale)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use time::macros::datetime;
    use zato_oauth::Credentials;

    use super::*;

    const NOW: OffsetDateTime = datetime!(2026-05-04 12:00 UTC);

    fn definition(signature_method: SignatureMethod) -> OAuth {
        OAuth {
            consumer_key: "crm".to_owned(),
            consumer_secret: "s3cret".into(),
            signature_method,
            max_nonces: 100,
        }
    }

    /// What differs from a right request: key, secret, token, method of the signature, seconds from now, nonce.
    struct Sent<'a>(&'a str, &'a str, Option<(&'a str, &'a str)>, SignatureMethod, i64, &'a str);

    fn request(sent: &Sent<'_>, scheme: &str) -> Parts {
        let Sent(consumer_key, consumer_secret, token, method, offset, nonce) = *sent;
        let signed = Request {
            method: "POST",
            scheme,
            authority: "localhost:80",
            path: "/a%20b",
            query: Some("c=d"),
            form: None,
        };
        let timestamp = u64::try_from(NOW.unix_timestamp() + offset).unwrap();
        let credentials = Credentials { consumer_key, consumer_secret, token };
        let header = Authorization::sign(&signed, &credentials, method, timestamp, nonce).unwrap();
        let request =
            http::Request::post("/a%20b?c=d").header("host", "localhost:80").header("authorization", header);
        request.body(()).unwrap().into_parts().0
    }

    #[track_caller]
    fn check(nonces: &Nonces, sent: &Sent<'_>, expected: impl Into<Option<Denied>>) {
        let definition = definition(SignatureMethod::HmacSha1);
        let checked = definition.check(&request(sent, "http"), None, NOW, nonces, true);
        assert_eq!(checked.err(), expected.into());
    }

    #[test]
    fn signatures() {
        const SHA1: SignatureMethod = SignatureMethod::HmacSha1;
        let nonces = Nonces::default();
        check(&nonces, &Sent("crm", "s3cret", None, SHA1, 0, "1"), None);
        check(&nonces, &Sent("crm", "s3cret", None, SHA1, 0, "1"), Denied::Replayed);
        check(&nonces, &Sent("crm", "s3cret", None, SHA1, 1, "1"), None);
        check(&nonces, &Sent("crm", "s3cret", Some(("crm", "s3cret")), SHA1, 0, "1"), None);
        check(&nonces, &Sent("crm", "s3cret", None, SHA1, -300, "2"), None);
        check(&nonces, &Sent("crm", "s3cret", None, SHA1, 300, "2"), None);
        check(&nonces, &Sent("crm", "s3cret", None, SHA1, -301, "3"), Denied::Stale);
        check(&nonces, &Sent("crm", "s3cret", None, SHA1, 301, "3"), Denied::Stale);
        check(&nonces, &Sent("CRM", "s3cret", None, SHA1, 0, "4"), Denied::Username);
        check(&nonces, &Sent("crm", "S3cret", None, SHA1, 0, "4"), Denied::Signature);
        check(&nonces, &Sent("crm", "s3cret", Some(("crm", "other")), SHA1, 0, "4"), Denied::Signature);
        check(&nonces, &Sent("crm", "s3cret", Some(("erp", "s3cret")), SHA1, 0, "4"), Denied::UnknownToken);
        let plaintext = SignatureMethod::Plaintext;
        check(&nonces, &Sent("crm", "s3cret", None, plaintext, 0, "4"), Denied::Method("PLAINTEXT"));
        // Whatever was refused did not use up the nonce.
        check(&nonces, &Sent("crm", "s3cret", None, SHA1, 0, "4"), None);
    }

    #[test]
    fn what_is_signed() {
        for method in [SignatureMethod::HmacSha1, SignatureMethod::HmacSha256, SignatureMethod::Plaintext] {
            let nonces = Nonces::default();
            let sent = Sent("crm", "s3cret", None, method, 0, "1");
            let over_tls = request(&sent, "https");
            assert_eq!(definition(method).check(&over_tls, None, NOW, &nonces, true), Ok(()), "{method}");
            let mut elsewhere = over_tls;
            elsewhere.headers.insert("host", HeaderValue::from_static("example.com"));
            let expected =
                if method == SignatureMethod::Plaintext { Denied::Replayed } else { Denied::Signature };
            assert_eq!(
                definition(method).check(&elsewhere, None, NOW, &nonces, true),
                Err(expected),
                "{method}"
            );
        }
    }

    #[test]
    fn forms_are_signed() {
        let is_signed = |content_type: &str| {
            signs_body(&HeaderMap::from_iter([(header::CONTENT_TYPE, content_type.parse().unwrap())]))
        };
        assert!(is_signed("application/x-www-form-urlencoded"));
        assert!(is_signed("Application/X-WWW-Form-URLencoded; charset=utf-8"));
        assert!(!is_signed("application/json"));
        assert!(!signs_body(&HeaderMap::new()));
        let nonces = Nonces::default();
        let sent = request(&Sent("crm", "s3cret", None, SignatureMethod::HmacSha1, 0, "1"), "http");
        let definition = definition(SignatureMethod::HmacSha1);
        assert_eq!(definition.check(&sent, Some("e=f"), NOW, &nonces, true), Err(Denied::Signature));
    }

    #[test]
    fn what_is_no_signature() {
        let check = |headers: HeaderMap| {
            let mut request = http::Request::get("/").body(()).unwrap().into_parts().0;
            request.headers = headers;
            definition(SignatureMethod::HmacSha1).check(&request, None, NOW, &Nonces::default(), true)
        };
        let with = |value: &[u8]| {
            HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_bytes(value).unwrap())])
        };
        assert_eq!(check(HeaderMap::new()), Err(Denied::NoHeader("Authorization".into())));
        assert_eq!(check(with(b"OAuth \xFF")), Err(Denied::Scheme("OAuth")));
        assert!(matches!(check(with(b"Basic dTpw")), Err(Denied::OAuth(_))));
        assert!(matches!(check(with(b"OAuth a=\"b\"")), Err(Denied::OAuth(_))));
    }
}
