//! API keys: a secret in a header of its own.
//!
//! Owns which header that is and how it is compared. It must not know channels.

use http::{HeaderMap, HeaderName};

use super::denied::Denied;
use super::secret::Password;

/// A header, and the key that it must have.
pub(super) struct ApiKey {
    /// The header's name. One with hyphens or underscores only is accepted, too: the original couldn't tell them apart.
    names: [HeaderName; 3],
    key: Password,
}

impl ApiKey {
    /// None if a header can't have this name.
    pub(super) fn new(header: &str, key: Password) -> Option<Self> {
        let name = |name: &str| HeaderName::try_from(name).ok();
        let names = [name(&header.replace('_', "-"))?, name(&header.replace('-', "_"))?, name(header)?];
        Some(Self { names, key })
    }

    /// Marks the key in a request's headers, so that nobody shows it.
    pub(super) fn mark(&self, headers: &mut HeaderMap) {
        for name in &self.names {
            if let http::header::Entry::Occupied(mut entry) = headers.entry(name) {
                entry.iter_mut().for_each(|value| value.set_sensitive(true));
            }
        }
    }

    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let given = self.names.iter().find_map(|name| headers.get(name));
        let given = given.ok_or_else(|| Denied::NoHeader(self.names[0].as_str().into()))?;
        if bool::from(self.key.is(given.as_bytes())) { Ok(()) } else { Err(Denied::Key) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, headers: &[(&'static str, &'static str)], expected: impl Into<Option<Denied>>) {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let headers = HeaderMap::from_iter(headers);
        assert_eq!(ApiKey::new(header, "s3cret".into()).unwrap().check(&headers).err(), expected.into());
    }

    #[test]
    fn keys_stand_in_the_header_that_the_definition_names() {
        check("X-API-Key", &[("x-api-key", "s3cret")], None);
        check("x_api_key", &[("x-api-key", "s3cret")], None);
        check("X-API-Key", &[("x_api_key", "s3cret")], None);
        check("X-API_Key", &[("x-api_key", "s3cret")], None);
        check("X-API_Key", &[("x-api-key", "s3cret")], None);
        check("X-API-Key", &[("x-api-key", "S3cret")], Denied::Key);
        check("X-API-Key", &[("x-api-key", "")], Denied::Key);
        check("X-API-Key", &[("x-api-key", "wrong"), ("x-api-key", "s3cret")], Denied::Key);
        check("X-API-Key", &[("x-key", "s3cret")], Denied::NoHeader("x-api-key".into()));
        check("X-API-Key", &[], Denied::NoHeader("x-api-key".into()));
        assert!(ApiKey::new("X API Key", "s3cret".into()).is_none());
        assert!(ApiKey::new("", "s3cret".into()).is_none());
    }
}
