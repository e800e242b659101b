//! HTTP/1.1 to targets. The codec is ours because a connection here is nothing but a socket: the request's own task
//! writes and reads it, an idle stream holds no buffer, and no second task has to be woken for each piece.
//!
//! Cancelling is dropping: the socket is closed with the future or the body that owns it.

mod body;
mod out;
mod socket;
#[cfg(test)]
mod tests;

pub(crate) use body::H1Body;
pub(crate) use socket::Socket;

use crate::{OutBody, SendError};
use http::{Method, Request, Response, StatusCode};
use out::{Outgoing, Unsent};
use std::io;
use std::task::{Context, Poll};
use wellhead_http::http1::{HEAD_BYTES_MAX, Malformed, ResponseHead, Unframe, read_response};
use wellhead_types::{Cause, Stage};

/// Interim answers (1xx) before the real one. One `100 Continue` and a few `103 Early Hints` are honest.
const INTERIM_MAX: u32 = 16;

/// Why an exchange got no answer.
#[derive(Debug)]
pub(crate) struct Unanswered {
    pub(crate) error: SendError,
    /// The connection ended without a byte of an answer, and the request can be sent once more.
    pub(crate) repeatable: bool,
}

/// Sends a request and waits for the head of its answer. A target may answer before it has read the whole request; the
/// rest of it is then sent while the answer is read.
pub(crate) async fn send(
    mut socket: Socket,
    request: Request<OutBody>,
) -> Result<Response<H1Body>, Unanswered> {
    let method = request.method().clone();
    let mut out = Outgoing::new(request);
    let mut head = HeadReader { method, partial: Vec::new(), interim: 0, unsent: None };
    let Answer { head, unframe, first, surplus } =
        match std::future::poll_fn(|cx| head.poll(&mut socket, &mut out, cx)).await {
            Ok(answer) => answer,
            Err(e) => return Err(Unanswered { repeatable: e.repeatable && !out.is_spent(), ..e }),
        };
    let body = H1Body::new(socket, out, unframe, head.reusable && !surplus, first);
    let mut response = Response::new(body);
    *response.status_mut() = head.status;
    *response.headers_mut() = head.headers;
    Ok(response)
}

/// The head of an answer, and what came with it.
struct Answer {
    head: ResponseHead,
    unframe: Unframe,
    /// Of the body.
    first: Vec<u8>,
    /// There was more than the answer.
    surplus: bool,
}

/// Reads heads until the final one is there.
struct HeadReader {
    method: Method,
    /// What came of a head that is not complete.
    partial: Vec<u8>,
    interim: u32,
    /// Why the request could not be sent whole.
    unsent: Option<io::Error>,
}

impl HeadReader {
    /// The final head, with what came behind it.
    fn poll(
        &mut self,
        socket: &mut Socket,
        out: &mut Outgoing,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Answer, Unanswered>> {
        if self.unsent.is_none() {
            match out.poll(socket, cx) {
                Poll::Ready(Err(Unsent::Body(error))) => return Poll::Ready(Err(bodiless(&error))),
                Poll::Ready(Err(Unsent::Socket(error))) => self.unsent = Some(error),
                Poll::Ready(Ok(())) | Poll::Pending => {}
            }
        }
        loop {
            let read = std::task::ready!(socket.poll_read(cx, |bytes| self.take(bytes)));
            match read {
                Ok(Some(Ok(Some(found)))) => return Poll::Ready(Ok(found)),
                Ok(Some(Ok(None))) => {}
                Ok(Some(Err(malformed))) => return Poll::Ready(Err(failed(&malformed))),
                Ok(None) => return Poll::Ready(Err(self.closed(None))),
                Err(error) => return Poll::Ready(Err(self.closed(Some(error)))),
            }
        }
    }

    /// Takes what was read; returns the final head if it is complete.
    fn take(&mut self, bytes: &[u8]) -> Result<Option<Answer>, Malformed> {
        // Nearly always the head comes in one piece, and is read where it lies.
        if !self.partial.is_empty() {
            self.partial.extend_from_slice(bytes);
            // A line feed ends every head: without one there is nothing new to find, and reading what lies there again
            // for each byte of a dribbling target would cost the square of its size.
            if !bytes.contains(&b'\n') && self.partial.len() < HEAD_BYTES_MAX {
                return Ok(None);
            }
        }
        let partial = std::mem::take(&mut self.partial);
        let mut bytes = if partial.is_empty() { bytes } else { &partial[..] };
        while let Some(head) = read_response(&self.method, bytes)? {
            bytes = &bytes[head.bytes..];
            if head.status == StatusCode::SWITCHING_PROTOCOLS {
                return Err(Malformed::Unasked("an upgrade"));
            }
            if !head.status.is_informational() {
                let (mut unframe, mut first) = (Unframe::new(head.framing), Vec::with_capacity(bytes.len()));
                let used = unframe.push(bytes, &mut first)?;
                return Ok(Some(Answer { head, unframe, first, surplus: used < bytes.len() }));
            }
            self.interim += 1;
            if self.interim > INTERIM_MAX {
                return Err(Malformed::Unasked("interim answers without end"));
            }
        }
        if bytes.len() > HEAD_BYTES_MAX {
            return Err(Malformed::HeadTooLarge);
        }
        self.partial = bytes.to_vec();
        Ok(None)
    }

    /// The connection ended before the head did.
    fn closed(&mut self, error: Option<io::Error>) -> Unanswered {
        if let Some(error) = error.as_ref().and_then(|error| crate::tls::of_client_certificate(error)) {
            return Unanswered { error, repeatable: false };
        }
        let repeatable = self.partial.is_empty() && self.interim == 0;
        let detail = match error.or_else(|| self.unsent.take()) {
            Some(error) => format!("the connection broke before an answer: {error}"),
            None => "the target closed the connection before it answered".to_owned(),
        };
        Unanswered { error: SendError::new(Stage::Headers, Cause::ConnectionReset, detail), repeatable }
    }
}

fn failed(malformed: &Malformed) -> Unanswered {
    Unanswered {
        error: SendError::new(Stage::Headers, Cause::ProtocolError, malformed.to_string()),
        repeatable: false,
    }
}

fn bodiless(error: &io::Error) -> Unanswered {
    let detail = format!("the request's body cannot be sent: {error}");
    Unanswered { error: SendError::new(Stage::Send, Cause::Internal, detail), repeatable: false }
}
