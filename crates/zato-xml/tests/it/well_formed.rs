//! What is read, and as what.

use zato_xml::{Limits, parse};

use crate::support::{outline, read};

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(outline(read(text).root_element()), expected, "{text}");
}

#[test]
fn elements_and_texts() {
    check("<a/>", "a");
    check("<a></a>", "a");
    check("<a\t\r\n />", "a");
    check("<a ></a >", "a");
    check("<a></a\r\n\t>", "a");
    check("<a>b</a>", "a(\"b\")");
    check("<a> <b/>\n<b>c</b>d</a>", "a(\" \" b \"\\n\" b(\"c\") \"d\")");
    check("<a>\"'>]]]]&gt;/=</a>", "a(\"\\\"'>]]]]>/=\")");
    check("<a>]]</a>", "a(\"]]\")");
    check("<a>]<b/>]></a>", "a(\"]\" b \"]>\")");
}

#[test]
fn names() {
    check("<_/>", "_");
    check("<_.-9/>", "_.-9");
    check("<ä·ü/>", "ä·ü");
    check("<aé́ ー='1'/>", "aé́[ー=\"1\"]");
    check("<𐀀-𐀀/>", "𐀀-𐀀");
    check("<xml/>", "xml");
    check("<XMLa/>", "XMLa");
    check("<a._-/>", "a._-");
    check("<é>x</é>", "é(\"x\")");
    check("<aa><a/></aa>", "aa(a)");
}

#[test]
fn attributes() {
    check("<a b='c'/>", "a[b=\"c\"]");
    check("<a b=\"c\" d='e'></a>", "a[b=\"c\"][d=\"e\"]");
    check("<a\nb\t=\r\n'c'\n/>", "a[b=\"c\"]");
    check("<a b='\"' c=\"'\"/>", "a[b=\"\\\"\"][c=\"'\"]");
    check("<a b='' c='>/>]]>'/>", "a[b=\"\"][c=\">/>]]>\"]");
    check("<a A='1' a='2'/>", "a[A=\"1\"][a=\"2\"]");
    // White space is normalized (3.3.3), unless it is a reference.
    check("<a b=' c\td\ne\rf\r\ng '/>", "a[b=\" c d e f g \"]");
    check("<a b='&#9;&#xA;&#xd;&#13;&#10;'/>", "a[b=\"\\t\\n\\r\\r\\n\"]");
    check("<a b='&lt;&gt;&amp;&quot;&apos;'/>", "a[b=\"<>&\\\"'\"]");
}

#[test]
fn references() {
    check("<a>&lt;&gt;&amp;&quot;&apos;</a>", "a(\"<>&\\\"'\")");
    check("<a>b&amp;amp;c</a>", "a(\"b&amp;c\")");
    check("<a>&#65;&#x42;&#x63;&#0000000000000000068;</a>", "a(\"ABcD\")");
    check("<a>&#x10FFFF;&#xFFFD;&#xE000;&#xD7FF;</a>", "a(\"\\u{10ffff}\u{FFFD}\\u{e000}\\u{d7ff}\")");
    check("<a>]]&gt; &#93;]></a>", "a(\"]]> ]]>\")");
    check("<a>&#60;b/></a>", "a(\"<b/>\")");
}

#[test]
fn line_ends() {
    check("<a>b\r\nc\rd\ne\r\r\nf\n\r</a>", "a(\"b\\nc\\nd\\ne\\n\\nf\\n\\n\")");
    check("<a><![CDATA[b\r\nc\rd\r]]>\n</a>", "a(\"b\\nc\\nd\\n\\n\")");
    check("<a>b&#13;\r\n&#10;</a>", "a(\"b\\r\\n\\n\")");
    check("\r\n<a>\r</a>\r", "a(\"\\n\")");
}

#[test]
fn cdata() {
    check("<a><![CDATA[]]></a>", "a(\"\")");
    check("<a><![CDATA[<b>&amp;]]]]><![CDATA[>]]></a>", "a(\"<b>&amp;]]>\")");
    check("<a>b<![CDATA[c]]>d&lt;<!-- --><![CDATA[e]]></a>", "a(\"bcd<\" # \"e\")");
    check("<a><![CDATA[<![CDATA[]]></a>", "a(\"<![CDATA[\")");
    check("<a><![CDATA[]]]]]]></a>", "a(\"]]]]\")");
}

