//! Streams of events: read until the commit point, then passed on, watched all the while.

mod client;
mod live;
mod open;
mod patience;
mod queue;
mod resume;

pub(crate) use client::{Attempts, ClientStream};
pub(crate) use live::Live;
pub(crate) use open::open;
pub(crate) use resume::{Fields, Resume, ask};
