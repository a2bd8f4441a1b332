//! Secrets: in memory, and encrypted for the database.
//!
//! Owns the key, its file and the format of encrypted texts. It must not know which tables hold secrets.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::error::{KeyFileError, SecretError};

/// A password or another text nobody may see by accident: `Debug` hides it, memory is wiped when it is dropped, and
/// two are compared in a time that only depends on their lengths.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes a text over.
    #[must_use]
    pub fn new(clear: impl Into<String>) -> Self {
        Self(Zeroizing::new(clear.into()))
    }

    /// The text in clear.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

impl Eq for Secret {}

const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 24;
/// What the text of a secret starts with in the database.
const FORMAT: &str = "v1:";
/// What a key file starts with.
const KEY_FILE_HEADER: &str = "zato-secret-key-v1 ";
/// A key file is one short line. More is not read.
const KEY_FILE_LIMIT: u64 = 1024;

/// The key that secrets are encrypted with at rest: XChaCha20-Poly1305 with a random nonce per secret.
///
/// A secret is bound to the place it is stored at, so that an encrypted text copied to another column is not accepted.
pub struct SecretKey {
    cipher: XChaCha20Poly1305,
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

impl SecretKey {
    /// A random key that is kept nowhere.
    ///
    /// # Errors
    /// [`KeyFileError::NoEntropy`].
    pub fn generate() -> Result<Self, KeyFileError> {
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        getrandom::fill(&mut *bytes).map_err(|_| KeyFileError::NoEntropy)?;
        Ok(Self::from_bytes(&bytes))
    }

    /// Reads the key of a file, or writes a random one to it if there is no such file.
    ///
    /// Processes that start at the same time all end up with the key that was written first.
    ///
    /// # Errors
    /// If the file is accessible to others than its owner, does not hold a key, or cannot be read or created. A file
    /// that exists is never replaced.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
        match File::open(path) {
            Ok(file) => return Self::load(file, path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let mut bytes = Zeroizing::new([0; KEY_LENGTH]);
        getrandom::fill(&mut *bytes).map_err(|_| KeyFileError::NoEntropy)?;
        let line = Zeroizing::new(format!("{KEY_FILE_HEADER}{}\n", STANDARD_NO_PAD.encode(bytes.as_slice())));
        match write_new(path, line.as_bytes()) {
            Ok(()) => Ok(Self::from_bytes(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Self::load(File::open(path).map_err(failed)?, path)
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn load(file: File, path: &Path) -> Result<Self, KeyFileError> {
        let failed = |source| KeyFileError::Io { path: path.to_owned(), source };
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Exposed { path: path.to_owned(), mode });
        }
        let mut text = Zeroizing::new(Vec::new());
        file.take(KEY_FILE_LIMIT).read_to_end(&mut text).map_err(failed)?;
        Self::from_file_text(&text).ok_or_else(|| KeyFileError::Malformed { path: path.to_owned() })
    }

    fn from_file_text(text: &[u8]) -> Option<Self> {
        let encoded = std::str::from_utf8(text).ok()?.trim_end().strip_prefix(KEY_FILE_HEADER)?;
        let bytes = Zeroizing::new(STANDARD_NO_PAD.decode(encoded).ok()?);
        Some(Self::from_bytes(bytes.as_slice().try_into().ok()?))
    }

    fn from_bytes(bytes: &[u8; KEY_LENGTH]) -> Self {
        Self { cipher: XChaCha20Poly1305::new(bytes.into()) }
    }

    /// Encrypts a secret for one place, such as `sec_base.password`. No two results are alike.
    ///
    /// # Errors
    /// [`SecretError::NoEntropy`] or [`SecretError::TooLong`].
    pub fn seal(&self, place: &str, secret: &Secret) -> Result<String, SecretError> {
        let mut sealed = vec![0; NONCE_LENGTH];
        getrandom::fill(&mut sealed).map_err(|_| SecretError::NoEntropy)?;
        let payload = Payload { msg: secret.expose().as_bytes(), aad: place.as_bytes() };
        let text =
            self.cipher.encrypt(XNonce::from_slice(&sealed), payload).map_err(|_| SecretError::TooLong)?;
        sealed.extend_from_slice(&text);
        Ok(format!("{FORMAT}{}", STANDARD_NO_PAD.encode(sealed)))
    }

    /// Decrypts what [`seal`](Self::seal) made for the same place.
    ///
    /// # Errors
    /// If the text is not an encrypted secret, was encrypted with another key or for another place, or was changed.
    pub fn open(&self, place: &str, sealed: &str) -> Result<Secret, SecretError> {
        let Some(encoded) = sealed.strip_prefix(FORMAT) else {
            let is_versioned = sealed.starts_with('v') && sealed.contains(':');
            return Err(if is_versioned { SecretError::UnknownVersion } else { SecretError::Malformed });
        };
        let bytes = STANDARD_NO_PAD.decode(encoded).map_err(|_| SecretError::Malformed)?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LENGTH).ok_or(SecretError::Malformed)?;
        let payload = Payload { msg: text, aad: place.as_bytes() };
        let clear =
            self.cipher.decrypt(XNonce::from_slice(nonce), payload).map_err(|_| SecretError::NotAuthentic)?;
        String::from_utf8(clear).map(Secret::new).map_err(|_| SecretError::NotAuthentic)
    }
}

/// Creates a file of its owner only, complete or not at all: the content is written and synced under another name, and a
/// hard link, which fails where a file exists already, then gives it its own.
fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut suffix = [0; 8];
    getrandom::fill(&mut suffix).map_err(io::Error::other)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = directory.join(format!(".{name}.{:016x}", u64::from_ne_bytes(suffix)));
    let written =
        OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary).and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()?;
            fs::hard_link(&temporary, path)
        });
    let removed = fs::remove_file(&temporary);
    written?;
    removed?;
    File::open(directory)?.sync_all()
}
