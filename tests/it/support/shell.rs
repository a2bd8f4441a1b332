//! Shell commands as people paste them.

use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a script with bash in a directory; it must succeed, and its output is returned.
#[track_caller]
pub(crate) fn bash(directory: &Path, script: &str) -> String {
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(directory)
        .stdin(Stdio::null())
        .output()
        .expect("bash is installed");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{}\n$ {script}\n{stdout}{stderr}", output.status);
    stdout.into_owned()
}
