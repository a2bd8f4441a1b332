//! Any text parses to exactly itself or to an error that points into the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zato_cid::{Cid, ParseCidError};

fuzz_target!(|text: &str| match text.parse::<Cid>() {
    Ok(cid) => assert_eq!(cid.as_str(), text),
    Err(ParseCidError::Length { found }) => assert_eq!(text.chars().count(), found),
    Err(
        ParseCidError::Character { position, found, .. } | ParseCidError::TooLarge { position, found, .. },
    ) => {
        assert!(text[position..].starts_with(found));
    }
    Err(error) => panic!("an unknown kind of error: {error}"),
});
