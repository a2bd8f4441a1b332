//! A line means the same whatever the space in it and the case of its command.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zato_kvdb::CommandLine;

fuzz_target!(|line: &str| {
    let Ok(read) = CommandLine::parse(line) else { return };
    assert!(line.to_ascii_uppercase().contains(read.name));
    // A comparison of scores would find that NaN is not itself; the parser refuses it.
    let spaced = format!(" \t{}\r\n", line.replace(' ', "  "));
    assert_eq!(CommandLine::parse(&spaced).ok().as_ref(), Some(&read));
    let start = line.len() - line.trim_start_matches([' ', '\t', '\r', '\n']).len();
    let mut swapped = line.to_owned();
    if let Some(name) = swapped.get_mut(start..start + read.name.len()) {
        name.make_ascii_lowercase();
    }
    assert_eq!(CommandLine::parse(&swapped).ok(), Some(read));
});
