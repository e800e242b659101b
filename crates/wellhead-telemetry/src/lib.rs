//! One struct per event; everything that is seen of a request comes from it: access record, metrics, spans.

pub mod record;

pub use record::{AttemptRecord, RequestRecord, TraceContext};
