//! `Document` → `Snapshot`: defaults filled in, references followed, keys hashed.

mod app;
mod boot;
mod cloud;
mod model;
mod provider;

use std::sync::Arc;

pub use app::{StoreApp, StoreKey};
pub(crate) use cloud::region_of;
use wellhead_policy::KeyHasher;
use wellhead_types::Name;

use crate::diagnostic::{Diagnostic, Report};
use crate::document::Document;
use crate::read::Spanned;
use crate::snapshot::Snapshot;
use crate::values::Text;

/// What a snapshot needs beside the document.
#[derive(Debug, Clone, Copy)]
pub struct CompileContext<'a> {
    /// Number of the new generation.
    pub generation: u64,
    /// Hashes keys with the pepper of this instance.
    pub hasher: &'a KeyHasher,
    /// Apps that live in the store.
    pub extra_apps: &'a [StoreApp],
}

/// Builds the snapshot whole. On success: the snapshot, and warnings about apps of the store (a name or a key that
/// the file has taken; a model that the file does not have).
///
/// # Errors
/// A document from [`load`](crate::load) compiles; errors mean that a kind of the catalog is unusable.
pub fn compile(
    document: &Document,
    context: &CompileContext<'_>,
) -> Result<(Snapshot, Vec<Diagnostic>), Vec<Diagnostic>> {
    let mut report = Report::new(&document.file);
    report.read_environment(&document.environment);
    let providers = provider::compile(document, context.hasher, &mut report);
    let models = model::compile(document, &providers);
    let apps = app::compile(document, context, &mut report);
    let snapshot = Snapshot {
        generation: context.generation,
        boot: Arc::new(boot::compile(&document.root)),
        limits: Arc::new(boot::limits(&document.root)),
        defer: Arc::new(boot::defer(&document.root)),
        dns: Arc::new(boot::dns(&document.root)),
        providers: Arc::new(providers),
        models: Arc::new(models),
        apps: Arc::new(apps),
    };
    let refused = report.has_errors();
    let diagnostics = report.finish();
    if refused { Err(diagnostics) } else { Ok((snapshot, diagnostics)) }
}

/// The names of a list, each once.
fn names(written: &[Spanned<Text>]) -> Vec<Name> {
    let mut names: Vec<Name> = written.iter().map(|name| name.0.as_str().into()).collect();
    names.sort();
    names.dedup();
    names
}

/// Part of a key's keyed hash in hex, as its id: the same after a reload and wherever the key stands in its list, and
/// of no use to anybody else.
fn short_hash(hasher: &KeyHasher, secret: &str) -> String {
    hasher.hash(secret.as_bytes()).as_bytes()[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}
