//! Paths with placeholders, in a tree.
//!
//! Owns which of several patterns a path is for, and which patterns can't stand beside each other. It must not know what
//! a pattern leads to.
//!
//! The tree is persistent: a copy of it shares all nodes with the original, and a change copies the nodes on the way to
//! its place only. So a table of a hundred thousand channels is changed as fast as one of ten.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::map::{self, Map};

/// What stands between two slashes of a channel's path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Segment {
    /// A text that matches itself.
    Literal(Box<str>),
    /// A placeholder for one or more characters, and what stands around it.
    Capture {
        /// What it must follow.
        prefix: Box<str>,
        /// What it must precede.
        suffix: Box<str>,
    },
}

impl Segment {
    /// A text as prefix, captured value and suffix, when the first and the last are that long and the value isn't empty.
    fn capture(prefix: usize, suffix: usize, text: &str) -> Option<(&str, &str, &str)> {
        let end = text.len().checked_sub(suffix).filter(|end| *end > prefix)?;
        Some((text.get(..prefix)?, text.get(prefix..end)?, text.get(end..)?))
    }

    fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Literal(literal) => **literal == *text,
            Self::Capture { prefix, suffix } => {
                text.len() > prefix.len() + suffix.len()
                    && text.starts_with(&**prefix)
                    && text.ends_with(&**suffix)
            }
        }
    }
}

/// Whether a path, beginning with a slash, matches a pattern.
pub(crate) fn is_match(pattern: &[Segment], path: &str) -> bool {
    let texts = segments(path);
    texts.clone().count() == pattern.len() && texts.zip(pattern).all(|(text, segment)| segment.is_match(text))
}

/// What stands between the slashes of a path that begins with one.
pub(crate) fn segments(path: &str) -> impl Iterator<Item = &str> + Clone {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

/// The lengths of prefix and suffix, longer ones first: these are more specific.
type Shape = (Reverse<usize>, Reverse<usize>);

/// Patterns by their segments, from one slash on.
#[derive(Clone)]
pub(crate) struct Tree<T> {
    /// What the pattern that ends here leads to.
    end: Option<T>,
    literals: Map<Box<str>, Arc<Self>>,
    /// By prefix, then by suffix.
    captures: Map<Box<str>, Map<Box<str>, Arc<Self>>>,
    /// How many captures there are of each shape. There are few shapes, so a segment is looked up once for each.
    shapes: BTreeMap<Shape, usize>,
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Self { end: None, literals: map::empty(), captures: map::empty(), shapes: BTreeMap::new() }
    }
}

