//! What was deployed where: `zato.service.get-deployment-info-list`, `get-source-info` and `upload-package`.
//!
//! Owns the records of deployments. It must not know what a service does.
//!
//! Services are compiled into the server, so that a package has nothing that it could run: it is checked and kept, and
//! its caller is told what is supported.

use std::collections::BTreeSet;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde_json::{Value, json};
use time::OffsetDateTime;
use zato_catalogue::hot_deploy::create as deploy;
use zato_catalogue::service::{get_deployment_info_list, get_source_info, upload_package};
use zato_odb::model::{
    Cluster, DeployedService, DeployedServiceFilter, DeploymentPackage, DeploymentState, DeploymentStatus,
    DeploymentStatusFilter, Everything, Server, Service,
};
use zato_odb::{Odb, OdbError, Read};
use zato_service::{Context, Error, Registry};
use zato_sio::Utc;

use super::stored_by_name;
use crate::base64::decode;
use crate::error::{OrError, no_row, not_allowed};
use crate::{Admin, Handle};

/// In bytes: how large a package may be.
const LIMIT: usize = 5_000_000;

/// Records that the services which a server has run on it, in place of what was recorded at its last start.
///
/// # Errors
/// The operational database can't be written.
pub async fn record_deployments(
    odb: &Odb,
    cluster_id: i64,
    server_id: i64,
    registry: &Registry,
    now: OffsetDateTime,
) -> Result<(), OdbError> {
    let mut tx = odb.begin().await?;
    let filter = DeployedServiceFilter { server_id: Some(server_id), ..DeployedServiceFilter::default() };
    for deployed in tx.list::<DeployedService>(cluster_id, &filter).await? {
        tx.delete::<DeployedService>(deployed.id).await?;
    }
    let server = tx.find::<Server>(server_id).await?;
    let host = server.and_then(|server| server.host).unwrap_or_default();
    let program = std::env::current_exe().ok().map(|path| path.display().to_string());
    for service in tx.list::<Service>(cluster_id, &Everything).await? {
        if registry.find(&service.name).is_none() {
            continue;
        }
        let details = details("service-store", &service.impl_name, program.as_deref(), &host, now);
        let deployed = DeployedService {
            id: 0,
            cluster_id,
            deployment_time: now,
            details: details.to_string(),
            // What is deployed is a program; its source code is not part of it.
            source: None,
            source_path: program.clone(),
            source_hash: None,
            source_hash_method: None,
            server_id,
            service_id: service.id,
        };
        tx.insert(&deployed).await?;
    }
    tx.commit().await.map(drop)
}

/// What is recorded of a deployment, in the form of the original.
fn details(method: &str, object: &str, location: Option<&str>, host: &str, now: OffsetDateTime) -> Value {
    json!({
        "method": method,
        "object": object,
        "timestamp": Utc::new(now).map(|now| now.to_string()),
        "fs_location": location.unwrap_or_default(),
        "remote_host": "",
        "remote_user": "",
        "current_host": host,
        "current_user": std::env::var("USER").unwrap_or_default(),
    })
}

impl Handle for get_deployment_info_list::Request {
    async fn handle(
        self,
        _: &mut Context,
        admin: &Admin,
    ) -> Result<Vec<get_deployment_info_list::Item>, Error> {
        let service = admin.odb().find::<Service>(self.id).await.or_error()?;
        let service = service.ok_or_else(|| no_row("service", "id", self.id))?;
        let filter =
            DeployedServiceFilter { service_id: Some(service.id), ..DeployedServiceFilter::default() };
        let deployed = admin.odb().list::<DeployedService>(service.cluster_id, &filter).await.or_error()?;
        let servers: BTreeSet<i64> = deployed.iter().map(|deployed| deployed.server_id).collect();
        let names = admin.odb().names::<Server>(servers).await.or_error()?;
        let item = |deployed: DeployedService| {
            Ok(get_deployment_info_list::Item {
                server_id: deployed.server_id,
                server_name: names.get(&deployed.server_id).cloned().unwrap_or_default(),
                details: serde_json::from_str(&deployed.details)?,
            })
        };
        deployed.into_iter().map(item).collect()
    }
}

