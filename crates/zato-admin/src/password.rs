//! Passwords that nobody chose.
//!
//! Owns how long and how random they are. It must not know whose they are.

use zato_odb::Secret;

/// A password of 128 random bits, written as 32 hexadecimal digits.
///
/// # Errors
/// The operating system gave no random numbers.
pub(crate) fn random() -> Result<Secret, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(Secret::new(format!("{:032x}", u128::from_ne_bytes(bytes))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_long_and_differ() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert!(one.expose().len() == 32 && one.expose().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(one != other);
    }
}
