//! What is signed: the base string of a request, RFC 5849, section 3.4.1.
//!
//! Owns its parts, their encoding and their order. It must not know secrets.

use std::borrow::Cow;

use percent_encoding::{
    AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, percent_encode, utf8_percent_encode,
};

/// Section 3.6: everything but unreserved characters is encoded.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How many parameters are sorted at most. A body of a few megabytes could have millions.
const MAXIMUM_PARAMETERS: usize = 10_000;

/// How many bytes query string and form may have together. What they say is encoded twice, which makes up to five times as much
/// of it, before anybody can tell whether the signature is right.
const MAXIMUM_BYTES: usize = 1024 * 1024;

/// A request, as far as it is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// The method, in upper case.
    pub method: &'a str,
    /// `http` or `https`.
    pub scheme: &'a str,
    /// Host and port as in the `Host` header. The port that belongs to the scheme can be left out.
    pub authority: &'a str,
    /// The path as it is sent, percent-encoded.
    pub path: &'a str,
    /// The query string as it is sent, without the question mark.
    pub query: Option<&'a str>,
    /// The body, if it is a form (`application/x-www-form-urlencoded`); other bodies are not signed.
    pub form: Option<&'a str>,
}

/// A request says too much to be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Oversized {
    /// There are more than 10,000 parameters, those of the protocol included.
    #[error("the request has more than {MAXIMUM_PARAMETERS} parameters")]
    Parameters,
    /// Query string and form are larger than 1 MiB together, as they are sent.
    #[error("query string and form of the request have more than {MAXIMUM_BYTES} bytes")]
    Bytes,
}

/// A text percent-encoded as OAuth wants it.
pub(crate) fn escaped(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

impl Request<'_> {
    /// The end of the base string: the parameters of the protocol beside those of the request. It is the same under any scheme.
    pub(crate) fn parameters(&self, protocol: &[(&str, &str)]) -> Result<String, Oversized> {
        let sent = [self.query, self.form];
        if sent.iter().flatten().map(|pairs| pairs.len()).sum::<usize>() > MAXIMUM_BYTES {
            return Err(Oversized::Bytes);
        }
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (name, value) in protocol {
            parameters.push((escaped(name).collect(), escaped(value).collect()));
        }
        for pairs in sent.into_iter().flatten() {
            for pair in pairs.split('&').filter(|pair| !pair.is_empty()) {
                if parameters.len() == MAXIMUM_PARAMETERS {
                    return Err(Oversized::Parameters);
                }
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                parameters.push((normalized(name), normalized(value)));
            }
        }
        // Section 3.4.1.3.2: sorted by encoded name, then by encoded value.
        parameters.sort_unstable();
        let mut joined = String::new();
        for (name, value) in &parameters {
            let separator = if joined.is_empty() { "" } else { "&" };
            joined.extend([separator, name, "=", value]);
        }
        Ok(escaped(&joined).collect())
    }

    /// The beginning of the base string, which the parameters follow.
    pub(crate) fn beginning(&self) -> String {
        format!("{}&{}&", escaped(self.method), escaped(&self.uri()))
    }

    /// Section 3.4.1.2: scheme and host in lower case, the default port left out.
    fn uri(&self) -> String {
        let scheme = self.scheme.to_ascii_lowercase();
        let authority = self.authority.to_ascii_lowercase();
        let default = match scheme.as_str() {
            "http" => ":80",
            "https" => ":443",
            _ => "",
        };
        let authority = authority.strip_suffix(default).unwrap_or(&authority);
        let path = if self.path.is_empty() { "/" } else { self.path };
        format!("{scheme}://{authority}{path}")
    }
}

/// Decoded as forms are, then encoded as OAuth wants it. What is not UTF-8 stays what it is: two texts that differ have two
/// signatures.
fn normalized(text: &str) -> String {
    let text = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { Cow::Borrowed(text) };
    let decoded: Vec<u8> = percent_decode_str(&text).collect();
    percent_encode(&decoded, RESERVED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: Request<'_> = Request {
        method: "POST",
        scheme: "http",
        authority: "EXAMPLE.COM:80",
        path: "/request",
        query: Some("b5=%3D%253D&a3=a&c%40=&a2=r%20b"),
        form: Some("c2&a3=2+q"),
    };

    #[track_caller]
    fn base_string(request: &Request<'_>, protocol: &[(&str, &str)]) -> String {
        request.beginning() + &request.parameters(protocol).unwrap()
    }

    #[test]
    fn parameters_that_are_not_utf_8_are_told_apart() {
        let base = |query| base_string(&Request { query: Some(query), form: None, ..REQUEST }, &[]);
        assert_eq!(base("a=%ff"), base("a=%FF"));
        assert_ne!(base("a=%FF"), base("a=%FE"));
        assert_ne!(base("a=%FF"), base("a=%EF%BF%BD"));
    }

    /// The example of RFC 5849, section 3.4.1.1.
    #[test]
    fn the_example_of_the_rfc() {
        let protocol = [
            ("oauth_consumer_key", "9djdj82h48djs9d2"),
            ("oauth_token", "kkk9d7dh3k39sjv7"),
            ("oauth_signature_method", "HMAC-SHA1"),
            ("oauth_timestamp", "137131201"),
            ("oauth_nonce", "7d8f3e4a"),
        ];
        assert_eq!(
            base_string(&REQUEST, &protocol),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D\
             %26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1\
             %26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        );
    }

    #[track_caller]
    fn check_uri(scheme: &str, authority: &str, path: &str, expected: &str) {
        assert_eq!(Request { scheme, authority, path, ..REQUEST }.uri(), expected);
    }

    #[test]
    fn uris() {
        check_uri("HTTP", "EXAMPLE.COM:80", "/r%20v/X", "http://example.com/r%20v/X");
        check_uri("https", "www.example.net:8080", "/", "https://www.example.net:8080/");
        check_uri("https", "example.net:443", "", "https://example.net/");
        check_uri("https", "example.net:80", "/", "https://example.net:80/");
        check_uri("http", "[::1]:80", "/", "http://[::1]/");
    }

    #[test]
    fn parameters_are_bounded() {
        let parameters = |query: &str, form: &str, protocol: &[(&str, &str)]| {
            let request = Request { query: Some(query), form: Some(form), ..REQUEST };
            request.parameters(protocol).map(|parameters| parameters.len())
        };
        let many = "a&".repeat(MAXIMUM_PARAMETERS);
        assert!(parameters("", &many, &[]).is_ok());
        assert_eq!(parameters("", &many, &[("a", "b")]), Err(Oversized::Parameters));
        let long = "%".repeat(MAXIMUM_BYTES - 1);
        assert_eq!(parameters("a", &long, &[]), Ok("a%3D%26".len() + 5 * long.len() + "%3D".len()));
        assert_eq!(parameters("aa", &long, &[]), Err(Oversized::Bytes));
        assert_eq!(parameters(&long, "aa", &[]), Err(Oversized::Bytes));
    }
}
