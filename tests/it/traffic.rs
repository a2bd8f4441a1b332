//! Changes of the configuration over the public API while callers call: each reply is that of one moment.
//!
//! The one who changes notes down what is to be, then makes the change, then says that it is made. So a reply has to be one of
//! some state between the one that was in effect when the call began and the newest one when it ended.

use std::collections::BTreeMap;
use std::sync::RwLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::support::api::{json_channel, user, with};
use crate::support::backend::on_both_backends;
use crate::support::{Backend, Format, Server};

on_both_backends!(each_reply_is_that_of_one_moment);

const PATHS: [&str; 4] = ["/a", "/b", "/c", "/d"];
const SERVICES: [&str; 2] = ["zato.ping", "zato.ping2"];
const PASSWORDS: [&str; 2] = ["password-zero", "password-one"];
const CHANNELS: usize = 3;
const DEFINITIONS: usize = 3;
const CHANGES: usize = 60;

/// A channel, by the places of what it has in the lists above.
#[derive(Clone, Debug)]
struct Channel {
    path: usize,
    service: usize,
    is_active: bool,
    guard: Option<usize>,
}

#[derive(Clone, Debug)]
enum Change {
    Edit(usize, Channel),
    Delete(usize),
    Password(usize, usize),
    Activate(usize, bool),
    Rename(usize),
}

#[derive(Clone, Debug)]
struct State {
    channels: BTreeMap<usize, Channel>,
    /// The password, and whether it lets anybody in.
    definitions: [(usize, bool); DEFINITIONS],
}

impl State {
    fn after(&self, change: &Change) -> Self {
        let mut next = self.clone();
        match change {
            Change::Edit(channel, new) => {
                let is_taken = |(other, it): (&usize, &Channel)| other != channel && it.path == new.path;
                if !self.channels.iter().any(is_taken) {
                    next.channels.insert(*channel, new.clone());
                }
            }
            Change::Delete(channel) => drop(next.channels.remove(channel)),
            Change::Password(definition, password) => next.definitions[*definition].0 = *password,
            Change::Activate(definition, is_active) => next.definitions[*definition].1 = *is_active,
            Change::Rename(_) => {}
        }
        next
    }

    /// The status that a call gets, and the service that answers.
    fn outcome(&self, path: usize, definition: usize, password: usize) -> (u16, Option<usize>) {
        let channel = self.channels.values().find(|channel| channel.path == path && channel.is_active);
        let Some(channel) = channel else { return (404, None) };
        let is_let_in = |guard| guard == definition && self.definitions[guard] == (password, true);
        if channel.guard.is_none_or(is_let_in) { (200, Some(channel.service)) } else { (401, None) }
    }
}

fn changes() -> Vec<Change> {
    let channel = || {
        let guard = prop::option::weighted(0.7, 0..DEFINITIONS);
        (0..PATHS.len(), 0..SERVICES.len(), prop::bool::weighted(0.9), guard)
            .prop_map(|(path, service, is_active, guard)| Channel { path, service, is_active, guard })
    };
    let change = prop_oneof![
        6 => (0..CHANNELS, channel()).prop_map(|(id, channel)| Change::Edit(id, channel)),
        1 => (0..CHANNELS).prop_map(Change::Delete),
        3 => (0..DEFINITIONS, 0..PASSWORDS.len()).prop_map(|(id, password)| Change::Password(id, password)),
        2 => (0..DEFINITIONS, prop::bool::weighted(0.7)).prop_map(|(id, active)| Change::Activate(id, active)),
        1 => (0..DEFINITIONS).prop_map(Change::Rename),
    ];
    let mut runner = TestRunner::default();
    prop::collection::vec(change, CHANGES).new_tree(&mut runner).unwrap().current()
}

/// What the changes are made with.
struct Changing<'a> {
    server: &'a Server,
    /// The ids of the channels that are there.
    channels: BTreeMap<usize, i64>,
    definitions: [i64; DEFINITIONS],
}

