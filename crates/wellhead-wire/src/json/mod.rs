//! JSON by spans: where the values of a few top-level members lie, and how to change them without touching
//! another byte. One pass, no tree, no allocation. What is valid is decided exactly as strictly as by `serde_json`,
//! so that nothing passes here that a typed parser behind us would read differently.

mod canonical;
mod cursor;
mod scan;
mod splice;
mod text;

#[cfg(test)]
mod tests;

pub use canonical::{NotCanonical, canonical};
pub use cursor::{Cursor, NESTING_MAX};
pub(crate) use scan::scan_with;
pub use scan::{Member, ObjectSpan, ScanError, Spans, find, scan, validate};
pub(crate) use splice::replaced;
pub use splice::{Part, Splice};
pub use text::{Text, push_quoted, quoted};
