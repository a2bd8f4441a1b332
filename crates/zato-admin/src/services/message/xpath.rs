//! `zato.message.xpath`: XPath expressions under a name.
//!
//! Owns that such an expression compiles with the namespaces of its cluster when it is stored. It must not know who uses
//! one, except that the audit of a channel forgets one that is deleted.

use zato_catalogue::message::xpath;
use zato_channel::XPathExpression;
use zato_odb::model::{AuditXPath, AuditXPathFilter, Everything, Namespace, XPath};
use zato_odb::{OdbError, Read, Transaction};
use zato_service::Error;

use crate::change::{ConfigurationChange, Dependants, Family};
use crate::error::OrError;
use crate::family::services;
use crate::services::audit::patterns::HiddenXPaths;

/// The XPath expressions of a cluster.
pub(crate) struct XPaths;

impl Family for XPaths {
    type Object = XPath;

    const NOUN: &'static str = "XPath";

    async fn check(change: &ConfigurationChange<'_>, object: &XPath) -> Result<(), Error> {
        let known = change.tx().list::<Namespace>(object.cluster_id, &Everything).await.or_error()?;
        compiled(object, &known).map(drop)
    }

    async fn dependants(tx: &Transaction, object: &XPath, found: &mut Dependants) -> Result<(), OdbError> {
        let filter = AuditXPathFilter { pattern_id: Some(object.id), ..AuditXPathFilter::default() };
        found.add::<HiddenXPaths>(tx.list::<AuditXPath>(object.cluster_id, &filter).await?);
        Ok(())
    }
}

/// An expression that may use these namespaces.
pub(crate) fn compiled(object: &XPath, namespaces: &[Namespace]) -> Result<XPathExpression, Error> {
    let known = namespaces.iter().map(|namespace| (namespace.name.as_str(), namespace.value.as_str()));
    XPathExpression::new(&object.value, known)
        .map_err(|error| Error::bad_request(format!("value is not allowed: {error}")))
}

services! {
    XPaths in xpath: create, edit, delete, get_list;
    {
        object XPath { value }
    }
}
