//! The operational database: entities, migrations, event log and secrets on SQLite and PostgreSQL.
