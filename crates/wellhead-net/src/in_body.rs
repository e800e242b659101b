//! Response bodies from upstreams, whatever the HTTP version.

use crate::SendError;
use crate::h1::H1Body;
use crate::pool::{Slot, StreamCount};
use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use wellhead_types::{Cause, Stage};

/// The body of a response. When it has been read to its end, its HTTP/1.1 connection goes back to the pool; when it is
/// dropped before, the connection is closed, or the HTTP/2 stream reset.
#[derive(Debug)]
pub struct InBody(Kind);

#[derive(Debug)]
enum Kind {
    H1 { body: H1Body, home: Arc<Slot>, idle_max: usize },
    H2 { body: Incoming, _count: StreamCount },
}

impl InBody {
    pub(crate) fn h1(response: Response<H1Body>, home: Arc<Slot>, idle_max: usize) -> Response<Self> {
        response.map(|mut body| {
            // Often the whole answer came with its head.
            if let Some(socket) = body.recycle() {
                home.put(socket, idle_max);
            }
            Self(Kind::H1 { body, home, idle_max })
        })
    }

    pub(crate) const fn h2(body: Incoming, count: StreamCount) -> Self {
        Self(Kind::H2 { body, _count: count })
    }
}

impl Body for InBody {
    type Data = Bytes;
    type Error = SendError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SendError>>> {
        match &mut self.0 {
            Kind::H1 { body, home, idle_max } => {
                let polled = std::task::ready!(Pin::new(&mut *body).poll_frame(cx));
                if let Some(socket) = body.recycle() {
                    home.put(socket, *idle_max);
                }
                Poll::Ready(polled)
            }
            Kind::H2 { body, .. } => {
                let polled = std::task::ready!(Pin::new(body).poll_frame(cx));
                Poll::Ready(polled.map(|frame| frame.map_err(|error| from_h2(&error))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::H1 { body, .. } => body.is_end_stream(),
            Kind::H2 { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::H1 { body, .. } => body.size_hint(),
            Kind::H2 { body, .. } => body.size_hint(),
        }
    }
}

fn from_h2(error: &hyper::Error) -> SendError {
    let cause = if error.is_parse() { Cause::ProtocolError } else { Cause::ResponseIncomplete };
    SendError::new(Stage::Stream, cause, crate::error::chain(error))
}
