//! The technical envelope itself: the outcome of a call, its details and its correlation id.
//!
//! It must not know where in a reply the envelope stands.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The XML namespace of the public API's requests and responses.
pub const NAMESPACE: &str = "https://zato.io/ns/20130518";

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "the public API's document lists these three and no others")]
pub enum Outcome {
    /// The service was invoked successfully.
    #[serde(rename = "ZATO_OK")]
    Ok,
    /// The call failed; the details say why.
    #[serde(rename = "ZATO_ERROR")]
    Error,
    /// The service did its work but has something to say about it.
    #[serde(rename = "ZATO_WARNING")]
    Warning,
}

impl Outcome {
    /// The text on the wire, such as `ZATO_OK`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ZATO_OK",
            Self::Error => "ZATO_ERROR",
            Self::Warning => "ZATO_WARNING",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text which is none of the three outcomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected ZATO_OK, ZATO_ERROR or ZATO_WARNING")]
pub struct UnknownOutcome;

impl FromStr for Outcome {
    type Err = UnknownOutcome;

    fn from_str(text: &str) -> Result<Self, UnknownOutcome> {
        [Self::Ok, Self::Error, Self::Warning]
            .into_iter()
            .find(|outcome| outcome.as_str() == text)
            .ok_or(UnknownOutcome)
    }
}

/// The technical envelope of a reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ZatoEnv<'a> {
    /// Free text about the outcome, empty on success.
    pub details: Cow<'a, str>,
    /// How the call ended.
    pub result: Outcome,
    /// The correlation id of the call.
    pub cid: Cow<'a, str>,
}

impl<'a> ZatoEnv<'a> {
    /// The envelope of a successful call.
    pub fn ok(cid: &'a str) -> Self {
        Self { details: Cow::Borrowed(""), result: Outcome::Ok, cid: Cow::Borrowed(cid) }
    }

    /// The envelope of a failed call.
    pub fn error(cid: &'a str, details: impl Into<Cow<'a, str>>) -> Self {
        Self { details: details.into(), result: Outcome::Error, cid: Cow::Borrowed(cid) }
    }

    /// The envelope of a call that succeeded with reservations.
    pub fn warning(cid: &'a str, details: impl Into<Cow<'a, str>>) -> Self {
        Self { details: details.into(), result: Outcome::Warning, cid: Cow::Borrowed(cid) }
    }
}
