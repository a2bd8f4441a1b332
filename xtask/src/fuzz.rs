//! `cargo xtask fuzz`: runs every fuzz target for some time, or for so many inputs.
//!
//! Owns how targets are found, built and run. It must not know what any of them checks.
//!
//! cargo-fuzz needs a nightly compiler for the sanitizers that it turns on. The project has no unsafe code for them to look
//! at; what a fuzzer needs besides is coverage, and that the stable compiler can do.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::project::{Error, Project};

/// Coverage for libFuzzer: counters of edges, comparisons that it can learn from, and the addresses of both.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cdebug-assertions";

/// Where instrumented code is built, apart from everything else.
const TARGET: &str = "target/fuzz";

/// What a target may use, in megabytes.
const MEMORY: u32 = 2048;

/// What one input may take, in seconds.
const PATIENCE: u32 = 20;

/// The crates whose parsers every request goes through before anybody knows who sent it.
const REQUEST_PATH: &[&str] = &["zato-channel", "zato-oauth", "zato-sio", "zato-soap", "zato-xml"];

/// Which targets are run, and for how long.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// For how many minutes each target runs.
    #[arg(long, default_value_t = 1, conflicts_with_all = ["seconds", "executions"])]
    minutes: u64,
    /// For how many seconds each target runs.
    #[arg(long, conflicts_with = "executions")]
    seconds: Option<u64>,
    /// How many inputs each target runs, however long that takes.
    #[arg(long)]
    executions: Option<u64>,
    /// Build without optimization: the first target runs minutes sooner, and all of them much slower.
    #[arg(long)]
    quick: bool,
    /// The targets to run, as crate/target or target; all of them if none is named.
    targets: Vec<String>,
}

impl Arguments {
    fn wants(&self, target: &Target) -> bool {
        self.targets.is_empty()
            || self.targets.iter().any(|name| *name == target.name || *name == target.to_string())
    }

    fn end(&self) -> End {
        match (self.executions, self.seconds) {
            (Some(executions), _) => End::Executions(executions),
            (None, seconds) => End::Time(Duration::from_secs(seconds.unwrap_or(self.minutes * 60))),
        }
    }
}

/// When a target has run for long enough.
#[derive(Clone, Copy)]
enum End {
    Time(Duration),
    Executions(u64),
}

impl End {
    /// The option of libFuzzer.
    fn option(self) -> String {
        match self {
            Self::Time(time) => format!("-max_total_time={}", time.as_secs()),
            Self::Executions(executions) => format!("-runs={executions}"),
        }
    }
}

/// How targets are compiled. Optimized, they run many times as fast, and take minutes more to build.
#[derive(Clone, Copy)]
enum Build {
    Quick,
    Optimized,
}

impl Build {
    /// Where cargo puts what it built.
    fn folder(self) -> &'static str {
        match self {
            Self::Quick => "debug",
            Self::Optimized => "release",
        }
    }
}

