//! What is read of a header can be signed again, and then is verified.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zato_oauth::{Authorization, Credentials, Request};

fuzz_target!(|input: (&str, &str, &str, &str)| {
    let (header, path, query, secret) = input;
    let Ok(read) = Authorization::parse(header) else { return };
    let request = Request {
        method: "POST",
        scheme: "https",
        authority: "example.com",
        path,
        query: Some(query),
        form: Some(query),
    };
    if read.verify(&request, secret, "").is_err() {
        return;
    }
    let credentials = Credentials {
        consumer_key: read.consumer_key(),
        consumer_secret: secret,
        token: read.token().map(|token| (token, "")),
    };
    let (timestamp, nonce) = (read.timestamp().unwrap_or_default(), read.nonce().unwrap_or_default());
    // What is signed may have some parameters more than what was verified.
    let Ok(header) = Authorization::sign(&request, &credentials, read.method(), timestamp, nonce) else {
        return;
    };
    let Ok(again) = Authorization::parse(&header) else {
        assert!(nonce.is_empty());
        return;
    };
    assert_eq!((again.consumer_key(), again.token()), (read.consumer_key(), read.token()));
    assert!(again.verify(&request, secret, "").expect("it was signed"));
});