impl Handle for get_source_info::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<get_source_info::Response, Error> {
        let service = stored_by_name(admin.odb(), self.cluster_id, &self.name).await?;
        let settings = admin.settings();
        let server = admin
            .odb()
            .find_by_name::<Server>(settings.cluster_id, &settings.server_name)
            .await
            .or_error()?
            .ok_or_else(|| no_row("server", "name", &settings.server_name))?;
        let filter = DeployedServiceFilter { server_id: Some(server.id), service_id: Some(service.id) };
        let deployed = admin.odb().list::<DeployedService>(service.cluster_id, &filter).await.or_error()?;
        let deployed = deployed.into_iter().next().ok_or_else(|| {
            Error::not_found(format!(
                "Service [{}] is not deployed on server [{}]",
                service.name, server.name
            ))
        })?;
        Ok(get_source_info::Response {
            service_id: Some(service.id),
            server_name: Some(server.name),
            source: deployed.source.map(|source| BASE64_STANDARD.encode(source)),
            source_path: deployed.source_path,
            source_hash: deployed.source_hash,
            source_hash_method: deployed.source_hash_method,
        })
    }
}

impl Handle for upload_package::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        let name = self.payload_name;
        if name.is_empty() || name.chars().any(|c| c.is_control() || matches!(c, '/' | '\\')) {
            return Err(not_allowed("payload_name", name.escape_debug(), "the name of a file"));
        }
        let payload = decode("payload", &self.payload)?;
        if payload.is_empty() || payload.len() > LIMIT {
            let length = format!("{} bytes", payload.len());
            return Err(not_allowed("payload", length, "between 1 and 5 000 000 bytes"));
        }
        let now = cx.now();
        let mut tx = admin.odb().begin().await.or_error()?;
        if tx.find::<Cluster>(self.cluster_id).await.or_error()?.is_none() {
            return Err(no_row("cluster", "id", self.cluster_id));
        }
        let servers = tx.list::<Server>(self.cluster_id, &Everything).await.or_error()?;
        let settings = admin.settings();
        let own =
            servers.iter().find(|server| server.name == settings.server_name).or_else(|| servers.first());
        let own = own.ok_or_else(|| no_row("server", "cluster_id", self.cluster_id))?;
        let details = details("hot-deploy", &name, None, &settings.host, now);
        let package = DeploymentPackage {
            id: 0,
            cluster_id: self.cluster_id,
            deployment_time: now,
            details: details.to_string(),
            payload_name: name,
            payload: payload.to_vec(),
            server_id: own.id,
        };
        let package = tx.insert(&package).await.or_error()?;
        for server in &servers {
            let status = DeploymentStatus {
                id: 0,
                cluster_id: self.cluster_id,
                package_id: package.id,
                server_id: server.id,
                status: DeploymentState::Ignored,
                status_change_time: now,
            };
            tx.insert(&status).await.or_error()?;
        }
        tx.commit().await.or_error()?;
        Err(refusal(&package))
    }
}

impl Handle for deploy::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        let mut tx = admin.odb().begin().await.or_error()?;
        let package = tx.find::<DeploymentPackage>(self.package_id).await.or_error()?;
        let package = package.ok_or_else(|| no_row("deployment package", "id", self.package_id))?;
        let filter =
            DeploymentStatusFilter { package_id: Some(package.id), ..DeploymentStatusFilter::default() };
        for status in tx.list::<DeploymentStatus>(package.cluster_id, &filter).await.or_error()? {
            let looked_at =
                DeploymentStatus { status: DeploymentState::Ignored, status_change_time: cx.now(), ..status };
            tx.update(&looked_at).await.or_error()?;
        }
        tx.commit().await.or_error()?;
        Err(refusal(&package))
    }
}

fn refusal(package: &DeploymentPackage) -> Error {
    Error::bad_request(format!(
        "Package [{}] is kept with id [{}] but can't be deployed: this server runs services that are compiled into it, \
         written in Rust. Neither Python modules nor archives nor WebAssembly modules are supported",
        package.payload_name, package.id
    ))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_deployment_states_its_time_as_iso_does() {
        let now = datetime!(2026-11-23 9:05:00.1 UTC);
        let details = details("startup", "crm", None, "host1", now);
        assert_eq!(details["timestamp"], "2026-11-23T09:05:00.100000");
    }
}
