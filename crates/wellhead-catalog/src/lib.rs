//! Provider kinds as data: base URL, auth style, quirks. Parsed from `catalog/*.toml`, embedded in the binary.
//!
//! Adding a vendor of a known dialect changes a TOML file and no code. What a kind says is checked when it is read, so
//! that a wrong entry is an error with file and line and never a strange request to a vendor.

mod catalog;
mod check;
mod error;
mod kind;

pub use catalog::{BUILTIN, Catalog};
pub use check::SOURCES;
pub use error::CatalogError;
pub use kind::{Auth, Dialect, Kind, Prefill, Quirks, fits};
