//! Connections whose clients never begin.
//!
//! Owns the time until the server knows which version of HTTP a client speaks: until then nothing else limits it, and
//! clients that say nothing would keep their connections for ever. It must not know what is said afterwards.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// What HTTP/2 begins with: RFC 9113, section 3.4. Whatever differs from it is HTTP/1.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection that fails to be read unless its client begins in time.
#[derive(Debug)]
pub(crate) struct Greeted<S> {
    stream: S,
    /// How much of the preface has come, and when the rest has to; none once it is clear what is spoken.
    waiting: Option<(usize, Pin<Box<Sleep>>)>,
}

impl<S> Greeted<S> {
    pub(crate) fn within(patience: Duration, stream: S) -> Self {
        Self { stream, waiting: Some((0, Box::pin(tokio::time::sleep(patience)))) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Greeted<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, waiting } = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(stream).poll_read(cx, buffer);
        let Some((matched, deadline)) = waiting else { return read };
        match read {
            Poll::Pending => deadline.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into())),
            ready @ Poll::Ready(_) => {
                let come = &buffer.filled()[before..];
                let rest = &PREFACE[*matched..];
                if come.len() < rest.len() && rest.starts_with(come) {
                    *matched += come.len();
                } else {
                    *waiting = None;
                }
                ready
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Greeted<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
