//! The rules of HTTP that a gateway has to keep, without any I/O: which path was meant, which headers may pass, whose
//! trace it is, how long the caller will wait, and how refusals are spelt.
//!
//! Everything here takes bytes from strangers: nothing panics, nothing allocates more than its input.

pub mod deadline;
pub mod fuzz;
pub mod headers;
pub mod host;
pub mod http1;
pub mod names;
pub mod path;
pub mod prefer;
pub mod proxy_status;
pub mod retry_after;
pub mod trace;
