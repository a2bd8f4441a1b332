//! What sessions can do, in clear and encrypted.

use std::time::Duration;

use zato_connections::{Connections, Secret};
use zato_ftp::test_util::{PASSWORD, Server};
use zato_ftp::{Config, Error, Ftp, Session};

async fn session(config: Config) -> Session {
    Ftp::new(config).unwrap().connect().await.unwrap()
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn files_and_directories() {
    let server = Server::shared();
    for (folder, config) in [("/plain", server.config()), ("/encrypted", server.encrypted())] {
        let mut session = session(config).await;
        let path = |name: &str| format!("{folder}/{name}");
        session.mkdir(folder).await.unwrap();
        assert_eq!(session.list(folder).await.unwrap().len(), 0);
        // Bytes stay as they are, ends of lines included.
        let bytes = b"a\r\nb\nc\r\0\xff".as_slice();
        session.put(&path("Łódź 1.csv"), bytes).await.unwrap();
        assert_eq!(session.get(&path("Łódź 1.csv")).await.unwrap(), bytes);
        assert_eq!(session.size(&path("Łódź 1.csv")).await.unwrap(), bytes.len() as u64);
        let entries = session.list(folder).await.unwrap();
        assert_eq!((entries[0].name.as_str(), entries[0].size), ("Łódź 1.csv", bytes.len() as u64));
        assert!(!entries[0].is_directory);
        session.put(&path("Łódź 1.csv"), b"shorter").await.unwrap();
        session.rename(&path("Łódź 1.csv"), &path("b")).await.unwrap();
        assert!(session.exists(&path("b")).await.unwrap());
        assert!(!session.exists(&path("Łódź 1.csv")).await.unwrap());
        assert!(!session.exists("/no-such/file").await.unwrap());
        assert!(session.exists("/").await.unwrap());
        session.delete(&path("b")).await.unwrap();
        session.rmdir(folder).await.unwrap();
        assert!(!session.exists(folder).await.unwrap());
        session.quit().await.unwrap();
    }
    let log = server.tls_log();
    assert!(log.contains("Protection set to Private"), "data connections are encrypted: {log}");
}

#[tokio::test]
async fn large_files_pass_through() {
    let server = Server::shared();
    let size = 20_000_000_u64;
    for (name, config) in [("plain.bin", server.config()), ("encrypted.bin", server.encrypted())] {
        let mut session = session(config).await;
        let mut source = tokio::io::AsyncReadExt::take(tokio::io::repeat(7), size);
        assert_eq!(session.upload(name, &mut source).await.unwrap(), size);
        assert_eq!(std::fs::metadata(server.files().join(name)).unwrap().len(), size);
        assert_eq!(session.download(name, &mut tokio::io::sink()).await.unwrap(), size);
        session.delete(name).await.unwrap();
    }
}

#[tokio::test]
async fn what_a_server_refuses() {
    let mut session = session(Server::shared().config()).await;
    let error = session.get("/no-such-file").await.unwrap_err();
    assert!(matches!(&error, Error::Refused { code: 550, .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "the server of the outgoing FTP connection `Exports` refused to retrieve `/no-such-file`"
    );
    // The session goes on.
    assert!(session.rmdir("/no-such-folder").await.is_err());
    assert!(session.list("/").await.is_ok());
    // A path is never more than one command.
    let error = session.delete("a\r\nDELE b").await.unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error:?}");
}

#[tokio::test]
async fn the_wrong_password_is_refused_and_not_told() {
    let mut config = Server::shared().config();
    let wrong = "wrong-ftp-password-77";
    config.password = Some(Secret::from(wrong));
    let ftp = Ftp::new(config).unwrap();
    let error = ftp.connect().await.unwrap_err();
    assert!(matches!(error, Error::LoginRefused { .. }), "{error:?}");
    for text in [chain(&error), format!("{error:?}"), format!("{ftp:?}")] {
        assert!(!text.contains(wrong) && !text.contains(PASSWORD), "{text}");
    }
}

#[tokio::test]
async fn certificates_of_strangers_are_refused() {
    let mut config = Server::shared().encrypted();
    config.authorities = None;
    let error = Ftp::new(config).unwrap().connect().await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "{error:?}");
    let mut config = Server::shared().encrypted();
    config.host = "localhost".to_owned();
    let error = Ftp::new(config).unwrap().connect().await.unwrap_err();
    assert!(matches!(error, Error::Tls { .. }), "the name must be right as well: {error:?}");
    let mut config = Server::shared().encrypted();
    config.authorities = Some(b"no certificate".to_vec());
    assert!(Ftp::new(config).unwrap_err().to_string().contains("`Exports`"));
}

#[tokio::test]
async fn listings_are_kept_if_the_definition_says_so() {
    let server = Server::shared();
    let folder = server.files().join("kept");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("one"), "1").unwrap();
    let mut config = server.config();
    config.caches_listings = true;
    let mut keeping = session(config).await;
    let mut asking = session(server.config()).await;
    for session in [&mut keeping, &mut asking] {
        assert_eq!(session.list("/kept").await.unwrap().len(), 1);
    }
    std::fs::write(folder.join("two"), "2").unwrap();
    assert_eq!(keeping.list("/kept").await.unwrap().len(), 1);
    assert_eq!(asking.list("/kept").await.unwrap().len(), 2);
    // Whatever the session changes itself makes it ask again.
    keeping.mkdir("/other").await.unwrap();
    assert_eq!(keeping.list("/kept").await.unwrap().len(), 2);
    keeping.rmdir("/other").await.unwrap();
}

#[tokio::test]
async fn silence_has_a_limit() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = Config::new(1, "Exports", "127.0.0.1");
    config.port = listener.local_addr().unwrap().port();
    config.timeout = Some(Duration::from_millis(100));
    let connections = Connections::new();
    connections.put(&Ftp::new(config).unwrap());
    let error = connections.get("Exports").unwrap().connect().await.unwrap_err();
    assert!(error.is_timeout(), "{error:?}");
    drop(listener);
    let error = connections.get("Exports").unwrap().connect().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
}
