//! Text to document, off the async threads: reading a file may hang, and parsing 32 MiB takes a while.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use wellhead_config::{
    CompileContext, Diagnostic, Document, Fixed, KindSource, Snapshot, StoreApp, StoreKey,
};
use wellhead_store::{AppsInForce, LastGood};

use super::{Configurator, Writer};
use crate::lookup::SystemLookup;
use crate::source::{ConfigSource, Fingerprint, hex, sha256};

/// What reading and parsing gave.
pub(super) struct Loaded {
    pub(super) outcome: Result<Parsed, Trouble>,
    /// The source's files as they look now, the ones it names included.
    pub(super) seen: BTreeMap<PathBuf, Fingerprint>,
}

/// A document that passed.
pub(super) struct Parsed {
    pub(super) document: Arc<Document>,
    pub(super) sha256: String,
    pub(super) warnings: Vec<Diagnostic>,
}

pub(super) enum Trouble {
    Unreadable(io::Error),
    Invalid { diagnostics: Vec<Diagnostic>, sha256: String },
    Interrupted,
}

impl Configurator {
    /// Reads and parses the source.
    pub(super) async fn load(&self) -> Loaded {
        let (source, kinds) = (self.source.clone(), Arc::clone(&self.kinds));
        let task = tokio::task::spawn_blocking(move || load_source(&source, &*kinds));
        task.await.unwrap_or(Loaded { outcome: Err(Trouble::Interrupted), seen: BTreeMap::new() })
    }

    /// Parses the configuration that served last. Its variables and files were resolved when it was written.
    pub(super) async fn load_last_good(&self, last_good: LastGood) -> Result<Parsed, Trouble> {
        let kinds = Arc::clone(&self.kinds);
        let task = tokio::task::spawn_blocking(move || {
            let name = format!("{} (last good)", last_good.source);
            parse(&name, &last_good.document, &Fixed::default(), &*kinds)
        });
        task.await.unwrap_or(Err(Trouble::Interrupted))
    }

    /// Document and apps to snapshot, with what is worth knowing about it.
    pub(super) fn compile(
        &self,
        document: &Document,
        apps: &[StoreApp],
        generation: u64,
    ) -> Result<(Snapshot, Vec<Diagnostic>), Vec<Diagnostic>> {
        wellhead_config::compile(
            document,
            &CompileContext { generation, hasher: &self.hasher, extra_apps: apps },
        )
    }

    /// Reads the stored apps again. When the database fails, those read before stay: keys keep working.
    pub(super) async fn refresh_apps(&self, writer: &mut Writer) {
        use wellhead_store::AppQueries;
        match self.store.apps_in_force(crate::clock::now_ms()).await {
            Ok(in_force) => {
                writer.next_expiry_ms = in_force.next_expiry_ms;
                writer.apps = store_apps(in_force);
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "apps of the store stay as they were"
                );
            }
        }
    }
}

/// The files as they look now. Blocking.
pub(super) fn fingerprints<'a>(
    files: impl Iterator<Item = &'a PathBuf>,
    before: &BTreeMap<PathBuf, Fingerprint>,
) -> BTreeMap<PathBuf, Fingerprint> {
    files.map(|path| (path.clone(), Fingerprint::of(path, before.get(path)))).collect()
}

/// In the configuration's terms.
pub(super) fn store_apps(in_force: AppsInForce) -> Vec<StoreApp> {
    let app = |(app, keys): (wellhead_store::StoredApp, Vec<wellhead_store::StoredKey>)| {
        let keys = keys.into_iter().map(|key| StoreKey { id: key.id, hash: key.hash }).collect();
        super::apps::store_app(&app.name, &app.settings, keys)
    };
    in_force.apps.into_iter().map(app).collect()
}

fn load_source(source: &ConfigSource, kinds: &dyn KindSource) -> Loaded {
    // Looked at before reading: a change in between is seen as one at the next poll.
    let own: BTreeSet<PathBuf> = match source {
        ConfigSource::File(path) => BTreeSet::from([path.clone()]),
        ConfigSource::Builtin { .. } => BTreeSet::new(),
    };
    let mut seen = fingerprints(own.iter(), &BTreeMap::new());
    let lookup = SystemLookup::new(source.base());
    let outcome = match source.read() {
        Ok(text) => parse(&source.name(), &text, &lookup, kinds),
        Err(error) => Err(Trouble::Unreadable(error)),
    };
    seen.extend(fingerprints(lookup.into_files().iter(), &BTreeMap::new()));
    Loaded { outcome, seen }
}

fn parse(
    name: &str,
    text: &str,
    lookup: &dyn wellhead_config::Lookup,
    kinds: &dyn KindSource,
) -> Result<Parsed, Trouble> {
    let sha256 = hex(&sha256(text.as_bytes()));
    match wellhead_config::load(name, text, lookup, kinds) {
        Ok((document, warnings)) => Ok(Parsed { document: Arc::new(document), sha256, warnings }),
        Err(diagnostics) => Err(Trouble::Invalid { diagnostics, sha256 }),
    }
}
