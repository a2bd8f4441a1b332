//! The typed requests and responses of built services: they carry exactly the elements of their descriptors.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use zato_catalogue::{Call, Element, ElementType, Service, Shape};

/// A value of the type of the element.
pub(crate) fn value(element: &Element) -> Value {
    match element.kind {
        ElementType::Integer => json!(-9_007_199_254_740_993_i64),
        ElementType::Boolean => json!(true),
        ElementType::Float => json!(0.25),
        ElementType::Datetime => json!("2026-01-31T12:00:00"),
        ElementType::List => json!(["", "two"]),
        ElementType::Dict | ElementType::Nested => json!({"key": "value"}),
        ElementType::ListOfDicts => json!([{"key": "value"}]),
        _ => json!(format!("<{} & \"ł\">", element.name)),
    }
}

/// A message of all elements, or of the required ones.
pub(crate) fn object(elements: &[Element], only_required: bool) -> Value {
    let chosen = elements.iter().filter(|element| element.required || !only_required);
    Value::Object(chosen.map(|element| (element.name.to_owned(), value(element))).collect())
}

fn round_trip<T: Serialize + DeserializeOwned>(service: &Service, message: &Value) -> Value {
    let typed: T = serde_json::from_value(message.clone())
        .unwrap_or_else(|error| panic!("{}: {error} in {message}", service.name));
    serde_json::to_value(&typed).expect("typed messages are made of JSON types")
}

/// The reply as it comes back if optional elements of it are absent.
fn filled(elements: &[Element]) -> Value {
    let fill = |element: &Element| match (element.required, element.kind) {
        (true, _) => value(element),
        (false, ElementType::Boolean) => json!(false),
        (false, _) => Value::Null,
    };
    Value::Object(elements.iter().map(|element| (element.name.to_owned(), fill(element))).collect())
}

fn check<C: Call>() {
    let service = C::SERVICE;
    assert!(service.is_built() && !service.is_raw(), "{}", service.name);
    for only_required in [true, false] {
        let request = object(service.input, only_required);
        assert_eq!(round_trip::<C>(service, &request), request, "{}", service.name);
    }
    for missing in service.input.iter().filter(|element| element.required) {
        let mut request = object(service.input, false);
        request.as_object_mut().map(|members| members.remove(missing.name));
        assert!(serde_json::from_value::<C>(request).is_err(), "{} without {}", service.name, missing.name);
    }
    let (whole, sparse, full) =
        (object(service.output, false), object(service.output, true), filled(service.output));
    match service.shape {
        Shape::None => assert_eq!(round_trip::<C::Response>(service, &Value::Null), Value::Null),
        Shape::Single => {
            assert_eq!(round_trip::<C::Response>(service, &whole), whole);
            assert_eq!(round_trip::<C::Response>(service, &sparse), full);
        }
        Shape::List => {
            let items = json!([whole, sparse]);
            assert_eq!(round_trip::<C::Response>(service, &items), json!([whole, full]));
            assert_eq!(round_trip::<C::Response>(service, &json!([])), json!([]));
        }
        other => panic!("{} has typed messages of shape {other:?}", service.name),
    }
}

#[test]
fn typed_messages_carry_what_their_descriptors_say() {
    macro_rules! check_all {
        (() typed { $($request:ty,)* } raw { $($raw:ty,)* }) => {
            $(check::<$request>();)*
            $(assert!(<$raw as zato_catalogue::RawCall>::SERVICE.is_raw());)*
        };
    }
    zato_catalogue::for_each_built_service!(check_all);
}

#[test]
fn elements_are_written_in_wire_order() {
    let text =
        serde_json::to_string(&zato_catalogue::security::basic_auth::get_list::Item::default()).unwrap();
    let documented = r#"{"id":0,"name":"","is_active":false,"username":"","realm":"""#;
    assert_eq!(text, format!(r#"{documented},"rate_limit":null,"max_in_flight":null}}"#));
}

#[test]
fn defaults_apply_to_absent_elements_only() {
    use zato_catalogue::http_soap::{create, edit};

    let mut request = create::Request::default();
    assert_eq!(request.pool_size_or_default(), 20);
    assert_eq!(request.ping_method_or_default(), "HEAD");
    assert!(request.merge_url_params_req_or_default());
    assert!(!edit::Request::default().merge_url_params_req_or_default());
    request.pool_size = Some(1);
    request.merge_url_params_req = Some(false);
    assert_eq!(request.pool_size_or_default(), 1);
    assert!(!request.merge_url_params_req_or_default());
}

#[test]
fn passwords_do_not_show() {
    use zato_catalogue::security::basic_auth::change_password::Request;

    let request = Request { id: 7, password1: "hunter2".to_owned(), password2: "hunter3".to_owned() };
    let text = format!("{request:?} {request:#?}");
    assert!(text.contains("id: 7") && text.contains("password1: ******"), "{text}");
    assert!(!text.contains("hunter"), "{text}");
}

#[test]
fn keywords_keep_their_wire_names() {
    let request = zato_catalogue::service::invoke::Request { r#async: Some(true), ..Default::default() };
    let members: Map<String, Value> = serde_json::from_value(serde_json::to_value(request).unwrap()).unwrap();
    assert_eq!(members.get("async"), Some(&json!(true)));
    assert_eq!(members.len(), 1, "absent elements are not written");
}
