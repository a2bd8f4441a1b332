//! URL paths with placeholders, and query strings.
//!
//! Owns percent-encoding and the `{name}` syntax of a connection's `url_path`. A path is parsed once, when its connection is
//! configured; a call only fills it in. It knows neither hosts nor requests.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

/// What a value may keep: the unreserved characters of RFC 3986, 2.3.
pub(crate) const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What a configured path must not keep. The percent sign is a case of its own, because a path may be configured with its
/// encoding already done.
const LITERAL: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// A URL path, with or without a query string, which may contain `{name}` placeholders.
///
/// ```
/// use zato_outgoing::url::UrlTemplate;
///
/// let template = UrlTemplate::parse("/customers/{id}/cases")?;
/// let params = [("id".to_owned(), "a/b".to_owned()), ("page".to_owned(), "1 2".to_owned())];
/// assert_eq!(template.expand(&params)?, "/customers/a%2Fb/cases?page=1+2");
/// assert_eq!(template.expand(&[]).unwrap_err().name(), "id");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UrlTemplate {
    pieces: Box<[Piece]>,
    has_query: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// Already encoded.
    Literal(Box<str>),
    /// The name of a parameter.
    Placeholder(Box<str>),
}

/// Why a text is no URL path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseUrlTemplateError {
    /// It does not start with a slash.
    #[error("it must start with a slash")]
    NoSlash,
    /// It has a fragment, which is never sent.
    #[error("it must not have a `#`, at byte {at}")]
    Fragment {
        /// Where the `#` is.
        at: usize,
    },
    /// A `{` has no `}`.
    #[error("the placeholder at byte {at} is not closed")]
    Unclosed {
        /// Where the `{` is.
        at: usize,
    },
    /// A `}` has no `{`.
    #[error("the closing brace at byte {at} has no opening one")]
    Unopened {
        /// Where the `}` is.
        at: usize,
    },
    /// A placeholder has no name, or a brace in its name.
    #[error("the placeholder at byte {at} has no valid name")]
    Name {
        /// Where the placeholder's `{` is.
        at: usize,
    },
}

/// Why a path can't be filled in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathParameterError {
    /// No parameter has the name of a placeholder.
    #[error("there is no value for the path parameter `{name}`")]
    Missing {
        /// The placeholder's name.
        name: String,
    },
    /// The value makes its segment `.` or `..`, which mean another path (RFC 3986, 5.2.4) and can't be encoded so that they don't.
    #[error("the value of the path parameter `{name}` would lead to another path")]
    Dots {
        /// The placeholder's name.
        name: String,
    },
}

impl PathParameterError {
    /// The placeholder's name.
    pub fn name(&self) -> &str {
        match self {
            Self::Missing { name } | Self::Dots { name } => name,
        }
    }
}

impl UrlTemplate {
    /// Parses a path. Characters that a URL must not contain are percent-encoded here, once.
    ///
    /// # Errors
    ///
    /// [`ParseUrlTemplateError`] if the path does not start with a slash, has a fragment or its braces do not match.
    pub fn parse(path: &str) -> Result<Self, ParseUrlTemplateError> {
        if !path.starts_with('/') {
            return Err(ParseUrlTemplateError::NoSlash);
        }
        if let Some(at) = path.find('#') {
            return Err(ParseUrlTemplateError::Fragment { at });
        }
        let mut pieces = Vec::new();
        let mut at = 0;
        while at < path.len() {
            let rest = &path[at..];
            let open = rest.find('{').unwrap_or(rest.len());
            let literal = &rest[..open];
            if let Some(stray) = literal.find('}') {
                return Err(ParseUrlTemplateError::Unopened { at: at + stray });
            }
            if !literal.is_empty() {
                pieces.push(Piece::Literal(encode_literal(literal).into_boxed_str()));
            }
            at += open;
            if open < rest.len() {
                let length = path[at..].find('}').ok_or(ParseUrlTemplateError::Unclosed { at })?;
                let name = &path[at + 1..at + length];
                if name.is_empty() || name.contains('{') {
                    return Err(ParseUrlTemplateError::Name { at });
                }
                pieces.push(Piece::Placeholder(name.into()));
                at += length + 1;
            }
        }
        Ok(Self { pieces: pieces.into_boxed_slice(), has_query: path.contains('?') })
    }

