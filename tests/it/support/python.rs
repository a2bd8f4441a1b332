//! Scripts that use real Python clients, run in the virtual environment that the test command makes.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::server::Server;

/// Runs a script of `tests/python` against a server; it must succeed.
///
/// Addresses and passwords reach it as environment variables, since arguments can be seen by other users.
#[track_caller]
pub(crate) fn run(script: &str, server: &Server, variables: &[(&str, &str)]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
    let output = Command::new(interpreter())
        .arg(folder.join(script))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("ZATO_ADDRESS", server.url(""))
        .env("ZATO_PUBAPI_PASSWORD", server.password("pubapi"))
        .env("ZATO_ADMIN_INVOKE_PASSWORD", server.password("admin.invoke"))
        .envs(variables.iter().copied())
        .env_remove("http_proxy")
        .env_remove("HTTP_PROXY")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{script}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn interpreter() -> PathBuf {
    if let Some(given) = std::env::var_os("ZATO_TEST_PYTHON") {
        return given.into();
    }
    let this = std::env::current_exe().unwrap();
    let target = this.ancestors().nth(3).expect("tests are built into target/<profile>/deps");
    let python = target.join("python/bin/python");
    assert!(python.exists(), "{} is missing: run cargo xtask test, which makes it", python.display());
    python
}
