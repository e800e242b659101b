//! Streams of events: read until the commit point, then passed on, watched all the while.

mod client;
mod live;
mod open;
mod patience;
mod queue;
mod resume;

use std::time::Duration;

/// Time that an upstream has to say the rest of a finished answer and to close, so that the connection can be used again.
const CLOSE_MAX: Duration = Duration::from_secs(1);

pub(crate) use client::{Attempts, ClientStream};
pub(crate) use live::Live;
pub(crate) use open::open;
pub(crate) use resume::{Fields, Resume, ask};
