//! The way back to the client: one face for HTTP/1.1 and HTTP/2, with everything that a fault may want to do to it.

use std::time::Duration;

use super::http1::H1;
use super::http2::H2;

/// The client is gone, or the answer was broken off on purpose: nothing more can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone;

/// Status line and headers of an answer.
#[derive(Debug)]
pub(crate) struct AnswerHead {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// The length of the body, unless it is streamed.
    pub(crate) length: Option<usize>,
}

/// An answer under way.
pub(crate) enum Wire<'a> {
    H1(H1<'a>),
    H2(H2),
}

impl Wire<'_> {
    /// Sends the head; byte by byte with `drip` between them, where the protocol has bytes.
    pub(crate) async fn head(&mut self, head: AnswerHead, drip: Option<Duration>) -> Result<(), Gone> {
        match self {
            Self::H1(wire) => wire.head(&head, drip).await,
            Self::H2(wire) => wire.head(head, drip).await,
        }
    }

    /// Sends a piece of the body.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        match self {
            Self::H1(wire) => wire.send(bytes).await,
            Self::H2(wire) => wire.send(bytes).await,
        }
    }

    /// Ends the body as a finished one ends.
    pub(crate) async fn finish(&mut self) -> Result<(), Gone> {
        match self {
            Self::H1(wire) => wire.finish().await,
            // Ending without an error is the end of the stream.
            Self::H2(_) => Ok(()),
        }
    }

    /// Ends the connection (HTTP/2: the stream) without a word about the missing rest.
    pub(crate) fn cut(&mut self) {
        if let Self::H1(wire) = self {
            wire.cut();
        }
    }

    /// Resets the connection (HTTP/2: the stream). `refused` says that nothing was processed.
    pub(crate) async fn reset(&mut self, refused: bool) {
        match self {
            Self::H1(wire) => wire.reset(),
            Self::H2(wire) => wire.reset(refused).await,
        }
    }

    /// Waits, but not longer than the client stays.
    pub(crate) async fn sleep(&mut self, time: Duration) -> Result<(), Gone> {
        match self {
            Self::H1(wire) => wire.sleep(time).await,
            Self::H2(_) => {
                // The stream's future is dropped as soon as the client resets it.
                tokio::time::sleep(time).await;
                Ok(())
            }
        }
    }

    /// Waits until the client leaves.
    pub(crate) async fn silence(&mut self) -> Gone {
        match self {
            Self::H1(wire) => wire.silence().await,
            Self::H2(_) => std::future::pending().await,
        }
    }
}
