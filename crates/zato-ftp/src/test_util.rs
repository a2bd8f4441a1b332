//! A private ProFTPD for tests, in a temporary folder. It ends with this process, however that ends. Its replies name a host
//! that nobody can reach, as those of a server behind a translation of addresses do.
//!
//! Owns how the server is configured and started. It must not know what is tested. A missing server is a panic, because
//! a test that can't run has failed.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use zato_connections::Secret;
use zato_test_port::Port;

use crate::Config;

/// The password of the user `crm`.
pub const PASSWORD: &str = "ftp-password-93be";

const KEEPER: &str = r#"
trap 'rm -rf "$1"' EXIT
trap '' INT
/usr/sbin/proftpd --nodaemon --config "$1/proftpd.conf" >"$1/log" 2>&1 &
server=$!
cat > /dev/null
kill "$server"; wait "$server"
"#;

/// A server whose only user is `crm`.
#[derive(Debug)]
pub struct Server {
    folder: PathBuf,
    port: Port,
    authority: Vec<u8>,
    _keeper: Child,
}

impl Server {
    /// One server for all tests of this process.
    pub fn shared() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    fn start() -> Self {
        let program = "/usr/sbin/proftpd";
        assert!(
            fs::exists(program).unwrap(),
            "ProFTPD is missing: apt-get install proftpd-core proftpd-mod-crypto"
        );
        let folder = tempfile::Builder::new().prefix("zato-ftp-").tempdir().unwrap().keep();
        fs::create_dir(folder.join("files")).unwrap();
        let authority = certificates(&folder);
        let port = Port::reserve();
        let (uid, gid) = (id("-u"), id("-g"));
        let hash = Command::new("openssl").args(["passwd", "-6", PASSWORD]).output().unwrap().stdout;
        let hash = String::from_utf8(hash).unwrap();
        let files = folder.join("files");
        // A user id of its own, since the server lets root in under no circumstances.
        let user = if uid == "0" { "65534".to_owned() } else { uid };
        let group = if gid == "0" { "65534".to_owned() } else { gid };
        let accounts = format!("crm:{}:{user}:{group}::{}:/bin/false\n", hash.trim(), files.display());
        fs::write(folder.join("users"), accounts).unwrap();
        set_mode(&folder.join("users"), 0o600);
        set_mode(&folder, 0o755);
        set_mode(&files, 0o777);
        let place = folder.display();
        let config = format!(
            "ModulePath /usr/lib/proftpd\nLoadModule mod_tls.c\nServerType standalone\nServerName test\n\
             Port {}\nDefaultAddress 127.0.0.1\nUseIPv6 off\nUseReverseDNS off\nWtmpLog off\n\
             AuthOrder mod_auth_file.c\nAuthUserFile {place}/users\nRequireValidShell off\nDefaultRoot ~\n\
             PidFile {place}/pid\nScoreboardFile {place}/scoreboard\nDelayEngine off\nSystemLog {place}/system.log\n\
             MasqueradeAddress 192.0.2.1\nAllowOverwrite on\nTLSEngine on\nTLSRequired off\n\
             TLSRSACertificateFile {place}/server.pem\nTLSRSACertificateKeyFile {place}/server.key\n\
             TLSProtocol TLSv1.2 TLSv1.3\nTLSLog {place}/tls.log\n",
            port.number()
        );
        fs::write(folder.join("proftpd.conf"), config).unwrap();
        let keeper =
            Command::new("sh").args(["-c", KEEPER, "sh"]).arg(&folder).stdin(Stdio::piped()).spawn().unwrap();
        let limit = Instant::now() + Duration::from_secs(30);
        while std::net::TcpStream::connect(port.address()).is_err() {
            let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
            assert!(Instant::now() < limit, "ProFTPD does not answer: {}", log());
            std::thread::yield_now();
        }
        Self { folder, port, authority, _keeper: keeper }
    }

    /// The definition of a user whose password is right.
    pub fn config(&self) -> Config {
        let mut config = Config::new(1, "Exports", "127.0.0.1");
        config.port = self.port();
        config.user = Some("crm".to_owned());
        config.password = Some(Secret::from(PASSWORD));
        config
    }

    /// The same over FTPS.
    pub fn encrypted(&self) -> Config {
        let mut config = self.config();
        config.is_encrypted = true;
        config.authorities = Some(self.authority.clone());
        config
    }

    /// The port of commands.
    pub fn port(&self) -> u16 {
        self.port.number()
    }

    /// Where the user's files are.
    pub fn files(&self) -> PathBuf {
        self.folder.join("files")
    }

    /// What the server says about TLS.
    pub fn tls_log(&self) -> String {
        fs::read_to_string(self.folder.join("tls.log")).unwrap_or_default()
    }
}

/// A private authority and a certificate for 127.0.0.1.
fn certificates(folder: &std::path::Path) -> Vec<u8> {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    fs::write(folder.join("server.pem"), certificate.pem()).unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
    set_mode(&folder.join("server.key"), 0o600);
    authority.pem().into_bytes()
}

fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn id(option: &str) -> String {
    String::from_utf8(Command::new("id").arg(option).output().unwrap().stdout).unwrap().trim().to_owned()
}
