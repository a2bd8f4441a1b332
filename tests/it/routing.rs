//! Which channel a request finds, and what of the request becomes the service's input: tables of the documented rules.

use serde_json::json;

use crate::support::api::{json_channel, with};
use crate::support::{Format, Reply, Server};

fn get(server: &Server, path: &str) -> Reply {
    server.request("GET", path).send()
}

/// Each data format has its own envelope and content type, for replies and for errors.
#[test]
fn a_channel_answers_in_its_data_format() {
    let server = Server::start();
    #[rustfmt::skip]
    let table = [
        // Data format, service, body, status, media type, how the reply begins.
        ("json", "zato.ping", "", 200, "application/json", "{\"zato_env\":"),
        ("json", "zato.ping", "{}", 200, "application/json", "{\"zato_env\":"),
        ("json", "zato.ping", "<a/>", 400, "application/json", "{\"zato_env\":"),
        ("json", "zato.helpers.echo", "{\"a\": [1]}", 200, "application/json", "{\"a\": [1]}"),
        ("xml", "zato.ping", "<zato_ping_request/>", 200, "application/xml", "<?xml version='1.0' encoding='UTF-8'?>"),
        ("xml", "zato.ping", "{}", 400, "text/plain", "Traceback"),
        ("csv", "zato.helpers.echo", "a,b\r\n1,2\r\n", 200, "text/plain", "a,b\r\n1,2\r\n"),
        ("post", "zato.helpers.echo", "a=1&b=%C5%BC", 200, "text/plain", "a=1&b=%C5%BC"),
        ("none", "zato.helpers.echo", "\u{17c} any {", 200, "text/plain", "\u{17c} any {"),
        ("none", "zato.helpers.echo", "", 200, "text/plain", ""),
    ];
    for (number, (format, service, body, status, media_type, start)) in table.into_iter().enumerate() {
        let path = format!("/format/{number}");
        let data_format = (format != "none").then_some(format);
        let channel = with(&json_channel(&path, &path, service), &json!({"data_format": data_format}));
        server.api().create_http(&channel);
        let reply = server.request("POST", &path).body(body).send();
        let place = format!("{format} {service} {body:?}: {}", reply.text());
        assert_eq!(reply.status, status, "{place}");
        let content_type = reply.header("Content-Type");
        assert_eq!(content_type.split(';').next(), Some(media_type), "{place}");
        assert!(reply.text().starts_with(start), "{place}");
    }
}

/// Which channel answers, and with which of its methods; what is in another one's way is refused by its name.
#[test]
fn requests_find_the_most_specific_channel() {
    let server = Server::start();
    let paths =
        ["/r/{a}", "/r/{a}.json", "/r/v{a}.json", "/r/v1", "/r/x/{a}", "/r/{a}/y", "/r/x/{a}/", "/r/v1/"];
    for path in paths {
        let channel = with(&json_channel(path, path, "zato.helpers.echo"), &json!({"data_format": null}));
        // The channels are told apart by their methods, which a request for another one is told.
        let method = format!("M{}", paths.iter().position(|other| *other == path).unwrap());
        server.api().create_http(&with(&channel, &json!({"method": method})));
    }
    let found = |path: &str| {
        let reply = server.request("GET", path).send();
        if reply.status == 404 {
            return None;
        }
        let reply = reply.status(405);
        let method = reply.header("Allow").strip_suffix(", OPTIONS").expect("OPTIONS is answered").to_owned();
        Some(paths[method[1..].parse::<usize>().unwrap()])
    };
    #[rustfmt::skip]
    let table = [
        ("/r/v1", Some("/r/v1")), ("/r/v1?v=2", Some("/r/v1")), ("/r/%76%31", Some("/r/v1")),
        ("/r/v1/", Some("/r/v1/")), ("/r/v1//", None), ("/r/v2", Some("/r/{a}")),
        ("/r/v2.json", Some("/r/v{a}.json")), ("/r/w.json", Some("/r/{a}.json")), ("/r/.json", Some("/r/{a}")),
        ("/r/v", Some("/r/{a}")), ("/r/V1", Some("/r/{a}")), ("/r/", None), ("/r", None), ("/R/v1", None),
        ("/r/x/y", Some("/r/x/{a}")), ("/r/z/y", Some("/r/{a}/y")), ("/r/x/y/", Some("/r/x/{a}/")),
        ("/r/z/y/", None), ("/r/a%2Fy", Some("/r/{a}/y")), ("/r/a%20b", Some("/r/{a}")),
    ];
    for (path, expected) in table {
        assert_eq!(found(path), expected, "{path}");
    }
    for (path, rival) in [
        ("/r/v1", "/r/v1"),
        ("/r/{b}", "/r/{a}"),
        ("/r/x/{other}/", "/r/x/{a}/"),
        ("/r/{a}.xml", ""),
        ("/r/w{a}.json", ""),
        ("/r/v{a}", "/r/{a}.json"),
        ("/r/v{a}n", "/r/{a}.json"),
    ] {
        let channel = json_channel("Rival", path, "zato.ping");
        if rival.is_empty() {
            let id = server.api().create_http(&channel);
            server.api().delete_http(id);
        } else {
            let named = format!("[{rival}]");
            for format in Format::BOTH {
                let status = if format == Format::Soap { 500 } else { 409 };
                server.api_in(format).call("zato.http-soap.create", &channel).error(status, &[&named]);
            }
        }
    }
}

