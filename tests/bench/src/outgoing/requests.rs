//! The `requests` library of Python, in the virtual environment which the test command makes.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use hyper::header::HeaderMap;

use super::{PATH, REQUEST};
use crate::Error;

pub(super) const NAME: &str = "requests with sessions";

/// Calls a second of as many threads as said, each with a session of its own.
pub(super) fn rate(peer: SocketAddr, headers: &HeaderMap, threads: u32, calls: u32) -> Result<f64, Error> {
    let mut named = BTreeMap::new();
    for (name, value) in headers {
        named.insert(name.as_str(), value.to_str()?);
    }
    let headers = serde_json::to_string(&named)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/requests_client.py");
    let output = Command::new(interpreter()?)
        .arg(script)
        .args([
            format!("http://{peer}{PATH}"),
            REQUEST.to_owned(),
            headers,
            threads.to_string(),
            calls.to_string(),
        ])
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let seconds: f64 = String::from_utf8_lossy(&output.stdout).trim().parse()?;
    Ok(f64::from(calls) / seconds)
}

fn interpreter() -> Result<PathBuf, Error> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python-peers/bin/python");
    if python.exists() {
        Ok(python)
    } else {
        Err(format!("{} is missing: run cargo xtask test, which makes it", python.display()).into())
    }
}
