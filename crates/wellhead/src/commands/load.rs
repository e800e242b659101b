//! A configuration file, read as `serve` reads it, without starting anything.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, bail};
use wellhead_catalog::Catalog;
use wellhead_config::{CompileContext, Diagnostic, Document, FILE_BYTES_MAX, Snapshot};
use wellhead_control::SystemLookup;
use wellhead_policy::KeyHasher;

/// A configuration that can be used.
pub(super) struct Loaded {
    /// What was written, with its places.
    pub(super) document: Document,
    /// What it means.
    pub(super) snapshot: Snapshot,
    pub(super) warnings: Vec<Diagnostic>,
}

/// Reads and checks `file`. The inner error is everything that is wrong with its text.
pub(super) fn load(file: &Path, catalog: &Catalog) -> anyhow::Result<Result<Loaded, Vec<Diagnostic>>> {
    let text = read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let kinds: Vec<_> = catalog.kinds().cloned().collect();
    let lookup = SystemLookup::new(file.parent().unwrap_or(Path::new("")).to_owned());
    let name = file.display().to_string();
    Ok(wellhead_config::load(&name, &text, &lookup, &kinds).and_then(|(document, mut warnings)| {
        // Whatever the pepper is, the same keys are told apart.
        let hasher = KeyHasher::new(&[0; 32]);
        let context = CompileContext { generation: 1, hasher: &hasher, extra_apps: &[] };
        let (snapshot, more) = wellhead_config::compile(&document, &context)?;
        warnings.extend(more);
        Ok(Loaded { document, snapshot, warnings })
    }))
}

/// The catalogue of this build.
pub(super) fn catalog() -> anyhow::Result<Catalog> {
    Catalog::builtin().context("the built-in catalogue is damaged")
}

fn read(file: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    File::open(file)?.take(FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > FILE_BYTES_MAX {
        bail!("it is larger than {FILE_BYTES_MAX} bytes");
    }
    String::from_utf8(bytes).context("it is not UTF-8; save it as UTF-8")
}
