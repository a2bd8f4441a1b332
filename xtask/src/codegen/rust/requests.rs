//! Writes the typed requests and responses of built services, in modules that follow the names of families, and the
//! macro that names them all.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::Files;
use super::super::model::{Element, Family, Kind, Literal, Service, Shape};
use super::comment;
use super::descriptors::static_name;

/// Keywords of Rust, used and reserved, which fields must not be named after without a mark.
const KEYWORDS: [&str; 48] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "do", "dyn", "else",
    "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl", "in", "let", "loop", "macro",
    "match", "mod", "move", "mut", "override", "priv", "pub", "ref", "return", "static", "struct", "trait",
    "true", "try", "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// The macro that hands all built services to another macro.
pub(super) fn macros(families: &[Family]) -> String {
    let mut typed = String::new();
    let mut raw = String::new();
    for family in families {
        for service in family.services.iter().filter(|service| service.built) {
            let path = format!("$crate::{}::{}", family.modules().join("::"), service.module());
            if service.is_raw() {
                raw.push_str(&format!("                {path}::Raw,\n"));
            } else {
                typed.push_str(&format!("                {path}::Request,\n"));
            }
        }
    }
    format!(
        "//! The macro that names all built services.\n\n\
         /// Hands every built service to a macro of yours: the requests of the typed ones, then the markers of the raw\n\
         /// ones, after the tokens that you pass along.\n///\n\
         /// With trait bounds in your macro, a service without a handler does not compile:\n///\n\
         /// ```\n\
         /// use zato_catalogue::{{Call, RawCall}};\n///\n\
         /// /// Demand `Handle<C>` or the like here to be told about a missing handler.\n\
         /// fn register<C: Call>(names: &mut Vec<&'static str>) {{\n\
         ///     names.push(C::SERVICE.name);\n\
         /// }}\n///\n\
         /// fn register_raw<C: RawCall>(names: &mut Vec<&'static str>) {{\n\
         ///     names.push(C::SERVICE.name);\n\
         /// }}\n///\n\
         /// macro_rules! register_all {{\n\
         ///     (($names:expr) typed {{ $($request:ty,)* }} raw {{ $($raw:ty,)* }}) => {{\n\
         ///         $(register::<$request>($names);)*\n\
         ///         $(register_raw::<$raw>($names);)*\n\
         ///     }};\n\
         /// }}\n///\n\
         /// let mut names = Vec::new();\n\
         /// zato_catalogue::for_each_built_service!(register_all, &mut names);\n\
         /// assert!(names.contains(&\"zato.ping\"));\n\
         /// ```\n///\n\
         /// Here, all handlers but one are missing:\n///\n\
         /// ```compile_fail,E0277\n\
         /// trait Handle<C> {{}}\n\
         /// struct Handlers;\n\
         /// impl Handle<zato_catalogue::core::ping::Request> for Handlers {{}}\n///\n\
         /// fn demand<C>() where Handlers: Handle<C> {{}}\n///\n\
         /// macro_rules! demand_all {{\n\
         ///     (() typed {{ $($request:ty,)* }} raw {{ $($raw:ty,)* }}) => {{\n\
         ///         $(demand::<$request>();)*\n\
         ///         $(demand::<$raw>();)*\n\
         ///     }};\n\
         /// }}\n///\n\
         /// zato_catalogue::for_each_built_service!(demand_all);\n\
         /// ```\n\
         #[macro_export]\nmacro_rules! for_each_built_service {{\n\
         \x20   ($callback:ident $(, $($argument:tt)*)?) => {{\n\
         \x20       $callback! {{\n\
         \x20           ($($($argument)*)?)\n\
         \x20           typed {{\n{typed}            }}\n\
         \x20           raw {{\n{raw}            }}\n\
         \x20       }}\n    }};\n}}\n"
    )
}

/// A module of the tree that the names of built families make up.
#[derive(Default)]
struct Node<'a> {
    family: Option<&'a Family>,
    children: BTreeMap<String, Self>,
}

/// Adds the modules of all built services.
pub(super) fn add(files: &mut Files, families: &[Family]) {
    let mut tree = Node::default();
    for family in families.iter().filter(|family| family.built() > 0) {
        let mut node = &mut tree;
        for module in family.modules() {
            node = node.children.entry(module).or_default();
        }
        node.family = Some(family);
    }
    add_node(files, &tree, "requests", "Typed requests and responses of all built services.");
}

fn add_node(files: &mut Files, node: &Node<'_>, path: &str, doc: &str) {
    let mut text = format!("//! {doc}\n\n");
    for (name, child) in &node.children {
        let doc = child.family.map_or("A group of families.", |family| &family.doc);
        text.push_str(&format!("pub mod {name};\n"));
        add_node(files, child, &format!("{path}/{name}"), doc);
    }
    if let Some(family) = node.family {
        for service in family.services.iter().filter(|service| service.built) {
            push_service(&mut text, family, service);
        }
    }
    let path = if node.children.is_empty() { format!("{path}.rs") } else { format!("{path}/mod.rs") };
    files.insert(PathBuf::from(path), text);
}

