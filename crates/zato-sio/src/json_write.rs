//! Typed values into JSON.
//!
//! Owns the depth limit and the short way for texts around serde_json's serializer. It must not know how JSON is read.
//!
//! serde_json looks at a text byte by byte for what has to be escaped, which is most of the time that it takes to write
//! a reply. Hardly a text has anything to escape, and many bytes at a time tell as much. So texts are looked at here, on
//! their way to serde_json, and those that can be written as they are go there as bytes.

use std::io;

use serde::ser::{self, Serialize, Serializer};

use crate::MAX_DEPTH;
use crate::error::EncodeError;

/// Appends a value as JSON: UTF-8, without insignificant white space, `None` as `null`.
///
/// # Errors
///
/// A value nested deeper than [`MAX_DEPTH`] levels, a map whose keys are not texts or numbers, or a failure of the
/// value's own `Serialize`. `out` is then as it was.
pub fn to_json<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let start = out.len();
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Form { depth: 0 });
    value.serialize(Plain(&mut serializer)).map_err(|error| {
        out.truncate(start);
        // Writing into memory does not fail, therefore only the formatter below can have caused an I/O error.
        if error.is_io() { EncodeError::TooDeep } else { EncodeError::Invalid { message: error.to_string() } }
    })
}

/// The compact form, refusing to nest deeper than the limit before serde_json's recursion gets there.
struct Form {
    depth: usize,
}

impl Form {
    fn descend(&mut self) -> io::Result<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(io::ErrorKind::InvalidData.into()) } else { Ok(()) }
    }
}

impl serde_json::ser::Formatter for Form {
    /// Writes a text in which nothing has to be escaped; [`Plain`] lets no other bytes through.
    fn write_byte_array<W: io::Write + ?Sized>(&mut self, writer: &mut W, text: &[u8]) -> io::Result<()> {
        writer.write_all(b"\"")?;
        writer.write_all(text)?;
        writer.write_all(b"\"")
    }

    fn begin_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.descend()?;
        writer.write_all(b"[")
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(b"]")
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.descend()?;
        writer.write_all(b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(b"}")
    }
}

/// Whether JSON has a text as it is: it escapes quotes, backslashes and control characters.
fn is_plain(text: &str) -> bool {
    // Without a way out of the middle of a block, the compiler looks at all its bytes at once.
    let is_special = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    let (blocks, rest) = text.as_bytes().as_chunks::<32>();
    let is_plain_block =
        |block: &[u8; 32]| !block.iter().fold(false, |found, byte| found | is_special(*byte));
    blocks.iter().all(is_plain_block) && !rest.iter().any(|byte| is_special(*byte))
}

/// What serde_json itself passes through its serializer under names of its own, such as documents that are JSON already.
fn is_private(name: &str) -> bool {
    name.starts_with("$serde_json::private::")
}

/// A serializer that sees all texts of a value, or a value whose texts are to be seen.
struct Plain<T>(T);

impl<T: Serialize + ?Sized> Serialize for Plain<&T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(Plain(serializer))
    }
}

/// The members of something, written by a [`Plain`] serializer.
struct Members<C> {
    inner: C,
    is_private: bool,
}

impl<C> Members<C> {
    fn new(inner: C) -> Self {
        Self { inner, is_private: false }
    }
}

/// The methods which write what has no texts in it.
macro_rules! forward {
    ($($method:ident($($type:ty),*),)*) => {
        $(forward!(@method $method($($type),*));)*
    };
    (@method $method:ident()) => {
        fn $method(self) -> Result<S::Ok, S::Error> {
            self.0.$method()
        }
    };
    (@method $method:ident($type:ty)) => {
        fn $method(self, value: $type) -> Result<S::Ok, S::Error> {
            self.0.$method(value)
        }
    };
}

