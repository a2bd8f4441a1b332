//! Writes the static descriptors: a module a family, and the tables that lookups search.

use std::path::PathBuf;

use super::super::Files;
use super::super::model::{Element, Family, Literal, Service};
use super::text_literal;

/// Names of `zato_catalogue` that descriptors may use.
const TYPES: [&str; 8] =
    ["DefaultValue", "Element", "ElementType", "Family", "Service", "Shape", "Status", "Version"];

/// Adds the descriptors of all families.
pub(super) fn add(files: &mut Files, families: &[Family]) {
    files.insert(PathBuf::from("descriptors/mod.rs"), tables(families));
    for family in families {
        files.insert(PathBuf::from(format!("descriptors/{}.rs", family.identifier())), module(family));
    }
}

fn tables(families: &[Family]) -> String {
    let mut text = "//! The descriptors of all families and the tables that find them.\n\n".to_owned();
    for family in families {
        text.push_str(&format!("pub(crate) mod {};\n", family.identifier()));
    }
    text.push_str(
        "\nuse crate::{Family, Service};\n\n\
         /// All families, sorted by name.\npub(crate) static FAMILIES: &[&Family] = &[\n",
    );
    for family in families {
        text.push_str(&format!("&{}::FAMILY,\n", family.identifier()));
    }
    let mut services: Vec<(&str, String)> = Vec::new();
    let mut names: Vec<(&str, String)> = Vec::new();
    for family in families {
        for service in &family.services {
            let path = format!("&{}::{}", family.identifier(), static_name(service));
            services.push((&service.name, path.clone()));
            names.push((&service.name, path.clone()));
            names.extend(service.aliases.iter().map(|alias| (alias.as_str(), path.clone())));
        }
    }
    services.sort();
    names.sort();
    text.push_str("];\n\n/// All services, sorted by name.\npub(crate) static SERVICES: &[&Service] = &[\n");
    for (_, path) in &services {
        text.push_str(&format!("{path},\n"));
    }
    text.push_str(
        "];\n\n/// All services by name and by alias, sorted.\n\
         pub(crate) static BY_NAME: &[(&str, &Service)] = &[\n",
    );
    for (name, path) in &names {
        text.push_str(&format!("({name:?}, {path}),\n"));
    }
    text.push_str("];\n");
    text
}

fn module(family: &Family) -> String {
    let mut body = format!(
        "/// The family.\npub(crate) static FAMILY: Family = Family {{\n\
         name: {:?},\ndoc: {},\nservices: &[",
        family.name,
        text_literal(&family.doc)
    );
    for service in &family.services {
        body.push_str(&format!("&{}, ", static_name(service)));
    }
    body.push_str("],\n};\n");
    for service in &family.services {
        push_service(&mut body, service);
    }
    let used: Vec<&str> = TYPES
        .into_iter()
        .filter(|name| body.contains(&format!("{name}::")) || body.contains(&format!("{name} {{")))
        .collect();
    format!(
        "//! Descriptors of the family `{}`.\n\nuse crate::{{{}}};\n\n{body}",
        family.name,
        used.join(", ")
    )
}

fn push_service(text: &mut String, service: &Service) {
    let status = if service.built { "Status::Built" } else { "Status::Planned" };
    let versions: Vec<&str> = service.versions.iter().map(|version| version.variant()).collect();
    text.push_str(&format!(
        "\n/// `{name}`.\npub(crate) static {identifier}: Service = Service {{\n\
         name: {name:?},\nfamily: {family:?},\ndoc: {doc},\nstatus: {status},\nversions: &[{versions}],\n\
         public: {public},\naliases: &{aliases:?},\nenvelope: {envelope},\n\
         request_element: {request:?},\nresponse_element: {response:?},\nshape: {shape},\n\
         raw_input: {raw_input},\ninput: &[",
        name = service.name,
        identifier = static_name(service),
        family = service.family,
        doc = text_literal(&service.doc),
        versions = versions.join(", "),
        public = service.public,
        aliases = service.aliases,
        envelope = service.envelope,
        request = service.request,
        response = service.response,
        shape = service.shape.variant(),
        raw_input = service
            .raw_input
            .as_deref()
            .map_or_else(|| "None".to_owned(), |raw| format!("Some({})", text_literal(raw))),
    ));
    push_elements(text, &service.input);
    text.push_str("],\noutput: &[");
    push_elements(text, &service.output);
    text.push_str("],\n};\n");
}

fn push_elements(text: &mut String, elements: &[Element]) {
    for element in elements {
        let presence = if element.required { "required" } else { "optional" };
        let kind = element.kind.variant();
        text.push_str(&format!(
            "\nElement::{presence}({:?}, {kind}, {})",
            element.name,
            text_literal(&element.doc)
        ));
        if let Some(default) = &element.default {
            text.push_str(&format!(".or({})", default_value(default)));
        }
        if let Some(since) = element.since {
            text.push_str(&format!(".since({})", since.variant()));
        }
        text.push(',');
    }
}

fn default_value(literal: &Literal) -> String {
    match literal {
        Literal::Boolean(value) => format!("DefaultValue::Boolean({value})"),
        Literal::Integer(value) => format!("DefaultValue::Integer({value})"),
        Literal::Float(value) => format!("DefaultValue::Float({value:?})"),
        Literal::Text(value) => format!("DefaultValue::Text({})", text_literal(value)),
        Literal::List(_) => unreachable!("validation refuses lists as defaults"),
    }
}

/// The name of a service's static.
pub(super) fn static_name(service: &Service) -> String {
    service.module().to_uppercase()
}
