//! Where a broker is, and who we are to it.
//!
//! Owns the settings that outgoing connections and consumers share. It must not know what either of them does with an
//! open connection.

use std::sync::Arc;

use zato_connections::Secret;

/// How to reach a broker and log in to it.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The definition's name, for logs and messages.
    pub name: Arc<str>,
    /// The broker's host name or address.
    pub host: String,
    /// Its port; 5672 by convention.
    pub port: u16,
    /// The virtual host, up to 255 bytes; `/` is what a fresh RabbitMQ has.
    pub vhost: String,
    /// Who logs in.
    pub username: String,
    /// The password.
    pub password: Secret,
    /// The largest frame that we offer to take, in bytes. 0 stands for 128 KiB; anything else is brought into
    /// 4 KiB..=1 MiB, because a connection keeps buffers of 64 frames. Messages of any size are cut into frames.
    pub frame_max: u32,
    /// Seconds between heartbeats. The broker's own setting is used if it is lower, or if this is 0.
    pub heartbeat: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_does_not_show_its_password() {
        let definition = Definition {
            name: "orders".into(),
            host: "localhost".to_owned(),
            port: 5672,
            vhost: "/".to_owned(),
            username: "zato".to_owned(),
            password: "pa55word".into(),
            frame_max: 0,
            heartbeat: 0,
        };
        let shown = format!("{definition:?}");
        assert!(shown.contains("zato") && !shown.contains("pa55word"), "{shown}");
    }
}
