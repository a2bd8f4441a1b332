//! Jobs run by themselves, on one server of a cluster, also when that one is gone.

use std::fs;
use std::time::Instant;

use serde_json::{Value, json};

use crate::support::launch::Home;
use crate::support::postgres::Database;
use crate::support::{Launch, Server, eventually};

/// How many times a server has run a job, by what the job's service logs.
fn runs(server: &Server, job: &str) -> usize {
    server
        .log()
        .lines()
        .filter(|line| line.contains("input") && line.contains(&format!("marked-{job}")))
        .count()
}

fn create(server: &Server, name: &str, details: &Value) -> i64 {
    let mut job = json!({
        "cluster_id": 1, "name": name, "is_active": true, "job_type": "interval_based",
        "service": "zato.helpers.input-logger", "start_date": "2020-01-01 00:00:00", "seconds": 1,
        "extra": format!("marked-{name}"),
    });
    job.as_object_mut().unwrap().extend(details.as_object().unwrap().clone());
    server.api().id_of("zato.scheduler.job.create", &job)
}

fn is_active(server: &Server, name: &str) -> bool {
    let input = json!({"cluster_id": 1, "name": name});
    server.api().call("zato.scheduler.job.get-by-name", &input).ok()["is_active"] == true
}

#[test]
fn jobs_run_and_changes_take_effect_at_once() {
    let server = Launch::new().start();
    let polling = create(&server, "polling", &json!({}));
    create(&server, "late", &json!({"job_type": "one_time", "seconds": ""}));
    create(&server, "cron", &json!({"job_type": "cron_style", "cron_definition": "* * * * *"}));
    eventually("the job runs", || (runs(&server, "polling") >= 2).then_some(()));
    server.api().call("zato.scheduler.job.delete", &json!({"id": polling})).ok();
    let count = runs(&server, "polling");
    let inactive = create(&server, "inactive", &json!({"is_active": false}));
    server.api().call("zato.scheduler.job.execute", &json!({"id": inactive})).ok();
    eventually("a one-time job runs late, ten seconds after it was created", || {
        (runs(&server, "late") == 1).then_some(())
    });
    assert!(!is_active(&server, "late"));
    assert!(runs(&server, "polling") <= count + 1, "a job that was deleted goes on");
    assert_eq!(runs(&server, "inactive"), 0);
    let again = server.stop().start();
    assert_eq!(runs(&again, "late"), 0);
}

#[test]
fn one_server_runs_each_job_and_another_takes_over() {
    let database = Database::create();
    let launch = |name: &str| Launch::new().flag("--odb", database.url()).flag("--server-name", name);
    let first = launch("server1").start();
    create(&first, "shared", &json!({}));
    eventually("the first server leads", || (runs(&first, "shared") >= 1).then_some(()));
    let home = Home::new();
    fs::create_dir(home.data()).unwrap();
    fs::copy(first.data().join("secret.key"), home.data().join("secret.key")).unwrap();
    let second = launch("server2").start_in(home);
    let before = runs(&first, "shared");
    eventually("the first server goes on", || (runs(&first, "shared") >= before + 3).then_some(()));
    assert_eq!(runs(&second, "shared"), 0);
    let killed = Instant::now();
    drop(first.kill());
    eventually("the second server takes over", || (runs(&second, "shared") >= 1).then_some(()));
    // Eleven to fourteen seconds by design; the rest is how busy this machine is.
    println!("a killed leader was replaced after {:?}", killed.elapsed());
    let before = runs(&second, "shared");
    eventually("the second server goes on", || (runs(&second, "shared") >= before + 2).then_some(()));
}
