//! `zato.service`: the services of a cluster, their settings and how they fare.
//!
//! Owns how settings and figures are shown. It must not know what any service does; running one by name is
//! [`invoke`]'s part.

mod deployment;
mod exchange;
mod invoke;
mod wsdl;

use zato_catalogue::service::{delete, edit, get_by_name, get_channel_list, get_list};
use zato_odb::model::{
    ChannelAmqpFilter, ChannelWmqFilter, ChannelZmqFilter, Connection, DeletedService, Everything, HttpSoap,
    HttpSoapFilter, JobFilter, RbacRolePermissionFilter, Service, Transport,
};
use zato_odb::{OdbError, Read, Transaction};
use zato_service::{Context, Error, Items};

use crate::change::{ConfigurationChange, Dependants, Family};
use crate::error::{OrError, no_row, not_allowed};
use crate::handle::Answer;
use crate::list::{Selected, in_batches};
use crate::services::channel::amqp::AmqpChannels;
use crate::services::channel::jms_wmq::WmqChannels;
use crate::services::channel::zmq::ZmqChannels;
use crate::services::http_soap::HttpSoapObjects;
use crate::services::scheduler::Jobs;
use crate::services::security::RolePermissions;
use crate::{Admin, Handle, is_internal_name};

pub use deployment::record_deployments;
pub use wsdl::{StoredWsdl, WsdlError, find_wsdl};

/// The filter that lets every name pass.
const EVERYTHING: &str = "*";

pub(crate) struct Services;

impl Family for Services {
    type Object = Service;

    const NOUN: &'static str = "service";

    fn check_values(object: &Service) -> Result<(), Error> {
        if object.slow_threshold < 0 {
            return Err(not_allowed(
                "slow_threshold",
                object.slow_threshold,
                "a number of milliseconds, 0 or more",
            ));
        }
        Ok(())
    }

    async fn dependants(tx: &Transaction, object: &Service, found: &mut Dependants) -> Result<(), OdbError> {
        let (cluster_id, service_id) = (object.cluster_id, Some(object.id));
        let http = HttpSoapFilter { service_id, ..HttpSoapFilter::default() };
        let all = tx.list::<HttpSoap>(cluster_id, &http).await?.into_iter();
        let (channels, mut outgoing): (Vec<_>, Vec<_>) =
            all.partition(|object| object.connection == Connection::Channel);
        found.add::<HttpSoapObjects>(channels);
        // Outgoing connections may name a service, and need none.
        outgoing.iter_mut().for_each(|object| object.service_id = None);
        found.keep::<HttpSoapObjects>(outgoing);
        let amqp = ChannelAmqpFilter { service_id, ..ChannelAmqpFilter::default() };
        found.add::<AmqpChannels>(tx.list(cluster_id, &amqp).await?);
        let wmq = ChannelWmqFilter { service_id, ..ChannelWmqFilter::default() };
        found.add::<WmqChannels>(tx.list(cluster_id, &wmq).await?);
        found.add::<ZmqChannels>(tx.list(cluster_id, &ChannelZmqFilter { service_id }).await?);
        found.add::<Jobs>(tx.list(cluster_id, &JobFilter { service_id }).await?);
        let permissions = RbacRolePermissionFilter { service_id, ..RbacRolePermissionFilter::default() };
        found.add::<RolePermissions>(tx.list(cluster_id, &permissions).await?);
        Ok(())
    }
}

/// The service of a name.
async fn stored_by_name(from: &impl Read, cluster_id: i64, name: &str) -> Result<Service, Error> {
    let found = from.find_by_name::<Service>(cluster_id, name).await.or_error()?;
    found.ok_or_else(|| no_row(Services::NOUN, "name", name))
}

impl Handle for delete::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<(), Error> {
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        let service = change.find::<Services>(self.id).await?;
        if !may_be_deleted(admin, &service) {
            return Err(Error::forbidden(format!(
                "Can't delete service:[{}], it's an internal one and internal_services_may_be_deleted is not True",
                service.name
            )));
        }
        // The program still has the service; the next start is not to bring it back.
        let deleted = DeletedService::of(&service);
        change.tx_mut().insert(&deleted).await.or_error()?;
        change.delete::<Services>(service.id).await?;
        change.commit().await
    }
}

