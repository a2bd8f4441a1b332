//! See the README for the property.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zato_sql::Extra;

fuzz_target!(|text: &str| {
    let as_lines = Extra::parse(&text.replace(';', "\n"));
    assert_eq!(Extra::parse(text), as_lines);
});
