//! Paths: those of requests, decoded, and those of channels, with their placeholders.
//!
//! Owns how a path is written. It must not know which channel stands behind one.

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::PathError;

/// What a placeholder's name may hold besides letters and digits.
const NAME_CHARACTERS: &str = " _$.-|=~^";

/// The router splits paths between any two bytes, so it only gets paths in ASCII. `%` is there to tell the text
/// `%C3` from the character that is written this way.
const ROUTED: &AsciiSet = &CONTROLS.add(b'%');

/// A request's path, percent-decoded; none if it isn't UTF-8 then, which no channel's path can equal.
pub(crate) fn decode(path: &str) -> Option<Cow<'_, str>> {
    if path.contains('%') { percent_decode_str(path).decode_utf8().ok() } else { Some(Cow::Borrowed(path)) }
}

/// A decoded path in the form that routes are compared in.
pub(crate) fn routed(path: &str) -> Cow<'_, str> {
    utf8_percent_encode(path, ROUTED).into()
}

/// What a route captured, as text again.
pub(crate) fn captured(value: &str) -> String {
    percent_decode_str(value).decode_utf8_lossy().into_owned()
}

/// A channel's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PathPattern {
    /// Matches itself.
    Exact,
    /// Has placeholders.
    Captures {
        /// The path in the router's notation.
        route: String,
        /// The placeholders' names, in order.
        names: Arc<[Arc<str>]>,
    },
}

impl PathPattern {
    pub(crate) fn new(path: &str) -> Result<Self, PathError> {
        if !path.starts_with('/') {
            return Err(PathError::Relative);
        }
        if let Some(character) = path.chars().find(|c| matches!(c, '?' | '#')) {
            return Err(PathError::Character(character));
        }
        let mut route = String::with_capacity(path.len());
        let mut names: Vec<Arc<str>> = Vec::new();
        for segment in path.split_inclusive('/') {
            let mut rest = segment;
            let mut is_crowded = false;
            while let Some((literal, name, after)) = placeholder(rest)? {
                if is_crowded {
                    return Err(PathError::Crowded);
                }
                is_crowded = true;
                if names.iter().any(|known| **known == *name) {
                    return Err(PathError::Repeated(name.into()));
                }
                // The router knows the placeholder by its position: spaces and signs in its name can't confuse it.
                route.push_str(&routed(literal));
                route.push_str(&format!("{{{}}}", names.len()));
                names.push(name.into());
                rest = after;
            }
            route.push_str(&routed(rest));
        }
        Ok(if names.is_empty() { Self::Exact } else { Self::Captures { route, names: names.into() } })
    }
}

/// Splits at the first placeholder: what stands before it, its name, what follows it.
fn placeholder(text: &str) -> Result<Option<(&str, &str, &str)>, PathError> {
    let Some(start) = text.find(['{', '}']) else { return Ok(None) };
    let (literal, rest) = text.split_at(start);
    let (name, after) =
        rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).ok_or(PathError::Placeholder)?;
    let is_name = |c: char| c.is_alphanumeric() || NAME_CHARACTERS.contains(c);
    if name.is_empty() || !name.chars().all(is_name) {
        return Err(PathError::Placeholder);
    }
    Ok(Some((literal, name, after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(path: &str, expected: Result<Option<(&str, &[&str])>, PathError>) {
        let found = PathPattern::new(path).map(|pattern| match pattern {
            PathPattern::Exact => None,
            PathPattern::Captures { route, names } => {
                Some((route, names.iter().map(ToString::to_string).collect::<Vec<_>>()))
            }
        });
        let expected = expected.map(|captures| {
            captures.map(|(route, names)| {
                (route.to_owned(), names.iter().map(ToString::to_string).collect::<Vec<_>>())
            })
        });
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn paths_of_channels() {
        check("/", Ok(None));
        check("/a/b.c/", Ok(None));
        check("/żółw", Ok(None));
        check("/{id}", Ok(Some(("/{0}", &["id"]))));
        check("/a/{b c}/x-{d}.json/", Ok(Some(("/a/{0}/x-{1}.json/", &["b c", "d"]))));
        check("/ż%/{id}", Ok(Some(("/%C5%BC%25/{0}", &["id"]))));
        check("", Err(PathError::Relative));
        check("a", Err(PathError::Relative));
        check("/a?b", Err(PathError::Character('?')));
        check("/a#b", Err(PathError::Character('#')));
        check("/{}", Err(PathError::Placeholder));
        check("/{a", Err(PathError::Placeholder));
        check("/a}", Err(PathError::Placeholder));
        check("/{*rest}", Err(PathError::Placeholder));
        check("/{a{b}}", Err(PathError::Placeholder));
        check("/{a/b}", Err(PathError::Placeholder));
        check("/{a}{b}", Err(PathError::Crowded));
        check("/{a}/{a}", Err(PathError::Repeated("a".into())));
    }

    #[test]
    fn paths_of_requests() {
        let decode = |path| decode(path).map(Cow::into_owned);
        assert_eq!(decode("/a b").as_deref(), Some("/a b"));
        assert_eq!(decode("/a%20b%2Fc").as_deref(), Some("/a b/c"));
        assert_eq!(decode("/%C5%BC").as_deref(), Some("/ż"));
        assert_eq!(decode("/%zz%").as_deref(), Some("/%zz%"));
        assert_eq!(decode("/%FF"), None);
        assert_eq!(captured(&routed("100% ż")), "100% ż");
        assert!(matches!(routed("/plain ascii"), Cow::Borrowed(_)));
    }
}
