//! What the operating system knows of this process.
//!
//! Owns reading it. Only Linux is asked; elsewhere the parts that only its `/proc` tells are left out.

use serde_json::{Map, Value, json};

/// The facts of `zato.info` about a process.
#[derive(Debug, Default)]
pub(crate) struct Process {
    /// The name under which process lists show it.
    pub(crate) name: Option<String>,
    /// The user it runs as.
    pub(crate) username: Option<String>,
    /// Its TCP connections: a list for each status that one of them has.
    pub(crate) connections: Map<String, Value>,
}

impl Process {
    /// Reads many small files, which may block.
    #[cfg(target_os = "linux")]
    pub(crate) fn read() -> Self {
        // A process may not be allowed to see everything about itself, in a container for instance. What it can't see
        // is left out.
        let Ok(this) = procfs::process::Process::myself() else { return Self::default() };
        let username = this.uid().ok().map(|uid| {
            let accounts = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
            username(&accounts, uid).unwrap_or_else(|| uid.to_string())
        });
        Self { name: this.stat().ok().map(|stat| stat.comm), username, connections: connections(&this) }
    }

    /// Nothing is known.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn read() -> Self {
        Self::default()
    }
}

/// The name of a user in the format of `/etc/passwd`.
#[cfg(target_os = "linux")]
fn username(accounts: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    accounts.lines().find_map(|account| {
        let mut fields = account.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    })
}

/// The TCP sockets that the process has open; `/proc/self/net` lists those of all processes.
#[cfg(target_os = "linux")]
fn connections(this: &procfs::process::Process) -> Map<String, Value> {
    use procfs::process::FDTarget;

    let Ok(descriptors) = this.fd() else { return Map::new() };
    let inodes: std::collections::HashSet<u64> = descriptors
        .filter_map(|descriptor| match descriptor.ok()?.target {
            FDTarget::Socket(inode) => Some(inode),
            _ => None,
        })
        .collect();
    let sockets = this.tcp().into_iter().chain(this.tcp6()).flatten();
    let mut connections = Map::new();
    for socket in sockets.filter(|socket| inodes.contains(&socket.inode)) {
        let is_connected = socket.remote_address.port() != 0;
        let from = socket.local_address.to_string();
        let to = is_connected.then(|| socket.remote_address.to_string());
        let formatted = to.as_ref().map_or_else(|| from.clone(), |to| format!("{from} -> {to}"));
        let status = format!("{:?}", socket.state).to_uppercase();
        let listed = connections.entry(status).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(listed) = listed {
            listed.push(json!({"from": from, "to": to, "formatted": formatted}));
        }
    }
    connections
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn users_are_found_by_their_number() {
        let accounts = "root:x:0:0:root:/root:/bin/bash\nbroken\nzato:x:1000:1000::/home/zato:/bin/sh\n";
        assert_eq!(username(accounts, 1000).as_deref(), Some("zato"));
        assert_eq!(username(accounts, 0).as_deref(), Some("root"));
        assert_eq!(username(accounts, 1), None);
    }

    #[test]
    fn this_process_and_its_sockets_are_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let process = Process::read();
        assert!(process.name.is_some() && process.username.is_some(), "{process:?}");
        let listening = process.connections.get("LISTEN").and_then(Value::as_array).unwrap();
        let expected = json!({"from": address, "to": null, "formatted": address});
        assert!(listening.contains(&expected), "{listening:?}");
    }
}
