//! What `Debug` shows instead of a secret. It must never be given the secret itself.

use std::fmt;

/// Stands for the value of an element that must not show in logs.
pub(crate) struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("******")
    }
}
