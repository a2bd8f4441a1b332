//! Who may use what: rules on manifests and dependencies that reviews would otherwise repeat.
//!
//! Owns those rules. It must not know the floors: `graph` does.

use std::fs;

use crate::project::{Error, Manifest, Project};

/// Third-party crates that only some crates of the project may name.
const RESERVED: &[(&str, &[&str])] = &[
    ("deadpool", &["zato-sql"]),
    ("h2", &["zato-outgoing"]),
    ("hyper", &["zato-outgoing", "zato-server"]),
    ("hyper-util", &["zato-outgoing", "zato-server"]),
    ("lapin", &["zato-amqp"]),
    ("redb", &["zato-kvdb"]),
    ("redis", &["zato-kvdb"]),
    ("rustls", &["zato-ftp", "zato-kvdb", "zato-outgoing", "zato-server"]),
    ("sea-orm", &["zato-odb"]),
    ("sqlx", &["zato-sql"]),
    ("suppaftp", &["zato-ftp"]),
    ("tokio-rustls", &["zato-ftp", "zato-outgoing", "zato-server"]),
    ("zeromq", &["zato-zmq"]),
];

/// Crates that must stay free of runtime, TLS and SQL, however deep.
const PURE: &[&str] = &[
    "zato-catalogue",
    "zato-cid",
    "zato-connections",
    "zato-env",
    "zato-oauth",
    "zato-sio",
    "zato-soap",
    "zato-test-port",
    "zato-xml",
];

/// What "runtime, TLS and SQL" means: the crates through which any of them would come.
const IMPURE: &[&str] =
    &["async-std", "hyper", "mio", "openssl", "redb", "rusqlite", "rustls", "sea-orm", "sqlx", "tokio"];

/// Checks all rules; the error names the first one that is broken.
pub(crate) fn run(project: &Project) -> Result<(), Error> {
    let manifests = project.crates()?;
    for manifest in &manifests {
        check_reserved(manifest)?;
        check_manifest(project, &manifest.name)?;
    }
    for name in PURE {
        let tree =
            project.read("cargo", &["tree", "--package", name, "--edges", "normal", "--prefix", "none"])?;
        check_pure(name, &tree)?;
    }
    Ok(())
}

fn check_reserved(manifest: &Manifest) -> Result<(), Error> {
    let broken = RESERVED.iter().find(|(reserved, users)| {
        manifest.dependencies.iter().any(|used| used == reserved) && !users.contains(&manifest.name.as_str())
    });
    match broken {
        Some((reserved, users)) => Err(Error::Failed(format!(
            "{} must not use {reserved}; only {} may (xtask/src/policy.rs)",
            manifest.name,
            users.join(" and ")
        ))),
        None => Ok(()),
    }
}

fn check_pure(name: &str, tree: &str) -> Result<(), Error> {
    let found =
        tree.lines().filter_map(|line| line.split_whitespace().next()).find(|used| IMPURE.contains(used));
    match found {
        Some(found) => {
            Err(Error::Failed(format!("{name} must stay free of runtime, TLS and SQL but brings in {found}")))
        }
        None => Ok(()),
    }
}

/// Every crate inherits the lints, has a README, and takes third-party versions from the root.
fn check_manifest(project: &Project, name: &str) -> Result<(), Error> {
    let folder = project.root().join("crates").join(name);
    let path = folder.join("Cargo.toml");
    let text = fs::read_to_string(&path).map_err(|source| Error::file(&path, source))?;
    if !text.contains("[lints]\nworkspace = true") {
        return Err(Error::Failed(format!("{}: must inherit the workspace's lints", path.display())));
    }
    let manifest: toml::Table =
        text.parse().map_err(|error| Error::Failed(format!("{}: {error}", path.display())))?;
    for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
        let Some(dependencies) = manifest.get(section).and_then(toml::Value::as_table) else { continue };
        // A crate may use itself with other features in its tests; that has no version.
        let own = dependencies.iter().find(|(used, value)| *used != name && value.get("workspace").is_none());
        if let Some((dependency, _)) = own {
            return Err(Error::Failed(format!(
                "{}: {dependency} must take its version from [workspace.dependencies]",
                path.display()
            )));
        }
    }
    if !folder.join("README.md").exists() {
        return Err(Error::Failed(format!("{name} has no README.md")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_follows_its_rules() {
        run(&Project::find().unwrap()).unwrap();
    }

    #[test]
    fn a_reserved_crate_is_refused() {
        let manifest = Manifest { name: "zato-admin".to_owned(), dependencies: vec!["hyper".to_owned()] };
        let error = check_reserved(&manifest).unwrap_err().to_string();
        assert!(
            error.contains("zato-admin must not use hyper; only zato-outgoing and zato-server may"),
            "{error}"
        );
    }

    #[test]
    fn a_runtime_below_a_pure_crate_is_refused() {
        let tree = "zato-sio v0.1.0\nserde v1.0.0\ntokio v1.54.1\n";
        let error = check_pure("zato-sio", tree).unwrap_err().to_string();
        assert!(
            error.contains("zato-sio must stay free of runtime, TLS and SQL but brings in tokio"),
            "{error}"
        );
    }
}