impl Handle for edit::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<edit::Response, Error> {
        let slow_threshold = i32::try_from(self.slow_threshold).map_err(|_| {
            not_allowed("slow_threshold", self.slow_threshold, "a number of milliseconds, 0 or more")
        })?;
        let mut change = ConfigurationChange::begin(admin, cx).await?;
        let stored = change.find::<Services>(self.id).await?;
        let edited = Service { is_active: self.is_active, slow_threshold, ..stored.clone() };
        change.replace::<Services>(&stored, &edited).await?;
        change.commit().await?;
        Ok(edit::Response {
            id: edited.id,
            may_be_deleted: may_be_deleted(admin, &edited),
            name: edited.name,
            impl_name: edited.impl_name,
            is_internal: edited.is_internal,
        })
    }
}

impl Answer for get_list::Request {
    type Reply = Items<get_list::Item>;

    async fn answer(self, _: &mut Context, admin: &Admin) -> Result<Self::Reply, Error> {
        let words = self.name_filter_or_default().trim().to_owned();
        if words.is_empty() {
            return Ok(Vec::new().into());
        }
        let selected = Selected {
            cluster_id: self.cluster_id.unwrap_or_else(|| admin.settings().cluster_id),
            filters: vec![Everything],
            words: (words != EVERYTHING).then_some(words),
        };
        admin.background()?.stats.flush().await?;
        in_batches(admin, selected, shown).await
    }
}

/// What a list shows of some services. Internal ones are in it if the server is configured to show them.
async fn shown(admin: Admin, services: Vec<Service>) -> Result<Vec<get_list::Item>, Error> {
    let stats = &admin.background()?.stats;
    let are_internal_shown = admin.settings().return_internal_objects;
    let mut items = Vec::new();
    for service in services.into_iter().filter(|it| are_internal_shown || !is_internal_name(&it.name)) {
        items.push(get_list::Item {
            id: service.id,
            may_be_deleted: may_be_deleted(&admin, &service),
            usage: count(stats.usage(&service.name).await?),
            name: service.name,
            is_active: service.is_active,
            impl_name: service.impl_name,
            is_internal: service.is_internal,
            slow_threshold: service.slow_threshold.into(),
        });
    }
    Ok(items)
}

impl Handle for get_by_name::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<get_by_name::Response, Error> {
        let service = stored_by_name(admin.odb(), self.cluster_id, &self.name).await?;
        let stats = &admin.background()?.stats;
        stats.flush().await?;
        let all_time = stats.all_time(&service.name).await?;
        Ok(get_by_name::Response {
            id: service.id,
            may_be_deleted: may_be_deleted(admin, &service),
            usage: count(stats.usage(&service.name).await?),
            name: service.name,
            is_active: service.is_active,
            impl_name: service.impl_name,
            is_internal: service.is_internal,
            slow_threshold: service.slow_threshold.into(),
            time_min_all_time: count(all_time.minimum),
            time_max_all_time: count(all_time.maximum),
            time_mean_all_time: (all_time.mean * 10.0).round() / 10.0,
            time_last: all_time.last.map(count),
        })
    }
}

impl Handle for get_channel_list::Request {
    async fn handle(self, _: &mut Context, admin: &Admin) -> Result<Vec<get_channel_list::Item>, Error> {
        let transport = match &*self.channel_type {
            "plain_http" => Some(Transport::PlainHttp),
            "soap" => Some(Transport::Soap),
            // This server has no channels of these types, so no service has.
            "amqp" | "jms-wmq" | "zmq" => None,
            other => {
                return Err(not_allowed("channel_type", other, "plain_http, soap, amqp, jms-wmq or zmq"));
            }
        };
        let service = admin.odb().find::<Service>(self.id).await.or_error()?;
        let service = service.ok_or_else(|| no_row(Services::NOUN, "id", self.id))?;
        if transport.is_none() {
            return Ok(Vec::new());
        }
        let filter = HttpSoapFilter {
            connection: Some(Connection::Channel),
            transport,
            service_id: Some(service.id),
            ..HttpSoapFilter::default()
        };
        let channels = admin.odb().list::<HttpSoap>(service.cluster_id, &filter).await.or_error()?;
        Ok(channels
            .into_iter()
            .map(|HttpSoap { id, name, .. }| get_channel_list::Item { id, name })
            .collect())
    }
}

fn may_be_deleted(admin: &Admin, service: &Service) -> bool {
    !service.is_internal || admin.settings().internal_services_may_be_deleted
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
