//! Private RabbitMQ servers for tests, made of Debian's package `rabbitmq-server`, and an administrator's view of them.
//!
//! Owns starting them in temporary folders, killing and restarting them, and stopping them however the test process ends.
//! It must not know what is sent through them.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use lapin::options::{
    BasicGetOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::uri::{AMQPAuthority, AMQPUri, AMQPUserInfo};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ExchangeKind};
use zato_test_port::Port;

use crate::Definition;

/// The user that may do everything in every virtual host.
pub const USERNAME: &str = "zato";

/// The user's password, made to be searched for in logs.
pub const PASSWORD: &str = "rabbitmq-password-91c4";

/// How many virtual hosts the shared server has. Creating one later would take seconds.
const VHOSTS: usize = 64;

/// How long a server may take to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs a server and its name service, and obeys the words `halt` and `start`, until standard input ends, which it does
/// when the test process does.
///
/// RabbitMQ keeps its data readable for its own user only, so root becomes the user that Debian's package brings. What it
/// declares goes from a log into the table that it is for several times a second, which is what [`Broker::halt`] waits for;
/// otherwise that would take three minutes.
const KEEPER: &str = r#"
set -eu
folder=$1 port=$2 names=$3 nodes=$4
as=
if [ "$(id -u)" = 0 ]; then as='setpriv --reuid=rabbitmq --regid=rabbitmq --clear-groups'; chown -R rabbitmq:rabbitmq "$folder"; fi
cd "$folder"
export HOME="$folder" ERL_EPMD_PORT="$names" ERL_EPMD_ADDRESS=127.0.0.1
export RABBITMQ_NODENAME=test@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT="$port" RABBITMQ_DIST_PORT="$nodes"
export RABBITMQ_MNESIA_BASE="$folder/data" RABBITMQ_LOG_BASE="$folder/log" RABBITMQ_CONFIG_FILE="$folder/rabbitmq"
export RABBITMQ_ENABLED_PLUGINS_FILE="$folder/plugins" RABBITMQ_FEATURE_FLAGS_FILE="$folder/features"
export RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='+S 2:2 -mnesia dump_log_time_threshold 250'
$as epmd -port "$names" -address 127.0.0.1 >/dev/null 2>&1 &
epmd=$!
start() { setsid $as rabbitmq-server >>output 2>&1 & server=$!; }
halt() { kill -9 "-$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; }
trap 'halt; kill "$epmd" 2>/dev/null || true; rm -rf "$folder"' EXIT
trap '' INT
start
while read -r word; do "$word"; done
"#;

/// A running server. It ends with the value, or with this process.
#[derive(Debug)]
pub struct Broker {
    folder: PathBuf,
    port: Port,
    /// Those of its name service and of its node.
    _others: [Port; 2],
    keeper: Child,
    orders: Mutex<ChildStdin>,
    /// How many virtual hosts it has, and how many of them tests have taken.
    size: usize,
    vhosts: AtomicUsize,
    starts: AtomicUsize,
}

impl Broker {
    /// The server that all tests of this process share; the first one starts it.
    ///
    /// # Panics
    /// If RabbitMQ is not installed or does not start: a test that needs it has failed then.
    pub fn shared() -> &'static Self {
        static BROKER: OnceLock<Broker> = OnceLock::new();
        BROKER.get_or_init(|| Self::of(VHOSTS))
    }

    /// A server with one virtual host for one test, which may kill it.
    ///
    /// # Panics
    /// As [`shared`](Self::shared).
    #[must_use]
    pub fn start() -> Self {
        Self::of(1)
    }

    fn of(vhosts: usize) -> Self {
        match Self::try_start(vhosts) {
            Ok(broker) => broker,
            Err(reason) => panic!("no RabbitMQ for this test: {reason}"),
        }
    }

    fn try_start(size: usize) -> Result<Self, Box<dyn Error>> {
        let programs = Path::new("/usr/lib/rabbitmq/bin");
        if !programs.join("rabbitmq-server").exists() {
            return Err("it is missing: apt-get install rabbitmq-server".into());
        }
        let folder = tempfile::Builder::new().prefix("zato-rabbitmq-").tempdir()?.keep();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))?;
        let (port, others) = (Port::reserve(), [Port::reserve(), Port::reserve()]);
        let definitions = folder.join("definitions.json");
        let settings = format!(
            "load_definitions = {}\nlog.console = false\ndisk_free_limit.absolute = 1MB\n",
            definitions.display()
        );
        fs::write(folder.join("rabbitmq.conf"), settings)?;
        fs::write(folder.join("plugins"), "[].")?;
        fs::write(definitions, users_and_vhosts(size))?;
        let path = std::env::var("PATH").unwrap_or_default();
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .arg(&folder)
            .args([&port, &others[0], &others[1]].map(|port| port.number().to_string()))
            .env("PATH", format!("{}:{path}", programs.display()))
            .stdin(Stdio::piped())
            .spawn()?;
        let orders = keeper.stdin.take().ok_or("the keeper takes no orders")?;
        let broker = Self {
            folder,
            port,
            _others: others,
            keeper,
            orders: Mutex::new(orders),
            size,
            vhosts: AtomicUsize::new(0),
            starts: AtomicUsize::new(1),
        };
        broker.wait_until_ready()?;
        Ok(broker)
    }

    /// A virtual host that no other test uses, and how to reach it.
    ///
    /// # Panics
    /// If there is none left.
    pub fn vhost(&self) -> Definition {
        let number = self.vhosts.fetch_add(1, Ordering::Relaxed);
        assert!(number < self.size, "more than {} virtual hosts are wanted", self.size);
        Definition {
            name: "test".into(),
            host: "127.0.0.1".to_owned(),
            port: self.port.number(),
            vhost: format!("t{number}"),
            username: USERNAME.to_owned(),
            password: PASSWORD.into(),
            frame_max: 0,
            heartbeat: 0,
        }
    }

    /// Kills the server as a power failure would, as soon as it has the durable queue `queue` in its table on disk. RabbitMQ
    /// confirms messages when they are there, but on a busy machine it was seen to lose a queue that it had said is declared, and
    /// that was in its log.
    ///
    /// # Panics
    /// If the server can't be told, or the queue does not get to the disk.
    pub fn halt(&self, queue: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.has_on_disk(queue) {
            assert!(Instant::now() < deadline, "RabbitMQ does not write down that there is {queue}");
            thread::sleep(Duration::from_millis(20));
        }
        self.order("halt");
        while std::net::TcpStream::connect(self.port.address()).is_ok() {
            assert!(Instant::now() < deadline, "RabbitMQ does not end");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Whether a queue is in the table of durable queues, and nothing is being put there just now.
    fn has_on_disk(&self, queue: &str) -> bool {
        let folder = self.folder.join("data/test@localhost");
        let is_in = |file: &&str| {
            let written = fs::read(folder.join(file)).unwrap_or_default();
            written.windows(queue.len()).any(|bytes| bytes == queue.as_bytes())
        };
        let files = ["rabbit_durable_queue.DCL", "rabbit_durable_queue.DCD"];
        !folder.join("PREVIOUS.LOG").exists() && files.iter().any(is_in)
    }

    /// Starts the server again, with what it had on disk, and returns when it takes connections.
    ///
    /// # Panics
    /// If it does not start.
    pub fn resume(&self) {
        self.starts.fetch_add(1, Ordering::Relaxed);
        self.order("start");
        if let Err(reason) = self.wait_until_ready() {
            panic!("RabbitMQ did not start again: {reason}");
        }
    }

    fn order(&self, word: &str) {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = writeln!(orders, "{word}") {
            panic!("RabbitMQ's keeper is gone: {error}");
        }
    }

    /// The server says when users and virtual hosts are there, which is later than when the port is open. Its log says so
    /// too, but leaves out lines where many come at once.
    fn wait_until_ready(&self) -> Result<(), String> {
        let deadline = Instant::now() + PATIENCE;
        let starts = self.starts.load(Ordering::Relaxed);
        loop {
            let output = fs::read(self.folder.join("output")).unwrap_or_default();
            let output = String::from_utf8_lossy(&output);
            if output.matches("completed with").count() >= starts {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(format!("not ready within {PATIENCE:?}: {output}"));
            }
            thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // The keeper ends at the end of its input, which comes with the last handle of it. It can't be waited for before
        // that, and once it has ended there is nothing to be done about it.
        self.order("exit");
        drop(self.keeper.wait());
    }
}

/// Declares, fills and inspects the queues of a virtual host.
#[derive(Debug)]
pub struct Inspector {
    _connection: Connection,
    channel: Channel,
}

impl Inspector {
    /// Connects.
    ///
    /// # Errors
    /// The broker can't be reached.
    pub async fn new(definition: &Definition) -> lapin::Result<Self> {
        let userinfo = AMQPUserInfo { username: USERNAME.to_owned(), password: PASSWORD.to_owned() };
        let authority = AMQPAuthority { userinfo, host: definition.host.clone(), port: definition.port };
        let uri = AMQPUri { authority, vhost: definition.vhost.clone(), ..AMQPUri::default() };
        let connection = Connection::connect_uri(uri, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        Ok(Self { _connection: connection, channel })
    }

    /// Declares a durable queue, with further arguments.
    ///
    /// # Errors
    /// The broker refuses.
    pub async fn queue(&self, name: &str, arguments: &[(&str, AMQPValue)]) -> lapin::Result<()> {
        let mut table = FieldTable::default();
        for (name, value) in arguments {
            table.insert((*name).into(), value.clone());
        }
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        self.channel.queue_declare(name.into(), options, table).await.map(drop)
    }

    /// Declares a fanout exchange that is bound to a queue.
    ///
    /// # Errors
    /// The broker refuses.
    pub async fn fanout(&self, exchange: &str, queue: &str) -> lapin::Result<()> {
        let (options, table) = (ExchangeDeclareOptions::default(), FieldTable::default());
        let kind = ExchangeKind::Fanout;
        self.channel.exchange_declare(exchange.into(), kind, options, table.clone()).await?;
        let options = QueueBindOptions::default();
        self.channel.queue_bind(queue.into(), exchange.into(), "".into(), options, table).await
    }

    /// Deletes a queue.
    ///
    /// # Errors
    /// The broker refuses.
    pub async fn delete(&self, queue: &str) -> lapin::Result<()> {
        self.channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.map(drop)
    }

    /// Puts a persistent message into a queue, and says whether the broker has it.
    ///
    /// # Errors
    /// The broker is gone.
    pub async fn put(&self, queue: &str, body: &str) -> lapin::Result<bool> {
        let properties = BasicProperties::default().with_delivery_mode(2);
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let publish =
            self.channel.basic_publish("".into(), queue.into(), options, body.as_bytes(), properties);
        Ok(publish.await?.await? == Confirmation::Ack(None))
    }

    /// How many messages are ready in a queue, and how many consumers it has.
    ///
    /// # Errors
    /// There is no such queue.
    pub async fn counts(&self, queue: &str) -> lapin::Result<(u32, u32)> {
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = self.channel.queue_declare(queue.into(), options, FieldTable::default()).await?;
        Ok((queue.message_count(), queue.consumer_count()))
    }

    /// Takes the next message out of a queue.
    ///
    /// # Errors
    /// There is no such queue.
    pub async fn get(&self, queue: &str) -> lapin::Result<Option<lapin::message::Delivery>> {
        let got = self.channel.basic_get(queue.into(), BasicGetOptions { no_ack: true }).await?;
        Ok(got.map(|message| message.delivery))
    }
}

fn users_and_vhosts(vhosts: usize) -> String {
    let each = |form: &dyn Fn(usize) -> String| (0..vhosts).map(form).collect::<Vec<_>>().join(",");
    let vhosts = each(&|number| format!(r#"{{"name":"t{number}"}}"#));
    let permissions = each(&|number| {
        format!(r#"{{"user":"{USERNAME}","vhost":"t{number}","configure":".*","write":".*","read":".*"}}"#)
    });
    format!(
        r#"{{"users":[{{"name":"{USERNAME}","password":"{PASSWORD}","tags":"administrator"}}],
        "vhosts":[{vhosts}],"permissions":[{permissions}]}}"#
    )
}
