//! The service behind `/zato/api/invoke/{service}`: runs the service that the URL names.
//!
//! Owns what such a call's input is made of and its bare reply. It must not know any target.

use zato_channel::query_elements;
use zato_service::{Context, Description, Error, Input, Precedence, Raw, RawInput, Service};

use crate::target::reply_json;

/// Takes the target's input as JSON in the body, or as parameters of the query string, which win over namesakes in the
/// body. Replies with the target's payload as JSON and nothing around it; `{}` if there is no payload.
pub(crate) struct InvokeByPath;

/// Its name. It is no service of the catalogue: it can be reached through its channel only.
pub(crate) const NAME: &str = "zato.service.invoke-by-path";
/// What the channel's path captures.
pub(crate) const PLACEHOLDER: &str = "service";

impl Service for InvokeByPath {
    type Input = RawInput;
    type Output = Raw;

    fn description(&self) -> Description {
        Description::internal(NAME).response_element(None::<String>).without_json_envelope()
    }

    async fn handle(&self, cx: &mut Context, request: RawInput) -> Result<Raw, Error> {
        let captured = cx.origin().path_parameters.iter().find(|(name, _)| **name == *PLACEHOLDER);
        let (_, target) = captured.ok_or_else(|| Error::bad_request("The URL names no service"))?;
        let query = cx.origin().request.as_ref().and_then(|request| request.uri.query()).unwrap_or_default();
        let payload = if request.body.is_empty() { Input::Empty } else { Input::Json(&request.body) };
        let output = if query.is_empty() {
            cx.invoke_with(target, payload).await?
        } else {
            let elements = query_elements(query);
            let precedence = Precedence::Elements;
            cx.invoke_with(target, Input::With { payload: &payload, elements: &elements, precedence }).await?
        };
        let reply = reply_json(&*output)?;
        Ok(Raw::json(if reply == b"null" { b"{}".to_vec() } else { reply }))
    }
}
