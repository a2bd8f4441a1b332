//! The WS-Security UsernameToken: reading it from a header, writing it, and comparing passwords. Must not know users, expiry rules
//! or what a refused caller is told.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};
use subtle::ConstantTimeEq;
use zato_xml::{Node, escape};
use zeroize::Zeroizing;

use crate::envelope::text_of;

/// WS-Security 1.0 extensions: `Security`, `UsernameToken` and its parts.
const WSSE: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd";
/// WS-Security 1.0 utilities: `Created`.
const WSU: &str = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd";
const PASSWORD_TEXT: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordText";
const PASSWORD_DIGEST: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest";
const BASE64_BINARY: &str =
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary";

/// Who sends a message, and the proof. `Debug` does not show the proof.
#[derive(Clone, Debug)]
pub struct UsernameToken {
    username: String,
    password: Password,
    nonce: Option<Vec<u8>>,
    created: Option<String>,
}

/// The proof in a [`UsernameToken`]. Wiped from memory when dropped.
#[derive(Clone)]
#[non_exhaustive]
pub enum Password {
    /// `PasswordText`: the password itself.
    Text(Zeroizing<String>),
    /// `PasswordDigest`: SHA-1 of the nonce, the time of creation and the password.
    Digest(Zeroizing<Vec<u8>>),
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(..)",
            Self::Digest(_) => "Digest(..)",
        })
    }
}

/// Why a UsernameToken can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// A part that must be there is not. A digest needs `Nonce` and `Created`.
    #[error("the UsernameToken has no {element}")]
    Missing {
        /// The local name of the element.
        element: &'static str,
    },
    /// A part is there twice, or the header has two tokens, so that it is unclear who sends the message.
    #[error("the header has a second {element}")]
    Repeated {
        /// The local name of the element.
        element: &'static str,
    },
    /// The `Password` has no `Type`, or an empty one.
    #[error("the Password has no Type")]
    NoPasswordType,
    /// The `Type` of the `Password` is neither PasswordText nor PasswordDigest.
    #[error("the Password has the unknown Type {found:?}")]
    UnknownPasswordType {
        /// The type.
        found: String,
    },
    /// The `EncodingType` of the `Nonce` is not Base64Binary.
    #[error("the Nonce has the unknown EncodingType {found:?}")]
    UnknownEncoding {
        /// The encoding.
        found: String,
    },
    /// What should be base 64 is not.
    #[error("the {element} is not valid base 64")]
    Base64 {
        /// `Nonce` or `Password`.
        element: &'static str,
    },
}

