//! What families state their cases with: calls of services and what they must come to.
//!
//! Owns the rules that hold for every service, so that no family repeats them: before a service's first successful call
//! the same call is made without each required element and with a wrong value for each one; and replies have the elements
//! that the catalogue declares, no more and no less. It must not know any family.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use zato_catalogue::{Element, ElementType, Service, Shape};

use crate::support::api::with;
use crate::support::envelope::{Answer, includes, text};
use crate::support::{Format, Reply, Server};

/// A number that is no object's id.
pub(super) const NO_ID: i64 = 987_654;

/// A value that is neither a number nor a truth value nor a date.
const WRONG: &str = "wrong-value";

/// The calls that a family makes on one server in one format, and what was covered by them.
pub(super) struct Cases<'a> {
    pub(super) server: &'a Server,
    pub(super) format: Format,
    seen: BTreeMap<&'static str, Seen>,
}

/// What was seen of a service.
#[derive(Default)]
struct Seen {
    succeeded: bool,
    /// Whether a call that succeeded made an object inactive.
    made_inactive: bool,
    /// The statuses of its errors, as they are in JSON.
    errors: BTreeSet<u16>,
}

impl<'a> Cases<'a> {
    pub(super) fn new(server: &'a Server, format: Format) -> Self {
        Self { server, format, seen: BTreeMap::new() }
    }

    /// A call that succeeds, for its payload.
    #[track_caller]
    pub(super) fn call(&mut self, service: &str, input: &Value) -> Value {
        let service = self.succeeding(service);
        if service.is_first {
            self.without_each_required_element(service.descriptor, input);
            self.with_each_wrong_value(service.descriptor, input);
        }
        println!("{:?} {} {input}", self.format, service.descriptor.name);
        let answer = self.answer(service.descriptor, input);
        assert_eq!(answer.warning, None, "{} {input}", service.descriptor.name);
        self.seen.entry(service.descriptor.name).or_default().made_inactive |= input["is_active"] == false;
        let payload = answer.ok();
        has_declared_elements(service.descriptor, &payload);
        payload
    }

    /// A call that succeeds with a warning that has these texts.
    #[track_caller]
    pub(super) fn warned(&mut self, service: &str, input: &Value, texts: &[&str]) -> Value {
        let service = self.succeeding(service).descriptor;
        println!("{:?} {} {input}: a warning", self.format, service.name);
        let answer = self.answer(service, input);
        let warning = answer.warning.clone().expect("there is a warning");
        assert!(texts.iter().all(|text| warning.contains(text)), "{texts:?} in: {warning}");
        answer.ok()
    }

    /// A call that succeeds without a payload.
    #[track_caller]
    pub(super) fn nothing(&mut self, service: &str, input: &Value) {
        assert_eq!(self.call(service, input), Value::Null, "{service} {input}");
    }

    /// A call that succeeds with an item which has these elements; others are free.
    #[track_caller]
    pub(super) fn item(&mut self, service: &str, input: &Value, expected: &Value) -> Value {
        let item = self.call(service, input);
        includes(self.format, &item, expected);
        item
    }

    /// A call that creates an object or replaces one, for its id.
    #[track_caller]
    pub(super) fn id(&mut self, service: &str, input: &Value) -> i64 {
        let item = self.item(service, input, &json!({"name": input["name"]}));
        let id: i64 = text(&item["id"]).parse().expect("an id is a number");
        if !input["id"].is_null() {
            assert_eq!(text(&input["id"]), id.to_string(), "the object stays the same: {service}");
        }
        id
    }

    /// A call that succeeds with a list in which an item has these elements. The item is known by its id, or else by its name.
    #[track_caller]
    pub(super) fn list_with(&mut self, service: &str, input: &Value, expected: &Value) {
        let list = self.list(service, input);
        let key = if expected["id"].is_null() { "name" } else { "id" };
        let item = list.iter().find(|item| text(&item[key]) == text(&expected[key]));
        includes(
            self.format,
            item.unwrap_or_else(|| panic!("no {key} {} in {list:?}", expected[key])),
            expected,
        );
    }

    /// A call that succeeds with a list.
    #[track_caller]
    pub(super) fn list(&mut self, service: &str, input: &Value) -> Vec<Value> {
        let list = self.call(service, input);
        list.as_array().unwrap_or_else(|| panic!("no list: {list}")).clone()
    }

