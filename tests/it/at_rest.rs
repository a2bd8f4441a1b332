//! No secret that is stored can be read in what it is stored in: the operational database, the key/value store, logs.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use crate::support::api::{user, with};
use crate::support::backend::on_both_backends;
use crate::support::postgres::{Database, PASSWORD};
use crate::support::{Backend, Launch, Server, eventually};

on_both_backends!(nothing_stored_tells_a_secret);

/// What creates an object of each family that has a password.
fn with_passwords() -> Vec<(&'static str, Value)> {
    let definition = |own: Value| {
        with(&json!({"cluster_id": 1, "name": "At rest", "is_active": true, "username": "at-rest"}), &own)
    };
    let security = |family: &str| definition(json!({"name": format!("At rest {family}")}));
    vec![
        ("zato.security.basic-auth", with(&user("At rest basic"), &json!({"username": "at-rest-basic"}))),
        ("zato.security.apikey", security("apikey")),
        ("zato.security.aws", security("aws")),
        ("zato.security.ntlm", security("ntlm")),
        ("zato.security.openstack", security("openstack")),
        (
            "zato.security.oauth",
            with(
                &security("oauth"),
                &json!({"proto_version": "1.0", "sig_method": "HMAC-SHA1", "max_nonce_log": 10}),
            ),
        ),
        (
            "zato.security.wss",
            with(
                &security("wss"),
                &json!({
                    "password_type": "clear_text", "reject_empty_nonce_creat": false,
                    "reject_stale_tokens": false, "reject_expiry_limit": 60, "nonce_freshness_time": 60,
                }),
            ),
        ),
        (
            "zato.security.xpath",
            with(&security("xpath"), &json!({"username_expr": "//user", "password_expr": "//password"})),
        ),
        (
            "zato.security.jwt",
            json!({"cluster_id": 1, "name": "At rest jwt", "is_active": true, "algorithm": "HS256"}),
        ),
        (
            "zato.security.tech-account",
            json!({"cluster_id": 1, "name": "At rest account", "is_active": true}),
        ),
        (
            "zato.definition.amqp",
            json!({
                "cluster_id": 1, "name": "At rest", "host": "localhost", "port": 1, "vhost": "/",
                "username": "at-rest", "frame_max": 131_072, "heartbeat": 60,
            }),
        ),
        (
            "zato.outgoing.ftp",
            json!({
                "cluster_id": 1, "name": "At rest", "is_active": true, "host": "localhost", "port": 1,
                "user": "at-rest", "timeout": 1, "dircache": false,
            }),
        ),
        (
            "zato.outgoing.sql",
            json!({
                "cluster_id": 1, "name": "At rest", "is_active": true, "engine": "postgresql",
                "host": "localhost", "port": 1, "db_name": "at_rest", "username": "at-rest", "pool_size": 1,
            }),
        ),
    ]
}

/// The files of a directory with all they hold.
fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect()
}

fn contain(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// The forms in which a secret might be found: as it is, as a part of a message, as a column of bytes in a dump.
fn forms(secret: &str) -> [String; 3] {
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    [secret.to_owned(), STANDARD.encode(secret).trim_end_matches('=').to_owned(), hex]
}

/// Gives an object of each family two passwords, one after the other, and returns all of them.
fn store(server: &Server) -> Vec<String> {
    let mut secrets = Vec::new();
    let families = with_passwords();
    let with_password = zato_catalogue::services().iter().filter(|service| service.is_built());
    for service in with_password.filter_map(|service| service.name.strip_suffix(".change-password")) {
        assert!(families.iter().any(|(family, _)| *family == service), "{service} is not looked at");
    }
    for (family, object) in families {
        let id = server.api().id_of(&format!("{family}.create"), &object);
        for number in [1, 2] {
            let secret = format!("kept-secret-{number}-of-{family}");
            server.keep_secret(&secret);
            let input = json!({"id": id, "password1": secret, "password2": secret});
            server.api().call(&format!("{family}.change-password"), &input).ok();
            secrets.push(secret);
        }
    }
    secrets.push(store_key(server));
    secrets
}

/// Stores a private key, and returns a line of it.
fn store_key(server: &Server) -> String {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(Vec::new()).unwrap().self_signed(&key).unwrap().pem();
    let pem = key.serialize_pem().replace("\r\n", "\n");
    let value = format!("{pem}{}", certificate.replace("\r\n", "\n"));
    let object = json!({"cluster_id": 1, "name": "At rest key", "is_active": true, "value": value});
    server.api().id_of("zato.security.tls.key-cert.create", &object);
    let line = pem.lines().nth(1).unwrap().to_owned();
    server.keep_secret(&line);
    line
}

/// Has the key/value store keep a message that held a password.
fn keep_sample(server: &Server) {
    let name = json!({"cluster_id": 1, "name": "zato.security.basic-auth.change-password"});
    let every = with(&name, &json!({"sample_req_resp_freq": 1}));
    server.api().call("zato.service.configure-request-response", &every).ok();
    let id = server.api().id_of("zato.security.basic-auth.create", &user("Sampled"));
    let input = json!({"id": id, "password1": "kept-secret-in-sample", "password2": "kept-secret-in-sample"});
    server.api().call("zato.security.basic-auth.change-password", &input).ok();
    server.keep_secret("kept-secret-in-sample");
    eventually("the sample is kept", || {
        let sample = server.api().call("zato.service.get-request-response", &name).ok();
        let request = STANDARD.decode(sample["sample_req"].as_str().unwrap_or_default()).unwrap();
        contain(&request, "password1").then_some(())
    });
}

fn nothing_stored_tells_a_secret(backend: Backend) {
    let server = backend.launch().start();
    let mut secrets = store(&server);
    keep_sample(&server);
    secrets.push("kept-secret-in-sample".to_owned());
    // While the server runs, its latest changes are in files beside the database.
    check(&contents(&server.data()), &secrets, matches!(backend, Backend::Sqlite));
    let own = server.password("pubapi").to_owned();
    let stopped = server.stop();
    let files = contents(&stopped.home.data());
    check(&files, &secrets, matches!(backend, Backend::Sqlite));
    for (file, bytes) in files {
        assert!(file.ends_with("credentials.json") || !contain(&bytes, &own), "{own} is in {file}");
    }
}

#[track_caller]
fn check(files: &[(String, Vec<u8>)], secrets: &[String], has_objects: bool) {
    let is_found = files.iter().any(|(_, bytes)| contain(bytes, "At rest key"));
    assert_eq!(is_found, has_objects, "the objects are not where they were looked for");
    for secret in secrets {
        for form in forms(secret) {
            for (file, bytes) in files {
                assert!(!contain(bytes, &form), "{secret} is in {file} as {form}");
            }
        }
    }
}

#[test]
fn no_secret_is_in_a_dump_of_postgresql() {
    let database = Database::create();
    let server = Launch::new().flag("--odb", database.url()).start();
    server.keep_secret(PASSWORD);
    let mut secrets = store(&server);
    secrets.extend(["pubapi", "admin.invoke"].map(|name| server.password(name).to_owned()));
    check(&[("the dump".to_owned(), database.dump().into_bytes())], &secrets, true);
    for (file, bytes) in contents(&server.data()) {
        assert!(!contain(&bytes, PASSWORD), "the database's password is in {file}");
    }
}
