//! When a stream breaks off in the middle of an answer: what to ask of the next target, and how to join what it says
//! to what the client has already (decision 12).
//!
//! [`Original`] says which [`Plan`] a request and what was delivered of its answer allow, and writes the body for it.
//! [`Resumed`] takes the events of the next stream and gives those that the client shall see. In front of it goes a
//! [`super::stream::StreamObserver`] as for every stream: it finds errors and keeps tool calls whole.
//!
//! Who may be rescued how:
//!
//! | | prefill | restart | continued |
//! |---|---|---|---|
//! | plain text | yes | yes | yes |
//! | JSON by `response_format` | yes, but not `partial` with `json_object`; restart is tried first | yes | no |
//! | the request offers tools | yes, unless it forces a call | yes | no: such models go on in prose |
//! | a tool call, a refusal, sound, pictures or annotations were delivered | no | no | no |
//! | log-probabilities, several choices, a finish reason was delivered | no | no | no |
//! | the request ends in an assistant message | no: the target might take it for the end of that | yes | no |
//!
//! After a delivered tool call nothing can be restarted: its id and arguments would have to come out the same.
//! Thoughts do not matter: the next target's own are swallowed until its text begins. Answers whose events name their
//! type (Responses) are not rescued: their last event repeats all that was said, ids and numbers included.

mod body;
mod plan;
mod seam;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vendor;

pub use body::Original;
pub use plan::{Plan, PrefillForm, Refusal};
pub use seam::{Broken, Resumed};