/// Where the value of an element comes from, in every combination of the settings and of what there is.
#[test]
fn parameters_are_merged_as_the_channel_says() {
    let server = Server::start();
    let api = server.api();
    let channel = json_channel("Merged", "/merged/{name}", "zato.service.get-by-name");
    let id = api.create_http(&channel);
    // The path names one service, the query another one and the message a third one.
    let (path, query, message) = ("zato.ping", "zato.ping2", "zato.helpers.echo");
    #[rustfmt::skip]
    let table = [
        // merge_url_params_req, url_params_pri, params_pri, whether there is a query, whether a message; who wins.
        (true, "qs-over-path", "channel-params-over-msg", true, true, query),
        (true, "qs-over-path", "channel-params-over-msg", false, true, path),
        (true, "qs-over-path", "channel-params-over-msg", true, false, query),
        (true, "path-over-qs", "channel-params-over-msg", true, true, path),
        (true, "path-over-qs", "channel-params-over-msg", false, true, path),
        (true, "qs-over-path", "msg-over-channel-params", true, true, message),
        (true, "qs-over-path", "msg-over-channel-params", true, false, query),
        (true, "path-over-qs", "msg-over-channel-params", true, false, path),
        (true, "path-over-qs", "msg-over-channel-params", true, true, message),
        (false, "qs-over-path", "channel-params-over-msg", true, true, message),
        (false, "path-over-qs", "msg-over-channel-params", true, true, message),
        (false, "qs-over-path", "channel-params-over-msg", true, false, ""),
    ];
    for (merge, url_params_pri, params_pri, has_query, has_message, expected) in table {
        let settings = json!({
            "merge_url_params_req": merge, "url_params_pri": url_params_pri, "params_pri": params_pri,
        });
        api.edit_http(id, &with(&channel, &settings));
        let target =
            format!("/merged/{path}{}", if has_query { format!("?name={query}") } else { String::new() });
        let name = if has_message { json!({"name": message}) } else { json!({}) };
        let body = with(&json!({"cluster_id": 1}), &name);
        let reply = server.request("POST", &target).json(&body).send();
        let place = format!("{settings} {has_query} {has_message}: {}", reply.text());
        if expected.is_empty() {
            assert_eq!(reply.status, 400, "{place}");
        } else {
            assert_eq!(reply.json()["zato_service_get_by_name_response"]["name"], expected, "{place}");
        }
    }
}

#[test]
fn parts_of_a_path_become_input() {
    let server = Server::start();
    let api = server.api();
    let channel = json_channel("Path", "/clusters/{cluster_id}/services/{name}", "zato.service.get-by-name");
    let id = api.create_http(&channel);
    let of = |reply: Reply| reply.status(200).json()["zato_service_get_by_name_response"]["name"].clone();
    assert_eq!(of(get(&server, "/clusters/1/services/zato.ping")), "zato.ping");
    // The query string wins over the path unless the channel says otherwise.
    assert_eq!(of(get(&server, "/clusters/1/services/zato.ping?name=zato.ping2")), "zato.ping2");
    api.edit_http(
        id,
        &with(&channel, &json!({"url_params_pri": "path-over-qs", "merge_url_params_req": true})),
    );
    assert_eq!(of(get(&server, "/clusters/1/services/zato.ping?name=zato.ping2")), "zato.ping");
    // Parameters win over the message, too, unless the channel says otherwise.
    let post = || {
        let request = server.request("POST", "/clusters/1/services/zato.ping");
        request.json(&json!({"name": "zato.ping2"})).send()
    };
    assert_eq!(of(post()), "zato.ping");
    api.edit_http(
        id,
        &with(&channel, &json!({"params_pri": "msg-over-channel-params", "merge_url_params_req": true})),
    );
    assert_eq!(of(post()), "zato.ping2");

    for path in
        ["/clusters/1/services/", "/clusters/1/services", "/clusters/1/services/a/b", "/clusters//services/a"]
    {
        get(&server, path).status(404);
    }
}

#[test]
fn a_fixed_path_is_found_before_one_with_parts() {
    let server = Server::start();
    server.api().create_http(&json_channel("A pattern", "/things/{name}", "zato.ping"));
    server.api().create_http(&json_channel("B fixed", "/things/special", "zato.ping2"));
    assert!(get(&server, "/things/any").status(200).text().contains("zato_ping_response"));
    assert!(get(&server, "/things/special").status(200).text().contains("zato_ping2_response"));
}

#[test]
fn a_path_is_compared_as_it_reads() {
    let server = Server::start();
    server.api().create_http(&json_channel("Path", "/caf\u{e9}/a b", "zato.ping"));
    get(&server, "/caf%C3%A9/a%20b").status(200);
    get(&server, "/caf%c3%a9/a%20b?query=1").status(200);
    get(&server, "/caf%C3%A9/a%20b/").status(404);
    get(&server, "/CAF%C3%89/a%20b").status(404);
    get(&server, "/caf%C3%A9/a+b").status(404);
}
