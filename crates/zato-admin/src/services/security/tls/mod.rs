//! `zato.security.tls`: certificates.
//!
//! Owns which kinds there are; each is a family in a module of its own. Certificates are kept in the operational database,
//! where keys are encrypted, and not in files.

pub(crate) mod ca_cert;
mod channel;
mod key_cert;