    /// Whether there are placeholders, so that a call without parameters cannot succeed.
    pub fn has_placeholders(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Placeholder(_)))
    }

    /// The path with every placeholder replaced by the first parameter of its name, encoded so that it stays one path
    /// segment, and with all other parameters as the query string, in their order and however often they repeat.
    ///
    /// # Errors
    ///
    /// [`PathParameterError`], naming the first placeholder without a value, or with one that leaves its segment.
    pub fn expand(&self, params: &[(String, String)]) -> Result<String, PathParameterError> {
        let mut url = String::new();
        let mut filled = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => url.push_str(text),
                Piece::Placeholder(name) => {
                    let (_, value) = params
                        .iter()
                        .find(|(key, _)| **key == **name)
                        .ok_or_else(|| PathParameterError::Missing { name: name.to_string() })?;
                    filled.push((name, url.len()));
                    url.extend(utf8_percent_encode(value, VALUE));
                }
            }
        }
        if let Some((name, _)) = filled.into_iter().find(|(_, at)| is_dots(&url, *at)) {
            return Err(PathParameterError::Dots { name: name.to_string() });
        }
        let mut separator = if self.has_query { '&' } else { '?' };
        for (key, value) in params.iter().filter(|(key, _)| !self.is_placeholder(key)) {
            url.push(separator);
            push_form_text(&mut url, key);
            url.push('=');
            push_form_text(&mut url, value);
            separator = '&';
        }
        Ok(url)
    }

    /// The path with its placeholders as they stand, their braces encoded: what a ping uses, which has no parameters.
    pub fn unfilled(&self) -> String {
        let mut url = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => url.push_str(text),
                Piece::Placeholder(name) => {
                    url.push_str("%7B");
                    url.extend(utf8_percent_encode(name, VALUE));
                    url.push_str("%7D");
                }
            }
        }
        url
    }

    fn is_placeholder(&self, key: &str) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, Piece::Placeholder(name) if **name == *key))
    }
}

/// Whether the segment of a path at a position stands for the segment before it, or for nothing.
fn is_dots(url: &str, at: usize) -> bool {
    let (before, after) = url.split_at(at);
    let start = before.rfind('/').map_or(0, |slash| slash + 1);
    let end = at + after.find(['/', '?']).unwrap_or(after.len());
    !before.contains('?') && matches!(&url[start..end], "." | "..")
}

/// Encodes what must not stand in a URL at all and leaves everything else alone, what is encoded already included. A percent sign
/// without two hexadecimal digits stands for itself.
pub(crate) fn encode_literal(text: &str) -> String {
    let mut parts = text.split('%');
    let mut encoded = String::new();
    encoded.extend(utf8_percent_encode(parts.next().unwrap_or_default(), LITERAL));
    for part in parts {
        let is_encoded = part.len() >= 2 && part.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
        encoded.push_str(if is_encoded { "%" } else { "%25" });
        encoded.extend(utf8_percent_encode(part, LITERAL));
    }
    encoded
}

/// Encodes as HTML forms do, which is what servers decode query strings by: a space becomes a plus sign.
pub(crate) fn push_form_text(url: &mut String, text: &str) {
    for (index, part) in text.split(' ').enumerate() {
        if index > 0 {
            url.push('+');
        }
        url.extend(utf8_percent_encode(part, VALUE));
    }
}

#[cfg(test)]
mod tests {
    use http::uri::PathAndQuery;
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;

