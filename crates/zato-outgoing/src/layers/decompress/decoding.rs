//! Compressed streams, piece by piece.
//!
//! Owns the state of one body's decompression: which decoder it needs, how much comes out at once, what may follow the end of
//! a stream. It knows neither requests nor how pieces arrive.

use std::io;

use bytes::{Buf, Bytes};
use compression_codecs::core::util::{PartialBuffer, WriteBuffer};
use compression_codecs::zstd::params::DParameter;
use compression_codecs::{BrotliDecoder, DecodeV2, DeflateDecoder, GzipDecoder, ZlibDecoder, ZstdDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use super::DecompressError;

/// The largest piece that is made at once, in bytes: a few bytes may decompress to gigabytes, which then are asked for piece
/// by piece, or not at all.
pub(super) const PIECE: usize = 16 * 1024;

/// Windows of at most 8 MiB (2^23), the largest that RFC 9659 allows over HTTP: what a peer may have this process allocate.
const ZSTD_WINDOW: u32 = 23;

#[derive(Clone, Copy, Debug)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// How many codings may be applied to one body: nobody needs two, and a peer must not have this process set up thousands.
const MOST: usize = 4;

/// The codings of a body in the order in which they are to be undone. There are none if one of them is unknown or there are too
/// many: such a body is handed out as it comes. Names are case-insensitive, and `x-gzip` is an old one.
pub(super) fn codings(headers: &HeaderMap) -> Vec<Coding> {
    let names = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let mut codings = Vec::new();
    for name in names.map(<[u8]>::trim_ascii) {
        let named = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        codings.push(match name {
            b"" => continue,
            _ if named("identity") => continue,
            _ if named("gzip") || named("x-gzip") => Coding::Gzip,
            _ if named("deflate") => Coding::Deflate,
            _ if named("br") => Coding::Brotli,
            _ if named("zstd") => Coding::Zstd,
            _ => return Vec::new(),
        });
    }
    if codings.len() > MOST {
        return Vec::new();
    }
    // They are listed in the order in which they were applied (RFC 9110, 8.4).
    codings.reverse();
    codings
}

/// A body to which several codings have been applied, usually one: what comes out of one decompression goes into the next.
#[derive(Debug)]
pub(super) struct Decodings(Vec<Decoding>);

impl Decodings {
    /// Undoes these codings, in this order.
    pub(super) fn new(codings: Vec<Coding>) -> Self {
        Self(codings.into_iter().map(Decoding::new).collect())
    }

    /// Takes over what has been received. Everything before it must have been looked at.
    pub(super) fn receive(&mut self, input: Bytes) {
        if let [first, ..] = &mut *self.0 {
            first.receive(input);
        }
    }

    /// The next piece that can be made of what has been received, if there is one.
    pub(super) fn next_piece(&mut self) -> Result<Option<Bytes>, DecompressError> {
        next_of(&mut self.0)
    }

    /// What is left when everything has been received, piece by piece.
    pub(super) fn last_piece(&mut self) -> Result<Option<Bytes>, DecompressError> {
        last_of(&mut self.0)
    }
}

fn next_of(decodings: &mut [Decoding]) -> Result<Option<Bytes>, DecompressError> {
    let Some((last, before)) = decodings.split_last_mut() else { return Ok(None) };
    loop {
        if let Some(piece) = last.next_piece()? {
            return Ok(Some(piece));
        }
        let Some(input) = next_of(before)? else { return Ok(None) };
        last.receive(input);
    }
}

fn last_of(decodings: &mut [Decoding]) -> Result<Option<Bytes>, DecompressError> {
    let Some((last, before)) = decodings.split_last_mut() else { return Ok(None) };
    loop {
        if let Some(piece) = last.next_piece()? {
            return Ok(Some(piece));
        }
        match last_of(before)? {
            Some(input) => last.receive(input),
            None => return last.last_piece(),
        }
    }
}

/// A body of which one coding is being undone.
#[derive(Debug)]
struct Decoding {
    decoder: Option<Decoder>,
    coding: Coding,
    /// What has been received and not been looked at.
    input: Bytes,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing has been received.
    Empty,
    /// In the middle. `full` tells that the last piece had no room for more, so that the decoder may hold some back.
    Within { full: bool },
    /// A stream has ended. There may be another one, or nothing.
    Between,
    /// Behind the end of a stream, with nothing more having come out yet.
    Further(Beginning),
    /// What follows is not looked at.
    Ended,
}

/// The first bytes behind the end of a stream: they tell whether another one begins there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Beginning {
    bytes: [u8; 4],
    length: usize,
}

impl Beginning {
    /// With what comes next.
    fn and(self, next: &[u8]) -> Self {
        let Self { mut bytes, length } = self;
        let next = &next[..next.len().min(bytes.len() - length)];
        bytes[length..length + next.len()].copy_from_slice(next);
        Self { bytes, length: length + next.len() }
    }

    /// Whether it is that of a stream, as far as it goes.
    fn is_of(self, coding: Coding) -> bool {
        let magic: &[u8] = match coding {
            // RFC 1952, section 2.3.1.
            Coding::Gzip => &[0x1f, 0x8b],
            // RFC 8878, section 3.1.1. Frames to be skipped may as well end too early.
            Coding::Zstd => &[0x28, 0xb5, 0x2f, 0xfd],
            Coding::Deflate | Coding::Brotli => return false,
        };
        self.length > 0 && self.bytes[..self.length].iter().zip(magic).all(|(byte, magic)| byte == magic)
    }
}

