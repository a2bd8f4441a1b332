//! The security definitions that have a user name and a password, and technical accounts.

use serde_json::{Value, json};

use super::super::cases::{Cases, NO_ID};
use super::objects::Objects;
use crate::support::api::with;

fn definitions(family: &'static str, taken: &'static str, own: &Value, changes: &Value) -> Objects {
    let object = json!({"cluster_id": 1, "name": "Definition", "is_active": true, "username": "user"});
    Objects {
        family,
        taken,
        object: with(&object, own),
        changes: with(&json!({"is_active": false, "username": "X-Other"}), changes),
        shown: json!({}),
        hidden: &["cluster_id"],
    }
}

/// The changes of a definition of a type that guards channels, with how many calls it lets through.
fn limited(changes: &Value) -> Value {
    with(changes, &json!({"rate_limit": "100/s", "max_in_flight": 50}))
}

/// What is no limit.
pub(super) fn check_limits(cases: &mut Cases<'_>, objects: &Objects, id: i64) {
    objects.refuses_each(cases, id, "rate_limit", &["often", "0/s", "1/w"].map(Value::from));
    objects.refuses_each(cases, id, "max_in_flight", &[0, -1].map(Value::from));
}

fn check(cases: &mut Cases<'_>, objects: &Objects) -> i64 {
    let id = objects.check(cases);
    let taken = with(&objects.object, &json!({"name": "Other", "username": "X-Other"}));
    let create = format!("{}.create", objects.family);
    cases.fails(&create, &taken, 409, &["another one on this cluster has the same user name already"]);
    id
}

pub(super) fn apikey(cases: &mut Cases<'_>) {
    let objects = definitions("zato.security.apikey", "API key", &json!({}), &limited(&json!({})));
    let id = check(cases, &objects);
    check_limits(cases, &objects, id);
    for header in ["X Key", "a:b"] {
        let refused = with(&objects.object, &json!({"name": "Refused", "username": header}));
        let text = format!("[{header}] can't be the name of a header");
        cases.fails("zato.security.apikey.create", &refused, 400, &[text.as_str()]);
    }
    objects.check_free_password(cases, id);
}

pub(super) fn aws(cases: &mut Cases<'_>) {
    let objects = definitions("zato.security.aws", "AWS definition", &json!({}), &json!({}));
    let id = check(cases, &objects);
    objects.check_free_password(cases, id);
}

pub(super) fn ntlm(cases: &mut Cases<'_>) {
    let objects = definitions("zato.security.ntlm", "NTLM definition", &json!({}), &json!({}));
    let id = check(cases, &objects);
    objects.check_free_password(cases, id);
}

pub(super) fn openstack(cases: &mut Cases<'_>) {
    let objects = definitions("zato.security.openstack", "OpenStack definition", &json!({}), &json!({}));
    let id = check(cases, &objects);
    objects.check_free_password(cases, id);
}

pub(super) fn oauth(cases: &mut Cases<'_>) {
    let own = json!({"proto_version": "1.0", "sig_method": "HMAC-SHA1", "max_nonce_log": 25_000});
    let changes = limited(&json!({"sig_method": "PLAINTEXT", "max_nonce_log": 10}));
    let objects = definitions("zato.security.oauth", "OAuth definition", &own, &changes);
    let id = check(cases, &objects);
    objects.refuses_each(cases, id, "proto_version", &[json!("2.0")]);
    objects.refuses_each(cases, id, "sig_method", &[json!("RSA-SHA1")]);
    objects.refuses_each(cases, id, "max_nonce_log", &[json!(0), json!(-1)]);
    objects.check_free_password(cases, id);
}

pub(super) fn wss(cases: &mut Cases<'_>) {
    let own = json!({
        "password_type": "clear_text", "reject_empty_nonce_creat": false, "reject_stale_tokens": true,
        "reject_expiry_limit": 60, "nonce_freshness_time": 120,
    });
    let changes = limited(&json!({
        "reject_empty_nonce_creat": true, "reject_stale_tokens": false, "reject_expiry_limit": 0,
    }));
    let objects = definitions("zato.security.wss", "WS-Security definition", &own, &changes);
    let id = check(cases, &objects);
    objects.refuses_each(cases, id, "reject_expiry_limit", &[json!(-1), json!(2_147_483_648_i64)]);
    objects.refuses_each(cases, id, "nonce_freshness_time", &[json!(-1)]);
    objects.check_password(cases, id);
}