impl<S: Serializer> Serializer for Plain<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Members<S::SerializeSeq>;
    type SerializeTuple = Members<S::SerializeTuple>;
    type SerializeTupleStruct = Members<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Members<S::SerializeTupleVariant>;
    type SerializeMap = Members<S::SerializeMap>;
    type SerializeStruct = Members<S::SerializeStruct>;
    type SerializeStructVariant = Members<S::SerializeStructVariant>;

    forward! {
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_i128(i128),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_u128(u128),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char),
        serialize_none(),
        serialize_unit(),
        serialize_unit_struct(&'static str),
    }

    fn serialize_str(self, text: &str) -> Result<S::Ok, S::Error> {
        if is_plain(text) { self.0.serialize_bytes(text.as_bytes()) } else { self.0.serialize_str(text) }
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, text: &T) -> Result<S::Ok, S::Error> {
        self.0.collect_str(text)
    }

    /// Bytes are a list of numbers.
    fn serialize_bytes(self, bytes: &[u8]) -> Result<S::Ok, S::Error> {
        self.collect_seq(bytes)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_some(&Plain(value))
    }

    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_unit_variant(name, index, variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_struct(name, &Plain(value))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_variant(name, index, variant, &Plain(value))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        self.0.serialize_seq(length).map(Members::new)
    }

    fn serialize_tuple(self, length: usize) -> Result<Self::SerializeTuple, S::Error> {
        self.0.serialize_tuple(length).map(Members::new)
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleStruct, S::Error> {
        self.0.serialize_tuple_struct(name, length).map(Members::new)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, S::Error> {
        self.0.serialize_tuple_variant(name, index, variant, length).map(Members::new)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        self.0.serialize_map(length).map(Members::new)
    }

    fn serialize_struct(self, name: &'static str, length: usize) -> Result<Self::SerializeStruct, S::Error> {
        let inner = self.0.serialize_struct(name, length)?;
        Ok(Members { inner, is_private: is_private(name) })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, S::Error> {
        self.0.serialize_struct_variant(name, index, variant, length).map(Members::new)
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// The members that have no names.
macro_rules! unnamed_members {
    ($($trait:ident::$method:ident,)*) => {
        $(impl<C: ser::$trait> ser::$trait for Members<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
                self.inner.$method(&Plain(value))
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })*
    };
}

unnamed_members! {
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
}

impl<C: ser::SerializeMap> ser::SerializeMap for Members<C> {
    type Ok = C::Ok;
    type Error = C::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), C::Error> {
        self.inner.serialize_key(key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), C::Error> {
        self.inner.serialize_value(&Plain(value))
    }

    fn end(self) -> Result<C::Ok, C::Error> {
        self.inner.end()
    }
}

/// The members that have names.
macro_rules! named_members {
    ($($trait:ident,)*) => {
        $(impl<C: ser::$trait> ser::$trait for Members<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), C::Error> {
                if self.is_private {
                    self.inner.serialize_field(name, value)
                } else {
                    self.inner.serialize_field(name, &Plain(value))
                }
            }

            fn end(self) -> Result<C::Ok, C::Error> {
                self.inner.end()
            }
        })*
    };
}

named_members! {
    SerializeStruct,
    SerializeStructVariant,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde::Serialize;

    use super::*;

    #[track_caller]
    fn check<T: Serialize + ?Sized>(value: &T) {
        let mut written = Vec::new();
        to_json(value, &mut written).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string(value).unwrap());
    }

    #[derive(Serialize)]
    enum Variant {
        Unit,
        Newtype(&'static str),
        Tuple(u8, &'static str),
        Struct { text: &'static str },
    }

    #[derive(Serialize)]
    struct Unit;

    #[derive(Serialize)]
    struct Newtype<T>(T);

    #[derive(Serialize)]
    struct Tuple(i128, char);

    struct Bytes(&'static [u8]);

    impl Serialize for Bytes {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_bytes(self.0)
        }
    }

    struct Shown;

    impl Serialize for Shown {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str("shown \"in quotes\"")
        }
    }

    #[test]
    fn everything_is_written_as_serde_json_does() {
        check(&(true, -1_i8, 2_i16, -3_i32, 4_u16, 5_u32, u64::MAX, u128::MAX, 0.1_f32, 1e300, 'x', '"'));
        check(&(None::<u8>, Some("text"), (), Unit, Newtype("a\\b"), Tuple(i128::MIN, '\n'), f64::NAN));
        check(&[Variant::Unit, Variant::Newtype("n"), Variant::Tuple(1, "\t"), Variant::Struct { text: "" }]);
        check(&(Bytes(b""), Bytes(b"\x00ab\""), Shown, [[""; 2]; 2], Vec::<u8>::new()));
        check(&BTreeMap::from([(1, "one"), (2, "\u{7f}\u{2028}")]));
        check(&BTreeMap::from([("k\"", serde_json::json!({"a": [1, "x", null, 1.5]}))]));
        check(&"żółw".repeat(50));
    }

    proptest! {
        #[test]
        fn texts_are_written_as_serde_json_does(text in "\\PC{0,80}|[ -~]{0,80}|[\\x00-\\x7f]{0,80}") {
            check(&text);
        }
    }
}
