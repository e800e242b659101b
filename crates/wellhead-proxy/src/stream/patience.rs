//! How long a stream may be silent, and how long it may last: one timer for both, which is moved only when it fires.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// The limits of one stream.
pub(super) struct Patience {
    silence: Duration,
    last: Instant,
    end: Instant,
    sleep: Pin<Box<Sleep>>,
}

/// Which limit is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// Nothing came for too long.
    Silence,
    /// The stream has lasted as long as it may.
    End,
}

impl Patience {
    pub(super) fn new(silence: Duration, longest: Duration) -> Self {
        let now = Instant::now();
        let first = silence.min(longest);
        Self {
            silence,
            last: now,
            end: now + longest,
            sleep: Box::pin(tokio::time::sleep_until(now + first)),
        }
    }

    /// Something came.
    pub(super) fn touch(&mut self) {
        self.last = Instant::now();
    }

    /// Nothing more is expected: what is left of the stream has this long to come to its end.
    pub(super) fn end_within(&mut self, rest: Duration) {
        let soon = Instant::now() + rest;
        if self.end > soon {
            (self.end, self.silence) = (soon, Duration::MAX);
            self.sleep.as_mut().reset(soon);
        }
    }

    /// Ready when a limit is over. Registers the task for that moment.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Over> {
        loop {
            std::task::ready!(self.sleep.as_mut().poll(cx));
            let now = Instant::now();
            if now >= self.end {
                return Poll::Ready(Over::End);
            }
            let due = self.last.checked_add(self.silence).unwrap_or(self.end);
            if now >= due {
                return Poll::Ready(Over::Silence);
            }
            self.sleep.as_mut().reset(due.min(self.end));
        }
    }
}
