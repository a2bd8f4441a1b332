//! An element and what stands in it: a single value, the members of a list, the entries of a dictionary, the fields
//! of a struct.
//!
//! It must not know the outermost elements of a payload.

use serde::ser::{self, Serialize};
use zato_xml::{escape, is_name};

use super::{Result, Writer, key_text};
use crate::error::EncodeError;

/// The methods which write a single value and cannot fail.
macro_rules! scalars {
    ($self:ident, $value:ident: $($method:ident($type:ty) => $write:expr,)*) => {
        $(fn $method($self, $value: $type) -> Result {
            $write;
            Ok(())
        })*
    };
}

/// An element and its content.
pub(super) struct Content<'w, 'o, 't> {
    pub(super) writer: &'w mut Writer<'o>,
    pub(super) tag: &'t str,
    /// Inside a list the elements have no name of their own: a map is then called `dict`.
    pub(super) in_list: bool,
}

impl<'w, 'o, 't> Content<'w, 'o, 't> {
    fn text(self, text: &str) {
        self.writer.open(self.tag);
        escape::text(text, self.writer.out);
        self.writer.close(self.tag);
    }

    fn integer(self, value: impl itoa::Integer) {
        self.text(itoa::Buffer::new().format(value));
    }

    /// Infinities and NaN have no text that a decoder would accept; JSON writes them as null too.
    fn float(self, number: Option<serde_json::Number>) {
        match number {
            Some(number) => self.text(&number.to_string()),
            None => self.writer.nil(self.tag),
        }
    }

    fn nest(self, tag: &'t str) -> Result<Nested<'w, 'o, 't>> {
        self.writer.descend()?;
        self.writer.open(tag);
        Ok(Nested { writer: self.writer, tag })
    }
}

impl<'w, 'o, 't> ser::Serializer for Content<'w, 'o, 't> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Nested<'w, 'o, 't>;
    type SerializeTuple = Nested<'w, 'o, 't>;
    type SerializeTupleStruct = Nested<'w, 'o, 't>;
    type SerializeMap = Nested<'w, 'o, 't>;
    type SerializeStruct = Nested<'w, 'o, 't>;

    unsupported!(variants);

    scalars! { self, value:
        serialize_bool(bool) => self.text(if value { "true" } else { "false" }),
        serialize_i8(i8) => self.integer(value),
        serialize_i16(i16) => self.integer(value),
        serialize_i32(i32) => self.integer(value),
        serialize_i64(i64) => self.integer(value),
        serialize_u8(u8) => self.integer(value),
        serialize_u16(u16) => self.integer(value),
        serialize_u32(u32) => self.integer(value),
        serialize_u64(u64) => self.integer(value),
        // By way of the shortest text, which keeps 0.1 from becoming 0.10000000149011612.
        serialize_f32(f32) => self.float(value.to_string().parse().ok().and_then(serde_json::Number::from_f64)),
        serialize_f64(f64) => self.float(serde_json::Number::from_f64(value)),
        serialize_char(char) => self.text(value.encode_utf8(&mut [0; 4])),
        serialize_str(&str) => self.text(value),
    }

    fn serialize_bytes(self, value: &[u8]) -> Result {
        let text = str::from_utf8(value)
            .map_err(|_| EncodeError::Unsupported { what: "a byte string which is not UTF-8" })?;
        self.text(text);
        Ok(())
    }

    fn serialize_none(self) -> Result {
        self.writer.nil(self.tag);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result {
        self.serialize_none()
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Result {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Self::SerializeSeq> {
        let tag = self.tag;
        self.nest(tag)
    }

    fn serialize_tuple(self, len: usize) -> Result<Self::SerializeTuple> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _name: &'static str, len: usize) -> Result<Self::SerializeTupleStruct> {
        self.serialize_seq(Some(len))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Self::SerializeMap> {
        let tag = if self.in_list { "dict" } else { self.tag };
        self.nest(tag)
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Self::SerializeStruct> {
        let tag = self.tag;
        self.nest(tag)
    }
}

/// The inside of an element: the members of a list, the entries of a dictionary or the fields of a struct.
pub(super) struct Nested<'w, 'o, 't> {
    writer: &'w mut Writer<'o>,
    tag: &'t str,
}

impl Nested<'_, '_, '_> {
    fn element<T: Serialize + ?Sized>(&mut self, tag: &str, in_list: bool, value: &T) -> Result {
        value.serialize(Content { writer: &mut *self.writer, tag, in_list })
    }

    fn finish(self) {
        self.writer.depth -= 1;
        self.writer.close(self.tag);
    }
}

serialize_members!(Nested<'_, '_, '_>, self, value => self.element("item", true, value));

impl ser::SerializeStruct for Nested<'_, '_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result {
        if !is_name(name) {
            return Err(EncodeError::invalid_name(name));
        }
        self.element(name, false, value)
    }

    fn end(self) -> Result {
        self.finish();
        Ok(())
    }
}

impl ser::SerializeMap for Nested<'_, '_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        // An entry is a level of its own to whoever reads it.
        self.writer.descend()?;
        self.writer.open("item");
        self.element("key", false, &key_text(key)?)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        self.element("value", false, value)?;
        self.writer.depth -= 1;
        self.writer.close("item");
        Ok(())
    }

    fn end(self) -> Result {
        self.finish();
        Ok(())
    }
}
