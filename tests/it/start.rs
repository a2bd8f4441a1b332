//! Starting: the files of a first start, settings, and what a server refuses to start with.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;
use zato_test_port::Port;

use crate::support::api::json_channel;
use crate::support::launch::Home;
use crate::support::{Launch, Server, eventually, shell};

#[track_caller]
fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode()
        & 0o777
}

#[test]
fn a_first_start_creates_everything() {
    let server = Server::start();
    let data = server.data();
    for file in ["secret.key", "credentials.json"] {
        assert_eq!(mode(&data.join(file)), 0o600, "{file}");
    }
    // Nobody else may read what the database holds either.
    assert_eq!(mode(&data.join("odb.sqlite3")) & 0o077 & mode(&data), 0, "odb.sqlite3 can be read by others");

    let credentials = server.credentials();
    let [pubapi, admin] = ["pubapi", "admin.invoke"].map(|user| server.password(user));
    let expected = json!({
        "cluster_id": 1,
        "pubapi": {"username": "pubapi", "password": pubapi},
        "admin.invoke": {"username": "admin.invoke", "password": admin},
    });
    assert_eq!(*credentials, expected);
    for password in [pubapi, admin] {
        assert_eq!(password.len(), 32, "{password}");
        assert!(password.bytes().all(|byte| byte.is_ascii_hexdigit()), "{password}");
    }
    assert_ne!(pubapi, admin);

    let running = fs::read_to_string(data.join("server.json")).unwrap();
    let expected = json!({"pid": server.pid(), "http": server.address().to_string()});
    assert_eq!(running.parse::<serde_json::Value>().unwrap(), expected);
}

#[test]
fn what_is_printed_leads_to_a_first_call() {
    let server = Server::start();
    let printed =
        eventually("the line is printed", || Some(server.stdout()).filter(|text| text.ends_with('\n')));
    assert_eq!(printed.lines().count(), 1, "{printed}");
    assert!(printed.contains(&server.address().to_string()), "{printed}");
    assert!(printed.contains(server.data().join("credentials.json").to_str().unwrap()), "{printed}");
    let start = printed.find("curl ").unwrap_or_else(|| panic!("no curl command: {printed}"));
    let answer = shell::bash(&std::env::temp_dir(), printed[start..].trim_end());
    assert!(answer.contains("ZATO_OK"), "{answer}");
}

#[test]
fn a_second_start_keeps_everything() {
    let server = Server::start();
    let password = server.password("pubapi").to_owned();
    server.api().create_http(&json_channel("Kept", "/kept", "zato.ping"));
    let files = ["secret.key", "credentials.json"].map(|file| fs::read(server.data().join(file)).unwrap());

    let stopped = server.stop();
    assert!(!stopped.home.data().join("server.json").exists(), "server.json says that a server runs");
    let server = stopped.start();
    assert_eq!(server.password("pubapi"), password);
    assert_eq!(
        files,
        ["secret.key", "credentials.json"].map(|file| fs::read(server.data().join(file)).unwrap())
    );
    server.request("GET", "/kept").send().status(200);
    server.api().call("zato.ping", &json!({})).ok();
}

/// The address differs between starts here, unlike in a deployment, so only the process id tells.
#[test]
fn a_stale_server_json_is_replaced() {
    let stopped = Server::start().kill();
    assert!(stopped.home.data().join("server.json").exists());
    stopped.start().request("GET", "/zato/ping").send().status(200);
}

/// Two servers on the same files would each undo what the other does, wherever they keep the rest.
#[test]
fn a_data_directory_has_one_server() {
    let server = Server::start();
    let data = server.data();
    let redis = Port::reserve();
    for kvdb in ["embedded".to_owned(), format!("redis://127.0.0.1:{}", redis.number())] {
        let refusal = Launch::new().flag("--data-dir", data.to_str().unwrap()).flag("--kvdb", kvdb).refusal();
        for text in [data.to_str().unwrap(), &format!("process {}", server.pid()), "--data-dir"] {
            assert!(refusal.stderr.contains(text), "no [{text}] in {}", refusal.stderr);
        }
    }
    let running: serde_json::Value = fs::read_to_string(data.join("server.json")).unwrap().parse().unwrap();
    assert_eq!(running["pid"], server.pid());
    server.api().call("zato.ping", &json!({})).ok();
}

#[test]
fn settings_come_from_flags_variables_and_a_file() {
    let home = Home::new();
    fs::write(home.work().join("zato-server.toml"), "http = \"127.0.0.1:0\"\nserver_name = \"from-file\"\n")
        .unwrap();
    let server = Launch::new().without_address().start_in(home);
    assert_eq!(name(&server), "from-file");

    let stopped = server.stop();
    let launch = stopped.launch.variable("ZATO_SERVER_NAME", "from-variable");
    let server = launch.start_in(stopped.home);
    assert_eq!(name(&server), "from-variable");

    let stopped = server.stop();
    let server = stopped.launch.flag("--server-name", "from-flag").start_in(stopped.home);
    assert_eq!(name(&server), "from-flag");

    let stopped = server.stop();
    let other = stopped.home.work().join("other.toml");
    fs::write(&other, "http = \"127.0.0.1:0\"\nserver_name = \"from-other-file\"\n").unwrap();
    let launch = Launch::new().without_address().flag("--config", other.to_str().unwrap());
    assert_eq!(name(&launch.start_in(stopped.home)), "from-other-file");
}

