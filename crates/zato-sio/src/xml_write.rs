//! Typed values into XML.
//!
//! Owns the forms of the response: `item`, `item_list`, lists, dictionaries and null. Everything is appended to one
//! buffer, without intermediate texts. It must not know the response element which the frame writes around it.

use std::mem;

use serde::ser::{self, Serialize};
use zato_xml::is_name;

use crate::MAX_DEPTH;
use crate::error::EncodeError;
use crate::xml_read::XSI;

type Result<T = (), E = EncodeError> = std::result::Result<T, E>;

/// How a sequence that [`to_xml`] wrote ends, for a caller who appends further items, each written by [`to_xml`].
pub const XML_LIST_END: &str = "</item_list>";

/// Appends a value as the payload of a response.
///
/// A struct or a map becomes `<item>…</item>`, a sequence of them `<item_list><item>…</item>…</item_list>`, and the
/// unit `()` or `None` nothing at all. The prefix `xsi` is declared on the outermost element if a null inside needs
/// it, so that the payload may stand in any element.
///
/// # Errors
///
/// A single value which is neither struct, map nor sequence; names which are not XML names; enum variants with
/// content; more than [`MAX_DEPTH`] levels; a failure of the value's own `Serialize`. `out` is then as it was.
pub fn to_xml<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result {
    write(value, out, true)
}

/// Appends the elements of a struct or a map alone, without `<item>` around them, for a caller who writes that
/// element. The prefix `xsi` is declared on each null element.
///
/// # Errors
///
/// Those of [`to_xml`], and for a sequence.
pub fn to_xml_children<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result {
    write(value, out, false)
}

fn write<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>, wrapped: bool) -> Result {
    let start = out.len();
    let mut writer = Writer { out, depth: 0, nil: if wrapped { Nil::Unused } else { Nil::Inline } };
    let result = value.serialize(Root { writer: &mut writer, wrapped });
    let nil_used = matches!(writer.nil, Nil::Used);
    if result.is_err() {
        out.truncate(start);
    } else if nil_used {
        declare_xsi(out, start);
    }
    result
}

/// Adds the declaration to the payload's outermost tag, the name of which ends at the first `>`. Doing it last, and
/// only if a null was written, keeps it out of the many payloads that have none.
fn declare_xsi(out: &mut Vec<u8>, start: usize) {
    let length = out.iter().skip(start).take_while(|&&byte| byte != b'>').count();
    let position = start + length;
    out.splice(position..position, format!(" xmlns:xsi=\"{XSI}\"").into_bytes());
}

/// Where the prefix `xsi` is declared.
#[derive(Debug, Clone, Copy)]
enum Nil {
    /// On each element that needs it.
    Inline,
    /// On the outermost element, once there is a need.
    Unused,
    /// On the outermost element, as there is a need.
    Used,
}

struct Writer<'o> {
    out: &'o mut Vec<u8>,
    depth: usize,
    nil: Nil,
}

impl Writer<'_> {
    fn open(&mut self, tag: &str) {
        self.out.push(b'<');
        self.out.extend_from_slice(tag.as_bytes());
        self.out.push(b'>');
    }

    fn close(&mut self, tag: &str) {
        self.out.extend_from_slice(b"</");
        self.out.extend_from_slice(tag.as_bytes());
        self.out.push(b'>');
    }

    fn nil(&mut self, tag: &str) {
        self.out.push(b'<');
        self.out.extend_from_slice(tag.as_bytes());
        if let Nil::Inline = self.nil {
            self.out.extend_from_slice(format!(" xmlns:xsi=\"{XSI}\"").as_bytes());
        } else {
            self.nil = Nil::Used;
        }
        self.out.extend_from_slice(b" xsi:nil=\"true\"/>");
    }

    fn descend(&mut self) -> Result {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(EncodeError::TooDeep) } else { Ok(()) }
    }
}

/// The methods which a serializer answers with one error, all of them for values it has no form for.
macro_rules! unsupported {
    ($what:literal: $($method:ident($($argument:ty),*),)*) => {
        $(fn $method(self $(, _: $argument)*) -> Result<Self::Ok> {
            Err(EncodeError::Unsupported { what: $what })
        })*
    };
    (variants) => {
        type SerializeTupleVariant = ser::Impossible<(), EncodeError>;
        type SerializeStructVariant = ser::Impossible<(), EncodeError>;

        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _name: &'static str,
            _index: u32,
            _variant: &'static str,
            _value: &T,
        ) -> Result {
            Err(EncodeError::Unsupported { what: "an enum variant with content" })
        }

        fn serialize_tuple_variant(
            self,
            _name: &'static str,
            _index: u32,
            _variant: &'static str,
            _len: usize,
        ) -> Result<Self::SerializeTupleVariant> {
            Err(EncodeError::Unsupported { what: "an enum variant with content" })
        }

        fn serialize_struct_variant(
            self,
            _name: &'static str,
            _index: u32,
            _variant: &'static str,
            _len: usize,
        ) -> Result<Self::SerializeStructVariant> {
            Err(EncodeError::Unsupported { what: "an enum variant with content" })
        }
    };
}

