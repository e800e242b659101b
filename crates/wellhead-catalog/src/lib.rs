//! Provider kinds as data: base URL, auth style, quirks. Parsed from `catalog/*.toml`, embedded in the binary.

mod kind;

pub use kind::{Auth, Dialect, Kind, Quirks};