#[test]
fn comments_and_instructions() {
    check("<a><!----><!-- - --><!--->--></a>", "a(# # #)");
    check("<a><!-- <b> &nbsp; ]]> <![CDATA[ --></a>", "a(#)");
    check("<a><?b?><?c d?><?e f ??><?g <h/>?></a>", "a(? ? ? ?)");
    check("<a><?xml-stylesheet href='b'?><?xmlx?></a>", "a(? ?)");
    let document = read("<!-- 1 --><?b?> <a/>\n<!-- 2 -->\n");
    assert_eq!(document.descendants().count(), 5);
    assert_eq!(outline(document.root_element()), "a");
    assert_eq!(document.root_element().position().to_string(), "line 1, column 17");
}

#[test]
fn declarations() {
    for declaration in [
        "<?xml version='1.0'?>",
        "<?xml version=\"1.0\" ?>",
        "<?xml\tversion = '1.1'\n?>\n",
        "<?xml version='1.0' encoding='UTF-8'?>",
        "<?xml version='1.0' encoding=\"utf-8\" standalone='yes' ?>",
        "<?xml version='1.0' standalone='no'?>",
        "<?xml version='1.0' encoding='us-ascii'?><!-- -->",
        "<?xml version='1.27'?>",
        "<?xml-model version='2'?>",
    ] {
        check(&format!("{declaration}<a/>"), "a");
        check(&format!("\u{FEFF}{declaration}<a/>"), "a");
    }
    check("\u{FEFF}<a>\u{FEFF}</a>", "a(\"\\u{feff}\")");
}

#[test]
fn namespaces() {
    check("<a xmlns='n'><b/></a>", "{n}a({n}b)");
    check("<a xmlns='n'><b xmlns=''><c/></b><d/></a>", "{n}a(b(c) {n}d)");
    check("<p:a xmlns:p='n' b='1' p:b='2'/>", "{n}a[b=\"1\"][{n}b=\"2\"]");
    check("<a xmlns='n' b='1'/>", "{n}a[b=\"1\"]");
    check("<a p:b='1' xmlns:p='n'/>", "a[{n}b=\"1\"]");
    check("<p:a xmlns:p='1'><p:b xmlns:p='2'><p:c/></p:b><p:d/></p:a>", "{1}a({2}b({2}c) {1}d)");
    check("<a xml:lang='en' xml:space='preserve'/>", {
        "a[{http://www.w3.org/XML/1998/namespace}lang=\"en\"][{http://www.w3.org/XML/1998/namespace}space=\"preserve\"]"
    });
    check(
        "<xml:a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>",
        "{http://www.w3.org/XML/1998/namespace}a",
    );
    check("<p:xmlns xmlns:p='n' p:xmlns='1'/>", "{n}xmlns[{n}xmlns=\"1\"]");
    check("<a xmlns:p='&#x6E; &amp;'><p:b/></a>", "a({n &}b)");
    // The same name in two namespaces, and the same namespace under two prefixes with two names.
    check("<a xmlns:p='1' xmlns:q='2' p:b='' q:b=''/>", "a[{1}b=\"\"][{2}b=\"\"]");
    check("<a xmlns:p='1' xmlns:q='1' p:b='' q:c=''/>", "a[{1}b=\"\"][{1}c=\"\"]");
    check("<a xmlns='1' xmlns:q='1' b='' q:b=''/>", "{1}a[b=\"\"][{1}b=\"\"]");
    check("<a xmlns:é='n'><é:b/></a>", "a({n}b)");
}

#[test]
fn characters() {
    check("<a>\t\u{7F}\u{80}\u{9F}\u{D7FF}\u{E000}\u{FFFD}\u{10000}\u{10FFFF}</a>", {
        "a(\"\\t\\u{7f}\\u{80}\\u{9f}\\u{d7ff}\\u{e000}\u{FFFD}\u{10000}\\u{10ffff}\")"
    });
    check("<a>\u{FEFE}\u{F000}，\u{FFFB}</a>", "a(\"\\u{fefe}\\u{f000}，\\u{fffb}\")");
}

