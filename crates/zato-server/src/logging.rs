//! Where log lines go and how they look.
//!
//! Owns the one global subscriber. It must not know what is logged.

use std::error::Error;
use std::fmt;
use std::io::{self, IsTerminal};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::fmt::format::{Format, Json, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, format};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use zato_service::chain;

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
        LogFormat::Text => builder.fmt_fields(Fields).finish().try_init(),
        LogFormat::Json => builder.json().event_format(objects()).finish().try_init(),
    };
    // The only failure is that a subscriber is set already, which is the embedding program's choice.
    drop(started);
    Ok(())
}

/// Writes fields so that nothing in them looks like another line, or like a command to the terminal: names and payloads that others
/// chose are in there. An error is followed by its causes, without which hardly anybody can mend it.
struct Fields;

impl<'w> FormatFields<'w> for Fields {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut line = Line { writer, is_begun: false, written: Ok(()) };
        fields.record(&mut line);
        line.written
    }
}

/// The fields of one event or span.
struct Line<'w> {
    writer: Writer<'w>,
    is_begun: bool,
    written: fmt::Result,
}

impl Line<'_> {
    fn write(&mut self, field: &Field, text: &str) -> fmt::Result {
        if std::mem::replace(&mut self.is_begun, true) {
            self.writer.write_char(' ')?;
        }
        match field.name() {
            "message" => {}
            // The name in italics, as the library writes it.
            name if self.writer.has_ansi_escapes() => {
                write!(self.writer, "\x1b[3m{name}\x1b[0m\x1b[2m=\x1b[0m")?;
            }
            name => write!(self.writer, "{name}=")?,
        }
        for character in text.chars() {
            if character.is_control() {
                write!(self.writer, "{}", character.escape_default())?;
            } else {
                self.writer.write_char(character)?;
            }
        }
        Ok(())
    }
}

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if self.written.is_ok() {
            self.written = self.write(field, &format!("{value:?}"));
        }
    }

    fn record_error(&mut self, field: &Field, error: &(dyn Error + 'static)) {
        self.record_debug(field, &format_args!("{}", chain(error)));
    }
}

/// How events become JSON.
fn objects() -> Objects<Format<Json>> {
    Objects(format().json().flatten_event(true))
}

/// Writes events as the library's JSON does, and the causes of an error, which the library leaves out, under `causes`.
struct Objects<F>(F);

impl<S, N, F> FormatEvent<S, N> for Objects<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'w> FormatFields<'w> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut causes = Causes::default();
        event.record(&mut causes);
        let Causes(Some(causes)) = causes else { return self.0.format_event(context, writer, event) };
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        let object = line.trim_end().strip_suffix('}').ok_or(fmt::Error)?;
        writeln!(writer, "{object},\"causes\":{}}}", serde_json::Value::from(causes))
    }
}

/// The causes of the last error among an event's fields, in a line, if it has any.
#[derive(Default)]
struct Causes(Option<String>);

impl Visit for Causes {
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}

    fn record_error(&mut self, _: &Field, error: &(dyn Error + 'static)) {
        self.0 = error.source().map(chain);
    }
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

    type Target = Box<dyn Fn() -> Written + Send + Sync>;

    /// What a subscriber writes of `log`.
    fn written<S: Subscriber + Send + Sync>(
        subscriber: impl FnOnce(Target) -> S,
        log: impl FnOnce(),
    ) -> String {
        let written = Written::default();
        let target = written.clone();
        tracing::subscriber::with_default(subscriber(Box::new(move || target.clone())), log);
        String::from_utf8(written.0.lock().unwrap().clone()).unwrap()
    }

    /// The line that an event makes of `log`.
    fn logged(log: impl FnOnce()) -> String {
        let builder = tracing_subscriber::fmt().with_ansi(false).fmt_fields(Fields);
        written(|target| builder.with_writer(target).finish(), log)
    }

    fn logged_object(log: impl FnOnce()) -> serde_json::Value {
        let builder = tracing_subscriber::fmt().json().event_format(objects());
        let line = written(|target| builder.with_writer(target).finish(), log);
        assert!(line.ends_with('\n'));
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn an_event_is_one_line() {
        let line = logged(|| {
            let name = "a\n2026-11-23T14:00:00Z ERROR forged";
            tracing::warn!(text = name, shown = %name, number = 1, "message\r\x1b[2J{name}");
        });
        let expected = "WARN zato_server::logging::tests: message\\r\\u{1b}[2Ja\\n2026-11-23T14:00:00Z ERROR forged \
                        text=\"a\\n2026-11-23T14:00:00Z ERROR forged\" shown=a\\n2026-11-23T14:00:00Z ERROR forged number=1\n";
        assert!(line.ends_with(expected), "{line}");
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn an_error_has_its_causes() {
        let cause = io::Error::other("File too large");
        let error = ConfigError::Read { file: "zato-server.toml".into(), source: cause };
        let line = logged(|| tracing::error!(error = &error as &dyn Error, "it is over"));
        assert!(line.ends_with(&format!("it is over error={error}: File too large\n")), "{line}");
    }

    #[test]
    fn objects_have_the_causes_of_errors() {
        let object = logged_object(|| {
            let cause = io::Error::other("File \"too\" large");
            let error = ConfigError::Read { file: "zato-server.toml".into(), source: cause };
            tracing::error!(error = &error as &dyn Error, "it is over");
        });
        assert_eq!(
            (&object["message"], &object["causes"]),
            (&"it is over".into(), &"File \"too\" large".into())
        );
        assert!(object["error"].as_str().is_some_and(|error| error.contains("zato-server.toml")), "{object}");
        let object = logged_object(|| {
            let error = io::Error::from(io::ErrorKind::NotFound);
            tracing::error!(error = &error as &dyn Error, "it is over");
        });
        assert_eq!(
            (&object["error"], &object["causes"]),
            (&"entity not found".into(), &serde_json::Value::Null)
        );
    }
}
