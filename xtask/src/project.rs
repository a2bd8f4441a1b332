//! The workspace as cargo sees it, and running commands in it.
//!
//! Owns paths, manifests and child processes. It must not know what the commands check.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

/// Why a command of this program failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// What was checked is not as it should be, or a step failed; the text says what to do.
    #[error("{0}")]
    Failed(String),
    /// A file can't be read or written.
    #[error("can't read or write {}", path.display())]
    File { path: PathBuf, source: io::Error },
    /// A program can't be started.
    #[error("can't run {program}")]
    Start { program: String, source: io::Error },
    /// A program printed something that can't be read.
    #[error("can't read what {program} printed")]
    Output { program: &'static str, source: serde_json::Error },
}

impl Error {
    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }
}

/// The workspace's root folder.
#[derive(Debug)]
pub(crate) struct Project(PathBuf);

/// A crate below `crates/` with the names of its ordinary dependencies, sorted.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<String>,
}

impl Project {
    /// The workspace that this program was built from.
    pub(crate) fn find() -> Result<Self, Error> {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = own.parent().ok_or_else(|| Error::Failed("xtask has no parent folder".to_owned()))?;
        Ok(Self(root.to_owned()))
    }

    pub(crate) fn root(&self) -> &Path {
        &self.0
    }

    /// The crates of the project, sorted by name.
    pub(crate) fn crates(&self) -> Result<Vec<Manifest>, Error> {
        #[derive(Deserialize)]
        struct Metadata {
            packages: Vec<Package>,
        }
        #[derive(Deserialize)]
        struct Package {
            name: String,
            manifest_path: PathBuf,
            dependencies: Vec<Dependency>,
        }
        #[derive(Deserialize)]
        struct Dependency {
            name: String,
            kind: Option<String>,
        }
        let printed = self.read("cargo", &["metadata", "--format-version", "1", "--no-deps"])?;
        let metadata: Metadata = serde_json::from_str(&printed)
            .map_err(|source| Error::Output { program: "cargo metadata", source })?;
        let folder = self.0.join("crates");
        let mut manifests: Vec<Manifest> = metadata
            .packages
            .into_iter()
            // Fuzz crates are below those that they belong to.
            .filter(|package| package.manifest_path.ancestors().nth(2) == Some(&folder))
            .map(|package| {
                let ordinary =
                    package.dependencies.into_iter().filter(|dependency| dependency.kind.is_none());
                let mut dependencies: Vec<String> = ordinary.map(|dependency| dependency.name).collect();
                dependencies.sort_unstable();
                dependencies.dedup();
                Manifest { name: package.name, dependencies }
            })
            .collect();
        manifests.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(manifests)
    }

    /// The platform that the compiler runs on. Named explicitly, it keeps the flags from build scripts and macros.
    pub(crate) fn host(&self) -> Result<String, Error> {
        let printed = self.read("rustc", &["--version", "--verbose"])?;
        let host = printed.lines().find_map(|line| line.strip_prefix("host: "));
        host.map(str::to_owned)
            .ok_or_else(|| Error::Failed("rustc does not say which host it runs on".to_owned()))
    }

    /// A program to be run in the root folder.
    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.0);
        command
    }

    /// Runs a program and fails if it does.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Result<(), Error> {
        check(self.command(program, arguments), program, arguments)
    }

    /// Runs a program and returns what it prints.
    pub(crate) fn read(&self, program: &str, arguments: &[&str]) -> Result<String, Error> {
        let output = self
            .command(program, arguments)
            .stderr(Stdio::inherit())
            .output()
            .map_err(|source| Error::Start { program: program.to_owned(), source })?;
        if !output.status.success() {
            return Err(failed(program, arguments));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Runs a prepared program and fails if it does.
pub(crate) fn check(mut command: Command, program: &str, arguments: &[&str]) -> Result<(), Error> {
    let status = command.status().map_err(|source| Error::Start { program: program.to_owned(), source })?;
    if status.success() { Ok(()) } else { Err(failed(program, arguments)) }
}

fn failed(program: &str, arguments: &[&str]) -> Error {
    Error::Failed(format!("failed: {program} {}", arguments.join(" ")))
}
