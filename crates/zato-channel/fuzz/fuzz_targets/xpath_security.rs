//! Whatever the expressions of a definition of type XPath are, and whatever stands in a message, nobody is let in whose message
//! and whose definition do not have the credentials somewhere.
//!
//! An input is the expression for the user's name in the first line, the one for the password in the second one, which may
//! be empty, and a message in all others.

#![no_main]

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use libfuzzer_sys::fuzz_target;
use zato_channel::{
    ChannelConfig, Channels, DataFormat, Dispatcher, Pages, Security, SecurityKind, Transport, Version, XPath,
};
use zato_channel_fuzz::{HOUSE, channel, settings};

/// No expression makes these letters of others.
const USERNAME: &str = "us§er";
const PASSWORD: &str = "s3¶cret";

fuzz_target!(|data: &str| {
    let mut parts = data.splitn(3, '\n');
    let (Some(first), Some(second), Some(message)) = (parts.next(), parts.next(), parts.next()) else {
        return;
    };
    let password_expr = (!second.is_empty()).then(|| second.to_owned());
    let definition = |is_active| {
        let kind = SecurityKind::XPath(XPath {
            username: USERNAME.to_owned(),
            username_expr: first.to_owned(),
            password: PASSWORD.into(),
            password_expr: password_expr.clone(),
        });
        Security::new(1, "xpath", is_active, kind).map(Arc::new)
    };
    let (Ok(active), Ok(inactive)) = (definition(true), definition(false)) else { return };
    let channels = Channels::new(Pages::new());
    let soap = Transport::Soap(Version::V11);
    for (id, path, transport, security) in [
        (1, "/xml", Transport::PlainHttp, &active),
        (2, "/soap", soap, &active),
        (3, "/xml/inactive", Transport::PlainHttp, &inactive),
        (4, "/soap/inactive", soap, &inactive),
    ] {
        let config = channel(id, path, transport, Some(DataFormat::Xml), &HOUSE.service);
        channels.put(ChannelConfig { security: Some(Arc::clone(security)), ..config }).expect("a channel");
    }
    let dispatcher = Dispatcher::new(channels, HOUSE.environment.clone(), settings());
    let is_let_in = |path: &str| {
        let request = Request::post(path).header("host", "localhost");
        let request = request.body(Full::new(Bytes::copy_from_slice(message.as_bytes()))).expect("a request");
        let answered = dispatcher.dispatch(request, ([192, 0, 2, 1], 50_000).into());
        HOUSE.runtime.block_on(answered).status() != StatusCode::UNAUTHORIZED
    };
    let has = |letter: char| data.contains(letter) || message.contains("&#");
    for path in ["/xml", "/soap"] {
        let is_in = is_let_in(path);
        assert!(
            !is_in || (has('§') && (second.is_empty() || has('¶'))),
            "{path}: somebody unknown was let in"
        );
        assert_eq!(is_let_in(path), is_in, "{path}: it is not the same each time");
    }
    assert!(!is_let_in("/xml/inactive") && !is_let_in("/soap/inactive"), "an inactive definition lets in");
});