impl Changing<'_> {
    fn make(&mut self, round: usize, change: &Change, state: &State) {
        let api = self.server.api_in(Format::BOTH[round % 2]);
        let definition = |number: usize, changes: Value| {
            let input = with(&user(&format!("User {number}")), &json!({"id": self.definitions[number]}));
            let changes = with(&json!({"is_active": state.definitions[number].1}), &changes);
            api.id_of("zato.security.basic-auth.edit", &with(&input, &changes));
        };
        match change {
            Change::Edit(number, new) => {
                let guard = new.guard.map(|guard| self.definitions[guard]);
                let others = json!({"is_active": new.is_active, "security_id": guard});
                let channel =
                    json_channel(&format!("Channel {number}"), PATHS[new.path], SERVICES[new.service]);
                let channel = with(&channel, &others);
                let answer = match self.channels.get(number) {
                    Some(id) => api.call("zato.http-soap.edit", &with(&channel, &json!({"id": id}))),
                    None => api.call("zato.http-soap.create", &channel),
                };
                // One whose path is taken is refused, and changes nothing.
                if answer.status == 200 {
                    let id = answer.ok()["id"].clone();
                    let id = id.as_i64().or_else(|| id.as_str()?.parse().ok()).expect("an id");
                    self.channels.insert(*number, id);
                }
            }
            Change::Delete(number) => {
                if let Some(id) = self.channels.remove(number) {
                    api.delete_http(id);
                }
            }
            Change::Password(number, password) => {
                api.change_password(self.definitions[*number], PASSWORDS[*password]);
            }
            Change::Activate(number, _) => definition(*number, json!({})),
            // The name of a definition is no business of its callers, unless it is their user name.
            Change::Rename(number) => {
                definition(*number, json!({"name": format!("Renamed {number} {round}")}))
            }
        }
    }
}

fn each_reply_is_that_of_one_moment(backend: Backend) {
    let server = backend.launch().flag("--trusted-proxies", "127.0.0.1").start();
    let definitions =
        [0, 1, 2].map(|number| server.api().create_user(&format!("User {number}"), PASSWORDS[0]));
    let begin = State { channels: BTreeMap::new(), definitions: [(0, true); DEFINITIONS] };
    let history = RwLock::new(vec![begin]);
    let (applied, calls, is_over) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
    let changes = changes();
    println!("{changes:?}");
    thread::scope(|scope| {
        for caller in 0..3 {
            let (server, history, applied, calls, is_over) = (&server, &history, &applied, &calls, &is_over);
            scope.spawn(move || {
                let mut number = caller;
                while !is_over.load(SeqCst) {
                    let path = number % PATHS.len();
                    // Mostly those who should be let in, because the answers to others are held back.
                    let newest = history.read().unwrap().last().unwrap().clone();
                    let guard = newest.channels.values().find(|it| it.path == path).and_then(|it| it.guard);
                    let definition = guard.unwrap_or(number % DEFINITIONS);
                    let right = newest.definitions[definition].0;
                    let password = if number % 40 == 39 { 1 - right } else { right };
                    let first = applied.load(SeqCst);
                    let reply = server
                        .request("GET", PATHS[path])
                        .auth(&format!("User {definition}"), PASSWORDS[password])
                        .header("X-Forwarded-For", &format!("198.51.{}.{}", number / 250 % 250, number % 250))
                        .send();
                    let answered = (0..SERVICES.len()).find(|service| {
                        let element = format!("{}_response", SERVICES[*service].replace('.', "_"));
                        reply.status == 200 && reply.json()[element]["pong"] == "zato"
                    });
                    let states = history.read().unwrap();
                    let outcome = (reply.status, answered);
                    let is_explained = states[first..]
                        .iter()
                        .any(|state| state.outcome(path, definition, password) == outcome);
                    assert!(
                        is_explained,
                        "{path} {definition} {password}: {outcome:?} in none of {:?}",
                        &states[first..]
                    );
                    drop(states);
                    calls.fetch_add(1, SeqCst);
                    number += 3;
                }
            });
        }
        let mut changing = Changing { server: &server, channels: BTreeMap::new(), definitions };
        for (round, change) in changes.iter().enumerate() {
            let next = history.read().unwrap().last().unwrap().after(change);
            history.write().unwrap().push(next.clone());
            changing.make(round, change, &next);
            applied.fetch_add(1, SeqCst);
        }
        is_over.store(true, SeqCst);
    });
    println!("{} calls during {CHANGES} changes", calls.load(SeqCst));
}
