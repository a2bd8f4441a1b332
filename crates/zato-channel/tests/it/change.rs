//! Channels that change while calls come in.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::StatusCode;
use proptest::prelude::*;
use zato_channel::{ChannelConfig, FailureDelays, Pages, Settings};
use zato_service::{Context, Description};

use crate::support::{House, basic_auth, call, get, json, with};

/// Services that answer with their number.
fn numbered(house: &House, count: i64) -> Vec<ChannelConfig> {
    (0..count)
        .map(|number| {
            let description = Description::new(format!("number.{number}")).response_element(None::<String>);
            let service = house.service(description, move |_: &mut Context, ()| Ok(number));
            json(number, &format!("/{number}"), &service)
        })
        .collect()
}

#[test]
fn a_request_sees_one_table() {
    let house = patient();
    let [first, second] = numbered(&house, 2).try_into().unwrap();
    // The two swap their paths and their passwords. Half a swap would let a password reach the other's service.
    let table = |swapped: bool| {
        let (a, b) = if swapped { ("/b", "/a") } else { ("/a", "/b") };
        let at = |config: &ChannelConfig, path: &str, password| ChannelConfig {
            url_path: path.to_owned(),
            security: Some(basic_auth(config.id, "u", password)),
            ..config.clone()
        };
        [at(&first, a, "0"), at(&second, b, "1")]
    };
    assert!(house.channels.replace_all(table(false)).is_empty());
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..400 {
                assert!(house.channels.replace_all(table(round % 2 == 0)).is_empty());
            }
            is_done.store(true, Relaxed);
        });
        for password in ["0", "1"] {
            let (dispatcher, is_done) = (&house.dispatcher, &is_done);
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let authorization = if password == "0" { "Basic dTow" } else { "Basic dTox" };
                while !is_done.load(Relaxed) {
                    for path in ["/a", "/b"] {
                        let request = with(get(path), "authorization", authorization);
                        let reply = runtime.block_on(call(dispatcher, request));
                        match reply.status {
                            StatusCode::OK => assert_eq!(reply.body, password),
                            status => assert_eq!(status, StatusCode::UNAUTHORIZED),
                        }
                    }
                }
            });
        }
    });
}

/// A user's name and password change together, whoever calls meanwhile and through whichever channel.
#[test]
fn a_request_sees_one_definition() {
    let house = patient();
    for config in numbered(&house, 2) {
        house.put(ChannelConfig { security: Some(basic_auth(1, "u", "0")), ..config });
    }
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0..2_000 {
                let (user, password) = if round % 2 == 0 { ("v", "1") } else { ("u", "0") };
                house.channels.put_security(&basic_auth(1, user, password));
            }
            is_done.store(true, Relaxed);
        });
        for credentials in ["u:1", "v:0"] {
            let (dispatcher, is_done) = (&house.dispatcher, &is_done);
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                let authorization = format!("Basic {}", BASE64_STANDARD.encode(credentials));
                while !is_done.load(Relaxed) {
                    for path in ["/0", "/1"] {
                        let request = with(get(path), "authorization", &authorization);
                        let reply = runtime.block_on(call(dispatcher, request));
                        assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
                    }
                }
            });
        }
    });
}

/// A house that answers at once, however often callers fail.
fn patient() -> House {
    let failure_delays = FailureDelays { free: u32::MAX, ..FailureDelays::default() };
    House::with(Pages::new(), Settings { failure_delays, ..Settings::default() })
}

#[derive(Clone, Debug)]
enum Change {
    Put { id: i64, path: usize, security: Option<i64> },
    Remove(i64),
    RemoveSecurity(i64),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (0..6_i64, 0..PATHS.len(), proptest::option::of(0..2_i64))
            .prop_map(|(id, path, security)| Change::Put { id, path, security }),
        1 => (0..6_i64).prop_map(Change::Remove),
        1 => (0..2_i64).prop_map(Change::RemoveSecurity),
    ]
}

/// Each path, a request that only it matches, and the place of the path that it is in the way of.
const PATHS: [(&str, &str); 5] =
    [("/a", "/a"), ("/b/{x}", "/b/1"), ("/b/c", "/b/c"), ("/d-{x}", "/d-1"), ("/b/{x}/", "/b/1/")];

/// Whatever changes come in whatever order, look-ups agree with a plain list of the channels.
#[test]
fn tables_are_as_if_made_anew() {
    let house = House::new();
    let configs = numbered(&house, 6);
    proptest!(|(changes in proptest::collection::vec(change(), 1..30))| {
        house.channels.replace_all([]);
        let mut model: BTreeMap<i64, (usize, Option<i64>)> = BTreeMap::new();
        for change in changes {
            match change {
                Change::Put { id, path, security } => {
                    let config = ChannelConfig {
                        url_path: PATHS[path].0.to_owned(),
                        security: security.map(|id| basic_auth(id, "u", "0")),
                        ..configs[usize::try_from(id).unwrap()].clone()
                    };
                    let is_taken = model.iter().any(|(other, (taken, _))| *other != id && *taken == path);
                    prop_assert_eq!(house.channels.put(config).is_err(), is_taken);
                    if !is_taken {
                        model.insert(id, (path, security));
                    }
                }
                Change::Remove(id) => {
                    house.channels.remove(id);
                    model.remove(&id);
                }
                Change::RemoveSecurity(id) => {
                    house.channels.remove_security(id);
                    model.retain(|_, (_, security)| *security != Some(id));
                }
            }
            for (place, (_, request)) in PATHS.iter().enumerate() {
                let reply = house.call(with(get(request), "authorization", "Basic dTow"));
                let is_at = |wanted: usize| model.iter().find(|(_, (path, _))| *path == wanted).map(|(id, _)| *id);
                // `/b/c` also is one of `/b/{x}`.
                let expected = is_at(place).or_else(|| if place == 2 { is_at(1) } else { None });
                match expected {
                    Some(id) => prop_assert_eq!(reply.body, id.to_string()),
                    None => prop_assert_eq!(reply.status, StatusCode::NOT_FOUND),
                }
            }
        }
    });
}
