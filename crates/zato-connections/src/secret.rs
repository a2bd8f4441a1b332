//! Passwords and other values that must never be shown.
//!
//! Owns the one type that carries a secret to a connection. It must not know what the secret is for, nor how it is stored.

use std::fmt;

use zeroize::Zeroizing;

/// A secret text: wiped from memory when dropped, absent from `Debug` and without `Display`. It has no
/// `==` either, because how long a comparison takes must not tell how much of a secret is right.
///
/// ```
/// use zato_connections::Secret;
///
/// let secret = Secret::from("s3cret");
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// assert_eq!(secret.expose(), "s3cret");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The secret itself. The name of this method makes every use of it easy to find.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
