//! Where log lines go and how they look.
//!
//! Owns the one global subscriber. It must not know what is logged.

use std::fmt;
use std::io::{self, IsTerminal};

use tracing::field::Field;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{Config, ConfigError, LogFormat};

/// Starts logging to standard error.
///
/// A program that embeds the server and has its own subscriber keeps that one.
///
/// # Errors
/// The directives can't be read.
pub(crate) fn start(config: &Config) -> Result<(), ConfigError> {
    let filter = EnvFilter::try_new(&config.log).map_err(|error| ConfigError::Invalid {
        setting: "log",
        problem: format!("must be a level or directives such as `info,zato_outgoing=debug`: {error}"),
    })?;
    let is_terminal = io::stderr().is_terminal();
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(is_terminal).with_writer(io::stderr);
    let started: Result<(), TryInitError> = match config.log_format {
        LogFormat::Text => builder.fmt_fields(debug_fn(write_field).delimited(" ")).finish().try_init(),
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init(),
    };
    // The only failure is that a subscriber is set already, which is the embedding program's choice.
    drop(started);
    Ok(())
}

/// Writes a field so that nothing in it looks like another line, or like a command to the terminal: names and payloads that others
/// chose are in there.
fn write_field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    match field.name() {
        "message" => {}
        // The name in italics, as the library writes it.
        name if writer.has_ansi_escapes() => write!(writer, "\x1b[3m{name}\x1b[0m\x1b[2m=\x1b[0m")?,
        name => write!(writer, "{name}=")?,
    }
    for character in format!("{value:?}").chars() {
        if character.is_control() {
            write!(writer, "{}", character.escape_default())?;
        } else {
            writer.write_char(character)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What has been logged.
    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line() {
        let written = Written::default();
        let target = written.clone();
        let fields = debug_fn(write_field).delimited(" ");
        let builder = tracing_subscriber::fmt().with_ansi(false).fmt_fields(fields);
        let subscriber = builder.with_writer(move || target.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            let name = "a\n2026-11-23T14:00:00Z ERROR forged";
            tracing::warn!(text = name, shown = %name, number = 1, "message\r\x1b[2J{name}");
        });
        let line = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let expected = "WARN zato_server::logging::tests: message\\r\\u{1b}[2Ja\\n2026-11-23T14:00:00Z ERROR forged \
                        text=\"a\\n2026-11-23T14:00:00Z ERROR forged\" shown=a\\n2026-11-23T14:00:00Z ERROR forged number=1\n";
        assert!(line.ends_with(expected), "{line}");
        assert_eq!(line.lines().count(), 1);
    }
}
