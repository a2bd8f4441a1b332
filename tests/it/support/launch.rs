//! Command lines of the server: which program, flags, environment and data directory.
//!
//! Owns how the program under test is found and spawned. What a running server does is `server`'s.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::server::Server;
use super::wait::eventually;

/// The folder of one server: its data directory, its working directory and what it printed.
#[derive(Debug)]
pub(crate) struct Home(TempDir);

impl Home {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("zato-test-").tempdir().unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        Self(folder)
    }

    /// The data directory, which the first start creates.
    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    /// The directory that the server is started in.
    pub(crate) fn work(&self) -> PathBuf {
        self.0.path().join("work")
    }

    /// Where standard output goes.
    pub(crate) fn stdout(&self) -> PathBuf {
        self.0.path().join("stdout.txt")
    }

    /// Where standard error, and with it the log, goes.
    pub(crate) fn stderr(&self) -> PathBuf {
        self.0.path().join("stderr.txt")
    }
}

/// A child process that does not outlive its owner, whatever becomes of a test.
#[derive(Debug)]
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.0.try_wait().unwrap()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.id()).ok().and_then(Pid::from_raw).expect("a child has a process id");
        kill_process(pid, signal).expect("a child that was not waited for can be signalled");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both do nothing to a process that has ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A way to start a server.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    program: PathBuf,
    flags: Vec<(&'static str, String)>,
    variables: Vec<(&'static str, String)>,
    address: Option<String>,
}

/// A server that did not start, and what it said about that.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Launch {
    /// The server on SQLite, at a free port.
    pub(crate) fn new() -> Self {
        Self::of(binary("ZATO_SERVER_BINARY", "zato-server", "cargo build -p zato-server"))
    }

    /// The program of `crates/zato-server/examples/crm.rs`, which embeds the server.
    pub(crate) fn crm_example() -> Self {
        Self::of(binary(
            "ZATO_CRM_EXAMPLE_BINARY",
            "examples/crm",
            "cargo build -p zato-server --example crm",
        ))
    }

    /// The program of `crates/zato-server/examples/orders`, which embeds the server.
    pub(crate) fn orders_example() -> Self {
        Self::of(binary(
            "ZATO_ORDERS_EXAMPLE_BINARY",
            "examples/orders",
            "cargo build -p zato-server --example orders",
        ))
    }

    fn of(program: PathBuf) -> Self {
        Self { program, flags: Vec::new(), variables: Vec::new(), address: Some("127.0.0.1:0".to_owned()) }
    }

    /// Adds a flag with a value.
    pub(crate) fn flag(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.flags.push((name, value.into()));
        self
    }

    /// Adds an environment variable; none of this process's own but `PATH` reaches the server.
    pub(crate) fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Leaves `--http` to the test, which gives the address in another way or not at all.
    pub(crate) fn without_address(mut self) -> Self {
        self.address = None;
        self
    }

    /// Starts a server in a new home and waits until it accepts calls.
    #[track_caller]
    pub(crate) fn start(self) -> Server {
        self.start_in(Home::new())
    }

    /// Starts a server on what an earlier one left, and waits until it accepts calls.
    #[track_caller]
    pub(crate) fn start_in(self, home: Home) -> Server {
        let process = self.spawn(&home);
        Server::wait(process, home, self)
    }

    /// Starts a server that must refuse to start, and waits for its end.
    #[track_caller]
    pub(crate) fn refusal(&self) -> Refusal {
        self.refusal_in(&Home::new())
    }

    /// Starts a server that must refuse to start on what an earlier one left, and waits for its end.
    #[track_caller]
    pub(crate) fn refusal_in(&self, home: &Home) -> Refusal {
        let mut process = self.spawn(home);
        let status = eventually("a server that must not start ends", || process.ended());
        let refusal = Refusal {
            code: status.code(),
            stdout: fs::read_to_string(home.stdout()).unwrap(),
            stderr: fs::read_to_string(home.stderr()).unwrap(),
        };
        assert_ne!(refusal.code, Some(0), "{refusal:?}");
        assert!(refusal.code.is_some(), "ended by a signal: {refusal:?}");
        assert!(!refusal.stderr.contains("panicked"), "{refusal:?}");
        refusal
    }

    /// Runs the program to its end with these arguments alone, such as `--help`.
    pub(crate) fn run(&self, arguments: &[&str]) -> Refusal {
        let output = Command::new(&self.program).args(arguments).env_clear().output().unwrap();
        Refusal {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The data directory is given by flag unless the test gives it in a way of its own.
    fn spawn(&self, home: &Home) -> Process {
        let mut command = Command::new(&self.program);
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        if !self.is_given("--data-dir", "ZATO_DATA_DIR") {
            command.arg("--data-dir").arg(home.data());
        }
        if let Some(address) = &self.address {
            command.args(["--http", address]);
        }
        for (name, value) in &self.flags {
            command.args([name, value.as_str()]);
        }
        let child = command
            .current_dir(home.work())
            .stdin(Stdio::null())
            .stdout(File::create(home.stdout()).unwrap())
            .stderr(File::create(home.stderr()).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("can't run {}: {error}", self.program.display()));
        Process(child)
    }

    fn is_given(&self, flag: &str, variable: &str) -> bool {
        self.flags.iter().any(|(name, _)| *name == flag)
            || self.variables.iter().any(|(name, _)| *name == variable)
    }
}

/// A program of this workspace: where the variable says, or beside this test in the target directory.
fn binary(variable: &str, path: &str, build: &str) -> PathBuf {
    if let Some(given) = std::env::var_os(variable) {
        return given.into();
    }
    let this = std::env::current_exe().unwrap();
    let target = this.parent().and_then(Path::parent).expect("tests are built into target/<profile>/deps");
    let program = target.join(path);
    assert!(program.exists(), "{} is missing; build it first: {build}", program.display());
    program
}
