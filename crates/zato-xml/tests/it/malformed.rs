//! What is refused as not well-formed, where, and why.

use zato_xml::{Limits, ReadError, parse};

use crate::support::syntax_error;

#[track_caller]
fn refuses(text: &str, line: u32, column: u32, reason: &str) {
    let (position, source) = syntax_error(text);
    assert_eq!(
        (source.to_string().as_str(), position.line, position.column),
        (reason, line, column),
        "{text}"
    );
}

#[test]
fn documents() {
    refuses("", 1, 1, "there is no root element");
    refuses(" \n ", 2, 2, "there is no root element");
    refuses("\u{FEFF}<!-- --><?a?>", 1, 15, "there is no root element");
    refuses("{\"id\": 1}", 1, 1, "expected the root element, found '{'");
    refuses("x<a/>", 1, 1, "expected the root element, found 'x'");
    refuses("<!-- -->&amp;<a/>", 1, 9, "expected the root element, found '&'");
    refuses("\u{FEFF}\u{FEFF}<a/>", 1, 2, "expected the root element, found '\\u{feff}'");
    refuses("<![CDATA[]]><a/>", 1, 2, "expected a name, found '!'");
    refuses("</a>", 1, 2, "expected a name, found '/'");
    let after = "only comments, processing instructions and white space may follow the root element";
    refuses("<a/><b/>", 1, 5, after);
    refuses("<a></a></a>", 1, 8, after);
    refuses("<a/>\n x", 2, 2, after);
    refuses("<a/>&#32;", 1, 5, after);
    refuses("<a/><![CDATA[]]>", 1, 5, after);
}

#[test]
fn tags() {
    refuses("<a>\n <b>\n </a>", 3, 2, "the end tag </a> does not match <b>");
    refuses("<a><b></a></b>", 1, 7, "the end tag </a> does not match <b>");
    refuses("<a></A>", 1, 4, "the end tag </A> does not match <a>");
    refuses("<a></ab>", 1, 4, "the end tag </ab> does not match <a>");
    refuses("<ab></a>", 1, 5, "the end tag </a> does not match <ab>");
    refuses("<a></aé>", 1, 4, "the end tag </aé> does not match <a>");
    refuses("<p:a xmlns:p='n' xmlns:q='n'></q:a>", 1, 30, "the end tag </q:a> does not match <p:a>");
    refuses("<a xmlns:p='n'><p:b></b></a>", 1, 21, "the end tag </b> does not match <p:b>");
    refuses("<a></ a>", 1, 6, "expected a name, found ' '");
    refuses("<a></>", 1, 6, "expected a name, found '>'");
    refuses("<a></a b='c'>", 1, 8, "expected >, found 'b'");
    refuses("<a></a/>", 1, 7, "expected >, found '/'");
    refuses("<a", 1, 3, "the text ends where white space, / or > was expected");
    refuses("<a ", 1, 4, "the text ends where a name was expected");
    refuses("<a/", 1, 4, "the text ends where > was expected");
    refuses("<a / >", 1, 5, "expected >, found ' '");
    refuses("<a<b/>", 1, 3, "expected white space, / or >, found '<'");
    refuses("<a>", 1, 4, "the element <a> is not closed");
    refuses("<a>\n<b>", 2, 4, "the element <b> is not closed");
    refuses("<a>text", 1, 8, "the element <a> is not closed");
    refuses("<a></a", 1, 7, "the text ends where > was expected");
    refuses("<a><", 1, 5, "the text ends where a name was expected");
    refuses("<a><!x></a>", 1, 5, "expected a name, found '!'");
}

