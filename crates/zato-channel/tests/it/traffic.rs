//! Changes of every kind while calls come in: each reply is that of one moment.
//!
//! The writer notes down what the channels are to be, then changes them, then says that it has. So a reply has to be one that
//! the channels give in some state between the one that was in effect when the call began and the newest one when it ended.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, RwLock};
use std::thread;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;
use zato_channel::{ChannelConfig, FailureDelays, Pages, Password, Security, SecurityKind, Settings};
use zato_service::{Context, Description, Registration};

use crate::support::{House, call, get, json, with};

/// The paths of channels, and what requests for them ask for.
const PATHS: [(&str, &str); 4] = [("/a", "/a"), ("/b", "/b"), ("/c/{x}", "/c/1"), ("/c/d", "/c/d")];

const PASSWORDS: [&str; 2] = ["zero", "one"];

/// A channel as somebody configures it. Its definition comes along.
#[derive(Clone, Debug)]
struct Channel {
    path: usize,
    service: usize,
    is_active: bool,
    definition: Option<(i64, Definition)>,
}

#[derive(Clone, Copy, Debug)]
struct Definition {
    password: usize,
    is_active: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Put(i64, Channel),
    Remove(i64),
    PutSecurity(i64, Definition),
    RemoveSecurity(i64),
    /// Two channels change places, guards included.
    Swap(i64, i64),
}

/// What the channels are to be.
#[derive(Clone, Debug, Default)]
struct State {
    channels: BTreeMap<i64, Channel>,
    definitions: BTreeMap<i64, Definition>,
}

/// A reply: its status, and the number of the service if there was one.
type Outcome = (u16, String);

impl State {
    /// The state after a change; none if the change is refused.
    fn after(&self, change: &Change) -> Option<Self> {
        let mut next = self.clone();
        match change {
            Change::Put(id, channel) => {
                let is_taken = |(other, it): (&i64, &Channel)| other != id && it.path == channel.path;
                if next.channels.iter().any(is_taken) {
                    return None;
                }
                next.definitions.extend(channel.definition);
                next.channels.insert(*id, channel.clone());
            }
            Change::Remove(id) => drop(next.channels.remove(id)),
            Change::PutSecurity(id, definition) => drop(next.definitions.insert(*id, *definition)),
            Change::RemoveSecurity(id) => next
                .channels
                .retain(|_, channel| channel.definition.is_none_or(|(definition, _)| definition != *id)),
            Change::Swap(one, other) => {
                let (first, second) = (next.channels.get(one).cloned(), next.channels.get(other).cloned());
                let (Some(first), Some(second)) = (first, second) else { return Some(next) };
                next.channels.insert(*one, Channel { service: first.service, ..second.clone() });
                next.channels.insert(*other, Channel { service: second.service, ..first });
            }
        }
        Some(next)
    }

    /// What a call is answered.
    fn outcome(&self, path: usize, password: usize) -> Outcome {
        let at = |wanted: usize| self.channels.values().find(|channel| channel.path == wanted);
        // `/c/d` also is one of `/c/{x}`.
        let channel = at(path).or_else(|| if path == 3 { at(2) } else { None });
        let Some(channel) = channel.filter(|channel| channel.is_active) else { return (404, String::new()) };
        let is_let_in = channel.definition.is_none_or(|(id, _)| {
            let definition = self.definitions[&id];
            definition.is_active && definition.password == password
        });
        if is_let_in { (200, channel.service.to_string()) } else { (401, String::new()) }
    }
}

fn security(id: i64, definition: Definition) -> Arc<Security> {
    let password = Password::from(PASSWORDS[definition.password]);
    let kind = SecurityKind::BasicAuth { realm: String::new(), username: "u".to_owned(), password };
    Arc::new(Security::new(id, format!("definition {id}"), definition.is_active, kind).unwrap())
}

/// The house, and what is needed to change its channels.
struct Changing {
    house: House,
    services: Vec<Arc<Registration>>,
}

impl Changing {
    fn new() -> Self {
        let failure_delays = FailureDelays { free: u32::MAX, ..FailureDelays::default() };
        let house = House::with(Pages::new(), Settings { failure_delays, ..Settings::default() });
        let services = (0..3_i64).map(|number| {
            let description = Description::new(format!("number.{number}")).response_element(None::<String>);
            house.service(description, move |_: &mut Context, ()| Ok(number))
        });
        let services = services.collect();
        Self { house, services }
    }

