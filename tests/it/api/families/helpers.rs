//! `zato.helpers`: what is special to a format stands in the modules of the formats.

use super::super::cases::Cases;
use crate::support::Format;
use crate::support::envelope::soap_envelope;

pub(super) fn cases(cases: &mut Cases<'_>) {
    for service in [
        "zato.helpers.echo",
        "zato.helpers.input-logger",
        "zato.helpers.sio-input-logger",
        "zato.helpers.tls-logger",
    ] {
        let body = match cases.format {
            Format::Json => r#"{"a": "1"}"#.to_owned(),
            Format::Soap => soap_envelope("<any><a>1</a></any>"),
        };
        // The last one logs the certificates of callers, which only channels of users' own can ask for.
        let status = if service.ends_with("tls-logger") { 404 } else { 200 };
        cases.raw(service, &body).status(status);
    }
}