#[test]
fn names() {
    refuses("<1/>", 1, 2, "expected a name, found '1'");
    refuses("<-a/>", 1, 2, "expected a name, found '-'");
    refuses("<.a/>", 1, 2, "expected a name, found '.'");
    refuses("< a/>", 1, 2, "expected a name, found ' '");
    refuses("<·a/>", 1, 2, "expected a name, found '·'");
    refuses("<a\u{D7}/>", 1, 3, "expected white space, / or >, found '×'");
    refuses("<a\u{37E}/>", 1, 3, "expected white space, / or >, found '\u{37E}'");
    refuses("<é\u{F0000}/>", 1, 3, "expected white space, / or >, found '\\u{f0000}'");
    refuses("<a$/>", 1, 3, "expected white space, / or >, found '$'");
    refuses("<:a/>", 1, 2, "expected a name, found ':'");
    refuses("<a:/>", 1, 4, "expected a name, found '/'");
    refuses("<a:1 xmlns:a='n'/>", 1, 4, "expected a name, found '1'");
    refuses("<a:b:c xmlns:a='n'/>", 1, 5, "expected white space, / or >, found ':'");
    refuses("<a :b='c'/>", 1, 4, "expected a name, found ':'");
    refuses("<a xmlns:='c'/>", 1, 10, "expected a name, found '='");
    refuses("<a b::c='d'/>", 1, 6, "expected a name, found ':'");
}

#[test]
fn attributes() {
    refuses("<a b/>", 1, 5, "expected =, found '/'");
    refuses("<a b>", 1, 5, "expected =, found '>'");
    refuses("<a b c='d'/>", 1, 6, "expected =, found 'c'");
    refuses("<a b=c/>", 1, 6, "expected a quotation mark, found 'c'");
    refuses("<a b=/>", 1, 6, "expected a quotation mark, found '/'");
    refuses("<a 'b'/>", 1, 4, "expected a name, found '\\''");
    refuses("<a b='c\"/>", 1, 11, "the text ends where the end of a value was expected");
    refuses("<a>\n<b c='", 2, 7, "the text ends where the end of a value was expected");
    refuses("<a b='c'd='e'/>", 1, 9, "expected white space, / or >, found 'd'");
    refuses("<a b='c<d'/>", 1, 8, "< is not allowed in the value of an attribute");
    refuses("<a b='<", 1, 7, "< is not allowed in the value of an attribute");
    refuses("<a b='&'/>", 1, 7, "an & that is not part of a reference has to be written as &amp;");
    refuses("<a b='c&d;'/>", 1, 8, "the entity &d; is not known");
    refuses("<a b='1' b='1'/>", 1, 10, "the attribute b is there twice");
    refuses("<a b='1' c='' b='2'/>", 1, 15, "the attribute b is there twice");
    refuses("<a xmlns:p='n' xmlns:q='n' p:b='1' q:b='2'/>", 1, 36, "the attribute b is there twice");
    refuses("<a b ='1'\nb= '1'/>", 2, 1, "the attribute b is there twice");
}

#[test]
fn references() {
    let bare = "an & that is not part of a reference has to be written as &amp;";
    refuses("<a>b & c</a>", 1, 6, bare);
    refuses("<a>&</a>", 1, 4, bare);
    refuses("<a>&amp</a>", 1, 4, bare);
    refuses("<a>&amp ;</a>", 1, 4, bare);
    refuses("<a>&;</a>", 1, 4, bare);
    refuses("<a>&#;</a>", 1, 4, bare);
    refuses("<a>&#x;</a>", 1, 4, bare);
    refuses("<a>&#X41;</a>", 1, 4, bare);
    refuses("<a>&#4A;</a>", 1, 4, bare);
    refuses("<a>&#x4G;</a>", 1, 4, bare);
    refuses("<a>&#+65;</a>", 1, 4, bare);
    refuses("<a>&# 65;</a>", 1, 4, bare);
    refuses("<a>&1;</a>", 1, 4, bare);
    refuses("<a>&amp;&lt</a>", 1, 9, bare);
    refuses("<a>&nbsp;</a>", 1, 4, "the entity &nbsp; is not known");
    refuses("<a>\n&Amp;</a>", 2, 1, "the entity &Amp; is not known");
    refuses("<a>&ä;</a>", 1, 4, "the entity &ä; is not known");
    for reference in [
        "&#0;",
        "&#x0;",
        "&#8;",
        "&#xB;",
        "&#x1F;",
        "&#xD800;",
        "&#xDFFF;",
        "&#xFFFE;",
        "&#xFFFF;",
        "&#x110000;",
    ] {
        let reason = format!("the reference {reference} is to no character that is allowed in XML");
        refuses(&format!("<a>{reference}</a>"), 1, 4, &reason);
        refuses(&format!("<a b='{reference}'/>"), 1, 7, &reason);
    }
    refuses(
        "<a>&#99999999999;</a>",
        1,
        4,
        "the reference &#99999999999; is to no character that is allowed in XML",
    );
}