/// The name of a server as it tells itself: `get-info` has those of the whole cluster, this one is running.
#[track_caller]
fn name(server: &Server) -> String {
    let info = server.api().post("zato.info.get-info", "").status(200).json();
    let mut running = info.as_object().unwrap().iter().filter(|(_, item)| item["up_status"] == "running");
    let (name, _) = running.next().unwrap_or_else(|| panic!("nothing runs: {info}"));
    assert!(running.next().is_none(), "{info}");
    name.clone()
}

#[test]
fn the_data_directory_can_be_a_variable() {
    let home = Home::new();
    let data = home.data();
    let server = Launch::new().variable("ZATO_DATA_DIR", data.to_str().unwrap()).start_in(home);
    server.request("GET", "/zato/ping").send().status(200);
}

#[test]
fn passwords_can_be_given() {
    let launch = || {
        Launch::new()
            .variable("ZATO_PUBAPI_PASSWORD", "given-pubapi-1")
            .variable("ZATO_ADMIN_INVOKE_PASSWORD", "given-admin-1")
    };
    let server = launch().start();
    assert_eq!(server.password("pubapi"), "given-pubapi-1");
    assert_eq!(server.password("admin.invoke"), "given-admin-1");
    server.api().call("zato.ping", &json!({})).ok();

    let stopped = server.stop();
    let server = launch().flag("--pubapi-password", "given-pubapi-2").start_in(stopped.home);
    let api = server.api();
    server.keep_secret("given-pubapi-2");
    api.user("pubapi", "given-pubapi-2").call("zato.ping", &json!({})).ok();
    api.user("pubapi", "given-pubapi-1").call("zato.ping", &json!({})).error(401, &[]);
}

#[test]
fn help_names_every_setting() {
    let help = Launch::new().run(&["--help"]);
    assert_eq!(help.code, Some(0), "{help:?}");
    for flag in [
        "--data-dir",
        "--http",
        "--odb",
        "--kvdb",
        "--server-name",
        "--config",
        "--log",
        "--pubapi-password",
        "--admin-invoke-password",
    ] {
        assert!(help.stdout.contains(flag), "no {flag} in {}", help.stdout);
        let variable = format!("ZATO_{}", flag.trim_start_matches('-').replace('-', "_").to_uppercase());
        assert!(help.stdout.contains(&variable), "no {variable} in {}", help.stdout);
    }
    let version = Launch::new().run(&["--version"]);
    assert_eq!(version.code, Some(0), "{version:?}");
    assert!(version.stdout.starts_with("zato-server "), "{version:?}");
}

/// A setting that can't be used is named, and a secret in it is not repeated.
#[test]
fn wrong_settings_are_named() {
    #[track_caller]
    fn check(launch: &Launch, expected: &[&str]) {
        let refusal = launch.refusal();
        for text in expected {
            assert!(refusal.stderr.contains(text), "no [{text}] in: {}", refusal.stderr);
        }
        assert!(!refusal.stderr.contains("s3cr3t"), "{}", refusal.stderr);
    }
    check(&Launch::new().flag("--no-such-flag", "1"), &["--no-such-flag"]);
    check(&Launch::new().without_address().flag("--http", "nonsense"), &["--http", "nonsense"]);
    check(&Launch::new().without_address().variable("ZATO_HTTP", "127.0.0.1:99999"), &["--http", "99999"]);
    check(&Launch::new().flag("--odb", "mysql://user:s3cr3t@localhost/zato"), &["odb", "postgres://"]);
    check(&Launch::new().flag("--odb", "postgres://user:s3cr3t@127.0.0.1:1/zato"), &["operational database"]);
    check(&Launch::new().flag("--kvdb", "memcached://s3cr3t@localhost"), &["kvdb", "embedded", "redis://"]);
    check(&Launch::new().flag("--kvdb", "redis://:s3cr3t@localhost/nonsense"), &["kvdb", "redis://"]);
    check(&Launch::new().flag("--log", "no=such=level"), &["log"]);
    check(&Launch::new().flag("--server-name", ""), &["server-name"]);
    check(&Launch::new().flag("--config", "/no/such/file.toml"), &["/no/such/file.toml", "No such file"]);
    check(&Launch::new().flag("--data-dir", "/dev/null/data"), &["/dev/null/data"]);
}

