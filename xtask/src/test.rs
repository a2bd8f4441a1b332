//! `cargo xtask test`: everything that has to hold before a change lands, on a bare Debian machine.
//!
//! Owns the steps, their order and what they need installed. It must not know what the tests do.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::project::{self, Error, Project};

/// What the tests need of Debian: the program that tells whether it is there, and its package.
const PACKAGES: &[(&str, &str)] = &[
    ("/usr/lib/postgresql/*/bin/initdb", "postgresql"),
    ("curl", "curl"),
    ("jq", "jq"),
    ("setpriv", "util-linux"),
];

/// Where the Python clients live.
const PYTHON: &str = "target/python";

type Step = fn(&Project) -> Result<(), Error>;

/// Runs all steps in order; the first failure ends the run.
pub(crate) fn run(project: &Project) -> Result<(), Error> {
    let steps: &[(&str, Step)] = &[
        ("install what the tests need", install),
        ("formatting", |project| project.run("cargo", &["fmt", "--all", "--check"])),
        ("lints", |project| {
            project.run(
                "cargo",
                &["clippy", "--workspace", "--all-targets", "--quiet", "--", "--deny", "warnings"],
            )
        }),
        ("build the server and its example", |project| {
            project.run("cargo", &["build", "--quiet", "--package", "zato-server", "--bins", "--examples"])
        }),
        ("layers alone", layers_alone),
        ("tests", tests),
        ("documentation examples", |project| {
            project.run("cargo", &["test", "--workspace", "--doc", "--quiet"])
        }),
        ("documentation", documentation),
        ("packages", packages),
    ];
    let begun = Instant::now();
    for (name, step) in steps {
        let step_begun = Instant::now();
        println!("==> {name}");
        step(project)?;
        println!("    {name}: {:.0} s", step_begun.elapsed().as_secs_f64());
    }
    println!("everything holds after {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

fn install(project: &Project) -> Result<(), Error> {
    let missing: Vec<&str> =
        PACKAGES.iter().filter(|(program, _)| !is_there(program)).map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        println!("    installing {}", missing.join(", "));
        project.run("apt-get", &["update", "--quiet"])?;
        let arguments: Vec<&str> = ["install", "--yes", "--no-install-recommends", "--quiet"]
            .into_iter()
            .chain(missing.iter().copied())
            .collect();
        let mut command = project.command("apt-get", &arguments);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        project::check(command, "apt-get", &arguments)?;
    }
    python(project)
}

/// Whether a program is on the path, or a file of this pattern exists.
fn is_there(program: &str) -> bool {
    let test =
        if program.starts_with('/') { format!("ls {program}") } else { format!("command -v {program}") };
    Command::new("sh")
        .args(["-c", &test])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The virtual environment of the Python clients, made anew when their pinned versions change.
fn python(project: &Project) -> Result<(), Error> {
    let requirements = ["tests/python/requirements.txt", "tests/python/requirements-no-deps.txt"];
    let mut wanted = String::new();
    for file in requirements {
        let path = project.root().join(file);
        wanted += &std::fs::read_to_string(&path).map_err(|source| Error::file(&path, source))?;
    }
    let stamp = project.root().join(PYTHON).join("installed.txt");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    println!("    installing the Python clients");
    project.run("python3", &["-m", "venv", "--clear", PYTHON])?;
    let pip = project.root().join(PYTHON).join("bin/pip");
    let pip = pip.to_string_lossy();
    project.run(
        &pip,
        &["install", "--quiet", "--disable-pip-version-check", "--requirement", requirements[0]],
    )?;
    project.run(
        &pip,
        &["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement", requirements[1]],
    )?;
    std::fs::write(&stamp, wanted).map_err(|source| Error::file(&stamp, source))
}

/// Each program under `tests/downstream` builds and runs with one layer only.
fn layers_alone(project: &Project) -> Result<(), Error> {
    for name in folders(&project.root().join("tests/downstream"))? {
        let package = format!("downstream-{name}");
        project.run("cargo", &["run", "--quiet", "--package", &package])?;
    }
    Ok(())
}

fn tests(project: &Project) -> Result<(), Error> {
    let mut command = project.command("cargo", &["test", "--workspace", "--all-targets", "--quiet"]);
    command.env("ZATO_TEST_PYTHON", project.root().join(PYTHON).join("bin/python"));
    project::check(command, "cargo", &["test", "--workspace", "--all-targets"])
}

fn documentation(project: &Project) -> Result<(), Error> {
    let arguments = ["doc", "--workspace", "--no-deps", "--quiet"];
    let mut command = project.command("cargo", &arguments);
    command.env("RUSTDOCFLAGS", "--deny warnings");
    project::check(command, "cargo", &arguments)
}

/// `cargo package` accepts every crate: the files are there, the manifest is complete.
fn packages(project: &Project) -> Result<(), Error> {
    let names: Vec<String> = project.crates()?.into_iter().map(|manifest| manifest.name).collect();
    let mut arguments = vec!["package", "--quiet", "--no-verify", "--allow-dirty"];
    for name in &names {
        arguments.extend(["--package", name]);
    }
    project.run("cargo", &arguments)
}

fn folders(path: &Path) -> Result<Vec<String>, Error> {
    let entries = std::fs::read_dir(path).map_err(|source| Error::file(path, source))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    Ok(names)
}
