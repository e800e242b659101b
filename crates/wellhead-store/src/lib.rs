//! What outlives the process: the data directory with its private files, and a small database with apps, keys and
//! configuration generations. Traits ask questions; SQL and file names stay in here.
//!
//! The data plane never waits for any of this: the control plane reads it and publishes snapshots.

mod data_dir;
mod error;
mod queries;
mod records;
mod sqlite;

pub use data_dir::{DataDir, DataDirError, LastGood};
pub use error::StoreError;
pub use queries::{AppQueries, GenerationQueries, KeyQueries};
pub use records::{
    AppSettings, AppsInForce, GenerationOutcome, KEY_ROWS_PER_APP_MAX, KEYS_PER_APP_MAX, NewGeneration,
    NewKey, PAGE_ROWS_MAX, StoredApp, StoredGeneration, StoredKey,
};
pub use sqlite::SqliteStore;
