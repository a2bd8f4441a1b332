//! Where a Redis server is.
//!
//! Owns the check of its URL, and that the password in it is not shown. It must not connect.

use std::fmt;

use redis::{IntoConnectionInfo, ProtocolVersion, RedisConnectionInfo};

/// The location of a Redis server: `redis://[[user]:password@]host[:port][/database]`, or `rediss://` for TLS.
#[derive(Clone)]
pub struct RedisLocation(pub(super) Box<redis::ConnectionInfo>);

/// A URL that is no location of a Redis server. It does not say which, because passwords are in such URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be like redis://[:password@]host[:port][/database], or rediss:// for TLS")]
pub struct InvalidLocation;

impl RedisLocation {
    /// Reads a URL.
    ///
    /// # Errors
    /// It is not in that form.
    pub fn parse(url: &str) -> Result<Self, InvalidLocation> {
        if !(url.starts_with("redis://") || url.starts_with("rediss://")) {
            return Err(InvalidLocation);
        }
        let location = url.into_connection_info().map_err(|_| InvalidLocation)?;
        // With version 3 of the protocol, the end of a connection is noticed when it happens rather than by the next
        // command, which could not be told to have been done or not.
        let redis: RedisConnectionInfo =
            location.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        Ok(Self(Box::new(location.set_redis_settings(redis))))
    }
}

/// Shows host, port and database.
impl fmt::Display for RedisLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.0.addr() {
            redis::ConnectionAddr::TcpTls { .. } => "rediss",
            _ => "redis",
        };
        write!(f, "{scheme}://{}/{}", self.0.addr(), self.0.redis_settings().db())
    }
}

impl fmt::Debug for RedisLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: &str) {
        let location = RedisLocation::parse(url);
        let shown = location.map_or_else(|error| error.to_string(), |location| format!("{location:?}"));
        assert_eq!(shown, expected);
    }

    #[test]
    fn locations_are_shown_without_password() {
        check("redis://localhost", "redis://localhost:6379/0");
        check("redis://:s3cr3t@10.0.0.1:7000/5", "redis://10.0.0.1:7000/5");
        check("rediss://user:s3cr3t@example.com/1", "rediss://example.com:6379/1");
        let invalid = InvalidLocation.to_string();
        for url in [
            "",
            "embedded",
            "redis:/x",
            "redis://",
            "http://localhost",
            "redis://:s3cr3t@host/one",
            "unix:///socket",
        ] {
            check(url, &invalid);
        }
    }
}
