//! Texts that were not sealed are never opened, and none makes opening panic.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use zato_odb::{Secret, SecretKey};

static KEY: LazyLock<SecretKey> = LazyLock::new(|| SecretKey::generate().expect("there are random numbers"));

fuzz_target!(|text: &str| {
    assert!(KEY.open("sec_base.password", text).is_err());
    let sealed = KEY.seal("sec_base.password", &Secret::new(text)).expect("it is short enough");
    let opened = KEY.open("sec_base.password", &sealed).expect("it was just sealed");
    assert_eq!(opened.expose(), text);
});
