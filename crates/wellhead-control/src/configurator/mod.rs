//! Configuration's only writer. Text and apps become a snapshot; a valid one is recorded, kept as last good and
//! published whole; an invalid one changes nothing and is reported everywhere a person looks.

mod apps;
mod error;
mod first;
mod keys;
mod load;
mod publish;
mod tick;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::{Mutex, MutexGuard};
use wellhead_config::snapshot::{Boot, Limits};
use wellhead_config::{Diagnostic, Document, KindSource, Snapshot, StoreApp};
use wellhead_policy::KeyHasher;
use wellhead_store::{DataDir, SqliteStore};
use wellhead_types::ConfigStatus;

use crate::data_plane::DataPlane;
use crate::source::{ConfigSource, Fingerprint};

pub(crate) use apps::ORIGIN_STORE;
pub use error::{ChangeError, FirstLoadError, ReloadError};
pub use first::FirstLoad;
pub use keys::{IssuedKey, KeyRequest};

/// What a configurator is made of.
pub struct ConfiguratorOptions {
    /// Where the text comes from.
    pub source: ConfigSource,
    /// The instance's directory: pepper, seal, last good.
    pub data_dir: Arc<DataDir>,
    /// Apps, keys and history.
    pub store: SqliteStore,
    /// Provider kinds.
    pub kinds: Arc<dyn KindSource + Send + Sync>,
}

/// A configuration that took effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Its generation.
    pub generation: u64,
    /// What is worth knowing about it, one line each.
    pub warnings: Vec<String>,
}

/// Configuration's only writer; shared by the watcher and the management API.
pub struct Configurator {
    source: ConfigSource,
    data_dir: Arc<DataDir>,
    store: SqliteStore,
    kinds: Arc<dyn KindSource + Send + Sync>,
    hasher: KeyHasher,
    data_plane: OnceLock<Arc<dyn DataPlane>>,
    /// What serves; `None` before the first load. Read without waiting for a writer.
    snapshot: ArcSwapOption<Snapshot>,
    status: ArcSwap<ConfigStatus>,
    /// Held during every change: changes happen one after the other.
    writer: Mutex<Writer>,
}

/// What a change starts from.
#[derive(Default)]
struct Writer {
    /// The document that serves, even if the file holds a newer, wrong one.
    document: Option<Arc<Document>>,
    /// SHA-256 of its text, hex.
    sha256: String,
    /// What the document's text was warned about.
    file_warnings: Vec<String>,
    /// Apps of the store as they were last read: enough to go on when the database fails.
    apps: Vec<StoreApp>,
    /// When the next stored key stops working.
    next_expiry_ms: Option<u64>,
    generation: u64,
    /// Settings that this process started with.
    boot: Option<Arc<Boot>>,
    /// Limits that this process started with: two of them belong to the listeners.
    limits: Option<Arc<Limits>>,
    /// How the source looked when it was last loaded.
    seen: BTreeMap<PathBuf, Fingerprint>,
    /// How it looked at the last poll, if that was different.
    pending: Option<BTreeMap<PathBuf, Fingerprint>>,
}

impl Configurator {
    /// Nothing is read until `load_first`.
    pub fn new(options: ConfiguratorOptions) -> Arc<Self> {
        let ConfiguratorOptions { source, data_dir, store, kinds } = options;
        let status = ConfigStatus { source: source.name(), last_reload_ok: true, ..ConfigStatus::default() };
        Arc::new(Self {
            hasher: data_dir.hasher(),
            source,
            data_dir,
            store,
            kinds,
            data_plane: OnceLock::new(),
            snapshot: ArcSwapOption::empty(),
            status: ArcSwap::from_pointee(status),
            writer: Mutex::default(),
        })
    }

    /// The snapshot that serves; `None` before the first load.
    pub fn snapshot(&self) -> Option<Arc<Snapshot>> {
        self.snapshot.load_full()
    }

    /// What serves, and what was wrong with the newest attempt.
    pub fn status(&self) -> Arc<ConfigStatus> {
        self.status.load_full()
    }

    /// The store, for questions; changes go through the configurator.
    pub(crate) fn store(&self) -> &SqliteStore {
        &self.store
    }

    /// Connects the data plane, which was built from the first snapshot, and catches it up if more happened since.
    pub(crate) async fn attach(&self, data_plane: Arc<dyn DataPlane>) {
        let _writer = self.write().await;
        if self.data_plane.set(data_plane).is_err() {
            tracing::error!("a second data plane was attached; the first one stays");
        }
        if let (Some(plane), Some(snapshot)) = (self.data_plane.get(), self.snapshot()) {
            plane.publish(snapshot);
            plane.set_config_metrics(&self.status.load());
        }
    }

    async fn write(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().await
    }
}

fn lines(diagnostics: &[Diagnostic]) -> Vec<String> {
    diagnostics.iter().map(ToString::to_string).collect()
}
