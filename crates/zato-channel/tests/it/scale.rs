//! Many channels.

use allocation_counter::measure;
use http::StatusCode;
use zato_channel::ChannelConfig;
use zato_service::{Context, Description};

use crate::support::{House, basic_auth, get, json, with};

/// Memory is what copying a table would take, so its allocations tell, other than time, the same on every machine.
#[test]
fn one_of_many_channels_is_changed_and_called_like_one_of_few() {
    let house = House::new();
    let service = house.service(Description::new("one"), |_: &mut Context, ()| Ok(1));
    let security = basic_auth(1, "u", "p");
    let path = |id: i64| match id % 3 {
        0 => format!("/exact/{id}"),
        1 => format!("/v{id}/{{name}}/end"),
        _ => format!("/prefix/{id}-{{name}}.json"),
    };
    let config =
        |id: i64| ChannelConfig { security: Some(security.clone()), ..json(id, &path(id), &service) };
    let costs = |count: i64| {
        assert!(house.channels.replace_all((1..=count).map(config)).is_empty());
        assert_eq!(house.channels.len(), usize::try_from(count).unwrap());
        // The last of each kind.
        let last = count - 2..=count;
        let change = measure(|| {
            for id in last.clone() {
                house.channels.remove(id);
                house.put(config(id));
            }
            house.channels.put_security(&basic_auth(1, "u", "p"));
        });
        // The least of some: what else the thread does at times is not the calls'.
        let calls = (0..5).map(|_| {
            let requests: Vec<_> = last
                .clone()
                .map(|id| with(get(&path(id).replace("{name}", "x")), "authorization", "Basic dTpw"))
                .collect();
            let measured = measure(|| {
                for request in requests {
                    assert_eq!(house.call(request).status, StatusCode::OK);
                }
            });
            measured.count_total
        });
        (change.bytes_total, calls.min())
    };
    // What happens once happens here.
    costs(9);
    let (few, calls_of_few) = costs(9);
    let (many, calls_of_many) = costs(30_000);
    assert!(many < few * 20, "a change takes {many} bytes with 30,000 channels, {few} with nine");
    assert!(many < 200_000, "a change takes {many} bytes with 30,000 channels");
    assert_eq!(calls_of_many, calls_of_few, "calls allocate as often");
}

/// A connection moves the future of each call a few times, so what few calls need has to stand in boxes.
#[test]
fn the_future_of_a_call_is_small() {
    let house = House::new();
    let call = house.dispatcher.dispatch(get("/"), ([192, 0, 2, 1], 50_000).into());
    let size = size_of_val(&call);
    println!("{size} bytes");
    assert!(size < 3_000, "{size} bytes");
}
