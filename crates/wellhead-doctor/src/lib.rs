//! Examines targets layer by layer (name, address, handshake, HTTP, credential, quota, model) without spending a token,
//! and says what is wrong, on which evidence, and how to mend it.
//!
//! [`probe`] asks, with the resolver, the connections and the credentials of the data plane, so that what it meets is
//! what requests meet. [`judge`] turns what came into findings; it does no I/O.

mod evidence;
mod finding;
mod judge;
mod nearest;
mod probe;
mod subject;

pub use finding::{Examined, Finding, Layer, Level, Place, Report};
pub use probe::examine;
pub use subject::{Subjects, UnknownName};
