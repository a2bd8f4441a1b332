//! A plain socket to the server, for requests whose very bytes are the subject.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use super::wait::PATIENCE;

/// A connection.
#[derive(Debug)]
pub(crate) struct Raw {
    stream: BufReader<TcpStream>,
}

/// A reply as it came.
#[derive(Debug)]
pub(crate) struct RawReply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl RawReply {
    /// A header's value, empty if it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(candidate, _)| candidate.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl Raw {
    #[track_caller]
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    /// Writes bytes. The server may have refused and closed already, which the reply then tells.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        drop(self.stream.get_mut().write_all(bytes.as_ref()));
        self
    }

    /// Says that nothing more will be sent.
    pub(crate) fn finish(&mut self) -> &mut Self {
        drop(self.stream.get_mut().shutdown(Shutdown::Write));
        self
    }

    /// The next reply, `None` once the server has closed the connection.
    #[track_caller]
    pub(crate) fn reply(&mut self) -> Option<RawReply> {
        match self.read_reply() {
            Ok(reply) => reply,
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("no whole reply: {error}"),
        }
    }

    /// Everything until the server closes the connection.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the server does not close the connection: {error}"),
        }
        rest
    }

    fn read_reply(&mut self) -> io::Result<Option<RawReply>> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status line: {line:?}"));
        let mut headers = Vec::new();
        loop {
            line.clear();
            self.stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut reply = RawReply { status, headers, body: Vec::new() };
        assert_eq!(reply.header("transfer-encoding"), "", "replies have a length");
        if let Ok(length) = reply.header("content-length").parse() {
            reply.body.resize(length, 0);
            self.stream.read_exact(&mut reply.body)?;
        }
        Ok(Some(reply))
    }
}
