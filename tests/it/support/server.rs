//! A running server: its address and credentials, how it is stopped, and what it must never do.
//!
//! Owns the promises that hold in every test: no panic, no secret in what is printed, exit code 0 after SIGTERM.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::{Mutex, PoisonError};
use std::thread;

use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
use serde_json::Value;

use super::api::{Api, Format};
use super::http::{Client, Request};
use super::launch::{Home, Launch, Process};
use super::wait::eventually;

/// A server that accepts calls.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
    /// Taken when the server is stopped by hand, which leaves nothing to do at the end.
    home: Option<Home>,
    launch: Launch,
    address: SocketAddr,
    credentials: Value,
    client: Client,
    secrets: Mutex<Vec<String>>,
}

/// What a server that ended leaves, from which the next one can start.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) home: Home,
    pub(crate) launch: Launch,
    pub(crate) log: String,
}

impl Stopped {
    /// Starts the server again with the same flags and data.
    #[track_caller]
    pub(crate) fn start(self) -> Server {
        self.launch.start_in(self.home)
    }
}

impl Server {
    /// A new server on SQLite.
    #[track_caller]
    pub(crate) fn start() -> Self {
        Launch::new().start()
    }

    /// Waits until the child has written where it accepts calls.
    #[track_caller]
    pub(crate) fn wait(mut process: Process, home: Home, launch: Launch) -> Self {
        let pid = process.id();
        let ready = eventually_running(&mut process, &home, || {
            let text = fs::read_to_string(home.data().join("server.json")).ok()?;
            // A file of an earlier server, killed, may still be there.
            let server: Value = serde_json::from_str(&text).expect("server.json is written as a whole");
            (server["pid"] == pid).then_some(server)
        });
        let address = ready["http"].as_str().unwrap().parse().unwrap();
        // Only the server that creates a cluster tells its credentials.
        let credentials = fs::read_to_string(home.data().join("credentials.json"))
            .map_or(Value::Null, |text| text.parse().expect("credentials.json is JSON"));
        Self {
            process,
            home: Some(home),
            launch,
            address,
            credentials,
            client: Client::new(address),
            secrets: Mutex::default(),
        }
    }

    /// Where it accepts calls.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://` and the address.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    /// Lets it have only so many files and sockets from now on.
    pub(crate) fn limit_descriptors(&self, count: u64) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        let limit = Rlimit { current: Some(count), maximum: Some(count) };
        prlimit(pid, Resource::Nofile, limit).unwrap();
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.home().data()
    }

    /// The password of `pubapi` or `admin.invoke` as `credentials.json` has it.
    pub(crate) fn password(&self, user: &str) -> &str {
        self.credentials[user]["password"].as_str().unwrap_or_else(|| panic!("no {user} in credentials.json"))
    }

    /// What credentials.json holds.
    pub(crate) fn credentials(&self) -> &Value {
        &self.credentials
    }

    /// Adds a text that must never be printed or logged.
    pub(crate) fn keep_secret(&self, secret: &str) {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner).push(secret.to_owned());
    }

    /// A request over the keep-alive connections of this test.
    pub(crate) fn request(&self, method: &str, path: &str) -> Request<'_> {
        self.client.request(method, path)
    }

    /// The public API in JSON, as `pubapi`.
    pub(crate) fn api(&self) -> Api<'_> {
        self.api_in(Format::Json)
    }

    /// The public API in either format, as `pubapi`.
    pub(crate) fn api_in(&self, format: Format) -> Api<'_> {
        Api::new(self, format, "pubapi", self.password("pubapi"))
    }

    /// Everything logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home().stderr()).unwrap()
    }

    /// Everything printed to standard output so far.
    pub(crate) fn stdout(&self) -> String {
        fs::read_to_string(self.home().stdout()).unwrap()
    }

    /// The log lines that contain all of these texts.
    pub(crate) fn log_lines(&self, texts: &[&str]) -> Vec<String> {
        self.log()
            .lines()
            .filter(|line| texts.iter().all(|text| line.contains(text)))
            .map(str::to_owned)
            .collect()
    }

    /// Sends SIGTERM without waiting for anything.
    pub(crate) fn terminate(&self) {
        self.process.signal(Signal::TERM);
    }

    /// Sends SIGINT without waiting for anything.
    pub(crate) fn interrupt(&self) {
        self.process.signal(Signal::INT);
    }

    /// Sends SIGHUP without waiting for anything.
    pub(crate) fn hang_up(&self) {
        self.process.signal(Signal::HUP);
    }

    /// Kills it without waiting for anything.
    pub(crate) fn crash(&self) {
        self.process.signal(Signal::KILL);
    }

    /// Waits for the end that `terminate` asked for.
    #[track_caller]
    pub(crate) fn ended(mut self) -> (ExitStatus, Stopped) {
        let status = eventually("the server ends after SIGTERM", || self.process.ended());
        (status, self.take())
    }

    /// Stops it with SIGTERM; it must end with exit code 0.
    #[track_caller]
    pub(crate) fn stop(self) -> Stopped {
        self.terminate();
        let (status, stopped) = self.ended();
        assert!(status.success(), "{status} after SIGTERM\n{}", stopped.log);
        stopped
    }

    /// Kills it, as a crash or a power cut would.
    #[track_caller]
    pub(crate) fn kill(mut self) -> Stopped {
        self.crash();
        eventually("the server ends after SIGKILL", || self.process.ended());
        self.take()
    }

    fn home(&self) -> &Home {
        self.home.as_ref().expect("a home is only taken together with the server")
    }

    #[track_caller]
    fn take(&mut self) -> Stopped {
        self.check_output();
        let log = self.log();
        let home = self.home.take().expect("a server is stopped once");
        Stopped { home, launch: self.launch.clone(), log }
    }

    #[track_caller]
    fn check_output(&self) {
        for output in [self.log(), self.stdout()] {
            assert!(!output.contains("panicked at"), "a panic:\n{output}");
            let secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
            let own = ["pubapi", "admin.invoke"].map(|user| self.credentials[user]["password"].as_str());
            for secret in secrets.iter().map(String::as_str).chain(own.into_iter().flatten()) {
                assert!(!output.contains(secret), "the secret {secret} is in the output:\n{output}");
            }
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.home.is_none() {
            return;
        }
        if thread::panicking() {
            eprintln!("--- log of the server at {}\n{}---", self.address, self.log());
            return;
        }
        self.process.signal(Signal::TERM);
        let status = eventually("the server ends after SIGTERM", || self.process.ended());
        assert!(status.success(), "{status} after SIGTERM\n{}", self.log());
        self.check_output();
    }
}

/// Polls for readiness, and fails at once with the log when the server ended instead.
#[track_caller]
fn eventually_running<T>(process: &mut Process, home: &Home, mut ask: impl FnMut() -> Option<T>) -> T {
    let log = || fs::read_to_string(home.stderr()).unwrap();
    let answer = eventually("the server writes server.json", || {
        if let Some(status) = process.ended() {
            return Some(Err(status));
        }
        ask().map(Ok)
    });
    answer.unwrap_or_else(|status| panic!("the server did not start: {status}\n{}", log()))
}