/// A fuzz target of a crate.
struct Target {
    /// The crate that it belongs to.
    owner: String,
    name: String,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

/// Runs the targets that the arguments name.
pub(crate) fn run(project: &Project, arguments: &Arguments) -> Result<(), Error> {
    let targets: Vec<Target> =
        targets(project)?.into_iter().filter(|target| arguments.wants(target)).collect();
    if targets.is_empty() {
        return Err(Error::Failed("there is no fuzz target of that name".to_owned()));
    }
    let build = if arguments.quick { Build::Quick } else { Build::Optimized };
    run_all(project, &targets, build, arguments.end())
}

/// Runs each target of the request path for ten seconds: long enough to find what a change has just broken.
pub(crate) fn request_path(project: &Project) -> Result<(), Error> {
    let mut targets = targets(project)?;
    targets.retain(|target| REQUEST_PATH.contains(&target.owner.as_str()));
    run_all(project, &targets, Build::Quick, End::Time(Duration::from_secs(10)))
}

/// Builds and runs targets, one after the other; the first input that a target can't bear ends the run.
fn run_all(project: &Project, targets: &[Target], kind: Build, end: End) -> Result<(), Error> {
    let host = project.host()?;
    build(project, targets, &host, kind)?;
    println!("{:44} {:>14} {:>12}", "target", "executions", "per second");
    for target in targets {
        let begun = Instant::now();
        let program = project.root().join(TARGET).join(&host).join(kind.folder()).join(&target.name);
        let executions = execute(project, target, &program, end)?;
        let rate = executions as f64 / begun.elapsed().as_secs_f64();
        println!("{:44} {executions:>14} {rate:>12.0}", target.to_string());
    }
    Ok(())
}

/// The targets of all crates, by crate and name.
fn targets(project: &Project) -> Result<Vec<Target>, Error> {
    let mut targets = Vec::new();
    for manifest in project.crates()? {
        let path = project.root().join("crates").join(&manifest.name).join("fuzz/Cargo.toml");
        if !path.exists() {
            continue;
        }
        let text = fs::read_to_string(&path).map_err(|source| Error::file(&path, source))?;
        let table: toml::Table =
            text.parse().map_err(|error| Error::Failed(format!("{}: {error}", path.display())))?;
        let binaries = table.get("bin").and_then(toml::Value::as_array).into_iter().flatten();
        let names = binaries.filter_map(|binary| binary.get("name")?.as_str());
        targets.extend(names.map(|name| Target { owner: manifest.name.clone(), name: name.to_owned() }));
    }
    Ok(targets)
}

fn build(project: &Project, targets: &[Target], host: &str, kind: Build) -> Result<(), Error> {
    let mut arguments = vec!["build", "--quiet", "--target", host, "--target-dir", TARGET];
    if matches!(kind, Build::Optimized) {
        arguments.push("--release");
    }
    let mut packages: Vec<String> = targets.iter().map(|target| format!("{}-fuzz", target.owner)).collect();
    packages.dedup();
    for package in &packages {
        arguments.extend(["--package", package]);
    }
    let mut command = project.command("cargo", &arguments);
    // Whole-program optimization would take minutes for each of the targets, and hides edges from the fuzzer.
    command
        .env("RUSTFLAGS", FLAGS)
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
    crate::project::check(command, "cargo", &arguments)
}

/// Runs a target over its corpus and what it finds; returns how many inputs it ran.
fn execute(project: &Project, target: &Target, program: &Path, end: End) -> Result<u64, Error> {
    let folder = |kind: &str| -> Result<PathBuf, Error> {
        let path = project.root().join(TARGET).join(kind).join(&target.owner).join(&target.name);
        fs::create_dir_all(&path).map_err(|source| Error::file(&path, source))?;
        Ok(path)
    };
    let (found, artifacts) = (folder("corpus")?, folder("artifacts")?);
    let seeds = project.root().join("crates").join(&target.owner).join("fuzz/corpus").join(&target.name);
    let mut command = Command::new(program);
    command
        .arg(end.option())
        .arg(format!("-rss_limit_mb={MEMORY}"))
        .arg(format!("-timeout={PATIENCE}"))
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .args(["-print_final_stats=1", "-verbosity=0"])
        .args([&found, &seeds])
        .current_dir(project.root())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let output =
        command.output().map_err(|source| Error::Start { program: program.display().to_string(), source })?;
    let report = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(Error::Failed(format!(
            "{report}\n{target} failed; the input is in {}",
            artifacts.display()
        )));
    }
    executions(&report)
        .ok_or_else(|| Error::Failed(format!("{report}\n{target} doesn't say how much it did")))
}

fn executions(report: &str) -> Option<u64> {
    report.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_corpus_and_a_name_of_its_own() {
        let project = Project::find().unwrap();
        let targets = targets(&project).unwrap();
        assert!(targets.iter().any(|target| target.to_string() == "zato-channel/dispatch"));
        let mut names: Vec<&str> = targets.iter().map(|target| target.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), targets.len(), "all targets are built into one folder");
        for target in &targets {
            let seeds =
                project.root().join("crates").join(&target.owner).join("fuzz/corpus").join(&target.name);
            assert!(
                fs::read_dir(&seeds).is_ok_and(|mut seeds| seeds.next().is_some()),
                "{target} has no seeds"
            );
        }
    }

    #[test]
    fn executions_are_read_from_reports() {
        let report = "Done 12 runs in 1 second(s)\nstat::number_of_executed_units: 12\nstat::average_exec_per_sec:     12\n";
        assert_eq!(executions(report), Some(12));
        assert_eq!(executions("ERROR: libFuzzer"), None);
    }
}
