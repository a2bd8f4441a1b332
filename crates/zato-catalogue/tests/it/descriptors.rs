//! The descriptors: how many there are, how they are named, and that lookups find them.

use std::collections::{BTreeMap, BTreeSet};

use zato_catalogue::{
    DefaultValue, ElementType, Service, Shape, Status, Version, by_name, families, services,
};

#[test]
fn there_are_333_services_of_the_original_in_68_families() {
    let (own, original): (Vec<_>, Vec<_>) =
        services().iter().partition(|service| service.versions.contains(&Version::Own));
    assert_eq!(original.len(), 333);
    let families_of = |services: &[&Service]| services.iter().map(|it| it.family).collect::<BTreeSet<_>>();
    assert_eq!(families_of(&original).len(), 68);
    assert_eq!(families().iter().map(|family| family.services.len()).sum::<usize>(), services().len());
    let older = original.iter().filter(|service| service.versions.contains(&Version::V1_1)).count();
    assert_eq!(older, 134);
    assert!(original.iter().all(|service| service.versions.contains(&Version::V2_0)));
    // What is our own says so and nothing else.
    assert!(own.iter().all(|service| service.versions.len() == 1));
    assert_eq!(families_of(&own), BTreeSet::from(["security.jwt"]));
}

#[test]
fn names_and_aliases_are_unique_and_found() {
    let mut names = BTreeSet::new();
    for service in services() {
        for name in std::iter::once(service.name).chain(service.aliases.iter().copied()) {
            assert!(names.insert(name), "{name} occurs twice");
            assert!(std::ptr::eq(by_name(name).unwrap(), *service), "{name} is another service");
        }
    }
    for name in ["", "zato", "zato.ping3", "zato.http-soap", "zato.zzz", "ZATO.PING"] {
        assert_eq!(by_name(name), None, "{name:?} is no service");
    }
}

#[test]
fn names_belong_to_their_family() {
    for family in families() {
        for service in family.services {
            assert_eq!(service.family, family.name);
            let prefix =
                if family.name == "core" { "zato.".to_owned() } else { format!("zato.{}.", family.name) };
            let action = service.name.strip_prefix(&prefix).unwrap_or_else(|| panic!("{}", service.name));
            assert!(!action.contains('.'), "{} is of another family", service.name);
        }
    }
}

/// The names that services were registered with by mistake, by the part that went wrong.
#[test]
fn wrong_names_are_aliases() {
    #[track_caller]
    fn check(right: &str, wrong: &str, count: usize) {
        let found: Vec<_> = services().iter().filter(|service| service.name.starts_with(right)).collect();
        assert_eq!(found.len(), count);
        for service in found {
            assert_eq!(service.aliases, [service.name.replacen(right, wrong, 1)]);
        }
    }
    check("zato.hot-deploy.", "zato.hot_deploy.", 1);
    check("zato.message.json-pointer.", "zato.server.message.json_pointer.", 4);
    check("zato.message.namespace.", "zato.server.message.namespace.", 4);
    check("zato.message.xpath.", "zato.server.message.xpath.", 4);
    check("zato.pubsub.message.", "zato.pubsub.message.create.", 3);
    check("zato.security.tls.ca-cert.", "zato.security.tls.ca_cert.", 4);
    check("zato.security.tls.key-cert.", "zato.security.tls.key_cert.", 4);
    for action in ["create", "delete", "edit", "get-list"] {
        let service = by_name(&format!("zato.notif.cloud.sql.{action}")).unwrap();
        assert_eq!(service.name, format!("zato.notif.sql.{action}"));
    }
    assert_eq!(services().iter().map(|service| service.aliases.len()).sum::<usize>(), 28);
}

#[test]
fn elements_are_named_after_the_service_except_where_the_original_errs() {
    let misnamed: BTreeMap<&str, (&str, &str)> = services()
        .iter()
        .filter(|service| !service.is_raw() && service.family != "checks.sio")
        .filter(|service| {
            let name = service.name.replace(['.', '-'], "_");
            service.request_element != format!("{name}_request")
                || service.response_element != format!("{name}_response")
        })
        .map(|service| (service.name, (service.request_element, service.response_element)))
        .collect();
    let same = |name: &str, element: &str| {
        (name.to_owned(), (format!("zato_{element}_request"), format!("zato_{element}_response")))
    };
    let mut expected: BTreeMap<String, (String, String)> = [
        same("zato.http-soap.get-audit-batch-info", "http_soap_get_batch_info"),
        same("zato.http-soap.set-audit-replace-patterns", "http_soap_set_replace_patterns"),
        same("zato.outgoing.odoo.create", "email_imap_create"),
        same("zato.outgoing.odoo.delete", "email_imap_delete"),
        same("zato.outgoing.odoo.edit", "email_imap_edit"),
        same("zato.outgoing.odoo.get-list", "email_imap_get_list"),
        same("zato.pattern.delivery.auto-resubmit", "pattern_delivery_edit"),
        same("zato.pattern.delivery.get-details", "pattern_delivery_in_doubt_get_list"),
        same("zato.pattern.delivery.get-list", "pattern_delivery_in_doubt_get_list"),
        same("zato.pubsub.producers.get-info", "pubsub_topics_get_info"),
        same("zato.stats.trends.get-trends", "stats_get_trends"),
    ]
    .into();
    for period in ["day", "month", "range", "week", "year"] {
        let (name, elements) = same(
            &format!("zato.stats.summary.get-summary-by-{period}"),
            &format!("stats_get_summary_by_{period}"),
        );
        expected.insert(name, elements);
    }
    let mut expect = |name: &str, request: &str, response: &str| {
        expected.insert(name.to_owned(), (request.to_owned(), response.to_owned()));
    };
    expect(
        "zato.service.get-request-response",
        "zato_service_get_request_response_request",
        "zato_service_request_response_response",
    );
    // These declare no names, so that those of the framework apply.
    expect("zato.info.get-server-info", "request", "response");
    expect("zato.pattern.delivery.dispatch", "request", "response");
    let misnamed: BTreeMap<String, (String, String)> = misnamed
        .into_iter()
        .map(|(name, (request, response))| (name.to_owned(), (request.to_owned(), response.to_owned())))
        .collect();
    assert_eq!(misnamed, expected);
}

