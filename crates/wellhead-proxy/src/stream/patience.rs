//! How long a stream may be silent, and how long it may last: one timer for both, which is moved only when it fires.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// The limits of one stream.
pub(super) struct Patience {
    silence: Duration,
    /// Since when something is waited for, if it is. While the client is busy with what it has, nobody listens, and
    /// what comes then was not late.
    waiting: Option<Instant>,
    longest: Duration,
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
            waiting: None,
            longest: Duration::ZERO,
            end: now + longest,
            sleep: Box::pin(tokio::time::sleep_until(now + first)),
        }
    }

    /// Something came.
    pub(super) fn touch(&mut self) {
        if let Some(since) = self.waiting.take() {
            self.longest = self.longest.max(since.elapsed());
        }
    }

    /// The longest wait for something that came or is still waited for.
    pub(super) fn longest(&self) -> Duration {
        self.waiting.map_or(self.longest, |since| self.longest.max(since.elapsed()))
    }

    /// Nothing more is expected: what is left of the stream has this long to come to its end.
    pub(super) fn end_within(&mut self, rest: Duration) {
        let soon = Instant::now() + rest;
        if self.end > soon {
            (self.end, self.silence) = (soon, Duration::MAX);
            self.sleep.as_mut().reset(soon);
        }
    }

    /// Something is waited for. Ready when a limit is over; registers the task for that moment.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Over> {
        let since = *self.waiting.get_or_insert_with(Instant::now);
        loop {
            std::task::ready!(self.sleep.as_mut().poll(cx));
            let now = Instant::now();
            if now >= self.end {
                return Poll::Ready(Over::End);
            }
            let due = since.checked_add(self.silence).unwrap_or(self.end);
            if now >= due {
                return Poll::Ready(Over::Silence);
            }
            self.sleep.as_mut().reset(due.min(self.end));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Over, Patience};
    use std::future::poll_fn;
    use std::task::Poll;
    use std::time::Duration;

    const SECOND: Duration = Duration::from_secs(1);

    async fn is_over(patience: &mut Patience) -> Option<Over> {
        poll_fn(|cx| {
            Poll::Ready(match patience.poll(cx) {
                Poll::Ready(over) => Some(over),
                Poll::Pending => None,
            })
        })
        .await
    }

    #[tokio::test(start_paused = true)]
    async fn silence_counts_while_something_is_waited_for() {
        let mut patience = Patience::new(5 * SECOND, 100 * SECOND);
        assert_eq!(is_over(&mut patience).await, None);
        tokio::time::advance(4 * SECOND).await;
        patience.touch();
        assert_eq!(is_over(&mut patience).await, None);
        tokio::time::advance(3 * SECOND).await;
        assert_eq!(is_over(&mut patience).await, None, "something came three seconds ago");
        tokio::time::advance(2 * SECOND).await;
        assert_eq!(is_over(&mut patience).await, Some(Over::Silence));
        assert_eq!(patience.longest(), 5 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_pauses_is_no_silence_of_the_upstream() {
        let mut patience = Patience::new(5 * SECOND, 100 * SECOND);
        assert_eq!(is_over(&mut patience).await, None);
        tokio::time::advance(SECOND).await;
        patience.touch();
        // Nobody asks for the next piece, because the client does not take this one.
        tokio::time::advance(50 * SECOND).await;
        assert_eq!(is_over(&mut patience).await, None);
        assert_eq!(patience.longest(), SECOND);
        tokio::time::advance(5 * SECOND).await;
        assert_eq!(is_over(&mut patience).await, Some(Over::Silence));
        tokio::time::advance(60 * SECOND).await;
        assert_eq!(is_over(&mut patience).await, Some(Over::End));
    }

    #[tokio::test(start_paused = true)]
    async fn poll_fires_by_itself() {
        let mut patience = Patience::new(5 * SECOND, 8 * SECOND);
        assert_eq!(poll_fn(|cx| patience.poll(cx)).await, Over::Silence);
        patience.touch();
        assert_eq!(poll_fn(|cx| patience.poll(cx)).await, Over::End, "three seconds later");
    }
}
