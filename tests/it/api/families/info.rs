//! `zato.info`: both services answer without an envelope.

use super::super::cases::Cases;
use crate::support::Format;
use crate::support::envelope::soap_envelope;

pub(super) fn cases(cases: &mut Cases<'_>) {
    for service in ["zato.info.get-info", "zato.info.get-server-info"] {
        let body = match cases.format {
            Format::Json => "{}".to_owned(),
            Format::Soap => soap_envelope(""),
        };
        let reply = cases.raw(service, &body).status(200);
        assert!(reply.text().contains("zato-server"), "{}", reply.text());
    }
}