    /// A call that succeeds with an empty list.
    #[track_caller]
    pub(super) fn empty_list(&mut self, service: &str, input: &Value) {
        assert_eq!(self.call(service, input), json!([]), "{service} {input}");
    }

    /// A call that fails with this status, and with these texts in its message.
    #[track_caller]
    pub(super) fn fails(&mut self, service: &str, input: &Value, status: u16, texts: &[&str]) {
        let service = built(service);
        self.seen.entry(service.name).or_default().errors.insert(status);
        println!("{:?} {} {input}: {status}", self.format, service.name);
        let has_own_status = self.format == Format::Json || matches!(status, 401 | 403 | 404 | 405);
        let answer = self.answer(service, input);
        let code = answer.outcome.as_ref().err().and_then(|failure| failure.code.clone());
        let details = answer.error(if has_own_status { status } else { 500 }, texts);
        if self.format == Format::Soap {
            let expected = if status < 500 { "Client" } else { "Server" };
            assert_eq!(code.as_deref(), Some(expected), "{details}");
        }
        // The report has the form of the documentation: its last line is the message.
        assert!(details.starts_with("Traceback"), "{details}");
        // The place in the source is one of ours, not one of the library or the machine that it was built on.
        assert!(details.contains("File \"crates/") && details.contains(service.name), "{details}");
        let message = details.trim_end().lines().last().unwrap_or_default();
        assert!(texts.iter().all(|text| message.contains(text)), "the last line of: {details}");
    }

    /// A call of a service that understands its request and refuses it whatever it is, with this status and these texts.
    #[track_caller]
    pub(super) fn refused(&mut self, service: &str, input: &Value, status: u16, texts: &[&str]) {
        let first = self.succeeding(service);
        if first.is_first {
            self.without_each_required_element(first.descriptor, input);
            self.with_each_wrong_value(first.descriptor, input);
        }
        self.fails(service, input, status, texts);
    }

    /// Takes over what was covered on another server.
    pub(super) fn take(&mut self, other: Cases<'_>) {
        for (service, seen) in other.seen {
            let own = self.seen.entry(service).or_default();
            own.succeeded |= seen.succeeded;
            own.made_inactive |= seen.made_inactive;
            own.errors.extend(seen.errors);
        }
    }

    /// A call of a service whose messages are not made of elements. What it answers is for the family to look at.
    #[track_caller]
    pub(super) fn raw(&mut self, service: &str, body: &str) -> Reply {
        let service = self.succeeding(service).descriptor;
        assert!(service.is_raw() || !service.envelope, "{} has an envelope", service.name);
        println!("{:?} {} {body}", self.format, service.name);
        self.server.api_in(self.format).post(service.name, body)
    }

    /// Fails unless every built service of the family was called with success and in all ways in which objects fail, and
    /// an object was made inactive where that can be.
    #[track_caller]
    pub(super) fn finish(self, family: &str) {
        let services = || zato_catalogue::services().iter().filter(|it| it.family == family && it.is_built());
        let mut activating = services().filter(|service| requires(service, "is_active")).peekable();
        let has_inactive = activating.peek().is_none()
            || activating.any(|service| self.seen.get(service.name).is_some_and(|seen| seen.made_inactive));
        assert!(has_inactive, "{family} has no case of an object that is inactive");
        for service in services() {
            let seen = self.seen.get(service.name);
            assert!(seen.is_some_and(|seen| seen.succeeded), "{} has no case that succeeds", service.name);
            for status in must_fail_with(service) {
                assert!(
                    seen.is_some_and(|seen| seen.errors.contains(status)),
                    "{} has no case that fails with {status}",
                    service.name
                );
            }
        }
    }

    fn succeeding(&mut self, service: &str) -> First {
        let descriptor = built(service);
        let seen = self.seen.entry(descriptor.name).or_default();
        First { descriptor, is_first: !std::mem::replace(&mut seen.succeeded, true) }
    }

