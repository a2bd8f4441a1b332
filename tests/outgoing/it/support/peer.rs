//! Programs at the other side of calls: started once for all tests of a process, ended with it, however it ends.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use zato_test_port::Port;

use super::{installed, own_file};

/// How long a peer may take until it answers, on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs a program in a folder of its own until standard input ends, which it does when the process of the tests does.
const KEEPER: &str = r#"
folder=$1
shift
trap '' INT
cd "$folder" || exit 1
"$@" </dev/null &
peer=$!
cat >/dev/null
kill "$peer" 2>/dev/null
wait "$peer"
cd / && rm -rf "$folder"
"#;

/// A running peer and its folder.
#[derive(Debug)]
pub(crate) struct Peer {
    keeper: Child,
    /// Kept open for as long as the peer is to run.
    life_line: Option<ChildStdin>,
    /// Where it was told to listen.
    port: Option<Port>,
    pub(crate) folder: PathBuf,
}

/// A folder for one peer, which even one that gives up root's rights may use.
fn folder() -> PathBuf {
    let folder = tempfile::Builder::new().prefix("zato-test-peer-").tempdir().unwrap().keep();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

impl Peer {
    fn start(folder: PathBuf, program: &Path, arguments: &[&str], stdout: Stdio) -> Self {
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "sh"])
            .arg(&folder)
            .arg(program)
            .args(arguments)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(fs::File::create(folder.join("stderr.txt")).unwrap())
            .spawn()
            .unwrap();
        let life_line = keeper.stdin.take();
        Self { keeper, life_line, folder, port: None }
    }

    /// Starts a program which prints its address in its first line.
    fn saying_its_address(folder: PathBuf, program: &Path, arguments: &[&str]) -> (Self, SocketAddr) {
        let mut peer = Self::start(folder, program, arguments, Stdio::piped());
        let stdout: ChildStdout = peer.keeper.stdout.take().expect("standard output is piped");
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        match line.trim().parse() {
            Ok(address) => (peer, address),
            Err(_) => panic!("{} did not start: {}", program.display(), peer.complaints()),
        }
    }

    /// Keeps the port for the peer, waits until it listens there, and says its number.
    fn listening_on(mut self, port: Port) -> (Self, u16) {
        self.wait_for(&port);
        let number = port.number();
        self.port = Some(port);
        (self, number)
    }

    /// Waits until the peer listens on the port.
    fn wait_for(&mut self, port: &Port) {
        let begun = Instant::now();
        while TcpStream::connect(port.address()).is_err() {
            let ended = self.keeper.try_wait().unwrap();
            assert!(ended.is_none() && begun.elapsed() < PATIENCE, "no peer: {}", self.complaints());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn complaints(&self) -> String {
        fs::read_to_string(self.folder.join("stderr.txt")).unwrap()
    }

    /// A server of the folder `python`.
    pub(crate) fn python(script: &str) -> (Self, SocketAddr) {
        Self::python_with(script, &[])
    }

    /// A server of the folder `python` with these files in its folder, whose names are its arguments.
    pub(crate) fn python_with(script: &str, files: &[(&str, &str)]) -> (Self, SocketAddr) {
        let (folder, script) = (folder(), own_file("python").join(script));
        let script = script.to_string_lossy();
        let mut arguments = vec![&*script];
        for (name, text) in files {
            fs::write(folder.join(name), text).unwrap();
            arguments.push(name);
        }
        Self::saying_its_address(folder, &python(), &arguments)
    }

    /// The SOAP service of `node/soap_server.js`.
    pub(crate) fn soap() -> (Self, SocketAddr) {
        let modules = installed("ZATO_TEST_NODE_PEERS", "node-peers");
        let script = own_file("node/soap_server.js");
        let arguments = [&script.to_string_lossy(), &modules.to_string_lossy()];
        Self::saying_its_address(folder(), Path::new("node"), &arguments.map(|argument| &**argument))
    }

    /// nginx with these files in its folder, whose path takes the place of `@folder` in them, and of which `nginx.conf` is its configuration, as soon as it listens on `port`.
    pub(crate) fn nginx(files: &[(&str, &str)], port: &Port) -> Self {
        let folder = folder();
        for (name, text) in files {
            fs::write(folder.join(name), text.replace("@folder", &folder.to_string_lossy())).unwrap();
        }
        let path = folder.to_string_lossy().into_owned();
        let arguments = ["-p", &path, "-c", "nginx.conf", "-e", "stderr"];
        let mut peer = Self::start(folder, Path::new("/usr/sbin/nginx"), &arguments, Stdio::null());
        peer.wait_for(port);
        peer
    }

    /// tinyproxy with these lines in its configuration, and the port it listens on.
    pub(crate) fn tinyproxy(lines: &str) -> (Self, u16) {
        let (folder, port) = (folder(), Port::reserve());
        let own = format!(
            "Port {}\nListen 127.0.0.1\nTimeout 60\nMaxClients 100\nLogLevel Connect\n{lines}\n",
            port.number()
        );
        fs::write(folder.join("tinyproxy.conf"), own).unwrap();
        let log = fs::File::create(folder.join("stdout.txt")).unwrap();
        let peer =
            Self::start(folder, Path::new("tinyproxy"), &["-d", "-c", "tinyproxy.conf"], Stdio::from(log));
        peer.listening_on(port)
    }

    /// stunnel, which speaks TLS with this certificate and its key and passes on what is in it, and the port it listens on.
    pub(crate) fn stunnel(pem: &str, to: u16) -> (Self, u16) {
        let (folder, port) = (folder(), Port::reserve());
        fs::write(folder.join("server.pem"), pem).unwrap();
        let configuration = format!(
            "foreground = yes\npid =\n[tls]\naccept = {}\nconnect = 127.0.0.1:{to}\ncert = server.pem\n",
            port.address()
        );
        fs::write(folder.join("stunnel.conf"), configuration).unwrap();
        let peer = Self::start(folder, Path::new("stunnel"), &["stunnel.conf"], Stdio::null());
        peer.listening_on(port)
    }

    /// microsocks with these options, and the port it listens on.
    pub(crate) fn microsocks(options: &[&str]) -> (Self, u16) {
        let port = Port::reserve();
        let text = port.number().to_string();
        let arguments = [&["-i", "127.0.0.1", "-p", &*text], options].concat();
        let peer = Self::start(folder(), Path::new("microsocks"), &arguments, Stdio::null());
        peer.listening_on(port)
    }

    /// What the peer has printed, if it was asked to print into its folder.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("stdout.txt")).unwrap()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.life_line = None;
        drop(self.keeper.wait());
    }
}

/// The interpreter which has the Python peers.
pub(crate) fn python() -> PathBuf {
    installed("ZATO_TEST_PYTHON_PEERS", "python-peers/bin/python")
}
