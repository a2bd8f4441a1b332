//! `cargo xtask bench`: builds what is measured with optimisation and runs the measurements.
//!
//! Owns nothing but those two commands; what is measured is in `tests/bench`.

use crate::project::{Error, Project};

/// Runs one section, or all of them. `arguments` go to the measuring program.
pub(crate) fn run(project: &Project, arguments: &[String]) -> Result<(), Error> {
    project.run(
        "cargo",
        &["build", "--release", "--quiet", "--package", "zato-server", "--package", "zato-bench"],
    )?;
    let arguments: Vec<&str> =
        if arguments.is_empty() { vec!["all"] } else { arguments.iter().map(String::as_str).collect() };
    project.run("target/release/zato-bench", &arguments)
}
