//! What this machine calls itself.

use std::fs;

/// The host's name and its fully qualified name as far as the machine knows it, as `name/name.domain`.
pub(crate) fn names() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = match name.trim() {
        "" => "localhost",
        name => name,
    };
    let domain = fs::read_to_string("/proc/sys/kernel/domainname").unwrap_or_default();
    match domain.trim() {
        "" | "(none)" => format!("{name}/{name}"),
        domain => format!("{name}/{name}.{domain}"),
    }
}
