//! What the bytes of a connection tell about its client.
//!
//! Owns which version of HTTP a client speaks: a connection of HTTP/2 finds out by itself whether its client is still
//! there, and how long it takes to its next request is not limited. And owns that a client which takes its reply slowly
//! is still waited for. It must not know what is said.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::waiting::Waiting;

/// What HTTP/2 begins with: RFC 9113, section 3.4. Whatever differs from it is HTTP/1.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection whose client is watched.
#[derive(Debug)]
pub(crate) struct Watched<S> {
    stream: S,
    waiting: Waiting,
    /// How much of the preface has come; none once it is clear what is spoken.
    greeting: Option<usize>,
    /// Whether the client has yet to take what was written.
    is_stuck: bool,
}

impl<S> Watched<S> {
    pub(crate) fn new(stream: S, waiting: Waiting) -> Self {
        Self { stream, waiting, greeting: Some(0), is_stuck: false }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, waiting, greeting, .. } = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(stream).poll_read(cx, buffer);
        if let Some(matched) = greeting
            && read.is_ready()
        {
            let come = &buffer.filled()[before..];
            let rest = &PREFACE[*matched..];
            if come.starts_with(rest) {
                waiting.stop();
                *greeting = None;
            } else if rest.starts_with(come) {
                *matched += come.len();
            } else {
                *greeting = None;
            }
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> Watched<S> {
    fn write<T>(&mut self, write: impl FnOnce(Pin<&mut S>) -> Poll<T>) -> Poll<T> {
        let written = write(Pin::new(&mut self.stream));
        if written.is_pending() != self.is_stuck {
            self.is_stuck = !self.is_stuck;
            self.waiting.set_stuck(self.is_stuck);
        }
        written
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.get_mut().write(|stream| stream.poll_write(cx, bytes))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().write(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().write(|stream| stream.poll_write_vectored(cx, slices))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