#[test]
fn texts_comments_and_instructions() {
    refuses("<a>]]></a>", 1, 4, "]]> is not allowed in a text");
    refuses("<a>b]]]>c</a>", 1, 6, "]]> is not allowed in a text");
    refuses("<a>&amp;]]></a>", 1, 9, "]]> is not allowed in a text");
    refuses("<a><![CDATA[]]>]]></a>", 1, 16, "]]> is not allowed in a text");
    refuses("<a><![CDATA[</a>", 1, 17, "the text ends where ]]> was expected");
    refuses("<a><![cdata[]]></a>", 1, 5, "expected a name, found '!'");
    refuses("<a><!-- -- --></a>", 1, 9, "-- is not allowed in a comment");
    refuses("<!-- --->\n<a/>", 1, 6, "-- is not allowed in a comment");
    refuses("<a/><!----->", 1, 9, "-- is not allowed in a comment");
    refuses("<a><!-- -></a>", 1, 15, "the text ends where -- was expected");
    refuses("<a/><!-- --", 1, 12, "the text ends where > was expected");
    refuses("<a><? b?></a>", 1, 6, "expected a name, found ' '");
    refuses("<a><?b</a>", 1, 7, "expected ?>, found '<'");
    refuses("<a><?b></a>", 1, 7, "expected ?>, found '>'");
    refuses("<a><?b:c d?></a>", 1, 7, "expected ?>, found ':'");
    refuses("<a><?b c></a>", 1, 14, "the text ends where ?> was expected");
    refuses("<a><?b c?</a>", 1, 14, "the text ends where ?> was expected");
}

#[test]
fn characters() {
    for (c, name) in [
        ('\0', "U+0000"),
        ('\u{8}', "U+0008"),
        ('\u{B}', "U+000B"),
        ('\u{C}', "U+000C"),
        ('\u{1F}', "U+001F"),
        ('\u{FFFE}', "U+FFFE"),
        ('\u{FFFF}', "U+FFFF"),
    ] {
        let reason = format!("the character {name} is not allowed in XML");
        refuses(&format!("<a>\n{c}</a>"), 2, 1, &reason);
        refuses(&format!("<a b='é{c}'/>"), 1, 8, &reason);
        refuses(&format!("<a><![CDATA[{c}]]></a>"), 1, 13, &reason);
        refuses(&format!("<!--{c}--><a/>"), 1, 5, &reason);
        refuses(&format!("<?b {c}?><a/>"), 1, 5, &reason);
        refuses(&format!("<a/>{c}"), 1, 5, &reason);
        // Wherever it stands in what is looked at at once.
        for before in [100, 126, 127, 128, 129, 255, 256, 1000] {
            let text = format!("<a>{}{c}{}</a>", "b".repeat(before), "\n".repeat(200));
            refuses(&text, 1, u32::try_from(before).unwrap() + 4, &reason);
        }
    }
    // The first one counts.
    refuses("<a>\u{FFFF}\u{1}</a>", 1, 4, "the character U+FFFF is not allowed in XML");
    refuses("<a>\u{1}\u{FFFF}</a>", 1, 4, "the character U+0001 is not allowed in XML");
}