    fn config(&self, id: i64, channel: &Channel, state: &State) -> ChannelConfig {
        let definition =
            channel.definition.map(|(definition, _)| (definition, state.definitions[&definition]));
        ChannelConfig {
            is_active: channel.is_active,
            security: definition.map(|(id, definition)| security(id, definition)),
            ..json(id, PATHS[channel.path].0, &self.services[channel.service])
        }
    }

    /// Makes a change, which leads to this state.
    fn apply(&self, change: &Change, state: &State) {
        let channels = &self.house.channels;
        match change {
            Change::Put(id, channel) => channels.put(self.config(*id, channel, state)).unwrap(),
            Change::Remove(id) => channels.remove(*id),
            Change::PutSecurity(id, definition) => {
                channels.put_security(&security(*id, *definition));
            }
            Change::RemoveSecurity(id) => channels.remove_security(*id),
            Change::Swap(..) => self.replace_all(state),
        }
    }

    fn replace_all(&self, state: &State) {
        let configs = state.channels.iter().map(|(id, channel)| self.config(*id, channel, state));
        let errors = self.house.channels.replace_all(configs);
        assert!(errors.is_empty(), "{errors:?}");
    }

    /// Makes all changes while callers call.
    fn run(&self, changes: &[Change]) {
        let history = RwLock::new(vec![State::default()]);
        let (applied, calls, is_done) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicBool::new(false));
        self.replace_all(&State::default());
        thread::scope(|scope| {
            for caller in 0..2 {
                let (history, applied, calls, is_done) = (&history, &applied, &calls, &is_done);
                scope.spawn(move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                    let mut number = caller;
                    while !is_done.load(SeqCst) {
                        let (path, password) = (number % PATHS.len(), number / PATHS.len() % 2);
                        let authorization =
                            format!("Basic {}", BASE64_STANDARD.encode(format!("u:{}", PASSWORDS[password])));
                        let request = with(get(PATHS[path].1), "authorization", &authorization);
                        let first = applied.load(SeqCst);
                        let reply = runtime.block_on(call(&self.house.dispatcher, request));
                        let is_ok = reply.status.is_success();
                        let outcome = (reply.status.as_u16(), if is_ok { reply.body } else { String::new() });
                        let states = history.read().unwrap();
                        let is_explained =
                            states[first..].iter().any(|state| state.outcome(path, password) == outcome);
                        if !is_explained {
                            // The writer waits for calls, and would wait for this one.
                            is_done.store(true, SeqCst);
                            panic!("{outcome:?} for {} in none of {:?}", PATHS[path].1, &states[first..]);
                        }
                        drop(states);
                        calls.fetch_add(1, SeqCst);
                        number += 1;
                    }
                });
            }
            for change in changes {
                let before = calls.load(SeqCst);
                let state = history.read().unwrap().last().unwrap().clone();
                let Some(next) = state.after(change) else {
                    let Change::Put(id, channel) = change else { unreachable!("nothing else is refused") };
                    let mut intended = state.clone();
                    intended.definitions.extend(channel.definition);
                    assert!(self.house.channels.put(self.config(*id, channel, &intended)).is_err());
                    continue;
                };
                history.write().unwrap().push(next.clone());
                self.apply(change, &next);
                applied.fetch_add(1, SeqCst);
                // Some calls are made in each state.
                while calls.load(SeqCst) < before + 4 && !is_done.load(SeqCst) {
                    thread::yield_now();
                }
            }
            is_done.store(true, SeqCst);
        });
    }
}

fn definition() -> impl Strategy<Value = Definition> {
    (0..PASSWORDS.len(), prop::bool::weighted(0.8))
        .prop_map(|(password, is_active)| Definition { password, is_active })
}

fn channel() -> impl Strategy<Value = Channel> {
    let guard = prop::option::weighted(0.7, (0..2_i64, definition()));
    (0..PATHS.len(), 0..3_usize, prop::bool::weighted(0.8), guard)
        .prop_map(|(path, service, is_active, definition)| Channel { path, service, is_active, definition })
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => (0..4_i64, channel()).prop_map(|(id, channel)| Change::Put(id, channel)),
        1 => (0..4_i64).prop_map(Change::Remove),
        3 => (0..2_i64, definition()).prop_map(|(id, definition)| Change::PutSecurity(id, definition)),
        1 => (0..2_i64).prop_map(Change::RemoveSecurity),
        2 => (0..4_i64, 0..4_i64).prop_map(|(one, other)| Change::Swap(one, other)),
    ]
}

#[test]
fn each_reply_is_that_of_one_moment() {
    let changing = Changing::new();
    proptest!(ProptestConfig::with_cases(64), |(changes in prop::collection::vec(change(), 1..60))| {
        changing.run(&changes);
    });
}
