//! Deferred answers (survival.md R10): a request that was accepted with a 202 is answered later, once, whatever happens
//! to the process meanwhile.
//!
//! Everything is a [`Record`] in a log: [`frame`] writes and reads its bytes, [`Outbox`] is what a log comes to.
//! [`Lane`] says when the next request of a model may be asked for, [`delivery`] when a webhook is tried again.
//! Files, clocks and sockets are elsewhere.

#[cfg(any(test, feature = "fuzz-checks"))]
pub mod checks;
pub mod delivery;
pub mod frame;
mod id;
mod lane;
mod outbox;
mod record;
#[cfg(test)]
mod tests;
mod usage;

pub use id::Id;
pub use lane::Lane;
pub use outbox::{Entry, Outbox, Place, Reserve, State};
pub use record::{Accepted, Delivered, Finished, How, Record};
pub use usage::{Full, Limits, Usage};

use wellhead_types::{Cause, Failure, Stage};

/// Whether an attempt that failed like this may have done its work all the same. An answer with an error status says
/// that nothing was done; silence and broken answers say nothing. `504` and `524` are another gateway's silence.
pub fn may_have_run(failure: &Failure) -> bool {
    failure.stage > Stage::Tls && may_have(failure.cause.as_str(), failure.status)
}

/// The same from what a record says of an attempt.
pub fn may_have(result: &str, status: Option<u16>) -> bool {
    const SILENT: [Cause; 7] = [
        Cause::ConnectionReset,
        Cause::HeadersTimeout,
        Cause::FirstTokenTimeout,
        Cause::IdleTimeout,
        Cause::ResponseIncomplete,
        Cause::ResponseTooLarge,
        Cause::DeadlineExceeded,
    ];
    match status {
        Some(504 | 524) => true,
        Some(status) if !(200..300).contains(&status) => false,
        _ => {
            result == "cancelled"
                || result == Cause::ProtocolError.as_str()
                || SILENT.iter().any(|cause| cause.as_str() == result)
        }
    }
}