#[test]
fn elements_make_sense() {
    for service in services() {
        for (side, elements) in [("input", service.input), ("output", service.output)] {
            let mut names = BTreeSet::new();
            let mut optional = false;
            for element in elements {
                let place = format!("{} {side} {}", service.name, element.name);
                assert!(names.insert(element.name), "{place} occurs twice");
                assert!(
                    !(optional && element.required),
                    "{place} is required but comes after an optional one"
                );
                optional |= !element.required;
                if let Some(default) = element.default {
                    assert!(side == "input" && !element.required, "{place} has a default");
                    let fits = matches!(
                        (element.kind, default),
                        (ElementType::Text, DefaultValue::Text(_))
                            | (ElementType::Integer, DefaultValue::Integer(_))
                            | (ElementType::Boolean, DefaultValue::Boolean(_))
                    );
                    assert!(fits, "{place} has a default of another type");
                }
                if element.since.is_some() {
                    assert!(
                        side == "output" || !element.required,
                        "{place} would break requests made for 1.1"
                    );
                }
            }
        }
        assert_eq!(
            service.output.is_empty(),
            matches!(service.shape, Shape::None | Shape::Raw),
            "{}",
            service.name
        );
        assert!(service.raw_input.is_none() || service.input.is_empty(), "{}", service.name);
    }
}

#[test]
fn built_services_are_the_ones_with_handlers() {
    let mut built = Vec::new();
    macro_rules! collect {
        (() typed { $($request:ty,)* } raw { $($raw:ty,)* }) => {
            $(built.push(<$request as zato_catalogue::Call>::SERVICE.name);)*
            $(built.push(<$raw as zato_catalogue::RawCall>::SERVICE.name);)*
        };
    }
    zato_catalogue::for_each_built_service!(collect);
    built.sort_unstable();
    let marked: Vec<_> = services()
        .iter()
        .filter(|service| service.status == Status::Built)
        .map(|service| service.name)
        .collect();
    assert_eq!(built, marked);
}

/// Types that cannot be told from names, as the values behind them have it.
#[test]
fn types_are_those_of_the_values() {
    #[track_caller]
    fn check(service: &str, element: &str, kind: ElementType) {
        let service = by_name(service).unwrap();
        let mut found =
            service.input.iter().chain(service.output).filter(|other| other.name == element).peekable();
        assert!(found.peek().is_some(), "there is no such element");
        for element in found {
            assert_eq!(element.kind, kind);
        }
    }
    check("zato.http-soap.create", "timeout", ElementType::Integer);
    check("zato.http-soap.get-list", "timeout", ElementType::Integer);
    check("zato.http-soap.get-list", "merge_url_params_req", ElementType::Boolean);
    check("zato.outgoing.amqp.create", "priority", ElementType::Integer);
    check("zato.outgoing.amqp.get-list", "delivery_mode", ElementType::Integer);
    check("zato.outgoing.amqp.create", "app_id", ElementType::AsIs);
    check("zato.definition.amqp.create", "port", ElementType::Integer);
    check("zato.outgoing.ftp.create", "port", ElementType::Integer);
    check("zato.pubsub.consumers.create", "max_depth", ElementType::Integer);
    check("zato.pubsub.message.get", "expiration", ElementType::Integer);
    check("zato.scheduler.job.create", "start_date", ElementType::Datetime);
    check("zato.scheduler.job.create", "repeats", ElementType::Integer);
    check("zato.server.get-by-id", "up_mod_date", ElementType::Datetime);
    check("zato.service.get-by-name", "time_mean_all_time", ElementType::Float);
    check("zato.service.has-wsdl", "has_wsdl", ElementType::Boolean);
    check("zato.service.get-deployment-info-list", "details", ElementType::Dict);
    check("zato.stats.summary.get-summary-by-month", "start", ElementType::Text);
    check("zato.stats.summary.get-summary-by-range", "start", ElementType::Datetime);
}

/// What the original returns by accident is not part of the API.
#[test]
fn accidental_outputs_are_gone() {
    #[track_caller]
    fn check(service: &str, expected: &[&str]) {
        let output: Vec<_> = by_name(service).unwrap().output.iter().map(|element| element.name).collect();
        assert_eq!(output, expected);
    }
    for family in [
        "query.cassandra",
        "security.rbac.role",
        "security.tls.ca-cert",
        "security.tls.key-cert",
        "notif.sql",
    ] {
        check(&format!("zato.{family}.delete"), &[]);
    }
    check("zato.query.cassandra.create", &["id", "name"]);
    check("zato.security.rbac.role.edit", &["id", "name", "parent_id", "parent_name"]);
    check("zato.security.tls.channel.create", &["id", "name"]);
    check("zato.security.tls.key-cert.create", &["id", "name", "info"]);
}
