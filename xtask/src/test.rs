//! `cargo xtask test`: everything that has to hold before a change lands, on a bare Debian machine.
//!
//! Owns the steps, their order and what they need installed. It must not know what the tests do.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::fuzz;
use crate::project::{self, Error, Project};

/// What the tests need of Debian: the program that tells whether it is there, and its package.
const PACKAGES: &[(&str, &str)] = &[
    ("/usr/lib/postgresql/*/bin/initdb", "postgresql"),
    ("/usr/lib/rabbitmq/bin/rabbitmq-server", "rabbitmq-server"),
    ("/usr/sbin/mariadbd", "mariadb-server-core"),
    ("/usr/bin/my_print_defaults", "mariadb-client-core"),
    ("/usr/sbin/proftpd", "proftpd-core"),
    ("/usr/lib/proftpd/mod_tls.so", "proftpd-mod-crypto"),
    ("openssl", "openssl"),
    ("curl", "curl"),
    ("jq", "jq"),
    ("setpriv", "util-linux"),
    ("/usr/sbin/nginx", "nginx-light"),
    ("redis-server", "redis-server"),
    ("tinyproxy", "tinyproxy-bin"),
    ("microsocks", "microsocks"),
    ("stunnel", "stunnel4"),
    ("node", "nodejs"),
    ("npm", "npm"),
];

/// Where the Python clients live.
const PYTHON: &str = "target/python";

/// Where the Python peers of outgoing calls live.
const PYTHON_PEERS: &str = "target/python-peers";

/// Where the Node.js peers of outgoing calls live.
const NODE_PEERS: &str = "target/node-peers";

/// The file in each of them which tells what it was made of.
const STAMP: &str = "installed.txt";

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
        ("fuzzing of what requests go through", fuzz::request_path),
        ("documentation examples", |project| {
            project.run("cargo", &["test", "--workspace", "--exclude", "*-fuzz", "--doc", "--quiet"])
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
    python(project, PYTHON, &["tests/python/requirements.txt"], &["tests/python/requirements-no-deps.txt"])?;
    python(project, PYTHON_PEERS, &["tests/outgoing/python/requirements.txt"], &[])?;
    node(project)
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

/// A virtual environment, made anew when the pinned versions change. What is in `no_deps` is installed without what it asks for.
fn python(project: &Project, place: &str, requirements: &[&str], no_deps: &[&str]) -> Result<(), Error> {
    let wanted = contents(project, requirements.iter().chain(no_deps))?;
    if is_installed(project, place, &wanted) {
        return Ok(());
    }
    println!("    installing {place}");
    project.run("python3", &["-m", "venv", "--clear", place])?;
    let pip = project.root().join(place).join("bin/pip");
    let pip = pip.to_string_lossy();
    let install = ["install", "--quiet", "--disable-pip-version-check"];
    for (files, options) in [(requirements, &[][..]), (no_deps, &["--no-deps"])] {
        for file in files {
            project.run(&pip, &[&install, options, &["--requirement", file]].concat())?;
        }
    }
    set_installed(project, place, &wanted)
}

/// The packages of the Node.js peers, made anew when their pinned versions change.
fn node(project: &Project) -> Result<(), Error> {
    let files = ["tests/outgoing/node/package.json", "tests/outgoing/node/package-lock.json"];
    let wanted = contents(project, &files)?;
    if is_installed(project, NODE_PEERS, &wanted) {
        return Ok(());
    }
    println!("    installing {NODE_PEERS}");
    let folder = project.root().join(NODE_PEERS);
    fs::create_dir_all(&folder).map_err(|source| Error::file(&folder, source))?;
    for file in files {
        let from = project.root().join(file);
        let name = from.file_name().unwrap_or_default();
        fs::copy(&from, folder.join(name)).map_err(|source| Error::file(&from, source))?;
    }
    project.run("npm", &["ci", "--prefix", NODE_PEERS, "--no-audit", "--no-fund", "--silent"])?;
    set_installed(project, NODE_PEERS, &wanted)
}

/// The texts of some files, one after the other.
fn contents<'a>(project: &Project, files: impl IntoIterator<Item = &'a &'a str>) -> Result<String, Error> {
    let mut text = String::new();
    for file in files {
        let path = project.root().join(file);
        text += &fs::read_to_string(&path).map_err(|source| Error::file(&path, source))?;
    }
    Ok(text)
}

/// Whether what is in a folder was made of these pinned versions.
fn is_installed(project: &Project, place: &str, wanted: &str) -> bool {
    fs::read_to_string(project.root().join(place).join(STAMP)).is_ok_and(|installed| installed == wanted)
}

fn set_installed(project: &Project, place: &str, wanted: &str) -> Result<(), Error> {
    let stamp = project.root().join(place).join(STAMP);
    fs::write(&stamp, wanted).map_err(|source| Error::file(&stamp, source))
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
    // A fuzz target is no test: it would run until somebody ends it.
    let arguments =
        ["test", "--workspace", "--exclude", "*-fuzz", "--all-targets", "--no-fail-fast", "--quiet"];
    let mut command = project.command("cargo", &arguments);
    command.env("ZATO_TEST_PYTHON", project.root().join(PYTHON).join("bin/python"));
    command.env("ZATO_TEST_PYTHON_PEERS", project.root().join(PYTHON_PEERS).join("bin/python"));
    command.env("ZATO_TEST_NODE_PEERS", project.root().join(NODE_PEERS));
    project::check(command, "cargo", &arguments)
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
    let entries = fs::read_dir(path).map_err(|source| Error::file(path, source))?;
    let mut names: Vec<String> = entries
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort_unstable();
    Ok(names)
}
