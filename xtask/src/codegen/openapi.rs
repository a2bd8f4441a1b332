//! Writes the OpenAPI 3.1 document: one path for each built service, with schemas of its messages and the replies to
//! calls that fail.

use super::example;
use super::json::Json;
use super::model::{Element, Family, Kind, Literal, Service, Shape};

/// The replies to calls that fail: status, name in the components, meaning.
const ERRORS: [(&str, &str, &str); 12] = [
    ("400", "BadRequest", "The request is malformed, an element is missing, or a value is not of its type."),
    ("401", "Unauthorized", "The credentials are missing or wrong."),
    ("403", "Forbidden", "The credentials do not allow the call."),
    ("404", "NotFound", "There is no such URL or object, or it is inactive."),
    ("409", "Conflict", "An object of that name exists, or other objects refer to the object."),
    ("413", "PayloadTooLarge", "The body is larger than the server accepts."),
    ("415", "UnsupportedMediaType", "The body is declared to be in a charset other than UTF-8."),
    ("429", "TooManyRequests", "There are too many calls at the moment."),
    ("500", "InternalError", "The service failed."),
    ("502", "BadGateway", "Another system that the service called failed."),
    ("503", "Unavailable", "The server is short of memory, or its database cannot be reached."),
    ("504", "GatewayTimeout", "Another system that the service called did not answer in time."),
];

/// The document as text.
pub(super) fn document(families: &[Family]) -> String {
    let mut tags = Vec::new();
    let mut paths = vec![("/zato/ping".to_owned(), ping())];
    let mut schemas = common_schemas();
    for family in families.iter().filter(|family| family.built() > 0) {
        tags.push(Json::object([
            ("name", Json::from(family.name.as_str())),
            ("description", Json::from(family.doc.as_str())),
        ]));
        for service in family.services.iter().filter(|service| service.built) {
            paths.push((service.path(), path(service)));
            if service.raw_input.is_none() {
                schemas.push((format!("{}_request", service.identifier()), request_schema(service)));
            }
            if let Some(schema) = reply_schema(service) {
                schemas.push((format!("{}_reply", service.identifier()), schema));
            }
        }
    }
    Json::object([
        ("openapi", Json::from("3.1.0")),
        (
            "info",
            Json::object([
                ("title", Json::from("Zato public API")),
                ("summary", Json::from("Configuration and invocation of an integration server.")),
                (
                    "description",
                    Json::from(
                        "Requests are lenient: numbers and booleans may be sent as text, and unknown keys are \
                         ignored. Replies are exact.",
                    ),
                ),
                ("version", Json::from("2.0")),
                (
                    "license",
                    Json::object([
                        ("name", Json::from("MIT OR Apache-2.0")),
                        ("identifier", Json::from("MIT OR Apache-2.0")),
                    ]),
                ),
            ]),
        ),
        ("servers", Json::Array(vec![Json::object([("url", Json::from("/"))])])),
        ("security", Json::Array(vec![Json::object([("basic", Json::Array(Vec::new()))])])),
        ("tags", Json::Array(tags)),
        ("paths", Json::Object(paths)),
        (
            "components",
            Json::object([
                ("schemas", Json::Object(schemas)),
                ("responses", error_responses()),
                (
                    "headers",
                    Json::object([(
                        "X-Zato-CID",
                        Json::object([
                            ("description", Json::from("The correlation ID of the call.")),
                            ("required", Json::from(true)),
                            ("schema", text_schema()),
                        ]),
                    )]),
                ),
                (
                    "securitySchemes",
                    Json::object([(
                        "basic",
                        Json::object([
                            ("type", Json::from("http")),
                            ("scheme", Json::from("basic")),
                            ("description", Json::from("The user name and password of an HTTP Basic Auth definition.")),
                        ]),
                    )]),
                ),
            ]),
        ),
    ])
    .pretty()
}

/// The one channel that needs no credentials.
fn ping() -> Json {
    let operation = |id: &str| {
        Json::object([
            ("operationId", Json::from(id)),
            ("summary", Json::from("Tells without credentials whether the server answers.")),
            ("tags", Json::texts(["core"])),
            ("security", Json::Array(Vec::new())),
            (
                "responses",
                Json::object([
                    (
                        "200",
                        response("The server answers.", Some(reference("schemas", "zato_ping_reply")), None),
                    ),
                    ("500", reference("responses", "InternalError")),
                ]),
            ),
        ])
    };
    Json::object([("get", operation("ping_get")), ("post", operation("ping_post"))])
}

