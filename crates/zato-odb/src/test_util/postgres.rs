//! A private PostgreSQL server for tests, made of the programs of Debian's package `postgresql`.
//!
//! Owns starting one per test process in a temporary folder, stopping it however the process ends, and creating
//! databases in it. It must not know what is stored there.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

/// Creates an empty database in the server of this test process, which is started for the first, and returns its URL.
///
/// # Panics
/// If PostgreSQL is not installed or does not start: a test that needs it has failed then.
pub async fn create_database() -> String {
    static SERVER: OnceLock<Server> = OnceLock::new();
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let start = || match Server::start() {
        Ok(server) => server,
        Err(reason) => panic!("no PostgreSQL for this test: {reason}"),
    };
    let server = SERVER.get_or_init(start);
    let name = format!("test_{}", COUNT.fetch_add(1, Ordering::Relaxed));
    match server.create_database(&name).await {
        Ok(url) => url,
        Err(error) => panic!("no database for this test: {error}"),
    }
}

/// A running server. It is never dropped: `_watchdog` stops it once this process is gone.
#[derive(Debug)]
struct Server {
    socket_folder: PathBuf,
    _watchdog: Child,
}

impl Server {
    fn start() -> Result<Self, String> {
        let programs = find_programs()?;
        let account = Account::unprivileged()?;
        let folder = tempfile::Builder::new()
            .prefix("zato-pg-")
            .tempdir()
            .map_err(|error| format!("no temporary folder: {error}"))?
            .keep();
        let watchdog = account.watch(&programs, &folder).map_err(|error| format!("no watchdog: {error}"))?;
        let data = folder.join("data");
        // Sorting by a language shows whether anything relies on the byte order of the C locale.
        account.run(
            Command::new(programs.join("initdb"))
                .args([
                    "--username=postgres",
                    "--auth=trust",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                    "--no-sync",
                ])
                .args(["--locale-provider=icu", "--icu-locale=en"])
                .arg("--pgdata")
                .arg(&data),
        )?;
        let settings = format!(
            "-c listen_addresses='' -c unix_socket_directories={} -c fsync=off -c max_connections=200 \
             -c shared_buffers=16MB",
            folder.display()
        );
        account.run(
            Command::new(programs.join("pg_ctl"))
                .args(["start", "--wait", "--silent", "--pgdata"])
                .arg(&data)
                .arg("--log")
                .arg(folder.join("log"))
                .arg("--options")
                .arg(settings),
        )?;
        Ok(Self { socket_folder: folder, _watchdog: watchdog })
    }

    async fn create_database(&self, name: &str) -> Result<String, sea_orm::sqlx::Error> {
        let administration = PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_folder)
            .username("postgres")
            .database("postgres");
        let mut connection = administration.connect().await?;
        connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await?;
        connection.close().await?;
        Ok(format!("postgres://postgres@localhost/{name}?host={}", self.socket_folder.display()))
    }
}

/// The folder of the newest version's programs, which Debian does not put on the search path.
fn find_programs() -> Result<PathBuf, String> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().filter_map(Result::ok);
    versions
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .max()
        .map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")))
        .filter(|folder| folder.join("initdb").is_file())
        .ok_or_else(|| "it is not installed, run `apt-get install postgresql`".to_owned())
}

/// As whom the programs of PostgreSQL run: they refuse to as root, so that root needs another account for them.
struct Account(Option<(u32, u32)>);

impl Account {
    fn unprivileged() -> Result<Self, String> {
        let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
        if !is_root {
            return Ok(Self(None));
        }
        let accounts = fs::read_to_string("/etc/passwd").map_err(|error| format!("no accounts: {error}"))?;
        ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| ids_of(&accounts, name))
            .map(|ids| Self(Some(ids)))
            .ok_or_else(|| "there is no account `postgres` or `nobody` to run it as".to_owned())
    }

    fn apply<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        if let Some((user, group)) = self.0 {
            command.uid(user).gid(group);
        }
        command.current_dir("/").stdin(Stdio::null())
    }

    fn run(&self, command: &mut Command) -> Result<(), String> {
        // The server would keep pipes open, so that its starter must not have any.
        let command = self.apply(command).stdout(Stdio::null()).stderr(Stdio::null());
        let status = command.status().map_err(|error| format!("{command:?} cannot be run: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("{command:?} failed with {status}")) }
    }

    /// Hands the folder over and starts a shell that waits for the end of its standard input, which comes when this
    /// process ends in any way, panics and signals included. It then stops the server and removes the folder.
    fn watch(&self, programs: &Path, folder: &Path) -> io::Result<Child> {
        if let Some((user, group)) = self.0 {
            chown(folder, Some(user), Some(group))?;
        }
        let script =
            r#"cat > /dev/null; "$0" stop --silent --mode=immediate --pgdata "$1/data"; rm -rf "$1""#;
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(script).arg(programs.join("pg_ctl")).arg(folder);
        // A group of its own keeps an interrupt from the terminal away from it.
        self.apply(&mut shell)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
    }
}

fn ids_of(accounts: &str, name: &str) -> Option<(u32, u32)> {
    let mut fields = accounts.lines().find(|line| line.split(':').next() == Some(name))?.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}
