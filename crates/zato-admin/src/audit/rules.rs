//! What is kept of the calls of one channel.
//!
//! Owns reading that from the operational database. It must not know calls.

use zato_odb::model::{
    AuditJsonPointer, AuditJsonPointerFilter, AuditXPath, AuditXPathFilter, Everything, HttpSoap,
    JsonPointer, Namespace, SecurityDefinition, SecurityKind, Service, XPath,
};
use zato_odb::{Odb, OdbError, Read};

use super::hidden::Hidden;
use crate::services::message::{json_pointer, xpath};

/// The service that is given other services' messages in base64, where nothing can be found.
const INVOKER: &str = "zato.service.invoke";

/// Where that service's messages have those of others.
const WRAPPED: [&str; 3] = ["/payload", "/response", "/zato_service_invoke_response/response"];

/// The same in XML.
const WRAPPED_XML: &str = "//*[local-name() = 'payload' or local-name() = 'response']";

/// What the audit log keeps of a channel's calls.
#[derive(Debug)]
pub(crate) struct Rules {
    /// What is hidden in payloads.
    pub(crate) hidden: Hidden,
    /// How many bytes of a payload are kept, 0 for all.
    pub(crate) max_payload: usize,
    /// The user name of the channel's security definition, if it has one.
    pub(crate) username: Option<String>,
}

impl Rules {
    /// The rules of a channel as they are stored; none if there is no such channel.
    pub(crate) async fn load(odb: &Odb, channel_id: i64) -> Result<Option<Self>, OdbError> {
        let Some(object) = odb.find::<HttpSoap>(channel_id).await? else { return Ok(None) };
        let definition = match object.security_id {
            Some(id) => odb.find::<SecurityDefinition>(id).await?,
            None => None,
        };
        let service = match object.service_id {
            Some(id) => odb.find::<Service>(id).await?,
            None => None,
        };
        let mut found = Collected::default();
        found.stored(odb, &object).await?;
        if service.is_some_and(|service| service.name == INVOKER) {
            WRAPPED.into_iter().for_each(|pointer| found.pointer(pointer.parse()));
            found.xpath(zato_channel::XPathExpression::new(WRAPPED_XML, []));
        }
        if let Some(SecurityKind::XPath { password_expr: Some(password), .. }) =
            definition.as_ref().map(|definition| &definition.kind)
        {
            found.xpath(zato_channel::XPathExpression::new(password, []));
        }
        let has_user = |definition: &SecurityDefinition| definition.kind != SecurityKind::ApiKey;
        Ok(Some(Self {
            hidden: found.0,
            max_payload: usize::try_from(object.audit_max_payload).unwrap_or(0),
            // That of an API key is the name of a header.
            username: definition.filter(has_user).and_then(|definition| definition.username),
        }))
    }
}

/// The patterns that were found so far.
#[derive(Default)]
struct Collected(Hidden);

impl Collected {
    /// Adds the patterns that somebody chose for a channel.
    async fn stored(&mut self, odb: &Odb, object: &HttpSoap) -> Result<(), OdbError> {
        let cluster_id = object.cluster_id;
        let filter = AuditJsonPointerFilter { conn_id: Some(object.id), ..AuditJsonPointerFilter::default() };
        for chosen in odb.list::<AuditJsonPointer>(cluster_id, &filter).await? {
            if let Some(pattern) = odb.find::<JsonPointer>(chosen.pattern_id).await? {
                self.pointer(json_pointer::parsed(&pattern));
            }
        }
        let filter = AuditXPathFilter { conn_id: Some(object.id), ..AuditXPathFilter::default() };
        let chosen = odb.list::<AuditXPath>(cluster_id, &filter).await?;
        if chosen.is_empty() {
            return Ok(());
        }
        let namespaces = odb.list::<Namespace>(cluster_id, &Everything).await?;
        for chosen in chosen {
            if let Some(pattern) = odb.find::<XPath>(chosen.pattern_id).await? {
                self.xpath(xpath::compiled(&pattern, &namespaces));
            }
        }
        Ok(())
    }

    fn pointer<E: std::fmt::Display>(&mut self, pointer: Result<zato_channel::JsonPointer, E>) {
        match pointer {
            Ok(pointer) => self.0.pointers.push(pointer),
            Err(error) => self.broken(&error),
        }
    }

    fn xpath<E: std::fmt::Display>(&mut self, xpath: Result<zato_channel::XPathExpression, E>) {
        match xpath {
            Ok(xpath) => self.0.xpaths.push(xpath),
            Err(error) => self.broken(&error),
        }
    }

    /// A namespace may be gone that an expression needs. What it should hide is not to be seen all the same.
    fn broken(&mut self, error: &dyn std::fmt::Display) {
        tracing::error!(%error, "a pattern of what the audit log hides can't be used; payloads are not kept");
        self.0.is_broken = true;
    }
}
