//! `zato.scheduler.job`.

use serde_json::{Value, json};

use super::super::cases::{Cases, NO_ID};
use crate::support::api::with;

/// A job that does not run while the cases are made.
fn job(name: &str, job_type: &str, details: &Value) -> Value {
    let job = json!({
        "cluster_id": 1, "name": name, "is_active": true, "job_type": job_type, "service": "zato.helpers.input-logger",
        "start_date": "2099-05-04 19:01:40",
    });
    with(&job, details)
}

pub(super) fn cases(cases: &mut Cases<'_>) {
    let create = "zato.scheduler.job.create";
    let interval = json!({"minutes": 90, "seconds": 0, "repeats": 3, "extra": "name=value", "weeks": 1, "days": 2, "hours": 3});
    let polling = job("Polling", "interval_based", &interval);
    let polling_id = cases.id(create, &polling);
    let once = cases.id(create, &job("Once", "one_time", &json!({"start_date": "2099-05-04T19:01:40"})));
    let nightly = job("Nightly", "cron_style", &json!({"cron_definition": " 0  2 * *  mon "}));
    let nightly_id = cases.id(create, &nightly);
    let named = job("Named", "cron_style", &json!({"cron_definition": "@hourly"}));
    cases.item(create, &named, &json!({"name": "Named", "cron_definition": "@hourly"}));

    let wrong = |details: Value| job("Wrong", "interval_based", &details);
    let one_of = "At least one of ['weeks', 'days', 'hours', 'minutes', 'seconds'] must be given";
    cases.fails(create, &wrong(json!({"job_type": "hourly"})), 400, &["Unrecognized job type [hourly]"]);
    cases.fails(
        create,
        &wrong(json!({"name": "Polling"})),
        409,
        &["Job [Polling] already exists on this cluster"],
    );
    cases.fails(
        create,
        &wrong(json!({"service": "no.such"})),
        404,
        &["Service [no.such] does not exist on this cluster"],
    );
    cases.fails(create, &wrong(json!({})), 400, &[one_of]);
    cases.fails(create, &wrong(json!({"minutes": 0, "seconds": ""})), 400, &[one_of]);
    cases.fails(create, &wrong(json!({"minutes": -5})), 400, &["minutes", "-5"]);
    cases.fails(create, &wrong(json!({"minutes": 5, "repeats": -5})), 400, &["repeats", "-5"]);
    let cron = |text: &str| wrong(json!({"job_type": "cron_style", "cron_definition": text}));
    cases.fails(create, &cron("* * *"), 400, &["Expression [* * *] is invalid"]);
    cases.fails(create, &cron("@reboot"), 400, &["it must be one of [@yearly", "[@reboot]"]);
    cases.fails(create, &cron("61 * * * *"), 400, &["61"]);
    cases.fails(create, &cron(""), 400, &["is invalid"]);

    let shown = json!({
        "id": polling_id, "name": "Polling", "is_active": true, "job_type": "interval_based",
        "start_date": "2099-05-04T19:01:40", "service_name": "zato.helpers.input-logger", "extra": "name=value",
        "weeks": 1, "days": 2, "hours": 3, "minutes": 90, "repeats": 3,
    });
    let (list, by_name) = ("zato.scheduler.job.get-list", "zato.scheduler.job.get-by-name");
    cases.list_with(list, &json!({"cluster_id": 1}), &shown);
    cases.empty_list(list, &json!({"cluster_id": NO_ID}));
    cases.item(by_name, &json!({"cluster_id": 1, "name": "Polling"}), &shown);
    let weekly = json!({"id": nightly_id, "cron_definition": "0 2 * * mon"});
    cases.item(by_name, &json!({"cluster_id": 1, "name": "Nightly"}), &weekly);
    cases.fails(by_name, &json!({"cluster_id": 1, "name": "Wrong"}), 404, &["Wrong"]);

    let edit = "zato.scheduler.job.edit";
    let edited = with(
        &polling,
        &json!({"id": polling_id, "name": "Rarely", "weeks": 4, "extra": "", "is_active": false}),
    );
    cases.id(edit, &edited);
    let shown = json!({"id": polling_id, "weeks": 4, "is_active": false, "minutes": 90});
    cases.item(by_name, &json!({"cluster_id": 1, "name": "Rarely"}), &shown);
    cases.fails(
        edit,
        &with(&edited, &json!({"name": "Once"})),
        409,
        &["Job [Once] already exists on this cluster"],
    );
    cases.fails(edit, &with(&edited, &json!({"id": NO_ID, "name": "D"})), 404, &["987654"]);
    cases.fails(edit, &with(&edited, &json!({"service": "no.such"})), 404, &["no.such"]);

    let status = "zato.scheduler.job.set-active-status";
    cases.nothing(status, &json!({"id": polling_id, "is_active": true}));
    cases.item(by_name, &json!({"cluster_id": 1, "name": "Rarely"}), &json!({"is_active": true}));
    cases.fails(status, &json!({"id": NO_ID, "is_active": true}), 404, &["987654"]);

    let execute = "zato.scheduler.job.execute";
    cases.nothing(execute, &json!({"id": once}));
    cases.item(by_name, &json!({"cluster_id": 1, "name": "Once"}), &json!({"is_active": true}));
    cases.fails(execute, &json!({"id": NO_ID}), 404, &["987654"]);

    let delete = "zato.scheduler.job.delete";
    cases.nothing(delete, &json!({"id": once}));
    cases.fails(delete, &json!({"id": once}), 404, &[&once.to_string()]);
    cases.fails(by_name, &json!({"cluster_id": 1, "name": "Once"}), 404, &["Once"]);
}
