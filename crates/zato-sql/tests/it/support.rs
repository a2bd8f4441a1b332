//! Databases to test with: real servers, made of Debian's packages in temporary folders, and SQLite files.
//!
//! A server ends with this process, however that ends. A machine without the packages fails the tests, since a skipped
//! test proves nothing.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use zato_connections::Secret;
use zato_sql::{Config, Engine, Extra, Pool, Sql};
use zato_test_port::Port;

/// The password of the user that tests log in with, made to be searched for in messages.
pub(crate) const PASSWORD: &str = "sql-password-c41d";

const ADMINISTRATOR: &str = "administrator";

/// Starts the server, and again for each line `start` on standard input; `kill` ends it without a chance to say goodbye.
/// It ends with standard input, which is when this process does. Servers refuse to run as root, so that root becomes
/// somebody else.
const KEEPER: &str = r#"
set -u
folder=$1 user=$2; shift 2
run() { if [ "$(id -u)" = 0 ]; then exec setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"; else exec "$@"; fi; }
start() { run "$@" >>"$folder/log" 2>&1 & server=$!; }
trap 'rm -rf "$folder"' EXIT
trap '' INT
start "$@"
while read -r command; do
  case $command in
    start) start "$@";;
    kill) kill -KILL "$server"; wait "$server"; echo killed;;
  esac
done
kill -QUIT "$server"; wait "$server"
"#;

/// A database server of its own.
pub(crate) struct Server {
    engine: Engine,
    port: Port,
    keeper: std::sync::Mutex<Child>,
}

impl Server {
    /// The server that all tests of this process share.
    pub(crate) fn shared(engine: Engine) -> &'static Self {
        static POSTGRESQL: OnceLock<Server> = OnceLock::new();
        static MARIADB: OnceLock<Server> = OnceLock::new();
        match engine {
            Engine::PostgreSql => POSTGRESQL.get_or_init(Self::postgresql),
            _ => MARIADB.get_or_init(Self::mariadb),
        }
    }

    /// A server that a test may kill.
    pub(crate) fn own(engine: Engine) -> Self {
        match engine {
            Engine::PostgreSql => Self::postgresql(),
            _ => Self::mariadb(),
        }
    }

    fn postgresql() -> Self {
        let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
        let newest = versions
            .map(|version| version.path().join("bin"))
            .filter(|bin| bin.join("initdb").exists())
            .max();
        let bin = newest.expect("PostgreSQL is missing: apt-get install postgresql");
        let (folder, port) = (folder("postgres"), Port::reserve());
        fs::write(folder.join("password"), PASSWORD).unwrap();
        make_readable(&folder.join("password"));
        let data = folder.join("data");
        finish(
            as_user("postgres", &bin.join("initdb"))
                .args(["--auth=scram-sha-256", "--no-sync", "--no-locale", "--encoding=UTF8"])
                .arg(format!("--username={ADMINISTRATOR}"))
                .arg(format!("--pwfile={}", folder.join("password").display()))
                .arg(format!("--pgdata={}", data.display())),
        );
        let port_text = port.number().to_string();
        let data_text = data.display().to_string();
        let arguments = [
            "-D",
            &data_text,
            "-p",
            &port_text,
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "unix_socket_directories=",
            "-c",
            "fsync=off",
            "-c",
            "max_connections=100",
        ];
        let server =
            Self::start(Engine::PostgreSql, &folder, "postgres", port, &bin.join("postgres"), &arguments);
        server.administer(&format!("CREATE ROLE zato LOGIN CREATEDB PASSWORD '{PASSWORD}'"));
        server
    }

    fn mariadb() -> Self {
        let program = Path::new("/usr/sbin/mariadbd");
        assert!(program.exists(), "MariaDB is missing: apt-get install mariadb-server-core");
        let (folder, port) = (folder("nobody"), Port::reserve());
        let data = folder.join("data");
        let data_argument = format!("--datadir={}", data.display());
        finish(
            as_user("nobody", Path::new("/usr/bin/mariadb-install-db"))
                // A server that starts deletes the temporary tables of all that share its folder for them.
                .env("TMPDIR", &folder)
                .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
                .arg(&data_argument),
        );
        let initial = format!(
            "CREATE USER IF NOT EXISTS '{ADMINISTRATOR}'@'%' IDENTIFIED BY '{PASSWORD}';\n\
             GRANT ALL ON *.* TO '{ADMINISTRATOR}'@'%' WITH GRANT OPTION;\n\
             CREATE USER IF NOT EXISTS 'zato'@'%' IDENTIFIED BY '{PASSWORD}';\n\
             GRANT ALL ON *.* TO 'zato'@'%';\n"
        );
        let init_file = folder.join("init.sql");
        fs::write(&init_file, initial).unwrap();
        make_readable(&init_file);
        let arguments = [
            "--no-defaults".to_owned(),
            data_argument,
            format!("--init-file={}", init_file.display()),
            format!("--port={}", port.number()),
            format!("--socket={}", folder.join("socket").display()),
            format!("--pid-file={}", folder.join("pid").display()),
            format!("--tmpdir={}", folder.display()),
            "--bind-address=127.0.0.1".to_owned(),
            "--innodb-flush-log-at-trx-commit=2".to_owned(),
            "--innodb-buffer-pool-size=16M".to_owned(),
        ];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        Self::start(Engine::MySql, &folder, "nobody", port, program, &arguments)
    }

    fn start(
        engine: Engine,
        folder: &Path,
        user: &str,
        port: Port,
        program: &Path,
        arguments: &[&str],
    ) -> Self {
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .arg(folder)
            .arg(user)
            .arg(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let server = Self { engine, port, keeper: std::sync::Mutex::new(keeper) };
        server.wait_until_ready();
        server
    }

    /// Ends the server at once, as a power failure would.
    pub(crate) fn kill(&self) {
        let mut keeper = self.keeper.lock().unwrap();
        keeper.stdin.as_mut().unwrap().write_all(b"kill\n").unwrap();
        let mut answer = [0; 7];
        std::io::Read::read_exact(keeper.stdout.as_mut().unwrap(), &mut answer).unwrap();
        assert_eq!(&answer, b"killed\n");
    }

    /// Starts the server again.
    pub(crate) fn restart(&self) {
        self.keeper.lock().unwrap().stdin.as_mut().unwrap().write_all(b"start\n").unwrap();
        self.wait_until_ready();
    }

    fn wait_until_ready(&self) {
        let limit = Instant::now() + Duration::from_secs(60);
        loop {
            if self.try_administer("SELECT 1").is_ok() {
                return;
            }
            assert!(Instant::now() < limit, "the {} server does not answer", self.engine);
            std::thread::yield_now();
        }
    }

    pub(crate) fn administer(&self, sql: &str) {
        self.try_administer(sql).unwrap();
    }

    /// Runs a statement on a thread and runtime of its own, so that it can be called from tests that have one.
    fn try_administer(&self, sql: &str) -> Result<(), zato_sql::Error> {
        let database = if self.engine == Engine::PostgreSql { "postgres" } else { "mysql" };
        let mut config = self.config(database);
        config.username = ADMINISTRATOR.to_owned();
        std::thread::scope(|scope| {
            let work = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let pool = Pool::new(&config).unwrap();
                    pool.execute(Sql::composed(sql), ()).await.map(|_| ())
                })
            });
            work.join().unwrap()
        })
    }

    fn config(&self, database: &str) -> Config {
        let mut config = Config::new(1, "CRM", self.engine, database);
        config.host = "127.0.0.1".to_owned();
        config.port = self.port.number();
        config.username = "zato".to_owned();
        config.password = Some(Secret::from(PASSWORD));
        config.pool_size = 5;
        config
    }

    /// An empty database, as a definition would name it.
    pub(crate) fn database(&self) -> Config {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("test{}", NUMBER.fetch_add(1, Ordering::SeqCst));
        let options = if self.engine == Engine::PostgreSql { "OWNER zato" } else { "CHARACTER SET utf8mb4" };
        self.administer(&format!("CREATE DATABASE {name} {options}"));
        self.config(&name)
    }
}

