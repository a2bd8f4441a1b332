//! `zato.stats`, `zato.stats.summary` and `zato.stats.trends`.

use serde_json::{Value, json};

use super::super::cases::{Cases, NO_ID};
use crate::support::api::with;

/// A stretch of time before anything was called.
fn stretch() -> Value {
    json!({"start": "2020-01-01T00:00:00", "stop": "2020-01-01T01:00:00"})
}

pub(super) fn cases(cases: &mut Cases<'_>) {
    let by_service = "zato.stats.get-by-service";
    let id = cases.server.api().service("zato.ping")["id"].as_i64().expect("services have ids");
    let input = with(&stretch(), &json!({"service_id": id}));
    // Nobody has called it then: all elements are empty.
    let report = cases.call(by_service, &input);
    assert!(matches!(&report["usage"], Value::Null) || report["usage"] == "", "{report}");
    cases.fails(by_service, &with(&input, &json!({"service_id": NO_ID})), 404, &["987654"]);
    let too_long = with(&input, &json!({"stop": "2021-01-01"}));
    cases.fails(by_service, &too_long, 400, &["days apart"]);

    cases.nothing("zato.stats.delete", &stretch());
    for job in ["aggregate-by-minute", "aggregate-by-hour", "aggregate-by-day", "aggregate-by-month"] {
        cases.nothing(&format!("zato.stats.{job}"), &json!({}));
    }
    let process = "zato.stats.process-raw-times";
    cases.nothing(process, &json!("max_batch_size=99999"));
    cases.fails(process, &json!("batch=1"), 400, &["max_batch_size"]);
}

pub(super) fn trends(cases: &mut Cases<'_>) {
    let trends = "zato.stats.trends.get-trends";
    let input = with(&stretch(), &json!({"n": 10, "n_type": "mean"}));
    cases.empty_list(trends, &input);
    cases.empty_list(trends, &with(&input, &json!({"n": 0, "n_type": ""})));
    cases.fails(
        trends,
        &with(&input, &json!({"n_type": "colour"})),
        400,
        &["n_type must be an element", "colour"],
    );
    cases.fails(trends, &with(&input, &json!({"n_type": ""})), 400, &["n:[10], n_type:[None]"]);
    cases.fails(trends, &with(&input, &json!({"n": -1})), 400, &["n [-1]"]);
}

pub(super) fn summary(cases: &mut Cases<'_>) {
    let of = |period: &str| format!("zato.stats.summary.get-summary-by-{period}");
    for (period, start) in
        [("day", "2020-02-03"), ("week", "2020-02-03"), ("month", "2020-02"), ("year", "2020")]
    {
        let service = of(period);
        let input = json!({"start": start, "n": 10, "n_type": "usage"});
        cases.empty_list(&service, &input);
        cases.fails(&service, &with(&input, &json!({"start": "yesterday"})), 400, &["start", "yesterday"]);
        cases.nothing(&format!("zato.stats.summary.create-summary-by-{period}"), &json!({}));
    }
    let range = of("range");
    let input = with(&stretch(), &json!({"n": 10, "n_type": "usage"}));
    cases.empty_list(&range, &input);
    let reversed = with(&input, &json!({"stop": "2019-01-01"}));
    cases.fails(&range, &reversed, 400, &["must not be greater than stop"]);
    let short = with(&input, &json!({"stop": "2020-01-01T00:02:59"}));
    cases.fails(&range, &short, 400, &["must be at least [3] minutes apart"]);
}

pub(super) fn slow_response(cases: &mut Cases<'_>) {
    let (list, get) = ("zato.service.slow-response.get-list", "zato.service.slow-response.get");
    let service = cases.server.api().service("zato.ping2")["id"].clone();
    // Everything takes longer than nothing.
    let edit = json!({"id": service, "is_active": true, "slow_threshold": 0});
    cases.server.api().call("zato.service.edit", &edit).ok();
    cases.server.api().call("zato.ping2", &json!({"a": 1})).ok();
    let found = crate::support::eventually("the slow call is recorded", || {
        let answer = cases.server.api().call(list, &json!({"name": "zato.ping2"})).ok();
        answer.as_array().and_then(|calls| calls.first().cloned())
    });
    let input = json!({"name": "zato.ping2", "cid": found["cid"]});
    cases.list(list, &json!({"name": "zato.ping2"}));
    cases.empty_list(list, &json!({"name": "no.such"}));
    let shown = json!({"cid": found["cid"], "req": "{\"a\":1}", "resp": "{\"zato_ping2_response\":{\"pong\":\"zato\"}}"});
    cases.item(get, &input, &shown);
    let other = cases.call(get, &json!({"name": "zato.ping2", "cid": "K0"}));
    assert!(matches!(&other["cid"], Value::Null) || other["cid"] == "", "{other}");
}