#[test]
fn a_wrong_configuration_file_is_explained() {
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let home = Home::new();
        fs::write(home.work().join("zato-server.toml"), text).unwrap();
        let refusal = Launch::new().refusal_in(&home);
        for text in ["zato-server.toml"].iter().chain(expected) {
            assert!(refusal.stderr.contains(text), "no [{text}] in: {}", refusal.stderr);
        }
        assert!(!refusal.stderr.contains("s3cr3t"), "{}", refusal.stderr);
    }
    check("http = \n", &["line 1"]);
    check("\npubapi_pasword = \"s3cr3t\"\n", &["pubapi_pasword"]);
    check("pubapi_password = 17\nhttp = \"127.0.0.1:0\"\n", &["string"]);
}

#[test]
fn a_port_in_use_is_named() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap().to_string();
    let refusal = Launch::new().without_address().flag("--http", &address).refusal();
    assert!(refusal.stderr.contains(&address), "{}", refusal.stderr);
    assert!(refusal.stderr.to_lowercase().contains("in use"), "{}", refusal.stderr);
}

/// A server with another key than its database was written with could read none of its passwords.
#[test]
fn a_wrong_key_file_is_refused() {
    #[track_caller]
    fn check(spoil: impl FnOnce(&Path)) {
        let stopped = Server::start().stop();
        let key = stopped.home.data().join("secret.key");
        spoil(&key);
        let refusal = stopped.launch.refusal_in(&stopped.home);
        assert!(refusal.stderr.replace('.', " ").contains("secret key"), "{}", refusal.stderr);
    }
    check(|key| fs::write(key, "nonsense").unwrap());
    check(|key| fs::write(key, "").unwrap());
    check(|key| fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap());
    check(|key| fs::remove_file(key).unwrap());
    check(|key| {
        let other = Server::start();
        fs::copy(other.data().join("secret.key"), key).unwrap();
    });
}

#[test]
fn a_damaged_database_is_refused() {
    let stopped = Server::start().stop();
    let database = stopped.home.data().join("odb.sqlite3");
    fs::write(&database, "this is no database, whatever its name says".repeat(100)).unwrap();
    for left in ["odb.sqlite3-wal", "odb.sqlite3-shm"] {
        drop(fs::remove_file(stopped.home.data().join(left)));
    }
    let refusal = stopped.launch.refusal_in(&stopped.home);
    assert!(refusal.stderr.contains("not a database"), "{}", refusal.stderr);
}

/// A password that was never written down anywhere would be lost with the start that made it.
#[test]
fn passwords_are_written_down_before_they_count() {
    let home = Home::new();
    let staged = home.data().join("credentials.json.new");
    fs::create_dir_all(&staged).unwrap();
    fs::write(staged.join("in the way"), "").unwrap();
    let refusal = Launch::new().refusal_in(&home);
    assert!(refusal.stderr.contains("credentials.json.new"), "{}", refusal.stderr);
    fs::remove_dir_all(&staged).unwrap();
    let server = Launch::new().start_in(home);
    server.api().call("zato.ping", &json!({})).ok();

    // The power went after the passwords were stored, and before the file was in its place.
    let file = server.data().join("credentials.json");
    let stopped = server.stop();
    fs::rename(&file, &staged).unwrap();
    let server = stopped.start();
    server.api().call("zato.ping", &json!({})).ok();
    assert!(!staged.exists() && server.log_lines(&["WARN"]).is_empty(), "{}", server.log());
}

#[test]
fn a_file_that_does_not_hold_the_passwords_is_not_pointed_to() {
    let server = Server::start();
    let definitions = server.api().call("zato.security.basic-auth.get-list", &json!({"cluster_id": 1})).ok();
    let pubapi = definitions.as_array().unwrap().iter().find(|item| item["name"] == "pubapi").unwrap();
    let old = server.password("pubapi").to_owned();
    server.api().change_password(pubapi["id"].as_i64().unwrap(), "changed-over-the-api");
    let told = |server: &Server, level: &str, what: &str| {
        let lines = server.log_lines(&[level, "credentials.json", "--pubapi-password"]);
        assert!(matches!(&lines[..], [line] if line.contains(what)), "{}", server.log());
        let printed =
            eventually("the line is printed", || Some(server.stdout()).filter(|text| text.ends_with('\n')));
        assert!(!printed.contains("credentials"), "{printed}");
    };
    let server = server.stop().start();
    told(&server, "WARN", "[\"pubapi\"]");
    assert_eq!(server.password("pubapi"), old);

    let stopped = server.stop();
    fs::remove_file(stopped.home.data().join("credentials.json")).unwrap();
    let server = stopped.start();
    told(&server, "INFO", "there is no such file");

    let stopped = server.stop();
    let server = stopped.launch.variable("ZATO_PUBAPI_PASSWORD", "a-way-in-again").start_in(stopped.home);
    assert_eq!(server.password("pubapi"), "a-way-in-again");
    server.api().call("zato.ping", &json!({})).ok();
    assert!(server.log_lines(&["WARN"]).is_empty(), "{}", server.log());
}
