//! Decompresses replies.
//!
//! Owns the content codings (RFC 9110, 8.4.1): what is asked for, and what is made of a compressed body. It sits inside of
//! prefetch, whose limit is then on what comes out here, and outside of redirects, whose bodies nobody reads.

mod decoding;

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH};
use http::{HeaderValue, Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use tokio::task::coop;
use tower_layer::Layer;
use tower_service::Service;

use self::decoding::{Decodings, codings};
use crate::error::Failure;

const ACCEPTED: HeaderValue = HeaderValue::from_static("gzip, deflate, br, zstd");

/// Why a body could not be decompressed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DecompressError {
    /// It is not compressed as its `Content-Encoding` says.
    #[error("the body is not compressed as its Content-Encoding says")]
    Malformed(#[source] io::Error),
    /// It ended too early.
    #[error("the compressed body ended too early")]
    Truncated,
}

impl From<DecompressError> for Failure {
    fn from(error: DecompressError) -> Self {
        match error {
            DecompressError::Malformed(_) => Self::Decompress(error.into()),
            DecompressError::Truncated => Self::CutOff(error.into()),
        }
    }
}

/// Makes [`Decompress`] services.
///
/// A request that has no `Accept-Encoding` yet says that gzip, deflate, br and zstd are accepted. A reply in one of these
/// codings is decompressed, whoever asked for it, and loses `Content-Encoding` and `Content-Length`; so is one
/// in up to four of them, one inside the other. A reply in another one is handed out as it is. For deflate, streams without the zlib header are read too,
/// because many servers send them.
///
/// ```
/// use bytes::Bytes;
/// use http::{Request, Response, header::CONTENT_ENCODING};
/// use http_body_util::{BodyExt, Full};
/// use tower::{ServiceExt, service_fn};
/// use tower_layer::Layer;
/// use zato_outgoing::Failure;
/// use zato_outgoing::layers::decompress::DecompressLayer;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = service_fn(async |request: Request<()>| {
///     assert_eq!(request.headers()["accept-encoding"], "gzip, deflate, br, zstd");
///     let compressed: &[u8] = b"\x78\x9c\x2b\x4a\x2d\xc8\xa9\x04\x00\x06\x74\x02\x2d";
///     let body = Full::from(compressed).map_err(|never| -> Failure { match never {} });
///     let response = Response::builder().header(CONTENT_ENCODING, "deflate").body(body);
///     Ok::<_, Failure>(response.expect("a valid response"))
/// });
/// let response = DecompressLayer::accepting_all().layer(server).oneshot(Request::new(())).await?;
/// assert!(!response.headers().contains_key(CONTENT_ENCODING));
/// assert_eq!(response.into_body().collect().await?.to_bytes(), "reply");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct DecompressLayer {
    codings: Codings,
}

impl DecompressLayer {
    /// Asks for all codings that are known here, and decompresses them.
    pub fn accepting_all() -> Self {
        Self { codings: Codings::All }
    }

    /// Asks for nothing and decompresses nothing, for a stack which has to have the same type with this layer and without.
    pub fn accepting_none() -> Self {
        Self { codings: Codings::None }
    }
}

impl<S> Layer<S> for DecompressLayer {
    type Service = Decompress<S>;

    fn layer(&self, inner: S) -> Decompress<S> {
        Decompress { inner, codings: self.codings }
    }
}

/// Decompresses the replies of `S`.
#[derive(Clone, Copy, Debug)]
pub struct Decompress<S> {
    inner: S,
    codings: Codings,
}

#[derive(Clone, Copy, Debug)]
enum Codings {
    All,
    None,
}

impl<S, B, R> Service<Request<B>> for Decompress<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    type Response = Response<Decompressed<R>>;
    type Error = S::Error;
    type Future = DecompressFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        if matches!(self.codings, Codings::All) {
            request.headers_mut().entry(ACCEPT_ENCODING).or_insert(ACCEPTED);
        }
        DecompressFuture { inner: self.inner.call(request), codings: self.codings }
    }
}

