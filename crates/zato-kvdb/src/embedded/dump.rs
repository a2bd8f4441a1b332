//! The form in which entries are dumped and restored, which is that of Redis.
//!
//! Owns that form: the type, the content, a version and a checksum. It is written in the encodings that every version of
//! Redis reads; of those that Redis writes, the compact ones of small collections are not read. It must not know tables.

use crc::{CRC_64_REDIS, Crc};

use super::rows::score;
use super::tables::{Collection, Entry, Expiries, Items, Keys, Kind, Rows, Scores, Tables};
use crate::command::Value;
use crate::error::KvdbError;

const CHECKSUM: Crc<u64> = Crc::<u64>::new(&CRC_64_REDIS);
/// The version of the form, of which Redis reads its own and earlier ones; this is that of Redis 5.
const VERSION: u16 = 9;
/// The newest version of which the parts that are read here are known not to have changed.
const NEWEST: u16 = 12;
const TRAILER: usize = 10;

const TEXT: u8 = 0;
const LIST: u8 = 1;
const SET: u8 = 2;
const HASH: u8 = 4;
const SORTED_SET: u8 = 5;

/// What an entry holds, apart from when it expires.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    Text(Value),
    Hash(Vec<(Value, Value)>),
    List(Vec<Value>),
    Set(Vec<Value>),
    SortedSet(Vec<(f64, Value)>),
}

impl<K: Keys, R: Rows, I: Items, S: Scores, X: Expiries> Tables<K, R, I, S, X> {
    /// All that an entry holds.
    pub(super) fn content(&self, entry: Entry) -> Result<Content, KvdbError> {
        let rows = |collection: Collection| {
            let mut pairs = Vec::new();
            self.rows(collection, |name, value| pairs.push((name.to_owned(), value.to_owned())))?;
            Ok::<_, KvdbError>(pairs)
        };
        Ok(match entry.kind {
            Kind::Text => Content::Text(entry.into_text()?),
            Kind::Hash => Content::Hash(rows(entry.collection(Kind::Hash)?)?),
            Kind::List => {
                let list = entry.collection(Kind::List)?;
                Content::List(self.list_range(list, 0..list.length)?)
            }
            Kind::Set => {
                let members = rows(entry.collection(Kind::Set)?)?;
                Content::Set(members.into_iter().map(|(member, _)| member).collect())
            }
            Kind::SortedSet => {
                let members = rows(entry.collection(Kind::SortedSet)?)?;
                let scored = members.into_iter().map(|(member, row)| Ok((score(&row)?, member)));
                Content::SortedSet(scored.collect::<Result<_, KvdbError>>()?)
            }
        })
    }
}

/// Dumps.
pub(super) fn write(content: &Content) -> Vec<u8> {
    let mut dump = Vec::new();
    match content {
        Content::Text(value) => {
            dump.push(TEXT);
            write_value(&mut dump, value);
        }
        Content::Hash(fields) => {
            dump.push(HASH);
            write_length(&mut dump, fields.len());
            for (field, value) in fields {
                write_value(&mut dump, field);
                write_value(&mut dump, value);
            }
        }
        Content::List(values) | Content::Set(values) => {
            dump.push(if matches!(content, Content::List(_)) { LIST } else { SET });
            write_length(&mut dump, values.len());
            for value in values {
                write_value(&mut dump, value);
            }
        }
        Content::SortedSet(members) => {
            dump.push(SORTED_SET);
            write_length(&mut dump, members.len());
            for (score, member) in members {
                write_value(&mut dump, member);
                dump.extend(score.to_le_bytes());
            }
        }
    }
    dump.extend(VERSION.to_le_bytes());
    dump.extend(CHECKSUM.checksum(&dump).to_le_bytes());
    dump
}

/// Lengths take as few bytes as they need; the first two bits say how many.
fn write_length(dump: &mut Vec<u8>, length: usize) {
    match (u8::try_from(length), u16::try_from(length), u32::try_from(length)) {
        (Ok(length @ 0..0x40), ..) => dump.push(length),
        (_, Ok(length @ 0..0x4000), _) => dump.extend((length | 0x4000).to_be_bytes()),
        (_, _, Ok(length)) => {
            dump.push(0x80);
            dump.extend(length.to_be_bytes());
        }
        _ => {
            dump.push(0x81);
            dump.extend((length as u64).to_be_bytes());
        }
    }
}

fn write_value(dump: &mut Vec<u8>, value: &[u8]) {
    write_length(dump, value.len());
    dump.extend(value);
}

