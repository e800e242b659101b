//! What was written (`Document`, with spans) becomes diagnostics or a [`Snapshot`]. Pure: files are read by the caller.

pub mod snapshot;

pub use snapshot::Snapshot;