fn path(service: &Service) -> Json {
    let request = if service.raw_input.is_some() {
        Json::Object(Vec::new())
    } else {
        reference("schemas", &format!("{}_request", service.identifier()))
    };
    let required = service.input.iter().any(|element| element.required);
    let mut content = Json::object([("schema", request)]);
    if service.raw_input.is_none() {
        content = content.with("example", example::request(service));
    }
    let description = service.raw_input.as_deref().unwrap_or("Elements may come in any order.");
    let reply =
        reply_schema(service).map(|_| reference("schemas", &format!("{}_reply", service.identifier())));
    let meaning = match service.shape {
        Shape::None => "The service did what it was asked to.",
        Shape::Single => "What the service returns.",
        Shape::List => "The items that the service returns.",
        Shape::Raw => "What the service returns, as it is.",
    };
    // What a raw service returns is JSON of any kind, which the empty schema stands for.
    let reply = reply.or_else(|| (service.shape == Shape::Raw).then(|| Json::Object(Vec::new())));
    let mut responses = vec![("200".to_owned(), response(meaning, reply, example::reply(service)))];
    responses.extend(ERRORS.map(|(status, name, _)| (status.to_owned(), reference("responses", name))));
    Json::object([(
        "post",
        Json::object([
            ("operationId", Json::from(service.identifier())),
            ("summary", Json::from(service.doc.as_str())),
            ("tags", Json::texts([service.family.as_str()])),
            (
                "requestBody",
                Json::object([
                    ("description", Json::from(description)),
                    ("required", Json::from(required)),
                    ("content", Json::object([("application/json", content)])),
                ]),
            ),
            ("responses", Json::Object(responses)),
        ]),
    )])
}

fn response(description: &str, schema: Option<Json>, example: Option<Json>) -> Json {
    let response = Json::object([
        ("description", Json::from(description)),
        ("headers", Json::object([("X-Zato-CID", reference("headers", "X-Zato-CID"))])),
    ]);
    let Some(schema) = schema else {
        return response;
    };
    let mut content = Json::object([("schema", schema)]);
    if let Some(example) = example {
        content = content.with("example", example);
    }
    response.with("content", Json::object([("application/json", content)]))
}

fn error_responses() -> Json {
    let schema = reference("schemas", "error");
    Json::Object(
        ERRORS
            .iter()
            .map(|(status, name, meaning)| {
                let mut headers = Json::object([("X-Zato-CID", reference("headers", "X-Zato-CID"))]);
                if *status == "401" {
                    let challenge = Json::object([
                        ("description", Json::from("The challenge, which names the realm.")),
                        ("schema", text_schema()),
                    ]);
                    headers = headers.with("WWW-Authenticate", challenge);
                }
                let content = Json::object([("schema", schema.clone())]);
                let response = Json::object([
                    ("description", Json::from(*meaning)),
                    ("headers", headers),
                    ("content", Json::object([("application/json", content)])),
                ]);
                ((*name).to_owned(), response)
            })
            .collect(),
    )
}

fn common_schemas() -> Vec<(String, Json)> {
    let env = |results: &[&str]| {
        object_schema(
            &["details", "result", "cid"],
            vec![
                (
                    "details".to_owned(),
                    text_schema().with("description", Json::from("Why the call failed, or empty.")),
                ),
                (
                    "result".to_owned(),
                    text_schema()
                        .with("enum", Json::texts(results.iter().copied()))
                        .with("description", Json::from("How the call went.")),
                ),
                (
                    "cid".to_owned(),
                    text_schema().with("description", Json::from("The correlation ID of the call.")),
                ),
            ],
        )
    };
    let error =
        object_schema(&["zato_env"], vec![("zato_env".to_owned(), reference("schemas", "zato_env_error"))]);
    vec![
        ("zato_env".to_owned(), env(&["ZATO_OK", "ZATO_WARNING"])),
        ("zato_env_error".to_owned(), env(&["ZATO_ERROR"])),
        ("error".to_owned(), error),
        ("page".to_owned(), page_schema()),
    ]
}

