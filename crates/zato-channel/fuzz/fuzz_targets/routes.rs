//! Any set of paths is accepted or refused without a panic, and an accepted path finds its own channel.

#![no_main]

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Full;
use libfuzzer_sys::fuzz_target;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use zato_channel::{Channels, DataFormat, Dispatcher, Pages, Settings, Transport};
use zato_channel_fuzz::{HOUSE, channel};

fuzz_target!(|data: &str| {
    let channels = Channels::new(Pages::new());
    let mut accepted = Vec::new();
    for (id, path) in (1..).zip(data.lines().take(8)) {
        let config = channel(id, path, Transport::PlainHttp, Some(DataFormat::Json), &HOUSE.service);
        let is_acceptable = channels.check(config.clone()).is_ok();
        assert_eq!(channels.put(config).is_ok(), is_acceptable);
        if is_acceptable {
            accepted.push(path);
        }
    }
    assert_eq!(channels.len(), accepted.len());
    let dispatcher = Dispatcher::new(channels, HOUSE.environment.clone(), Settings::default());
    for path in accepted {
        let request = Request::get(request_path(path)).header("host", "localhost");
        let request = request.body(Full::<Bytes>::default()).expect("a request");
        let response = HOUSE.runtime.block_on(dispatcher.dispatch(request, ([192, 0, 2, 1], 50_000).into()));
        assert_eq!(response.status(), StatusCode::OK, "{path}");
    }
});

/// A path that a channel's path matches: each placeholder has a value, everything is percent-encoded.
fn request_path(path: &str) -> String {
    let mut filled = String::new();
    let mut rest = path;
    while let Some((literal, after)) = rest.split_once('{') {
        filled.push_str(literal);
        filled.push('1');
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    filled.push_str(rest);
    let encode = |part| utf8_percent_encode(part, NON_ALPHANUMERIC).to_string();
    filled.split('/').map(encode).collect::<Vec<_>>().join("/")
}
