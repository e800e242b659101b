//! The data directory: one per instance, private to its user, used by one process at a time.
//!
//! `instance.key`: pepper of key hashes and sealing key. `admin-token`: opens the management API. `last-good.sealed`:
//! the configuration to start from when the file cannot be read. `wellhead.db`: the store. `lock`: held while running.

mod error;
mod files;
mod lock;
mod permissions;
mod sealed;
mod secrets;

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wellhead_policy::KeyHasher;
use wellhead_types::Secret;

pub use error::DataDirError;
use error::at;
use secrets::InstanceKey;

const DATABASE: &str = "wellhead.db";
const LAST_GOOD: &str = "last-good.sealed";
const ADMIN_TOKEN: &str = "admin-token";
const ADMIN_ADDRESS: &str = "admin-address";
const INSTANCE_KEY: &str = "instance.key";

/// Largest file that is read from the data directory: a configuration of 32 MiB, escaped as JSON, twice over.
const FILE_BYTES_MAX: u64 = 128 << 20;

/// An open data directory. Dropping it releases the lock.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    key: InstanceKey,
    admin_token: Secret,
    is_new: bool,
    notes: Vec<String>,
    _lock: File,
}

/// The configuration that served last, as it is kept for the next start (decision 5).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastGood {
    /// Its generation.
    pub generation: u64,
    /// Where it came from.
    pub source: String,
    /// Unix milliseconds at which it was written.
    pub saved_at_ms: u64,
    /// The canonical document. It holds provider keys, hence the seal.
    pub document: String,
}

/// Leaves the document out: it holds provider keys.
impl std::fmt::Debug for LastGood {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LastGood")
            .field("generation", &self.generation)
            .field("source", &self.source)
            .field("saved_at_ms", &self.saved_at_ms)
            .finish_non_exhaustive()
    }
}

impl DataDir {
    /// Opens the directory, or makes it with mode 0700 and fresh secrets. Refuses a directory that others can enter
    /// and that is not plainly ours, one that another process uses, and one whose secrets are lost.
    pub fn open(path: &Path) -> Result<Self, DataDirError> {
        let mut notes = Vec::new();
        permissions::make_private(path, &mut notes)?;
        let lock = lock::acquire(path)?;
        let key_file = path.join(INSTANCE_KEY);
        let is_new = !key_file.exists();
        if is_new && path.join(DATABASE).exists() {
            return Err(DataDirError::KeyLost { dir: path.to_owned() });
        }
        let key = InstanceKey::load_or_make(&key_file, &mut notes)?;
        let admin_token = secrets::admin_token(&path.join(ADMIN_TOKEN), &mut notes)?;
        // SQLite gives its side files the permissions of the database, so it must be private from the first byte on.
        files::ensure_private(&path.join(DATABASE), &mut notes)?;
        Ok(Self { path: path.to_owned(), key, admin_token, is_new, notes, _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether `open` made the instance: a first run.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// What `open` had to set right or could not (permissions); to be shown to the person who starts the program.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Hashes API keys with this instance's pepper.
    pub fn hasher(&self) -> KeyHasher {
        KeyHasher::new(self.key.pepper())
    }

    /// Opens the management API.
    pub fn admin_token(&self) -> &Secret {
        &self.admin_token
    }

    /// The file that holds the admin token; to be named in messages instead of the token.
    pub fn admin_token_file(&self) -> PathBuf {
        self.path.join(ADMIN_TOKEN)
    }

    /// The store's file; it exists and is private.
    pub fn database(&self) -> PathBuf {
        self.path.join(DATABASE)
    }

    /// Replaces the last good configuration, whole or not at all, even if the process or the machine dies meanwhile.
    pub fn write_last_good(&self, last_good: &LastGood) -> Result<(), DataDirError> {
        let path = self.path.join(LAST_GOOD);
        let plain = serde_json::to_vec(last_good).map_err(io::Error::from).map_err(at("encode", &path))?;
        let sealed =
            sealed::seal(self.key.sealing(), LAST_GOOD, plain).map_err(|_| DataDirError::Randomness)?;
        files::replace(&path, &sealed)
    }

    /// The last good configuration, if one was ever written. A file that was changed, or that belongs to another
    /// instance, is an error and not "none".
    pub fn read_last_good(&self) -> Result<Option<LastGood>, DataDirError> {
        let path = self.path.join(LAST_GOOD);
        let Some(sealed) = files::read(&path, FILE_BYTES_MAX)? else { return Ok(None) };
        let plain = sealed::open(self.key.sealing(), LAST_GOOD, sealed)
            .ok_or_else(|| DataDirError::SealBroken { path: path.clone() })?;
        serde_json::from_slice(&plain).map(Some).map_err(io::Error::from).map_err(at("decode", &path))
    }

    /// Leaves a note where the admin listener is, for commands that are run on the same machine.
    pub fn write_admin_address(&self, address: SocketAddr) -> Result<(), DataDirError> {
        files::replace(&self.path.join(ADMIN_ADDRESS), format!("{address}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests;
