//! Short replies in one piece.
//!
//! Owns how the parts that a reply consists of, its head and its body, reach the operating system: as one where they are
//! short, because copying them costs less than the system takes for looking at each. It must not know what is written.

use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many bytes are short: what is copied within the time that is saved.
const SHORT: usize = 4096;

/// A stream that is written to in as few parts as that is worth.
#[derive(Debug)]
pub(crate) struct Joined<S>(S);

impl<S> Joined<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self(stream)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Joined<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Joined<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let stream = Pin::new(&mut self.get_mut().0);
        if let [slice] = slices {
            return stream.poll_write(cx, slice);
        }
        if slices.iter().map(|slice| slice.len()).sum::<usize>() > SHORT {
            return stream.poll_write_vectored(cx, slices);
        }
        let mut room = [MaybeUninit::uninit(); SHORT];
        let mut joined = ReadBuf::uninit(&mut room);
        for slice in slices {
            joined.put_slice(slice);
        }
        stream.poll_write(cx, joined.filled())
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// Takes everything, and keeps in how many bytes it came and whether they were in parts.
    #[derive(Default)]
    struct Sink {
        writes: Vec<(usize, bool)>,
        bytes: Vec<u8>,
    }

    impl AsyncWrite for Sink {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            self.writes.push((bytes.len(), false));
            self.bytes.extend_from_slice(bytes);
            Poll::Ready(Ok(bytes.len()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let length = slices.iter().map(|slice| slice.len()).sum();
            self.writes.push((length, true));
            slices.iter().for_each(|slice| self.bytes.extend_from_slice(slice));
            Poll::Ready(Ok(length))
        }

        fn is_write_vectored(&self) -> bool {
            true
        }
    }

    #[track_caller]
    fn check(lengths: &[usize], is_in_parts: bool) {
        let parts: Vec<Vec<u8>> =
            lengths.iter().zip(b'a'..).map(|(length, letter)| vec![letter; *length]).collect();
        let slices: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let mut stream = Joined::new(Sink::default());
        let written = poll_fn(|cx| Pin::new(&mut stream).poll_write_vectored(cx, &slices));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let all = parts.concat();
        assert_eq!(runtime.block_on(written).unwrap(), all.len(), "{lengths:?}");
        assert_eq!(stream.0.writes, [(all.len(), is_in_parts)], "{lengths:?}");
        assert_eq!(stream.0.bytes, all, "{lengths:?}");
    }

    #[test]
    fn short_parts_are_joined() {
        check(&[], false);
        check(&[10_000], false);
        check(&[200, 0, 30], false);
        check(&[96, 4000], false);
        check(&[97, 4000], true);
    }
}
