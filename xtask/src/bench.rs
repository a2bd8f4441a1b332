//! `cargo xtask bench`: builds what is measured with optimization and runs the measurements.
//!
//! Owns nothing but these two steps; what is measured is in `tests/bench`.

use std::path::PathBuf;

use crate::guided;
use crate::project::{Error, Project};

/// Runs one section, or all of them. `arguments` go to the measuring program.
pub(crate) fn run(project: &Project, unguided: bool, arguments: &[String]) -> Result<(), Error> {
    let folder = if unguided { build(project)? } else { guided::build(project)? };
    let program = folder.join("zato-bench");
    let arguments: Vec<&str> =
        if arguments.is_empty() { vec!["all"] } else { arguments.iter().map(String::as_str).collect() };
    project.run(&program.to_string_lossy(), &arguments)
}

/// The build without a profile, and the folder that it is in.
fn build(project: &Project) -> Result<PathBuf, Error> {
    let packages = ["--package", "zato-server", "--package", "zato-bench"];
    project.run("cargo", &[&["build", "--release", "--quiet"], &packages[..]].concat())?;
    Ok(project.root().join("target/release"))
}
