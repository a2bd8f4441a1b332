//! A private Redis server for tests, made of the program of Debian's package `redis-server`.
//!
//! Owns starting it in a temporary folder at a free port, and stopping it however the process ends. It must not know what
//! is stored there.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use zato_test_port::Port;

/// Runs a server until standard input ends, which it does at the latest when this process does. It is killed rather than
/// told to stop: nothing in it is to be kept.
const SCRIPT: &str = r#"
redis-server "$@" &
server=$!
cat > /dev/null
kill -KILL $server
wait $server
"#;

/// A running server; it is gone when this is dropped.
#[derive(Debug)]
pub struct RedisServer {
    port: Port,
    options: Vec<String>,
    folder: PathBuf,
    keeper: Option<Child>,
}

impl RedisServer {
    /// Starts one with these options besides those for the port and against leaving files behind, and waits until it
    /// accepts connections.
    ///
    /// # Panics
    /// If Redis is not installed or does not start: a test that needs it has failed then.
    #[must_use]
    #[track_caller]
    pub fn start(options: &[&str]) -> Self {
        Self::start_at("--port", options)
    }

    /// The same for one that speaks TLS only. The options have to name its certificate and key.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[must_use]
    #[track_caller]
    pub fn start_tls(options: &[&str]) -> Self {
        let mut all = vec!["--port", "0"];
        all.extend(options);
        Self::start_at("--tls-port", &all)
    }

    #[track_caller]
    fn start_at(port_option: &str, options: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("zato-redis-").tempdir();
        let folder = folder.unwrap_or_else(|error| panic!("no temporary folder: {error}")).keep();
        let port = Port::reserve();
        let mut all = vec![port_option.to_owned(), port.number().to_string()];
        all.extend(["--bind", "127.0.0.1", "--save", "", "--dir"].map(str::to_owned));
        all.push(folder.display().to_string());
        all.extend(options.iter().map(|option| (*option).to_owned()));
        let mut server = Self { port, options: all, folder, keeper: None };
        server.restart();
        server
    }

    /// Its port at 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// The URL of one of its databases.
    #[must_use]
    pub fn url(&self, database: u32) -> String {
        format!("redis://{}/{database}", self.port.address())
    }

    /// Where it keeps its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Kills it, and waits until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut keeper) = self.keeper.take() {
            drop(keeper.stdin.take());
            // It has no child left to wait for if this fails.
            let _ = keeper.wait();
        }
    }

    /// Starts it again at the same port.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    #[track_caller]
    pub fn restart(&mut self) {
        self.kill();
        let mut keeper = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .args(&self.options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A group of its own keeps an interrupt from the terminal away from it.
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("no shell for Redis: {error}"));
        let log = keeper.stdout.take();
        let mut lines = log.into_iter().flat_map(|log| BufReader::new(log).lines()).map_while(Result::ok);
        self.keeper = Some(keeper);
        if !lines.any(|line| line.contains("Ready to accept connections")) {
            panic!("Redis did not start; is it installed? `apt-get install redis-server`");
        }
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        // What is left is in a temporary folder, which the system cleans up if this fails.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
