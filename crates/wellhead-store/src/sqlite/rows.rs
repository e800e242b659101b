//! Rows to records. A value that its column cannot hold is reported as damage, never a panic.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use wellhead_policy::KeyHash;

use crate::error::failed;
use crate::{
    AppSettings, GenerationOutcome, NewGeneration, StoreError, StoredApp, StoredGeneration, StoredKey,
};

/// To the database's signed integers.
pub(super) fn to_db(value: u64, what: &'static str) -> Result<i64, StoreError> {
    i64::try_from(value).map_err(|_| StoreError::OutOfRange { what })
}

/// As `to_db`, for what may be absent.
pub(super) fn to_db_opt(value: Option<u64>, what: &'static str) -> Result<Option<i64>, StoreError> {
    value.map(|v| to_db(v, what)).transpose()
}

/// From the database's signed integers.
pub(super) fn from_db(value: i64, what: &'static str) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|_| StoreError::Damaged { what })
}

fn integer(row: &SqliteRow, column: &'static str) -> Result<u64, StoreError> {
    from_db(row.try_get(column).map_err(failed("read a row"))?, column)
}

fn integer_opt(row: &SqliteRow, column: &'static str) -> Result<Option<u64>, StoreError> {
    let value: Option<i64> = row.try_get(column).map_err(failed("read a row"))?;
    value.map(|v| from_db(v, column)).transpose()
}

fn text(row: &SqliteRow, column: &'static str) -> Result<String, StoreError> {
    row.try_get(column).map_err(failed("read a row"))
}

fn text_opt(row: &SqliteRow, column: &'static str) -> Result<Option<String>, StoreError> {
    row.try_get(column).map_err(failed("read a row"))
}

fn strings(json: &str, what: &'static str) -> Result<Vec<String>, StoreError> {
    serde_json::from_str(json).map_err(|_| StoreError::Damaged { what })
}

pub(super) fn app(row: &SqliteRow) -> Result<StoredApp, StoreError> {
    let models = text_opt(row, "models")?.map(|json| strings(&json, "models")).transpose()?;
    Ok(StoredApp {
        name: text(row, "name")?,
        settings: AppSettings {
            models,
            rpm: integer_opt(row, "rpm")?,
            tpm: integer_opt(row, "tpm")?,
            concurrency: integer_opt(row, "concurrency")?,
        },
        version: integer(row, "version")?,
        created_at_ms: integer(row, "created_at_ms")?,
        updated_at_ms: integer(row, "updated_at_ms")?,
    })
}

pub(super) fn key(row: &SqliteRow) -> Result<StoredKey, StoreError> {
    let hash: Vec<u8> = row.try_get("hash").map_err(failed("read a row"))?;
    let hash: [u8; 32] = hash.try_into().map_err(|_| StoreError::Damaged { what: "hash" })?;
    Ok(StoredKey {
        id: text(row, "id")?,
        app: text(row, "app")?,
        seq: integer(row, "seq")?,
        name: text_opt(row, "name")?,
        tail: text(row, "tail")?,
        hash: KeyHash::from_bytes(hash),
        created_at_ms: integer(row, "created_at_ms")?,
        expires_at_ms: integer_opt(row, "expires_at_ms")?,
        revoked_at_ms: integer_opt(row, "revoked_at_ms")?,
    })
}

pub(super) fn generation(row: &SqliteRow) -> Result<StoredGeneration, StoreError> {
    let outcome = GenerationOutcome::parse(&text(row, "outcome")?);
    Ok(StoredGeneration {
        id: integer(row, "id")?,
        entry: NewGeneration {
            generation: integer(row, "generation")?,
            at_ms: integer(row, "at_ms")?,
            source: text(row, "source")?,
            sha256: text(row, "sha256")?,
            outcome: outcome.ok_or(StoreError::Damaged { what: "outcome" })?,
            reason: text(row, "reason")?,
            actor: text(row, "actor")?,
            messages: strings(&text(row, "messages")?, "messages")?,
        },
    })
}