impl<T: Clone> Tree<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.end.is_none() && self.literals.is_empty() && self.captures.is_empty()
    }

    /// What a pattern leads to.
    pub(crate) fn get(&self, pattern: &[Segment]) -> Option<&T> {
        pattern.iter().try_fold(self, Self::child)?.end.as_ref()
    }

    /// Lets a pattern lead to something, or to nothing any more.
    pub(crate) fn set(&mut self, pattern: &[Segment], end: Option<T>) {
        let Some((segment, rest)) = pattern.split_first() else {
            self.end = end;
            return;
        };
        let mut child = self.child(segment).cloned().unwrap_or_default();
        child.set(rest, end);
        let child = (!child.is_empty()).then(|| Arc::new(child));
        match segment {
            Segment::Literal(text) => match child {
                Some(child) => self.literals.insert_mut(text.clone(), child),
                None => drop(self.literals.remove_mut(text)),
            },
            Segment::Capture { prefix, suffix } => self.set_capture(prefix, suffix, child),
        }
    }

    fn set_capture(&mut self, prefix: &str, suffix: &str, child: Option<Arc<Self>>) {
        let mut suffixes = self.captures.get(prefix).cloned().unwrap_or_else(map::empty);
        let before = suffixes.size();
        match child {
            Some(child) => suffixes.insert_mut(suffix.into(), child),
            None => drop(suffixes.remove_mut(suffix)),
        }
        let shape = (Reverse(prefix.len()), Reverse(suffix.len()));
        // One of this shape has come, or gone, or been replaced.
        let count = self.shapes.remove(&shape).unwrap_or_default() + suffixes.size() - before;
        if count > 0 {
            self.shapes.insert(shape, count);
        }
        if suffixes.is_empty() {
            self.captures.remove_mut(prefix);
        } else {
            self.captures.insert_mut(prefix.into(), suffixes);
        }
    }

    fn child(&self, segment: &Segment) -> Option<&Self> {
        match segment {
            Segment::Literal(text) => self.literals.get(text).map(|child| &**child),
            Segment::Capture { prefix, suffix } => {
                self.captures.get(prefix)?.get(suffix).map(|child| &**child)
            }
        }
    }

    /// Something that a pattern leads to beside which this one can't stand: both match some texts between two slashes,
    /// and neither is more specific, because the one has more before its placeholder and the other more behind.
    pub(crate) fn rival(&self, pattern: &[Segment]) -> Option<&T> {
        let mut node = self;
        for segment in pattern {
            match (node.child(segment), segment) {
                (Some(child), _) => node = child,
                (None, Segment::Literal(_)) => return None,
                (None, Segment::Capture { prefix, suffix }) => {
                    return node.ambiguous(prefix, suffix)?.first();
                }
            }
        }
        None
    }

    fn ambiguous(&self, prefix: &str, suffix: &str) -> Option<&Self> {
        let opposes = |(Reverse(other_prefix), Reverse(other_suffix)): &Shape| {
            (*other_prefix < prefix.len() && *other_suffix > suffix.len())
                || (*other_prefix > prefix.len() && *other_suffix < suffix.len())
        };
        if !self.shapes.keys().any(opposes) {
            return None;
        }
        self.captures.iter().find_map(|(other_prefix, suffixes)| {
            if !other_prefix.starts_with(prefix) && !prefix.starts_with(&**other_prefix) {
                return None;
            }
            suffixes.iter().find_map(|(other_suffix, child)| {
                let shape = (Reverse(other_prefix.len()), Reverse(other_suffix.len()));
                let is_common = other_suffix.ends_with(suffix) || suffix.ends_with(&**other_suffix);
                (is_common && opposes(&shape)).then_some(&**child)
            })
        })
    }

    /// Anything that a pattern in here leads to.
    fn first(&self) -> Option<&T> {
        let captures = self.captures.values().flat_map(Map::values);
        self.end.as_ref().or_else(|| self.literals.values().chain(captures).find_map(|child| child.first()))
    }

    /// The most specific match that is accepted, and what its placeholders stand for: from left to right, a text wins over
    /// a placeholder, and more text around a placeholder over less.
    pub(crate) fn find<'p, R>(
        &self,
        path: &'p str,
        accept: impl Fn(&T) -> Option<R>,
    ) -> Option<(R, Vec<&'p str>)> {
        let mut captured = Vec::new();
        let path = path.strip_prefix('/').unwrap_or(path);
        let found = self.descend(Some(path), &mut captured, &accept)?;
        Some((found, captured))
    }

    /// Each node is looked at once at most, so a look-up is bounded by the tree; it is as deep as the longest pattern.
    fn descend<'p, R>(
        &self,
        path: Option<&'p str>,
        captured: &mut Vec<&'p str>,
        accept: &impl Fn(&T) -> Option<R>,
    ) -> Option<R> {
        let Some(path) = path else { return self.end.as_ref().and_then(accept) };
        let (text, rest) = path.split_once('/').map_or((path, None), |(text, rest)| (text, Some(rest)));
        if let Some(child) = self.literals.get(text)
            && let Some(found) = child.descend(rest, captured, accept)
        {
            return Some(found);
        }
        for (Reverse(prefix), Reverse(suffix)) in self.shapes.keys() {
            let Some((prefix, value, suffix)) = Segment::capture(*prefix, *suffix, text) else { continue };
            let child = self.captures.get(prefix).and_then(|suffixes| suffixes.get(suffix));
            let Some(child) = child else { continue };
            captured.push(value);
            if let Some(found) = child.descend(rest, captured, accept) {
                return Some(found);
            }
            captured.pop();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::path::PathPattern;

    fn pattern(path: &str) -> Vec<Segment> {
        match PathPattern::new(path).unwrap() {
            PathPattern::Exact => segments(path).map(|text| Segment::Literal(text.into())).collect(),
            PathPattern::Captures { segments, .. } => segments.to_vec(),
        }
    }

    fn tree(paths: &[&'static str]) -> Tree<&'static str> {
        let mut tree = Tree::default();
        for path in paths {
            tree.set(&pattern(path), Some(*path));
        }
        tree
    }

    #[track_caller]
    fn check(tree: &Tree<&'static str>, path: &str, expected: Option<(&str, &[&str])>) {
        let found = tree.find(path, |end| Some(*end));
        let found = found.as_ref().map(|(end, captured)| (*end, captured.as_slice()));
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn the_most_specific_pattern_wins() {
        let tree = tree(&[
            "/{a}",
            "/{a}.json",
            "/v{a}",
            "/v{a}.json",
            "/v1",
            "/x/{a}",
            "/{a}/y",
            "/x/{a}/",
            "/ż{a}ó",
        ]);
        check(&tree, "/v1", Some(("/v1", &[])));
        check(&tree, "/v2", Some(("/v{a}", &["2"])));
        check(&tree, "/v2.json", Some(("/v{a}.json", &["2"])));
        check(&tree, "/w2.json", Some(("/{a}.json", &["w2"])));
        check(&tree, "/.json", Some(("/{a}", &[".json"])));
        check(&tree, "/v", Some(("/{a}", &["v"])));
        check(&tree, "/x/y", Some(("/x/{a}", &["y"])));
        check(&tree, "/z/y", Some(("/{a}/y", &["z"])));
        check(&tree, "/x/y/", Some(("/x/{a}/", &["y"])));
        check(&tree, "/żółwó", Some(("/ż{a}ó", &["ółw"])));
        check(&tree, "/żó", Some(("/{a}", &["żó"])));
        check(&tree, "/", None);
        check(&tree, "/x/", None);
        check(&tree, "/x/y//", None);
    }

    #[test]
    fn what_is_not_accepted_is_looked_for_further() {
        let tree = tree(&["/a/{x}", "/{y}/b", "/{y}/{z}"]);
        let find = |refused: &[&str]| {
            tree.find("/a/b", |end| (!refused.contains(end)).then_some(*end)).map(|(end, _)| end)
        };
        assert_eq!(find(&[]), Some("/a/{x}"));
        assert_eq!(find(&["/a/{x}"]), Some("/{y}/b"));
        assert_eq!(find(&["/a/{x}", "/{y}/b"]), Some("/{y}/{z}"));
        assert_eq!(find(&["/a/{x}", "/{y}/b", "/{y}/{z}"]), None);
    }

    #[track_caller]
    fn check_rival(path: &str, expected: Option<&str>) {
        let tree = tree(&["/a/{x}.txt", "/b/pre-{x}", "/c/{x}"]);
        assert_eq!(tree.rival(&pattern(path)).copied(), expected, "{path}");
    }

    #[test]
    fn patterns_that_are_ambiguous_beside_others() {
        check_rival("/a/pre-{x}", Some("/a/{x}.txt"));
        check_rival("/a/pre-{x}/more", Some("/a/{x}.txt"));
        check_rival("/a/pre-{x}t", Some("/a/{x}.txt"));
        check_rival("/b/{x}.txt", Some("/b/pre-{x}"));
        check_rival("/b/p{x}.txt", Some("/b/pre-{x}"));
        check_rival("/b/q{x}.txt", None);
        check_rival("/a/{x}", None);
        check_rival("/a/pre-{x}.txt", None);
        check_rival("/a/pre-{x}.json", None);
        check_rival("/c/pre-{x}", None);
        check_rival("/d/{x}", None);
        check_rival("/a/text", None);
    }

    fn segment() -> impl Strategy<Value = &'static str> {
        prop::sample::select(vec!["a", "b", "ab", "{N}", "a{N}", "{N}b", "a{N}b", ""])
    }

    fn paths() -> impl Strategy<Value = Vec<String>> {
        let path = prop::collection::vec(segment(), 1..4).prop_map(|segments| {
            let numbered =
                segments.iter().enumerate().map(|(place, text)| text.replace('N', &format!("n{place}")));
            numbered.fold(String::new(), |path, text| path + "/" + &text)
        });
        prop::collection::vec(path, 0..12)
    }

    proptest! {
        /// Whatever is set and removed in whatever order, a tree finds what a list of its patterns would match, and what is
        /// removed leaves nothing behind.
        #[test]
        fn trees_find_what_matches(set in paths(), removed in paths(), requests in prop::collection::vec("(/[ab]{0,3}){1,3}", 0..8)) {
            let mut tree = Tree::default();
            let mut model = BTreeMap::new();
            for path in set {
                tree.set(&pattern(&path), Some(path.clone()));
                model.insert(path.clone(), pattern(&path));
            }
            let before = tree.clone();
            let known = model.clone();
            for path in removed {
                tree.set(&pattern(&path), None);
                model.remove(&path);
            }
            for request in requests {
                for (tree, model) in [(&before, &known), (&tree, &model)] {
                    let found = tree.find(&request, |end| Some(end.clone())).map(|(end, _)| end);
                    match found {
                        Some(end) => prop_assert!(is_match(&model[&end], &request), "{} {}", end, request),
                        None => prop_assert!(!model.values().any(|pattern| is_match(pattern, &request)), "{}", request),
                    }
                }
            }
            for path in model.into_keys() {
                prop_assert_eq!(tree.get(&pattern(&path)), Some(&path));
                tree.set(&pattern(&path), None);
            }
            prop_assert!(tree.is_empty());
        }
    }
}