impl UsernameToken {
    /// A token that carries the password itself, without nonce and time. Send it over an encrypted connection only.
    #[must_use]
    pub fn text(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            username: username.into(),
            password: Password::Text(Zeroizing::new(password.into())),
            nonce: None,
            created: None,
        }
    }

    /// A token that proves knowledge of `password` without carrying it.
    ///
    /// `nonce` must be random and new in each message; `created` is the time now, such as `2014-05-04T19:01:40.981Z`.
    #[must_use]
    pub fn digest(
        username: impl Into<String>,
        password: &str,
        nonce: impl Into<Vec<u8>>,
        created: impl Into<String>,
    ) -> Self {
        let (nonce, created) = (nonce.into(), created.into());
        let digest = digest(&nonce, &created, password);
        Self {
            username: username.into(),
            password: Password::Digest(digest),
            nonce: Some(nonce),
            created: Some(created),
        }
    }

    /// Who sends the message, as they say.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The proof.
    #[must_use]
    pub fn password(&self) -> &Password {
        &self.password
    }

    /// The decoded nonce. There is one with every digest.
    #[must_use]
    pub fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }

    /// The time of creation as it was written. There is one with every digest.
    #[must_use]
    pub fn created(&self) -> Option<&str> {
        self.created.as_deref()
    }

    /// Whether the sender knows `password`. The time this takes depends on the length of the passwords, not on what is in them.
    #[must_use]
    pub fn verify(&self, password: &str) -> bool {
        match &self.password {
            Password::Text(sent) => sent.as_bytes().ct_eq(password.as_bytes()).into(),
            Password::Digest(sent) => {
                let nonce = self.nonce.as_deref().unwrap_or_default();
                let created = self.created.as_deref().unwrap_or_default();
                sent.ct_eq(&digest(nonce, created, password)).into()
            }
        }
    }

    /// The token as a `Security` element, the content for [`FrameOptions::header`](crate::FrameOptions::header).
    #[must_use]
    pub fn header_xml(&self) -> Zeroizing<String> {
        let encoded_digest;
        let (kind, password) = match &self.password {
            Password::Text(password) => (PASSWORD_TEXT, password.as_str()),
            Password::Digest(digest) => {
                encoded_digest = STANDARD.encode(digest);
                (PASSWORD_DIGEST, encoded_digest.as_str())
            }
        };
        let nonce = self.nonce.as_ref().map(|nonce| STANDARD.encode(nonce));
        let created = self.created.as_deref();

        // No character becomes more than five bytes, and the markup is less than 1,000. With room for all of it the buffer
        // never moves, so no copy of the password is left behind.
        let texts = [Some(self.username.as_str()), Some(password), nonce.as_deref(), created];
        let len: usize = texts.iter().flatten().map(|text| 5 * text.len()).sum();
        let mut out = Vec::with_capacity(1_000 + len);
        push(&mut out, &["<wsse:Security xmlns:wsse=\"", WSSE, "\">"]);
        push(&mut out, &["<wsse:UsernameToken><wsse:Username>"]);
        escape::text(&self.username, &mut out);
        push(&mut out, &["</wsse:Username><wsse:Password Type=\"", kind, "\">"]);
        escape::text(password, &mut out);
        push(&mut out, &["</wsse:Password>"]);
        if let Some(nonce) = nonce {
            push(&mut out, &["<wsse:Nonce EncodingType=\"", BASE64_BINARY, "\">", &nonce, "</wsse:Nonce>"]);
        }
        if let Some(created) = created {
            push(&mut out, &["<wsu:Created xmlns:wsu=\"", WSU, "\">"]);
            escape::text(created, &mut out);
            push(&mut out, &["</wsu:Created>"]);
        }
        push(&mut out, &["</wsse:UsernameToken></wsse:Security>"]);
        // Strings went in and only whole characters were replaced, so this takes the buffer over as it is.
        Zeroizing::new(String::from_utf8(out).expect("escaped text is UTF-8"))
    }

    /// Reads the token in a SOAP `Header`, if one of its `Security` elements has one.
    pub(crate) fn read(header: Node<'_, '_>) -> Result<Option<Self>, TokenError> {
        let securities = header.children().filter(|child| child.has_tag_name((WSSE, "Security")));
        let tokens = securities.flat_map(|security| security.children());
        let Some(token) = at_most_one(tokens, WSSE, "UsernameToken")? else { return Ok(None) };

        let part = |namespace, name| at_most_one(token.children(), namespace, name);
        let required = |name| part(WSSE, name)?.ok_or(TokenError::Missing { element: name });
        let username = text_of(required("Username")?).into_owned();
        let password = required("Password")?;
        let nonce = part(WSSE, "Nonce")?.map(read_nonce).transpose()?;
        let created = part(WSU, "Created")?.map(|created| text_of(created).into_owned());
        let password = match password.attribute("Type").unwrap_or_default() {
            PASSWORD_TEXT => Password::Text(Zeroizing::new(text_of(password).into_owned())),
            PASSWORD_DIGEST if nonce.is_none() => return Err(TokenError::Missing { element: "Nonce" }),
            PASSWORD_DIGEST if created.is_none() => return Err(TokenError::Missing { element: "Created" }),
            PASSWORD_DIGEST => Password::Digest(Zeroizing::new(decode(password, "Password")?)),
            "" => return Err(TokenError::NoPasswordType),
            unknown => return Err(TokenError::UnknownPasswordType { found: unknown.to_owned() }),
        };
        Ok(Some(Self { username, password, nonce, created }))
    }
}

/// The digest that the UsernameToken Profile 1.0, section 3.1, defines.
fn digest(nonce: &[u8], created: &str, password: &str) -> Zeroizing<Vec<u8>> {
    let sha1 = Sha1::new().chain_update(nonce).chain_update(created).chain_update(password);
    Zeroizing::new(sha1.finalize().to_vec())
}

/// Decodes a `Nonce`. The profile makes Base64Binary the default encoding.
fn read_nonce(nonce: Node<'_, '_>) -> Result<Vec<u8>, TokenError> {
    match nonce.attribute("EncodingType") {
        None | Some(BASE64_BINARY) => decode(nonce, "Nonce"),
        Some(unknown) => Err(TokenError::UnknownEncoding { found: unknown.to_owned() }),
    }
}

fn decode(node: Node<'_, '_>, element: &'static str) -> Result<Vec<u8>, TokenError> {
    STANDARD.decode(text_of(node).trim()).map_err(|_| TokenError::Base64 { element })
}

/// The one of `nodes` with this name. Two of them would let two readers of the message see two different senders.
fn at_most_one<'d, 'i>(
    nodes: impl Iterator<Item = Node<'d, 'i>>,
    namespace: &str,
    name: &'static str,
) -> Result<Option<Node<'d, 'i>>, TokenError> {
    let mut found = nodes.filter(|node| node.has_tag_name((namespace, name)));
    let first = found.next();
    if found.next().is_some() { Err(TokenError::Repeated { element: name }) } else { Ok(first) }
}

fn push(out: &mut Vec<u8>, parts: &[&str]) {
    for part in parts {
        out.extend_from_slice(part.as_bytes());
    }
}
