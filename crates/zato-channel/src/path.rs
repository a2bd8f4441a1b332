//! Paths: those of requests, decoded, and those of channels, with their placeholders.
//!
//! Owns how a path is written. It must not know which channel stands behind one.

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::percent_decode_str;

use crate::PathError;
use crate::tree::{self, Segment};

/// What a placeholder's name may hold besides letters and digits.
const NAME_CHARACTERS: &str = " _$.-|=~^";

/// A request's path, percent-decoded once; none if it isn't UTF-8 then or has a null byte, which no channel's path has.
///
/// Dots are names like others: what `..` stands for is the business of files, and there are none here.
pub(crate) fn decode(path: &str) -> Option<Cow<'_, str>> {
    if !path.contains('%') {
        return Some(Cow::Borrowed(path));
    }
    percent_decode_str(path).decode_utf8().ok().filter(|path| !path.contains('\0'))
}

/// A channel's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PathPattern {
    /// Matches itself.
    Exact,
    /// Has placeholders.
    Captures {
        /// What stands between the slashes.
        segments: Arc<[Segment]>,
        /// The placeholders' names, in order.
        names: Arc<[Arc<str>]>,
    },
}

impl PathPattern {
    pub(crate) fn new(path: &str) -> Result<Self, PathError> {
        if !path.starts_with('/') {
            return Err(PathError::Relative);
        }
        if let Some(character) = path.chars().find(|c| matches!(c, '?' | '#' | '\0')) {
            return Err(PathError::Character(character));
        }
        let mut names: Vec<Arc<str>> = Vec::new();
        let mut segments = Vec::new();
        for text in tree::segments(path) {
            let Some((prefix, name, suffix)) = placeholder(text)? else {
                segments.push(Segment::Literal(text.into()));
                continue;
            };
            if placeholder(suffix)?.is_some() {
                return Err(PathError::Crowded);
            }
            if names.iter().any(|known| **known == *name) {
                return Err(PathError::Repeated(name.into()));
            }
            segments.push(Segment::Capture { prefix: prefix.into(), suffix: suffix.into() });
            names.push(name.into());
        }
        Ok(if names.is_empty() {
            Self::Exact
        } else {
            Self::Captures { segments: segments.into(), names: names.into() }
        })
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
            PathPattern::Captures { segments, names } => {
                let written = segments.iter().fold(String::new(), |written, segment| match segment {
                    Segment::Literal(text) => format!("{written}/{text}"),
                    Segment::Capture { prefix, suffix } => format!("{written}/{prefix}<>{suffix}"),
                });
                Some((written, names.iter().map(ToString::to_string).collect::<Vec<_>>()))
            }
        });
        let expected = expected.map(|captures| {
            captures.map(|(written, names)| {
                (written.to_owned(), names.iter().map(ToString::to_string).collect::<Vec<_>>())
            })
        });
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn paths_of_channels() {
        check("/", Ok(None));
        check("/a/b.c/", Ok(None));
        check("/żółw", Ok(None));
        check("/{id}", Ok(Some(("/<>", &["id"]))));
        check("/a/{b c}/x-{d}.json/", Ok(Some(("/a/<>/x-<>.json/", &["b c", "d"]))));
        check("/ż%/{id}", Ok(Some(("/ż%/<>", &["id"]))));
        check("", Err(PathError::Relative));
        check("a", Err(PathError::Relative));
        check("/a?b", Err(PathError::Character('?')));
        check("/a#b", Err(PathError::Character('#')));
        check("/a\0b", Err(PathError::Character('\0')));
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
        assert_eq!(decode("/a%00b"), None);
        assert_eq!(decode("/a%2500/%2e%2E").as_deref(), Some("/a%00/.."));
    }
}
