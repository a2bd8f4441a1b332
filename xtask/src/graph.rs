//! `cargo xtask graph`: which crate of the project uses which, floor by floor.
//!
//! Owns the floors and the picture in `docs/crate-graph.txt`. It must not know third-party crates: `policy` does.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use crate::project::{Error, Manifest, Project};

/// The floor of each crate. A crate may only use crates of lower floors.
const FLOORS: &[(u8, &[&str])] = &[
    (0, &["zato-cid", "zato-connections", "zato-oauth", "zato-test-port", "zato-xml"]),
    (1, &["zato-sio", "zato-soap"]),
    (
        2,
        &[
            "zato-amqp",
            "zato-catalogue",
            "zato-env",
            "zato-ftp",
            "zato-kvdb",
            "zato-odb",
            "zato-outgoing",
            "zato-sql",
            "zato-zmq",
        ],
    ),
    (3, &["zato-service"]),
    (4, &["zato-channel", "zato-scheduler", "zato-stats"]),
    (5, &["zato-admin"]),
    (6, &["zato-server"]),
];

const FILE: &str = "docs/crate-graph.txt";

/// Prints the graph and writes it to its file, or, when checking, compares it with the file.
pub(crate) fn run(project: &Project, check: bool) -> Result<(), Error> {
    let graph = render(&project.crates()?)?;
    let path = project.root().join(FILE);
    if check {
        let written = fs::read_to_string(&path).map_err(|source| Error::file(&path, source))?;
        if written != graph {
            return Err(Error::Failed(format!("{FILE} is out of date; run: cargo xtask graph")));
        }
    } else {
        fs::write(&path, &graph).map_err(|source| Error::file(&path, source))?;
        print!("{graph}");
    }
    Ok(())
}

fn render(manifests: &[Manifest]) -> Result<String, Error> {
    let floors: BTreeMap<&str, u8> =
        FLOORS.iter().flat_map(|(floor, names)| names.iter().map(|name| (*name, *floor))).collect();
    let mut out =
        String::from("Which crate uses which. Written by `cargo xtask graph`; compared by a test.\n");
    for (floor, _) in FLOORS {
        let _ = write!(out, "\nfloor {floor}\n");
        for manifest in manifests {
            let name = manifest.name.as_str();
            let own = *floors
                .get(name)
                .ok_or_else(|| Error::Failed(format!("{name} has no floor; add it to xtask/src/graph.rs")))?;
            if own != *floor {
                continue;
            }
            let used: Vec<&str> = manifest
                .dependencies
                .iter()
                .map(String::as_str)
                .filter(|used| floors.contains_key(used))
                .collect();
            if let Some(above) = used.iter().find(|used| floors.get(*used).is_some_and(|floor| *floor >= own))
            {
                return Err(Error::Failed(format!(
                    "{name} (floor {own}) must not use {above}: it is not below"
                )));
            }
            let _ = match used.as_slice() {
                [] => writeln!(out, "  {name}"),
                used => writeln!(out, "  {name} -> {}", used.join(", ")),
            };
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(name: &str, dependencies: &[&str]) -> Manifest {
        Manifest {
            name: name.to_owned(),
            dependencies: dependencies.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn the_committed_graph_is_the_real_one() {
        run(&Project::find().unwrap(), true).unwrap();
    }

    #[test]
    fn an_arrow_that_does_not_point_down_is_refused() {
        let error = render(&[manifest("zato-env", &["zato-outgoing"])]).unwrap_err();
        assert!(error.to_string().contains("zato-env (floor 2) must not use zato-outgoing"), "{error}");
    }

    #[test]
    fn a_crate_without_a_floor_is_refused() {
        let error = render(&[manifest("zato-new", &[])]).unwrap_err();
        assert!(error.to_string().contains("zato-new has no floor"), "{error}");
    }
}
