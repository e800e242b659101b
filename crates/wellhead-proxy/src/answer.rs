//! What an attempt yields when it succeeds, and the relay of answers that are passed on byte for byte.

use crate::body::BrokenOff;
use crate::settle::Books;
use crate::stream::Live;
use crate::translate::{Dropped, Original};
use bytes::Bytes;
use http::HeaderMap;
use http_body::{Body, SizeHint};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::{Instant, Sleep};
use wellhead_net::InBody;
use wellhead_resilience::Nanos;
use wellhead_types::{Cause, Rung, Usage};
use wellhead_wire::json::Cursor;
use wellhead_wire::openai::read_usage;

/// An answer whose beginning is good: the request is committed to it.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) target: usize,
    pub(crate) rung: Rung,
    /// When its first token was there, if that was before its first content.
    pub(crate) first_at: Option<Nanos>,
    pub(crate) status: u16,
    /// The upstream's headers.
    pub(crate) headers: HeaderMap,
    /// What the target was not told of.
    pub(crate) dropped: Option<Dropped>,
    /// A whole answer as the target wrote it, for a client of its dialect.
    pub(crate) original: Option<Box<Original>>,
    pub(crate) content: Content,
}

impl Opened {
    /// The number of the target of an answer that nobody was asked for.
    pub(crate) const NO_TARGET: usize = usize::MAX;
}

/// How the rest of the answer comes.
#[derive(Debug)]
pub(crate) enum Content {
    /// It is here.
    /// Usage is boxed: an answer is handed on through many layers.
    Whole(Bytes, Option<Box<Usage>>),
    /// It follows byte for byte, after what has been read already.
    Relay(VecDeque<Bytes>, InBody),
    /// It is a stream of events.
    Stream(Box<Live>),
}

/// Bytes of the end of a relayed answer that are looked through for its usage: usage objects are below 1 KiB.
const TAIL_BYTES: usize = 4096;

/// An answer that is passed on as it comes.
pub(crate) struct Relay {
    read: VecDeque<Bytes>,
    body: InBody,
    books: Option<Box<Books>>,
    idle: IdleTimer,
    tail: Vec<u8>,
    json: bool,
}

impl Relay {
    pub(crate) fn new(
        read: VecDeque<Bytes>,
        body: InBody,
        books: Box<Books>,
        idle: Duration,
        json: bool,
    ) -> Self {
        Self { read, body, books: Some(books), idle: IdleTimer::new(idle), tail: Vec::new(), json }
    }

    pub(crate) fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        if let Some(bytes) = self.read.pop_front() {
            return Poll::Ready(Some(Ok(self.passed(bytes))));
        }
        if self.books.is_none() {
            return Poll::Ready(None);
        }
        loop {
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => {
                    self.idle.touch();
                    if let Ok(bytes) = frame.into_data() {
                        return Poll::Ready(Some(Ok(self.passed(bytes))));
                    }
                }
                Poll::Ready(Some(Err(error))) => {
                    tracing::debug!(detail = error.detail, "a relayed answer broke off");
                    return self.broken(error.cause);
                }
                Poll::Ready(None) => {
                    self.complete();
                    return Poll::Ready(None);
                }
                Poll::Pending if self.idle.poll_expired(cx) => return self.broken(Cause::IdleTimeout),
                Poll::Pending => return Poll::Pending,
            }
        }
    }

    pub(crate) fn size_hint(&self) -> SizeHint {
        let read: u64 = self.read.iter().map(|b| b.len() as u64).sum();
        self.body.size_hint().exact().map_or_else(SizeHint::default, |rest| SizeHint::with_exact(read + rest))
    }

    fn passed(&mut self, bytes: Bytes) -> Bytes {
        if let Some(books) = &mut self.books {
            books.record.response_bytes += bytes.len() as u64;
        }
        if self.json {
            let keep = bytes.len().min(TAIL_BYTES);
            let drop = (self.tail.len() + keep).saturating_sub(TAIL_BYTES);
            self.tail.drain(..drop.min(self.tail.len()));
            self.tail.extend_from_slice(&bytes[bytes.len() - keep..]);
        }
        // hyper stops asking when a body of known length is complete, and never sees its end.
        if self.read.is_empty() && self.body.is_end_stream() {
            self.complete();
        }
        bytes
    }

    fn complete(&mut self) {
        if let Some(mut books) = self.books.take() {
            books.record.usage = usage_in_tail(&self.tail);
            books.end_attempt("ok");
            let outcome = books.record.rung.outcome();
            books.close(outcome);
        }
    }

    fn broken(&mut self, cause: Cause) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        if let Some(mut books) = self.books.take() {
            let delivered = books.output_estimate;
            books.break_attempt(cause, delivered);
            books.record.code = Some(crate::rescue::INTERRUPTED);
            books.close(wellhead_types::Outcome::Failed);
        }
        Poll::Ready(Some(Err(BrokenOff)))
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Relay")
    }
}

/// Large answers (embeddings) have their usage near the end.
fn usage_in_tail(tail: &[u8]) -> Option<Usage> {
    let key = b"\"usage\"";
    let at = tail.windows(key.len()).rposition(|window| window == key)?;
    let object = tail[at + key.len()..].iter().position(|b| *b == b'{')? + at + key.len();
    let mut cursor = Cursor::new(&tail[object..]).ok()?;
    let span = cursor.skip().ok()?;
    read_usage(cursor.slice(span))
}

/// A limit on silence that costs nothing per piece: the timer is only moved when it fires.
pub(crate) struct IdleTimer {
    limit: Duration,
    last: Instant,
    sleep: Pin<Box<Sleep>>,
}

impl IdleTimer {
    pub(crate) fn new(limit: Duration) -> Self {
        let last = Instant::now();
        Self { limit, last, sleep: Box::pin(tokio::time::sleep_until(last + limit)) }
    }

    /// Something arrived.
    pub(crate) fn touch(&mut self) {
        self.last = Instant::now();
    }

    /// Whether nothing has arrived for too long. Registers the task for the moment at which it will be.
    pub(crate) fn poll_expired(&mut self, cx: &mut Context<'_>) -> bool {
        while self.sleep.as_mut().poll(cx).is_ready() {
            let due = self.last + self.limit;
            if Instant::now() >= due {
                return true;
            }
            self.sleep.as_mut().reset(due);
        }
        false
    }
}
