//! Running it: probes, reloads, drain, records, metrics.

mod drain;
mod metrics;
mod probes;
mod records;
mod reload;
mod start;
