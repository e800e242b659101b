//! `${VAR}` from the environment and `${file:path}` from disk. Remembers which files were read, so that a rotated
//! secret is noticed although the configuration's own text stays the same.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use wellhead_config::Lookup;
use wellhead_config::overrides::is_override;

use crate::source::read_text;

/// A file named by `${file:…}` holds one secret or one certificate bundle, not a data set.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Files that are remembered and watched per load: more than any configuration names, and a bound on each poll.
const FILES_MAX: usize = 1_000;

/// The environment and the files of this machine.
#[derive(Debug, Default)]
pub struct SystemLookup {
    base: PathBuf,
    files: Mutex<BTreeSet<PathBuf>>,
}

impl SystemLookup {
    /// Relative paths start from `base`: the directory of the configuration file.
    pub fn new(base: PathBuf) -> Self {
        Self { base, files: Mutex::default() }
    }

    /// The files that were asked for, readable or not.
    pub(crate) fn into_files(self) -> BTreeSet<PathBuf> {
        self.files.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lookup for SystemLookup {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn overrides(&self) -> Vec<(String, String)> {
        let text = |(name, text): (std::ffi::OsString, std::ffi::OsString)| {
            // What is no UTF-8 becomes a value that its field refuses, instead of being passed over in silence.
            Some((name.into_string().ok()?, text.to_string_lossy().into_owned()))
        };
        std::env::vars_os().filter_map(text).filter(|(name, _)| is_override(name)).collect()
    }

    fn file(&self, path: &str) -> Result<String, String> {
        let path = self.base.join(path);
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if files.len() < FILES_MAX {
            files.insert(path.clone());
        }
        drop(files);
        let text = read_text(&path, FILE_BYTES_MAX).map_err(|error| error.to_string())?;
        // Editors and `echo` end files with a newline that no secret contains.
        let text = text.strip_suffix('\n').unwrap_or(&text);
        Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
    }
}
