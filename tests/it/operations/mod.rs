//! Running it: probes, reloads, drain, records, metrics, and what is wrong with targets.

mod catalog;
mod doctor;
mod drain;
mod metrics;
mod probes;
mod records;
mod reload;
mod start;
