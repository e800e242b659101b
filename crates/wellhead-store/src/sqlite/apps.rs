//! Apps in SQLite.

use sqlx::sqlite::SqliteConnection;

use super::rows::{app, from_db, key, to_db, to_db_opt};
use super::{SqliteStore, next_version};
use crate::error::failed;
use crate::{AppQueries, AppSettings, AppsInForce, PAGE_ROWS_MAX, StoreError, StoredApp};

impl AppQueries for SqliteStore {
    async fn list_apps(&self, after: Option<&str>, limit: u32) -> Result<Vec<StoredApp>, StoreError> {
        let rows = sqlx::query("SELECT * FROM apps WHERE name > ?1 ORDER BY name LIMIT ?2")
            .bind(after.unwrap_or(""))
            .bind(limit.min(PAGE_ROWS_MAX))
            .fetch_all(&self.readers)
            .await
            .map_err(failed("list apps"))?;
        rows.iter().map(app).collect()
    }

    async fn get_app(&self, name: &str) -> Result<Option<StoredApp>, StoreError> {
        let row = sqlx::query("SELECT * FROM apps WHERE name = ?1")
            .bind(name)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read an app"))?;
        row.as_ref().map(app).transpose()
    }

    async fn create_app(
        &self,
        name: &str,
        settings: &AppSettings,
        now_ms: u64,
    ) -> Result<StoredApp, StoreError> {
        let columns = Columns::of(settings)?;
        let now = to_db(now_ms, "time")?;
        let mut tx = self.writer.begin().await.map_err(failed("begin a change"))?;
        let version = next_version(&mut tx).await?;
        let row = sqlx::query(
            "INSERT INTO apps (name, models, rpm, tpm, concurrency, version, created_at_ms, updated_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7) ON CONFLICT (name) DO NOTHING RETURNING *",
        )
        .bind(name)
        .bind(columns.models)
        .bind(columns.rpm)
        .bind(columns.tpm)
        .bind(columns.concurrency)
        .bind(version)
        .bind(now)
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed("create an app"))?;
        let Some(row) = row else { return Err(StoreError::AppExists(name.to_owned())) };
        let made = app(&row)?;
        tx.commit().await.map_err(failed("create an app"))?;
        Ok(made)
    }

    async fn update_app(
        &self,
        name: &str,
        settings: &AppSettings,
        expected: u64,
        now_ms: u64,
    ) -> Result<StoredApp, StoreError> {
        let columns = Columns::of(settings)?;
        let now = to_db(now_ms, "time")?;
        let mut tx = self.writer.begin().await.map_err(failed("begin a change"))?;
        require_version(&mut tx, name, expected).await?;
        let version = next_version(&mut tx).await?;
        let row = sqlx::query(
            "UPDATE apps SET models = ?2, rpm = ?3, tpm = ?4, concurrency = ?5, version = ?6, updated_at_ms = ?7
             WHERE name = ?1 RETURNING *",
        )
        .bind(name)
        .bind(columns.models)
        .bind(columns.rpm)
        .bind(columns.tpm)
        .bind(columns.concurrency)
        .bind(version)
        .bind(now)
        .fetch_one(&mut *tx)
        .await
        .map_err(failed("change an app"))?;
        let changed = app(&row)?;
        tx.commit().await.map_err(failed("change an app"))?;
        Ok(changed)
    }

    async fn delete_app(&self, name: &str, expected: u64) -> Result<(), StoreError> {
        let mut tx = self.writer.begin().await.map_err(failed("begin a change"))?;
        require_version(&mut tx, name, expected).await?;
        sqlx::query("DELETE FROM apps WHERE name = ?1")
            .bind(name)
            .execute(&mut *tx)
            .await
            .map_err(failed("delete an app"))?;
        tx.commit().await.map_err(failed("delete an app"))
    }

    async fn apps_in_force(&self, now_ms: u64) -> Result<AppsInForce, StoreError> {
        // One transaction, so that a key never shows up without its app.
        let mut tx = self.readers.begin().await.map_err(failed("begin reading"))?;
        let apps = sqlx::query("SELECT * FROM apps ORDER BY name")
            .fetch_all(&mut *tx)
            .await
            .map_err(failed("read apps"))?;
        let keys = sqlx::query(
            "SELECT * FROM app_keys WHERE revoked_at_ms IS NULL AND (expires_at_ms IS NULL OR expires_at_ms > ?1)
             ORDER BY app, seq",
        )
        .bind(to_db(now_ms, "time")?)
        .fetch_all(&mut *tx)
        .await
        .map_err(failed("read keys"))?;

        let mut keys = keys.iter().map(key).collect::<Result<Vec<_>, _>>()?.into_iter().peekable();
        let mut in_force = AppsInForce::default();
        for row in &apps {
            let app = app(row)?;
            let mut own = Vec::new();
            while let Some(key) = keys.next_if(|key| key.app == app.name) {
                in_force.next_expiry_ms =
                    [in_force.next_expiry_ms, key.expires_at_ms].into_iter().flatten().min();
                own.push(key);
            }
            in_force.apps.push((app, own));
        }
        Ok(in_force)
    }
}

struct Columns {
    models: Option<String>,
    rpm: Option<i64>,
    tpm: Option<i64>,
    concurrency: Option<i64>,
}

impl Columns {
    fn of(settings: &AppSettings) -> Result<Self, StoreError> {
        Ok(Self {
            models: settings.models.as_ref().map(|models| serde_json::json!(models).to_string()),
            rpm: to_db_opt(settings.rpm, "rpm")?,
            tpm: to_db_opt(settings.tpm, "tpm")?,
            concurrency: to_db_opt(settings.concurrency, "concurrency")?,
        })
    }
}

async fn require_version(tx: &mut SqliteConnection, name: &str, expected: u64) -> Result<(), StoreError> {
    let current: Option<i64> = sqlx::query_scalar("SELECT version FROM apps WHERE name = ?1")
        .bind(name)
        .fetch_optional(tx)
        .await
        .map_err(failed("read an app's version"))?;
    let Some(current) = current else { return Err(StoreError::AppMissing(name.to_owned())) };
    let current = from_db(current, "version")?;
    if current == expected { Ok(()) } else { Err(StoreError::VersionMismatch { current }) }
}