pub(super) fn xpath(cases: &mut Cases<'_>) {
    let own = json!({"username_expr": "//user", "password_expr": "//password"});
    let changes = limited(&json!({"username_expr": "/order/@user"}));
    let objects = definitions("zato.security.xpath", "XPath security definition", &own, &changes);
    let id = check(cases, &objects);
    objects.refuses(cases, id, &json!({"username_expr": "//["}), 400, &["//["]);
    objects.refuses(cases, id, &json!({"password_expr": "user("}), 400, &["user("]);
    objects.check_free_password(cases, id);
}

pub(super) fn jwt(cases: &mut Cases<'_>) {
    let own = json!({"algorithm": "HS256", "issuer": "https://idp.example.com", "audience": "orders", "leeway": 30});
    let objects = Objects {
        family: "zato.security.jwt",
        taken: "JWT definition",
        object: with(&json!({"cluster_id": 1, "name": "Tokens", "is_active": true}), &own),
        changes: limited(
            &json!({"is_active": false, "algorithm": "HS512", "issuer": null, "audience": null, "leeway": null}),
        ),
        shown: json!({"public_key": null}),
        hidden: &["cluster_id"],
    };
    let id = objects.check(cases);
    check_limits(cases, &objects, id);
    let algorithms = ["none", "hs256", "RS512", ""].map(Value::from);
    objects.refuses_each(cases, id, "algorithm", &algorithms);
    objects.refuses_each(cases, id, "leeway", &[json!(-1), json!(3601)]);
    for (wrong, text) in [
        (json!({"public_key": "-----BEGIN PUBLIC KEY-----"}), "HS256 has a secret and no public_key"),
        (json!({"algorithm": "RS256"}), "RS256 needs a public_key"),
        (json!({"algorithm": "ES256", "public_key": "none"}), "can't be read as one in PEM for ES256"),
    ] {
        objects.refuses(cases, id, &wrong, 400, &[text]);
    }

    let change = "zato.security.jwt.change-password";
    let input = |secret: &str| json!({"id": id, "password1": secret, "password2": secret});
    let long = "a secret of sixty-four bytes, which is what the hash of HS512 has";
    for secret in [long, "too short for the algorithm"] {
        cases.server.keep_secret(secret);
    }
    cases.nothing(change, &input(long));
    cases.fails(change, &input("too short for the algorithm"), 400, &["HS512 has at least 64 bytes"]);
    cases.fails(change, &input(""), 400, &["Password must not be empty"]);
    cases.fails(
        change,
        &with(&input(long), &json!({"password2": "x"})),
        400,
        &["Passwords need to be the same"],
    );
    cases.fails(change, &with(&input(long), &json!({"id": NO_ID})), 404, &["987654"]);

    let public_key = rcgen::KeyPair::generate().expect("there are random numbers").public_key_pem();
    let with_public_key =
        json!({"id": id, "algorithm": "ES256", "public_key": public_key.replace("\r\n", "\n")});
    let edited = with(&objects.object, &with_public_key);
    cases.id("zato.security.jwt.edit", &edited);
    cases.list_with("zato.security.jwt.get-list", &json!({"cluster_id": 1}), &with_public_key);
    cases.fails(change, &input(long), 400, &["ES256, which has a public key and no secret"]);
    let all = json!({"cluster_id": 1, "sec_type": ["jwt"], "needs_internal": false});
    cases.list_with(
        "zato.security.get-list",
        &all,
        &json!({"id": id, "sec_type": "jwt", "sig_method": "ES256"}),
    );
}

pub(super) fn tech_account(cases: &mut Cases<'_>) {
    let objects = Objects {
        family: "zato.security.tech-account",
        taken: "Technical account",
        object: json!({"cluster_id": 1, "name": "Account", "is_active": true}),
        changes: limited(&json!({"is_active": false})),
        shown: json!({}),
        hidden: &["cluster_id"],
    };
    let id = objects.check(cases);
    check_limits(cases, &objects, id);
    objects.check_password(cases, id);
    let get = "zato.security.tech-account.get-by-id";
    cases.item(get, &json!({"id": id}), &json!({"id": id, "name": "Account", "is_active": false}));
    cases.fails(get, &json!({"id": NO_ID}), 404, &["Technical account", "987654"]);
    let delete = "zato.security.tech-account.delete";
    let own = json!({"id": id, "current_tech_account_name": "Account"});
    cases.fails(delete, &own, 409, &["Can't delete account [Account]"]);
    cases.nothing(delete, &json!({"id": id, "current_tech_account_name": "Other"}));
}
