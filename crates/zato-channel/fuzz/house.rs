//! A house with one channel of each kind, made once for all inputs of a fuzzer.

use std::sync::{Arc, LazyLock};

use serde_json::{Map, Value};
use tokio::runtime::Runtime;
use zato_channel::{
    CallLimits, ChannelConfig, Channels, DataFormat, Dispatcher, FailureDelays, Jwt, JwtKey, OAuth, Pages,
    SaltedDigest, Security, SecurityKind, Settings, SignatureMethod, Transport, TrustedProxies,
    UrlParameters, Version, WsSecurity,
};
use zato_cid::{Form, SystemGenerator};
use zato_kvdb::{Embedded, Kvdb, SystemClock};
use zato_service::{
    Context, Description, Environment, EnvironmentParts, Error, Outgoing, Raw, RawInput, Registration,
    Registry, Service,
};

/// What all inputs of a fuzzer share.
pub struct House {
    /// Runs calls to their end.
    pub runtime: Runtime,
    /// Has a channel of each kind.
    pub dispatcher: Dispatcher,
    /// For further dispatchers.
    pub environment: Environment,
    /// A service for channels that a fuzzer makes.
    pub service: Arc<Registration>,
    _folder: tempfile::TempDir,
}

/// The one house.
pub static HOUSE: LazyLock<House> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kvdb.redb");
    let store = runtime.block_on(Embedded::open(&file, Arc::new(SystemClock))).expect("a store");
    let registry = Registry::new();
    let environment = Environment::new(EnvironmentParts {
        outgoing: Outgoing::new(zato_outgoing::Outgoing::new(
            zato_outgoing::Environment::new("fuzz").expect("a component"),
        )),
        kvdb: Kvdb::new(store),
        registry: registry.clone(),
        cids: SystemGenerator::new(Form::default()),
        clock: time::OffsetDateTime::now_utc,
        tasks: Default::default(),
    });
    let copy = registry.register(Copy).expect("a new name");
    let echo = registry.register(Echo).expect("a new name");
    let channels = Channels::new(Pages::new());
    let configs = [
        channel(1, "/json", Transport::PlainHttp, Some(DataFormat::Json), &copy),
        channel(2, "/xml", Transport::PlainHttp, Some(DataFormat::Xml), &copy),
        channel(3, "/soap", Transport::Soap(Version::V11), None, &copy),
        channel(4, "/soap12", Transport::Soap(Version::V12), None, &copy),
        channel(5, "/raw", Transport::PlainHttp, None, &echo),
        channel(6, "/capture/{one}/x-{two}", Transport::PlainHttp, Some(DataFormat::Json), &copy),
        ChannelConfig {
            security: Some(Arc::new(basic_auth())),
            ..channel(7, "/basic", Transport::PlainHttp, Some(DataFormat::Json), &copy)
        },
        ChannelConfig {
            security: Some(Arc::new(ws_security())),
            ..channel(8, "/wss", Transport::Soap(Version::V11), None, &copy)
        },
        guarded(
            9,
            "apikey",
            SecurityKind::ApiKey { header: "X-API-Key".to_owned(), key: "s3cret".into() },
            &copy,
        ),
        guarded(
            10,
            "account",
            SecurityKind::TechnicalAccount { password: SaltedDigest::of(&"s3cret".into(), "salt") },
            &copy,
        ),
        guarded(11, "oauth", SecurityKind::OAuth(oauth()), &copy),
        guarded(12, "jwt", SecurityKind::Jwt(jwt()), &copy),
    ];
    let errors = channels.replace_all(configs);
    assert!(errors.is_empty(), "{errors:?}");
    let dispatcher = Dispatcher::new(channels, environment.clone(), settings());
    House { runtime, dispatcher, environment, service: copy, _folder: folder }
});

/// An active channel without security.
pub fn channel(
    id: i64,
    path: &str,
    transport: Transport,
    data_format: Option<DataFormat>,
    service: &Arc<Registration>,
) -> ChannelConfig {
    ChannelConfig {
        id,
        name: format!("channel {id}"),
        is_active: true,
        transport,
        data_format,
        url_path: path.to_owned(),
        soap_action: String::new(),
        method: None,
        security: None,
        has_rbac: false,
        limits: CallLimits::default(),
        cors: None,
        is_audited: false,
        url_parameters: UrlParameters::default(),
        service: Arc::clone(service),
    }
}

/// A JSON channel behind a definition, both of this name.
fn guarded(id: i64, name: &str, kind: SecurityKind, service: &Arc<Registration>) -> ChannelConfig {
    let security = Security::new(id, name, true, kind).expect("a definition");
    ChannelConfig {
        security: Some(Arc::new(security)),
        ..channel(id, &format!("/{name}"), Transport::PlainHttp, Some(DataFormat::Json), service)
    }
}

/// Refusals are not held back: there are many.
pub fn settings() -> Settings {
    let failure_delays = FailureDelays { free: u32::MAX, ..FailureDelays::default() };
    // Calls come from there.
    let trusted_proxies = TrustedProxies::new(["192.0.2.0/24"]).expect("a network");
    Settings { failure_delays, trusted_proxies, ..Settings::default() }
}

fn oauth() -> OAuth {
    OAuth {
        consumer_key: "crm".to_owned(),
        consumer_secret: "0123456789abcdef0123456789abcdef".into(),
        signature_method: SignatureMethod::HmacSha1,
        max_nonces: 1_000,
    }
}

fn jwt() -> Jwt {
    let key = JwtKey::Hs256("0123456789abcdef0123456789abcdef".into());
    Jwt { key, issuer: None, audience: None, leeway: std::time::Duration::from_secs(60) }
}

fn basic_auth() -> Security {
    let (realm, username, password) = ("fuzz".to_owned(), "user".to_owned(), "pass".into());
    let kind = SecurityKind::BasicAuth { realm, username, password };
    Security::new(1, "basic", true, kind).expect("a definition")
}

fn ws_security() -> Security {
    let kind = SecurityKind::WsSecurity(WsSecurity {
        username: "user".to_owned(),
        password: "pass".into(),
        reject_empty_nonce_creat: true,
        reject_stale_tokens: true,
        nonce_freshness_time: std::time::Duration::from_secs(60),
        reject_expiry_limit: std::time::Duration::from_secs(3600),
    });
    Security::new(2, "wss", true, kind).expect("a definition")
}

/// Answers with its input.
struct Copy;

impl Service for Copy {
    type Input = Map<String, Value>;
    type Output = Map<String, Value>;

    fn description(&self) -> Description {
        Description::internal("copy")
    }

    async fn handle(&self, _: &mut Context, input: Self::Input) -> Result<Self::Output, Error> {
        Ok(input)
    }
}

/// Answers with the bytes that it got.
struct Echo;

impl Service for Echo {
    type Input = RawInput;
    type Output = Raw;

    fn description(&self) -> Description {
        Description::new("echo")
    }

    async fn handle(&self, _: &mut Context, input: RawInput) -> Result<Raw, Error> {
        Ok(Raw::new(input.body))
    }
}
