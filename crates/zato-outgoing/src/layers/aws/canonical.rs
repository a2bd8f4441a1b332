//! The one form in which a URL's path and query are signed.
//!
//! Owns their encoding and their order. It knows neither keys nor requests.

use std::fmt::Write as _;

use percent_encoding::{percent_decode_str, percent_encode, utf8_percent_encode};

use crate::url::VALUE;

/// The path and the query as they are to be sent, in an encoding that leaves no choice.
///
/// A URL can be written in several ways: a space in its query as a plus sign, a letter encoded or not. Whoever verifies a signature
/// may take them as they came or write them anew, and comes to the same text only if there is nothing to be changed. The path of S3
/// is signed as it is sent; that of other services is encoded once more for the signature, so that it may have any form.
pub(super) fn target(path: &str, query: Option<&str>, is_s3: bool) -> String {
    let mut target = String::with_capacity(path.len() + query.map_or(0, |query| query.len() + 1));
    if is_s3 {
        for (index, segment) in path.split('/').enumerate() {
            target.push_str(if index == 0 { "" } else { "/" });
            push_anew(&mut target, segment);
        }
    } else {
        target.push_str(path);
    }
    for (index, param) in params(query).enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        // A plus sign is a space here, as forms have it.
        let param = param.replace('+', "%20");
        match param.split_once('=') {
            Some((name, value)) => {
                push_anew(&mut target, name);
                target.push('=');
                push_anew(&mut target, value);
            }
            None => push_anew(&mut target, &param),
        }
    }
    target
}

/// The path of a [`target`] as it is signed. S3 has names with dots and slashes in every place; other services sign what is left of
/// a path after these have been resolved.
pub(super) fn push_path(out: &mut String, path: &str, is_s3: bool) {
    if is_s3 {
        out.push_str(path);
        return;
    }
    let mut segments = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    for segment in &segments {
        out.push('/');
        out.extend(utf8_percent_encode(segment, VALUE));
    }
    if segments.is_empty() || path.ends_with('/') {
        out.push('/');
    }
}

/// The query of a [`target`] as it is signed: sorted by name and value, each with an equals sign.
pub(super) fn push_query(out: &mut String, query: Option<&str>) {
    let mut params: Vec<_> =
        params(query).map(|param| param.split_once('=').unwrap_or((param, ""))).collect();
    params.sort_unstable();
    for (index, (name, value)) in params.into_iter().enumerate() {
        let separator = if index == 0 { "" } else { "&" };
        // Writing to a string does not fail.
        let _written = write!(out, "{separator}{name}={value}");
    }
}

fn params(query: Option<&str>) -> impl Iterator<Item = &str> {
    query.unwrap_or_default().split('&').filter(|param| !param.is_empty())
}

/// A part of a URL, decoded and encoded again.
fn push_anew(out: &mut String, text: &str) {
    let decoded: Vec<u8> = percent_decode_str(text).collect();
    out.extend(percent_encode(&decoded, VALUE));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(path: &str, s3: &str, other: &str) {
        for (is_s3, expected) in [(true, s3), (false, other)] {
            let mut signed = String::new();
            push_path(&mut signed, &target(path, None, is_s3), is_s3);
            assert_eq!(signed, expected, "{path}, S3: {is_s3}");
        }
    }

    #[test]
    fn paths() {
        check("/a%20b/c~(", "/a%20b/c~%28", "/a%2520b/c~%28");
        check("/", "/", "/");
        check("//a//b/", "//a//b/", "/a/b/");
        check("/./a/../b", "/./a/../b", "/b");
        check("/../..", "/../..", "/");
        check("/%ff%2f", "/%FF%2F", "/%25ff%252f");
    }

    #[track_caller]
    fn check_query(query: &str, sent: &str, signed: &str) {
        let target = target("", Some(query), false);
        let query = target.strip_prefix('?');
        assert_eq!(query.unwrap_or_default(), sent);
        let mut text = String::new();
        push_query(&mut text, query);
        assert_eq!(text, signed);
    }

    #[test]
    fn queries() {
        check_query("acl", "acl", "acl=");
        check_query("b=1+2&a&&B=%c4%85", "b=1%202&a&B=%C4%85", "B=%C4%85&a=&b=1%202");
        check_query("a=b=c&a=%2B", "a=b%3Dc&a=%2B", "a=%2B&a=b%3Dc");
        check_query("&", "", "");
    }

    proptest! {
        /// What has been written anew means the same and is left alone from then on.
        #[test]
        fn there_is_one_form(path in "/[ -~]{0,30}", query in "[ -~]{0,30}") {
            prop_assume!(!path.contains('?'));
            for is_s3 in [true, false] {
                let once = target(&path, Some(&query), is_s3);
                let (sent, sent_query) = once.split_once('?').map_or((&*once, None), |(path, query)| (path, Some(query)));
                prop_assert_eq!(&target(sent, sent_query, is_s3), &once);
                let decoded = |text: &str| percent_decode_str(text).collect::<Vec<u8>>();
                prop_assert_eq!(decoded(sent), decoded(&path));
                let meant = query.replace('+', " ");
                let meant: Vec<_> = params(Some(&meant)).map(decoded).collect();
                prop_assert_eq!(params(sent_query).map(decoded).collect::<Vec<_>>(), meant);
            }
        }
    }
}
