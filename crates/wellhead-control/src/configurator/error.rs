//! Why a configuration did not take effect.

use wellhead_config::Diagnostic;
use wellhead_store::{DataDirError, StoreError};

/// Why the first configuration could not be loaded; the program cannot start.
#[derive(Debug, thiserror::Error)]
pub enum FirstLoadError {
    /// The text is wrong: exit code 3, with every diagnostic.
    #[error("the configuration is invalid")]
    Invalid(Vec<Diagnostic>),
    /// The file cannot be read, and there is no last good configuration to fall back on.
    #[error("cannot read the configuration {name}")]
    Unreadable {
        /// The file.
        name: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The last good configuration could not be read.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// A task of this program died.
    #[error("loading was interrupted by a bug of this program")]
    Interrupted,
}

/// Why a new configuration did not take effect. The one before keeps serving.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// The text is wrong.
    #[error("the configuration is invalid; the one before keeps serving")]
    Invalid(Vec<Diagnostic>),
    /// The file cannot be read.
    #[error("cannot read the configuration {name}; the one before keeps serving")]
    Unreadable {
        /// The file.
        name: String,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A task of this program died.
    #[error("loading was interrupted by a bug of this program; the configuration before keeps serving")]
    Interrupted,
    /// Nothing has been loaded yet.
    #[error("no configuration has been loaded yet")]
    NotLoaded,
}

impl ReloadError {
    /// One line per thing that is wrong.
    pub fn messages(&self) -> Vec<String> {
        match self {
            Self::Invalid(diagnostics) => super::lines(diagnostics),
            Self::Unreadable { source, .. } => vec![format!("{self}: {source}")],
            Self::Interrupted | Self::NotLoaded => vec![self.to_string()],
        }
    }
}

/// Why an app or a key was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The app is declared in the configuration file.
    #[error("app {app:?} is declared in {origin}")]
    ManagedByFile {
        /// The app.
        app: String,
        /// File and line.
        origin: String,
    },
    /// The configuration would be invalid with it.
    #[error("the configuration would be invalid with this change")]
    Invalid(Vec<Diagnostic>),
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The change is stored, but the snapshot could not be rebuilt; it takes effect with the next valid one.
    #[error("the change is stored but not in effect yet")]
    NotPublished(#[source] ReloadError),
    /// The system's random source failed.
    #[error("the system's random source failed")]
    Randomness,
}
