//! The history of the configuration in SQLite.

use super::SqliteStore;
use super::rows::{generation, to_db};
use crate::error::failed;
use crate::records::GENERATIONS_KEPT_MAX;
use crate::{GenerationQueries, NewGeneration, PAGE_ROWS_MAX, StoreError, StoredGeneration};

impl GenerationQueries for SqliteStore {
    async fn record_generation(&self, entry: &NewGeneration) -> Result<StoredGeneration, StoreError> {
        let mut tx = self.writer.begin().await.map_err(failed("begin a change"))?;
        let row = sqlx::query(
            "INSERT INTO generations (generation, at_ms, source, sha256, outcome, reason, actor, messages)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) RETURNING *",
        )
        .bind(to_db(entry.generation, "generation")?)
        .bind(to_db(entry.at_ms, "time")?)
        .bind(&entry.source)
        .bind(&entry.sha256)
        .bind(entry.outcome.as_str())
        .bind(&entry.reason)
        .bind(&entry.actor)
        .bind(serde_json::json!(entry.messages).to_string())
        .fetch_one(&mut *tx)
        .await
        .map_err(failed("record a generation"))?;
        let recorded = generation(&row)?;
        // The newest applied entry stays whatever its age: generations must never count backwards after a start.
        sqlx::query(
            "DELETE FROM generations WHERE id <= ?1
             AND id <> (SELECT max(id) FROM generations WHERE outcome = 'applied')",
        )
        .bind(to_db(recorded.id, "id")? - GENERATIONS_KEPT_MAX)
        .execute(&mut *tx)
        .await
        .map_err(failed("forget old generations"))?;
        tx.commit().await.map_err(failed("record a generation"))?;
        Ok(recorded)
    }

    async fn list_generations(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> Result<Vec<StoredGeneration>, StoreError> {
        let rows = sqlx::query("SELECT * FROM generations WHERE id < ?1 ORDER BY id DESC LIMIT ?2")
            .bind(before.map_or(Ok(i64::MAX), |id| to_db(id, "cursor"))?)
            .bind(limit.min(PAGE_ROWS_MAX))
            .fetch_all(&self.readers)
            .await
            .map_err(failed("list generations"))?;
        rows.iter().map(generation).collect()
    }

    async fn latest_good(&self) -> Result<Option<StoredGeneration>, StoreError> {
        let row = sqlx::query("SELECT * FROM generations WHERE outcome = 'applied' ORDER BY id DESC LIMIT 1")
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("read the newest generation"))?;
        row.as_ref().map(generation).transpose()
    }
}
