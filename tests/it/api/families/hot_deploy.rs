//! `zato.hot-deploy`.

use serde_json::json;

use super::super::cases::{Cases, NO_ID};

pub(super) fn cases(cases: &mut Cases<'_>) {
    let package = json!({"cluster_id": 1, "payload": "UEsDBA==", "payload_name": "services.zip"});
    let refusal = ["Package [services.zip] is kept with id [1]", "Neither Python modules nor archives"];
    cases.refused("zato.service.upload-package", &package, 400, &refusal);
    let deploy = "zato.hot-deploy.create";
    cases.refused(deploy, &json!({"package_id": 1}), 400, &refusal);
    cases.fails(deploy, &json!({"package_id": NO_ID}), 404, &["987654"]);
}
