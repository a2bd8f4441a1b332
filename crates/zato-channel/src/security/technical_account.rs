//! Technical accounts: a name and a password in two headers.
//!
//! Owns which headers these are and how they are compared. It must not know channels.

use http::HeaderMap;

use super::denied::Denied;
use super::secret::{SaltedDigest, is_same};

const USER: [&str; 2] = ["x-zato-user", "x_zato_user"];
const PASSWORD: [&str; 2] = ["x-zato-password", "x_zato_password"];

/// Checks the headers against an account. Its user is the definition's own name.
pub(super) fn check(name: &str, password: &SaltedDigest, headers: &HeaderMap) -> Result<(), Denied> {
    let given = |names: [&'static str; 2]| {
        let value = names.iter().find_map(|name| headers.get(*name)).filter(|value| !value.is_empty());
        value.ok_or_else(|| Denied::NoHeader(names[0].into()))
    };
    let (given_user, given_password) = (given(USER)?, given(PASSWORD)?);
    // Both are compared whatever the first comparison says.
    let is_user = is_same(name.as_bytes(), given_user.as_bytes());
    let is_password = password.is_of(given_password.as_bytes());
    if bool::from(is_user & is_password) {
        Ok(())
    } else if bool::from(is_user) {
        Err(Denied::Password)
    } else {
        Err(Denied::Username)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused(headers: &[(&'static str, &'static str)], expected: impl Into<Option<Denied>>) {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let digest = SaltedDigest::of(&"s3cret".into(), "salt");
        assert_eq!(check("Batch jobs", &digest, &HeaderMap::from_iter(headers)).err(), expected.into());
    }

    #[test]
    fn accounts_are_known_by_two_headers() {
        refused(&[("x-zato-user", "Batch jobs"), ("x-zato-password", "s3cret")], None);
        refused(&[("x_zato_user", "Batch jobs"), ("x_zato_password", "s3cret")], None);
        refused(&[], Denied::NoHeader("x-zato-user".into()));
        refused(&[("x-zato-password", "s3cret")], Denied::NoHeader("x-zato-user".into()));
        refused(
            &[("x-zato-user", ""), ("x-zato-password", "s3cret")],
            Denied::NoHeader("x-zato-user".into()),
        );
        refused(&[("x-zato-user", "Batch jobs")], Denied::NoHeader("x-zato-password".into()));
        refused(&[("x-zato-user", "batch jobs"), ("x-zato-password", "s3cret")], Denied::Username);
        refused(&[("x-zato-user", "Batch jobs"), ("x-zato-password", "S3cret")], Denied::Password);
        refused(&[("x-zato-user", "Batch jobs"), ("x-zato-password", "s3cret:salt")], Denied::Password);
    }
}