fn push_service(text: &mut String, family: &Family, service: &Service) {
    let descriptor = format!("&descriptors::{}::{}", family.identifier(), static_name(service));
    let name = &service.name;
    text.push_str(&format!(
        "\n{}pub mod {} {{\n",
        comment(&format!("`{name}`: {}", service.doc)),
        service.module()
    ));
    if service.is_raw() {
        text.push_str(&format!(
            "use crate::generated::descriptors;\nuse crate::{{RawCall, Service}};\n\n\
             /// Stands for `{name}`, whose messages are not made of elements.\n\
             #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]\npub struct Raw;\n\n\
             impl RawCall for Raw {{\nconst SERVICE: &'static Service = {descriptor};\n}}\n}}\n"
        ));
        return;
    }
    text.push_str(
        "use serde::{Deserialize, Serialize};\n\nuse crate::generated::descriptors;\n\
         use crate::{Call, Service};\n\n",
    );
    push_struct(text, "Request", &format!("Request of `{name}`."), &service.input, true);
    push_accessors(text, &service.input);
    match service.shape {
        Shape::Single => {
            push_struct(text, "Response", &format!("Response of `{name}`."), &service.output, false)
        }
        Shape::List => {
            text.push_str(&format!("/// Response of `{name}`.\npub type Response = Vec<Item>;\n\n"));
            push_struct(
                text,
                "Item",
                &format!("One item in the response of `{name}`."),
                &service.output,
                false,
            );
        }
        Shape::None | Shape::Raw => text.push_str(&format!(
            "/// Response of `{name}`: nothing but the envelope.\npub type Response = ();\n\n"
        )),
    }
    text.push_str(&format!(
        "impl Call for Request {{\ntype Response = Response;\n\nconst SERVICE: &'static Service = {descriptor};\n}}\n}}\n"
    ));
}

fn push_struct(text: &mut String, name: &str, doc: &str, elements: &[Element], is_input: bool) {
    let redacts = elements.iter().any(is_secret);
    let debug = if redacts { "" } else { "Debug, " };
    text.push_str(&format!(
        "/// {doc}\n#[derive({debug}Clone, Default, PartialEq, Serialize, Deserialize)]\npub struct {name} {{\n"
    ));
    for element in elements {
        text.push_str(&comment(&element.doc));
        if let Some(default) = &element.default {
            text.push_str(&format!("/// The default is `{}`.\n", literal(default)));
        }
        if let Some(since) = element.since {
            text.push_str(&format!("/// New in {}.\n", since.as_str()));
        }
        let kind = rust_type(element.kind);
        let (attribute, kind) = match (element.required, is_input) {
            (true, _) => ("", kind.to_owned()),
            (false, true) => {
                ("#[serde(default, skip_serializing_if = \"Option::is_none\")]\n", format!("Option<{kind}>"))
            }
            // A reply always has a value for a boolean, so that an absent one is false.
            (false, false) if element.kind == Kind::Boolean => ("#[serde(default)]\n", kind.to_owned()),
            (false, false) => ("#[serde(default)]\n", format!("Option<{kind}>")),
        };
        text.push_str(&format!("{attribute}pub {}: {kind},\n", field(&element.name)));
    }
    text.push_str("}\n\n");
    if redacts {
        push_debug(text, name, elements);
    }
}

/// Writes a `Debug` that keeps passwords to itself.
fn push_debug(text: &mut String, name: &str, elements: &[Element]) {
    text.push_str(&format!(
        "impl std::fmt::Debug for {name} {{\n\
         fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{\n\
         formatter.debug_struct({name:?})"
    ));
    for element in elements {
        let value = if is_secret(element) {
            "&crate::redacted::Redacted".to_owned()
        } else {
            format!("&self.{}", field(&element.name))
        };
        text.push_str(&format!(".field({:?}, {value})", element.name));
    }
    text.push_str(".finish()\n}\n}\n\n");
}

/// Writes a method for each element with a default.
fn push_accessors(text: &mut String, elements: &[Element]) {
    let defaults: Vec<(&Element, &Literal)> =
        elements.iter().filter_map(|element| Some((element, element.default.as_ref()?))).collect();
    if defaults.is_empty() {
        return;
    }
    text.push_str("impl Request {\n");
    for (index, (element, default)) in defaults.into_iter().enumerate() {
        let name = &element.name;
        let field = field(name);
        let (kind, value) = match default {
            Literal::Text(value) => ("&str", format!("self.{field}.as_deref().unwrap_or({value:?})")),
            other => (rust_type(element.kind), format!("self.{field}.unwrap_or({})", literal(other))),
        };
        let gap = if index == 0 { "" } else { "\n" };
        text.push_str(&format!(
            "{gap}/// The value of `{name}`, or its default if it is absent.\n\
             #[must_use]\npub fn {name}_or_default(&self) -> {kind} {{\n{value}\n}}\n"
        ));
    }
    text.push_str("}\n\n");
}

/// Values of such elements must not show in logs.
fn is_secret(element: &Element) -> bool {
    element.name.contains("password")
}

fn rust_type(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::AsIs => "String",
        Kind::Integer => "i64",
        Kind::Boolean => "bool",
        Kind::Float => "f64",
        Kind::Datetime => "zato_sio::Utc",
        Kind::Csv => "zato_sio::Csv",
        Kind::List => "Vec<String>",
        Kind::Dict => "std::collections::BTreeMap<String, serde_json::Value>",
        Kind::ListOfDicts => "Vec<std::collections::BTreeMap<String, serde_json::Value>>",
        Kind::Nested => "serde_json::Value",
    }
}

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Boolean(value) => value.to_string(),
        Literal::Integer(value) => value.to_string(),
        Literal::Float(value) => format!("{value:?}"),
        Literal::Text(value) => format!("{value:?}"),
        Literal::List(values) => format!("{values:?}"),
    }
}

fn field(name: &str) -> String {
    if KEYWORDS.contains(&name) { format!("r#{name}") } else { name.to_owned() }
}
