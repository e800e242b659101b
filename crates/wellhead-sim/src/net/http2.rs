//! HTTP/2 through hyper: each request's answer is played by the future that is its body.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::{mpsc, oneshot};

use super::io::{Io, Rewound};
use super::request::Request;
use super::wire::{AnswerHead, Gone, Wire};
use crate::core::Core;
use crate::options::{BODY_BYTES_MAX, H2_STREAMS_MAX};

/// Events waiting for HTTP/2's flow control; more make the answer wait.
const EVENTS_AHEAD_MAX: usize = 4;

/// Why a stream is reset; hyper takes the reason from the source.
#[derive(Debug)]
pub(crate) struct Reset(h2::Error);

impl Reset {
    fn new(refused: bool) -> Self {
        Self(if refused { h2::Reason::REFUSED_STREAM } else { h2::Reason::INTERNAL_ERROR }.into())
    }
}

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the simulator resets this stream")
    }
}

impl std::error::Error for Reset {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// An answer on an HTTP/2 stream.
pub(crate) struct H2 {
    head: Option<oneshot::Sender<Result<AnswerHead, Reset>>>,
    body: mpsc::Sender<Result<Bytes, Reset>>,
}

impl H2 {
    pub(super) async fn head(&mut self, head: AnswerHead, drip: Option<Duration>) -> Result<(), Gone> {
        if let Some(pause) = drip {
            // A frame cannot come byte by byte; what remains of the fault is how long the head takes.
            let bytes: usize = head.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
            tokio::time::sleep(pause.saturating_mul(u32::try_from(bytes).unwrap_or(u32::MAX))).await;
        }
        match self.head.take() {
            Some(sender) => sender.send(Ok(head)).map_err(|_| Gone),
            None => Err(Gone),
        }
    }

    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<(), Gone> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.body.send(Ok(Bytes::copy_from_slice(bytes))).await.map_err(|_| Gone)
    }

    pub(super) async fn reset(&mut self, refused: bool) {
        let reset = Reset::new(refused);
        // Either side being gone already is as good as reset.
        match self.head.take() {
            Some(head) => drop(head.send(Err(reset))),
            None => drop(self.body.send(Err(reset)).await),
        }
    }
}

type Player = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The body of an answer, and the future that makes it: who drops one drops both, so a client that leaves is noticed.
struct Played {
    player: Option<Player>,
    pieces: mpsc::Receiver<Result<Bytes, Reset>>,
}

impl Body for Played {
    type Data = Bytes;
    type Error = Reset;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Reset>>> {
        let this = self.get_mut();
        if let Some(player) = &mut this.player
            && player.as_mut().poll(cx).is_ready()
        {
            this.player = None;
        }
        this.pieces.poll_recv(cx).map(|piece| piece.map(|piece| piece.map(Frame::data)))
    }
}

/// Serves `io`, whose first bytes are in `first`, until one of both sides closes it.
pub(crate) async fn serve(core: &Arc<Core>, io: &mut Io, first: BytesMut, connection: u64) {
    let service = service_fn(|request| answer(Arc::clone(core), request, connection));
    let served = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .max_concurrent_streams(H2_STREAMS_MAX)
        .serve_connection(TokioIo::new(Rewound { first, io }), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "an HTTP/2 connection ended");
    }
}

async fn answer(
    core: Arc<Core>,
    request: http::Request<Incoming>,
    connection: u64,
) -> Result<http::Response<Played>, Reset> {
    let (head_sender, mut head) = oneshot::channel();
    let (body, pieces) = mpsc::channel(EVENTS_AHEAD_MAX);
    let mut wire = Wire::H2(H2 { head: Some(head_sender), body });
    let mut player: Player = Box::pin(async move {
        if let Some(request) = read(request, connection).await {
            // The client being gone needs no more than ending.
            let _ = core.handle(request, &mut wire).await;
        }
    });
    let mut done = false;
    let head = tokio::select! {
        biased;
        () = &mut player => { done = true; head.try_recv().ok() }
        head = &mut head => head.ok(),
    };
    let head = head.unwrap_or_else(|| Err(Reset::new(false)))?;
    let mut response = http::Response::new(Played { player: (!done).then_some(player), pieces });
    *response.status_mut() = http::StatusCode::from_u16(head.status).unwrap_or(http::StatusCode::OK);
    for (name, value) in &head.headers {
        if let (Ok(name), Ok(value)) = (http::HeaderName::try_from(name), http::HeaderValue::try_from(value))
        {
            response.headers_mut().append(name, value);
        }
    }
    if let Some(length) = head.length {
        response.headers_mut().insert(http::header::CONTENT_LENGTH, length.into());
    }
    Ok(response)
}

async fn read(request: http::Request<Incoming>, connection: u64) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value)));
    let mut request = Request {
        method: parts.method.as_str().to_owned(),
        version: "HTTP/2",
        headers: headers.collect(),
        connection,
        ..Request::default()
    };
    if let Some(authority) = parts.uri.authority() {
        request.headers.insert(0, (":authority".to_owned(), authority.to_string()));
    }
    request.set_target(parts.uri.path_and_query().map_or("/", |target| target.as_str()));
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(body) => request.body = body.to_bytes(),
        Err(error) => {
            tracing::debug!(error, "an HTTP/2 request body could not be read");
            return None;
        }
    }
    Some(request)
}
