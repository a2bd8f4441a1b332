//! The parameters of a call: what fills placeholders of the URL path and becomes the query string.
//!
//! Owns the conversions from what callers naturally have at hand. Encoding is the business of [`crate::url`].

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::hash::BuildHasher;

/// Names and values, in order; a name may repeat.
pub type Params = Vec<(String, String)>;

/// Whatever can be the parameters of a call: pairs in an array, slice, vector or map, each of them borrowed or not, and `()`
/// for none.
pub trait IntoParams {
    /// The pairs as text.
    fn into_params(self) -> Params;
}

impl IntoParams for () {
    fn into_params(self) -> Params {
        Params::new()
    }
}

impl<K: AsRef<str>, V: Display, const N: usize> IntoParams for [(K, V); N] {
    fn into_params(self) -> Params {
        as_text(self)
    }
}

impl<K: AsRef<str>, V: Display> IntoParams for Vec<(K, V)> {
    fn into_params(self) -> Params {
        as_text(self)
    }
}

impl<K: AsRef<str>, V: Display> IntoParams for &[(K, V)] {
    fn into_params(self) -> Params {
        as_text(self.iter().map(|(key, value)| (key, value)))
    }
}

impl<K: AsRef<str>, V: Display, const N: usize> IntoParams for &[(K, V); N] {
    fn into_params(self) -> Params {
        self.as_slice().into_params()
    }
}

impl<K: AsRef<str>, V: Display> IntoParams for &Vec<(K, V)> {
    fn into_params(self) -> Params {
        self.as_slice().into_params()
    }
}

impl<K: AsRef<str>, V: Display> IntoParams for &BTreeMap<K, V> {
    fn into_params(self) -> Params {
        as_text(self)
    }
}

impl<K: AsRef<str>, V: Display, H: BuildHasher> IntoParams for &HashMap<K, V, H> {
    fn into_params(self) -> Params {
        as_text(self)
    }
}

impl<K: AsRef<str>, V: Display> IntoParams for BTreeMap<K, V> {
    fn into_params(self) -> Params {
        as_text(self)
    }
}

impl<K: AsRef<str>, V: Display, H: BuildHasher> IntoParams for HashMap<K, V, H> {
    fn into_params(self) -> Params {
        as_text(self)
    }
}

fn as_text<K: AsRef<str>, V: Display>(pairs: impl IntoIterator<Item = (K, V)>) -> Params {
    pairs.into_iter().map(|(key, value)| (key.as_ref().to_owned(), value.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(params: impl IntoParams, expected: &[(&str, &str)]) {
        let params = params.into_params();
        let params: Vec<(&str, &str)> = params.iter().map(|(key, value)| (&**key, &**value)).collect();
        assert_eq!(params, expected);
    }

    #[test]
    #[expect(
        clippy::needless_borrows_for_generic_args,
        reason = "what is borrowed is to be accepted as well"
    )]
    fn everything_that_holds_pairs() {
        check((), &[]);
        check([("id", 1), ("type_id", 2)], &[("id", "1"), ("type_id", "2")]);
        check(vec![("k".to_owned(), "a"), ("k".to_owned(), "b")], &[("k", "a"), ("k", "b")]);
        check([("a", 1.5)].as_slice(), &[("a", "1.5")]);
        check(BTreeMap::from([("b", true), ("a", false)]), &[("a", "false"), ("b", "true")]);
        check(HashMap::from([("a", 'x')]), &[("a", "x")]);
        check(&[("a", 1)], &[("a", "1")]);
        check(&vec![("a", 1)], &[("a", "1")]);
        check(&BTreeMap::from([("a", 1)]), &[("a", "1")]);
        check(&HashMap::from([("a", 1)]), &[("a", "1")]);
    }
}