#[test]
fn ways_from_node_to_node() {
    let document = read("<!--x--><a b='1'>c<d><e/>f</d><!-- --><g/></a><!--y-->");
    let a = document.root_element();
    let d = a.first_element_child().unwrap();
    let g = d.next_sibling_element().unwrap();
    assert_eq!((d.tag_name().name(), g.tag_name().name()), ("d", "g"));
    assert_eq!(a.first_child().unwrap().text(), Some("c"));
    assert_eq!((a.text(), d.text(), g.text()), (Some("c"), None, None));
    assert_eq!(a.last_child(), Some(g));
    assert_eq!(d.last_child().unwrap().text(), Some("f"));
    assert_eq!((g.last_child(), g.first_child(), g.next_sibling()), (None, None, None));
    assert_eq!(a.next_sibling().map(|node| node.is_comment()), Some(true));
    assert_eq!(d.parent(), Some(a));
    assert_eq!(a.parent().unwrap().children().count(), 3);
    assert_eq!(a.parent().unwrap().parent(), None);
    assert_eq!(a.parent().unwrap().next_sibling(), None);
    let e = d.first_child().unwrap();
    assert_eq!(e.ancestors().map(|node| node.tag_name().name()).collect::<Vec<_>>(), ["e", "d", "a", ""]);
    assert_eq!(d.descendants().count(), 3);
    assert_eq!(document.descendants().count(), 10);
    assert_ne!(read("<a/>").root_element(), read("<a/>").root_element());
}

#[test]
fn places() {
    let text =
        "<a b='1&lt;' >\n <ä:c xmlns:ä='n' ä:d = \"2\">é</ä:c>\n<!--x--><?y z?>&amp;<![CDATA[.]]></a >\n";
    let document = read(text);
    let written: Vec<_> = document.descendants().map(|node| &text[node.range()]).collect();
    assert_eq!(
        written,
        [
            text,
            text.trim_end(),
            "\n ",
            "<ä:c xmlns:ä='n' ä:d = \"2\">é</ä:c>",
            "é",
            "\n",
            "<!--x-->",
            "<?y z?>",
            "&amp;<![CDATA[.]]>",
        ]
    );
    let values = document.descendants().flat_map(|node| node.attributes());
    assert_eq!(values.map(|value| &text[value.range_value()]).collect::<Vec<_>>(), ["1&lt;", "2"]);
    let c = document.root_element().first_element_child().unwrap();
    assert_eq!(c.position().to_string(), "line 2, column 2");
    assert_eq!(document.position(c.range().end).to_string(), "line 2, column 36");
}

#[test]
fn what_is_not_changed_is_borrowed() {
    let text = String::from("<a b='c'>d<e/></a>");
    let name = {
        let document = parse(&text, &Limits::default()).unwrap();
        let root = document.root_element();
        let place = |part: &str| part.as_ptr().addr() - text.as_ptr().addr();
        assert_eq!((place(root.text().unwrap()), place(root.attribute("b").unwrap())), (9, 6));
        root.tag_name().name()
    };
    // A name outlives the document.
    assert_eq!(name, "a");
}

#[test]
fn a_message_takes_few_allocations() {
    let fields: String =
        (0..10).map(|n| format!("<b:field_{n} kind='text'>{}</b:field_{n}>", "text ".repeat(20))).collect();
    let text = format!(
        "<s:Envelope xmlns:s='urn:s'><s:Header/><s:Body><b:message xmlns:b='urn:b'>{fields}</b:message></s:Body></s:Envelope>"
    );
    let counted = allocation_counter::measure(|| assert_eq!(read(&text).descendants().count(), 25));
    // Nodes, namespaces, open elements and attributes; the last ones are too many for their first place.
    assert!((4..=6).contains(&counted.count_total), "{counted:?}");
}

#[test]
fn nothing_shows_content_by_itself() {
    let document = read("<a token='secret'>secret</a>");
    let shown: String =
        document.descendants().map(|node| format!("{node:?} {:?}", node.attributes())).collect();
    assert!(!format!("{document:?} {shown}").contains("secret"), "{shown}");
}
