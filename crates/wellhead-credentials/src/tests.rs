#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

//! Over real sockets, against fakes of those who give credentials out.

mod aws;
mod azure;
mod fake;
mod gcp;