/// An empty database of an engine.
pub(crate) struct Database {
    pub(crate) config: Config,
    _folder: Option<tempfile::TempDir>,
}

impl Database {
    pub(crate) fn of(engine: Engine) -> Self {
        if engine != Engine::Sqlite {
            return Self { config: Server::shared(engine).database(), _folder: None };
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("data.sqlite3").display().to_string();
        let mut config = Config::new(1, "CRM", engine, file);
        config.pool_size = 5;
        Self { config, _folder: Some(folder) }
    }

    pub(crate) fn pool(&self) -> Pool {
        Pool::new(&self.config).unwrap()
    }

    pub(crate) fn pool_with(&self, pool_size: u32, extra: &str) -> Pool {
        let mut config = self.config.clone();
        config.pool_size = pool_size;
        config.extra = Extra::parse(extra).unwrap();
        Pool::new(&config).unwrap()
    }

    /// A text with `?` for each value, as the engine wants its placeholders.
    pub(crate) fn sql(&self, text: &str) -> Sql {
        if self.config.engine != Engine::PostgreSql {
            return Sql::composed(text);
        }
        let mut parts = text.split('?');
        let first = parts.next().unwrap_or_default().to_owned();
        Sql::composed(parts.zip(1..).fold(first, |sql, (part, number)| format!("{sql}${number}{part}")))
    }
}

/// An error with its causes, in a line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().unwrap().stdout == b"0\n"
}

/// A folder that this user, or the one that servers run as, may write to.
fn folder(user: &str) -> PathBuf {
    let folder = tempfile::Builder::new().prefix("zato-sql-").tempdir().unwrap().keep();
    if is_root() {
        finish(Command::new("chown").arg(user).arg(&folder));
    }
    folder
}

fn make_readable(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o644)).unwrap();
}

fn as_user(user: &str, program: &Path) -> Command {
    let mut command = if is_root() {
        let group = Command::new("id").args(["-g", user]).output().unwrap().stdout;
        let group = String::from_utf8(group).unwrap();
        let mut command = Command::new("setpriv");
        command.arg(format!("--reuid={user}")).arg(format!("--regid={}", group.trim())).arg("--clear-groups");
        command.arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/");
    command
}

fn finish(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
