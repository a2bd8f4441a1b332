//! The challenges of a `WWW-Authenticate` header, and the answer to a Digest one.
//!
//! Owns the grammar of RFC 9110, 11.6.1, and the computation of RFC 7616, 3.4. It sends nothing.

use std::fmt::Write as _;

use bytes::Bytes;
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, Method};
use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

use zato_connections::Secret;

/// The hash which a challenge asks for. MD5 is broken as a hash, but it is what most servers of this scheme still ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// MD5.
    Md5,
    /// SHA-256.
    Sha256,
}

impl Algorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    /// The hash of some pieces, one after the other.
    fn hash(self, pieces: &[impl AsRef<[u8]>]) -> String {
        match self {
            Self::Md5 => {
                let mut hash = Md5::new();
                pieces.iter().for_each(|piece| hash.update(piece));
                hex(&hash.finalize())
            }
            Self::Sha256 => {
                let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
                pieces.iter().for_each(|piece| hash.update(piece.as_ref()));
                hex(hash.finish().as_ref())
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

/// What an answer covers (RFC 7616, 3.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protection {
    /// The request line, without a counter, as RFC 2069 has it: nothing is offered.
    Legacy,
    /// The request line: `auth`.
    RequestLine,
    /// The request line and the body: `auth-int`. It is chosen only if `auth` is not offered, because it needs the whole body.
    WithBody,
}

/// A request as far as answers cover it.
#[derive(Clone, Copy, Debug)]
pub struct Covered<'a> {
    /// The method.
    pub method: &'a Method,
    /// The path and query.
    pub uri: &'a str,
    /// The pieces of the body, or `None` if it is a stream.
    pub body: Option<&'a [Bytes]>,
}

/// A Digest challenge which can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) opaque: Option<String>,
    pub(super) algorithm: Algorithm,
    /// Whether the algorithm was named, so that it has to be named in the answer.
    named: bool,
    /// Whether the algorithm is one of those whose names end with `-sess`, which hash the nonces together with the password.
    session: bool,
    pub(super) protection: Protection,
    /// Whether the request failed only because its nonce was too old.
    pub(super) stale: bool,
}

impl Challenge {
    /// The strongest challenge in the `WWW-Authenticate` headers of a reply which can be answered.
    pub fn strongest(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let challenges = values.flat_map(Self::parse);
        // The first one of several equally strong ones.
        challenges.reduce(|best, next| if next.algorithm > best.algorithm { next } else { best })
    }