pin_project! {
    /// The future of [`Decompress`].
    #[derive(Debug)]
    pub struct DecompressFuture<F> {
        #[pin]
        inner: F,
        codings: Codings,
    }
}

impl<F, R, E> Future for DecompressFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
{
    type Output = Result<Response<Decompressed<R>>, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (mut head, inner) = ready!(this.inner.poll(cx))?.into_parts();
        let codings = match this.codings {
            Codings::All => codings(&head.headers),
            Codings::None => Vec::new(),
        };
        // A reply to HEAD has the headers of a compressed body, and no body.
        let decoding = (!codings.is_empty() && !inner.is_end_stream()).then(|| {
            head.headers.remove(CONTENT_ENCODING);
            head.headers.remove(CONTENT_LENGTH);
            Box::new(Decodings::new(codings))
        });
        Poll::Ready(Ok(Response::from_parts(head, Decompressed { inner, decoding })))
    }
}

pin_project! {
    /// A body, decompressed if it was compressed.
    #[derive(Debug)]
    pub struct Decompressed<B> {
        #[pin]
        inner: B,
        // Absent if the body is handed out as it comes. Boxed because few are compressed.
        decoding: Option<Box<Decodings>>,
    }
}

impl<B> Body for Decompressed<B>
where
    B: Body<Data = Bytes>,
    B::Error: From<DecompressError>,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let Some(decoding) = this.decoding else { return this.inner.poll_frame(cx) };
        // A little that was received may be a lot to decompress, which takes the time of other tasks.
        ready!(coop::poll_proceed(cx)).made_progress();
        loop {
            match decoding.next_piece() {
                Ok(Some(piece)) => return Poll::Ready(Some(Ok(Frame::data(piece)))),
                Ok(None) => {}
                Err(error) => return Poll::Ready(Some(Err(error.into()))),
            }
            match ready!(this.inner.as_mut().poll_frame(cx)?).map(Frame::into_data) {
                Some(Ok(data)) => decoding.receive(data),
                Some(Err(trailers)) => return Poll::Ready(Some(Ok(trailers))),
                None => {
                    return Poll::Ready(match decoding.last_piece() {
                        Ok(piece) => piece.map(|piece| Ok(Frame::data(piece))),
                        Err(error) => Some(Err(error.into())),
                    });
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.decoding.is_none() && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        match self.decoding {
            Some(_) => SizeHint::default(),
            None => self.inner.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;

    use compression_codecs::core::Level;
    use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
    use compression_codecs::{
        BrotliEncoder, DeflateEncoder, EncodeV2, GzipEncoder, ZlibEncoder, ZstdEncoder, brotli, flate,
    };
    use futures_util::stream::iter;
    use http::HeaderMap;
    use http_body_util::{BodyExt, StreamBody};
    use proptest::prelude::*;
    use tower::{ServiceExt, service_fn};

    use super::decoding::PIECE;
    use super::*;

    const NAMES: [&str; 5] = ["gzip", "deflate", "br", "zstd", "raw deflate"];

    fn compress(name: &str, content: &[u8]) -> Vec<u8> {
        let level = || flate::params::FlateEncoderParams::from(Level::Default);
        let mut encoder: Box<dyn EncodeV2> = match name {
            "gzip" => Box::new(GzipEncoder::new(level())),
            "deflate" => Box::new(ZlibEncoder::new(level())),
            "raw deflate" => Box::new(DeflateEncoder::new(level())),
            "br" => {
                Box::new(BrotliEncoder::new(brotli::params::EncoderParams::default().quality(Level::Fastest)))
            }
            _ => Box::new(ZstdEncoder::new(3)),
        };
        let mut buffer = vec![0; content.len() + 64 * 1024];
        let mut output = WriteBuffer::new_initialized(&mut buffer);
        let mut input = PartialBuffer::new(content);
        while input.written_len() < content.len() {
            encoder.encode(&mut input, &mut output).unwrap();
        }
        while !encoder.finish(&mut output).unwrap() {}
        let length = output.written_len();
        buffer.truncate(length);
        buffer
    }

    /// Decompresses a body which comes in pieces of `size` bytes, and gives the pieces that come out.
    fn decompress(name: &str, compressed: &[u8], size: usize) -> Result<Vec<Bytes>, Failure> {
        let frames: Vec<_> = compressed
            .chunks(size)
            .map(|piece| Ok::<_, Failure>(Frame::data(Bytes::copy_from_slice(piece))))
            .collect();
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_str(name.trim_start_matches("raw ")).unwrap());
        let decoding = Some(Box::new(Decodings::new(codings(&headers))));
        let mut body = Decompressed { inner: StreamBody::new(iter(frames)), decoding };
        let mut pieces = Vec::new();
        let mut cx = Context::from_waker(std::task::Waker::noop());
        while let Poll::Ready(Some(frame)) = Pin::new(&mut body).poll_frame(&mut cx) {
            pieces.push(frame?.into_data().unwrap());
        }
        Ok(pieces)
    }

    #[test]
    fn every_coding_in_pieces_of_any_size() {
        let content: Vec<u8> = (0..200_000_u32).flat_map(|number| (number / 7).to_le_bytes()).collect();
        for name in NAMES {
            let compressed = compress(name, &content);
            assert!(compressed.len() < content.len());
            for size in [1, 7, 1000, usize::MAX] {
                let pieces = decompress(name, &compressed, size).unwrap();
                assert!(pieces.iter().all(|piece| piece.len() <= PIECE && !piece.is_empty()), "{name}");
                assert_eq!(pieces.concat(), content, "{name} {size}");
            }
        }
    }

    #[test]
    fn codings_one_after_the_other() {
        let content: Vec<u8> = (0..50_000_u32).flat_map(|number| (number / 7).to_le_bytes()).collect();
        for (first, second) in [("gzip", "br"), ("zstd", "gzip"), ("br", "deflate"), ("gzip", "gzip")] {
            let compressed = compress(second, &compress(first, &content));
            for size in [1, 1000, usize::MAX] {
                let pieces = decompress(&format!("{first}, identity,{second}"), &compressed, size).unwrap();
                assert_eq!(pieces.concat(), content, "{first} {second} {size}");
            }
            let cut_off = &compressed[..compressed.len() - 1];
            let error = decompress(&format!("{first}, {second}"), cut_off, 1000).unwrap_err();
            assert!(matches!(error, Failure::CutOff(_)), "{first} {second}: {error:?}");
        }
    }

    #[test]
    fn an_empty_body_is_empty() {
        for name in NAMES {
            assert!(decompress(name, b"", 1).unwrap().is_empty(), "{name}");
            assert!(decompress(name, &compress(name, b""), 1).unwrap().is_empty(), "{name}");
        }
    }

    #[test]
    fn a_bomb_goes_off_piece_by_piece() {
        let content = vec![0; 32 * 1024 * 1024];
        for name in NAMES {
            let compressed = compress(name, &content);
            let frame = Frame::data(Bytes::from(compressed));
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_ENCODING, HeaderValue::from_str(name.trim_start_matches("raw ")).unwrap());
            let decoding = Some(Box::new(Decodings::new(codings(&headers))));
            let inner = StreamBody::new(iter([Ok::<_, Failure>(frame)]));
            let mut body = Decompressed { inner, decoding };
            let mut cx = Context::from_waker(std::task::Waker::noop());
            let Poll::Ready(Some(Ok(first))) = Pin::new(&mut body).poll_frame(&mut cx) else {
                panic!("{name}")
            };
            assert!(first.into_data().unwrap().len() <= PIECE, "{name}");
        }
    }

    #[tokio::test]
    async fn a_bomb_leaves_other_tasks_their_turns() {
        const PIECES: usize = 1000;
        let frame = Frame::data(Bytes::from(compress("gzip", &vec![0; PIECES * PIECE])));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        let decoding = Some(Box::new(Decodings::new(codings(&headers))));
        let body = Decompressed { inner: StreamBody::new(iter([Ok::<_, Failure>(frame)])), decoding };
        let turns = crate::turns::count(body.collect()).await.1;
        assert!(turns >= PIECES / 200, "{turns}");
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        for name in NAMES {
            let mut compressed = compress(name, &[b'a'; 1000]);
            compressed.truncate(compressed.len() - 1);
            let error = decompress(name, &compressed, 10).unwrap_err();
            assert!(matches!(error, Failure::CutOff(_)), "{name}: {error:?}");
        }
    }

    #[test]
    fn what_is_not_compressed_is_an_error() {
        for name in ["gzip", "zstd", "br"] {
            let error = decompress(name, b"\xffthis is not compressed at all", 5).unwrap_err();
            assert!(matches!(error, Failure::Decompress(_)), "{name}: {error:?}");
        }
    }

    #[test]
    fn streams_behind_the_first_one() {
        for name in ["gzip", "zstd"] {
            let two = [compress(name, b"a"), compress(name, b"b")].concat();
            assert_eq!(decompress(name, &two, 3).unwrap().concat(), b"ab", "{name}");
            let first = compress(name, b"a").len();
            for end in first + 1..two.len() {
                let error = decompress(name, &two[..end], 3).unwrap_err();
                assert!(matches!(error, Failure::CutOff(_)), "{name} {end}: {error:?}");
            }
        }
        for name in NAMES {
            for garbage in [&b"garbage"[..], b"\0\0\0\0\0\0\0\0", b"\n"] {
                let garbage = [&compress(name, b"a"), garbage].concat();
                assert_eq!(decompress(name, &garbage, 3).unwrap().concat(), b"a", "{name}");
            }
        }
    }

    #[tokio::test]
    async fn other_codings_are_left_alone() {
        for (coding, known) in
            [("identity", false), ("gzip, compress", false), ("compress", false), ("X-GZip", true)]
        {
            let service = DecompressLayer::accepting_all().layer(service_fn(async |request: Request<()>| {
                assert_eq!(request.headers()[ACCEPT_ENCODING], "identity");
                let frames = VecDeque::from([Ok::<_, Failure>(Frame::data(Bytes::from("plain")))]);
                let response = Response::builder().header(CONTENT_ENCODING, coding).header(CONTENT_LENGTH, 5);
                Ok::<_, Infallible>(response.body(StreamBody::new(iter(frames))).unwrap())
            }));
            let request = Request::builder().header(ACCEPT_ENCODING, "identity").body(()).unwrap();
            let response = service.oneshot(request).await.unwrap();
            assert_eq!(response.headers().contains_key(CONTENT_ENCODING), !known, "{coding}");
            assert_eq!(response.headers().contains_key(CONTENT_LENGTH), !known, "{coding}");
            assert_eq!(response.into_body().collect().await.is_ok(), !known, "{coding}");
        }
    }

    proptest! {
        #[test]
        fn anything_survives_compression(
            content in prop::collection::vec(any::<u8>(), 0..5000),
            size in 1_usize..600,
            name in prop::sample::select(&NAMES),
        ) {
            prop_assert_eq!(decompress(name, &compress(name, &content), size).unwrap().concat(), content);
        }

        #[test]
        fn no_input_makes_it_panic_or_hang(
            content in prop::collection::vec(any::<u8>(), 0..500),
            size in 1_usize..600,
            name in prop::sample::select(&NAMES),
        ) {
            let _result = decompress(name, &content, size);
        }
    }
}
