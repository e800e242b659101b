//! What the language promises, tested from outside.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod bounds;
mod canonical;
mod contract;
mod merge;
mod overrides;
mod reach;
mod right;
mod robust;
mod schema;
mod secrets;
mod support;
mod wrong;