/// Implements the traits of sequences with one method for each member.
macro_rules! serialize_members {
    ($type:ty, $self:ident, $value:ident => $member:expr) => {
        impl ser::SerializeSeq for $type {
            type Ok = ();
            type Error = EncodeError;

            fn serialize_element<T: Serialize + ?Sized>(&mut $self, $value: &T) -> Result {
                $member
            }

            fn end(self) -> Result {
                self.finish();
                Ok(())
            }
        }

        impl ser::SerializeTuple for $type {
            type Ok = ();
            type Error = EncodeError;

            fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
                ser::SerializeSeq::serialize_element(self, value)
            }

            fn end(self) -> Result {
                ser::SerializeSeq::end(self)
            }
        }

        impl ser::SerializeTupleStruct for $type {
            type Ok = ();
            type Error = EncodeError;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
                ser::SerializeSeq::serialize_element(self, value)
            }

            fn end(self) -> Result {
                ser::SerializeSeq::end(self)
            }
        }
    };
}

mod content;
use content::Content;

/// The payload itself.
struct Root<'w, 'o> {
    writer: &'w mut Writer<'o>,
    /// Whether the payload is to be written with its own element around it.
    wrapped: bool,
}

impl<'w, 'o> Root<'w, 'o> {
    fn item(self) -> Result<Fields<'w, 'o>> {
        self.writer.descend()?;
        let tag = if self.wrapped { "item" } else { "" };
        if self.wrapped {
            self.writer.open(tag);
        }
        Ok(Fields { writer: self.writer, tag, name: String::new() })
    }

    fn list(self) -> Result<Rows<'w, 'o>> {
        if !self.wrapped {
            return Err(EncodeError::Unsupported { what: "a list where the elements of one item belong" });
        }
        self.writer.descend()?;
        self.writer.open("item_list");
        Ok(Rows { writer: self.writer })
    }
}

impl<'w, 'o> ser::Serializer for Root<'w, 'o> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Rows<'w, 'o>;
    type SerializeTuple = Rows<'w, 'o>;
    type SerializeTupleStruct = Rows<'w, 'o>;
    type SerializeMap = Fields<'w, 'o>;
    type SerializeStruct = Fields<'w, 'o>;

    unsupported! { "a single value where an item belongs":
        serialize_bool(bool),
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_f32(f32),
        serialize_f64(f64),
        serialize_char(char),
        serialize_str(&str),
        serialize_bytes(&[u8]),
        serialize_unit_variant(&'static str, u32, &'static str),
    }
    unsupported!(variants);

    fn serialize_none(self) -> Result {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result {
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Rows<'w, 'o>> {
        self.list()
    }

    fn serialize_tuple(self, _len: usize) -> Result<Rows<'w, 'o>> {
        self.list()
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Rows<'w, 'o>> {
        self.list()
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Fields<'w, 'o>> {
        self.item()
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Fields<'w, 'o>> {
        self.item()
    }
}

/// The rows of an `item_list`, each an `item` of named elements.
struct Rows<'w, 'o> {
    writer: &'w mut Writer<'o>,
}

impl Rows<'_, '_> {
    fn row<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        value.serialize(Root { writer: &mut *self.writer, wrapped: true })
    }

    fn finish(self) {
        self.writer.depth -= 1;
        self.writer.out.extend_from_slice(XML_LIST_END.as_bytes());
    }
}

/// Named elements: the fields of a struct, or the keys of the outermost map.
struct Fields<'w, 'o> {
    writer: &'w mut Writer<'o>,
    /// The element around them, empty if there is none.
    tag: &'static str,
    /// The key of a map's entry that was written last.
    name: String,
}

impl Fields<'_, '_> {
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result {
        if !is_name(name) {
            return Err(EncodeError::invalid_name(name));
        }
        value.serialize(Content { writer: &mut *self.writer, tag: name, in_list: false })
    }

    fn finish(self) {
        self.writer.depth -= 1;
        if !self.tag.is_empty() {
            self.writer.close(self.tag);
        }
    }
}

serialize_members!(Rows<'_, '_>, self, value => self.row(value));

impl ser::SerializeStruct for Fields<'_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result {
        self.field(name, value)
    }

    fn end(self) -> Result {
        self.finish();
        Ok(())
    }
}

impl ser::SerializeMap for Fields<'_, '_> {
    type Ok = ();
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        self.name = key_text(key)?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        let name = mem::take(&mut self.name);
        self.field(&name, value)
    }

    fn end(self) -> Result {
        self.finish();
        Ok(())
    }
}

/// The key of a map, which can be anything that serde_json accepts as a key: texts, numbers, booleans, enums.
fn key_text<T: Serialize + ?Sized>(key: &T) -> Result<String> {
    match serde_json::to_value(key) {
        Ok(serde_json::Value::String(text)) => Ok(text),
        Ok(value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_))) => Ok(value.to_string()),
        Ok(_) => Err(EncodeError::Unsupported { what: "a map whose keys are not texts" }),
        Err(error) => Err(EncodeError::Invalid { message: error.to_string() }),
    }
}
