//! `zato.service.set-wsdl`, `get-wsdl` and `has-wsdl`: a document that is kept beside a service.
//!
//! Owns how such a document is shown. It must not read it: any file may be kept. The WSDL of the public API is another
//! one, made of the catalogue.

use base64::prelude::{BASE64_STANDARD, Engine as _};
use zato_catalogue::service::{get_wsdl, has_wsdl, set_wsdl};
use zato_odb::model::Service;
use zato_odb::{Odb, OdbError, Read};
use zato_service::{Context, Error};

use super::{Services, stored_by_name};
use crate::base64::decode;
use crate::change::ConfigurationChange;
use crate::error::not_allowed;
use crate::{Admin, Handle};

/// In bytes: how large a document may be.
const LIMIT: usize = 5_000_000;

/// What a file is of which nothing else is known.
const BYTES: &str = "application/octet-stream";

/// A document that was uploaded for a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredWsdl {
    /// The name of the file.
    pub name: String,
    /// What the name says about the contents; `application/octet-stream` if it says nothing.
    pub content_type: &'static str,
    /// The file.
    pub contents: Vec<u8>,
}

/// Why there is no document to download.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WsdlError {
    /// There is no such service.
    #[error("Service [{0}] not found")]
    NoService(String),
    /// Nothing was uploaded for the service.
    #[error("No WSDL found")]
    NoWsdl,
    /// The operational database failed.
    #[error("the operational database failed")]
    Odb(#[from] OdbError),
}

/// The document of a service, as everybody may download it.
///
/// # Errors
/// There is none, or the operational database can't be read.
pub async fn find_wsdl(odb: &Odb, cluster_id: i64, service: &str) -> Result<StoredWsdl, WsdlError> {
    let found = odb.find_by_name::<Service>(cluster_id, service).await?;
    let found = found.ok_or_else(|| WsdlError::NoService(service.to_owned()))?;
    let contents = found.wsdl.ok_or(WsdlError::NoWsdl)?;
    let name = found.wsdl_name.unwrap_or_default();
    Ok(StoredWsdl { content_type: content_type(&name), name, contents })
}

impl Handle for set_wsdl::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        let wsdl = decode("wsdl", &self.wsdl)?;
        if wsdl.len() > LIMIT {
            return Err(not_allowed("wsdl", format!("{} bytes", wsdl.len()), "at most 5 000 000 bytes"));
        }
        let name = self.wsdl_name;
        // It becomes a header of replies, and the name of a file on other machines.
        if name.is_empty() || name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\' | '"')) {
            return Err(not_allowed("wsdl_name", name.escape_debug(), "the name of a file"));
        }
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        let stored = stored_by_name(change.tx(), self.cluster_id, &self.name).await?;
        let edited = Service { wsdl: Some(wsdl.to_vec()), wsdl_name: Some(name), ..stored.clone() };
        change.replace::<Services>(&stored, &edited).await?;
        change.commit().await
    }
}

impl Handle for has_wsdl::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<has_wsdl::Response, Error> {
        let service = stored_by_name(admin.odb(), self.cluster_id, &self.name).await?;
        // A file without contents is one nevertheless.
        Ok(has_wsdl::Response { service_id: service.id, has_wsdl: service.wsdl.is_some() })
    }
}

impl Handle for get_wsdl::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<get_wsdl::Response, Error> {
        let (Some(name), Some(cluster_id)) = (self.service, self.cluster_id) else {
            return Err(Error::bad_request("Both [service] and [cluster_id] parameters are required"));
        };
        let service = stored_by_name(admin.odb(), cluster_id, &name).await?;
        let wsdl_name = service.wsdl_name.unwrap_or_default();
        let content_type = if wsdl_name.is_empty() { "text/plain" } else { content_type(&wsdl_name) };
        Ok(get_wsdl::Response {
            content_type: content_type.to_owned(),
            wsdl: Some(service.wsdl.map(|wsdl| BASE64_STANDARD.encode(wsdl)).unwrap_or_default()),
            wsdl_name: Some(wsdl_name),
        })
    }
}

fn content_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref() {
        Some("wsdl") => "application/xml",
        Some("xml" | "xsd") => "text/xml",
        Some("txt") => "text/plain",
        Some("html" | "htm") => "text/html",
        Some("json") => "application/json",
        Some("pdf") => "application/pdf",
        Some("zip") => "application/zip",
        _ => BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_types() {
        for (name, expected) in [
            ("crm.wsdl", "application/xml"),
            ("CRM.XML", "text/xml"),
            ("crm.tar.zip", "application/zip"),
            ("crm", BYTES),
            ("", BYTES),
        ] {
            assert_eq!(content_type(name), expected, "{name}");
        }
    }
}
