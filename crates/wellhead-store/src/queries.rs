//! The questions that may be asked of a store. Every implementation passes the same conformance suite.

use std::future::Future;

use crate::{
    AppSettings, AppsInForce, NewGeneration, NewKey, StoreError, StoredApp, StoredGeneration, StoredKey,
};

/// Apps made through the management API.
pub trait AppQueries: Send + Sync {
    /// Apps in order of their names, after the given one; at most `limit`, itself at most `PAGE_ROWS_MAX`.
    fn list_apps(
        &self,
        after: Option<&str>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<StoredApp>, StoreError>> + Send;

    /// The app of that name, if there is one.
    fn get_app(&self, name: &str) -> impl Future<Output = Result<Option<StoredApp>, StoreError>> + Send;

    /// Makes an app. Fails with `AppExists` if the name is taken.
    fn create_app(
        &self,
        name: &str,
        settings: &AppSettings,
        now_ms: u64,
    ) -> impl Future<Output = Result<StoredApp, StoreError>> + Send;

    /// Replaces an app's settings if it is still at version `expected`; `AppMissing` or `VersionMismatch` otherwise.
    fn update_app(
        &self,
        name: &str,
        settings: &AppSettings,
        expected: u64,
        now_ms: u64,
    ) -> impl Future<Output = Result<StoredApp, StoreError>> + Send;

    /// Deletes an app and its keys if it is still at version `expected`.
    fn delete_app(&self, name: &str, expected: u64) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Every app with the keys that work at `now_ms`.
    fn apps_in_force(&self, now_ms: u64) -> impl Future<Output = Result<AppsInForce, StoreError>> + Send;
}

/// Keys of apps made through the management API.
pub trait KeyQueries: Send + Sync {
    /// Keys of an app in order of creation, after the one at `after_seq`; dead ones included.
    /// Fails with `AppMissing` if there is no such app.
    fn list_keys(
        &self,
        app: &str,
        after_seq: u64,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<StoredKey>, StoreError>> + Send;

    /// One key of an app.
    fn get_key(
        &self,
        app: &str,
        id: &str,
    ) -> impl Future<Output = Result<Option<StoredKey>, StoreError>> + Send;

    /// Adds a key. Fails with `AppMissing`, or with `TooMany` when `KEYS_PER_APP_MAX` keys are live.
    fn add_key(
        &self,
        app: &str,
        key: &NewKey,
        now_ms: u64,
    ) -> impl Future<Output = Result<StoredKey, StoreError>> + Send;

    /// Revokes a key for good. Doing it twice keeps the first time. Fails with `AppMissing` or `KeyMissing`.
    fn revoke_key(
        &self,
        app: &str,
        id: &str,
        now_ms: u64,
    ) -> impl Future<Output = Result<StoredKey, StoreError>> + Send;
}

/// The history of the configuration.
pub trait GenerationQueries: Send + Sync {
    /// Appends an entry; the oldest beyond the maximum are forgotten.
    fn record_generation(
        &self,
        entry: &NewGeneration,
    ) -> impl Future<Output = Result<StoredGeneration, StoreError>> + Send;

    /// Entries from the newest down, before the given id.
    fn list_generations(
        &self,
        before: Option<u64>,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<StoredGeneration>, StoreError>> + Send;

    /// The newest entry that was applied.
    fn latest_good(&self) -> impl Future<Output = Result<Option<StoredGeneration>, StoreError>> + Send;
}
