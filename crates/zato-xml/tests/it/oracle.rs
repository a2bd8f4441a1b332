//! What another reader makes of a text, and where that is known to differ. Used by the tests and by the fuzz target.

use roxmltree::ParsingOptions;
use zato_xml::{Document, Limits, Malformed, Node, ReadError, parse};

/// Refuses nothing for its size, as other readers don't.
pub(crate) const UNLIMITED: Limits = Limits {
    max_bytes: usize::MAX,
    max_depth: usize::MAX,
    max_nodes: usize::MAX,
    max_attributes: usize::MAX,
    max_namespaces: usize::MAX,
};

/// Panics unless both readers accept `text` as the same tree, both refuse it, or they differ for a known reason.
pub(crate) fn compare(text: &str) {
    // What is an XML declaration to us is an instruction to roxmltree unless a space follows the name, not another white space.
    if text
        .trim_start_matches('\u{FEFF}')
        .strip_prefix("<?xml")
        .is_some_and(|rest| rest.starts_with(['\t', '\r', '\n']))
    {
        return;
    }
    let ours = parse(text, &UNLIMITED);
    let theirs = roxmltree::Document::parse_with_options(text, ParsingOptions::default());
    match (&ours, &theirs) {
        (Err(_), Err(_)) => {}
        (Ok(ours), Ok(theirs)) if !text.contains(":xmlns") => compare_trees(ours, theirs, text),
        // roxmltree takes an attribute whose name is `xmlns` after any prefix for a declaration of the default namespace.
        _ if text.contains(":xmlns") => {}
        (Err(error), Ok(_)) if is_laxer(error, text) => {}
        _ => panic!("{ours:?}, but roxmltree says {:?} of {text:?}", theirs.map(drop)),
    }
}

/// Whether roxmltree is known to accept what is refused for `error`.
fn is_laxer(error: &ReadError, text: &str) -> bool {
    match error {
        // It reads any encoding as UTF-8.
        ReadError::Encoding { .. } => true,
        ReadError::Syntax { source, .. } => match source {
            // It looks at neither value of the XML declaration.
            Malformed::DeclaredValue { .. } => true,
            // It looks for `<?xml ` only, so that these are ordinary instructions to it: Namespaces and XML 1.0, 2.6.
            Malformed::MisplacedDeclaration => true,
            // It accepts what Namespaces 1.1 allows, and 1.0 (section 5) does not.
            Malformed::EmptyNamespace { .. } => true,
            // It takes the first default namespace of two: XML 1.0, 3.1.
            Malformed::DuplicateAttribute { name } => name == "xmlns",
            // It reads a number that is no character as U+FFFD: XML 1.0, 4.1, Legal Character.
            Malformed::ForbiddenReference { reference } => !is_character(reference),
            // It accepts a name that begins with a colon, as XML without namespaces does.
            Malformed::Unexpected { expected: "a name", found: ':' } => true,
            // It accepts an instruction whose content begins right after its name, or with a colon in it.
            Malformed::Unexpected { expected: "?>", .. } => true,
            _ => has_bad_declaration(text),
        },
        _ => false,
    }
}

/// Whether the number in a reference is one of Unicode's.
fn is_character(reference: &str) -> bool {
    let number = reference.trim_start_matches("&#").trim_end_matches(';');
    let number = match number.strip_prefix('x') {
        Some(number) => u32::from_str_radix(number, 16),
        None => number.parse(),
    };
    number.ok().and_then(char::from_u32).is_some()
}

/// Whether nothing is wrong but the XML declaration, of which roxmltree sees little more than the order of its parts.
fn has_bad_declaration(text: &str) -> bool {
    let Some(rest) = text.trim_start_matches('\u{FEFF}').strip_prefix("<?xml") else { return false };
    // The declaration ends somewhere in front of a document that would be read without it.
    rest.match_indices("?>").take(10).any(|(end, _)| {
        let document = &rest[end + 2..];
        parse(document, &UNLIMITED).err().is_none_or(|error| is_laxer(&error, document))
    })
}

fn compare_trees(ours: &Document<'_>, theirs: &roxmltree::Document<'_>, text: &str) {
    let (mut ours, mut theirs) = (ours.descendants(), theirs.descendants());
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return,
            (Some(our), Some(their)) => compare_nodes(our, their, text),
            (our, their) => panic!("{our:?}, but roxmltree has {their:?} in {text:?}"),
        }
    }
}

fn compare_nodes(our: Node<'_, '_>, their: roxmltree::Node<'_, '_>, text: &str) {
    assert_eq!(our.is_element(), their.is_element(), "{text:?}");
    assert_eq!(our.is_text(), their.is_text(), "{text:?}");
    assert_eq!(our.is_comment(), their.is_comment(), "{text:?}");
    assert_eq!(our.tag_name().name(), their.tag_name().name(), "{text:?}");
    // `xmlns=''` leads to an empty namespace there, and to none here, as in Namespaces 1.0, section 6.2.
    let their_namespace = their.tag_name().namespace().filter(|namespace| !namespace.is_empty());
    assert_eq!(our.tag_name().namespace(), their_namespace, "{text:?}");
    let attributes = our.attributes().map(|a| (a.namespace(), a.name(), a.value(), a.range_value()));
    let their_attributes = their.attributes().map(|a| (a.namespace(), a.name(), a.value(), a.range_value()));
    assert!(attributes.eq(their_attributes), "{our:?} in {text:?}");
    let (range, their_range) = (our.range(), their.range());
    assert_eq!(range.start, their_range.start, "{our:?} in {text:?}");
    if our.is_text() {
        // roxmltree leaves a line end alone that is next to a reference: XML 1.0, 2.11.
        let raw = &text[range.clone()];
        if !(raw.contains('\r') && raw.contains('&')) {
            assert_eq!(our.text(), their.text(), "{text:?}");
        }
        // roxmltree leaves out all but the first piece of a text of several ones.
        let has_pieces = raw.contains("<![CDATA[");
        assert!(
            range.end == their_range.end || has_pieces && range.end > their_range.end,
            "{our:?} in {text:?}"
        );
    } else {
        assert_eq!(range.end, their_range.end, "{our:?} in {text:?}");
    }
    let place = |node: Option<Node<'_, '_>>| node.map(|node| node.range().start);
    let their_place = |node: Option<roxmltree::Node<'_, '_>>| node.map(|node| node.range().start);
    assert_eq!(place(our.parent()), their_place(their.parent()), "{our:?} in {text:?}");
    assert_eq!(place(our.next_sibling()), their_place(their.next_sibling()), "{our:?} in {text:?}");
    assert_eq!(place(our.first_child()), their_place(their.first_child()), "{our:?} in {text:?}");
    assert_eq!(place(our.last_child()), their_place(their.last_child()), "{our:?} in {text:?}");
}
