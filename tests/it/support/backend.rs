//! The operational databases that the core of the tests runs on.

use super::launch::Launch;
use super::postgres::Database;

/// Where the server keeps its configuration.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    /// A launch on an empty database of this kind.
    pub(crate) fn launch(self) -> Launch {
        match self {
            Self::Sqlite => Launch::new(),
            Self::Postgres => Launch::new().flag("--odb", Database::create().url()),
        }
    }
}

/// Makes a test of each function for each database.
macro_rules! on_both_backends {
    ($($(#[$attribute:meta])* $test:ident),+ $(,)?) => {
        mod sqlite {
            $($(#[$attribute])* #[test] fn $test() { super::$test(crate::support::Backend::Sqlite); })+
        }
        mod postgres {
            $($(#[$attribute])* #[test] fn $test() { super::$test(crate::support::Backend::Postgres); })+
        }
    };
}

pub(crate) use on_both_backends;
