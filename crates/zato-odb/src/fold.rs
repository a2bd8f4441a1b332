//! Looking for a text in another one without regard to case, on both databases alike.
//!
//! Owns which letters are the same, and the expressions that say so. It must not know tables.
//!
//! Both databases fold the letters A to Z. Of the others SQLite folds none, and PostgreSQL those that the collation of a
//! column knows, on some machines none either. So both are told what to fold, letter by letter: only those of the text that
//! is looked for matter.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::LazyLock;

use sea_orm::DbBackend;
use sea_orm::sea_query::{Expr, ExprTrait, Func};

/// How many letters beyond Z one text is folded by, more than a name can have. Each is a call within another one, and SQLite
/// takes 1,000 of these.
const MOST: usize = 450;

/// Beyond this no letter has two cases.
const LAST: char = '\u{1ffff}';

/// Every letter beyond Z that another one stands for, and that one.
static CAPITALS: LazyLock<Vec<(char, String)>> = LazyLock::new(|| {
    let letters = ('\u{80}'..=LAST).map(|letter| (letter, small(letter).collect::<String>()));
    letters.filter(|(letter, small)| !small.chars().eq([*letter])).collect()
});

/// The lower case of a letter. What stands beside it plays no role, so the sigma at the end of words is like any other.
fn small(letter: char) -> impl Iterator<Item = char> {
    let letter = if letter == 'ς' { 'σ' } else { letter };
    letter.to_lowercase()
}

/// That a text contains another one, in any case.
pub(crate) fn contains(backend: DbBackend, within: Expr, text: &str) -> Expr {
    folded_contains(backend, within, text, |text| Cow::Borrowed(text))
}

/// That bytes contain a text, in any case. They need not be text throughout.
pub(crate) fn bytes_contain(backend: DbBackend, within: Expr, text: &str) -> Expr {
    match backend {
        // Bytes that are no UTF-8 can't become a text there, except for one in which they are escaped.
        DbBackend::Postgres => {
            let within = Func::cust("encode").args([within, Expr::val("escape")]);
            folded_contains(backend, within.into(), text, |text| Cow::Owned(escaped(text)))
        }
        _ => contains(backend, within.cast_as("TEXT"), text),
    }
}

fn folded_contains(
    backend: DbBackend,
    within: Expr,
    text: &str,
    spelled: impl Fn(&str) -> Cow<'_, str>,
) -> Expr {
    let value = |text: &str| Expr::val(spelled(text).into_owned());
    let looked_for: String = text.chars().flat_map(small).collect();
    let (lower, position) = match backend {
        // Other collations may fold the letters from A to Z in their own ways, as the Turkish one does.
        DbBackend::Postgres => (Expr::cust_with_expr("lower($1 COLLATE \"C\")", within), "strpos"),
        _ => (Func::lower(within).into(), "instr"),
    };
    let capitals = CAPITALS.iter().filter(|(_, small)| looked_for.contains(small.as_str())).take(MOST);
    let folded = capitals.fold(lower, |folded: Expr, (capital, small)| {
        Func::cust("replace").args([folded, value(capital.encode_utf8(&mut [0; 4])), value(small)]).into()
    });
    Expr::from(Func::cust(position).args([folded, value(&looked_for)])).gt(0)
}

/// A text as `encode(.., 'escape')` of PostgreSQL writes it.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'\\' => escaped.push_str("\\\\"),
            0x01..=0x7f => escaped.push(char::from(byte)),
            // Writing to a string can't fail.
            0 | 0x80.. => drop(write!(escaped, "\\{byte:03o}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_letters_with_two_cases_are_known() {
        let has_two = |letter: &char| !letter.to_lowercase().eq([*letter]);
        assert_eq!((LAST..=char::MAX).find(has_two), None);
        let of =
            |letter: char| CAPITALS.iter().find(|(capital, _)| *capital == letter).map(|(_, small)| &**small);
        for (capital, small) in
            [('Ż', "ż"), ('Ω', "ω"), ('Я', "я"), ('\u{212a}', "k"), ('İ', "i\u{307}"), ('ς', "σ")]
        {
            assert_eq!(of(capital), Some(small));
        }
        assert_eq!((of('ß'), of('ż'), of('你')), (None, None, None));
        // Whatever is folded stays as it is when it is folded again, in any order.
        assert!(CAPITALS.iter().all(|(_, small)| small.chars().all(|letter| of(letter).is_none())));
    }

    #[test]
    fn bytes_are_escaped() {
        assert_eq!(escaped("a\\b\0ż\n"), "a\\\\b\\000\\305\\274\n");
    }
}