    /// Services without channels of their own are reached through the one that invokes others.
    #[track_caller]
    fn answer(&self, service: &Service, input: &Value) -> Answer {
        let api = self.server.api_in(self.format);
        if service.public {
            return api.call(service.name, input);
        }
        let payload = STANDARD.encode(input.to_string());
        let invocation = json!({"name": service.name, "data_format": "json", "payload": payload});
        let mut answer = api.call("zato.service.invoke", &invocation);
        answer.outcome = answer.outcome.map(|reply| {
            let reply = STANDARD.decode(text(&reply["response"])).expect("the reply is in base64");
            let mut reply: Value = serde_json::from_slice(&reply).unwrap_or_default();
            reply.get_mut(service.response_element).map(Value::take).unwrap_or_default()
        });
        answer
    }

    /// Each required element is asked for by name.
    #[track_caller]
    fn without_each_required_element(&mut self, service: &'static Service, input: &Value) {
        for element in service.input.iter().filter(|element| element.required) {
            let mut incomplete = input.clone();
            let removed = incomplete.as_object_mut().and_then(|input| input.remove(element.name));
            assert!(removed.is_some(), "{}: the first case lacks the element {}", service.name, element.name);
            self.fails(service.name, &incomplete, 400, &[element.name]);
        }
    }

    /// Each element is refused by name if its value makes no sense: a text that is no number, or an object that is no text.
    #[track_caller]
    fn with_each_wrong_value(&mut self, service: &'static Service, input: &Value) {
        for element in service.input {
            if has_wrong_texts(element) {
                let wrong = with(input, &json!({element.name: WRONG}));
                // What may be a secret, going by its name, is not repeated.
                let texts = [element.name, WRONG];
                let shown = if element.name.contains("token") { &texts[..1] } else { &texts[..] };
                self.fails(service.name, &wrong, 400, shown);
            } else if element.kind == ElementType::Text && self.format == Format::Json {
                let wrong = with(input, &json!({element.name: {"an": "object"}}));
                self.fails(service.name, &wrong, 400, &[element.name]);
            }
        }
    }
}

struct First {
    descriptor: &'static Service,
    is_first: bool,
}

#[track_caller]
fn built(service: &str) -> &'static Service {
    let found = zato_catalogue::by_name(service).unwrap_or_else(|| panic!("no service {service}"));
    assert!(found.is_built(), "{service} is only planned");
    found
}

fn has_wrong_texts(element: &Element) -> bool {
    matches!(
        element.kind,
        ElementType::Integer | ElementType::Boolean | ElementType::Float | ElementType::Datetime
    )
}

/// Every declared element is there, and no other one; those that are required have a value.
#[track_caller]
fn has_declared_elements(service: &Service, payload: &Value) {
    let check = |item: &Value| {
        let found: BTreeSet<&str> =
            item.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let declared: BTreeSet<&str> = service.output.iter().map(|element| element.name).collect();
        assert_eq!(found, declared, "{}: {payload}", service.name);
        for element in service.output.iter().filter(|element| element.required) {
            assert!(!item[element.name].is_null(), "{}: no {} in {item}", service.name, element.name);
        }
    };
    match service.shape {
        Shape::None => assert_eq!(*payload, Value::Null, "{}", service.name),
        Shape::Single => check(payload),
        Shape::List => {
            payload.as_array().unwrap_or_else(|| panic!("no list: {payload}")).iter().for_each(check)
        }
        _ => {}
    }
}

/// Services to which an id that nothing has is none that is wrong, as it is documented: there, edit creates, and delete
/// has nothing to do.
const ANY_ID: &[&str] = &[
    "zato.kvdb.data-dict.dictionary.delete",
    "zato.kvdb.data-dict.dictionary.edit",
    "zato.kvdb.data-dict.translation.delete",
];

/// Elements that say which other object one is of, or uses.
const REFERENCES: &[&str] = &["cluster_id", "def_id", "service", "role_id", "perm_id", "service_id"];

fn requires(service: &Service, name: &str) -> bool {
    service.input.iter().any(|element| element.required && element.name == name)
}

/// How calls about objects fail: those that name one by its id or name, those that give one a name, those that refer to
/// another one, and those that repeat a password.
fn must_fail_with(service: &Service) -> &'static [u16] {
    let requires = |name| requires(service, name);
    match service.name.rsplit('.').next() {
        Some("create") if requires("name") && REFERENCES.iter().any(|name| requires(name)) => &[404, 409],
        Some("edit") if requires("name") && requires("id") => &[404, 409],
        Some("change-password") => &[400, 404],
        Some("get-by-name") => &[404],
        _ if requires("id") && !ANY_ID.contains(&service.name) => &[404],
        _ => &[],
    }
}
