//! Every built service of the public API, its success and its errors, stated once and made in both formats.
//!
//! A family states its cases in a file of its own under `families`. A service without one fails these tests.

mod cases;
mod families;
mod json;
mod soap;

use cases::Cases;
use families::FAMILIES;

use zato_kvdb::test_util::RedisServer;

use crate::support::backend::on_both_backends;
use crate::support::{Backend, Format, Launch};

on_both_backends!(every_service_answers_as_documented_in_json);

fn every_service_answers_as_documented_in_json(backend: Backend) {
    every_family(backend, Format::Json);
}

#[test]
fn every_service_answers_as_documented_in_soap() {
    every_family(Backend::Sqlite, Format::Soap);
}

/// What is in the key/value store is the same whichever it is.
#[test]
fn families_of_the_key_value_store_answer_alike_on_redis() {
    for format in Format::BOTH {
        for (family, state) in FAMILIES.iter().filter(|(family, _)| family.starts_with("kvdb")) {
            println!("-- {family}");
            let redis = RedisServer::start(&[]);
            let server = Launch::new().flag("--kvdb", redis.url(0)).start();
            let mut cases = Cases::new(&server, format);
            state(&mut cases);
            cases.finish(family);
        }
    }
}

/// Each family has a server of its own, so that none depends on what another one leaves behind.
#[track_caller]
fn every_family(backend: Backend, format: Format) {
    let only = std::env::var("ZATO_TEST_FAMILY").ok();
    for (family, state) in FAMILIES {
        if only.as_ref().is_some_and(|only| only != family) {
            continue;
        }
        println!("-- {family}");
        let server = families::start(family, backend);
        let mut cases = Cases::new(&server, format);
        state(&mut cases);
        cases.finish(family);
    }
}

#[test]
fn no_family_is_forgotten() {
    let listed: Vec<_> = FAMILIES.iter().map(|(family, _)| *family).collect();
    let built = zato_catalogue::families().iter().filter(|it| it.services.iter().any(|it| it.is_built()));
    let missing: Vec<_> = built.map(|family| family.name).filter(|name| !listed.contains(name)).collect();
    assert_eq!(missing, [""; 0], "these have no file in tests/it/api/families");
}
