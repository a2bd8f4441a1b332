//! The project's own commands. Each one is a module of its own; this one only tells them apart.

mod bench;
mod codegen;
mod coverage;
mod fuzz;
mod graph;
mod guided;
mod policy;
mod project;
mod test;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::project::Project;

/// The project's own commands.
#[derive(Parser)]
#[command(name = "cargo xtask", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write everything that is generated from the catalogue.
    Codegen(codegen::Arguments),
    /// Show which services of the catalogue are built and which are planned.
    Coverage,
    /// Check who uses what, and write which crate of the project uses which to docs/crate-graph.txt.
    Graph {
        /// Compare with the file instead of writing it.
        #[arg(long)]
        check: bool,
    },
    /// Run all fuzz targets, or some.
    Fuzz(fuzz::Arguments),
    /// Run everything that has to hold before a change lands; installs what that needs on a Debian machine.
    Test,
    /// Build the server with optimization that is guided by a profile of its own calls; installs what that needs. Takes about
    /// half an hour on two cores.
    Release,
    /// Measure the server, outgoing calls and correlation ids against bare baselines, built as a release is.
    Bench {
        /// Measure what `cargo build --release` makes instead, which takes half the time to build.
        #[arg(long)]
        unguided: bool,
        /// What to measure: inbound, outgoing, cid, start or all, with that section's options.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Codegen(arguments) => codegen::run(&arguments),
        Command::Coverage => coverage::run(),
        Command::Graph { check } => {
            finish(|project| policy::run(project).and_then(|()| graph::run(project, check)))
        }
        Command::Fuzz(arguments) => finish(|project| fuzz::run(project, &arguments)),
        Command::Test => finish(test::run),
        Command::Release => finish(guided::run),
        Command::Bench { unguided, arguments } => finish(|project| bench::run(project, unguided, &arguments)),
    }
}

fn finish(command: impl FnOnce(&Project) -> Result<(), project::Error>) -> ExitCode {
    match Project::find().and_then(|project| command(&project)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", report(&error));
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace.
fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

/// An error with the chain of its causes, one a line.
fn report(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str("\n  caused by: ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
