//! What all tests share: connections, their errors as text, and the peers.

pub(crate) mod certificates;
pub(crate) mod peer;
pub(crate) mod recorder;

use std::error::Error;
use std::path::PathBuf;

use zato_cid::Cid;
use zato_outgoing::{Config, Connection, Environment};

/// The correlation id of all calls.
pub(crate) fn cid() -> Cid {
    "K21353002988419985838198535608".parse().unwrap()
}

/// A connection to `host`, with what `change` makes of its configuration.
#[track_caller]
pub(crate) fn connection(host: &str, path: &str, change: impl FnOnce(&mut Config)) -> Connection {
    let mut config = Config::new(1, "peer", host, path);
    change(&mut config);
    Connection::new(config, &Environment::new("tests").unwrap()).unwrap()
}

/// An error and all its causes, on one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// A file of this package.
pub(crate) fn own_file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A folder or program which the test command makes: named by an environment variable, or at its place in the target directory.
pub(crate) fn installed(variable: &str, path: &str) -> PathBuf {
    let place = std::env::var_os(variable).map_or_else(
        || {
            let this = std::env::current_exe().unwrap();
            this.ancestors().nth(3).expect("tests are built into target/<profile>/deps").join(path)
        },
        PathBuf::from,
    );
    assert!(place.exists(), "{} is missing: run cargo xtask test, which makes it", place.display());
    place
}
