//! What must hold for the catalogue as a whole: names are unique, elements make sense, docs are sentences.

use std::collections::BTreeMap;
use std::fmt;

use super::model::{Element, Family, Literal, Service, Shape};

/// Something that is wrong with the catalogue, and where.
#[derive(Debug, PartialEq)]
pub(crate) struct Problem {
    place: String,
    message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.place, self.message)
    }
}

/// All problems, so that they can be mended in one go.
pub(crate) fn problems(families: &[Family]) -> Vec<Problem> {
    let mut found = Vec::new();
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for family in families {
        let file = format!("{}.toml", family.name);
        require(&mut found, is_sentence(&family.doc), &file, "the doc is not one sentence with a full stop");
        for service in &family.services {
            for name in std::iter::once(&service.name).chain(&service.aliases) {
                if let Some(other) = names.insert(name, &service.name) {
                    let place = format!("{file}: service {}", service.name);
                    found.push(Problem {
                        place,
                        message: format!("the name {name} belongs to {other} already"),
                    });
                }
            }
            check_service(&mut found, &file, service);
        }
    }
    check_modules(&mut found, families);
    found
}

/// A service and a family of the same path would be one Rust module.
fn check_modules(found: &mut Vec<Problem>, families: &[Family]) {
    for service in families.iter().flat_map(|family| &family.services) {
        let path = format!("{}.{}", service.family, service.action);
        let clashes = families.iter().any(|family| family.name == path);
        require(
            found,
            !clashes,
            &format!("service {}", service.name),
            "a family has the name of the service",
        );
    }
}

fn check_service(found: &mut Vec<Problem>, file: &str, service: &Service) {
    let place = format!("{file}: service {}", service.name);
    require(found, is_sentence(&service.doc), &place, "the doc is not one sentence with a full stop");
    require(found, !service.versions.is_empty(), &place, "there is no version that has it");
    let has_output = matches!(service.shape, Shape::Single | Shape::List);
    require(found, has_output != service.output.is_empty(), &place, "the shape does not fit the output");
    if let Some(raw) = &service.raw_input {
        require(found, is_sentence(raw), &place, "raw_input is not one sentence with a full stop");
        require(found, service.input.is_empty(), &place, "the input is raw yet it has elements");
    }
    for element in [&service.request, &service.response] {
        require(found, is_name(element), &place, "the name of an element around a message is not valid");
    }
    for (side, elements) in [("input", &service.input), ("output", &service.output)] {
        for (index, element) in elements.iter().enumerate() {
            let place = format!("{place}: {side} element {}", element.name);
            let repeated = elements[..index].iter().any(|other| other.name == element.name);
            require(found, !repeated, &place, "it is listed twice");
            check_element(found, &place, element);
        }
    }
}

fn check_element(found: &mut Vec<Problem>, place: &str, element: &Element) {
    require(found, is_name(&element.name), place, "the name is not valid");
    require(found, is_sentence(&element.doc), place, "the doc is not one sentence with a full stop");
    for (what, literal) in [("default", &element.default), ("example", &element.example)] {
        if let Some(literal) = literal {
            require(found, element.kind.admits(literal), place, &format!("the {what} is of another type"));
        }
    }
    let is_scalar = !matches!(element.default, Some(Literal::List(_)));
    require(found, is_scalar, place, "a list cannot be a default");
}

fn require(found: &mut Vec<Problem>, holds: bool, place: &str, message: &str) {
    if !holds {
        found.push(Problem { place: place.to_owned(), message: message.to_owned() });
    }
}

/// One sentence: it starts with a capital letter or a digit and its only full stop is the one at its end.
fn is_sentence(text: &str) -> bool {
    let starts = text.chars().next().is_some_and(|first| first.is_uppercase() || first.is_ascii_digit());
    starts && text.ends_with('.') && !text.contains(". ") && !text.contains('\n') && text.trim() == text
}

/// A name that is valid in XML and as a Rust field.
fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|other| other.is_ascii_lowercase() || other.is_ascii_digit() || other == '_')
}

#[cfg(test)]
mod tests {
    use super::super::model::{Element, Family, Kind, Literal, Service, Shape, Version};
    use super::problems;

    fn service(name: &str) -> Service {
        Service {
            name: format!("zato.things.{name}"),
            family: "things".to_owned(),
            action: name.to_owned(),
            doc: "Does things.".to_owned(),
            built: true,
            versions: vec![Version::V2_0],
            public: true,
            aliases: Vec::new(),
            envelope: true,
            request: "request".to_owned(),
            response: "response".to_owned(),
            shape: Shape::None,
            paged: false,
            raw_input: None,
            input: Vec::new(),
            output: Vec::new(),
        }
    }

    fn element(name: &str) -> Element {
        Element {
            name: name.to_owned(),
            kind: Kind::Integer,
            required: false,
            default: None,
            since: None,
            example: None,
            doc: "A thing.".to_owned(),
        }
    }

    #[track_caller]
    fn check(services: Vec<Service>, expected: &[&str]) {
        let families = [Family { name: "things".to_owned(), doc: "Things.".to_owned(), services }];
        let found: Vec<String> = problems(&families).iter().map(ToString::to_string).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_sound_catalogue_has_no_problems() {
        check(vec![service("create"), service("delete")], &[]);
    }

    #[test]
    fn names_and_aliases_are_unique() {
        let mut other = service("delete");
        other.aliases.push("zato.things.create".to_owned());
        check(
            vec![service("create"), other],
            &["things.toml: service zato.things.delete: \
               the name zato.things.create belongs to zato.things.create already"],
        );
    }

    #[test]
    fn docs_are_sentences() {
        for doc in ["", "does things.", "Does things", "Does things. And more."] {
            let wrong = Service { doc: doc.to_owned(), ..service("create") };
            check(
                vec![wrong],
                &["things.toml: service zato.things.create: the doc is not one sentence with a full stop"],
            );
        }
    }

    #[test]
    fn shapes_fit_outputs() {
        let wrong = Service { shape: Shape::List, ..service("create") };
        check(vec![wrong], &["things.toml: service zato.things.create: the shape does not fit the output"]);
    }

    #[test]
    fn elements_are_unique_and_typed() {
        let wrong = Element { default: Some(Literal::Text("one".to_owned())), ..element("size") };
        let wrong = Service { input: vec![element("size"), wrong], ..service("create") };
        check(
            vec![wrong],
            &[
                "things.toml: service zato.things.create: input element size: it is listed twice",
                "things.toml: service zato.things.create: input element size: the default is of another type",
            ],
        );
    }
}
