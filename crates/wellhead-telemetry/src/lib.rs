//! One struct per event; everything that is seen of a request comes from it: access record, metrics, spans.
//!
//! Nothing here runs on a request's thread but additions to counters and one push to a list. Formatting and writing
//! happen on a writer thread, exporting on the control runtime. What does not fit is dropped and counted: telemetry
//! never slows or stops traffic.

mod hex;
pub mod metrics;
pub mod otlp;
pub mod record;
pub mod sink;
mod time;

#[cfg(test)]
mod samples;

pub use metrics::{DeferredFigures, Metrics, RouteMetrics, TargetMetrics, TargetState};
pub use otlp::{Conventions, OtlpOptions};
pub use record::{AttemptRecord, RequestRecord, TraceContext};
pub use sink::{AccessLog, StartError, Telemetry, TelemetryOptions};
pub use time::rfc3339;
