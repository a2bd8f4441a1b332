//! Random input for every service that changes something: well-formed messages with elements of any kind and value.

use std::cell::Cell;

use proptest::collection::btree_map;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value, json};

use super::still_works;
use crate::support::peer::NOBODY;
use crate::support::{Format, Server};

const SERVICES: &[&str] = &[
    "zato.security.get-list",
    "zato.security.basic-auth.create",
    "zato.security.basic-auth.edit",
    "zato.security.basic-auth.change-password",
    "zato.security.basic-auth.delete",
    "zato.security.basic-auth.get-list",
    "zato.http-soap.create",
    "zato.http-soap.edit",
    "zato.http-soap.delete",
    "zato.http-soap.get-list",
    "zato.http-soap.ping",
    "zato.service.get-by-name",
    "zato.service.get-list",
    "zato.service.get-channel-list",
    "zato.service.invoke",
];

const ELEMENTS: &[&str] = &[
    "name",
    "is_active",
    "is_internal",
    "username",
    "realm",
    "password1",
    "password2",
    "connection",
    "transport",
    "url_path",
    "service",
    "security_id",
    "method",
    "soap_action",
    "soap_version",
    "data_format",
    "host",
    "ping_method",
    "pool_size",
    "merge_url_params_req",
    "url_params_pri",
    "params_pri",
    "timeout",
    "sec_type",
    "needs_internal",
    "name_filter",
    "channel_type",
    "payload",
    "async",
    "expiration",
    "slow_threshold",
];

/// Values that mean something to one element or another, and values that mean something to none.
fn value() -> impl Strategy<Value = Value> {
    let known = select(vec![
        json!("Known name"),
        json!("plain_http"),
        json!("soap"),
        json!("channel"),
        json!("outgoing"),
        json!("json"),
        json!("xml"),
        json!("1.1"),
        json!("/random"),
        json!("/random/{name}"),
        json!(NOBODY),
        json!("zato.ping"),
        json!("basic_auth"),
        json!("ZATO_NONE"),
        json!("GET"),
        json!("e30="),
        json!("*"),
        json!(true),
        json!("no"),
        json!(1),
    ]);
    let other = prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        // XML has no way to write most control characters.
        "[^\\p{Cc}\\u{fffe}\\u{ffff}]{0,300}".prop_map(Value::from),
        Just(json!("")),
    ];
    prop_oneof![3 => known, 1 => other]
}

/// Most inputs are near enough to a right one to get past the first check.
fn input() -> impl Strategy<Value = Value> {
    // Ids of what the tests create or of nothing, lest the tests delete what they call.
    let id = prop_oneof![60_i64..90, Just(-1), Just(i64::MAX)];
    (btree_map(select(ELEMENTS), value(), 0..=ELEMENTS.len()), id, any::<bool>()).prop_map(
        |(elements, id, is_plain)| {
            let mut input: Map<_, _> =
                elements.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            input.insert("cluster_id".to_owned(), json!(1));
            input.insert("id".to_owned(), json!(id));
            if is_plain {
                input.insert("is_active".to_owned(), json!(true));
                input.insert("is_internal".to_owned(), json!(false));
                input.insert("transport".to_owned(), json!("plain_http"));
            }
            Value::Object(input)
        },
    )
}

/// Whatever comes, the reply has its envelope, and mistakes are the caller's: nothing is unexpected to the server.
#[test]
fn any_input_gets_a_proper_reply() {
    let server = Server::start();
    let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    let calls = (select(SERVICES), input(), select(&Format::BOTH[..]));
    let (succeeded, failed) = (Cell::new(0), Cell::new(0));
    let result = runner.run(&calls, |(service, input, format)| {
        let answer = server.api_in(format).call(service, &input);
        let counter = if answer.outcome.is_ok() { &succeeded } else { &failed };
        counter.set(counter.get() + 1);
        if let Err(failure) = &answer.outcome {
            // Nobody listens where the outgoing connections lead.
            let is_gateway = failure.details.contains("refused") || failure.details.contains("resolve");
            let is_expected = match (format, failure.code.as_deref()) {
                (Format::Json, _) => [400, 404, 409].contains(&answer.status),
                (Format::Soap, code) => code == Some("Client"),
            };
            prop_assert!(is_expected || is_gateway, "{}: {}", answer.status, failure.details);
        }
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    // Both ends were reached, or the inputs would be no test.
    assert!(succeeded.get() > 40 && failed.get() > 40, "{} and {}", succeeded.get(), failed.get());
    still_works(&server);
}
