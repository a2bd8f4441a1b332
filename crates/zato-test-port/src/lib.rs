//! TCP ports that a test keeps for itself.
//!
//! Owns keeping a port from everybody else while no server listens at it. It must not know which servers there are.

use std::fmt::Display;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use socket2::{Domain, Socket, Type};

/// A port at 127.0.0.1 that nobody else is given while this value is there.
///
/// A test that binds a socket to learn of a free port, and closes it, shares that port with whoever asks the system for one
/// before the server of the test has it: another test, or a connection that goes out. This one stays bound and never listens. A
/// server listens there nevertheless if it sets `SO_REUSEADDR`, as servers do, for the first time and when it comes back, and
/// whoever connects meanwhile is refused.
#[derive(Debug)]
pub struct Port {
    /// Held, not used.
    _socket: Socket,
    number: u16,
}

impl Port {
    /// A port that is free.
    ///
    /// # Panics
    /// If there is none.
    #[must_use]
    #[track_caller]
    pub fn reserve() -> Self {
        let socket = or_panic(Socket::new(Domain::IPV4, Type::STREAM, None));
        or_panic(socket.set_reuse_address(true));
        or_panic(socket.bind(&SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0).into()));
        let address = or_panic(socket.local_addr());
        let number = address.as_socket().map_or(0, |address| address.port());
        Self { _socket: socket, number }
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.number
    }

    /// Where a server at it is reached.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.number).into()
    }
}

#[track_caller]
fn or_panic<T, E: Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("no free port: {error}"))
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_server_comes_and_goes_and_nobody_else_does() {
        let port = Port::reserve();
        for _ in 0..2 {
            let refused = TcpStream::connect(port.address()).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
            // The standard library sets SO_REUSEADDR.
            let server = TcpListener::bind(port.address()).unwrap();
            let client = TcpStream::connect(port.address()).unwrap();
            let (accepted, from) = server.accept().unwrap();
            assert_eq!(from, client.local_addr().unwrap());
            drop(accepted);
        }
        let given: Vec<_> = (0..1000).map(|_| Port::reserve()).collect();
        assert!(given.iter().all(|other| other.number() != port.number()));
    }
}
