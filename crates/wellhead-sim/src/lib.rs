//! Fake model providers over real sockets: they stream believable answers at a set pace, and fail on request.
//!
//! A [`Sim`] speaks the dialects of OpenAI, Anthropic, Gemini and Bedrock, by the path that is asked, over HTTP/1.1 and
//! HTTP/2 (cleartext prior knowledge, or TLS). It is the practice provider of the first run, the `wellhead sim` command,
//! and the test bed of the gateway's tests: its request log can be read back, so that a test can assert what the provider
//! saw.
//!
//! # Answers
//!
//! The same conversation gets the same answer from every simulator with the same seed, whatever the model is called:
//! a second simulator can take over where the first one died, as a greedy model server would. A conversation that
//! ends with an assistant message is continued from there.
//!
//! # Faults
//!
//! A [`Fault`] is written as `name` or `name:argument` (`-` works as well as `:`), several are joined with `+`.
//! They are chosen from the first of these places that names any; a request has one source of faults only:
//!
//! 1. the request header `x-sim-fault: cut-after:5` (`none` switches the others off),
//! 2. the model name after a `+`: `practice+status-503`, `practice+slow-first-token-2000+cut-after-5`,
//! 3. the newest [`Rule`] that matches, set by [`Sim::set_fault`], `POST /_sim/faults` or the command line.
//!
//! | Fault | What the client sees |
//! | --- | --- |
//! | `refuse` | the connection is reset: at accept for a rule without conditions, else once the request is read |
//! | `reset-before-headers` | the request is read, then the connection is reset |
//! | `reset-after-headers` | status and headers, then a reset |
//! | `silence` | nothing, for as long as the client waits |
//! | `slow-first-token:MS` | headers at once (streamed), the first token this much later |
//! | `slow-tokens:MS` | this pace instead of the usual one |
//! | `status:CODE[,retry-after=V]` | an error answer (`headers`, `body` in the JSON form) |
//! | `cut-after:N` | N tokens, then the connection ends cleanly (FIN) without the end of the answer |
//! | `reset-after:N` | N tokens, then a reset |
//! | `stall-after:N` | N tokens, then silence on an open connection |
//! | `malformed-event[:N]` | streamed: after N tokens (1) an event that is not JSON; the stream goes on behind it |
//! | `missing-terminator` | streamed: everything but finish reason and end mark, then a proper end of the HTTP body |
//! | `error-in-200` | status 200 with an error as body or as first event |
//! | `error-mid-stream:N` | streamed: N tokens, then an error event and the end |
//! | `wrong-content-type` | status 200 with an HTML page |
//! | `compressed[:force]` | gzip, if the client accepts it (`force`: always) |
//! | `huge-line[:BYTES]` | an event line, or a JSON member, of that many bytes (1 MiB) |
//! | `empty-body` | status 200 and nothing else |
//! | `bad-json` | status 200 with broken JSON as body or as only event |
//! | `drip-headers[:MS]` | the head byte by byte, one each MS (20) |
//! | `tokens:N` | no fault: the answer has N tokens |
//!
//! # Idempotency
//!
//! A request with an `Idempotency-Key` that was answered with 2xx before gets the same answer again, marked
//! `idempotent-replayed`; [`LoggedRequest::replayed`] says so in the log. Another body under the same key is refused
//! with 422. Streams are not remembered.
//!
//! # Control
//!
//! `POST /_sim/faults`, `GET` and `DELETE /_sim/faults`, `GET` and `DELETE /_sim/requests`, `GET /_sim/state`.
//! They are never logged and need no key: a simulator belongs on a loopback address.

mod api;
mod cli;
mod core;
mod fault;
mod guise;
mod idempotency;
mod log;
mod media;
mod mind;
mod net;
mod options;
mod play;
mod reply;
mod sim;

pub use cli::{CliOptions, run_cli};
pub use fault::{Fault, FaultError, Faults, Match, Rule};
pub use log::{Ended, LoggedRequest, WaitError};
pub use options::{SimOptions, Slots, TlsIdentity};
pub use sim::Sim;
