//! The challenges of a `WWW-Authenticate` header, and the answer to a Digest one.
//!
//! Owns the grammar of RFC 9110, 11.6.1, and the computation of RFC 7616, 3.4. It sends nothing.

use std::fmt::Write as _;

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

    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(text.as_bytes())),
            Self::Sha256 => hex(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref()),
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

/// A Digest challenge which can be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub(super) realm: String,
    pub(super) nonce: String,
    pub(super) opaque: Option<String>,
    pub(super) algorithm: Algorithm,
    /// Whether the algorithm was named, so that it has to be named in the answer.
    named: bool,
    /// Whether the protection `auth` is offered. If not, the answer is that of RFC 2069, without a counter.
    pub(super) auth: bool,
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
    /// they offer any protection, the one called `auth`.
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
        let algorithm = match named {
            None => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case("MD5") => Algorithm::Md5,
            Some(name) if name.eq_ignore_ascii_case("SHA-256") => Algorithm::Sha256,
            Some(_) => return None,
        };
        let auth = match param("qop") {
            None => false,
            Some(offered) if offered.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")) => true,
            Some(_) => return None,
        };
        Some(Self {
            realm: param("realm")?.to_owned(),
            nonce: param("nonce")?.to_owned(),
            opaque: param("opaque").map(str::to_owned),
            algorithm,
            named: named.is_some(),
            auth,
            stale: param("stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
        })
    }

    /// The `Authorization` header for one request: the `count`th with this nonce, from 1, with the client's own random
    /// `cnonce`. `None` if the username has characters that a header must not have.
    pub(super) fn answer(
        &self,
        username: &str,
        password: &Secret,
        method: &Method,
        uri: &str,
        count: u32,
        cnonce: &str,
    ) -> Option<HeaderValue> {
        let hash = |text: &str| self.algorithm.hash(text);
        let (realm, nonce) = (&self.realm, &self.nonce);
        let secret = Zeroizing::new(format!("{username}:{realm}:{}", password.expose()));
        let secret = Zeroizing::new(hash(&secret));
        let request = hash(&format!("{method}:{uri}"));
        let response = Zeroizing::new(if self.auth {
            format!("{}:{nonce}:{count:08x}:{cnonce}:auth:{request}", *secret)
        } else {
            format!("{}:{nonce}:{request}", *secret)
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
        }
        if let Some(opaque) = &self.opaque {
            push_quoted(&mut text, ", opaque", opaque);
        }
        if self.auth {
            let _written = write!(text, ", qop=auth, nc={count:08x}, cnonce=\"{cnonce}\"");
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

    #[track_caller]
    fn check_answer(challenge: &str, username: &str, password: &str, cnonce: &str, response: &str) {
        let challenge = &Challenge::parse(challenge)[0];
        let answer =
            challenge.answer(username, &Secret::from(password), &Method::GET, "/dir/index.html", 1, cnonce);
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
        let answer = challenge.answer("u\\", &Secret::from("p"), &Method::GET, "/?a=b", 1, "c").unwrap();
        let text = answer.to_str().unwrap();
        let (head, tail) = text.split_once(", response=").unwrap();
        assert_eq!(head, r#"Digest username="u\\", realm="a\"b", nonce="n", uri="/?a=b""#);
        assert!(tail.ends_with(r#"", opaque="o""#), "{tail}");
    }

    #[track_caller]
    fn check(header: &str, expected: &[(&str, Algorithm, bool)]) {
        let found = Challenge::parse(header);
        let found: Vec<_> = found.iter().map(|one| (&*one.nonce, one.algorithm, one.auth)).collect();
        assert_eq!(found, expected, "{header}");
    }

    #[test]
    fn challenges() {
        check("Basic realm=\"x\"", &[]);
        check("Digest realm=\"x\", nonce=\"1\"", &[("1", Algorithm::Md5, false)]);
        check("DIGEST Realm = x , NONCE = \"1,2\" , QOP=auth", &[("1,2", Algorithm::Md5, true)]);
        check(
            "Negotiate, Basic realm=\"a, Digest b\", Digest realm=r,nonce=1,algorithm=sha-256, Digest realm=r, nonce=2",
            &[("1", Algorithm::Sha256, false), ("2", Algorithm::Md5, false)],
        );
        for unusable in [
            "Digest nonce=1",
            "Digest realm=r",
            "Digest realm=r, nonce=1, algorithm=SHA-512-256",
            "Digest realm=r, nonce=1, algorithm=MD5-sess",
            "Digest realm=r, nonce=1, qop=\"auth-int\"",
            "Digest",
            "",
            ",,",
        ] {
            check(unusable, &[]);
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
