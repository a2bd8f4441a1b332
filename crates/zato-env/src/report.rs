//! The multi-line error text that callers of the API find in `details`.
//!
//! It must not know error types: it is made of what any error says about itself. Keeping secrets out of that is the
//! duty of those errors.

use std::error::Error;
use std::fmt;

/// The most causes a report lists, should a chain be circular.
const MAX_CAUSES: usize = 32;

/// What went wrong, where, and why: the first line starts with `Traceback`, and at the end is the message, which usually is one line.
///
/// ```
/// let error = std::io::Error::other("the disk is full");
/// let report = zato_env::Report::new(&error).service("zato.ping").at("src/ping.rs", 17);
/// assert_eq!(
///     report.to_string(),
///     "Traceback (most recent call last):\n  Service \"zato.ping\"\n  File \"src/ping.rs\", line 17\nthe disk is full"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    service: Option<String>,
    location: Option<(String, u32)>,
    /// The message of the error itself comes first, that of its last cause comes last.
    chain: Vec<String>,
}

impl Report {
    /// The report of an error and all its sources.
    pub fn new(error: &(dyn Error + 'static)) -> Self {
        let chain = std::iter::successors(Some(error), |&error| error.source());
        Self {
            service: None,
            location: None,
            chain: chain.take(1 + MAX_CAUSES).map(|error| error.to_string()).collect(),
        }
    }

    /// Names the service that failed.
    #[must_use]
    pub fn service(mut self, name: impl Into<String>) -> Self {
        self.service = Some(name.into());
        self
    }

    /// Names the source file, and its line counted from 1, in which the error was noticed.
    #[must_use]
    pub fn at(mut self, file: impl Into<String>, line: u32) -> Self {
        self.location = Some((file.into(), line));
        self
    }

    /// The message of the error alone, for servers that are set not to tell more.
    pub fn message_only(&self) -> &str {
        self.chain.first().map_or("", String::as_str)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Traceback (most recent call last):\n")?;
        if let Some(service) = &self.service {
            writeln!(f, "  Service \"{}\"", OneLine(service))?;
        }
        if let Some((file, line)) = &self.location {
            writeln!(f, "  File \"{}\", line {line}", OneLine(file))?;
        }
        for cause in self.chain.iter().skip(1).rev() {
            writeln!(f, "  Cause: {}", OneLine(cause))?;
        }
        for (index, line) in self.message_only().lines().enumerate() {
            f.write_str(if index == 0 { "" } else { "\n" })?;
            f.write_str(line)?;
        }
        Ok(())
    }
}

/// A text without line breaks, so that each part of a report before the message keeps to its own line.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, line) in self.0.lines().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(line)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not create the channel `CRM`\r\nas asked")]
    struct Outer(#[source] Middle);

    #[derive(Debug, thiserror::Error)]
    #[error("the transaction failed,\ntwice")]
    struct Middle(#[source] std::io::Error);

    #[test]
    fn a_report_names_everything_and_ends_in_the_message() {
        let error = Outer(Middle(std::io::Error::other("disk full")));
        let report = Report::new(&error).service("zato.http-soap.create").at("src/http_soap.rs", 120);
        assert_eq!(
            report.to_string(),
            "Traceback (most recent call last):\n  Service \"zato.http-soap.create\"\n  \
             File \"src/http_soap.rs\", line 120\n  Cause: disk full\n  Cause: the transaction failed, twice\n\
             could not create the channel `CRM`\nas asked"
        );
        assert_eq!(report.message_only(), "could not create the channel `CRM`\r\nas asked");
    }

    #[test]
    fn a_circular_chain_ends() {
        #[derive(Debug)]
        struct Looping;
        impl fmt::Display for Looping {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("again")
            }
        }
        impl Error for Looping {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&Self)
            }
        }
        assert_eq!(Report::new(&Looping).to_string().lines().count(), 2 + MAX_CAUSES);
    }
}
