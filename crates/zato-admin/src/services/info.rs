//! `zato.info`: what is known of the servers of the cluster.
//!
//! Owns the two documents. It must not ask other servers: those tell about themselves when they are called.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::format_description;
use zato_catalogue::RawCall;
use zato_catalogue::info::{get_info, get_server_info};
use zato_odb::Read;
use zato_odb::model::{Cluster, Everything, Server};
use zato_service::{Context, Description, Error, Raw, RawInput, Service};

use crate::error::OrError;
use crate::handle::{Implemented, describe};
use crate::process::Process;
use crate::{Admin, AdminSettings, Handle};

/// `zato.info.get-info`.
pub(crate) struct GetInfo(Admin);

impl Service for GetInfo {
    type Input = RawInput;
    type Output = Raw;

    fn description(&self) -> Description {
        describe(get_info::Raw::SERVICE)
    }

    async fn handle(&self, cx: &mut Context, _: RawInput) -> Result<Raw, Error> {
        let (odb, settings) = (self.0.odb(), self.0.settings());
        let cluster = odb.find::<Cluster>(settings.cluster_id).await.or_error()?;
        let cluster_name = cluster.map(|cluster| cluster.name);
        let servers = odb.list::<Server>(settings.cluster_id, &Everything).await.or_error()?;
        let mut document = Map::new();
        for server in servers {
            let mut entry = row(&server, cluster_name.as_deref());
            if server.id == settings.server_id {
                entry.insert("info".to_owned(), info(settings, Some(&server), cx.now()).await?);
            }
            document.insert(server.name, Value::Object(entry));
        }
        Ok(Raw::json(serde_json::to_vec(&document)?))
    }
}

impl Implemented for get_info::Raw {
    type Service = GetInfo;

    fn service(admin: &Admin) -> GetInfo {
        GetInfo(admin.clone())
    }
}

impl Handle for get_server_info::Request {
    async fn handle(self, cx: &mut Context, admin: &Admin) -> Result<get_server_info::Response, Error> {
        let settings = admin.settings();
        let server = admin.odb().find::<Server>(settings.server_id).await.or_error()?;
        let info = info(settings, server.as_ref(), cx.now()).await?;
        // A document in a text: clients of the original decode it twice.
        Ok(get_server_info::Response { info: info.to_string() })
    }
}

/// What is stored about a server.
fn row(server: &Server, cluster_name: Option<&str>) -> Map<String, Value> {
    let is_accepted = server.last_join_status.as_deref() == Some("accepted");
    let is_running = server.up_status.as_deref() == Some("running");
    let row = [
        ("cluster_name", json!(cluster_name)),
        ("id", json!(server.id)),
        ("name", json!(server.name)),
        ("bind_host", json!(server.bind_host)),
        ("bind_port", json!(server.bind_port)),
        ("last_join_status", json!(server.last_join_status)),
        ("last_join_mod_by", json!(server.last_join_mod_by)),
        ("last_join_mod_date", json!(server.last_join_mod_date.filter(|_| is_accepted).map(iso))),
        ("up_status", json!(server.up_status)),
        ("up_mod_date", json!(server.up_mod_date.filter(|_| is_running).map(iso))),
    ];
    row.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What this server knows of itself. All times are UTC, also those whose names don't say so. Services run on threads of
/// one process, so that the one process is master and worker.
async fn info(
    settings: &AdminSettings,
    server: Option<&Server>,
    now: OffsetDateTime,
) -> Result<Value, Error> {
    let process = tokio::task::spawn_blocking(Process::read).await?;
    let pid = std::process::id();
    let (now, started) = (iso(now), iso(settings.started));
    let connections = Value::Object(process.connections);
    let mut info = Map::new();
    let details = json!({
        "version": settings.version,
        "component": "SERVER",
        "created_ts": server.and_then(|server| server.last_join_mod_date).map(iso),
        "created_user_host": server.and_then(|server| server.last_join_mod_by.as_deref()),
    });
    let facts = [
        ("component_details", details),
        ("component_full_path", json!(settings.data_dir)),
        ("component_host", json!(settings.host)),
        ("component_running", json!(true)),
        ("current_time", json!(now)),
        ("current_time_utc", json!(now)),
        ("master_proc_connections", connections.clone()),
        ("master_proc_pid", json!(pid)),
        ("master_proc_name", json!(process.name)),
        ("master_proc_create_time", json!(started)),
        ("master_proc_create_time_utc", json!(started)),
        ("master_proc_username", json!(process.username)),
        ("master_proc_workers_no", json!(settings.workers)),
        ("master_proc_workers_pids", json!([pid])),
    ];
    info.extend(facts.into_iter().map(|(name, value)| (name.to_owned(), value)));
    info.insert(format!("worker_{pid}_create_time"), json!(started));
    info.insert(format!("worker_{pid}_create_time_utc"), json!(started));
    info.insert(format!("worker_{pid}_connections"), connections);
    Ok(Value::Object(info))
}

fn iso(time: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]");
    time.to_offset(time::UtcOffset::UTC).format(format).unwrap_or_default()
}
