//! The control plane as its users see it: over its listener, with a data plane that remembers what was published.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod apps;
mod contract;
mod keys;
mod listener;
mod reload;
mod start;
mod support;
