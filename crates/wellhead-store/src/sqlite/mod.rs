//! SQLite: the store that needs nothing installed. One connection writes, a few read.

mod apps;
mod generations;
mod keys;
mod rows;

use std::path::Path;
use std::time::Duration;

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};

use crate::StoreError;
use crate::error::failed;

/// Readers in parallel. The management API is for a few people and scripts; four never queue behind one listing.
const READERS_MAX: u32 = 4;

/// How long a caller waits for a connection, and a statement for a lock, before it gives up with an error.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// Every migration in order: version, name, text. A migration that was released is never edited.
const MIGRATIONS: &[(i64, &str, &str)] =
    &[(1, "apps, keys, generations", include_str!("../../migrations/sqlite/0001_apps_keys_generations.sql"))];

/// The store in one SQLite file. Cheap to clone; clones share the connections.
#[derive(Debug, Clone)]
pub struct SqliteStore {
    /// One connection: SQLite has one writer anyway, and queueing here never meets `SQLITE_BUSY`.
    writer: SqlitePool,
    readers: SqlitePool,
}

impl SqliteStore {
    /// Opens the database at `path`, makes it if it is not there, and brings its tables up to date.
    /// The caller creates the file with private permissions first; SQLite gives its side files the same ones.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: a key that was shown to a person once must exist after a power cut; writes are rare, so the
            // extra fsync costs nothing that anybody notices.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(WAIT_MAX);
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(WAIT_MAX)
            .connect_with(options.clone())
            .await
            .map_err(failed("open its file"))?;
        migrator().run(&writer).await.map_err(StoreError::Migrate)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .acquire_timeout(WAIT_MAX)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await
            .map_err(failed("open its file for reading"))?;
        Ok(Self { writer, readers })
    }

    /// Closes every connection; the write-ahead log is folded into the file.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn migrator() -> Migrator {
    let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, (*sql).into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect())
}

/// Draws the next version; part of the transaction that needs it.
async fn next_version(connection: &mut SqliteConnection) -> Result<i64, StoreError> {
    sqlx::query_scalar("UPDATE change_counter SET value = value + 1 WHERE id = 1 RETURNING value")
        .fetch_one(connection)
        .await
        .map_err(failed("draw a version"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

    use super::{MIGRATIONS, SqliteStore};
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_migration_file_is_in_the_list() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
        let on_disk: BTreeSet<i64> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_str().unwrap()[..4].parse().unwrap())
            .collect();
        assert_eq!(on_disk, MIGRATIONS.iter().map(|m| m.0).collect());
    }

    /// A reader of `schema/sqlite.sql` sees the tables as they are without adding up migrations in the head.
    #[tokio::test]
    async fn the_checked_in_schema_is_the_sum_of_the_migrations() {
        let dir = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&dir.path().join("db")).await.unwrap();
        let objects: Vec<String> = sqlx::query_scalar(
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '\\_sqlx%' ESCAPE '\\'
             AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY type DESC, name",
        )
        .fetch_all(&store.readers)
        .await
        .unwrap();
        let sum = objects.iter().map(|sql| format!("{sql};\n")).collect::<Vec<_>>().join("\n");
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/sqlite.sql");
        if std::env::var_os("WELLHEAD_BLESS").is_some() {
            std::fs::write(&file, &sum).unwrap();
        }
        let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(checked_in, sum, "run the tests with WELLHEAD_BLESS=1 to write {}", file.display());
    }
}
