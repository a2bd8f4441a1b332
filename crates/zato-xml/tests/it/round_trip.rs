//! Trees written in several ways are read as what they were.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{outline, read};

#[derive(Clone, Debug)]
enum Tree {
    Element {
        namespace: Option<&'static str>,
        name: &'static str,
        attributes: Vec<(usize, String)>,
        children: Vec<Self>,
    },
    Text(String),
}

const NAMES: &[&str] = &["a", "b-1", "_", "é", "Envelope"];

/// How the next thing is written. Each thing takes one of the numbers, so that all ways are mixed.
struct Style<'a>(std::iter::Cycle<std::slice::Iter<'a, u8>>);

impl Style<'_> {
    fn choose<'s>(&mut self, ways: &[&'s str]) -> &'s str {
        ways[usize::from(*self.0.next().unwrap()) % ways.len()]
    }
}

fn tree() -> impl Strategy<Value = Tree> {
    let content = || "[a&<>\\]\"'\r\n\té\u{10000} ]{1,8}";
    let name_and_namespace = || (select(NAMES), select(vec![None, Some("urn:1"), Some("urn:2 & 3")]));
    let attributes = move || prop::collection::btree_map(0..NAMES.len(), content(), 0..3);
    let leaf = prop_oneof![
        content().prop_map(Tree::Text),
        (name_and_namespace(), attributes()).prop_map(|((name, namespace), attributes)| Tree::Element {
            namespace,
            name,
            attributes: attributes.into_iter().collect(),
            children: Vec::new()
        })
    ];
    let inner = leaf.prop_recursive(4, 40, 5, move |inner| {
        (name_and_namespace(), attributes(), prop::collection::vec(inner, 0..5)).prop_map(
            |((name, namespace), attributes, children)| Tree::Element {
                namespace,
                name,
                attributes: attributes.into_iter().collect(),
                children,
            },
        )
    });
    prop::collection::vec(inner, 0..5).prop_map(|children| Tree::Element {
        namespace: Some("urn:1"),
        name: "root",
        attributes: Vec::new(),
        children,
    })
}

/// What [`outline`] should say.
fn expected(tree: &Tree, out: &mut String) {
    let Tree::Element { namespace, name, attributes, children } = tree else {
        unreachable!("texts are merged")
    };
    if let Some(namespace) = namespace {
        write!(out, "{{{namespace}}}").unwrap();
    }
    out.push_str(name);
    for (name, value) in attributes {
        write!(out, "[{}={value:?}]", NAMES[*name]).unwrap();
    }
    let mut parts = Vec::new();
    let mut text = String::new();
    for child in children {
        if let Tree::Text(more) = child {
            text.push_str(more);
            continue;
        }
        if !text.is_empty() {
            parts.push(format!("{:?}", std::mem::take(&mut text)));
        }
        let mut part = String::new();
        expected(child, &mut part);
        parts.push(part);
    }
    if !text.is_empty() {
        parts.push(format!("{text:?}"));
    }
    if !parts.is_empty() {
        write!(out, "({})", parts.join(" ")).unwrap();
    }
}

fn write(tree: &Tree, style: &mut Style<'_>, out: &mut String) {
    match tree {
        Tree::Text(text) => write_text(text, style, out),
        Tree::Element { namespace, name, attributes, children } => {
            let prefix = if namespace.is_some() { style.choose(&["", "p:", "q-1:"]) } else { "" };
            write!(out, "<{prefix}{name}").unwrap();
            let declaration = match prefix.trim_end_matches(':') {
                "" => "xmlns".to_owned(),
                prefix => format!("xmlns:{prefix}"),
            };
            write_attribute(&declaration, namespace.unwrap_or_default(), style, out);
            for (name, value) in attributes {
                write_attribute(NAMES[*name], value, style, out);
            }
            out.push_str(style.choose(&["", " ", "\r\n"]));
            if children.is_empty() && style.choose(&["empty", "not"]) == "empty" {
                out.push_str("/>");
                return;
            }
            out.push('>');
            for child in children {
                write(child, style, out);
            }
            write!(out, "</{prefix}{name}{}>", style.choose(&["", "\t"])).unwrap();
        }
    }
}

fn write_attribute(name: &str, value: &str, style: &mut Style<'_>, out: &mut String) {
    let quote = style.choose(&["'", "\""]);
    write!(out, "{}{name}{}={quote}", style.choose(&[" ", "\n\t"]), style.choose(&["", " "])).unwrap();
    for c in value.chars() {
        match c {
            '<' => out.push_str(style.choose(&["&lt;", "&#60;"])),
            '&' => out.push_str(style.choose(&["&amp;", "&#x26;"])),
            '\t' | '\r' | '\n' => write!(out, "&#{};", u32::from(c)).unwrap(),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // All of them mean a space.
            ' ' => out.push_str(style.choose(&[" ", "\t", "\r\n", "\r", "&#32;"])),
            c => out.push(c),
        }
    }
    out.push_str(quote);
}

fn write_text(text: &str, style: &mut Style<'_>, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str(style.choose(&["&lt;", "<![CDATA[<]]>", "&#x3c;"])),
            '&' => out.push_str(style.choose(&["&amp;", "<![CDATA[&]]>", "&#038;"])),
            '>' => out.push_str(style.choose(&["&gt;", "<![CDATA[>]]>"])),
            '\r' => out.push_str("&#13;"),
            '\n' => {
                out.push_str(style.choose(&["\n", "&#xA;", "<![CDATA[\n]]>", "\r\n", "<![CDATA[\r\n]]>"]))
            }
            c => out.push(c),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn trees_are_read_as_what_they_were(tree in tree(), style in prop::collection::vec(any::<u8>(), 1..50)) {
        let mut written = String::new();
        write(&tree, &mut Style(style.iter().cycle()), &mut written);
        let mut wanted = String::new();
        expected(&tree, &mut wanted);
        prop_assert_eq!(outline(read(&written).root_element()), wanted, "{}", written);
    }
}
