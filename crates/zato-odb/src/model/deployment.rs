//! What was deployed, where and when.
//!
//! Owns the records of deployments. It must not know how a service is deployed.

use time::OffsetDateTime;

use super::{Everything, Service, stored_as_text};
use crate::declare::stored_object;
use crate::read::NamedPerCluster;

stored_as_text! {
    /// How far the deployment of a package on a server is.
    DeploymentState {
        /// The server has yet to look at it.
        AwaitingDeployment => "awaiting-deployment",
        /// Its services run on the server.
        Deployed => "deployed",
        /// It has nothing that the server could run.
        Ignored => "ignored",
    }
}

stored_object! {
    /// That a service runs on a server. There is one record of a service on a server.
    pub struct DeployedService in deployed_service {
        /// When it was deployed.
        deployment_time: OffsetDateTime as UtcTime,
        /// What is known of the deployment, in JSON; at most 2000 characters.
        details: String as Text<2000>,
        /// The source code, at most 500 000 bytes.
        source: Option<Vec<u8>>,
        /// The file of the source code, at most 2000 characters.
        source_path: Option<String> as Option<Text<2000>>,
        /// A hash of the source code, at most 512 characters.
        source_hash: Option<String> as Option<Text<512>>,
        /// How the hash was computed, at most 20 characters.
        source_hash_method: Option<String> as Option<Text<20>>,
        /// The server.
        server_id: i64,
        /// The service.
        service_id: i64,
    }
    unique service (server_id, service_id) => Combination;
    filter DeployedServiceFilter { server_id => ServerId, service_id => ServiceId, }
}

stored_object! {
    /// That a service was deleted, so that a program which still has it does not store it again. Whoever wants the service
    /// back takes this away.
    pub struct DeletedService in deleted_service {
        /// The name of the service.
        name: String as Text<300>,
    }
    unique name (name, cluster_id) => Name;
    named name => Name;
    filter Everything;
}

impl NamedPerCluster for DeletedService {}

impl DeletedService {
    /// What is to be remembered of a service.
    #[must_use]
    pub fn of(service: &Service) -> Self {
        Self { id: 0, cluster_id: service.cluster_id, name: service.name.clone() }
    }
}

stored_object! {
    /// A package that was uploaded to a server.
    pub struct DeploymentPackage in deployment_package {
        /// When it was uploaded.
        deployment_time: OffsetDateTime as UtcTime,
        /// What is known of the deployment, in JSON; at most 2000 characters.
        details: String as Text<2000>,
        /// The name of the file, at most 200 characters.
        payload_name: String as Text<200>,
        /// The file, at most 5 000 000 bytes.
        payload: Vec<u8>,
        /// The server it was uploaded to.
        server_id: i64,
    }
    named payload_name => PayloadName;
    filter DeploymentPackageFilter { server_id => ServerId, }
}

stored_object! {
    /// How far a package is on a server. There is one record of a package on a server.
    pub struct DeploymentStatus in deployment_status {
        /// The package.
        package_id: i64,
        /// The server.
        server_id: i64,
        /// How far it is.
        status: DeploymentState as Text<20>,
        /// Since when.
        status_change_time: OffsetDateTime as UtcTime,
    }
    unique package (package_id, server_id) => Combination;
    filter DeploymentStatusFilter { package_id => PackageId, server_id => ServerId, }
}
