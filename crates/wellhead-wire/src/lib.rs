//! What goes over the wire to and from AI models: framing, spans of JSON, the shapes of the dialects, the canonical chat
//! model between them, and what every vendor says when it fails.
//!
//! Everything here is pure: bytes in, bytes and decisions out. No socket, no clock, no credential. Bodies and events
//! of the same dialect are never re-written; a scanner finds the few members that matter and the rest passes as it
//! came.

pub mod anthropic;
pub mod bedrock;
pub mod chat;
pub mod cohere;
pub mod eventstream;
pub mod failure;
pub mod gemini;
pub mod json;
pub mod multipart;
pub mod ollama;
pub mod openai;
pub mod sse;
pub mod translate;

#[cfg(any(test, feature = "fuzz-checks"))]
#[allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "checks for tests and fuzzing"
)]
pub mod checks;