    /// The Digest challenges of one header which can be answered: those with a realm and a nonce, a known algorithm and, if
    /// they offer any protection, `auth` or `auth-int`.
    pub fn parse(header: &str) -> Vec<Self> {
        schemes(header)
            .into_iter()
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("digest"))
            .filter_map(|(_, params)| Self::of(&params))
            .collect()
    }

    fn of(params: &[(&str, String)]) -> Option<Self> {
        let param = |name: &str| {
            params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
        };
        let named = param("algorithm");
        let name = named.unwrap_or("MD5").to_ascii_uppercase();
        let (name, session) = name.strip_suffix("-SESS").map_or((&*name, false), |name| (name, true));
        let algorithm = match name {
            "MD5" => Algorithm::Md5,
            "SHA-256" => Algorithm::Sha256,
            _ => return None,
        };
        let protection = match param("qop") {
            None => Protection::Legacy,
            Some(offered) => {
                let offers = |name: &str| offered.split(',').any(|one| one.trim().eq_ignore_ascii_case(name));
                match (offers("auth"), offers("auth-int")) {
                    (true, _) => Protection::RequestLine,
                    (false, true) => Protection::WithBody,
                    (false, false) => return None,
                }
            }
        };
        Some(Self {
            realm: param("realm")?.to_owned(),
            nonce: param("nonce")?.to_owned(),
            opaque: param("opaque").map(str::to_owned),
            algorithm,
            named: named.is_some(),
            session,
            protection,
            stale: param("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    /// The `Authorization` header for one request: the `count`th with this nonce, from 1, with the client's own random
    /// `cnonce`. `None` if the username has characters that a header must not have, or if the body has to be covered and is a
    /// stream.
    pub(super) fn answer(
        &self,
        username: &str,
        password: &Secret,
        request: Covered<'_>,
        count: u32,
        cnonce: &str,
    ) -> Option<HeaderValue> {
        let hash = |text: &str| self.algorithm.hash(&[text]);
        let (realm, nonce, uri) = (&self.realm, &self.nonce, request.uri);
        let secret = Zeroizing::new(format!("{username}:{realm}:{}", password.expose()));
        let mut secret = Zeroizing::new(hash(&secret));
        if self.session {
            let session = Zeroizing::new(format!("{}:{nonce}:{cnonce}", *secret));
            secret = Zeroizing::new(hash(&session));
        }
        let line = format!("{}:{uri}", request.method);
        let (covered, qop) = match self.protection {
            Protection::Legacy => (hash(&line), None),
            Protection::RequestLine => (hash(&line), Some("auth")),
            Protection::WithBody => {
                let body = self.algorithm.hash(request.body?);
                (hash(&format!("{line}:{body}")), Some("auth-int"))
            }
        };
        let response = Zeroizing::new(match qop {
            Some(qop) => format!("{}:{nonce}:{count:08x}:{cnonce}:{qop}:{covered}", *secret),
            None => format!("{}:{nonce}:{covered}", *secret),
        });
        let response = hash(&response);

        let mut text = String::from("Digest ");
        push_quoted(&mut text, "username", username);
        push_quoted(&mut text, ", realm", realm);
        push_quoted(&mut text, ", nonce", nonce);
        push_quoted(&mut text, ", uri", uri);
        push_quoted(&mut text, ", response", &response);
        if self.named {
            text.push_str(", algorithm=");
            text.push_str(self.algorithm.name());
            text.push_str(if self.session { "-sess" } else { "" });
        }
        if let Some(opaque) = &self.opaque {
            push_quoted(&mut text, ", opaque", opaque);
        }
        if let Some(qop) = qop {
            let _written = write!(text, ", qop={qop}, nc={count:08x}");
        }
        if qop.is_some() || self.session {
            push_quoted(&mut text, ", cnonce", cnonce);
        }
        let mut value = HeaderValue::from_bytes(text.as_bytes()).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

fn push_quoted(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str("=\"");
    for character in value.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}

/// The schemes of a header, each with its parameters. A comma stands between parameters and between schemes alike, so that a
/// scheme is recognised by the space which follows it.
fn schemes(header: &str) -> Vec<(&str, Vec<(&str, String)>)> {
    let mut found: Vec<(&str, Vec<(&str, String)>)> = Vec::new();
    for item in items(header) {
        let end = item.find([' ', '\t', '=']).unwrap_or(item.len());
        let rest = item[end..].trim_start();
        let param = if rest.starts_with('=') {
            item
        } else {
            found.push((&item[..end], Vec::new()));
            rest
        };
        if let (Some((_, params)), Some((name, value))) = (found.last_mut(), param.split_once('=')) {
            params.push((name.trim(), unquoted(value.trim())));
        }
    }
    found
}

/// What stands between the commas, of which those inside quotes do not count.
fn items(header: &str) -> impl Iterator<Item = &str> {
    let (mut quoted, mut escaped) = (false, false);
    let is_separator = move |character: char| {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' => return !quoted,
            _ => {}
        }
        false
    };
    header.split(is_separator).map(str::trim).filter(|item| !item.is_empty())
}

fn unquoted(value: &str) -> String {
    let Some(quoted) = value.strip_prefix('"') else { return value.to_owned() };
    let mut text = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => break,
            '\\' => text.extend(characters.next()),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of RFC 7616, 3.9.1, which offers both algorithms.
    const OFFER: &str = "realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
                         nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                         opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

    fn get(uri: &str) -> Covered<'_> {
        Covered { method: &Method::GET, uri, body: Some(&[]) }
    }

    #[track_caller]
    fn check_answer(challenge: &str, username: &str, password: &str, cnonce: &str, response: &str) {
        let challenge = &Challenge::parse(challenge)[0];
        let answer = challenge.answer(username, &Secret::from(password), get("/dir/index.html"), 1, cnonce);
        let answer = answer.unwrap();
        let text = answer.to_str().unwrap();
        assert!(text.contains(&format!("response=\"{response}\"")), "{text}");
        assert!(answer.is_sensitive());
    }

    #[test]
    fn the_examples_of_the_standards() {
        let cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        for (algorithm, response) in [
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
            ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
        ] {
            let challenge = format!("Digest {OFFER}, algorithm={algorithm}");
            check_answer(&challenge, "Mufasa", "Circle of Life", cnonce, response);
        }
        // RFC 2617, 3.5, which names no algorithm.
        let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
        let challenge =
            format!("Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", nonce=\"{nonce}\"");
        let response = "6629fae49393a05397450978507c4ef1";
        check_answer(&challenge, "Mufasa", "Circle Of Life", "0a4f113b", response);
    }

    #[test]
    fn the_whole_answer() {
        let challenge = &Challenge::parse(r#"Digest realm="a\"b", nonce=n, opaque="o""#)[0];
        let answer = challenge.answer("u\\", &Secret::from("p"), get("/?a=b"), 1, "c").unwrap();
        let text = answer.to_str().unwrap();
        let (head, tail) = text.split_once(", response=").unwrap();
        assert_eq!(head, r#"Digest username="u\\", realm="a\"b", nonce="n", uri="/?a=b""#);
        assert!(tail.ends_with(r#"", opaque="o""#), "{tail}");
    }

    #[track_caller]
    fn check(header: &str, expected: &[(&str, Algorithm, Protection)]) {
        let found = Challenge::parse(header);
        let found: Vec<_> = found.iter().map(|one| (&*one.nonce, one.algorithm, one.protection)).collect();
        assert_eq!(found, expected, "{header}");
    }

    #[test]
    fn challenges() {
        check("Basic realm=\"x\"", &[]);
        check("Digest realm=\"x\", nonce=\"1\"", &[("1", Algorithm::Md5, Protection::Legacy)]);
        check(
            "DIGEST Realm = x , NONCE = \"1,2\" , QOP=auth",
            &[("1,2", Algorithm::Md5, Protection::RequestLine)],
        );
        check(
            "Negotiate, Basic realm=\"a, Digest b\", Digest realm=r,nonce=1,algorithm=sha-256, Digest realm=r, nonce=2",
            &[("1", Algorithm::Sha256, Protection::Legacy), ("2", Algorithm::Md5, Protection::Legacy)],
        );
        check("Digest realm=r, nonce=1, qop=\"auth-int\"", &[("1", Algorithm::Md5, Protection::WithBody)]);
        check(
            "Digest realm=r, nonce=1, algorithm=sha-256-SESS",
            &[("1", Algorithm::Sha256, Protection::Legacy)],
        );
        for unusable in [
            "Digest nonce=1",
            "Digest realm=r",
            "Digest realm=r, nonce=1, algorithm=SHA-512-256",
            "Digest realm=r, nonce=1, qop=\"auth-conf\"",
            "Digest",
            "",
            ",,",
        ] {
            check(unusable, &[]);
        }
    }

    /// What is expected was computed with Python's hashlib, by the formulas of RFC 7616, 3.4.2 and 3.4.3.
    #[test]
    fn sessions_and_bodies() {
        let pieces = [Bytes::from_static(b"bo"), Bytes::new(), Bytes::from_static(b"dy")];
        let covered = Covered { method: &Method::POST, uri: "/a", body: Some(&pieces) };
        for (offer, algorithm, response) in [
            ("auth", "MD5-sess", "dc894eda77015ac55ec8812cf9232d8f"),
            ("auth-int", "MD5", "60d32f680f739ce660c1d46755cd6e31"),
            ("auth-int", "SHA-256-sess", "6c3b8c11cfa2f9611ef075b384889b6c53cbb2b061b40548221670e3b59a3a1d"),
        ] {
            let challenge = format!("Digest realm=r, nonce=n, qop=\"{offer}\", algorithm={algorithm}");
            let challenge = &Challenge::parse(&challenge)[0];
            let answer = challenge.answer("u", &Secret::from("p"), covered, 1, "c").unwrap();
            let text = answer.to_str().unwrap();
            assert!(
                text.contains(&format!("response=\"{response}\", algorithm={algorithm}, qop={offer},")),
                "{text}"
            );
            let stream = Covered { body: None, ..covered };
            let answer = challenge.answer("u", &Secret::from("p"), stream, 1, "c");
            assert_eq!(answer.is_some(), offer == "auth");
        }
    }

    #[test]
    fn the_strongest_one_is_taken() {
        let mut headers = HeaderMap::new();
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Digest realm=r, nonce=1, algorithm=MD5"));
        headers
            .append(WWW_AUTHENTICATE, HeaderValue::from_static("Digest realm=r, nonce=2, algorithm=SHA-256"));
        headers
            .append(WWW_AUTHENTICATE, HeaderValue::from_static("Digest realm=r, nonce=3, algorithm=SHA-256"));
        assert_eq!(Challenge::strongest(&headers).unwrap().nonce, "2");
        assert_eq!(Challenge::strongest(&HeaderMap::new()), None);
    }

    proptest! {
        #[test]
        fn quoting_is_the_inverse_of_reading(value in "\\PC*") {
            let mut text = String::from("Digest realm=r, ");
            push_quoted(&mut text, "nonce", &value);
            let found = Challenge::parse(&text);
            prop_assert_eq!(&found[0].nonce, &value);
        }

        #[test]
        fn anything_is_read_without_panic(header in ".*") {
            Challenge::parse(&header);
        }
    }
}
