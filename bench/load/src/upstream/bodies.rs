//! Answer bodies: paced, and as fast as the reader allows.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame};
use tokio::time::{Instant, Sleep};

use super::Stats;
use super::chunk::Template;

/// A flooding stream hands out pieces of about this size: large enough that the upstream is not the bottleneck.
const FLOOD_PIECE_BYTES: usize = 16 * 1024;

/// Counts a stream as open for as long as it lives.
struct Open(Arc<Stats>);

impl Open {
    fn new(stats: Arc<Stats>) -> Open {
        stats.streams_open.fetch_add(1, Ordering::Relaxed);
        Open(stats)
    }

    fn sent(&self, bytes: &Bytes) {
        self.0.bytes_sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.streams_open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The first chunk at once, each further one an interval after the one before, then the finish.
pub(super) struct Paced {
    template: Template,
    /// `None`: nothing after the first chunk, and no end either.
    chunks: Option<u32>,
    sent: u32,
    interval: Duration,
    timer: Pin<Box<Sleep>>,
    open: Open,
}

impl Paced {
    pub(super) fn new(
        template: Template,
        chunks: Option<u32>,
        interval: Duration,
        stats: Arc<Stats>,
    ) -> Paced {
        let timer = Box::pin(tokio::time::sleep_until(Instant::now()));
        Paced { template, chunks, sent: 0, interval, timer, open: Open::new(stats) }
    }
}

impl Body for Paced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let total = match self.chunks {
            Some(total) => total,
            // Silence: hyper still watches the connection and drops this body when the client leaves.
            None if self.sent > 0 => return Poll::Pending,
            None => 1,
        };
        if self.sent > total {
            return Poll::Ready(None);
        }
        if self.sent > 0 {
            ready!(self.timer.as_mut().poll(context));
        }
        // From now on, not from the schedule: a late chunk must not be followed by a burst, which would be cheaper
        // to relay than what is being measured.
        let next = Instant::now() + self.interval;
        self.timer.as_mut().reset(next);
        let piece = match self.sent {
            sent if sent == total => self.template.finish(),
            0 => self.template.first(),
            _ => self.template.stamped(),
        };
        self.sent += 1;
        self.open.sent(&piece);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

/// Chunks without a pause, up to a number of bytes.
pub(super) struct Flood {
    template: Template,
    piece: Bytes,
    left: u64,
    open: Open,
}

impl Flood {
    pub(super) fn new(template: Template, bytes_max: u64, stats: Arc<Stats>) -> Flood {
        let one = template.stamped();
        let mut piece = BytesMut::with_capacity(FLOOD_PIECE_BYTES + one.len());
        while piece.len() < FLOOD_PIECE_BYTES {
            piece.extend_from_slice(&one);
        }
        Flood { template, piece: piece.freeze(), left: bytes_max, open: Open::new(stats) }
    }
}

impl Body for Flood {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left = self.left.saturating_sub(self.piece.len() as u64);
        // The last piece is the finish, so that a reader who does read it all sees a whole answer.
        let piece = if self.left == 0 { self.template.finish() } else { self.piece.clone() };
        self.open.sent(&piece);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}
