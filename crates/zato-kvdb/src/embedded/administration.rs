//! What the store tells of itself.
//!
//! Owns its counters and its settings. It must not know tables.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::VALUE_LIMIT;
use crate::error::KvdbError;
use crate::glob::Glob;
use crate::reply::Reply;

/// How often expired entries are removed from the file, unless it is configured otherwise.
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
/// The setting that can be changed: that interval, in seconds.
const SWEEP_INTERVAL_SETTING: &str = "sweep-interval";

/// What the store keeps in mind about itself.
#[derive(Debug)]
pub(super) struct Administrator {
    path: PathBuf,
    started: Instant,
    commands: AtomicU64,
    expired: AtomicU64,
    sweep_interval: watch::Sender<Duration>,
}

/// How many keys there are.
pub(super) struct Population {
    pub(super) keys: u64,
    pub(super) expiring: u64,
}

impl Administrator {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            started: Instant::now(),
            commands: AtomicU64::new(0),
            expired: AtomicU64::new(0),
            sweep_interval: watch::Sender::new(SWEEP_INTERVAL),
        }
    }

    /// Counts commands.
    pub(super) fn count_commands(&self, commands: usize) {
        self.commands.fetch_add(commands as u64, Ordering::Relaxed);
    }

    /// Counts entries that were swept.
    pub(super) fn count_expired(&self, entries: usize) {
        self.expired.fetch_add(entries as u64, Ordering::Relaxed);
    }

    pub(super) fn reset_counters(&self) {
        self.commands.store(0, Ordering::Relaxed);
        self.expired.store(0, Ordering::Relaxed);
    }

    /// The interval of sweeps, and when it changes.
    pub(super) fn sweep_interval(&self) -> watch::Receiver<Duration> {
        self.sweep_interval.subscribe()
    }

    /// Facts in the form of Redis. Sections that nobody asked for, or that do not exist, are left out.
    pub(super) fn info(&self, sections: &[String], population: &Population) -> Reply {
        let Population { keys, expiring } = population;
        let bytes = std::fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        let mut facts = vec![
            (
                "Server",
                format!(
                    "redis_mode:embedded\r\nzato_kvdb_version:{}\r\nprocess_id:{}\r\nuptime_in_seconds:{}\r\n",
                    env!("CARGO_PKG_VERSION"),
                    std::process::id(),
                    self.started.elapsed().as_secs()
                ),
            ),
            ("Persistence", format!("file_bytes:{bytes}\r\n")),
            (
                "Stats",
                format!(
                    "total_commands_processed:{}\r\nexpired_keys:{}\r\n",
                    self.commands.load(Ordering::Relaxed),
                    self.expired.load(Ordering::Relaxed)
                ),
            ),
        ];
        let keyspace =
            if *keys == 0 { String::new() } else { format!("db0:keys={keys},expires={expiring}\r\n") };
        facts.push(("Keyspace", keyspace));
        let all = sections.is_empty()
            || sections
                .iter()
                .any(|name| ["all", "default", "everything"].contains(&&*name.to_ascii_lowercase()));
        let wanted = |section: &str| all || sections.iter().any(|name| name.eq_ignore_ascii_case(section));
        let text: Vec<String> = facts
            .into_iter()
            .filter(|(section, _)| wanted(section))
            .map(|(section, facts)| format!("# {section}\r\n{facts}"))
            .collect();
        Reply::Value(text.join("\r\n").into_bytes())
    }

    /// The settings whose names match.
    pub(super) fn settings(&self, patterns: &[String]) -> Reply {
        let folder = self.path.parent().unwrap_or_else(|| Path::new(""));
        let name = self.path.file_name().unwrap_or_default();
        let settings = [
            ("appendfsync", "always".to_owned()),
            ("databases", "1".to_owned()),
            ("dbfilename", name.to_string_lossy().into_owned()),
            ("dir", folder.to_string_lossy().into_owned()),
            ("proto-max-bulk-len", VALUE_LIMIT.to_string()),
            (SWEEP_INTERVAL_SETTING, self.sweep_interval.borrow().as_secs().to_string()),
        ];
        let wanted = |name: &str| {
            patterns
                .iter()
                .any(|pattern| Glob::new(pattern.to_ascii_lowercase().as_bytes()).matches(name.as_bytes()))
        };
        let found = settings.into_iter().filter(|(name, _)| wanted(name));
        Reply::values(found.flat_map(|(name, value)| [name.as_bytes().to_owned(), value.into_bytes()]))
    }

    /// Changes settings, provided that all of them can be changed so.
    pub(super) fn change(&self, settings: &[(String, String)]) -> Result<(), KvdbError> {
        let mut interval = None;
        for (name, value) in settings {
            let seconds = value.parse().ok().filter(|seconds: &u64| (1..=86400).contains(seconds));
            match seconds {
                Some(seconds) if name.eq_ignore_ascii_case(SWEEP_INTERVAL_SETTING) => {
                    interval = Some(seconds)
                }
                _ => return Err(KvdbError::BadSetting(name.clone())),
            }
        }
        if let Some(seconds) = interval {
            self.sweep_interval.send_replace(Duration::from_secs(seconds));
        }
        Ok(())
    }
}
