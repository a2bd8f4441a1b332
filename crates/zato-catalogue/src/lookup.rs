//! Finding families and services. It must not copy or allocate anything: the tables are static and sorted.

use crate::generated::descriptors::{BY_NAME, FAMILIES, SERVICES};
use crate::{Family, Service};

/// All families, built and planned, sorted by name.
#[must_use]
pub fn families() -> &'static [&'static Family] {
    FAMILIES
}

/// All services, built and planned, sorted by name.
#[must_use]
pub fn services() -> &'static [&'static Service] {
    SERVICES
}

/// The service of that name or alias.
#[must_use]
pub fn by_name(name: &str) -> Option<&'static Service> {
    let index = BY_NAME.binary_search_by_key(&name, |&(known, _)| known).ok()?;
    Some(BY_NAME[index].1)
}