#[test]
fn namespaces() {
    refuses("<p:a/>", 1, 2, "the prefix p is not declared");
    refuses("<a><b xmlns:p='n'/><p:c/></a>", 1, 21, "the prefix p is not declared");
    refuses("<a p:b='c'/>", 1, 4, "the prefix p is not declared");
    refuses("<a xmlns:P='n'><p:b/></a>", 1, 17, "the prefix p is not declared");
    refuses("<a xmlns:p=''/>", 1, 4, "the prefix p is declared with an empty namespace");
    refuses("<a xmlns='n' xmlns='n'/>", 1, 14, "the attribute xmlns is there twice");
    refuses("<a xmlns:p='n' xmlns:p='m'/>", 1, 16, "the attribute xmlns:p is there twice");
    let reserved = "the prefixes xml and xmlns and their namespaces are reserved";
    refuses("<a xmlns:xml='n'/>", 1, 4, reserved);
    refuses("<a xmlns:xmlns='n'/>", 1, 4, reserved);
    refuses("<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", 1, 4, reserved);
    refuses("<a xmlns='http://www.w3.org/XML/1998/namespace'/>", 1, 4, reserved);
    refuses("<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", 1, 4, reserved);
    refuses("<a xmlns='http://www.w3.org/2000/xmlns/'/>", 1, 4, reserved);
    refuses("<xmlns:a/>", 1, 2, reserved);
}

#[test]
fn declarations() {
    let misplaced = "an XML declaration is only allowed at the very beginning";
    refuses(" <?xml version='1.0'?><a/>", 1, 2, misplaced);
    refuses("<!-- --><?xml version='1.0'?><a/>", 1, 9, misplaced);
    refuses("<?xml version='1.0'?><?xml version='1.0'?><a/>", 1, 22, misplaced);
    refuses("<a><?XmL?></a>", 1, 4, misplaced);
    refuses("<?xml?><a/>", 1, 1, misplaced);
    refuses("<?XML version='1.0'?><a/>", 1, 1, misplaced);
    refuses("<?xml ?><a/>", 1, 7, "expected version, found '?'");
    refuses("<?xml encoding='utf-8'?><a/>", 1, 7, "expected version, found 'e'");
    refuses("<?xml version='2.0'?><a/>", 1, 16, "the XML declaration has the version \"2.0\"");
    refuses("<?xml version='1.'?><a/>", 1, 16, "the XML declaration has the version \"1.\"");
    refuses("<?xml version='1.0a'?><a/>", 1, 16, "the XML declaration has the version \"1.0a\"");
    refuses("<?xml version=1.0?><a/>", 1, 15, "expected a quotation mark, found '1'");
    refuses("<?xml version='1.0'encoding='utf-8'?><a/>", 1, 20, "expected ?>, found 'e'");
    refuses("<?xml version='1.0' standalone='yes' encoding='utf-8'?><a/>", 1, 38, "expected ?>, found 'e'");
    refuses(
        "<?xml version='1.0' standalone='YES'?><a/>",
        1,
        33,
        "the XML declaration has the standalone \"YES\"",
    );
    refuses("<?xml version='1.0' foo='bar'?><a/>", 1, 21, "expected ?>, found 'f'");
    refuses("<?xml version='1.0'", 1, 20, "the text ends where ?> was expected");
    refuses("<?xml version='1.0", 1, 19, "the text ends where ' was expected");
}

#[test]
fn long_names_are_cut_in_errors() {
    let name = "é".repeat(1_000_000);
    let (_, error) = syntax_error(&format!("<a><{name}></a>"));
    assert_eq!(error.to_string(), format!("the end tag </a> does not match <{}..>", "é".repeat(40)));
}

#[test]
fn a_declared_encoding_other_than_utf8_is_refused() {
    for encoding in ["ISO-8859-1", "UTF-16", "", "x y", "\0"] {
        let text = format!("\u{FEFF}<?xml version='1.0' encoding = \"{encoding}\" standalone='yes'?><a/>");
        let error = parse(&text, &Limits::default()).map(drop).unwrap_err();
        assert_eq!(error, ReadError::Encoding { found: encoding.to_owned() });
        assert_eq!(
            error.to_string(),
            format!("the XML declaration names the encoding {encoding:?}, only UTF-8 is allowed")
        );
    }
}
