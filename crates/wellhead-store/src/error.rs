//! What can go wrong with the store, in terms that callers branch on.

/// Why a question or a change was not answered.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An app of that name is there already.
    #[error("an app named {0:?} exists already")]
    AppExists(String),
    /// No such app.
    #[error("there is no app named {0:?}")]
    AppMissing(String),
    /// No such key of that app.
    #[error("app {app:?} has no key {id:?}")]
    KeyMissing {
        /// The app.
        app: String,
        /// The key's id.
        id: String,
    },
    /// The object changed since the caller read it.
    #[error("the object has changed since it was read (it is at version {current} now)")]
    VersionMismatch {
        /// Its version now.
        current: u64,
    },
    /// A maximum of this store is reached.
    #[error("there can be at most {max} {what}")]
    TooMany {
        /// What there are too many of.
        what: &'static str,
        /// The maximum.
        max: u64,
    },
    /// A number does not fit into the database's 63 bits.
    #[error("{what} is too large to be stored (at most 9223372036854775807)")]
    OutOfRange {
        /// Which number.
        what: &'static str,
    },
    /// A stored row does not hold what its column promises; somebody else wrote into the file.
    #[error("the database holds an impossible {what}; restore it from a backup")]
    Damaged {
        /// Which value.
        what: &'static str,
    },
    /// The database itself failed.
    #[error("the database failed to {doing}")]
    Database {
        /// What it was asked to do.
        doing: &'static str,
        /// What it said.
        #[source]
        source: sqlx::Error,
    },
    /// The tables could not be brought up to date.
    #[error("the database's tables could not be brought up to date")]
    Migrate(#[source] sqlx::migrate::MigrateError),
}

/// Names the operation in the error: `query.await.map_err(failed("list apps"))`.
pub(crate) fn failed(doing: &'static str) -> impl Fn(sqlx::Error) -> StoreError {
    move |source| StoreError::Database { doing, source }
}
