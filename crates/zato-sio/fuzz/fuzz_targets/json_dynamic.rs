//! JSON into a map, by a declaration.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use zato_sio::schema::{DictKeys, Element, Kind, Schema};

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let typed = |name: &str, kind| Element::optional(name).with_kind(kind);
    Schema::new(
        [
            Element::required("name"),
            Element::optional("id").with_default(7),
            Element::optional("is_active"),
            typed("ratio", Kind::Float),
            typed("created", Kind::Utc),
            typed("words", Kind::Csv),
            typed("list", Kind::List),
            typed("dict", Kind::Dict(DictKeys::only(["a"], Some("b".into())))),
            typed("dicts", Kind::ListOfDicts),
            typed("opaque", Kind::Opaque),
        ],
        [],
    )
});

fuzz_target!(|bytes: &[u8]| {
    let decoded = SCHEMA.decode_json(bytes);
    if let Ok(values) = &decoded {
        assert_eq!(values.len(), SCHEMA.input().len());
        assert!(SCHEMA.input().iter().all(|element| values.contains_key(element.name())));
        zato_sio::to_json(values, &mut Vec::new()).expect("what was decoded is within the limits");
    }
    // A repeated element is refused in bytes, while a parsed value has kept the last one. A text that is the compact form of its own
    // value has none.
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes)
        && value.is_object()
        && value.to_string().as_bytes() == bytes
    {
        assert_eq!(SCHEMA.decode_value(&value), decoded);
        assert!(zato_sio::check_names(bytes).is_ok());
    }
});