/// Where a page is in its list, which stands beside the list if a page was asked for.
fn page_schema() -> Json {
    let integer = || Json::object([("type", Json::from("integer")), ("format", Json::from("int64"))]);
    let number = |doc: &str| integer().with("description", Json::from(doc));
    let neighbour = |doc: &str| {
        let kind =
            Json::object([("type", Json::texts(["integer", "null"])), ("format", Json::from("int64"))]);
        kind.with("description", Json::from(doc))
    };
    let flag = |doc: &str| Json::object([("type", Json::from("boolean")), ("description", Json::from(doc))]);
    let properties = [
        ("total", number("How many items the list has.")),
        ("num_pages", number("How many pages the list has.")),
        ("cur_page", number("The number of this page, counted from 1.")),
        ("page_size", number("How many items make up a page.")),
        ("has_prev_page", flag("Whether there is a page before this one.")),
        ("has_next_page", flag("Whether there is a page after this one.")),
        ("prev_page", neighbour("The number of the page before this one.")),
        ("next_page", neighbour("The number of the page after this one.")),
    ];
    let names: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
    let properties = properties.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    object_schema(&names, properties)
}

fn request_schema(service: &Service) -> Json {
    let required: Vec<&str> = service
        .input
        .iter()
        .filter(|element| element.required)
        .map(|element| element.name.as_str())
        .collect();
    object_schema(&required, properties(&service.input, true))
}

/// The schema of what a service replies, if there is one of its own.
fn reply_schema(service: &Service) -> Option<Json> {
    let mut required = Vec::new();
    let mut entries = Vec::new();
    if service.is_enveloped() {
        required.push("zato_env");
        entries.push(("zato_env".to_owned(), reference("schemas", "zato_env")));
    }
    let names: Vec<&str> = service.output.iter().map(|element| element.name.as_str()).collect();
    let item = || object_schema(&names, properties(&service.output, false));
    let items = || Json::object([("type", Json::from("array")), ("items", item())]);
    match service.shape {
        Shape::Raw => return None,
        Shape::None if service.public && !service.envelope => return None,
        Shape::None => {}
        Shape::Single if !service.public => return Some(item()),
        Shape::List if !service.public => return Some(items()),
        Shape::Single => entries.push((service.response.clone(), item())),
        Shape::List => entries.push((service.response.clone(), items())),
    }
    if service.paged {
        entries.push(("_meta".to_owned(), reference("schemas", "page")));
    }
    if service.shape != Shape::None {
        required.push(&service.response);
    }
    Some(object_schema(&required, entries))
}

fn properties(elements: &[Element], is_input: bool) -> Vec<(String, Json)> {
    elements.iter().map(|element| (element.name.clone(), element_schema(element, is_input))).collect()
}

fn element_schema(element: &Element, is_input: bool) -> Json {
    // An optional value may be null both ways, save for booleans of replies, which are false then.
    let nullable = !element.required && (is_input || element.kind != Kind::Boolean);
    let typed = |name: &str| {
        let kind = if nullable { Json::texts([name, "null"]) } else { Json::from(name) };
        Json::object([("type", kind)])
    };
    let dict = || Json::object([("type", Json::from("object"))]);
    let schema = match element.kind {
        Kind::Text | Kind::AsIs | Kind::Csv => typed("string"),
        Kind::Integer => typed("integer").with("format", Json::from("int64")),
        Kind::Boolean => typed("boolean"),
        Kind::Float => typed("number").with("format", Json::from("double")),
        // Times come without a zone, so that the format date-time of RFC 3339 would not be true.
        Kind::Datetime => typed("string"),
        Kind::List => typed("array").with("items", text_schema()),
        Kind::Dict => typed("object"),
        Kind::ListOfDicts => typed("array").with("items", dict()),
        Kind::Nested => Json::Object(Vec::new()),
    };
    let schema = schema.with("description", Json::from(element.doc.as_str()));
    match &element.default {
        Some(default) => schema.with("default", literal(default)),
        None => schema,
    }
}

fn literal(literal: &Literal) -> Json {
    match literal {
        Literal::Boolean(value) => Json::Boolean(*value),
        Literal::Integer(value) => Json::Integer(*value),
        Literal::Float(value) => Json::Float(*value),
        Literal::Text(value) => Json::Text(value.clone()),
        Literal::List(values) => Json::texts(values.iter().map(String::as_str)),
    }
}

fn object_schema(required: &[&str], properties: Vec<(String, Json)>) -> Json {
    let schema = Json::object([("type", Json::from("object"))]);
    let schema = if required.is_empty() {
        schema
    } else {
        schema.with("required", Json::texts(required.iter().copied()))
    };
    schema.with("properties", Json::Object(properties))
}

fn text_schema() -> Json {
    Json::object([("type", Json::from("string"))])
}

fn reference(kind: &str, name: &str) -> Json {
    Json::object([("$ref", Json::from(format!("#/components/{kind}/{name}")))])
}
