//! Reads the catalogue: one TOML file a family, in which services list the names of elements that the family's
//! vocabulary explains. It must not judge what it reads beyond what is needed to resolve it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Deserialize;

use super::model::{Element, Family, Kind, Literal, Service, Shape, Version, identifier};

const FOLDER: &str = "crates/zato-catalogue/catalogue";

/// What keeps the catalogue from being read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("{} cannot be read", path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{file} is not a family of the catalogue")]
    Syntax { file: String, source: Box<toml::de::Error> },
    #[error("{file}: the file should be named after its family, {family}.toml")]
    FileName { file: String, family: String },
    #[error("{file}: the name of service {service} does not start with that of the family")]
    ServiceName { file: String, service: String },
    #[error("{file}: service {service}: element {element} is not in the family's vocabulary")]
    UnknownElement { file: String, service: String, element: String },
    #[error("{file}: service {service}: element {element} is overridden but not listed")]
    UnusedOverride { file: String, service: String, element: String },
    #[error("{file}: element {element} of the vocabulary is used by no service")]
    UnusedElement { file: String, element: String },
}

/// Reads all families, in the order of their names.
pub(crate) fn catalogue(root: &Path) -> Result<Vec<Family>, ReadError> {
    let folder = root.join(FOLDER);
    let io = |source| ReadError::Io { path: PathBuf::from(FOLDER), source };
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).map_err(io)? {
        paths.push(entry.map_err(io)?.path());
    }
    paths.sort();
    let mut families = Vec::with_capacity(paths.len());
    for path in paths {
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let text = fs::read_to_string(&path)
            .map_err(|source| ReadError::Io { path: Path::new(FOLDER).join(&file), source })?;
        families.push(family(&file, &text)?);
    }
    families.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(families)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FamilyFile {
    family: String,
    doc: String,
    status: Status,
    #[serde(default)]
    elements: BTreeMap<String, Word>,
    service: Vec<ServiceEntry>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Status {
    Built,
    Planned,
}

/// What a family's vocabulary says about an element.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Word {
    r#type: Kind,
    default: Option<Literal>,
    since: Option<Version>,
    example: Option<Literal>,
    doc: String,
}

/// What one service says differently about an element.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Override {
    r#type: Option<Kind>,
    default: Option<Literal>,
    since: Option<Version>,
    example: Option<Literal>,
    doc: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceEntry {
    name: String,
    doc: String,
    status: Option<Status>,
    versions: Vec<Version>,
    public: bool,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default = "enveloped")]
    envelope: bool,
    request: Option<String>,
    response: Option<String>,
    shape: Shape,
    #[serde(default)]
    paged: bool,
    raw_input: Option<String>,
    #[serde(default)]
    input: Side,
    #[serde(default)]
    output: Side,
}

