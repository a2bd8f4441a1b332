//! `cargo xtask release`: builds the server with optimization that is guided by a profile of its own calls.
//!
//! Owns the steps of profile-guided optimization and what they need installed; cargo-pgo knows the options of the compiler. Which
//! calls are made for the profile is decided in `tests/bench`. Why this is worth it: `docs/decisions/0032`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::SystemTime;

use crate::project::{self, Error, Project};

/// Where everything guided is built, apart from the rest.
const TARGET: &str = "target/guided";

/// Where the program that counts what its calls go through is built.
const INSTRUMENTED: &str = "target/guided/instrumented";

/// What was counted.
const PROFILES: &str = "target/guided/profiles";

/// The profile of cargo, with which both steps build. What is counted is found again by names that have its settings in them.
const PROFILE: &str = "guided";

/// The version of cargo-pgo.
const TOOL_VERSION: &str = "0.3.0";

/// Optimization across crates would take ten minutes, and comes after the counters are put in. It is turned off by flags because
/// cargo's own setting is part of every function's name, by which its counts are found again.
const WITHOUT_LTO: &str = "-Clto=off -Clinker-plugin-lto=no";

/// Builds the server and says where it is.
pub(crate) fn run(project: &Project) -> Result<(), Error> {
    let folder = build(project)?;
    println!("the server is {}", folder.join("zato-server").display());
    Ok(())
}

/// Builds the server and the measurements, and returns the folder that they are in.
pub(crate) fn build(project: &Project) -> Result<PathBuf, Error> {
    let tool = install(project)?;
    let host = project.host()?;
    let instrumented = instrument(project, &tool, &host)?;
    train(project, &instrumented)?;
    println!("==> optimize by the profile");
    let packages = ["--package", "zato-server", "--package", "zato-bench"];
    cargo_pgo(project, &tool, &["optimize"], &[], &[&packages, &["--target-dir", TARGET][..]].concat())?;
    Ok(project.root().join(TARGET).join(host).join(PROFILE))
}

/// The compiler's tools for profiles, and cargo-pgo; returns the latter.
fn install(project: &Project) -> Result<String, Error> {
    let sysroot = project.read("rustc", &["--print", "sysroot"])?;
    let merger = format!("{}/lib/rustlib/{}/bin/llvm-profdata", sysroot.trim(), project.host()?);
    if !Path::new(&merger).exists() {
        println!("==> install llvm-tools");
        project.run("rustup", &["component", "add", "llvm-tools"])?;
    }
    let place = format!("target/cargo-pgo-{TOOL_VERSION}");
    let tool = format!("{place}/bin/cargo-pgo");
    if !project.root().join(&tool).exists() {
        println!("==> install cargo-pgo");
        let version = ["--version", TOOL_VERSION, "--locked", "--quiet", "--root", &place];
        project.run("cargo", &[&["install", "cargo-pgo"], &version[..]].concat())?;
    }
    Ok(tool)
}

/// Builds the measurements so that they count what they go through; returns the program.
fn instrument(project: &Project, tool: &str, host: &str) -> Result<PathBuf, Error> {
    println!("==> build what counts its calls");
    let arguments = ["--package", "zato-bench", "--target-dir", INSTRUMENTED];
    let flags = format!("{} {WITHOUT_LTO}", std::env::var("RUSTFLAGS").unwrap_or_default());
    cargo_pgo(project, tool, &["build", "--keep-profiles"], &[("RUSTFLAGS", &flags)], &arguments)?;
    Ok(project.root().join(INSTRUMENTED).join(host).join(PROFILE).join("zato-bench"))
}

/// Makes calls with the program, unless there is a profile of it: another one would have everything be built anew.
fn train(project: &Project, program: &Path) -> Result<(), Error> {
    let profiles = project.root().join(PROFILES);
    let modified = |path: &Path| fs::metadata(path).and_then(|file| file.modified());
    let built = modified(program).map_err(|source| Error::file(program, source))?;
    let trained = newest(&profiles);
    if trained.is_some_and(|trained| trained > built) {
        return Ok(());
    }
    println!("==> make calls");
    if trained.is_some() {
        fs::remove_dir_all(&profiles).map_err(|source| Error::file(&profiles, source))?;
    }
    let program = program.to_string_lossy();
    let mut command = project.command(&program, &["train"]);
    command.stdout(Stdio::null());
    project::check(command, &program, &["train"])
}

/// When a file of the folder was written last.
fn newest(folder: &Path) -> Option<SystemTime> {
    let files = fs::read_dir(folder).ok()?.filter_map(Result::ok);
    files.filter_map(|file| file.metadata().ok()?.modified().ok()).max()
}

/// Runs a step of cargo-pgo, which gives the rest of the arguments to cargo.
fn cargo_pgo(
    project: &Project,
    tool: &str,
    step: &[&str],
    environment: &[(&str, &str)],
    cargo: &[&str],
) -> Result<(), Error> {
    let profiles = project.root().join(PROFILES);
    let profiles = profiles.to_string_lossy();
    let arguments =
        [&["pgo"], step, &["--profiles-dir", &profiles, "--", "--quiet", "--profile", PROFILE], cargo]
            .concat();
    let mut command = project.command(tool, &arguments);
    command.envs(environment.iter().copied());
    // It would say after each step what to do next, which is done already.
    command.env("RUST_LOG", "cargo_pgo=warn");
    project::check(command, tool, &arguments)
}