    fn owned(params: &[(&str, &str)]) -> Vec<(String, String)> {
        params.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[track_caller]
    fn check(path: &str, params: &[(&str, &str)], expected: &str) {
        assert_eq!(UrlTemplate::parse(path).unwrap().expand(&owned(params)).unwrap(), expected);
    }

    #[track_caller]
    fn check_error(path: &str, expected: ParseUrlTemplateError) {
        assert_eq!(UrlTemplate::parse(path), Err(expected));
    }

    #[test]
    fn literals() {
        check("/", &[], "/");
        check("/a/b?c=d", &[], "/a/b?c=d");
        check("/a b/é", &[], "/a%20b/%C3%A9");
        check("/a%20b", &[], "/a%20b");
        check("/a%23b", &[], "/a%23b");
        check("/100%/%zz?a=%4", &[], "/100%25/%25zz?a=%254");
        check("/%é%%41", &[], "/%25%C3%A9%25%41");
    }

    #[test]
    fn parameters_become_the_query_string() {
        check("/a", &[("id", "1"), ("type_id", "2")], "/a?id=1&type_id=2");
        check("/a?x=1", &[("y", "2")], "/a?x=1&y=2");
        check("/a", &[("k", "1"), ("k", "2")], "/a?k=1&k=2");
        check("/a", &[("k&=", "a b+c/é")], "/a?k%26%3D=a+b%2Bc%2F%C3%A9");
    }

    #[test]
    fn placeholders_are_filled_and_used_up() {
        check("/{a}/{b}", &[("b", "2"), ("c", "3"), ("a", "1")], "/1/2?c=3");
        check("/{a}/{a}", &[("a", "x y/?#%")], "/x%20y%2F%3F%23%25/x%20y%2F%3F%23%25");
        check("/x?id={id}", &[("id", "a&b"), ("c", "3")], "/x?id=a%26b&c=3");
    }

    #[test]
    fn a_missing_parameter_is_named() {
        let template = UrlTemplate::parse("/{a}/{b}").unwrap();
        let missing = PathParameterError::Missing { name: "b".to_owned() };
        assert_eq!(template.expand(&owned(&[("a", "1")])), Err(missing));
        assert_eq!(template.unfilled(), "/%7Ba%7D/%7Bb%7D");
    }

    #[test]
    fn a_value_does_not_lead_out_of_its_segment() {
        let refused = |path: &str, params: &[(&str, &str)]| {
            let expanded = UrlTemplate::parse(path).unwrap().expand(&owned(params));
            assert!(
                matches!(&expanded, Err(PathParameterError::Dots { name }) if name == "a"),
                "{expanded:?}"
            );
        };
        refused("/x/{a}/y", &[("a", "..")]);
        refused("/x/{a}", &[("a", ".")]);
        refused("/{a}{b}", &[("a", "."), ("b", ".")]);
        refused("/.{a}?b=c", &[("a", ".")]);
        check("/x/{a}.json", &[("a", "..")], "/x/...json");
        check("/x/{a}/y", &[("a", "../z")], "/x/..%2Fz/y");
        check("/x/{a}", &[("a", "%2e%2e")], "/x/%252e%252e");
        check("/x?a={a}", &[("a", "..")], "/x?a=..");
        check("/x/{a}/y", &[("a", "...")], "/x/.../y");
    }

    #[test]
    fn malformed_paths() {
        check_error("", ParseUrlTemplateError::NoSlash);
        check_error("a", ParseUrlTemplateError::NoSlash);
        check_error("/a#b", ParseUrlTemplateError::Fragment { at: 2 });
        check_error("/{a", ParseUrlTemplateError::Unclosed { at: 1 });
        check_error("/a}", ParseUrlTemplateError::Unopened { at: 2 });
        check_error("/{a}}", ParseUrlTemplateError::Unopened { at: 4 });
        check_error("/{}", ParseUrlTemplateError::Name { at: 1 });
        check_error("/{a{b}", ParseUrlTemplateError::Name { at: 1 });
    }

    /// What a server makes of a query string: the inverse of what is under test, written independently of it.
    fn decode_query(query: &str) -> Vec<(String, String)> {
        let decode =
            |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8().unwrap().into_owned();
        query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap())
            .map(|(key, value)| (decode(key), decode(value)))
            .collect()
    }

    proptest! {
        #[test]
        fn any_parameters_survive_the_query_string(params in prop::collection::vec((".*", ".*"), 1..8)) {
            let url = UrlTemplate::parse("/a").unwrap().expand(&params).unwrap();
            prop_assert!(url.parse::<PathAndQuery>().is_ok());
            prop_assert_eq!(decode_query(url.strip_prefix("/a?").unwrap()), params);
        }

        #[test]
        fn any_value_stays_one_segment(value in ".*") {
            prop_assume!(!matches!(&*value, "." | ".."));
            let params = [("v".to_owned(), value.clone())];
            let url = UrlTemplate::parse("/a/{v}/b").unwrap().expand(&params).unwrap();
            let segments: Vec<&str> = url.split('/').collect();
            prop_assert_eq!(segments.len(), 4);
            prop_assert_eq!(percent_decode_str(segments[2]).decode_utf8().unwrap(), value);
        }

        #[test]
        fn any_path_is_refused_or_usable(path in "/.*") {
            if let Ok(template) = UrlTemplate::parse(&path) {
                prop_assert!(template.unfilled().parse::<PathAndQuery>().is_ok());
            }
        }
    }
}
