//! Why a data directory could not be used, with the line that helps.

use std::io;
use std::path::{Path, PathBuf};

/// Why a data directory could not be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// A file or directory could not be read, written or made.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The path is there, but it is no directory.
    #[error("{} is not a directory; name another one with --data-dir", dir.display())]
    NotADirectory {
        /// The path.
        dir: PathBuf,
    },
    /// Other users can look into the directory, and it is not plainly ours to close.
    #[error(
        "{} can be entered by other users (mode {mode:04o}), and Wellhead keeps secrets in it; \
         close it with `chmod 700 {}`, or name another directory with --data-dir",
        dir.display(), dir.display()
    )]
    OpenToOthers {
        /// The directory.
        dir: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// Another process holds the lock.
    #[error(
        "{} is in use by another Wellhead{}; stop that one, or name another directory with --data-dir",
        dir.display(), holder(*.pid)
    )]
    InUse {
        /// The directory.
        dir: PathBuf,
        /// The other process, if it left its id.
        pid: Option<u32>,
    },
    /// The database is there but the key that its hashes depend on is gone.
    #[error(
        "{} has a wellhead.db but no instance.key, so no stored API key could be recognised; \
         restore instance.key from a backup, or move wellhead.db away to start afresh",
        dir.display()
    )]
    KeyLost {
        /// The directory.
        dir: PathBuf,
    },
    /// A secret's file does not hold what it should.
    #[error("{} is damaged ({what}); restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A sealed file was changed, or sealed by another instance.
    #[error(
        "{} was changed or belongs to another instance.key; restore both from the same backup, or delete it",
        path.display()
    )]
    SealBroken {
        /// The file.
        path: PathBuf,
    },
    /// A file is larger than anything that was ever written there.
    #[error("{} is larger than {bytes_max} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The maximum.
        bytes_max: u64,
    },
    /// The system's random source failed.
    #[error("the system's random source failed")]
    Randomness,
}

fn holder(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

/// Names operation and path: `fs::write(…).map_err(at("write", path))`.
pub(super) fn at<'a>(doing: &'static str, path: &'a Path) -> impl Fn(io::Error) -> DataDirError + 'a {
    move |source| DataDirError::Io { doing, path: path.to_owned(), source }
}
