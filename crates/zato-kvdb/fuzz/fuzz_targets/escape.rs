//! Bytes come back from their text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zato_kvdb::escape::{escaped, unescaped};

fuzz_target!(|bytes: &[u8]| {
    let text = escaped(bytes);
    assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    assert_eq!(unescaped(&text).as_deref(), Some(bytes));
    if let Some(read) = std::str::from_utf8(bytes).ok().and_then(unescaped) {
        assert_eq!(unescaped(&escaped(&read)), Some(read));
    }
});