/// Reads what was dumped.
pub(super) fn read(dump: &[u8]) -> Result<Content, KvdbError> {
    let (covered, checksum) =
        dump.split_last_chunk::<8>().filter(|_| dump.len() > TRAILER).ok_or(KvdbError::BadDump)?;
    let (body, version) = covered.split_last_chunk::<2>().ok_or(KvdbError::BadDump)?;
    let intact = CHECKSUM.checksum(covered) == u64::from_le_bytes(*checksum);
    if !intact || u16::from_le_bytes(*version) > NEWEST {
        return Err(KvdbError::BadDump);
    }
    let mut reader = Reader(body);
    let content = reader.content().ok_or(KvdbError::BadDump)?;
    if reader.0.is_empty() { Ok(content) } else { Err(KvdbError::BadDump) }
}

/// What is left to be read. Nothing is reserved for a length before that many bytes were seen.
struct Reader<'d>(&'d [u8]);

/// A length, or how a value is encoded that has none.
enum Length {
    Of(usize),
    Encoded(u8),
}

impl Reader<'_> {
    fn content(&mut self) -> Option<Content> {
        let [kind] = self.bytes()?;
        Some(match kind {
            TEXT => Content::Text(self.value()?),
            LIST => Content::List(self.several(Self::value)?),
            SET => Content::Set(self.several(Self::value)?),
            HASH => Content::Hash(self.several(|reader| Some((reader.value()?, reader.value()?)))?),
            SORTED_SET => Content::SortedSet(self.several(|reader| {
                let member = reader.value()?;
                let score = f64::from_le_bytes(reader.bytes()?);
                (!score.is_nan()).then_some((score, member))
            })?),
            _ => return None,
        })
    }

    fn several<T>(&mut self, one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let Length::Of(length @ 1..) = self.length()? else { return None };
        // Every element takes a byte at least, so that more of them than bytes can't be there.
        if length > self.0.len() {
            return None;
        }
        (0..length).map(|_| one(self)).collect()
    }

    fn value(&mut self) -> Option<Value> {
        Some(match self.length()? {
            Length::Of(length) => self.take(length)?.to_owned(),
            Length::Encoded(0) => i8::from_le_bytes(self.bytes()?).to_string().into_bytes(),
            Length::Encoded(1) => i16::from_le_bytes(self.bytes()?).to_string().into_bytes(),
            Length::Encoded(2) => i32::from_le_bytes(self.bytes()?).to_string().into_bytes(),
            Length::Encoded(_) => return None,
        })
    }

    fn length(&mut self) -> Option<Length> {
        let [first] = self.bytes()?;
        let low = first & 0x3f;
        let length = match first >> 6 {
            0 => u64::from(low),
            1 => u64::from(low) << 8 | u64::from(self.bytes::<1>()?[0]),
            2 if first == 0x80 => u64::from(u32::from_be_bytes(self.bytes()?)),
            2 if first == 0x81 => u64::from_be_bytes(self.bytes()?),
            2 => return None,
            _ => return Some(Length::Encoded(low)),
        };
        usize::try_from(length).ok().map(Length::Of)
    }

    fn take(&mut self, length: usize) -> Option<&[u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn contents() -> impl Strategy<Value = Content> {
        let value = || vec(any::<u8>(), 0..100);
        prop_oneof![
            vec(any::<u8>(), 0..20000).prop_map(Content::Text),
            vec((value(), value()), 1..100).prop_map(Content::Hash),
            vec(value(), 1..100).prop_map(Content::List),
            vec(value(), 1..100).prop_map(Content::Set),
            vec((any::<f64>().prop_filter("no number", |score| !score.is_nan()), value()), 1..100)
                .prop_map(Content::SortedSet),
        ]
    }

    proptest! {
        #[test]
        fn what_is_dumped_is_read(content in contents()) {
            prop_assert_eq!(read(&write(&content)).unwrap(), content);
        }

        #[test]
        fn damage_is_seen(content in contents(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
            let mut dump = write(&content);
            let at = at.index(dump.len());
            dump[at] ^= 1_u8 << bit;
            prop_assert!(read(&dump).is_err());
        }

        #[test]
        fn anything_can_be_tried(mut bytes in vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
            bytes.extend(VERSION.to_le_bytes());
            bytes.extend(CHECKSUM.checksum(&bytes).to_le_bytes());
            let _ = read(&bytes);
        }
    }

    #[test]
    fn values_that_redis_dumped_are_read() {
        let ten = b"\x00\xc0\n\n\x00n\x9fWE\x0e\xaec\xbb";
        assert_eq!(CHECKSUM.checksum(&ten[..5]).to_le_bytes(), ten[5..], "the checksum of the Redis manual");
        assert_eq!(read(ten).unwrap(), Content::Text(b"10".to_vec()));
    }
}