/// Nearly all services are administrative ones, whose replies carry the envelope.
fn enveloped() -> bool {
    true
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Side {
    #[serde(default)]
    required: Vec<String>,
    #[serde(default)]
    optional: Vec<String>,
    #[serde(default)]
    elements: BTreeMap<String, Override>,
}

fn family(file: &str, text: &str) -> Result<Family, ReadError> {
    let read: FamilyFile = toml::from_str(text)
        .map_err(|source| ReadError::Syntax { file: file.to_owned(), source: Box::new(source) })?;
    if file != format!("{}.toml", read.family) {
        return Err(ReadError::FileName { file: file.to_owned(), family: read.family });
    }
    let mut services = Vec::with_capacity(read.service.len());
    for entry in &read.service {
        services.push(service(file, &read, entry)?);
    }
    let used = |name: &String| {
        read.service.iter().flat_map(|entry| [&entry.input, &entry.output]).any(|side| side.lists(name))
    };
    if let Some(element) = read.elements.keys().find(|name| !used(name)) {
        return Err(ReadError::UnusedElement { file: file.to_owned(), element: element.clone() });
    }
    services.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(Family { name: read.family, doc: read.doc, services })
}

fn service(file: &str, family: &FamilyFile, entry: &ServiceEntry) -> Result<Service, ReadError> {
    // The core family is the one whose name is not part of the names of its services.
    let prefix =
        if family.family == "core" { "zato.".to_owned() } else { format!("zato.{}.", family.family) };
    let Some(action) = entry.name.strip_prefix(&prefix) else {
        return Err(ReadError::ServiceName { file: file.to_owned(), service: entry.name.clone() });
    };
    let older = entry.versions.contains(&Version::V1_1);
    let resolve = |side: &Side, is_input: bool| {
        let mut elements = Vec::with_capacity(side.required.len() + side.optional.len());
        let listed = side.required.iter().map(|name| (name, true));
        for (name, required) in listed.chain(side.optional.iter().map(|name| (name, false))) {
            let Some(word) = family.elements.get(name) else {
                return Err(ReadError::UnknownElement {
                    file: file.to_owned(),
                    service: entry.name.clone(),
                    element: name.clone(),
                });
            };
            let own = side.elements.get(name);
            let takes_default = is_input && !required;
            elements.push(Element {
                name: name.clone(),
                kind: own.and_then(|own| own.r#type).unwrap_or(word.r#type),
                required,
                default: own
                    .and_then(|own| own.default.clone())
                    .or_else(|| word.default.clone())
                    .filter(|_| takes_default),
                since: own.and_then(|own| own.since).or(word.since).filter(|_| older),
                example: own.and_then(|own| own.example.clone()).or_else(|| word.example.clone()),
                doc: own.and_then(|own| own.doc.clone()).unwrap_or_else(|| word.doc.clone()),
            });
        }
        if let Some(element) = side.elements.keys().find(|name| !side.lists(name)) {
            return Err(ReadError::UnusedOverride {
                file: file.to_owned(),
                service: entry.name.clone(),
                element: element.clone(),
            });
        }
        Ok(elements)
    };
    let mut input = resolve(&entry.input, true)?;
    if entry.paged {
        input.extend(paging());
    }
    let name = identifier(&entry.name);
    Ok(Service {
        name: entry.name.clone(),
        family: family.family.clone(),
        action: action.to_owned(),
        doc: entry.doc.clone(),
        built: entry.status.unwrap_or(family.status) == Status::Built,
        versions: entry.versions.clone(),
        public: entry.public,
        aliases: entry.aliases.clone(),
        envelope: entry.envelope,
        request: entry.request.clone().unwrap_or_else(|| format!("{name}_request")),
        response: entry.response.clone().unwrap_or_else(|| format!("{name}_response")),
        shape: entry.shape,
        paged: entry.paged,
        raw_input: entry.raw_input.clone(),
        input,
        output: resolve(&entry.output, false)?,
    })
}

/// The elements by which callers of a list ask for a part of it; the same in all families.
fn paging() -> [Element; 4] {
    let element = |name: &str, kind, default, doc: &str| Element {
        name: name.to_owned(),
        kind,
        required: false,
        default,
        since: None,
        example: None,
        doc: doc.to_owned(),
    };
    [
        element(
            "paginate",
            Kind::Boolean,
            Some(Literal::Boolean(false)),
            "Whether to return one page of the list, and where it is in the list.",
        ),
        element("cur_page", Kind::Integer, Some(Literal::Integer(1)), "The page to return, counted from 1."),
        element(
            "page_size",
            Kind::Integer,
            Some(Literal::Integer(50)),
            "How many items make up a page, 1000 at most.",
        ),
        element(
            "query",
            Kind::Text,
            None,
            "Only items whose names contain all of these words, whatever their case.",
        ),
    ]
}

impl Side {
    fn lists(&self, name: &String) -> bool {
        self.required.contains(name) || self.optional.contains(name)
    }
}

#[cfg(test)]
mod tests {
    use super::family;

    const HEAD: &str = "family = \"things\"\ndoc = \"Things.\"\nstatus = \"built\"\n\
        [elements]\nid = { type = \"integer\", default = 7, since = \"2.0\", doc = \"The ID.\" }\n\
        [[service]]\nname = \"zato.things.get-list\"\ndoc = \"Lists things.\"\nversions = [\"1.1\"]\n\
        public = true\nshape = \"none\"\n";

    #[track_caller]
    fn check_error(file: &str, rest: &str, expected: &str) {
        let error = family(file, &format!("{HEAD}{rest}")).err().expect("the family is wrong");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn vocabulary_and_overrides_are_resolved() {
        let read = family(
            "things.toml",
            &format!("{HEAD}input.optional = [\"id\"]\ninput.elements.id = {{ doc = \"Another ID.\" }}\n"),
        )
        .unwrap_or_else(|error| panic!("{}", crate::report(&error)));
        let service = &read.services[0];
        assert_eq!(service.action, "get-list");
        assert_eq!(service.request, "zato_things_get_list_request");
        assert!(service.built && service.envelope);
        let id = &service.input[0];
        assert!(!id.required && id.default.is_some() && id.since.is_some());
        assert_eq!(id.doc, "Another ID.");
    }

    #[test]
    fn a_list_in_pages_takes_the_elements_of_pages() {
        let rest = "paged = true\ninput.required = [\"id\"]\n";
        let read = family("things.toml", &format!("{HEAD}{rest}"))
            .unwrap_or_else(|error| panic!("{}", crate::report(&error)));
        let names: Vec<&str> = read.services[0].input.iter().map(|element| &*element.name).collect();
        assert_eq!(names, ["id", "paginate", "cur_page", "page_size", "query"]);
        assert!(read.services[0].paged);
    }

    #[test]
    fn errors_name_file_service_and_element() {
        check_error("other.toml", "", "other.toml: the file should be named after its family, things.toml");
        check_error(
            "things.toml",
            "input.required = [\"name\"]\n",
            "things.toml: service zato.things.get-list: element name is not in the family's vocabulary",
        );
        check_error(
            "things.toml",
            "input.required = [\"id\"]\noutput.elements.id = { doc = \"No ID.\" }\n",
            "things.toml: service zato.things.get-list: element id is overridden but not listed",
        );
        check_error("things.toml", "", "things.toml: element id of the vocabulary is used by no service");
        check_error("things.toml", "colour = \"red\"\n", "things.toml is not a family of the catalogue");
    }
}
