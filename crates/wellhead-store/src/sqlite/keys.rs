//! Keys in SQLite.

use sqlx::sqlite::SqliteConnection;

use super::rows::{key, to_db, to_db_opt};
use super::{SqliteStore, next_version};
use crate::error::failed;
use crate::{
    KEY_ROWS_PER_APP_MAX, KEYS_PER_APP_MAX, KeyQueries, NewKey, PAGE_ROWS_MAX, StoreError, StoredKey,
};

impl KeyQueries for SqliteStore {
    async fn list_keys(&self, app: &str, after_seq: u64, limit: u32) -> Result<Vec<StoredKey>, StoreError> {
        let mut tx = self.readers.begin().await.map_err(failed("begin reading"))?;
        require_app(&mut tx, app).await?;
        let rows = sqlx::query("SELECT * FROM app_keys WHERE app = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3")
            .bind(app)
            .bind(to_db(after_seq, "cursor")?)
            .bind(limit.min(PAGE_ROWS_MAX))
            .fetch_all(&mut *tx)
            .await
            .map_err(failed("list keys"))?;
        rows.iter().map(key).collect()
    }

    async fn get_key(&self, app: &str, id: &str) -> Result<Option<StoredKey>, StoreError> {
        let row = sqlx::query("SELECT * FROM app_keys WHERE app = ?1 AND id = ?2")
            .bind(app)
            .bind(id)
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read a key"))?;
        row.as_ref().map(key).transpose()
    }

    async fn add_key(&self, app: &str, new: &NewKey, now_ms: u64) -> Result<StoredKey, StoreError> {
        let now = to_db(now_ms, "time")?;
        let mut tx = self.writer.begin().await.map_err(failed("begin a change"))?;
        require_app(&mut tx, app).await?;
        require_room(&mut tx, app, now).await?;
        let seq = next_version(&mut tx).await?;
        let row = sqlx::query(
            "INSERT INTO app_keys (id, app, seq, name, tail, hash, created_at_ms, expires_at_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING *",
        )
        .bind(&new.id)
        .bind(app)
        .bind(seq)
        .bind(&new.name)
        .bind(&new.tail)
        .bind(&new.hash.as_bytes()[..])
        .bind(now)
        .bind(to_db_opt(new.expires_at_ms, "expires_at_ms")?)
        .fetch_one(&mut *tx)
        .await
        .map_err(failed("add a key"))?;
        let made = key(&row)?;
        tx.commit().await.map_err(failed("add a key"))?;
        Ok(made)
    }

    async fn revoke_key(&self, app: &str, id: &str, now_ms: u64) -> Result<StoredKey, StoreError> {
        let mut tx = self.writer.begin().await.map_err(failed("begin a change"))?;
        require_app(&mut tx, app).await?;
        let row = sqlx::query(
            "UPDATE app_keys SET revoked_at_ms = coalesce(revoked_at_ms, ?3) WHERE app = ?1 AND id = ?2 RETURNING *",
        )
        .bind(app)
        .bind(id)
        .bind(to_db(now_ms, "time")?)
        .fetch_optional(&mut *tx)
        .await
        .map_err(failed("revoke a key"))?;
        let Some(row) = row else {
            return Err(StoreError::KeyMissing { app: app.to_owned(), id: id.to_owned() });
        };
        let revoked = key(&row)?;
        tx.commit().await.map_err(failed("revoke a key"))?;
        Ok(revoked)
    }
}

async fn require_app(tx: &mut SqliteConnection, app: &str) -> Result<(), StoreError> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM apps WHERE name = ?1")
        .bind(app)
        .fetch_optional(tx)
        .await
        .map_err(failed("look up an app"))?;
    found.map(|_| ()).ok_or_else(|| StoreError::AppMissing(app.to_owned()))
}

/// Counts the live keys, and forgets the oldest dead ones so that the new row fits under the maximum.
async fn require_room(tx: &mut SqliteConnection, app: &str, now: i64) -> Result<(), StoreError> {
    let live: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM app_keys WHERE app = ?1 AND revoked_at_ms IS NULL
         AND (expires_at_ms IS NULL OR expires_at_ms > ?2)",
    )
    .bind(app)
    .bind(now)
    .fetch_one(&mut *tx)
    .await
    .map_err(failed("count keys"))?;
    if live >= i64::from(KEYS_PER_APP_MAX) {
        return Err(StoreError::TooMany { what: "live keys per app", max: u64::from(KEYS_PER_APP_MAX) });
    }
    sqlx::query(
        "DELETE FROM app_keys WHERE id IN (
             SELECT id FROM app_keys WHERE app = ?1
             AND (revoked_at_ms IS NOT NULL OR (expires_at_ms IS NOT NULL AND expires_at_ms <= ?2))
             ORDER BY seq DESC LIMIT -1 OFFSET ?3)",
    )
    .bind(app)
    .bind(now)
    // Room for every live key and the one that comes.
    .bind(KEY_ROWS_PER_APP_MAX - KEYS_PER_APP_MAX)
    .execute(tx)
    .await
    .map_err(failed("forget dead keys"))?;
    Ok(())
}