#[derive(Debug)]
enum Decoder {
    Gzip(GzipDecoder),
    Zlib(ZlibDecoder),
    Deflate(DeflateDecoder),
    Brotli(BrotliDecoder),
    Zstd(ZstdDecoder),
}

impl Decoder {
    /// The decoder of a body which begins with `first`.
    fn new(coding: Coding, first: u8) -> Self {
        match coding {
            Coding::Gzip => Self::Gzip(GzipDecoder::new()),
            // A zlib header begins with the method 8 and a window of at most 2^15 (RFC 1950, 2.2). A raw stream that begins
            // like that would have to be stored without compression and have its unused bits set.
            Coding::Deflate if first & 0x0f == 8 && first >> 4 <= 7 => Self::Zlib(ZlibDecoder::new()),
            Coding::Deflate => Self::Deflate(DeflateDecoder::new()),
            Coding::Brotli => Self::Brotli(BrotliDecoder::new()),
            Coding::Zstd => {
                Self::Zstd(ZstdDecoder::new_with_params(&[DParameter::window_log_max(ZSTD_WINDOW)]))
            }
        }
    }

    fn codec(&mut self) -> &mut dyn DecodeV2 {
        match self {
            Self::Gzip(decoder) => decoder,
            Self::Zlib(decoder) => decoder,
            Self::Deflate(decoder) => decoder,
            Self::Brotli(decoder) => decoder,
            Self::Zstd(decoder) => decoder,
        }
    }
}

impl Decoding {
    fn new(coding: Coding) -> Self {
        Self { decoder: None, coding, input: Bytes::new(), stage: Stage::Empty }
    }

    /// Takes over what has been received. Everything before it must have been looked at.
    fn receive(&mut self, input: Bytes) {
        self.input = input;
    }

    /// The next piece that can be made of what has been received, if there is one.
    fn next_piece(&mut self) -> Result<Option<Bytes>, DecompressError> {
        loop {
            let held_back = self.stage == Stage::Within { full: true };
            if self.stage == Stage::Ended {
                self.input.clear();
            }
            if self.input.is_empty() && !held_back {
                return Ok(None);
            }
            if self.stage == Stage::Between && !self.begin_another()? {
                continue;
            }
            let first = self.input.first().copied().unwrap_or_default();
            let coding = self.coding;
            let codec = self.decoder.get_or_insert_with(|| Decoder::new(coding, first)).codec();
            let mut buffer = vec![0; (self.input.len().saturating_mul(4)).clamp(1024, PIECE)];
            let mut output = WriteBuffer::new_initialized(&mut buffer);
            let behind = |length: usize| match self.stage {
                Stage::Further(beginning) => Some(beginning.and(&self.input[..length])),
                _ => None,
            };
            let (ended, consumed) = if self.input.is_empty() {
                (codec.flush(&mut output).map(|_| false), 0)
            } else {
                let mut input = PartialBuffer::new(&*self.input);
                (codec.decode(&mut input, &mut output), input.written_len())
            };
            let (produced, full) = (output.written_len(), output.has_no_spare_space());
            let (looked_at, received) = (behind(consumed), behind(self.input.len()));
            self.input.advance(consumed);
            let ended = match ended {
                Ok(ended) => ended,
                // Behind the end of a stream, servers leave all kinds of things, which are no business of the caller.
                Err(_) if produced == 0 && received.is_some_and(|beginning| !beginning.is_of(coding)) => {
                    self.stage = Stage::Ended;
                    continue;
                }
                Err(error) => return Err(DecompressError::Malformed(error)),
            };
            if consumed == 0 && produced == 0 && !ended && !held_back {
                return Err(DecompressError::Malformed(io::ErrorKind::InvalidData.into()));
            }
            self.stage = match looked_at {
                _ if ended => Stage::Between,
                Some(beginning) if produced == 0 => Stage::Further(beginning),
                _ => Stage::Within { full: full && produced > 0 },
            };
            if produced > 0 {
                buffer.truncate(produced);
                return Ok(Some(buffer.into()));
            }
        }
    }

    /// Gets ready for another stream behind the first one, if the coding has such a thing.
    fn begin_another(&mut self) -> Result<bool, DecompressError> {
        let Some(decoder @ (Decoder::Gzip(_) | Decoder::Zstd(_))) = &mut self.decoder else {
            self.stage = Stage::Ended;
            return Ok(false);
        };
        decoder.codec().reinit().map_err(DecompressError::Malformed)?;
        self.stage = Stage::Further(Beginning::default());
        Ok(true)
    }

    /// What the decoder still has when everything has been received, piece by piece.
    fn last_piece(&mut self) -> Result<Option<Bytes>, DecompressError> {
        let Some(decoder) = &mut self.decoder else { return Ok(None) };
        match self.stage {
            Stage::Empty | Stage::Between | Stage::Ended => return Ok(None),
            Stage::Further(beginning) if beginning.is_of(self.coding) => {
                return Err(DecompressError::Truncated);
            }
            Stage::Further(_) => return Ok(None),
            Stage::Within { .. } => {}
        }
        let mut buffer = vec![0; PIECE];
        let mut output = WriteBuffer::new_initialized(&mut buffer);
        let finished = decoder.codec().finish(&mut output);
        let produced = output.written_len();
        match finished {
            Ok(true) => self.stage = Stage::Ended,
            Ok(false) if produced > 0 => {}
            Ok(false) | Err(_) => return Err(DecompressError::Truncated),
        }
        buffer.truncate(produced);
        Ok((produced > 0).then(|| buffer.into()))
    }
}
