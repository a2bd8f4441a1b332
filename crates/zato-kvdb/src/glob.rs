//! Glob patterns for keys, as Redis has them.
//!
//! Owns their meaning: `*`, `?`, `[a-z]`, `[^a]`, and `\` before what is to be taken literally. It must not know keys.

/// A pattern.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glob<'p>(&'p [u8]);

impl<'p> Glob<'p> {
    pub(crate) fn new(pattern: &'p [u8]) -> Self {
        Self(pattern)
    }

    /// What everything that matches begins with, as far as the pattern tells it without an escape.
    pub(crate) fn prefix(self) -> &'p [u8] {
        let end = self.0.iter().position(|byte| b"*?[\\".contains(byte)).unwrap_or(self.0.len());
        &self.0[..end]
    }

    /// Whether the whole text matches.
    ///
    /// After a mismatch only the last `*` takes up more: whatever an earlier one could take, the later one can take as
    /// well. The time is so bounded by the product of both lengths, whatever the pattern.
    pub(crate) fn matches(self, text: &[u8]) -> bool {
        let (mut rest, mut text) = (self.0, text);
        let mut star: Option<(&[u8], &[u8])> = None;
        loop {
            if let Some((b'*', after)) = rest.split_first() {
                star = Some((after, text));
                rest = after;
                continue;
            }
            match (text.split_first(), rest.is_empty()) {
                (None, true) => return true,
                (Some((&byte, after)), false) => {
                    if let Some(next) = matches_one(rest, byte) {
                        (rest, text) = (next, after);
                        continue;
                    }
                }
                _ => {}
            }
            let Some((pattern, [_, taken @ ..])) = star else { return false };
            star = Some((pattern, taken));
            (rest, text) = (pattern, taken);
        }
    }

    /// A pattern that matches whatever begins with this text.
    pub(crate) fn starting_with(text: &str) -> Vec<u8> {
        let mut pattern = Vec::with_capacity(text.len() + 1);
        for byte in text.bytes() {
            if b"*?[\\".contains(&byte) {
                pattern.push(b'\\');
            }
            pattern.push(byte);
        }
        pattern.push(b'*');
        pattern
    }
}

/// What of the pattern is left after a byte that matches its beginning.
fn matches_one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => matches_class(rest, byte),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (*literal == byte).then_some(rest),
        [] => None,
    }
}

/// The same for a class, of which the bracket was read. A class that does not end reaches to the end of the pattern.
fn matches_class(class: &[u8], byte: u8) -> Option<&[u8]> {
    let (negated, mut class) = match class {
        [b'^', rest @ ..] => (true, rest),
        class => (false, class),
    };
    let mut found = false;
    loop {
        class = match class {
            [] => break,
            [b']', rest @ ..] => {
                class = rest;
                break;
            }
            [b'\\', literal, rest @ ..] => {
                found |= *literal == byte;
                rest
            }
            [from, b'-', to, rest @ ..] => {
                found |= (*from.min(to)..=*from.max(to)).contains(&byte);
                rest
            }
            [literal, rest @ ..] => {
                found |= *literal == byte;
                rest
            }
        };
    }
    (found != negated).then_some(class)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(pattern: &str, matching: &[&str], others: &[&str]) {
        let glob = Glob::new(pattern.as_bytes());
        for text in matching {
            assert!(glob.matches(text.as_bytes()), "{pattern} and {text}");
        }
        for text in others {
            assert!(!glob.matches(text.as_bytes()), "{pattern} and {text}");
        }
    }

    #[test]
    fn patterns_match() {
        check("", &[""], &["a"]);
        check("*", &["", "a", "ab"], &[]);
        check("a*b*c", &["abc", "axbxc", "abbcc"], &["ab", "abcd", "xabc"]);
        check("h?llo", &["hello", "hallo"], &["hllo", "heello"]);
        check("h[ae]llo", &["hello", "hallo"], &["hillo"]);
        check("h[^e]llo", &["hallo"], &["hello"]);
        check("h[a-c]llo", &["hbllo"], &["hdllo"]);
        check("h[c-a]llo", &["hbllo"], &["hdllo"]);
        check("a\\*", &["a*"], &["ab", "a\\*"]);
        check("[\\]]", &["]"], &["\\"]);
        check("[ab", &["a", "b"], &["[", "c"]);
        check("a\\", &["a\\"], &["a"]);
    }

    #[test]
    fn no_pattern_takes_long() {
        let pattern = "a*".repeat(500) + "b";
        assert!(!Glob::new(pattern.as_bytes()).matches("a".repeat(5000).as_bytes()));
    }

    proptest! {
        #[test]
        fn a_prefix_is_taken_literally(prefix in any::<String>(), text in any::<String>()) {
            let pattern = Glob::starting_with(&prefix);
            prop_assert!(Glob::new(&pattern).matches((prefix.clone() + &text).as_bytes()));
            prop_assert_eq!(Glob::new(&pattern).matches(text.as_bytes()), text.starts_with(&prefix));
        }

        #[test]
        fn any_pattern_can_be_tried(pattern in any::<Vec<u8>>(), text in any::<Vec<u8>>()) {
            let matches = Glob::new(&pattern).matches(&text);
            prop_assert!(!matches || text.starts_with(Glob::new(&pattern).prefix()));
        }
    }
}
