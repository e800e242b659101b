//! What happened, in two forms: lines for people and for the comparison of two runs, and facts for the checkers.

use crate::scenario::Kind;
use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use wellhead_telemetry::RequestRecord;

/// Everything that happened.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Entries>);

/// The facts.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    shows: bool,
    hash: u64,
    /// Requests as upstreams saw them, in the order of arrival.
    pub heard: Vec<Heard>,
    /// What the gateway wrote down about each request, by the number of the request.
    pub records: Vec<(usize, u64, RequestRecord)>,
    /// Answers as clients saw them.
    pub answers: Vec<Answer>,
    /// What was seen to be wrong while it happened.
    pub wrong: Vec<String>,
}

/// What became of an attempt to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialled {
    /// There is a connection.
    Made,
    /// Refused.
    Refused,
    /// Never answered.
    Hung,
}

/// How an exchange ended, as the upstream saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Not yet.
    Open,
    /// The answer was sent whole.
    Sent,
    /// The upstream broke it off.
    Broken,
    /// The gateway went away.
    Left,
}

/// One request as an upstream saw it.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    /// When it arrived.
    pub at_ms: u64,
    /// By whom.
    pub provider: usize,
    /// The number of the model.
    pub(crate) model: usize,
    /// The number of the key.
    pub key: Option<usize>,
    /// The number of the client's request.
    pub ask: usize,
    /// The whole answer that was meant, what was handed over included. Empty where none was meant.
    pub meant: String,
    /// The arguments of a call that was meant to follow.
    pub call: Option<String>,
    /// The beginning that was handed over, if the rest of an answer was asked for.
    pub given: Option<String>,
    /// What went wrong.
    pub fault: Option<Kind>,
    /// The status that was sent.
    pub status: Option<u16>,
    /// When the headers went out.
    pub status_ms: Option<u64>,
    /// The newest byte.
    pub said_ms: Option<u64>,
    /// How it ended.
    pub ended: Ended,
    /// And when.
    pub ended_ms: u64,
    /// The connection had carried a request before.
    pub reused: bool,
    /// Refused, because the upstream does not take the beginning of an answer.
    pub refused_prefill: bool,
}

/// What a client got.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    /// The number of the request.
    pub ask: usize,
    /// When it was sent.
    pub at_ms: u64,
    /// When the answer or the client's patience ended.
    pub ended_ms: u64,
    /// When the first content came; of an unstreamed answer, its end.
    pub content_ms: Option<u64>,
    /// The longest time without content, from the first content on.
    pub gap_ms: u64,
    /// The status; 0 if none came.
    pub status: u16,
    /// `x-wellhead-survival`.
    pub survival: String,
    /// `x-wellhead-degraded`.
    pub degraded: String,
    /// `x-wellhead-target`.
    pub target: String,
    /// Whose answer it was at first, by the id that upstreams and the gateway give to answers.
    pub origin: Option<usize>,
    /// The text.
    pub text: String,
    /// The arguments of the calls that came.
    pub calls: Vec<String>,
    /// The finish reason.
    pub finish: Option<String>,
    /// The end signal of a stream; the end of the announced length otherwise.
    pub done: bool,
    /// Something came behind the end signal.
    pub surplus: bool,
    /// The code of an error, in the answer or in the stream.
    pub code: Option<String>,
    /// The targets and outcomes in the error.
    pub attempts: Vec<(String, String)>,
    /// The connection broke, or what came could not be read.
    pub broke: Option<String>,
    /// The client has left.
    pub left: bool,
    /// The answer was resumed at least once.
    pub resumed: bool,
}

impl Answer {
    /// Whole, and no error.
    pub(crate) fn is_success(&self) -> bool {
        self.status == 200 && self.done && self.code.is_none() && self.broke.is_none()
    }
}

impl Log {
    /// A log whose lines are shown as they are written, or only hashed.
    pub(crate) fn new(shows: bool) -> Self {
        Self(Mutex::new(Entries { shows, hash: 0xcbf2_9ce4_8422_2325, ..Entries::default() }))
    }

    /// The entries.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a line.
    pub(crate) fn line(&self, at_ms: u64, text: std::fmt::Arguments<'_>) {
        self.lock().line(at_ms, text);
    }

    /// The entries, when nobody writes any more.
    pub(crate) fn take(&self) -> Entries {
        std::mem::take(&mut *self.lock())
    }
}

impl Entries {
    /// Writes a line.
    pub(crate) fn line(&mut self, at_ms: u64, text: std::fmt::Arguments<'_>) {
        let mut line = String::with_capacity(96);
        // Writing to a text cannot fail.
        let _ = write!(line, "{:>4}.{:03} {text}", at_ms / 1000, at_ms % 1000);
        // FNV-1a: any difference in any byte shows.
        for byte in line.bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
        if self.shows {
            // At once, so that a world that never ends shows where. Whoever has stopped reading misses it.
            drop(writeln!(std::io::stdout(), "{line}"));
        }
    }

    /// Writes what is no event, if anybody looks.
    pub(crate) fn note(&self, text: &str) {
        if self.shows {
            // As above.
            drop(writeln!(std::io::stdout(), "{text}"));
        }
    }

    /// One number for everything that happened.
    pub(crate) const fn hash(&self) -> u64 {
        self.hash
    }
}
