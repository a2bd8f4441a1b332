//! Checks of values that objects of several families have.
//!
//! Owns what a value has to be whatever it belongs to. It must not know any family.

use std::fmt::Display;
use std::ops::RangeInclusive;

use zato_service::Error;

use crate::error::not_allowed;

/// TCP ports that can be connected to.
pub(crate) const PORTS: RangeInclusive<i32> = 1..=65_535;

/// Numbers that count something.
pub(crate) const COUNTS: RangeInclusive<i32> = 0..=i32::MAX;

/// A number that is limited.
pub(crate) fn within(element: &str, value: i32, range: &RangeInclusive<i32>) -> Result<(), Error> {
    if range.contains(&value) {
        return Ok(());
    }
    let (first, last) = (range.start(), range.end());
    Err(not_allowed(
        element,
        value,
        &match *last {
            i32::MAX => format!("{first} or greater"),
            _ => format!("between {first} and {last}"),
        },
    ))
}

/// A text that can't do without characters.
pub(crate) fn not_empty(element: &str, text: &str) -> Result<(), Error> {
    if text.trim().is_empty() {
        return Err(Error::bad_request(format!("{element} must not be empty")));
    }
    Ok(())
}

/// How bodies of messages are read.
pub(crate) fn data_format(format: Option<&String>) -> Result<(), Error> {
    one_of("data_format", format, |format| ["json", "xml"].contains(&format), "json, xml or empty")
}

/// The priority of messages of AMQP and JMS.
pub(crate) fn priority(priority: i32) -> Result<(), Error> {
    if (0..=9).contains(&priority) {
        return Ok(());
    }
    Err(Error::bad_request(format!("Priority should be between 0 and 9, not [{priority}]")))
}

/// Whether messages of AMQP and JMS outlive a restart of the broker.
pub(crate) fn delivery_mode(mode: i32) -> Result<(), Error> {
    match mode {
        1 | 2 => Ok(()),
        _ => Err(not_allowed("delivery_mode", mode, "1 or 2")),
    }
}

/// How long messages of AMQP and JMS live, in milliseconds.
pub(crate) fn expiration(expiration: Option<&String>) -> Result<(), Error> {
    let is_time = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u32>().is_ok();
    one_of("expiration", expiration, is_time, "a number of milliseconds or empty")
}

/// What a ZeroMQ socket connects to.
pub(crate) fn zmq_address(address: &str) -> Result<(), Error> {
    let is_peer = |peer: &str| {
        peer.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && port.parse().is_ok_and(|port| PORTS.contains(&port))
        })
    };
    let is_address = address.split_once("://").is_some_and(|(scheme, peer)| scheme == "tcp" && is_peer(peer));
    if is_address { Ok(()) } else { Err(not_allowed("address", address, "tcp://host:port")) }
}

fn one_of<T: AsRef<str> + Display>(
    element: &str,
    text: Option<T>,
    is_allowed: impl Fn(&str) -> bool,
    allowed: &str,
) -> Result<(), Error> {
    match text {
        Some(text) if !text.as_ref().is_empty() && !is_allowed(text.as_ref()) => {
            Err(not_allowed(element, text, allowed))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(result: Result<(), Error>, expected: Option<&str>) {
        assert_eq!(result.err().as_ref().map(Error::message), expected);
    }

    #[test]
    fn numbers_have_limits() {
        for port in [1, 65_535] {
            check(within("port", port, &PORTS), None);
        }
        for (port, expected) in [
            (0, "port [0] is not allowed: it must be between 1 and 65535"),
            (65_536, "port [65536] is not allowed: it must be between 1 and 65535"),
        ] {
            check(within("port", port, &PORTS), Some(expected));
        }
        check(within("timeout", -1, &COUNTS), Some("timeout [-1] is not allowed: it must be 0 or greater"));
        check(priority(9), None);
        check(priority(10), Some("Priority should be between 0 and 9, not [10]"));
        check(priority(-1), Some("Priority should be between 0 and 9, not [-1]"));
        check(delivery_mode(2), None);
        check(delivery_mode(0), Some("delivery_mode [0] is not allowed: it must be 1 or 2"));
    }

    #[test]
    fn texts_mean_something() {
        check(not_empty("queue", "q"), None);
        check(not_empty("queue", " "), Some("queue must not be empty"));
        for format in [None, Some(""), Some("json"), Some("xml")] {
            check(data_format(format.map(str::to_owned).as_ref()), None);
        }
        let expected = "data_format [JSON] is not allowed: it must be json, xml or empty";
        check(data_format(Some(&"JSON".to_owned())), Some(expected));
        check(expiration(Some(&"30000".to_owned())), None);
        for text in ["-1", "+1", "1s", "99999999999"] {
            assert!(expiration(Some(&text.to_owned())).is_err(), "{text}");
        }
    }

    #[test]
    fn sockets_connect_to_addresses() {
        for address in ["tcp://localhost:7000", "tcp://[::1]:1"] {
            check(zmq_address(address), None);
        }
        for address in [
            "",
            "localhost:7000",
            "tcp://",
            "tcp://:7000",
            "tcp://a",
            "tcp://a:0",
            "ipc:///run/zmq",
            "http://a:1",
        ] {
            assert!(zmq_address(address).is_err(), "{address}");
        }
    }
}
