//! A private PostgreSQL server for this process, with a database for each test.
//!
//! It is made of Debian's package in a temporary folder and ends with this process, however that ends. A machine
//! without the package fails the tests that need it, since a skipped test proves nothing.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use zato_test_port::Port;

use super::wait::eventually;

/// The password of the one user, made to be searched for in logs.
pub(crate) const PASSWORD: &str = "postgres-password-7f3a";

/// Initialises and runs a server, and obeys the words `halt` and `start`, until standard input ends, which it does when this
/// process does.
///
/// PostgreSQL refuses to run as root, so root becomes the user that Debian's package brings.
const SCRIPT: &str = r#"
set -eu
bin=$1 folder=$2 port=$3
run() { if [ "$(id -u)" = 0 ]; then exec setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else exec "$@"; fi; }
trap 'rm -rf "$folder"' EXIT
trap '' INT
if [ "$(id -u)" = 0 ]; then chown postgres:postgres "$folder"; fi
cd "$folder"
(run "$bin/initdb" -D data -U zato -A scram-sha-256 --pwfile=password --no-sync --no-locale -E UTF8 >log 2>&1)
start() {
    run "$bin/postgres" -D data -c listen_addresses=127.0.0.1 -c port="$port" -c unix_socket_directories= \
        -c fsync=off -c full_page_writes=off -c max_connections=200 >>log 2>&1 &
    server=$!
}
halt() { kill -QUIT "$server" && wait "$server" || true; }
start
while read -r word; do "$word"; done
kill -INT "$server" && wait "$server" || true
"#;

/// The server of this process.
#[derive(Debug)]
struct Postgres {
    bin: PathBuf,
    port: Port,
    /// Kept open for as long as this process lives.
    orders: Mutex<ChildStdin>,
}

/// A database of its own.
#[derive(Debug)]
pub(crate) struct Database {
    server: &'static Postgres,
    name: String,
}

impl Database {
    /// Creates an empty one.
    pub(crate) fn create() -> Self {
        static SERVER: OnceLock<Postgres> = OnceLock::new();
        Self::create_on(SERVER.get_or_init(Postgres::start))
    }

    /// Creates an empty one on a server that a test may kill.
    pub(crate) fn on_server_of_its_own() -> Self {
        // The server ends with this process in any case.
        Self::create_on(Box::leak(Box::new(Postgres::start())))
    }

    fn create_on(server: &'static Postgres) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("zato{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        let database = Self { server, name };
        database.administer(&format!("CREATE DATABASE {}", database.name));
        database
    }

    /// The URL for `--odb`.
    pub(crate) fn url(&self) -> String {
        self.url_at(self.address())
    }

    /// The URL for a database that is reached by way of another address.
    pub(crate) fn url_at(&self, address: SocketAddr) -> String {
        format!("postgres://zato:{PASSWORD}@{address}/{}", self.name)
    }

    /// What the server calls it.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where the server listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.port.address()
    }

    /// Runs a statement.
    #[track_caller]
    pub(crate) fn run(&self, sql: &str) {
        assert!(self.ask(sql).is_some(), "{sql}");
    }

    /// Runs a query and returns its rows, a line each; nothing if the server is away.
    pub(crate) fn ask(&self, sql: &str) -> Option<String> {
        let output = self.server.client("psql").args(["-qAtd", &self.name, "-c", sql]).output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    /// Ends the server without notice to anybody.
    pub(crate) fn halt(&self) {
        self.server.order("halt");
        eventually("PostgreSQL is gone", || TcpStream::connect(self.address()).is_err().then_some(()));
    }

    /// Starts the server again.
    pub(crate) fn resume(&self) {
        self.server.order("start");
        eventually("PostgreSQL is back", || self.ask("SELECT 1"));
    }

    /// Everything stored, as text.
    pub(crate) fn dump(&self) -> String {
        let output = self.server.client("pg_dump").arg(&self.name).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn administer(&self, sql: &str) {
        let output = self.server.client("psql").args(["-qd", "postgres", "-c", sql]).output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Postgres {
    fn start() -> Self {
        let bin = binaries();
        let folder = tempfile::Builder::new().prefix("zato-test-postgres-").tempdir().unwrap().keep();
        fs::write(folder.join("password"), PASSWORD).unwrap();
        fs::set_permissions(folder.join("password"), fs::Permissions::from_mode(0o644)).unwrap();
        let port = Port::reserve();
        let mut keeper = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .args([bin.as_os_str(), folder.as_os_str()])
            .arg(port.number().to_string())
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let server =
            Self { bin, port, orders: Mutex::new(keeper.stdin.take().expect("standard input is piped")) };
        eventually("PostgreSQL accepts connections", || {
            if keeper.try_wait().unwrap().is_some() {
                panic!("PostgreSQL did not start; is Debian's package `postgresql` complete?");
            }
            let answer = server.client("psql").args(["-qd", "postgres", "-c", "SELECT 1"]).output().unwrap();
            answer.status.success().then_some(())
        });
        server
    }

    fn order(&self, word: &str) {
        writeln!(self.orders.lock().unwrap(), "{word}").unwrap();
    }

    fn client(&self, program: &str) -> Command {
        let mut command = Command::new(self.bin.join(program));
        command.env("PGPASSWORD", PASSWORD).args([
            "-h",
            "127.0.0.1",
            "-U",
            "zato",
            "-p",
            &self.port.number().to_string(),
        ]);
        command
    }
}

/// The newest installed version.
fn binaries() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .max_by_key(|bin| {
            bin.parent().and_then(Path::file_name).and_then(|name| name.to_str()?.parse::<u32>().ok())
        });
    newest.expect("PostgreSQL is missing: apt-get install postgresql")
}
