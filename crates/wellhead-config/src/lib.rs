//! What was written (`Document`, with places) becomes diagnostics or a [`Snapshot`]. Pure: files and the
//! environment are read by the caller, through [`Lookup`].
//!
//! The way: text → `tree` (YAML with marks) → `resolve` (`${…}`) → `overrides` (variables of the
//! environment) → `read` (shape, by the tables that the
//! `section!` macro makes of the structs in `document`) → `check` (meaning) → [`compile`](fn@compile).
//! Every step reports into one `Report` and carries on, so that all errors come at once.

mod canonical;
mod check;
mod compile;
pub mod defaults;
mod diagnostic;
pub mod document;
mod excerpt;
mod fuzz;
mod kinds;
mod load;
mod lookup;
mod nearest;
pub mod overrides;
mod path;
mod read;
mod resolve;
mod schema;
mod section;
pub mod snapshot;
mod tree;
pub mod values;

pub use canonical::to_canonical;
pub use compile::{CompileContext, StoreApp, StoreKey, compile};
pub use diagnostic::{Diagnostic, Severity, render};
pub use document::Document;
pub use fuzz::fuzz_load;
pub use kinds::KindSource;
pub use load::{FILE_BYTES_MAX, load};
pub use lookup::{Fixed, Lookup};
pub use nearest::nearest;
pub use schema::json_schema;
pub use snapshot::Snapshot;
